/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/audit_periods.h"

#include "base/memory.h"
#include "flow/hours.h"
#include "trade/calendar.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    EXPECTED = 1 << 10,
    YEAR = 10000,
    MONTH = 100,
    DECEMBER = 12,
    FIRST_OF_HS2022 = 20220101,
    HS_DIGITS = 6,
    HS_CODES = 1000000, /* of six digits */
};

/* What a code of HS 2022 has of others of HS 2017. */
enum gain { GAINED_WHOLE = 1, GAINED_PART = 2 };

struct sum {
    struct measures sums;
    struct measures base;
    int64_t month_items; /* of the last month of a year to date */
};

struct periods {
    const struct view_plan *plan;
    const struct reference *reference;
    const char *reporter;
    uint8_t *gains[HS_DIGITS + 1]; /* by digits, of each code of HS 2022, bits of enum gain; NULL: not looked at yet */
    struct table *table;
    struct sum *sums;
    uint32_t capacity;
    const struct zone *zone;
    int32_t kept_from; /* an hour */
};

static struct sum *sum_of(struct periods *periods, const struct table_key *key)
{
    bool added;
    uint32_t index = table_put(periods->table, key, table_hash(key), &added);
    if (index >= periods->capacity) {
        periods->capacity = periods->capacity ? periods->capacity * 2 : EXPECTED;
        periods->sums = memory_resize(periods->sums, periods->capacity, sizeof periods->sums[0]);
    }
    if (added)
        periods->sums[index] = (struct sum){{0}, {0}, 0};
    return &periods->sums[index];
}

/* A cell on its way to all periods that hold its date, or the one a year later. */
struct part {
    struct table_key key;
    const struct measures *measures;
    uint32_t date; /* yyyymmdd of its day, or of the first of its month */
    bool is_base;
    const char *group; /* whose figures it is a part of, NULL: its own */
    char country[3];
};

/* Whether the part belongs to a period: to a group's, if its country is in the group on the last day of that. */
static bool counts_in(const struct periods *periods, const struct part *part, struct days days)
{
    return !part->group ||
           reference_in_group(periods->reference, text_of(part->group), text_of(part->country), calendar_date(days.to));
}

static void add_to(struct periods *periods, const struct part *part, const struct table_key *key, struct days days,
                   bool is_last_month)
{
    if (!counts_in(periods, part, days))
        return;
    struct sum *sum = sum_of(periods, key);
    struct measures *to = part->is_base ? &sum->base : &sum->sums;
    measures_add(to, part->measures);
    if (part->group)
        to->declarations = 0;
    sum->month_items += is_last_month && !part->is_base ? part->measures->items : 0;
}

static void add(struct periods *periods, const struct part *part, enum period period, uint32_t date, bool is_last_month)
{
    struct table_key key =
        period_key(&part->key, period, (int32_t)(date / YEAR - 1970) * DECEMBER + (int32_t)(date / MONTH % 100) - 1);
    add_to(periods, part, &key, period_days(&key, 0), is_last_month);
}

static void add_months(struct periods *periods, const struct part *part)
{
    const struct view *view = &periods->plan->views[cell_view(&part->key)];
    uint32_t year = part->date / YEAR * YEAR;
    uint32_t month = part->date / MONTH % 100;
    uint32_t quarter = month - (month - 1) % 3;
    if (view_publishes(view, PERIOD_MONTH))
        add(periods, part, PERIOD_MONTH, year + month * MONTH + 1, false);
    if (view_publishes(view, PERIOD_QUARTER))
        add(periods, part, PERIOD_QUARTER, year + quarter * MONTH + 1, false);
    if (view_publishes(view, PERIOD_YEAR))
        add(periods, part, PERIOD_YEAR, year + MONTH + 1, false);
    for (uint32_t end = month; end <= DECEMBER && view_publishes(view, PERIOD_YTD); end++)
        add(periods, part, PERIOD_YTD, year + end * MONTH + 1, end == month);
}

