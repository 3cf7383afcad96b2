/* SPDX-License-Identifier: Apache-2.0
 * membership.h - which countries the groups of a plan have on a day: country_groups.csv by the numbers that keys have.
 *
 * Numbers: a country as in cell.h, its two letters; a group by its place in the plan of views, + 1, which no two letters are
 * Reporter: is no partner of its own, and in no group
 * Limits:  VIEW_GROUPS_MOST groups
 * Memory:  plain struct that owns its rows
 * Thread:  one owner
 * Why:     docs/adr/0075-groups-and-classes.md
 */
#pragma once

#include "flow/view.h"

/* A country that belongs to a group from a day to another, both included. */
struct membership_row {
    uint32_t group; /* place in the plan */
    uint16_t country;
    int32_t from;
    int32_t to;
};

struct membership {
    struct membership_row *rows; /* by group, then country */
    uint32_t count;
    uint32_t begins[VIEW_GROUPS_MOST + 1]; /* place of each group's first row */
};

/* Reads the groups of the plan; reference NULL: no country is in any. */
void membership_init(struct membership *membership, const struct view_plan *plan, const struct reference *reference,
                     const char *reporter);
void membership_fini(struct membership *membership);

/* The groups that a country is in on some day, a bit for each. */
uint32_t membership_ever(const struct membership *membership, uint32_t country);

/* Goes through the countries of a group on a day, each once; *place is 0 at first. False: there are no more. */
bool membership_next(const struct membership *membership, uint32_t group, int32_t day, uint32_t *place,
                     uint32_t *out_country);
