/* SPDX-License-Identifier: Apache-2.0
 * reject_read.h - a record of topic.rejects, decoded and checked against its key.
 *
 * Memory:  owns the decoded message until reject_read_fini
 * Thread:  any
 */
#pragma once

#include "base/span.h"
#include "flow/port.h"

#include "customs/v1/reject.pb-c.h"

struct reject_read {
    Customs__V1__Reject *message;
    int32_t index; /* in a batch, -1 for a single record: only the key tells */
};

/* NULL if *out was filled, else what is wrong with the record (static text). */
const char *reject_read(const struct port_record *record, struct reject_read *out);

/* Takes a zeroed one. */
void reject_read_fini(struct reject_read *read);

/* Number in the code of the first finding that rejects, 0 if the record has coordinates only. */
uint16_t reject_read_rule(const struct reject_read *read);
