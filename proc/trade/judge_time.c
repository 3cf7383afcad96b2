/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/calendar.h"
#include "trade/check_digit.h"
#include "trade/judge.h"

/* "Now" is the record's timestamp. What it is compared with lies on the day of the reference date in nearly every declaration, so one test
 * of that day and of a month's line in a table spares the rest. */

#define DAY_MS INT64_C(86400000)
#define MS_LEAST INT64_C(-62135596800000) /* the years 1 to 9999, in which days have numbers */
#define MS_MOST INT64_C(253402300799999)

enum {
    OLD_DAYS = 180,      /* TIM-402 */
    YEARS_3 = 30000,     /* TIM-403, of dates yyyymmdd */
    RELEASE_DAYS = 30,   /* TIM-405 */
    CROSSING_DAYS = 150, /* TIM-410 */
    ID_BYTES_CN = 18,    /* office4 year4 flag1 seq9 */
    ID_YEAR_CN = 4,
};

/* The local civil day of an instant, also of one that is beyond any calendar. */
static int32_t day_of(const struct judge *judge, int64_t ms)
{
    return zone_day(judge->rules->zone, ms < MS_LEAST ? MS_LEAST : ms > MS_MOST ? MS_MOST : ms);
}

static bool after(int64_t ms, int64_t than_ms, int64_t by_ms)
{
    return ms > than_ms && (uint64_t)ms - (uint64_t)than_ms > (uint64_t)by_ms;
}

/* TIM-406. Of an MRN the two digits may be those of the year before or after, over the turn of a century too. */
static void id_year(const struct judge *judge, uint32_t accepted_year)
{
    struct text id = judge->declaration->declaration_id;
    bool wrong = false;
    if (judge->declaration->scheme == SCHEME_CN && id.length == ID_BYTES_CN && judge_is_digits(id)) {
        const char *at = id.data + ID_YEAR_CN;
        uint32_t year = (uint32_t)((at[0] - '0') * 1000 + (at[1] - '0') * 100 + (at[2] - '0') * 10 + at[3] - '0');
        wrong = year != accepted_year;
    } else if (judge->declaration->scheme == SCHEME_EU && check_digit_mrn(id) != CHECK_DIGIT_OTHER) {
        uint32_t year = (uint32_t)((id.data[0] - '0') * 10 + id.data[1] - '0');
        uint32_t off = (year + 100 - accepted_year % 100) % 100;
        wrong = off > 1 && off < 99;
    }
    if (wrong)
        judge_find(judge, RULE_TIM_406, -1, "declaration_id");
}

/* TIM-402, 403, 408. */
static void reference_date(const struct judge *judge, int32_t day, int32_t record_day, int32_t accepted_day)
{
    if (record_day - day > OLD_DAYS)
        judge_find(judge, RULE_TIM_402, -1, "reference_date");
    if (judge->date + YEARS_3 < calendar_date(record_day) || judge->date < judge->rules->date_first)
        judge_find(judge, RULE_TIM_403, -1, "reference_date");
    if (judge->declaration->accepted_at_ms > 0 && (day - accepted_day > 1 || accepted_day - day > 1))
        judge_find(judge, RULE_TIM_408, -1, "reference_date");
}

/* TIM-404, 405, 410, 412. A crossing date that is no day of the calendar is compared as a number. */
static void movement(const struct judge *judge, int32_t record_day)
{
    const struct declaration *d = judge->declaration;
    if (d->released_at_ms && d->accepted_at_ms > 0) {
        if (d->released_at_ms < d->accepted_at_ms)
            judge_find(judge, RULE_TIM_404, -1, "released_at_ms");
        if (after(d->released_at_ms, d->accepted_at_ms, RELEASE_DAYS * DAY_MS))
            judge_find(judge, RULE_TIM_405, -1, "released_at_ms");
    }
    if (d->crossing_date == 0)
        return;
    if (d->crossing_date > calendar_date(record_day + 1))
        judge_find(judge, RULE_TIM_412, -1, "crossing_date");
    if (judge->export && d->released_at_ms && calendar_is_date(d->crossing_date) &&
        calendar_day(d->crossing_date) - day_of(judge, d->released_at_ms) > CROSSING_DAYS)
        judge_find(judge, RULE_TIM_410, -1, "crossing_date");
}

