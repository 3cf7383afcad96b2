/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/audit_states.h"

#include "flow/hours.h"
#include "flow/statistic.h"

void audit_states_init(struct audit_states *states, const struct zone *zone, int32_t provisional_days,
                       int32_t final_months, int64_t event_bound_ms)
{
    *states = (struct audit_states){.watermark_ms = INT64_MIN, .event_bound_ms = event_bound_ms};
    months_init(&states->months, zone, provisional_days, final_months);
}

void audit_states_see(struct audit_states *states, int64_t watermark_ms)
{
    if (watermark_ms <= 0 || watermark_ms <= states->watermark_ms) /* 0: its publisher knew none */
        return;
    states->watermark_ms = watermark_ms;
    months_reach(&states->months, watermark_ms);
}

static unsigned plain(unsigned state)
{
    return state == MONTH_REVISED ? MONTH_PROVISIONAL : state;
}

static enum month_state state_at(const struct months *months, int32_t day, int64_t watermark_ms)
{
    if (watermark_ms >= zone_month_final_ms(months->zone, day, months->final_months))
        return MONTH_FINAL;
    return watermark_ms >= zone_month_close_ms(months->zone, day, months->provisional_days) ? MONTH_PROVISIONAL
                                                                                            : MONTH_OPEN;
}

/* The month of the key is FINAL, or its hour is not kept any more: without items it is gone. */
static bool is_over(const struct audit_states *states, struct text key, int32_t day, int64_t watermark_ms)
{
    const struct zone *zone = states->months.zone;
    int32_t hour;
    return state_at(&states->months, day, watermark_ms) == MONTH_FINAL ||
           (statistic_key_hour(key, &hour) && hour < hours_kept_from(zone, watermark_ms));
}

static const char *wrong_record(const struct audit_states *states, struct text key, int32_t day,
                                const struct audit_stand *stand, int64_t most_ms)
{
    enum month_state now = months_state(&states->months, day);
    if (stand->watermark_ms > 0 && stand->watermark_ms > most_ms)
        return "its watermark lies beyond all events of the journals";
    if (stand->is_loaded)
        return stand->state == MONTH_FINAL ? NULL : "it is history alone, and not FINAL";
    if (plain(stand->state) != state_at(&states->months, day, stand->watermark_ms))
        return "its state is not that of its own watermark";
    if (stand->has_items && plain(stand->state) != now)
        return "its month has another state by the newest watermark";
    return !stand->has_items && is_over(states, key, day, states->watermark_ms)
               ? "it has no items and its period is over, but no tombstone followed"
               : NULL;
}

const char *audit_states_wrong(const struct audit_states *states, struct text key, const struct audit_stand *stand,
                               int64_t event_ms)
{
    int32_t day;
    if (!states->months.zone || !statistic_key_day(key, states->months.zone, &day))
        return NULL;
    int64_t most_ms = event_ms == INT64_MIN ? INT64_MIN : event_ms - states->event_bound_ms;
    if (!stand->is_gone)
        return wrong_record(states, key, day, stand, most_ms);
    return is_over(states, key, day, most_ms) ? NULL : "a tombstone, though its period can't be over yet";
}

const char *audit_states_name(unsigned state)
{
    static const char *const names[] = {"absent", "OPEN", "PROVISIONAL", "REVISED", "FINAL"};
    return state < sizeof names / sizeof names[0] ? names[state] : "unknown";
}
