/* SPDX-License-Identifier: Apache-2.0
 * ruleset.h - what declarations are judged by: rules, the lists that they look into, and the plan that says so.
 *
 * It is replaced while a process runs (reload): main makes another and tells workers and publisher; each partition takes it where its next
 * group begins, so that a group is judged by one of them. The old one lives until all have said that they use it no more (roster.h).
 * Memory:  shares rules and lists; immutable from the moment it is given to somebody
 * Thread:  any
 * Why:     docs/adr/0034-reload-without-replan.md
 */
#pragma once

#include "flow/plan.h"
#include "trade/rules.h"

struct ruleset {
    uint64_t plan_id;
    const struct rules *rules;
    const struct reference *reference;
    uint64_t serial; /* rises with each that main makes */
};
