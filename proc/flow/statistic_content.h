/* SPDX-License-Identifier: Apache-2.0
 * statistic_content.h - what a record of topic.statistics says, as a number: two that have the same one need not both be published.
 *
 * In:      a message, or the value of any record that is a Statistic: also of a newer program, with fields that this one does not know
 * Out:     a hash of all fields but 46 (share) and 50-53 (state, as_of and times)
 * Memory:  of an unpacked record the caller owns all
 * Thread:  any
 */
#pragma once

#include "base/span.h"

#include "customs/v1/statistic.pb-c.h"

/* Content of a record with items 0, which equals an absent one; and of a record that was not looked into. */
#define STATISTIC_ABSENT 0ULL
#define STATISTIC_UNKNOWN 1ULL

/* Never STATISTIC_UNKNOWN. */
uint64_t statistic_content_of(const Customs__V1__Statistic *message);

/* The same of a record's value. False: it is no Statistic. */
bool statistic_content(struct bytes value, uint64_t *out_content);

/* The message of a value, to be given to statistic_content_free, which takes NULL. NULL: it is no Statistic. */
Customs__V1__Statistic *statistic_content_unpack(struct bytes value);
void statistic_content_free(Customs__V1__Statistic *message);
