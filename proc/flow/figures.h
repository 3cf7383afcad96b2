/* SPDX-License-Identifier: Apache-2.0
 * figures.h - all that may be published: the cells of the cube, and what is summed from them when it is published: quarters, years, years
 * to date, rolling windows, all flows together, groups of countries; each with the same window a year before.
 *
 * Numbers: below FIGURE_DERIVED those of the cells; a derived figure has that bit and its own number, in order of first use
 * Groups:  are summed from the countries that they have on the last day of the window, which are those of the year before, too
 * Editions: a base of days before 2022 beside days of it is of the HS 2017 codes that the code is made of, if it has all goods of them; else
 *          there is none
 * Exists:  a derived figure once a cell falls into it, not because of a year before. A year to date is zero unless its last month has items.
 * Marks:   a cell that changed is marked in the cube; figures_touch marks what depends on it. So a change costs the fold nothing, and many
 *          changes between two publications cost one sum.
 * Memory:  32 bytes of key, 8 of entry and a slot of the table for each derived figure; no sums; shrinks by figures_compact alone
 * Thread:  one owner (publisher)
 * Why:     docs/adr/0043-derived-periods.md; 0075-groups-and-classes.md; 0076-growth-across-editions.md
 */
#pragma once

#include "flow/cube.h"
#include "flow/hours.h"

#define FIGURE_DERIVED (1u << 31)
#define FIGURES_NO_DAY INT32_MIN
#define FIGURES_NO_HOUR INT32_MIN

struct figures;

/* Shares plan, cube and zone, which must outlive it. zone NULL: days of UTC, where hours have days. */
struct figures *figures_new(const struct view_plan *plan, struct cube *cube, const struct zone *zone);
void figures_free(struct figures *figures);

/* Other lists: what groups of countries there are, and what became of codes of HS 2017. Whoever calls it marks all. Shares them until the next call. Without it there are none. */
void figures_look_up(struct figures *figures, const struct reference *reference, const char *reporter);

/* The cube was emptied. */
void figures_empty(struct figures *figures);

/* Adds what the cell falls into. Call once for each cell, in order, before it is published. */
void figures_add(struct figures *figures, uint32_t cell);

/* Marks all that depends on a cell whose sums changed, but the cell itself. */
void figures_touch(struct figures *figures, uint32_t cell);

/* The newest day, on which rolling windows end; FIGURES_NO_DAY: not known, they are not published. Whoever changes it marks them. */
void figures_set_today(struct figures *figures, int32_t day);
int32_t figures_today(const struct figures *figures);

/* The newest hour, on which windows of hours end; FIGURES_NO_HOUR likewise. And the first hour that is kept: those before it are told
 * as if nothing had come. Whoever changes them marks what they change. */
void figures_set_hours(struct figures *figures, int32_t newest, int32_t kept_from);
int32_t figures_hour(const struct figures *figures);
int32_t figures_kept_from(const struct figures *figures);

/* An hour that is not kept any more: its record is to be zero, and then a tombstone. */
bool figures_is_over(const struct figures *figures, uint32_t number);

/* Derived figures are numbered FIGURE_DERIVED .. FIGURE_DERIVED + count - 1. */
uint32_t figures_count(const struct figures *figures);
const struct table_key *figures_key(const struct figures *figures, uint32_t number);

/* A number that is not published (a cell of a kind that its view does not publish) is never marked. */
bool figures_is_published(const struct figures *figures, uint32_t number);

/* The last day of its period. */
int32_t figures_last_day(const struct figures *figures, uint32_t number);

/* Its place in the registry, as cube_link. */
uint32_t figures_link(const struct figures *figures, uint32_t number);
void figures_set_link(struct figures *figures, uint32_t number, uint32_t link);

/* What is published; its sums are good until the next figures_get, or fold. False: there is nothing to say yet (a rolling one before the
 * newest day is known). */
bool figures_get(struct figures *figures, uint32_t number, struct figure *out);

/* Numbers that wait to be compared with the topic, each once, in order. */
void figures_mark(struct figures *figures, uint32_t number);
void figures_mark_all(struct figures *figures);
uint32_t figures_marked(const struct figures *figures);
uint32_t figures_marked_first(const struct figures *figures);
void figures_marked_take(struct figures *figures);
void figures_marked_sort(struct figures *figures); /* as cube_dirty_sort */

/* Takes out the cells and the derived figures for which `leave` says so, and numbers the others anew, each kind in the order that it had. It
 * is asked once for each that is not marked. Links stay as they are. Every cell was given to figures_add. */
void figures_compact(struct figures *figures, bool (*leave)(void *context, uint32_t number), void *context);

size_t figures_bytes(const struct figures *figures);
