/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/slack.h"

static size_t slack_of(size_t resident_bytes, size_t used_bytes)
{
    return resident_bytes > used_bytes ? resident_bytes - used_bytes : 0;
}

bool slack_is_much(struct slack *slack, size_t resident_bytes, size_t used_bytes, size_t free_bytes)
{
    size_t now = slack_of(resident_bytes, used_bytes);
    if (!slack->is_known || now < slack->least_bytes)
        *slack = (struct slack){.least_bytes = now, .is_known = true};
    return free_bytes > SLACK_MOST_BYTES && now - slack->least_bytes > SLACK_MOST_BYTES;
}

void slack_trimmed(struct slack *slack, size_t resident_bytes, size_t used_bytes)
{
    *slack = (struct slack){.least_bytes = slack_of(resident_bytes, used_bytes), .is_known = true};
}
