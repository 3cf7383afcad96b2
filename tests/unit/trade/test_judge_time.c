/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/trade/rule_case.h"

/* The base case: accepted and recorded on 2025-06-15 at 12:00 in Shanghai, with that reference date; June closes on 2025-07-06. */
#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)
#define MONTH_CLOSES INT64_C(1751731200000) /* 2025-07-05T16:00Z */

static int64_t *record_ms(struct sample *sample)
{
    return &sample->context.timestamp_ms;
}
#define RECORD (*record_ms(&sample))

/* ---- TIM-401 ---- */

RULE_CASE("TIM-401", accepts, accepted_within_the_bound, "", { RECORD = d->accepted_at_ms - 300000; })
RULE_CASE("TIM-401", rejects, accepted_beyond_the_bound, "", { RECORD = d->accepted_at_ms - 300001; })
RULE_CASE("TIM-401", rejects, accepted_at_the_end_of_time, "TIM-406 TIM-408", { d->accepted_at_ms = INT64_MAX; })
RULE_CASE("TIM-401", accepts, a_wider_bound_is_configured, "", {
    RECORD = d->accepted_at_ms - HOUR;
    sample.options.future_bound_ms = HOUR;
})

/* ---- TIM-402, TIM-403 ---- */

RULE_CASE("TIM-402", accepts, dated_180_days_before, "TIM-411", { RECORD = d->accepted_at_ms + 180 * DAY; })
RULE_CASE("TIM-402", warns, dated_181_days_before, "TIM-411", { RECORD = d->accepted_at_ms + 181 * DAY; })
RULE_CASE("TIM-403", accepts, dated_three_years_before, "TIM-402 TIM-411", {
    RECORD = d->accepted_at_ms + 1096 * DAY; /* 2028-06-15 */
})
RULE_CASE("TIM-403", rejects, dated_three_years_and_a_day_before, "TIM-402 TIM-411",
          { RECORD = d->accepted_at_ms + 1097 * DAY; })
RULE_CASE("TIM-403", accepts, the_first_month_itself, "", { sample.options.month_first = 202506; })
RULE_CASE("TIM-403", rejects, before_the_first_month, "", { sample.options.month_first = 202507; })
RULE_CASE("TIM-403", rejects, dated_before_the_calendar_of_zones, "TIM-402 TIM-408 TIM-411",
          { d->reference_date = 19690615; })

/* ---- TIM-404, TIM-405 ---- */

RULE_CASE("TIM-404", accepts, released_when_accepted, "", { d->released_at_ms = d->accepted_at_ms; })
RULE_CASE("TIM-404", rejects, released_before_it_was_accepted, "", { d->released_at_ms = d->accepted_at_ms - 1; })
RULE_CASE("TIM-405", accepts, released_after_30_days, "", { d->released_at_ms = d->accepted_at_ms + 30 * DAY; })
RULE_CASE("TIM-405", warns, released_after_more_than_30_days, "",
          { d->released_at_ms = d->accepted_at_ms + 30 * DAY + 1; })

/* ---- TIM-406 ---- */

RULE_CASE("TIM-406", accepts, the_year_of_an_id_is_the_local_one, "", {
    d->declaration_id = TEXT("940720261000000001");
    d->reference_date = 20260101;
    d->accepted_at_ms = 1767196800000; /* 2025-12-31T16:00Z */
    RECORD = d->accepted_at_ms;
})
RULE_CASE("TIM-406", rejects, the_year_of_an_id_is_another, "", { d->declaration_id = TEXT("940720241000000001"); })
RULE_CASE("TIM-406", rejects, the_year_of_an_id_is_that_of_utc, "", {
    d->reference_date = 20260101;
    d->accepted_at_ms = 1767196800000;
    RECORD = d->accepted_at_ms;
})
RULE_CASE("TIM-406", accepts, an_mrn_of_the_year_before, "STR-016", {
    BASE(SCHEME_EU);
    sample.options.severity[RULE_STR_016] = SEVERITY_WARN;
    d->declaration_id = TEXT("24DE00245212345677");
})
RULE_CASE("TIM-406", rejects, an_mrn_two_years_old, "STR-016", {
    BASE(SCHEME_EU);
    sample.options.severity[RULE_STR_016] = SEVERITY_WARN;
    d->declaration_id = TEXT("23DE00245212345677");
})
RULE_CASE("TIM-406", accepts, another_scheme_has_no_year_in_its_id, "", { BASE(SCHEME_US); })

/* ---- TIM-408 ---- */

RULE_CASE("TIM-408", accepts, dated_the_day_before_acceptance, "", { d->reference_date = 20250614; })
RULE_CASE("TIM-408", accepts, dated_the_day_after_acceptance, "", { d->reference_date = 20250616; })
RULE_CASE("TIM-408", warns, dated_two_days_before_acceptance, "", { d->reference_date = 20250613; })
RULE_CASE("TIM-408", warns, dated_two_days_after_acceptance, "", { d->reference_date = 20250617; })
RULE_CASE("TIM-408", accepts, the_local_day_counts_not_that_of_utc, "", {
    d->reference_date = 20250617;
    d->accepted_at_ms = 1749960000000 + 12 * HOUR; /* 2025-06-16 00:00 in Shanghai */
    RECORD = d->accepted_at_ms;
})

/* ---- TIM-409 ---- */

#define PERIOD(from, to)                                                                                               \
    do {                                                                                                               \
        d->declaration_type = DECLARATION_TYPE_PERIODIC;                                                               \
        d->period_from = (from);                                                                                       \
        d->period_to = (to);                                                                                           \
    } while (0)

