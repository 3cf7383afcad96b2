/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/consumer.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"

#include <librdkafka/rdkafka.h>

#include <stdio.h>

enum {
    COMMIT_EACH_MS = 1000,
    COMMIT_LAST_MS = 1000,
    REBUILD_FIRST_MS = 1000,
    REBUILD_MOST_MS = 60000,
    REBUILD_CALM_MS = 120000, /* a handle that lived longer failed for a reason of its own */
    CHANGES = PORT_LOST + 1,
};

enum holding {
    NOT_OURS = 0,
    OURS,
    REVOKING, /* the group waits for consumer_release */
};

struct place {
    enum holding holding;
    int64_t commit; /* not yet sent; -1: nothing */
};

struct consumer {
    struct kafka_options options; /* those of the port, with the group of this one */
    struct client_health *health;
    const char *topic;
    rd_kafka_t *handle; /* NULL between a fatal error and the rebuild */
    rd_kafka_queue_t *queue;
    struct place *places;
    int32_t partitions;
    int32_t revoking_count;
    bool is_rebalancing; /* from the first revoke to the next assignment: no commits */
    bool owes_answer;    /* a revoke is not yet answered to librdkafka */
    bool was_assigned;   /* by this handle; it has joined when the caller has taken what it was assigned */
    bool is_left;        /* for good */
    int64_t committed_ms;
    int64_t joined_ms; /* when the handle was made */
    int64_t rebuild_ms;
    int64_t rebuild_pause_ms;
    /* changes not yet given out */
    struct port_membership *changes;
    size_t change_count;
    size_t change_next;
    size_t change_capacity;
    /* read by any thread */
    struct counter joined;
    struct counter rebalances[CHANGES];
};

static void push(struct consumer *consumer, enum port_change change, int32_t partition)
{
    if (consumer->change_next == consumer->change_count) {
        consumer->change_next = consumer->change_count = 0;
    }
    if (consumer->change_count == consumer->change_capacity) {
        consumer->change_capacity = consumer->change_capacity * 2 + 16;
        consumer->changes = memory_resize(consumer->changes, consumer->change_capacity, sizeof *consumer->changes);
    }
    consumer->changes[consumer->change_count++] = (struct port_membership){change, partition};
}

static enum err join(struct consumer *consumer, struct err_info *info)
{
    TRY(client_new(&consumer->options, CLIENT_MEMBER, consumer->health, &consumer->handle, info));
    rd_kafka_poll_set_consumer(consumer->handle);
    consumer->queue = rd_kafka_queue_get_consumer(consumer->handle);
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, consumer->topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(consumer->handle, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return client_fail(&consumer->options, code, NULL, "joining the group", info);
    }
    return OK;
}

static void leave(struct consumer *consumer)
{
    if (consumer->queue != NULL) {
        rd_kafka_queue_destroy(consumer->queue);
        consumer->queue = NULL;
    }
    client_close(consumer->handle, consumer->health);
    consumer->handle = NULL;
}

enum err consumer_open(const struct kafka_options *options, struct client_health *health,
                       const struct consumer_place *place, struct consumer **out, struct err_info *info)
{
    if (place->group == NULL || place->group[0] == '\0') {
        return err_set(info, ERR_CONFIG, "group is empty: give the name of the consumer group");
    }
    struct consumer *consumer = memory_new(1, sizeof *consumer);
    consumer->options = *options;
    consumer->options.group = place->group;
    consumer->topic = options->topics[place->topic];
    consumer->health = health;
    consumer->partitions = place->partitions;
    consumer->places = memory_new((size_t)place->partitions, sizeof *consumer->places);
    for (int32_t p = 0; p < place->partitions; p++) {
        consumer->places[p].commit = -1;
    }
    enum err err = join(consumer, info);
    if (err != OK) {
        consumer_close(consumer);
        return err;
    }
    *out = consumer;
    return OK;
}

