/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/follow.h"

#include "base/memory.h"
#include "cmd/setup.h"
#include "kafka/admin.h"
#include "kafka/reader.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { TAKE_MOST = 512, WAIT_MS = 100 };

struct log {
    struct reader_log *log;
    int64_t next;
    int64_t end; /* as of the opening */
};

struct follow {
    struct kafka_options kafka;
    struct client_health *health;
    struct reader *reader;
    struct log *logs;
    int32_t partitions;
    int wake_fd;
    struct port_record records[TAKE_MOST];
};

static enum err start_log(struct follow *follow, struct admin *admin, int32_t partition, bool from_beginning,
                          struct err_info *info)
{
    struct port_bounds bounds;
    struct log *log = &follow->logs[partition];
    TRY(admin_bounds(admin, PORT_STATISTICS, partition, &bounds, info));
    log->next = from_beginning ? bounds.low : bounds.high;
    log->end = bounds.high;
    log->log = reader_start(follow->reader, PORT_STATISTICS, partition, log->next, follow->wake_fd, info);
    return log->log ? OK : ERR_PEER;
}

static enum err start_logs(struct follow *follow, struct admin *admin, bool from_beginning, struct err_info *info)
{
    TRY(admin_partitions(admin, PORT_STATISTICS, &follow->partitions, info));
    if (follow->partitions == 0)
        return err_set(info, ERR_CONFIG,
                       "topic %s does not exist on %s; `dryport run` creates it, or set topic.statistics",
                       follow_topic(follow), follow_brokers(follow));
    follow->logs = memory_new((size_t)follow->partitions, sizeof follow->logs[0]);
    TRY(reader_new(&follow->kafka, CLIENT_READER, follow->health, &follow->reader, info));
    for (int32_t partition = 0; partition < follow->partitions; partition++)
        TRY(start_log(follow, admin, partition, from_beginning, info));
    return OK;
}

static enum err start(struct follow *follow, bool from_beginning, struct err_info *info)
{
    TRY(client_check(&follow->kafka, info));
    follow->health = client_health_new(&follow->kafka);
    follow->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (follow->wake_fd < 0)
        return err_set(info, ERR_FATAL, "eventfd failed");
    struct admin *admin;
    TRY(admin_open(&follow->kafka, follow->health, &admin, info));
    enum err err = start_logs(follow, admin, from_beginning, info);
    admin_close(admin);
    return err;
}

enum err follow_open(const struct options *options, bool from_beginning, struct follow **out, struct err_info *info)
{
    struct follow *follow = memory_new(1, sizeof *follow);
    follow->wake_fd = -1;
    setup_kafka(&options->config, options->timeout_ms, &follow->kafka);
    enum err err = start(follow, from_beginning, info);
    if (err == OK)
        *out = follow;
    else
        follow_close(follow);
    return err;
}

void follow_close(struct follow *follow)
{
    if (!follow)
        return;
    for (int32_t partition = 0; follow->logs && partition < follow->partitions; partition++)
        reader_stop(follow->logs[partition].log);
    reader_free(follow->reader);
    memory_free(follow->logs);
    client_health_free(follow->health);
    if (follow->wake_fd >= 0)
        close(follow->wake_fd);
    setup_kafka_fini(&follow->kafka);
    memory_free(follow);
}

static enum err take_log(struct follow *follow, struct log *log,
                         void (*take)(void *context, const struct port_record *record), void *context, bool *out_some,
                         struct err_info *info)
{
    size_t count = reader_take(log->log, follow->records, TAKE_MOST);
    enum err err = OK;
    for (size_t i = 0; i < count && err == OK; i++) {
        const struct port_record *record = &follow->records[i];
        log->next = record->offset + 1;
        if (record->fault == PORT_NONE)
            take(context, record);
        else
            err = err_set(info, ERR_PEER, "%s/%d: reading failed at offset %lld (fault %d); begin again",
                          follow_topic(follow), record->partition, (long long)record->offset, (int)record->fault);
    }
    reader_release(follow->records, count);
    *out_some |= count > 0;
    return err;
}

enum err follow_take(struct follow *follow, void (*take)(void *context, const struct port_record *record),
                     void *context, bool *out_some, struct err_info *info)
{
    *out_some = false;
    for (int32_t partition = 0; partition < follow->partitions; partition++)
        TRY(take_log(follow, &follow->logs[partition], take, context, out_some, info));
    reader_serve(follow->reader);
    return OK;
}

void follow_wait(const struct follow *follow)
{
    struct pollfd wake = {.fd = follow->wake_fd, .events = POLLIN};
    uint64_t unread;
    if (poll(&wake, 1, WAIT_MS) > 0 && read(follow->wake_fd, &unread, sizeof unread) < 0)
        return; /* somebody else's byte: the next round looks anyway */
}

bool follow_is_read(const struct follow *follow)
{
    for (int32_t i = 0; i < follow->partitions; i++) {
        const struct log *log = &follow->logs[i];
        if (log->next < log->end && !reader_at_end(log->log)) /* the last record may be a tombstone that is gone */
            return false;
    }
    return true;
}

const char *follow_topic(const struct follow *follow)
{
    return follow->kafka.topics[PORT_STATISTICS];
}

const char *follow_brokers(const struct follow *follow)
{
    return follow->kafka.brokers;
}
