/* SPDX-License-Identifier: Apache-2.0
 * reader.h - reads partitions from given offsets on, each through a queue of its own, without a group.
 *
 * In:      (topic, partition, offset)                  Out:    records and faults in offset order
 * Memory:  a reader owns its handle, a log its queue; records borrow from librdkafka until reader_release
 * Limits:  a (topic, partition) is open at most once per reader
 * Thread:  reader_start, reader_stop, reader_free: any, one at a time per log; reader_take: one thread per log
 * Errors:  what librdkafka retries by itself is counted in the health and never given out; the rest comes as fault
 * records
 * Why:     docs/adr/0005-kafka-port.md: librdkafka's consume_start, not assign
 */
#pragma once

#include "kafka/client.h"

struct reader;
struct reader_log;

/* kind: CLIENT_INPUT or CLIENT_READER. */
enum err reader_new(const struct kafka_options *options, enum client_kind kind, struct client_health *health,
                    struct reader **out, struct err_info *info) MUST_USE;
/* Takes NULL. All logs are stopped and all records released before. */
void reader_free(struct reader *reader);

/* Begins delivery; fd >= 0 is an eventfd that is written when records arrive at the empty queue. NULL: the partition is
 * open on this reader already, or librdkafka refuses (then info says why; it is untouched otherwise). */
struct reader_log *reader_start(struct reader *reader, enum port_topic topic, int32_t partition, int64_t offset, int fd,
                                struct err_info *info);
/* Ends delivery at once; records that are not yet taken are never seen. Takes NULL. */
void reader_stop(struct reader_log *log);

/* Moves the wake-ups to another eventfd. Take afterwards: what is there already does not wake again. */
void reader_wake_fd(struct reader_log *log, int fd);

/* Up to `most` records that are here now; 0: none. Fewer than most: the queue was empty for a moment, the eventfd will
 * tell. */
size_t reader_take(struct reader_log *log, struct port_record *out, size_t most);
/* The last take came to the end of the log: nothing that may be read lay behind it then. Only of a CLIENT_INPUT reader.
 *                                                                        Thread: the taking one */
bool reader_at_end(const struct reader_log *log);
/* The last answer of the broker told of more than was taken. False if it told nothing yet. Thread: the taking one */
bool reader_waits(const struct reader_log *log);
/* Gives records back, of any reader. */
void reader_release(struct port_record *records, size_t count);

/* Serves librdkafka's callbacks (errors, statistics). To be called now and then.                 Thread: any */
void reader_serve(struct reader *reader);

/* Before 2.2.0 a librdkafka whose queues were full fetches again only when its broker thread wakes, up to a second
 * later (confluentinc/librdkafka#2879); an answer to a small request wakes it. Waits at most 10 ms.      Thread: any */
void reader_nudge(struct reader *reader, enum port_topic topic);

/* The log's next offset as the last fetch told, -1 if unknown.                                   Thread: any */
int64_t reader_high_watermark(const struct reader *reader, enum port_topic topic, int32_t partition);

/* The group's committed offset, -1 if none. Only of a CLIENT_INPUT reader. (blocks)             Thread: any */
enum err reader_committed(struct reader *reader, int32_t partition, int64_t *out, struct err_info *info) MUST_USE;