static void add_day(struct periods *periods, const struct part *part)
{
    const struct view *view = &periods->plan->views[cell_view(&part->key)];
    if (!view_publishes(view, PERIOD_DAY) || !calendar_is_date(part->date)) /* 29 February has no day a year later */
        return;
    struct table_key key = period_cell_key(&part->key, false, calendar_day(part->date));
    add_to(periods, part, &key, period_days(&key, 0), false);
}

/* What every code of HS 2017 gave to those of HS 2022. */
static const uint8_t *gains_of(struct periods *periods, uint32_t digits)
{
    uint32_t targets[HS_TARGETS_MOST];
    uint32_t count;
    if (periods->gains[digits])
        return periods->gains[digits];
    uint8_t *gains = memory_new(HS_CODES, sizeof gains[0]);
    for (uint32_t code = 0; code < HS_CODES; code++) {
        reference_hs_move(periods->reference, digits, code, targets, &count);
        for (uint32_t i = 0; i < count; i++)
            gains[targets[i]] |= count > 1 ? GAINED_PART : targets[i] != code ? GAINED_WHOLE : 0;
    }
    periods->gains[digits] = gains;
    return gains;
}

/* Where goods of HS 2017 stand in HS 2022. False: nowhere as a whole, or beside a part of others. */
static bool move(struct periods *periods, struct table_key *key)
{
    uint32_t targets[HS_TARGETS_MOST];
    uint32_t count;
    uint32_t digits = periods->plan->views[cell_view(key)].hs_digits;
    uint64_t commodity = cell_commodity(key);
    if (digits == 0 || commodity == CELL_NO_HS || !periods->reference)
        return true;
    bool is_national = digits > HS_DIGITS;
    for (commodity--; digits > HS_DIGITS; digits -= 2)
        commodity /= 100;
    uint32_t code = (uint32_t)commodity;
    uint32_t to = code;
    bool is_listed = reference_hs_move(periods->reference, digits, code, targets, &count) != HS_MOVE_UNKNOWN;
    if (is_listed)
        to = targets[0];
    uint8_t gains = gains_of(periods, digits)[to];
    if (count > 1 || (gains & GAINED_PART) ||
        (!is_listed && gains)) /* a number that nothing had is another code's now */
        return false;
    if (is_national) /* which national codes came no table says */
        return to == code && !(gains & GAINED_WHOLE);
    *key = period_with_commodity(key, (uint64_t)to + 1);
    return true;
}

static void add_part(struct periods *periods, struct part part, bool by_day)
{
    for (int i = 0; i < 2; i++) {
        bool is_older = part.is_base && part.date >= FIRST_OF_HS2022 && part.date - YEAR < FIRST_OF_HS2022;
        if (is_older && !move(periods, &part.key))
            return;
        add_months(periods, &part);
        if (by_day)
            add_day(periods, &part);
        part.is_base = true;
        part.date += YEAR;
    }
}

/* An hour is a part of itself alone, while it is kept. */
static void add_hour(struct periods *periods, const struct part *part)
{
    int32_t day = hours_day(periods->zone, cell_hour(&part->key));
    if (cell_hour(&part->key) >= periods->kept_from)
        add_to(periods, part, &part->key, (struct days){day, day}, false);
}

static void add_periods(struct periods *periods, const struct view *view, const struct part *part)
{
    if (view->grain == GRAIN_HOUR)
        add_hour(periods, part);
    else
        add_part(periods, *part, view->grain == GRAIN_DAY);
}

/* Of its flow, unless it only corrects that of all flows, and of all flows. */
static void add_flows(struct periods *periods, const struct view *view, struct part part)
{
    if (!cell_is_correction(&part.key))
        add_periods(periods, view, &part);
    part.key = period_with_flow(&part.key, FLOW_T);
    if (view->total)
        add_periods(periods, view, &part);
}

