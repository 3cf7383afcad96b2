/* SPDX-License-Identifier: Apache-2.0
 * report_fixture.h - records as the topic has them, and reports of them as text.
 */
#pragma once

#include "query/presentation.h"

#include "customs/v1/statistic.pb-c.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static struct records *records;
static struct reference *reference;
static struct summary *summary;
static struct err_info info;
static struct summary_request request;

static inline void report_setup(void)
{
    records = records_new("v");
    summary = NULL;
    request = (struct summary_request){.by = ""};
    cr_assert_eq(reference_load(DRYPORT_SOURCE "/deploy/reference", NULL, &reference, &info), OK, "%s", info.text);
}

static inline void report_teardown(void)
{
    summary_free(summary);
    records_free(records);
    reference_free(reference);
}

struct given {
    const char *key;
    int64_t value_minor;
    int64_t net_mass_g;
    uint64_t declarations; /* 0: no items either */
    uint64_t as_of;        /* 0: 1 */
    int64_t quantity_micro;
    const char *unit;
    Customs__V1__Flow flow;
    const char *group;
};

static inline void give(const struct given *given)
{
    Customs__V1__Statistic m = CUSTOMS__V1__STATISTIC__INIT;
    char currency[] = "CNY";
    char reporter[] = "CN";
    char unit[8];
    char group[32];
    uint8_t bytes[512];
    bool month = strstr(given->key, "|MONTH|") != NULL;
    const char *dates = strchr(strchr(given->key, '|') + 1, '|') + 1;
    m.frequency = month ? CUSTOMS__V1__FREQUENCY__FREQUENCY_MONTH : CUSTOMS__V1__FREQUENCY__FREQUENCY_DAY;
    m.period_from = (uint32_t)strtoul(dates, NULL, 10);
    m.period_to = (uint32_t)strtoul(dates + 9, NULL, 10);
    m.currency = currency;
    m.reporter = reporter;
    m.value_minor = given->value_minor;
    m.net_mass_g = given->net_mass_g;
    m.gross_mass_g = given->net_mass_g * 2;
    m.supp_quantity_micro = given->quantity_micro;
    snprintf(unit, sizeof unit, "%s", given->unit ? given->unit : "");
    snprintf(group, sizeof group, "%s", given->group ? given->group : "");
    m.supp_unit = unit;
    m.partner_group = group;
    m.flow = given->flow;
    m.declarations = given->declarations;
    m.items = given->declarations * 2;
    m.as_of = given->as_of ? given->as_of : 1;
    size_t length = customs__v1__statistic__pack(&m, bytes);
    cr_assert(records_take(records, text_of(given->key), (struct bytes){bytes, length}, m.as_of));
}

static inline void set_window(const char *period)
{
    cr_assert(window_read(text_of(period), &request.window));
}

/* The summary of the request; its error. */
static inline enum err make(const char *by, const char *period)
{
    request.by = by;
    request.reference = reference;
    set_window(period);
    summary_free(summary);
    summary = NULL;
    return summary_make(records, &request, &summary, &info);
}

static inline void expect_print(void (*print)(const struct summary *, const struct presentation *, FILE *),
                                const char *show, const char *expected)
{
    struct presentation_options options = {.show = show};
    struct presentation presentation;
    char *text = NULL;
    size_t length = 0;
    cr_assert_eq(presentation_read(&options, &presentation, &info), OK, "%s", info.text);
    presentation.currency = "CNY";
    presentation.decimals = 2;
    FILE *out = open_memstream(&text, &length);
    print(summary, &presentation, out);
    fclose(out);
    cr_assert_str_eq(text, expected, "%s", text);
    free(text);
}