/* The offsets to send; NULL if there are none. */
static rd_kafka_topic_partition_list_t *due_commits(struct consumer *consumer)
{
    rd_kafka_topic_partition_list_t *list = NULL;
    for (int32_t p = 0; p < consumer->partitions; p++) {
        struct place *place = &consumer->places[p];
        if (place->holding != OURS || place->commit < 0) {
            continue;
        }
        if (list == NULL) {
            list = rd_kafka_topic_partition_list_new(consumer->partitions);
        }
        rd_kafka_topic_partition_list_add(list, consumer->topic, p)->offset = place->commit;
        place->commit = -1;
    }
    return list;
}

static bool may_commit(const struct consumer *consumer)
{
    return consumer->handle != NULL && !consumer->is_rebalancing && consumer->was_assigned;
}

static void commit_last(struct consumer *consumer)
{
    if (!may_commit(consumer)) {
        return;
    }
    rd_kafka_topic_partition_list_t *list = due_commits(consumer);
    if (list == NULL) {
        return;
    }
    rd_kafka_queue_t *reply = rd_kafka_queue_new(consumer->handle);
    if (rd_kafka_commit_queue(consumer->handle, list, reply, NULL, NULL) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_event_destroy(rd_kafka_queue_poll(reply, COMMIT_LAST_MS));
    }
    rd_kafka_queue_destroy(reply);
    rd_kafka_topic_partition_list_destroy(list);
}

void consumer_leave(struct consumer *consumer)
{
    if (consumer == NULL || consumer->is_left) {
        return;
    }
    consumer->is_left = true;
    commit_last(consumer);
    leave(consumer);
    counter_set(&consumer->joined, 0);
}

void consumer_close(struct consumer *consumer)
{
    if (consumer == NULL) {
        return;
    }
    consumer_leave(consumer);
    memory_free(consumer->changes);
    memory_free(consumer->places);
    memory_free(consumer);
}

/* Tells librdkafka that the change is taken. The local assignment is empty at all times: it would begin to fetch
 * otherwise, and an eager group could only be given all partitions at once. */
static void answer(struct consumer *consumer, bool is_assign)
{
    rd_kafka_topic_partition_list_t *none = rd_kafka_topic_partition_list_new(0);
    const char *protocol = rd_kafka_rebalance_protocol(consumer->handle);
    if (protocol != NULL && strcmp(protocol, "COOPERATIVE") == 0) {
        rd_kafka_error_t *error = is_assign ? rd_kafka_incremental_assign(consumer->handle, none)
                                            : rd_kafka_incremental_unassign(consumer->handle, none);
        if (error != NULL) {
            client_health_error(consumer->health, rd_kafka_error_code(error), rd_kafka_error_string(error));
            rd_kafka_error_destroy(error);
        }
    } else {
        rd_kafka_resp_err_t code = rd_kafka_assign(consumer->handle, is_assign ? none : NULL);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
            client_health_error(consumer->health, code, rd_kafka_err2str(code));
        }
    }
    rd_kafka_topic_partition_list_destroy(none);
    if (!is_assign) {
        consumer->owes_answer = false;
    }
}

static struct place *place_of(struct consumer *consumer, const rd_kafka_topic_partition_t *partition)
{
    if (partition->partition < 0 || partition->partition >= consumer->partitions) {
        client_health_error(consumer->health, RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION,
                            "a topic has more partitions than at the start. If it is the input: the journal must have "
                            "as many; add them there, then start again");
        return NULL;
    }
    return &consumer->places[partition->partition];
}

static void on_assign(struct consumer *consumer, const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++) {
        struct place *place = place_of(consumer, &list->elems[i]);
        if (place != NULL && place->holding == NOT_OURS) {
            place->holding = OURS;
            place->commit = -1;
            push(consumer, PORT_ASSIGNED, list->elems[i].partition);
        }
    }
    counter_add(&consumer->rebalances[PORT_ASSIGNED], 1);
    client_health_answered(consumer->health);
    consumer->was_assigned = true;
    consumer->is_rebalancing = false;
    answer(consumer, true);
}

