/* SPDX-License-Identifier: Apache-2.0
 * board.h - a small consumer of topic.statistics as any analyst could write one: upserts by key, sums headings, draws a table.
 *
 * In:      records of topic.statistics                  Out: the largest headings with value, tonnes and declarations
 * Memory:  owns a table of keys                         Thread: main
 */
#pragma once

#include "flow/port.h"

#include <stdio.h>

struct board;

enum { BOARD_ROWS = 12 };

struct board *board_new(void);
void board_free(struct board *board);

/* Takes one record by the consumer's rule: ignores keys that begin with # and an as_of that is not larger. */
void board_take(struct board *board, const struct port_record *record);

/* Has anything arrived? */
bool board_has_rows(const struct board *board);

/* The largest headings by value. Returns the lines written. */
int board_draw(const struct board *board, const char *currency, FILE *out);
