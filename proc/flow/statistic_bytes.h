/* SPDX-License-Identifier: Apache-2.0
 * statistic_bytes.h - customs.v1.Statistic -> bytes, as protobuf-c packs it, at a seventh of the cost; and what tells of time back.
 *
 * Why by hand: a publisher packs every cell that changed; what protobuf-c does for each field by a look into a table cost more than all
 *          else that is done for a record. Its bytes are the oracle of the test.
 * Limits:  unknown fields are not written: a record that was read and may have some goes through protobuf-c
 * Thread:  any
 */
#pragma once

#include "base/span.h"

#include "customs/v1/statistic.pb-c.h"

/* More bytes than the record takes; what statistic_bytes_put wants room for. */
size_t statistic_bytes_most(const Customs__V1__Statistic *m);

/* Writes the record; returns the place behind it. */
uint8_t *statistic_bytes_put(uint8_t *at, const Customs__V1__Statistic *m);

/* What a record says of time; a field that is absent is 0. */
struct statistic_time {
    unsigned state; /* number of an enum State, or any other */
    uint64_t as_of;
    int64_t watermark_ms;
    uint32_t period_to; /* yyyymmdd */
    int64_t hour_to_ms;
};

/* The same without decoding the rest. False: the bytes are broken. */
bool statistic_bytes_time(struct bytes value, struct statistic_time *out);
