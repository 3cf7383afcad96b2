/* SPDX-License-Identifier: Apache-2.0
 * statistic_read.h - bytes of a customs.v1.Statistic -> its message, without memory of its own: for a publisher that starts, and reads
 * a million of them to learn what the topic holds.
 *
 * In:      what this program's own publishers write: known fields of their own wire types
 * Out:     the same message that protobuf-c gives; its texts stand in the scratch
 * Errors:  false for anything else (unknown fields, texts with a zero byte, broken or very long ones): ask protobuf-c
 * Thread:  any; a scratch has one owner
 */
#pragma once

#include "base/span.h"

#include "customs/v1/statistic.pb-c.h"

enum { STATISTIC_TEXTS_BYTES = 512 };

struct statistic_scratch {
    Customs__V1__Statistic
        message; /* good until the next call with this scratch; not to be given to protobuf-c's free */
    char texts[STATISTIC_TEXTS_BYTES];
};

bool statistic_read(struct bytes value, struct statistic_scratch *scratch);