RULE_CASE("TIM-409", accepts, a_period_of_a_month, "", { PERIOD(20250516, 20250615); })
RULE_CASE("TIM-409", accepts, a_period_over_the_end_of_a_year, "", { PERIOD(20241215, 20250114); })
RULE_CASE("TIM-409", accepts, a_period_of_a_day, "", { PERIOD(20250601, 20250601); })
RULE_CASE("TIM-409", accepts, a_normal_declaration_has_no_period, "", {
    d->period_from = 20250601;
    d->period_to = 20250501;
})
RULE_CASE("TIM-409", rejects, a_period_of_a_month_and_a_day, "", { PERIOD(20250516, 20250616); })
RULE_CASE("TIM-409", rejects, a_period_of_a_month_and_a_day_over_a_year, "", { PERIOD(20241215, 20250115); })
RULE_CASE("TIM-409", rejects, a_period_that_ends_before_it_begins, "", { PERIOD(20250602, 20250601); })
RULE_CASE("TIM-409", rejects, a_period_from_no_day, "", { PERIOD(20250431, 20250501); })

/* ---- TIM-410 ---- */

RULE_CASE("TIM-410", accepts, crossed_150_days_after_release, "TIM-411", {
    sample_export(&sample, "940720250000000001", "1");
    d->freight_minor = 0;
    d->released_at_ms = d->accepted_at_ms;
    d->crossing_date = 20251112;
    RECORD = d->accepted_at_ms + 150 * DAY;
})
RULE_CASE("TIM-410", warns, crossed_151_days_after_release, "TIM-411", {
    sample_export(&sample, "940720250000000001", "1");
    d->freight_minor = 0;
    d->released_at_ms = d->accepted_at_ms;
    d->crossing_date = 20251113;
    RECORD = d->accepted_at_ms + 151 * DAY;
})
RULE_CASE("TIM-410", accepts, an_import_crosses_when_it_likes, "TIM-411", {
    d->released_at_ms = d->accepted_at_ms;
    d->crossing_date = 20251113;
    RECORD = d->accepted_at_ms + 151 * DAY;
})

/* ---- TIM-411 ---- */

RULE_CASE("TIM-411", accepts, recorded_just_before_the_month_closed, "", { RECORD = MONTH_CLOSES - 1; })
RULE_CASE("TIM-411", warns, recorded_when_the_month_closed, "", { RECORD = MONTH_CLOSES; })
RULE_CASE("TIM-411", warns, a_month_that_closes_at_its_end, "", {
    sample.options.provisional_days = 0;
    RECORD = MONTH_CLOSES - 5 * DAY;
})
RULE_CASE("TIM-411", accepts, a_cancel_without_date_is_not_late, "", {
    sample_cancel(&sample);
    RECORD = MONTH_CLOSES;
})

/* ---- TIM-412 ---- */

RULE_CASE("TIM-412", accepts, crosses_on_the_day_after_the_record, "", { d->crossing_date = 20250616; })
RULE_CASE("TIM-412", rejects, crosses_two_days_after_the_record, "", { d->crossing_date = 20250617; })

/* ---- late ---- */

static bool is_late(int64_t record, enum severity severity)
{
    static struct sample sample;
    sample_start(&sample, SCHEME_CN);
    sample.options.severity[RULE_TIM_411] = severity;
    sample.context.timestamp_ms = record;
    sample_judge(&sample);
    return sample.findings.late;
}

Test(judge_time, a_declaration_is_late_from_the_close_of_its_month_on)
{
    cr_expect_not(is_late(MONTH_CLOSES - 1, SEVERITY_WARN));
    cr_expect(is_late(MONTH_CLOSES, SEVERITY_WARN));
    cr_expect(is_late(MONTH_CLOSES, SEVERITY_OFF), "also where TIM-411 is off");
    cr_expect_not(is_late(INT64_MIN, SEVERITY_WARN));
    cr_expect(is_late(INT64_MAX, SEVERITY_WARN));
}

Test(judge_time, warnings_of_time_mark_no_items)
{
    static struct sample sample;
    sample_start(&sample, SCHEME_CN);
    sample.context.timestamp_ms = MONTH_CLOSES;
    sample_judge(&sample);

    cr_assert_eq(sample.findings.count, 1);
    cr_expect_not(sample.findings.warned_items);
}

/* The short way and the long way of judge_time.c must agree: a crossing date of the same day takes the long one only if it is later. */
Test(judge_time, summer_time_takes_the_long_way_to_the_same_findings)
{
    static struct sample sample;
    struct err_info info = {""};
    struct zone *zone = NULL;
    sample_start(&sample, SCHEME_EU);
    cr_assert_eq(zone_new("Europe/Berlin", &zone, &info), OK, "%s", info.text);
    sample.options.zone = zone;
    struct declaration *d = &sample.declaration;
    d->reference_date = 20250330;
    d->accepted_at_ms = 1743285600000; /* 2025-03-29T22:00Z, 23:00 of the eve */
    sample.context.timestamp_ms = d->accepted_at_ms;
    sample_judge(&sample);
    cr_expect_eq(sample.findings.count, 0);

    d->accepted_at_ms = 1743199200000; /* 2025-03-28T22:00Z: two days before */
    sample_judge(&sample);
    cr_expect(sample_found(&sample, "TIM-408"));

    sample.context.timestamp_ms = 1743890400000 - 1; /* 2025-04-05T22:00Z, 2025-04-06 00:00 in Berlin */
    sample_judge(&sample);
    cr_expect_not(sample.findings.late);
    sample.context.timestamp_ms++;
    sample_judge(&sample);
    cr_expect(sample.findings.late);
    zone_free(zone);
}
