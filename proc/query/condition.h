/* SPDX-License-Identifier: Apache-2.0
 * condition.h - which records a report takes: `--where flow=M+X,partner_group=SCO_MEMBER,hs2=01-24`.
 *
 * In:      name=value; several values with +, a range of commodities with -; all conditions must hold
 * Groups:  the composition of one date is used for every year
 * Memory:  plain; borrows the text
 * Errors:  ERR_CONFIG with the names or values that there are
 * Thread:  main, query: one owner
 */
#pragma once

#include "base/err.h"
#include "query/aspect.h"
#include "trade/composition.h"

enum { CONDITIONS_MOST = 16, CONDITION_VALUES_MOST = 64 };

/* What groups of countries need. */
struct condition_groups {
    const struct reference *reference; /* NULL: no lists */
    uint32_t date;
    struct text reporter;
};

struct condition_value {
    struct text from;
    struct text to; /* the same as `from` but in a range */
};

struct condition {
    struct aspect aspect;
    struct condition_value values[CONDITION_VALUES_MOST];
    uint32_t value_count;
    struct composition composition; /* of the groups, if it is about them */
};

struct conditions {
    struct condition list[CONDITIONS_MOST];
    uint32_t count;
};

/* Reads the conditions on records whose keys are like `key`. */
enum err conditions_read(struct text where, const char *key, const struct condition_groups *groups,
                         struct conditions *out, struct err_info *info) MUST_USE;

/* Whether the record meets it. `scratch` is cleared. */
bool condition_holds(const struct condition *condition, const struct record *record, struct buffer *scratch);

/* Whether it leaves one value of that part of the key, so that no declaration stands in two records because of it. */
bool condition_fixes(const struct condition *condition, uint32_t part);

/* The countries of a group as condition.h sees them: on the date, without the reporter. */
void condition_compose(const struct condition_groups *groups, struct text group, struct composition *out);
