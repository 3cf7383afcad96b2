/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/report_read.h"

#include "base/clock.h"
#include "base/memory.h"
#include "cmd/setup.h"
#include "cmd/stop.h"
#include "kafka/admin.h"
#include "kafka/reader.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { TAKE_MOST = 512, WAIT_MS = 100, MS_NS = 1000000 };

struct log {
    struct reader_log *log;
    int64_t next;
    int64_t end; /* as of the start of the command */
};

struct topic {
    const struct options *options;
    struct kafka_options kafka;
    struct client_health *health;
    struct reader *reader;
    struct log *logs;
    int32_t partitions;
    int wake_fd;
    struct records *records;
    uint64_t undecodable;
};

static enum err start_log(struct topic *topic, struct admin *admin, int32_t partition, struct err_info *info)
{
    struct port_bounds bounds;
    struct log *log = &topic->logs[partition];
    TRY(admin_bounds(admin, PORT_STATISTICS, partition, &bounds, info));
    log->next = bounds.low;
    log->end = bounds.high;
    log->log = reader_start(topic->reader, PORT_STATISTICS, partition, bounds.low, topic->wake_fd, info);
    return log->log ? OK : ERR_PEER;
}

static enum err start_logs(struct topic *topic, struct admin *admin, struct err_info *info)
{
    TRY(admin_partitions(admin, PORT_STATISTICS, &topic->partitions, info));
    if (topic->partitions == 0)
        return err_set(info, ERR_CONFIG,
                       "topic %s does not exist on %s; `dryport run` creates it, or set topic.statistics",
                       topic->kafka.topics[PORT_STATISTICS], topic->kafka.brokers);
    topic->logs = memory_new((size_t)topic->partitions, sizeof topic->logs[0]);
    TRY(reader_new(&topic->kafka, CLIENT_READER, topic->health, &topic->reader, info));
    for (int32_t partition = 0; partition < topic->partitions; partition++)
        TRY(start_log(topic, admin, partition, info));
    return OK;
}

static enum err prepare(struct topic *topic, struct err_info *info)
{
    setup_kafka(&topic->options->config, topic->options->timeout_ms, &topic->kafka);
    TRY(client_check(&topic->kafka, info));
    topic->health = client_health_new(&topic->kafka);
    topic->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (topic->wake_fd < 0)
        return err_set(info, ERR_FATAL, "eventfd failed");
    struct admin *admin;
    TRY(admin_open(&topic->kafka, topic->health, &admin, info));
    enum err err = start_logs(topic, admin, info);
    admin_close(admin);
    return err;
}

static enum err take_log(struct topic *topic, struct log *log, bool *out_some, struct err_info *info)
{
    static struct port_record records[TAKE_MOST];
    size_t count = reader_take(log->log, records, TAKE_MOST);
    enum err err = OK;
    for (size_t i = 0; i < count && err == OK; i++) {
        const struct port_record *record = &records[i];
        struct text key = {(const char *)record->key.data, (uint32_t)record->key.length};
        log->next = record->offset + 1;
        if (record->fault != PORT_NONE)
            err = err_set(info, ERR_PEER, "%s/%d: reading failed at offset %lld (fault %d); begin again",
                          topic->kafka.topics[PORT_STATISTICS], record->partition, (long long)record->offset,
                          (int)record->fault);
        else if (!records_take(topic->records, key, record->value, (uint64_t)record->as_of))
            topic->undecodable++;
    }
    reader_release(records, count);
    *out_some |= count > 0;
    return err;
}

static bool is_read(const struct topic *topic)
{
    for (int32_t i = 0; i < topic->partitions; i++) {
        const struct log *log = &topic->logs[i];
        if (log->next < log->end && !reader_at_end(log->log)) /* the last record may be a tombstone that is gone */
            return false;
    }
    return true;
}

static void wait_for_more(const struct topic *topic)
{
    struct pollfd wake = {.fd = topic->wake_fd, .events = POLLIN};
    uint64_t unread;
    if (poll(&wake, 1, WAIT_MS) > 0 && read(topic->wake_fd, &unread, sizeof unread) < 0)
        return; /* somebody else's byte: the next round looks anyway */
}

/* Reads the topic to the ends that it had at the start. */
static enum err read_topic(struct topic *topic, struct err_info *info)
{
    int64_t last_ns = clock_steady_ns();
    while (!is_read(topic) && !stop_requested()) {
        bool some = false;
        for (int32_t partition = 0; partition < topic->partitions; partition++)
            TRY(take_log(topic, &topic->logs[partition], &some, info));
        reader_serve(topic->reader);
        if (some)
            last_ns = clock_steady_ns();
        else if (clock_steady_ns() - last_ns > topic->options->timeout_ms * MS_NS)
            return err_set(info, ERR_PEER, "topic %s on %s: nothing came for %lld s though more is there",
                           topic->kafka.topics[PORT_STATISTICS], topic->kafka.brokers,
                           (long long)(topic->options->timeout_ms / 1000));
        else
            wait_for_more(topic);
    }
    return OK;
}

static void finish(struct topic *topic)
{
    for (int32_t partition = 0; topic->logs && partition < topic->partitions; partition++)
        reader_stop(topic->logs[partition].log);
    reader_free(topic->reader);
    memory_free(topic->logs);
    client_health_free(topic->health);
    if (topic->wake_fd > 0)
        close(topic->wake_fd);
    setup_kafka_fini(&topic->kafka);
}

enum err report_read(const struct options *options, struct records *records, uint64_t *out_undecodable,
                     struct err_info *info)
{
    struct topic topic = {.options = options, .records = records};
    enum err err = prepare(&topic, info);
    if (err == OK)
        err = read_topic(&topic, info);
    if (err == OK)
        *out_undecodable = topic.undecodable;
    finish(&topic);
    return err;
}
