/* SPDX-License-Identifier: Apache-2.0
 * history.h - closed cells of earlier years that come from no declaration: marks of topic.statistics <-> cells of the cube.
 *
 * In:      records "#history|" + the key of a base cell (the grain of its view), value a customs.v1.Statistic; the last of a key counts, an
 *          empty value takes it back
 * Out:     their sums in the cube, beside what the journals say of the same cell; loaded_items tells them apart
 * Views:   each view has its own; nothing derives from them but the months of a view by day. A view with trade_class has them by trade_mode,
 *          one with partner_group by partner (view_counted)
 * Marks:   consumers ignore keys that begin with #; the cells are published under their own keys like all others
 * Memory:  about 200 bytes a cell
 * Thread:  one owner (publisher)
 * Why:     docs/adr/0047-loaded-history.md
 */
#pragma once

#include "flow/cube.h"

#include "customs/v1/statistic.pb-c.h"

struct history;

/* Shares the plan, which must outlive it. */
struct history *history_new(const struct view_plan *plan, const char *reporter, const char *currency);
/* Takes NULL. */
void history_free(struct history *history);

/* Whether a record key of topic.statistics is one of history. */
bool history_is(struct bytes key);

/* Takes such a record into the cube. False, and nothing changed: it does not fit (no such view, dimension, day; another reporter or currency). */
bool history_take(struct history *history, struct cube *cube, struct bytes key, struct bytes value);

/* Takes all of it out of the cube again: the topic is read from its beginning. */
void history_take_back(struct history *history, struct cube *cube);

/* The same when the cube was emptied. */
void history_forget(struct history *history);

/* Cells that have items. */
uint32_t history_count(const struct history *history);

/* Whether a text, as it stands in a record key, is a value of that dimension of the view. */
bool history_fits(const struct view *view, enum dimension dimension, struct text value);

/* Base cell of a record key without its mark, its codes numbered by `number`. False: the plan has no such cell. Used by what writes
 * history, too, so that nothing is written that the publisher would not take. */
bool history_cell(const struct view_plan *plan, struct text key, uint32_t (*number)(void *context, struct text code),
                  void *context, struct table_key *out);
