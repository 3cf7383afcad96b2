/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/period.h"

#include "base/check.h"
#include "trade/calendar.h"
#include "trade/window.h"

enum { KIND_DERIVED = 1, MONTH_BITS = 19, MONTH_BIAS = 1 << 18, QUARTER_MONTHS = 3, YEAR_MONTHS = 12 };

static const struct {
    const char *name;
    const char *key_name;
    const char *roll_name;
    unsigned frequency;
    int32_t days; /* of a rolling one */
} periods[PERIODS] = {
    [PERIOD_HOUR] = {"hour", "HOUR", "", 1, 0},      [PERIOD_DAY] = {"day", "DAY", "", 2, 0},
    [PERIOD_MONTH] = {"month", "MONTH", "", 3, 0},   [PERIOD_QUARTER] = {"quarter", "QUARTER", "", 4, 0},
    [PERIOD_YEAR] = {"year", "YEAR", "", 5, 0},      [PERIOD_YTD] = {"ytd", "YEAR_TO_DATE", "", 6, 0},
    [PERIOD_24H] = {"24h", "ROLLING", "24H", 7, 0},  [PERIOD_7D] = {"7d", "ROLLING", "7D", 7, 7},
    [PERIOD_30D] = {"30d", "ROLLING", "30D", 7, 30}, [PERIOD_12M] = {"12m", "ROLLING", "12M", 7, 0},
};

const char *period_name(enum period period)
{
    return periods[period].name;
}

const char *period_key_name(enum period period)
{
    return periods[period].key_name;
}

const char *period_roll_name(enum period period)
{
    return periods[period].roll_name;
}

unsigned period_frequency(enum period period)
{
    return periods[period].frequency;
}

/* ---- keys ---- */

enum period period_of(const struct table_key *key)
{
    static const enum period of_cells[] = {
        [CELL_DAY] = PERIOD_DAY, [CELL_MONTH] = PERIOD_MONTH, [CELL_HOUR] = PERIOD_HOUR};
    unsigned kind = cell_kind(key);
    if (kind != KIND_DERIVED)
        return of_cells[kind];
    return (enum period)(PERIOD_QUARTER + (key->word[0] >> (CELL_HS_BITS + MONTH_BITS) & 7));
}

int32_t period_month(const struct table_key *key)
{
    if (cell_kind(key) != KIND_DERIVED)
        return calendar_month_of_day(cell_day(key));
    return (int32_t)(key->word[0] >> CELL_HS_BITS & ((1u << MONTH_BITS) - 1)) - MONTH_BIAS;
}

struct table_key period_key(const struct table_key *cell, enum period period, int32_t month)
{
    struct table_key out = *cell;
    if (period == PERIOD_DAY || period == PERIOD_HOUR)
        return out;
    if (period == PERIOD_MONTH)
        return period_cell_key(cell, true, calendar_month_day(month));
    CHECK(month > -MONTH_BIAS && month < MONTH_BIAS);
    out.word[0] = (uint64_t)cell_view(cell) << 58 | (uint64_t)KIND_DERIVED << CELL_KIND_BIT |
                  (uint64_t)(period - PERIOD_QUARTER) << (CELL_HS_BITS + MONTH_BITS) |
                  (uint64_t)(uint32_t)(period_is_rolling(period) ? 0 : month + MONTH_BIAS) << CELL_HS_BITS |
                  cell_commodity(cell);
    return out;
}

int32_t period_first_month(enum period period, int32_t month)
{
    int32_t length = period == PERIOD_QUARTER ? QUARTER_MONTHS : period == PERIOD_YEAR ? YEAR_MONTHS : 1;
    int32_t over = month % length;
    return month - (over < 0 ? over + length : over);
}

struct table_key period_cell_key(const struct table_key *key, bool month, int32_t day)
{
    struct table_key out = *key;
    out.word[0] = cell_word0(cell_view(key), month, day, cell_commodity(key));
    return out;
}

/* ---- days ---- */

static int32_t last_day(int32_t month)
{
    return calendar_month_day(month + 1) - 1;
}

struct days period_days(const struct table_key *key, int32_t today)
{
    enum period period = period_of(key);
    int32_t month = period_month(key);
    switch (period) {
    case PERIOD_DAY:
        return (struct days){cell_day(key), cell_day(key)};
    case PERIOD_MONTH:
        return (struct days){calendar_month_day(month), last_day(month)};
    case PERIOD_QUARTER:
        return (struct days){calendar_month_day(month), last_day(month + 2)};
    case PERIOD_YEAR:
        return (struct days){calendar_month_day(month), last_day(month + YEAR_MONTHS - 1)};
    case PERIOD_YTD:
        return (struct days){calendar_month_day(period_first_month(PERIOD_YEAR, month)), last_day(month)};
    case PERIOD_12M:
        month = calendar_month_of_day(today);
        return (struct days){calendar_month_day(month - YEAR_MONTHS + 1), last_day(month)};
    case PERIOD_7D:
    case PERIOD_30D:
    case PERIOD_HOUR:
    case PERIOD_24H:
    case PERIODS:
        break;
    }
    return (struct days){today - periods[period].days + 1, today};
}

struct days period_year_before(struct days days)
{
    struct window before = window_year_before((struct window){calendar_date(days.from), calendar_date(days.to)});
    if (before.to < before.from)
        return (struct days){0, -1};
    return (struct days){calendar_day(before.from), calendar_day(before.to)};
}
