/* SPDX-License-Identifier: Apache-2.0
 * follow.h - topic.statistics as it stands and as it grows: all partitions, each in its order.
 *
 * Out:     records one by one, publishers' claims among them
 * Memory:  owns its reader; a record is borrowed until `take` returns
 * Errors:  ERR_CONFIG if the topic is not there, ERR_PEER if the broker is not, or can't give a record
 * Thread:  main
 */
#pragma once

#include "cmd/options.h"
#include "flow/port.h"

struct follow;

/* Begins with what the topic holds, or with what comes next. Gives *out. */
enum err follow_open(const struct options *options, bool from_beginning, struct follow **out,
                     struct err_info *info) MUST_USE;
/* Takes NULL. */
void follow_close(struct follow *follow);

/* Gives what is here now, up to 512 records of each partition; *out_some: there were any. */
enum err follow_take(struct follow *follow, void (*take)(void *context, const struct port_record *record),
                     void *context, bool *out_some, struct err_info *info) MUST_USE;

/* Waits until more is here, at most 100 ms. */
void follow_wait(const struct follow *follow);

/* All that the topic held when it was opened was taken. */
bool follow_is_read(const struct follow *follow);

/* Name of the topic, and the brokers as they were given. */
const char *follow_topic(const struct follow *follow);
const char *follow_brokers(const struct follow *follow);
