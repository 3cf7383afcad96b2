/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/sender.h"

#include "base/clock.h"
#include "base/memory.h"
#include "kafka/admin.h"
#include "kafka/producer.h"

enum { ACKS_MOST = 1024, WAIT_MS = 100, TAKE_EACH = 256, MS_NS = 1000000 };

struct sender {
    const struct kafka_options *options;
    enum port_topic topic;
    struct client_health *health;
    struct producer *producer;
    struct sender_failure failure;
    struct sender_sums sums;
    int64_t moved_ns; /* when the last acknowledgement came, or the first record went after none was open */
};

static enum err ensure_topic(const struct kafka_options *options, struct client_health *health, struct err_info *info)
{
    struct admin *admin;
    TRY(admin_open(options, health, &admin, info));
    enum err err = admin_ensure(admin, PORT_DECLARATIONS, NULL, info);
    admin_close(admin);
    return err;
}

enum err sender_open(const struct kafka_options *options, struct sender_failure failure, struct sender **out,
                     struct err_info *info)
{
    return sender_open_to(options, PORT_DECLARATIONS, failure, out, info);
}

enum err sender_open_to(const struct kafka_options *options, enum port_topic topic, struct sender_failure failure,
                        struct sender **out, struct err_info *info)
{
    TRY(client_check(options, info));
    struct sender *sender = memory_new(1, sizeof *sender);
    sender->options = options;
    sender->topic = topic;
    sender->failure = failure;
    sender->health = client_health_new(options);
    enum err err = topic == PORT_DECLARATIONS ? ensure_topic(options, sender->health, info) : OK;
    if (err == OK)
        err = producer_open(options, sender->health, &sender->producer, info);
    if (err != OK) {
        sender_close(sender);
        return err;
    }
    *out = sender;
    return OK;
}

void sender_close(struct sender *sender)
{
    if (!sender)
        return;
    producer_close(sender->producer);
    client_health_free(sender->health);
    memory_free(sender);
}

enum err sender_partitions(struct sender *sender, int32_t *out, struct err_info *info)
{
    struct admin *admin;
    TRY(admin_open(sender->options, sender->health, &admin, info));
    enum err err = admin_partitions(admin, PORT_DECLARATIONS, out, info);
    admin_close(admin);
    return err;
}

static void tell(struct sender *sender, uint64_t token, enum err reason)
{
    struct kafka_health health;
    client_health_read(sender->health, &health);
    sender->sums.failed++;
    sender->failure.tell(sender->failure.self, token, reason, health.last_error);
}

static size_t take_acks(struct sender *sender)
{
    struct port_ack acks[ACKS_MOST];
    size_t count = producer_acks(sender->producer, acks, ACKS_MOST);
    for (size_t i = 0; i < count; i++) {
        if (acks[i].result == OK) {
            sender->sums.acknowledged++;
            continue;
        }
        tell(sender, acks[i].token, acks[i].result == ERR_LIMIT ? ERR_LIMIT : ERR_PEER);
    }
    if (count > 0)
        sender->moved_ns = clock_steady_ns();
    return count;
}

static enum err check_moving(const struct sender *sender, struct err_info *info)
{
    if (clock_steady_ns() - sender->moved_ns < client_timeout_ms(sender->options) * MS_NS)
        return OK;
    struct kafka_health health;
    client_health_read(sender->health, &health);
    return err_set(info, ERR_PEER, "%s: no acknowledgement for %lld s%s%s", sender->options->brokers,
                   (long long)(client_timeout_ms(sender->options) / 1000), health.last_error[0] ? "; last error: " : "",
                   health.last_error);
}

enum err sender_send(struct sender *sender, struct bytes key, struct bytes value, int64_t timestamp_ms, uint64_t token,
                     struct err_info *info)
{
    return sender_send_to(sender, -1, key, value, timestamp_ms, token, info);
}

enum err sender_send_to(struct sender *sender, int32_t partition, struct bytes key, struct bytes value,
                        int64_t timestamp_ms, uint64_t token, struct err_info *info)
{
    struct producer_record record = {.topic = sender->topic,
                                     .partition = partition,
                                     .key = key,
                                     .value = value,
                                     .is_null = sender->topic == PORT_STATISTICS && value.length == 0,
                                     .as_of = PORT_NO_AS_OF,
                                     .timestamp_ms = timestamp_ms,
                                     .token = token};
    if (sender->sums.sent == sender->sums.acknowledged + sender->sums.failed)
        sender->moved_ns = clock_steady_ns();
    enum err err;
    while ((err = producer_append(sender->producer, &record, info)) == ERR_FULL) {
        if (take_acks(sender) > 0)
            continue;
        TRY(check_moving(sender, info));
        producer_wait(sender->producer, WAIT_MS);
    }
    if (err != OK && err != ERR_LIMIT)
        return err;
    sender->sums.sent++;
    if (err == ERR_LIMIT) { /* this one will never go: the next may */
        tell(sender, token, ERR_LIMIT);
    } else {
        sender->sums.bytes += key.length + value.length;
    }
    if (sender->sums.sent % TAKE_EACH == 0)
        take_acks(sender);
    return OK;
}

void sender_wait(struct sender *sender, int64_t ms)
{
    if (take_acks(sender) == 0)
        producer_wait(sender->producer, ms);
}

enum err sender_finish(struct sender *sender, struct err_info *info)
{
    while (producer_pending(sender->producer) > 0) {
        if (take_acks(sender) > 0)
            continue;
        TRY(check_moving(sender, info));
        producer_wait(sender->producer, WAIT_MS);
    }
    return OK;
}

struct sender_sums sender_sums(const struct sender *sender)
{
    return sender->sums;
}
