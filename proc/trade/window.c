/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/window.h"

#include "trade/calendar.h"

#include <stdio.h>

enum { YEAR = 10000, MONTH = 100 };

static bool read_digits(struct text text, uint32_t count, uint32_t *out)
{
    uint32_t number = 0;
    if (text.length != count)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        number = number * 10 + (uint32_t)(text.data[i] - '0');
    }
    *out = number;
    return true;
}

static bool read_quarter(struct text text, uint32_t year, struct window *out)
{
    uint32_t quarter;
    text.data++;
    text.length--;
    if (!read_digits(text, 1, &quarter) || quarter < 1 || quarter > 4)
        return false;
    out->from = year * YEAR + (quarter * 3 - 2) * MONTH + 1;
    out->to = calendar_month_last(year * YEAR + quarter * 3 * MONTH + 1);
    return true;
}

/* One of "2025", "2025-Q2", "2025-07", "2025-07-03". */
static bool read_part(struct text text, struct window *out)
{
    uint32_t year;
    uint32_t month;
    uint32_t day = 1;
    struct text rest = text;
    if (!read_digits(text_cut(&rest, '-'), 4, &year) || !calendar_is_date(year * YEAR + MONTH + 1))
        return false;
    if (text.length == 4) {
        *out = (struct window){year * YEAR + MONTH + 1, year * YEAR + 12 * MONTH + 31};
        return true;
    }
    if (rest.length > 0 && rest.data[0] == 'Q')
        return read_quarter(rest, year, out);
    if (!read_digits(text_cut(&rest, '-'), 2, &month) || (text.length > 7 && !read_digits(rest, 2, &day)) ||
        (text.length != 7 && text.length != 10))
        return false;
    uint32_t date = year * YEAR + month * MONTH + day;
    if (!calendar_is_date(date))
        return false;
    *out = (struct window){date, text.length == 7 ? calendar_month_last(date) : date};
    return true;
}

static const char *find_dots(struct text text)
{
    for (uint32_t i = 0; i + 1 < text.length; i++) {
        if (text.data[i] == '.' && text.data[i + 1] == '.')
            return text.data + i;
    }
    return NULL;
}

bool window_read(struct text text, struct window *out)
{
    const char *dots = find_dots(text);
    struct window first;
    struct window last;
    if (!dots)
        return read_part(text, out);
    uint32_t length = (uint32_t)(dots - text.data);
    if (!read_part((struct text){text.data, length}, &first) ||
        !read_part((struct text){dots + 2, text.length - length - 2}, &last) || first.from > last.to)
        return false;
    *out = (struct window){first.from, last.to};
    return true;
}

bool window_is_months(struct window window)
{
    return window.from % MONTH == 1 && calendar_is_date(window.to) && calendar_month_last(window.to) == window.to;
}

bool window_is_within_a_year(struct window window)
{
    return window.to < window.from + YEAR;
}

/* The day of the year before; of 29 February the day after or before, by which end of a window it is. */
static uint32_t day_before(uint32_t date, bool is_first)
{
    uint32_t before = date - YEAR;
    if (calendar_is_date(before))
        return before;
    return before / MONTH * MONTH + (is_first ? MONTH + 1 : 28);
}

struct window window_year_before(struct window window)
{
    struct window before = {day_before(window.from, true), day_before(window.to, false)};
    if (window_is_months(window))
        before.to = calendar_month_last(before.to);
    return before;
}

bool window_years(struct window window, uint32_t *out_first, uint32_t *out_last)
{
    uint32_t first = window.from / YEAR + (window.from % YEAR > 101);
    uint32_t last = window.to / YEAR - (window.to % YEAR < 1231);
    if (first > last)
        return false;
    *out_first = first;
    *out_last = last;
    return true;
}

/* ---- text ---- */

static const char *month_name(uint32_t date)
{
    static const char *const names[13] = {"",     "January", "February",  "March",   "April",    "May",     "June",
                                          "July", "August",  "September", "October", "November", "December"};
    return names[date / MONTH % 100 <= 12 ? date / MONTH % 100 : 0];
}

static char *text_of_months(struct window window, char out[static WINDOW_TEXT_BYTES])
{
    uint32_t from_year = window.from / YEAR;
    uint32_t to_year = window.to / YEAR;
    bool whole_years = window.from % YEAR == 101 && window.to % YEAR == 1231;
    if (whole_years && from_year == to_year)
        snprintf(out, WINDOW_TEXT_BYTES, "%u", from_year);
    else if (whole_years)
        snprintf(out, WINDOW_TEXT_BYTES, "%u-%u", from_year, to_year);
    else if (window.from / MONTH == window.to / MONTH)
        snprintf(out, WINDOW_TEXT_BYTES, "%s %u", month_name(window.from), from_year);
    else if (from_year == to_year)
        snprintf(out, WINDOW_TEXT_BYTES, "%s-%s %u", month_name(window.from), month_name(window.to), to_year);
    else
        snprintf(out, WINDOW_TEXT_BYTES, "%s %u-%s %u", month_name(window.from), from_year, month_name(window.to),
                 to_year);
    return out;
}

char *window_text(struct window window, char out[static WINDOW_TEXT_BYTES])
{
    uint32_t from_day = window.from % MONTH;
    uint32_t to_day = window.to % MONTH;
    if (window_is_months(window))
        return text_of_months(window, out);
    if (window.from == window.to)
        snprintf(out, WINDOW_TEXT_BYTES, "%u %s %u", to_day, month_name(window.to), window.to / YEAR);
    else if (window.from / YEAR == window.to / YEAR)
        snprintf(out, WINDOW_TEXT_BYTES, "%u %s-%u %s %u", from_day, month_name(window.from), to_day,
                 month_name(window.to), window.to / YEAR);
    else
        snprintf(out, WINDOW_TEXT_BYTES, "%u %s %u-%u %s %u", from_day, month_name(window.from), window.from / YEAR,
                 to_day, month_name(window.to), window.to / YEAR);
    return out;
}
