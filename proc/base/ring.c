/* SPDX-License-Identifier: Apache-2.0
 *
 * Overview: a power-of-two array; `head` counts messages put, `tail` messages taken. Each word has one writer.
 * Invariants: I1 head - tail <= capacity. I2 slots [tail, head) hold messages that were put and not taken.
 * Edges: P1 -> T1 publishes a message; T2 -> P2 gives its slot back.
 * Calls: put/put X, take/take X, put/take free (X = the caller must exclude).
 * Progress: wait-free: no loop, no retry. Memory reclamation: none needed, slots are reused.
 * References: Lamport 1983 (SPSC queue); the cached far index follows FastForward, Giacomoni et al. 2008.
 */
#include "base/ring.h"

#include "base/memory.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

struct ring {
    /* const after ring_new */
    size_t mask;
    size_t message_bytes;
    unsigned char *slots;
    /* owned by the producer */
    alignas(64) _Atomic uint64_t head;
    uint64_t tail_seen;
    /* owned by the consumer */
    alignas(64) _Atomic uint64_t tail;
    uint64_t head_seen;
};

struct ring *ring_new(size_t capacity, size_t message_bytes)
{
    size_t size = 1;
    while (size < capacity)
        size *= 2;
    struct ring *ring = memory_new_aligned(alignof(struct ring), sizeof *ring);
    ring->mask = size - 1;
    ring->message_bytes = message_bytes;
    ring->slots = memory_new(size, message_bytes);
    return ring;
}

void ring_free(struct ring *ring)
{
    if (!ring)
        return;
    memory_free(ring->slots);
    memory_free(ring);
}

bool ring_put(struct ring *ring, const void *message)
{
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed); /* relaxed: own word */
    if (head - ring->tail_seen > ring->mask) {
        /* P2: pairs with T2 in ring_take; the slot is free to write again */
        ring->tail_seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
        if (head - ring->tail_seen > ring->mask)
            return false;
    }
    memcpy(ring->slots + (head & ring->mask) * ring->message_bytes, message, ring->message_bytes);
    /* P1: pairs with T1 in ring_take; publishes the message */
    atomic_store_explicit(&ring->head, head + 1, memory_order_release);
    return true;
}

bool ring_take(struct ring *ring, void *message)
{
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed); /* relaxed: own word */
    if (ring->head_seen == tail) {
        /* T1: pairs with P1 in ring_put; the message is readable */
        ring->head_seen = atomic_load_explicit(&ring->head, memory_order_acquire);
        if (ring->head_seen == tail)
            return false;
    }
    memcpy(message, ring->slots + (tail & ring->mask) * ring->message_bytes, ring->message_bytes);
    /* T2: pairs with P2 in ring_put; gives the slot back */
    atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
    return true;
}
