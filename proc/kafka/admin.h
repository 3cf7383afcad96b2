/* SPDX-License-Identifier: Apache-2.0
 * admin.h - topics: create what is missing, check what is there, bounds, deletion of old records.
 *
 * In:      options                                      Out:    topics as the protocol needs them, or why not
 * Memory:  borrows options                              Thread: one call at a time per admin (startup), see each
 * function
 * Errors:  ERR_PEER within options.timeout_ms if no broker answers or it refuses; ERR_CONFIG: a topic is not
 * as it must be, with its name, the setting and the mend
 * Why:     contract.md section 2; design.md 3.2 (guards)
 */
#pragma once

#include "kafka/client.h"

struct admin;

/* Does not connect yet. health may be NULL. */
enum err admin_open(const struct kafka_options *options, struct client_health *health, struct admin **out,
                    struct err_info *info) MUST_USE;
/* Takes NULL. */
void admin_close(struct admin *admin);

/* Serves librdkafka's callbacks (errors, statistics). To be called now and then.                 Thread: any */
void admin_serve(struct admin *admin);

/* Creates the topic if it is missing, as contract.md section 2 says; "already exists" is success. *out_created may be
 * NULL. The journal is given the partitions of the input topic, which must exist then. ERR_CONFIG if it is missing and
 * topics.create=false. (blocks) */
enum err admin_ensure(struct admin *admin, enum port_topic topic, bool *out_created, struct err_info *info) MUST_USE;

/* All four, in the right order, then admin_check. What `run` calls at its start. (blocks) */
enum err admin_prepare(struct admin *admin, struct err_info *info) MUST_USE;

/* Partitions of the input and of the journal are equal in number; the journal is delete / retention -1; record
 * timestamps of the input are bounded unless timestamp_trust; warns (log) of a finite retention of the input and of another
 * cleanup.policy of statistics (compact) or rejects (delete). Settings
 * that can't be read refuse, but not on the mock, nor for the input with timestamp_trust. (blocks) */
enum err admin_check(struct admin *admin, struct err_info *info) MUST_USE;

/* Number of partitions; *out 0 if the topic does not exist. (blocks) */
enum err admin_partitions(struct admin *admin, enum port_topic topic, int32_t *out, struct err_info *info) MUST_USE;

/* First and next offset. (blocks)                                                                 Thread: any */
enum err admin_bounds(struct admin *admin, enum port_topic topic, int32_t partition, struct port_bounds *out,
                      struct err_info *info) MUST_USE;

/* Deletes the records below offset. ERR_CONFIG where the broker can't or may not. (blocks)        Thread: any */
enum err admin_delete_records(struct admin *admin, enum port_topic topic, int32_t partition, int64_t offset,
                              struct err_info *info) MUST_USE;

/* The smallest max.message.bytes of the topics that are written, less a batch's frame: what kafka_options.batch_bytes should be. 0
 * if a setting can't be read: then batches are as large as librdkafka makes them. (blocks) */
int64_t admin_batch_bytes(struct admin *admin);

enum { ADMIN_SETTING_BYTES = 128 };
/* A topic's setting as the broker states it, zero-terminated. ERR_PEER if it can't be read. (blocks) */
enum err admin_setting(struct admin *admin, enum port_topic topic, const char *name, char out[ADMIN_SETTING_BYTES],
                       struct err_info *info) MUST_USE;