static void add_cell(struct periods *periods, const struct table_key *key, const struct measures *measures)
{
    const struct view *view = &periods->plan->views[cell_view(key)];
    bool by_day = view->grain == GRAIN_DAY;
    bool by_hour = view->grain == GRAIN_HOUR;
    if (!by_hour && by_day == cell_is_month(key)) /* the days of a view by day alone: its months follow */
        return;
    struct part part = {*key, measures, by_hour ? 0 : calendar_date(cell_day(key)), false, NULL, ""};
    if (!view->is_grouped) {
        add_flows(periods, view, part);
        return;
    }
    for (uint32_t group = 0; group < periods->plan->group_count; group++) {
        part.group = periods->plan->groups[group];
        part.country[0] = (char)(cell_partner(key) >> 8);
        part.country[1] = (char)(cell_partner(key) & 0xFF);
        part.key = period_with_partner(key, group + 1);
        if ((view->groups >> group & 1) && strcmp(part.country, periods->reporter) != 0)
            add_flows(periods, view, part);
    }
}

static void compare(struct periods *periods, const struct cube *cube, struct figures *figures, uint32_t number,
                    struct statistic_writer *writer, struct audit_periods_found *out)
{
    static const struct measures none;
    struct figure figure;
    if (!figures_is_published(figures, number) || period_is_rolling(period_of(figures_key(figures, number))) ||
        !figures_get(figures, number, &figure))
        return;
    uint32_t index = table_find(periods->table, &figure.key, table_hash(&figure.key));
    const struct sum *sum = index == TABLE_NONE ? NULL : &periods->sums[index];
    bool is_void = !sum || sum->sums.items == 0 || (period_of(&figure.key) == PERIOD_YTD && sum->month_items == 0);
    const struct measures *sums = is_void ? &none : &sum->sums;
    bool has_base = !is_void && sum->base.items > 0;
    out->compared++;
    bool is_zero = figure.sums->items == 0; /* equals an absent one, whatever else is left in it */
    if (is_void ? is_zero
                : measures_are_equal(figure.sums, sums) && has_base == (figure.base != NULL) &&
                      (!has_base || measures_are_equal(figure.base, &sum->base)))
        return;
    if (out->differ++)
        return;
    char value[2][I128_TEXT_BYTES];
    snprintf(out->text, sizeof out->text,
             "%.*s: value %s, %" PRId64 " declarations, %" PRId64 " items; its days and months add up to %s, %" PRId64
             ", %" PRId64,
             TEXT_ARGS(statistic_key(writer, &figure.key, cube_codes(cube))),
             i128_to_text(figure.sums->value_minor, value[0]), figure.sums->declarations, figure.sums->items,
             i128_to_text(sums->value_minor, value[1]), sums->declarations, sums->items);
}

void audit_periods(const struct audit_periods_options *options, struct statistic_writer *writer,
                   struct audit_periods_found *out)
{
    const struct cube *cube = options->cube;
    struct figures *figures = options->figures;
    struct periods periods = {.plan = options->plan,
                              .reference = options->reference,
                              .reporter = options->reporter,
                              .table = table_new(EXPECTED),
                              .zone = options->zone,
                              .kept_from = figures_kept_from(figures)};
    *out = (struct audit_periods_found){0};
    for (uint32_t cell = 0; cell < cube_count(cube); cell++)
        add_cell(&periods, cube_key(cube, cell), cube_measures(cube, cell));
    for (uint32_t cell = 0; cell < cube_count(cube); cell++)
        compare(&periods, cube, figures, cell, writer, out);
    for (uint32_t i = 0; i < figures_count(figures); i++)
        compare(&periods, cube, figures, FIGURE_DERIVED | i, writer, out);
    for (uint32_t i = 0; i <= HS_DIGITS; i++)
        memory_free(periods.gains[i]);
    memory_free(periods.sums);
    table_free(periods.table);
}
