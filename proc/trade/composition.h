/* SPDX-License-Identifier: Apache-2.0
 * composition.h - which countries a group has on a date: one composition, used for every year that a report compares.
 *
 * In:      country_groups.csv of the reference lists
 * Limits:  COMPOSITION_MOST countries; there are some 250
 * Thread:  any
 */
#pragma once

#include "trade/reference.h"

enum { COMPOSITION_MOST = 300, COMPOSITION_CODE_BYTES = 3 };

struct composition {
    char countries[COMPOSITION_MOST][COMPOSITION_CODE_BYTES]; /* in order, each once */
    uint32_t count;
};

/* Whether the list knows a group of that name, on whatever date. */
bool composition_known(const struct reference *reference, struct text group);

/* The groups of the list, each once, in the order in which they come. NULL: no more than `index`. */
const char *composition_group(const struct reference *reference, uint32_t index);

/* A country in a group from a date to the day before another (yyyymmdd; 0: always, UINT32_MAX: open). */
struct composition_span {
    const char *group;
    const char *country;
    uint32_t from;
    uint32_t to_exclusive;
};

/* Row `index` of the list. False: there is none. */
bool composition_row(const struct reference *reference, uint32_t index, struct composition_span *out);

/* Adds the countries that the group has on `date` (yyyymmdd). */
void composition_add(struct composition *composition, const struct reference *reference, struct text group,
                     uint32_t date);

/* Takes a country out: the reporter is no partner of its own. */
void composition_remove(struct composition *composition, struct text country);

bool composition_has(const struct composition *composition, struct text country);
