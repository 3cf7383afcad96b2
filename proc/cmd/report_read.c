/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/report_read.h"

#include "base/clock.h"
#include "cmd/follow.h"
#include "cmd/stop.h"

enum { MS_NS = 1000000 };

struct topic {
    struct follow *follow;
    struct records *records;
    uint64_t undecodable;
};

static void take(void *context, const struct port_record *record)
{
    struct topic *topic = context;
    struct text key = {(const char *)record->key.data, (uint32_t)record->key.length};
    if (!records_take(topic->records, key, record->value, (uint64_t)record->as_of))
        topic->undecodable++;
}

/* Reads the topic to the ends that it had at the start. */
static enum err read_topic(struct topic *topic, int64_t timeout_ms, struct err_info *info)
{
    int64_t last_ns = clock_steady_ns();
    while (!follow_is_read(topic->follow) && !stop_requested()) {
        bool some;
        TRY(follow_take(topic->follow, take, topic, &some, info));
        if (some)
            last_ns = clock_steady_ns();
        else if (clock_steady_ns() - last_ns > timeout_ms * MS_NS)
            return err_set(info, ERR_PEER, "topic %s on %s: nothing came for %lld s though more is there",
                           follow_topic(topic->follow), follow_brokers(topic->follow), (long long)(timeout_ms / 1000));
        else
            follow_wait(topic->follow);
    }
    return OK;
}

enum err report_read(const struct options *options, struct records *records, uint64_t *out_undecodable,
                     struct err_info *info)
{
    struct topic topic = {.records = records};
    enum err err = follow_open(options, true, &topic.follow, info);
    if (err == OK)
        err = read_topic(&topic, options->timeout_ms, info);
    if (err == OK)
        *out_undecodable = topic.undecodable;
    follow_close(topic.follow);
    return err;
}