static void lose(struct consumer *consumer, int32_t partition)
{
    struct place *place = &consumer->places[partition];
    if (place->holding == NOT_OURS) {
        return;
    }
    if (place->holding == REVOKING) {
        consumer->revoking_count--;
    }
    place->holding = NOT_OURS;
    push(consumer, PORT_LOST, partition);
}

static void on_revoke(struct consumer *consumer, const rd_kafka_topic_partition_list_t *list)
{
    bool is_lost = rd_kafka_assignment_lost(consumer->handle) != 0;
    consumer->is_rebalancing = true;
    consumer->owes_answer = true;
    for (int i = 0; i < list->cnt; i++) {
        struct place *place = place_of(consumer, &list->elems[i]);
        if (place == NULL || place->holding != OURS) {
            continue;
        }
        if (is_lost) {
            lose(consumer, list->elems[i].partition);
            continue;
        }
        place->holding = REVOKING;
        consumer->revoking_count++;
        push(consumer, PORT_REVOKED, list->elems[i].partition);
    }
    counter_add(&consumer->rebalances[is_lost ? PORT_LOST : PORT_REVOKED], 1);
    if (is_lost) {
        counter_set(&consumer->joined, 0); /* until the group takes it in again */
        consumer->was_assigned = false;
    }
    if (consumer->revoking_count == 0) {
        answer(consumer, false);
    }
}

static void on_event(struct consumer *consumer, rd_kafka_event_t *event)
{
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    switch (rd_kafka_event_type(event)) {
    case RD_KAFKA_EVENT_REBALANCE:
        if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
            on_assign(consumer, rd_kafka_event_topic_partition_list(event));
        } else {
            on_revoke(consumer, rd_kafka_event_topic_partition_list(event));
        }
        break;
    case RD_KAFKA_EVENT_OFFSET_COMMIT:
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR && code != RD_KAFKA_RESP_ERR__NO_OFFSET) {
            char text[CLIENT_TEXT_BYTES];
            snprintf(text, sizeof text, "committing offsets (for lag tools only): %s", rd_kafka_err2str(code));
            client_health_error(consumer->health, code, text);
        }
        break;
    default:
        client_event(consumer->handle, event, consumer->health);
        break;
    }
    rd_kafka_event_destroy(event);
}

static void send_commits(struct consumer *consumer, int64_t now_ms)
{
    if (!may_commit(consumer) || now_ms - consumer->committed_ms < COMMIT_EACH_MS) {
        return;
    }
    rd_kafka_topic_partition_list_t *list = due_commits(consumer);
    if (list == NULL) {
        return;
    }
    consumer->committed_ms = now_ms;
    rd_kafka_resp_err_t code = rd_kafka_commit(consumer->handle, list, 1);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        client_health_error(consumer->health, code, rd_kafka_err2str(code));
    }
    rd_kafka_topic_partition_list_destroy(list);
}

static void lose_all(struct consumer *consumer)
{
    for (int32_t p = 0; p < consumer->partitions; p++) {
        lose(consumer, p);
    }
}

/* Two processes with one group.instance.id throw each other out: each pauses longer and longer, and says why. */
static void plan_rebuild(struct consumer *consumer, int64_t now_ms)
{
    bool is_calm = consumer->rebuild_pause_ms == 0 || now_ms - consumer->joined_ms > REBUILD_CALM_MS;
    int64_t pause_ms = is_calm ? REBUILD_FIRST_MS : consumer->rebuild_pause_ms * 2;
    consumer->rebuild_pause_ms = pause_ms < REBUILD_MOST_MS ? pause_ms : REBUILD_MOST_MS;
    consumer->rebuild_ms = now_ms + consumer->rebuild_pause_ms;
}

static void tell_fatal(struct consumer *consumer)
{
    char words[CLIENT_TEXT_BYTES / 2];
    char text[CLIENT_TEXT_BYTES];
    rd_kafka_resp_err_t code = rd_kafka_fatal_error(consumer->handle, words, sizeof words);
    snprintf(text, sizeof text, "group %s: %s%s", consumer->options.group, words,
             code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID
                 ? ": another process has the same kafka.consumer.group.instance.id; give each its own"
                 : "");
    client_health_error(consumer->health, code, text);
}

