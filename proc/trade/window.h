/* SPDX-License-Identifier: Apache-2.0
 * window.h - calendar windows of civil days, as statements name them: 2025, 2025-Q2, January to July, to 10 June.
 *
 * Units:   from and to are the first and last day, yyyymmdd
 * Thread:  any
 * Why:     docs/adr/0041-windows-and-the-year-before.md
 */
#pragma once

#include "base/span.h"

enum { WINDOW_TEXT_BYTES = 64 };

struct window {
    uint32_t from;
    uint32_t to; /* before `from`: no day at all */
};

/* "2025", "2025-07", "2025-Q2", "2025-07-03", or two of them with ".." between. False, and *out untouched, if it is none or ends
 * before it begins. */
bool window_read(struct text text, struct window *out);

/* Whether it begins with a month and ends with one. */
bool window_is_months(struct window window);

/* Whether it is no longer than a year: only then it has no day in common with the window a year before. */
bool window_is_within_a_year(struct window window);

/* The same window of the year before: whole months stay whole months, other ends keep their month and day. A day that the
 * other year lacks falls out: nothing is a year before 29 February alone. */
struct window window_year_before(struct window window);

/* Whether the days first..last lie in it. */
static inline bool window_holds(struct window window, uint32_t first, uint32_t last)
{
    return first >= window.from && last <= window.to;
}

/* The whole years in it; false if there is none. */
bool window_years(struct window window, uint32_t *out_first, uint32_t *out_last);

/* "January-July 2025", "2019-2023", "1 January-10 June 2025", "20 May 2025". Returns out. */
char *window_text(struct window window, char out[static WINDOW_TEXT_BYTES]);
