/* SPDX-License-Identifier: Apache-2.0
 * client.h - how this program connects to Kafka: options, the settings the protocol depends on, errors, health.
 *
 * In:      options of the user                          Out:    librdkafka handles that are configured one way only
 * Units:   ms, bytes
 * Memory:  struct kafka_options and all it points to is borrowed until the last handle made from it is closed
 * Errors:  ERR_CONFIG: a setting is unknown, out of range or reserved, with the key and librdkafka's own words;
 *          ERR_PEER: broker unreachable or refuses us, with its address and what to do
 * Thread:  any; the log callback is called from librdkafka's threads
 * Why:     docs/adr/0005-kafka-port.md
 */
#pragma once

#include "base/counter.h"
#include "base/err.h"
#include "flow/port.h"
#include "kafka/client_health.h"

enum kafka_scope {
    KAFKA_BOTH,     /* kafka.KEY */
    KAFKA_CONSUMER, /* kafka.consumer.KEY */
    KAFKA_PRODUCER, /* kafka.producer.KEY */
};

/* One setting that passes through to librdkafka; later ones win. */
struct kafka_setting {
    enum kafka_scope scope;
    const char *key; /* librdkafka's name, without our prefix */
    const char *value;
    const char *origin; /* where it was written ("dryport.conf:12", "-X"), for messages; may be NULL */
};

struct kafka_options {
    const char *brokers;
    const char *group;
    const char *topics[PORT_TOPICS]; /* by enum port_topic */
    const struct kafka_setting *settings;
    size_t setting_count;
    bool topics_create;
    int32_t partitions;   /* of topics that are created */
    int32_t replication;  /* of topics that are created */
    bool timestamp_trust; /* input.timestamp.trust: settings of the input topic need not be read */
    bool is_member;       /* joins the group and gets input partitions; else only streams and producers */
    bool wants_lease; /* joins the group GROUP-publish: who holds partition 0 of topic.statistics in it may publish */
    bool is_mock;     /* the in-process broker: no topic settings, no DeleteRecords */
    size_t prefetch_bytes; /* of all input partitions together; 0: CLIENT_PREFETCH_BYTES */
    int64_t batch_bytes;   /* most bytes of a produced batch: admin_batch_bytes; 0: librdkafka's default */
    int64_t timeout_ms;    /* of calls that may block; 0: CLIENT_TIMEOUT_MS */
    kafka_log_fn *log;     /* may be NULL */
    void *log_context;
};

enum {
    CLIENT_TIMEOUT_MS = 10000,
    CLIENT_PREFETCH_BYTES = 64 << 20,
};

enum client_kind {
    CLIENT_MEMBER,   /* of the group: membership and commits, fetches nothing */
    CLIENT_INPUT,    /* reads declarations: only committed records, checked, prefetched */
    CLIENT_READER,   /* reads journal and statistics, also uncommitted records; admin calls */
    CLIENT_PRODUCER, /* idempotent */
};

/* Checks all settings without connecting. */
enum err client_check(const struct kafka_options *options, struct err_info *info) MUST_USE;

/* Makes a handle with our settings and the user's. It connects in the background. Gives it in *out. */
enum err client_new(const struct kafka_options *options, enum client_kind kind, struct client_health *health,
                    struct rd_kafka_s **out, struct err_info *info) MUST_USE;

/* Takes the handle and destroys it in a thread of its own, because that can take seconds when a broker is away. A
 * member leaves its group; producers drop what they hold. Takes NULL. */
void client_close(struct rd_kafka_s *handle, struct client_health *health);

/* Errors and statistics that a polled queue gave as an event instead of calling back: into the health. Others: no
 * effect. */
void client_event(struct rd_kafka_s *handle, struct rd_kafka_op_s *event, struct client_health *health);

/* True if this librdkafka's cooperative rebalancing is sound (2.6.1 on): members use it then. */
bool client_is_cooperative(void);

/* True if this librdkafka has no fetch.queue.backoff.ms (before 2.2.0): see reader_nudge. */
bool client_needs_nudge(void);

/* What a caller should do about an rd_kafka_resp_err_t. */
enum err client_err(int code);
/* Passing trouble of a broker or the network that librdkafka itself retries. */
bool client_is_passing(int code);
/* Fills info: "WHAT: broker's words (ADDRESS): what to do". Returns client_err(code), ERR_RETRY made ERR_PEER. */
enum err client_fail(const struct kafka_options *options, int code, const char *reason, const char *what,
                     struct err_info *info) MUST_USE;

int64_t client_timeout_ms(const struct kafka_options *options);