/* A fatal error (another member with our group.instance.id, say) ends a handle for good: another one joins afresh. */
static void rebuild_if_fatal(struct consumer *consumer, int64_t now_ms)
{
    if (consumer->handle != NULL && rd_kafka_fatal_error(consumer->handle, NULL, 0) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        tell_fatal(consumer);
        lose_all(consumer);
        counter_add(&consumer->rebalances[PORT_LOST], 1);
        counter_set(&consumer->joined, 0);
        consumer->was_assigned = false;
        consumer->owes_answer = false;
        consumer->is_rebalancing = true;
        leave(consumer);
        plan_rebuild(consumer, now_ms);
    }
    if (consumer->handle == NULL && now_ms >= consumer->rebuild_ms) {
        struct err_info info;
        consumer->joined_ms = now_ms;
        if (join(consumer, &info) != OK) {
            client_health_error(consumer->health, RD_KAFKA_RESP_ERR__FATAL, info.text);
            leave(consumer);
            plan_rebuild(consumer, now_ms);
        }
    }
}

/* librdkafka looks at the state of a group when something is asked of it, or else once a second, and nothing tells it that the connection
 * to the coordinator came up: who waits to join asks for something. */
static void hurry(struct consumer *consumer)
{
    rd_kafka_topic_partition_list_t *topics;
    if (!consumer->was_assigned && rd_kafka_subscription(consumer->handle, &topics) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_topic_partition_list_destroy(topics);
    }
}

static void serve(struct consumer *consumer)
{
    if (consumer->is_left) {
        return;
    }
    int64_t now_ms = clock_steady_ns() / 1000000;
    rebuild_if_fatal(consumer, now_ms);
    if (consumer->handle == NULL) {
        return;
    }
    hurry(consumer);
    rd_kafka_event_t *event = rd_kafka_queue_poll(consumer->queue, 0);
    if (event != NULL) {
        on_event(consumer, event);
    }
    /* The session may run out while we still let go: what was asked for is lost then. */
    if (consumer->revoking_count > 0 && rd_kafka_assignment_lost(consumer->handle)) {
        lose_all(consumer);
        answer(consumer, false);
    }
    send_commits(consumer, now_ms);
}

bool consumer_membership(struct consumer *consumer, struct port_membership *out)
{
    if (consumer->change_next == consumer->change_count) {
        if (consumer->was_assigned && !consumer->is_left) {
            counter_set(&consumer->joined, 1);
        }
        serve(consumer);
    }
    if (consumer->change_next == consumer->change_count) {
        return false;
    }
    *out = consumer->changes[consumer->change_next++];
    return true;
}

void consumer_release(struct consumer *consumer, int32_t partition)
{
    CHECK_SAY(partition >= 0 && partition < consumer->partitions, "partition %d of %d", partition,
              consumer->partitions);
    struct place *place = &consumer->places[partition];
    if (place->holding != REVOKING) {
        return;
    }
    place->holding = NOT_OURS;
    consumer->revoking_count--;
    if (consumer->revoking_count == 0 && consumer->owes_answer && consumer->handle != NULL) {
        answer(consumer, false);
    }
}

void consumer_commit(struct consumer *consumer, int32_t partition, int64_t offset)
{
    CHECK_SAY(partition >= 0 && partition < consumer->partitions, "partition %d of %d", partition,
              consumer->partitions);
    consumer->places[partition].commit = offset;
}

bool consumer_holds(const struct consumer *consumer, int32_t partition)
{
    CHECK_SAY(partition >= 0 && partition < consumer->partitions, "partition %d of %d", partition,
              consumer->partitions);
    return consumer->places[partition].holding != NOT_OURS;
}

bool consumer_is_joined(const struct consumer *consumer)
{
    return counter_read(&consumer->joined) != 0;
}

int64_t consumer_rebalances(const struct consumer *consumer, enum port_change change)
{
    return counter_read(&consumer->rebalances[change]);
}
