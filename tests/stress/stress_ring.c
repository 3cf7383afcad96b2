/* SPDX-License-Identifier: Apache-2.0
 * stress_ring.c - two threads, two rings: objects go forth by one ring and come back by the other.
 *
 * Usage:   stress_ring [MESSAGES]; exit 0 if all held, abort at the first thing that did not
 * Shows:   every message arrives once, whole and in order, through rings that are mostly full or mostly empty; what a
 *          message points to is its new owner's to read and write without a lock (all objects come back, no data race).
 * Thread:  main produces, one thread consumes and gives back
 */
#include "base/check.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/ring.h"

#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { OBJECTS_MOST = 256 };

/* Written by its owner only; the owner changes with each hand-over. */
struct object {
    uint64_t number;
    uint64_t trips;
    uint64_t filler[6];
};

/* Larger than a word, so that a torn copy shows in the check word. */
struct message {
    struct object *object;
    uint64_t number;
    uint64_t check;
};

struct shared {
    struct ring *forth;
    struct ring *back;
    uint64_t messages;
};

static void put_waiting(struct ring *ring, const struct message *message)
{
    while (!ring_put(ring, message))
        sched_yield();
}

static void take_waiting(struct ring *ring, struct message *message)
{
    while (!ring_take(ring, message))
        sched_yield();
}

static void *consume(void *argument)
{
    const struct shared *shared = argument;
    for (uint64_t want = 0; want < shared->messages; want++) {
        struct message message;
        take_waiting(shared->forth, &message);
        CHECK_SAY(message.number == want, "message %lu came as %lu", (unsigned long)want,
                  (unsigned long)message.number);
        CHECK(message.check == hash_words2(message.number, (uintptr_t)message.object, 0));
        CHECK(message.object->number == message.number);
        for (int i = 0; i < 6; i++) {
            CHECK(message.object->filler[i] == message.number + (uint64_t)i);
            message.object->filler[i] = 0;
        }
        message.object->trips++;
        put_waiting(shared->back, &message);
    }
    return NULL;
}

/* The object that comes back, or an unused one while there are some. */
static struct object *next_object(const struct shared *shared, struct object *objects, int count, uint64_t number)
{
    if (number < (uint64_t)count)
        return &objects[number];
    struct message message;
    take_waiting(shared->back, &message);
    CHECK(message.object->number == message.number && message.number < number);
    CHECK(message.object->filler[0] == 0 && message.object->filler[5] == 0);
    return message.object;
}

/* `objects_count` objects through rings of the given capacities; at the end each object is back and the trips add up.
 */
static void run(uint64_t messages, size_t forth, size_t back, int objects_count)
{
    struct shared shared = {ring_new(forth, sizeof(struct message)), ring_new(back, sizeof(struct message)), messages};
    struct object *objects = memory_new((size_t)objects_count, sizeof *objects);
    pthread_t consumer;
    CHECK(pthread_create(&consumer, NULL, consume, &shared) == 0);
    for (uint64_t number = 0; number < messages; number++) {
        struct object *object = next_object(&shared, objects, objects_count, number);
        object->number = number;
        for (int i = 0; i < 6; i++)
            object->filler[i] = number + (uint64_t)i;
        struct message message = {object, number, hash_words2(number, (uintptr_t)object, 0)};
        put_waiting(shared.forth, &message);
    }
    pthread_join(consumer, NULL);

    struct message message;
    uint64_t came_back = 0;
    while (ring_take(shared.back, &message))
        came_back++;
    CHECK(!ring_take(shared.forth, &message));
    uint64_t trips = 0;
    for (int i = 0; i < objects_count; i++)
        trips += objects[i].trips;
    CHECK_SAY(trips == messages, "%lu trips of %lu messages", (unsigned long)trips, (unsigned long)messages);
    CHECK(came_back == (messages < (uint64_t)objects_count ? messages : (uint64_t)objects_count));
    printf("stress_ring: %lu messages, rings %zu and %zu, %d objects\n", (unsigned long)messages, forth, back,
           objects_count);
    memory_free(objects);
    ring_free(shared.back);
    ring_free(shared.forth);
}

int main(int argc, char **argv)
{
    uint64_t messages = argc > 1 ? strtoull(argv[1], NULL, 10) : 300000;
    /* The back ring holds all objects, so that main never waits for a consumer that waits for main. */
    run(messages / 4, 1, 1, 1);
    run(messages, 2, 4, 4);
    run(messages, 64, 256, OBJECTS_MOST);
    run(messages, 256, 64, 64);
    return 0;
}
