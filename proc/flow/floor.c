/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/floor.h"

#include "flow/partition_inside.h"
#include "flow/work.h"
#include "trade/calendar.h"

#include <inttypes.h>

enum {
    YEAR_DAYS = 365,
    YEAR_MONTHS = 12,
    MONTHS_SHORT = 3, /* so many days any row of months may be shorter than its part of a year */
    GIVE_UP_SHARE = 16,
    PRESSURE_PAUSE_MS = 1000, /* until main has seen what the last raise gave back */
    DAY_MS = 86400000,
};

int32_t floor_horizon_months(int64_t days)
{
    return days <= 0 ? 0 : (int32_t)(((days + MONTHS_SHORT) * YEAR_MONTHS + YEAR_DAYS - 1) / YEAR_DAYS);
}

static int32_t month_of_ms(int64_t ms)
{
    return calendar_month_of_day(calendar_day_of_ms(ms));
}

void floor_follow(struct state *state, int32_t horizon_months)
{
    if (horizon_months == 0 || state->event_ms_most < state->floor_event_ms)
        return;
    int32_t month = month_of_ms(state->event_ms_most);
    state->floor_event_ms = (int64_t)calendar_month_day(month + 1) * DAY_MS;
    state_raise_floor(state, month - horizon_months);
}

/* Months are FINAL by the reporter's calendar, which may be a day behind. */
static int32_t floor_most(const struct partition *partition)
{
    int64_t event_ms = partition->state.event_ms_most;
    return event_ms == INT64_MIN ? 0 : month_of_ms(event_ms - DAY_MS) - partition->context->final_months;
}

/* The month below which enough entries lie to be worth while, or as many as may be given up. The floor as it is: there are none. */
static int32_t month_to_raise_to(const struct partition *partition)
{
    const struct ledger *ledger = partition->state.ledger;
    int32_t most = floor_most(partition);
    int32_t month = ledger_floor(ledger);
    uint64_t wanted = ledger_count(ledger) / GIVE_UP_SHARE;
    uint64_t below = 0;
    while (month < most && below <= wanted)
        below += ledger_month_count(ledger, month++);
    return below > 0 ? month : ledger_floor(ledger);
}

static void raise_floor(struct partition *partition, int32_t month)
{
    if (partition->open.lo < partition->state.hi)
        work_seal(partition);
    state_raise_floor(&partition->state, month);
    struct seal_source source = partition_source(partition);
    struct group *group = outbox_new_group(&partition->outbox);
    seal_floor(group, &source);
    outbox_add(&partition->outbox, group);
    partition_show_outbox(partition);
    counter_add(&partition->status->floor_raised, 1);
}

static void halt(struct partition *partition)
{
    struct err_info why;
    err_set(&why, ERR_LIMIT,
            "the ledgers have more bytes than ledger.max.bytes, and partition %" PRId32
            " has nothing that may be given up: all its declarations are of months that are not FINAL. Raise "
            "ledger.max.bytes and the memory limit, or run more processes, and start again",
            partition->number);
    partition_halt(partition, GUARD_LIMIT, &why);
}

static void show(struct partition *partition)
{
    counter_set(&partition->status->ledger_entries, (int64_t)ledger_count(partition->state.ledger));
    counter_set(&partition->status->ledger_bytes, (int64_t)ledger_bytes(partition->state.ledger));
    counter_set(&partition->status->floor_month, ledger_floor(partition->state.ledger));
}

bool floor_step(struct partition *partition, int64_t now_ms)
{
    if (ledger_tidy(partition->state.ledger)) {
        show(partition);
        partition->pressure_ms = now_ms;
        return true;
    }
    int64_t share = partition->context->ledger_share ? counter_read(partition->context->ledger_share) : 0;
    if (share == 0 || now_ms - partition->pressure_ms < PRESSURE_PAUSE_MS ||
        (int64_t)ledger_bytes(partition->state.ledger) < share)
        return false;
    partition->pressure_ms = now_ms;
    int32_t month = month_to_raise_to(partition);
    if (month > ledger_floor(partition->state.ledger)) {
        raise_floor(partition, month);
        show(partition);
    } else if (partition->outbox.count == 0 && partition->open.lo == partition->state.hi) {
        halt(partition);
    } else if (partition->open.lo < partition->state.hi) {
        work_seal(partition); /* what was counted is journalled before it stops */
    }
    return true;
}