/* TIM-409. From the 31st a month reaches to the last day of the next one. */
static void period(const struct judge *judge)
{
    uint32_t from = judge->declaration->period_from;
    uint32_t to = judge->declaration->period_to;
    if (judge->declaration->declaration_type != DECLARATION_TYPE_PERIODIC || from == 0 || to == 0)
        return;
    uint32_t month_later = from / 100 % 100 == 12 ? from + 8900 : from + 100; /* of next January, or of next month */
    if (!calendar_is_date(from) || !calendar_is_date(to) || from > to || to >= month_later)
        judge_find(judge, RULE_TIM_409, -1, to < from ? "period_from" : "period_to");
}

static bool late(const struct judge *judge, int32_t day)
{
    const struct rules *rules = judge->rules;
    int64_t close_ms =
        judge->month ? judge->month->close_ms : zone_month_close_ms(rules->zone, day, rules->provisional_days);
    return judge->context->timestamp_ms >= close_ms;
}

__attribute__((noinline)) static bool look_closely(const struct judge *judge)
{
    const struct declaration *d = judge->declaration;
    int64_t record_ms = judge->context->timestamp_ms;
    int32_t record_day = day_of(judge, record_ms);
    int32_t accepted_day = day_of(judge, d->accepted_at_ms);
    if (after(d->accepted_at_ms, record_ms, judge->rules->future_bound_ms))
        judge_find(judge, RULE_TIM_401, -1, "accepted_at_ms");
    if (d->accepted_at_ms > 0)
        id_year(judge, calendar_date(accepted_day) / 10000);
    movement(judge, record_day);
    period(judge);
    if (judge->date == 0)
        return false;
    int32_t day = calendar_day(judge->date);
    reference_date(judge, day, record_day, accepted_day);
    if (!late(judge, day))
        return false;
    judge_find(judge, RULE_TIM_411, -1, "reference_date");
    return true;
}

/* Accepted on the day of the reference date and recorded before its month closed, with an id of that year, released soon and
 * crossed by then: no rule of time has anything to find. A month begins at most 91 days before its close, so TIM-402 and TIM-403 need
 * not be asked. */
static inline bool is_calm(const struct judge *judge)
{
    const struct declaration *d = judge->declaration;
    const struct judge_month *month = judge->month;
    if (!month)
        return false;
    uint64_t of_month_ms = (uint64_t)d->accepted_at_ms - (uint64_t)month->begin_ms;
    bool same_day = of_month_ms - (uint64_t)(judge->date % 100 - 1) * (uint64_t)DAY_MS < (uint64_t)DAY_MS;
    bool in_time = judge->context->timestamp_ms >= d->accepted_at_ms && judge->context->timestamp_ms < month->close_ms;
    bool same_year = true;
    if (d->scheme == SCHEME_CN)
        same_year =
            d->declaration_id.length == ID_BYTES_CN && memcmp(d->declaration_id.data + ID_YEAR_CN, month->year, 4) == 0;
    else if (d->scheme == SCHEME_EU)
        same_year = d->declaration_id.length >= 2 && memcmp(d->declaration_id.data, month->year + 2, 2) == 0;
    bool moved = d->released_at_ms == 0 ||
                 (uint64_t)d->released_at_ms - (uint64_t)d->accepted_at_ms <= RELEASE_DAYS * (uint64_t)DAY_MS;
    moved = moved && d->crossing_date <= judge->date;
    return same_day && in_time && same_year && moved && d->declaration_type != DECLARATION_TYPE_PERIODIC &&
           judge->date >= judge->rules->date_first;
}

bool judge_time(const struct judge *judge)
{
    return is_calm(judge) ? false : look_closely(judge);
}
