/* SPDX-License-Identifier: Apache-2.0
 * mock.h - librdkafka's in-process broker: no network beyond loopback, no Java, nothing to install. For `demo` and the tests.
 *
 * In:      topics and their partitions                  Out:    a bootstrap address, also for other processes
 * Limits:  about 5 MB or 100,000 batches a partition (older ones go); no DeleteRecords, no topic settings, no transactions
 * Memory:  owns the cluster and the handle it lives in
 * Errors:  ERR_CONFIG if there is to be no broker or no partition, ERR_FATAL with librdkafka's reason
 * Thread:  startup
 */
#pragma once

#include "kafka/client.h"

struct mock;

/* Starts `brokers` brokers with the topics of options, options->partitions partitions each (options->brokers is not
 * used: put mock_brokers into it afterwards, and set is_mock). */
enum err mock_start(const struct kafka_options *options, int32_t brokers, struct mock **out,
                    struct err_info *info) MUST_USE;
/* Takes NULL. Close every port first. */
void mock_stop(struct mock *mock);

/* Zero-terminated, borrowed until mock_stop. */
const char *mock_brokers(const struct mock *mock);

/* Makes one more topic. */
enum err mock_topic(struct mock *mock, const char *name, int32_t partitions) MUST_USE;

/* Cuts all brokers off, or lets them answer again.                                                Thread: any */
void mock_set_down(struct mock *mock, bool is_down);

/* The next `count` requests of the kind (Kafka's ApiKey: 0 produce, 1 fetch) fail with the broker's error `code`.
 * Thread: any */
void mock_fail(struct mock *mock, int16_t api_key, int code, size_t count);
