/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/rolling.h"

#include "flow/mutant.h"
#include "flow/publisher_inside.h"
#include "trade/calendar.h"

enum { ROLLING_STEP = 1 << 16 };

void rolling_see(struct publisher *publisher, struct text key, uint32_t period_to)
{
    text_cut(&key, '|');
    if (!text_is(text_cut(&key, '|'), "ROLLING") || !calendar_is_date(period_to))
        return;
    /* twelve months end with the last day of the month, whichever the newest day in it is */
    bool is_of_months = text_is(text_cut(&key, '|'), period_roll_name(PERIOD_12M));
    int32_t day = calendar_day(is_of_months ? calendar_month_first(period_to) : period_to);
    publisher->told_today = day > publisher->told_today ? day : publisher->told_today;
}

static int32_t later(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

/* FIGURES_NO_DAY: nothing is known yet, or the reporter has no zone. */
static int32_t newest_day(const struct publisher *publisher)
{
    const struct publisher_options *options = &publisher->options;
    if (!publisher->rolls || !options->zone || publisher->watermark_ms == INT64_MIN || publisher->watermark_ms < 0)
        return FIGURES_NO_DAY;
    int32_t event = zone_day(options->zone, publisher->watermark_ms);
    int32_t clock = zone_day(options->zone, options->port->now_ms(options->port->self));
    if (journals_are_idle(publisher->journals))
        return later(event, clock);
    int32_t before = later(figures_today(publisher->figures), publisher->told_today);
    return later(event, before <= clock ? before : FIGURES_NO_DAY);
}

bool rolling_is_due(const struct publisher *publisher)
{
    return publisher->rolling < figures_count(publisher->figures) ||
           newest_day(publisher) != figures_today(publisher->figures);
}

void rolling_turn(struct publisher *publisher)
{
    int32_t day = newest_day(publisher);
    if (day == figures_today(publisher->figures))
        return;
    figures_set_today(publisher->figures, day);
    if (!MUTANT(ROLLING_STANDS))
        publisher->rolling = 0;
}

bool rolling_step(struct publisher *publisher)
{
    struct figures *figures = publisher->figures;
    uint32_t count = figures_count(figures);
    uint32_t end = count - publisher->rolling < ROLLING_STEP ? count : publisher->rolling + ROLLING_STEP;
    bool did = publisher->rolling < end;
    for (; publisher->rolling < end; publisher->rolling++) {
        if (period_is_rolling(period_of(figures_key(figures, FIGURE_DERIVED | publisher->rolling))))
            figures_mark(figures, FIGURE_DERIVED | publisher->rolling);
    }
    return did;
}
