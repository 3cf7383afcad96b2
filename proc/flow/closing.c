/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/closing.h"

#include "flow/holding.h"
#include "flow/mutant.h"
#include "flow/publisher_inside.h"

enum { CLOSING_STEP = 1 << 16 };

/* ---- watermark ---- */

/* What a publisher before this one has told, but not more than the journals can bear out: a record of somebody else closes nothing. */
static int64_t told_ms(const struct publisher *publisher)
{
    int64_t most_ms = journals_event_ms_most(publisher->journals);
    if (most_ms == INT64_MIN)
        return INT64_MIN;
    most_ms -= publisher->options.event_bound_ms;
    return publisher->told_watermark_ms < most_ms ? publisher->told_watermark_ms : most_ms;
}

static int64_t reached_ms(const struct publisher *publisher)
{
    int64_t event_ms = journals_event_ms(publisher->journals);
    if (MUTANT(STATES_BY_CLOCK))
        return publisher->options.port->now_ms(publisher->options.port->self);
    return event_ms == INT64_MIN ? INT64_MIN : event_ms - publisher->options.event_bound_ms;
}

/* Days whose state another border changes, together with those that wait to be looked at. */
static void widen(struct closing_range *range, int32_t from, int32_t to)
{
    if (from == to)
        return;
    range->from = range->from < from ? range->from : from;
    range->to = to;
}

static void begin(struct publisher *publisher, const struct months *before)
{
    struct closing *closing = &publisher->closing;
    if (!closing->is_due)
        closing->closed = closing->final = (struct closing_range){INT32_MAX, INT32_MIN};
    widen(&closing->closed, before->open_from, publisher->months.open_from);
    widen(&closing->final, before->final_before, publisher->months.final_before);
    closing->is_due = true;
    closing->cell = 0;
    closing->figure = 0;
    closing->entry = 0;
}

void closing_advance(struct publisher *publisher)
{
    int64_t reached = reached_ms(publisher);
    int64_t told = told_ms(publisher);
    int64_t watermark_ms = reached > told ? reached : told;
    if (watermark_ms <= publisher->watermark_ms) /* it never falls */
        return;
    struct months before = publisher->months;
    publisher->watermark_ms = watermark_ms;
    counter_set(&publisher->counters.watermark_ms, watermark_ms);
    if (!months_reach(&publisher->months, watermark_ms))
        return;
    begin(publisher, &before);
    counter_set(&publisher->counters.open_from, publisher->months.open_from);
    counter_set(&publisher->counters.final_before, publisher->months.final_before);
}

void closing_see(struct publisher *publisher, int64_t watermark_ms)
{
    if (watermark_ms > 0 && watermark_ms > publisher->told_watermark_ms) /* 0: it knew none */
        publisher->told_watermark_ms = watermark_ms;
}

/* ---- records whose month has another state ---- */

static bool is_in(const struct closing_range *range, int32_t day)
{
    return day >= range->from && day < range->to;
}

static uint32_t look_at(struct publisher *publisher, uint32_t next, uint32_t end, uint32_t bit, uint32_t most)
{
    struct closing *closing = &publisher->closing;
    for (; next < end && most > 0; next++, most--) {
        int32_t day = figures_last_day(publisher->figures, bit | next);
        if (!is_in(&closing->closed, day) && !is_in(&closing->final, day))
            continue;
        figures_mark(publisher->figures, bit | next);
        closing->has_marked = true;
    }
    return next;
}

/* A figure that waits already is compared when its turn comes. */
static void look_at_figures(struct publisher *publisher, uint32_t most)
{
    struct closing *closing = &publisher->closing;
    closing->cell = look_at(publisher, closing->cell, cube_count(publisher->cube), 0, most);
    closing->figure = look_at(publisher, closing->figure, figures_count(publisher->figures), FIGURE_DERIVED, most);
}

/* Keys without a cell have zero records; they wait for their tombstones. */
static void look_at_keys(struct publisher *publisher, uint32_t most)
{
    struct closing *closing = &publisher->closing;
    if (!registry_keeps(publisher->registry))
        closing->entry = registry_count(publisher->registry);
    for (uint32_t count = registry_count(publisher->registry); closing->entry < count && most > 0; most--)
        holding_bury_later(publisher, closing->entry++);
}

bool closing_step(struct publisher *publisher)
{
    struct closing *closing = &publisher->closing;
    if (!closing->is_due)
        return false;
    look_at_figures(publisher, CLOSING_STEP);
    look_at_keys(publisher, CLOSING_STEP);
    closing->is_due = closing->cell < cube_count(publisher->cube) ||
                      closing->figure < figures_count(publisher->figures) ||
                      closing->entry < registry_count(publisher->registry);
    return true;
}

bool closing_is_done(const struct publisher *publisher)
{
    return !publisher->closing.is_due;
}
