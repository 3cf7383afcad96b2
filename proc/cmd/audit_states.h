/* SPDX-License-Identifier: Apache-2.0
 * audit_states.h - whether what stands in topic.statistics has the state that event time gives, and only FINAL months have tombstones.
 *
 * In:      the largest event time of the journals; state and watermark of each record
 * Thread:  main
 * Why:     docs/adr/0029-month-states.md
 */
#pragma once

#include "base/span.h"
#include "flow/months.h"

struct audit_states {
    struct months months;   /* at the newest watermark that a record tells */
    int64_t watermark_ms;   /* that one */
    int64_t event_bound_ms; /* as in publisher_options */
};

/* What the record that stands of a key says. */
struct audit_stand {
    bool is_gone; /* a tombstone */
    bool has_items;
    bool is_loaded; /* all of its items are history */
    unsigned state;
    int64_t watermark_ms;
};

/* zone NULL: states are not looked at. */
void audit_states_init(struct audit_states *states, const struct zone *zone, int32_t provisional_days,
                       int32_t final_months, int64_t event_bound_ms);

/* A record tells a watermark. */
void audit_states_see(struct audit_states *states, int64_t watermark_ms);

/* What is wrong; NULL: nothing, or the key names no period. event_ms: the largest of all journals. */
const char *audit_states_wrong(const struct audit_states *states, struct text key, const struct audit_stand *stand,
                               int64_t event_ms);

const char *audit_states_name(unsigned state);
