/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/rolling.h"

#include "flow/holding.h"
#include "flow/hours.h"
#include "flow/leaving.h"
#include "flow/mutant.h"
#include "flow/publisher_inside.h"
#include "flow/statistic_bytes.h"
#include "trade/calendar.h"

enum { ROLLING_STEP = 1 << 16 };

static int32_t later(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

void rolling_see(struct publisher *publisher, struct text key, const struct statistic_time *time)
{
    text_cut(&key, '|');
    if (!text_is(text_cut(&key, '|'), "ROLLING") || !calendar_is_date(time->period_to))
        return;
    struct text name = text_cut(&key, '|');
    /* twelve months end with the last day of the month, whichever the newest day in it is */
    bool is_of_months = text_is(name, period_roll_name(PERIOD_12M));
    int32_t day = calendar_day(is_of_months ? calendar_month_first(time->period_to) : time->period_to);
    publisher->told_today = later(publisher->told_today, day);
    if (text_is(name, period_roll_name(PERIOD_24H)) && time->hour_to_ms > 0)
        publisher->told_hour = later(publisher->told_hour, hours_of_ms(time->hour_to_ms) - 1);
}

/* What figures end on. */
struct newest {
    int32_t day;
    int32_t hour;
    int32_t kept_from;
};

/* The later one of the event's and the clock's, if the clock may say; of what was told before it, if not. */
static int32_t choose(bool is_idle, int32_t event, int32_t clock, int32_t before)
{
    if (is_idle)
        return later(event, clock);
    return later(event, before <= clock ? before : INT32_MIN);
}

/* FIGURES_NO_DAY: nothing is known yet, or the reporter has no zone. */
static struct newest find_newest(const struct publisher *publisher)
{
    const struct publisher_options *options = &publisher->options;
    const struct figures *figures = publisher->figures;
    int64_t event_ms = publisher->watermark_ms;
    if (!publisher->rolls || !options->zone || event_ms == INT64_MIN || event_ms < 0)
        return (struct newest){FIGURES_NO_DAY, FIGURES_NO_HOUR, INT32_MIN};
    int64_t clock_ms = options->port->now_ms(options->port->self);
    bool is_idle = journals_are_idle(publisher->journals);
    struct newest newest = {
        .day = choose(is_idle, zone_day(options->zone, event_ms), zone_day(options->zone, clock_ms),
                      later(figures_today(figures), publisher->told_today)),
        .hour = FIGURES_NO_HOUR,
        .kept_from = INT32_MIN,
    };
    if (publisher->has_hours) {
        newest.hour = choose(is_idle, hours_of_ms(event_ms), hours_of_ms(clock_ms),
                             later(figures_hour(figures), publisher->told_hour));
        newest.kept_from = hours_kept_from(options->zone, event_ms);
    }
    return newest;
}

static bool is_taken(const struct publisher *publisher, const struct newest *newest)
{
    const struct figures *figures = publisher->figures;
    return newest->day == figures_today(figures) && newest->hour == figures_hour(figures) &&
           newest->kept_from == figures_kept_from(figures);
}

static bool all_are_marked(const struct publisher *publisher)
{
    return publisher->rolling.figure >= figures_count(publisher->figures) &&
           (!publisher->has_hours || (publisher->rolling.cell >= cube_count(publisher->cube) &&
                                      (publisher->rolling.entry >= registry_count(publisher->registry) ||
                                       !registry_keeps(publisher->registry))));
}

bool rolling_is_due(const struct publisher *publisher)
{
    struct newest newest = find_newest(publisher);
    return !all_are_marked(publisher) || !is_taken(publisher, &newest);
}

/* Another newest day moves windows of days, another hour those of hours, another watermark ends the keeping of some hours. */
void rolling_turn(struct publisher *publisher)
{
    struct figures *figures = publisher->figures;
    struct rolling *rolling = &publisher->rolling;
    struct newest newest = find_newest(publisher);
    if (is_taken(publisher, &newest))
        return;
    if (newest.kept_from > figures_kept_from(figures) && figures_kept_from(figures) != INT32_MIN)
        leaving_turn(publisher);
    cube_leave_out(publisher->cube, newest.kept_from);
    if (all_are_marked(publisher))
        *rolling =
            (struct rolling){.kept_from = figures_kept_from(figures), .figure = rolling->figure, .cell = rolling->cell};
    rolling->by_day |= newest.day != figures_today(figures);
    rolling->by_hour |= newest.hour != figures_hour(figures);
    figures_set_today(figures, newest.day);
    figures_set_hours(figures, newest.hour, newest.kept_from);
    if (MUTANT(ROLLING_STANDS))
        return;
    rolling->figure = 0;
    rolling->cell = 0;
    rolling->entry = 0;
}

static void look_at(struct publisher *publisher, uint32_t number)
{
    const struct rolling *rolling = &publisher->rolling;
    const struct table_key *key = figures_key(publisher->figures, number);
    enum period period = period_of(key);
    bool is_moved = period == PERIOD_24H ? rolling->by_hour : period_is_rolling(period) && rolling->by_day;
    bool is_ended = figures_is_over(publisher->figures, number) && cell_hour(key) >= rolling->kept_from;
    if (is_moved || is_ended)
        figures_mark(publisher->figures, number);
}

/* Takes *next on to `count`, at most ROLLING_STEP. */
static bool look_at_some(struct publisher *publisher, uint32_t *next, uint32_t count, uint32_t bit)
{
    bool did = *next < count;
    for (uint32_t most = ROLLING_STEP; *next < count && most > 0; most--)
        look_at(publisher, bit | (*next)++);
    return did;
}

/* Keys without a cell have zero records; those of hours that ended get their tombstones. */
static bool look_at_keys(struct publisher *publisher)
{
    uint32_t *next = &publisher->rolling.entry;
    uint32_t count = registry_count(publisher->registry);
    bool did = *next < count && registry_keeps(publisher->registry);
    for (uint32_t most = ROLLING_STEP; did && *next < count && most > 0; most--)
        holding_bury_later(publisher, (*next)++);
    return did;
}

bool rolling_step(struct publisher *publisher)
{
    struct rolling *rolling = &publisher->rolling;
    bool did = look_at_some(publisher, &rolling->figure, figures_count(publisher->figures), FIGURE_DERIVED);
    if (publisher->has_hours) {
        did |= look_at_some(publisher, &rolling->cell, cube_count(publisher->cube), 0);
        did |= look_at_keys(publisher);
    }
    return did;
}
