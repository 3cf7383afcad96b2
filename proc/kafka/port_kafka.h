/* SPDX-License-Identifier: Apache-2.0
 * port_kafka.h - flow/port.h on librdkafka.
 *
 * Lanes:   0..workers-1 belong to the workers, `workers` to the publisher (or to a command that has no workers: workers
 * = 0)
 * Memory:  owns all handles; options are borrowed until port_kafka_close
 * Errors:  as port.h says
 * Thread:  open and
 * close: startup, with no other thread inside the port; health and high watermark: any
 * Why: docs/adr/0005-kafka-port.md
 *
 * What a caller of this port must know beyond port.h:
 * - Topics must exist before port_kafka_open: call admin_prepare first. port_kafka_open gives ERR_PEER if no broker
 * answers within options.timeout_ms; call it again for ever, if that is what you want.
 * - An error of `append` means that the record is not on its way and no ack will come; OK means exactly one ack.
 * - A stream wakes the lane whose thread takes from it: the thread is known by its last wait, append or acks call.
 * - `wait` returns at once if the last take of that lane was full (there may be more), else on events; a lane that does
 * not take because of backpressure sleeps until something new happens.
 * - `partitions` gives the number at open.
 * - `membership` must be called at least each 100 ms or so: it also serves librdkafka's callbacks and sends commits (at
 * most one a second, none while the group is rebalancing).
 * - A revoked partition must be answered by release_partition; the group waits for it (max.poll.interval.ms: 5
 * minutes). input_stop comes before it. A lost one needs input_stop only; release_partition does no harm.
 */
#pragma once

#include "kafka/client.h"

struct port_kafka;

/* Makes the port and fills *out, whose self is the returned object. options.is_member: joins the group at once. */
enum err port_kafka_open(const struct kafka_options *options, int32_t workers, struct port *out,
                         struct err_info *info) MUST_USE;

/* Leaves the group (the offsets given to commit are sent first, when possible), drops what is not acknowledged, closes
 * all. Takes at most about `timeout_ms` and a second; what librdkafka has not closed by then is left to the end of the
 * process. Takes a zeroed port. */
void port_kafka_close(struct port *port, int64_t timeout_ms);

void port_kafka_health(const struct port *port, struct kafka_health *out);

/* Next offset of the input partition's log as last seen by a fetch, -1 if unknown. Does not ask the broker. */
int64_t port_kafka_high_watermark(const struct port *port, int32_t partition);

/* True once the group has accepted this member (also if it has given it no partition). Thread: any */
bool port_kafka_is_joined(const struct port *port);

/* Whether this member holds the publisher's lease now; false without options.wants_lease. Takes the group's decisions and
 * lets go at once when asked to. To be called as often as membership.                          Thread: main */
bool port_kafka_holds_lease(const struct port *port);

/* True once the group of the lease has accepted this member, holder or not. Thread: any */
bool port_kafka_lease_is_joined(const struct port *port);

/* Leaves both groups, so that others can take over while this process finishes; no membership change comes after it.
 * (blocks up to two seconds)                                                                     Thread: main */
void port_kafka_leave(const struct port *port);

/* Rebalances since open, by kind. Thread: any */
int64_t port_kafka_rebalances(const struct port *port, enum port_change change);
