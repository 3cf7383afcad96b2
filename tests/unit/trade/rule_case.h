/* SPDX-License-Identifier: Apache-2.0
 * rule_case.h - one accepting or rejecting case of a rule: a valid declaration, changed in one thing, judged.
 *
 * RULE_CASE("STR-006", rejects, version_zero, "", { d->version = 0; })
 *   outcome     accepts: nothing is found but the companions · rejects, warns, leaves_out, reclassifies: the rule is found with that
 * severity, and nothing but the companions beside it companions  codes that must be found as well, with blanks between d, item
 * the declaration (scheme CN, import) and its two items; BASE(SCHEME_EU) begins again with another scheme
 * tests/lint/rules.sh looks for these rows.
 */
#pragma once

#include "base/memory.h"
#include "trade/calendar.h"
#include "trade/rules.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#ifndef CASE_REFERENCE
#define CASE_REFERENCE NULL /* lists that come before those of all tests */
#endif

enum { CASE_ITEMS = 1100 };

struct sample {
    struct declaration declaration;
    struct item items[CASE_ITEMS];
    struct text texts[2];
    char id[DECLARATION_ID_BYTES];
    struct rules_context context;
    struct rules_options options;
    enum rule add; /* decided by the caller of rules_judge; RULE_COUNT = none */
    struct findings findings;
};

struct scheme_words {
    const char *reporter;
    const char *currency;
    const char *id;
    const char *office;
    const char *procedure;
    const char *hs_codes[2]; /* standard unit u, and kg */
};

static const struct scheme_words scheme_words[SCHEME_COUNT] = {
    [SCHEME_CN] = {"CN", "CNY", "940720251000000001", "9407", "1", {"8471300000", "7208510000"}},
    [SCHEME_EU] = {"DE", "EUR", "25DE00245212345677", "DE002452", "4000", {"8471300000", "7208510000"}},
    [SCHEME_EAEU] = {"KZ", "KZT", "55301/150625/0000001", "55301", "4000", {"8471300000", "7208510000"}},
    [SCHEME_US] = {"US", "USD", "ABC12345678", "2704", "01", {"8471300000", "7208510000"}},
    [SCHEME_KR] = {"KR", "KRW", "97061800", "020", "11", {"847130", "7208510000"}},
    [SCHEME_OTHER] = {"UZ", "UZS", "UZ-1", "1", "IM", {"84713000", "720851"}},
};

static inline struct reference *case_reference(void)
{
    struct err_info info = {""};
    struct reference *reference = NULL;
    enum err err = reference_load(CASE_REFERENCE, DRYPORT_SOURCE "/tests/data/reference", &reference, &info);
    cr_assert(err == OK, "%s", info.text);
    return reference;
}

/* In which days of a case begin and its months close: one for the process, which has but one case. */
static inline const struct zone *case_zone(void)
{
    static struct zone *zone;
    struct err_info info = {""};
    enum err err = zone ? OK : zone_new("Asia/Shanghai", &zone, &info);
    cr_assert(err == OK, "%s", info.text);
    return zone;
}

static inline struct item sample_item(const struct scheme_words *words, uint32_t number)
{
    struct item item = {
        .item_no = number + 1,
        .hs_code = text_of(words->hs_codes[number % 2]),
        .net_mass_mg = 25000000,
        .statistical_value_minor = 5000000,
        .origin_country = strcmp(words->reporter, "KZ") == 0 ? TEXT("CN") : TEXT("KZ"), /* no re-import */
        .procedure = text_of(words->procedure),
        .customs_value_minor = 5000000,
        .gross_mass_mg = 30000000,
        .invoice_value_minor = 4900000,
        .package_count = 2,
        .package_type = TEXT("BX"),
        .valuation_method = 1,
        .description = TEXT("goods of a test"),
    };
    if (number % 2 == 0) {
        item.supp_quantity_micro = 10000000;
        item.supp_unit = TEXT("H87");
    }
    return item;
}

/* A declaration of that scheme in which no rule finds anything. */
static inline void sample_start(struct sample *sample, enum scheme scheme)
{
    const struct scheme_words *words = &scheme_words[scheme];
    memset(sample, 0, sizeof *sample);
    sample->items[0] = sample_item(words, 0);
    sample->items[1] = sample_item(words, 1);
    sample->declaration = (struct declaration){
        .declaration_id = text_of(words->id),
        .version = 1,
        .function = FUNCTION_ORIGINAL,
        .direction = DIRECTION_IMPORT,
        .reference_date = 20250615,
        .office_code = text_of(words->office),
        .border_office_code = text_of(words->office),
        .border_transport_mode = 2,
        .trade_mode = scheme == SCHEME_CN ? TEXT("0110") : TEXT(""),
        .accepted_at_ms = 1749960000000,
        .item_count = 2,
        .total_gross_mass_mg = 60000000,
        .items = {sample->items, 2},
        .invoice_currency = text_of(words->currency),
        .fx_rate_e8 = 100000000,
        .schema_version = 1,
        .scheme = scheme,
        .reporter = text_of(words->reporter),
        .declaration_type = DECLARATION_TYPE_NORMAL,
        .status = STATUS_RELEASED,
        .submitted_at_ms = 1749950000000,
        .declarant_id = TEXT("DECLARANT-7"),
        .trader_id = TEXT("TRADER-9"),
        .dispatch_country = TEXT("KZ"),
        .trading_country = TEXT("KZ"),
        .inland_transport_mode = 3,
        .incoterm = TEXT("FOB"),
        .incoterm_place = TEXT("KZALA"),
        .invoice_total_minor = 9800000,
        .freight_minor = 100000,
        .freight_currency = text_of(words->currency),
        .reporting_currency = text_of(words->currency),
        .total_packages = 4,
    };
    sample->context.key = KEY_RIGHT;
    sample->context.timestamp_ms = 1749960000000;
    sample->add = RULE_COUNT;
    sample->options = rules_default_options(case_zone());
    snprintf(sample->options.reporter, sizeof sample->options.reporter, "%s", words->reporter);
    snprintf(sample->options.reporting_currency, sizeof sample->options.reporting_currency, "%s", words->currency);
}

/* Moves the declaration to noon of another day: date, acceptance, record and, in CN, the year of the id. */
static inline void sample_dated(struct sample *sample, uint32_t date)
{
    enum { YEAR_AT = 4 };
    struct declaration *d = &sample->declaration;
    d->reference_date = date;
    d->accepted_at_ms = zone_midnight_ms(case_zone(), calendar_day(date)) + 12 * 3600000;
    d->submitted_at_ms = d->accepted_at_ms - 60000;
    sample->context.timestamp_ms = d->accepted_at_ms;
    if (d->scheme != SCHEME_CN)
        return;
    memcpy(sample->id, d->declaration_id.data, d->declaration_id.length);
    for (uint32_t i = 4, year = date / 10000; i > 0; year /= 10)
        sample->id[YEAR_AT + --i] = (char)('0' + year % 10);
    d->declaration_id.data = sample->id;
}

/* `count` items, alternately of the two kinds, with the header's totals to match. */
static inline void sample_items(struct sample *sample, uint32_t count)
{
    struct declaration *d = &sample->declaration;
    for (uint32_t i = 0; i < count; i++) {
        sample->items[i] = sample_item(&scheme_words[d->scheme], i);
        sample->items[i].statistical_value_minor += i; /* no three are alike */
    }
    d->items.count = count;
    d->item_count = count;
    d->total_gross_mass_mg = count * 30000000ll;
    d->invoice_total_minor = count * 4900000ll;
    d->total_packages = count * 2;
}

static inline void sample_export(struct sample *sample, const char *id, const char *procedure)
{
    sample->declaration.declaration_id = text_of(id);
    sample->declaration.direction = DIRECTION_EXPORT;
    for (uint32_t i = 0; i < 2; i++) {
        sample->items[i].destination_country = TEXT("KZ");
        sample->items[i].procedure = text_of(procedure);
    }
}

/* A cancel with no more than it needs. */
static inline void sample_cancel(struct sample *sample)
{
    struct declaration *d = &sample->declaration;
    *d = (struct declaration){.declaration_id = d->declaration_id,
                              .version = 2,
                              .function = FUNCTION_CANCEL,
                              .accepted_at_ms = d->accepted_at_ms,
                              .schema_version = 1};
}

static inline void sample_lenient(struct sample *sample)
{
    sample->options.lenient = true;
    rules_default_severities(true, sample->options.severity);
}

static inline void sample_judge(struct sample *sample)
{
    struct err_info info = {""};
    struct rules *rules = NULL;
    struct reference *reference = case_reference();
    enum err err = rules_new(&sample->options, reference, &rules, &info);
    cr_assert(err == OK, "%s", info.text);
    rules_judge(rules, &sample->declaration, &sample->context, &sample->findings);
    if (sample->add != RULE_COUNT)
        rules_add(rules, &sample->findings, sample->add, -1, NULL);
    rules_free(rules);
    reference_free(reference);
}

static inline bool case_names(const char *codes, const char *code)
{
    struct text rest = text_of(codes);
    while (rest.length) {
        if (text_is(text_cut(&rest, ' '), code))
            return true;
    }
    return false;
}

static inline const struct finding *sample_found(const struct sample *sample, const char *code)
{
    for (uint32_t i = 0; i < sample->findings.count; i++) {
        if (strcmp(rule_rows[sample->findings.list[i].rule].code, code) == 0)
            return &sample->findings.list[i];
    }
    return NULL;
}

static inline void sample_expect(struct sample *sample, const char *code, const char *companions,
                                 enum severity severity)
{
    char path[64];
    sample_judge(sample);
    for (uint32_t i = 0; i < sample->findings.count; i++) {
        const struct finding *finding = &sample->findings.list[i];
        const char *found = rule_rows[finding->rule].code;
        bool expected = case_names(companions, found) || (severity != SEVERITY_OFF && strcmp(found, code) == 0);
        cr_expect(expected, "%s is found at %s", found, finding_path(finding, path, sizeof path));
    }
    struct text rest = text_of(companions);
    while (rest.length) {
        char companion[16];
        struct text word = text_cut(&rest, ' ');
        snprintf(companion, sizeof companion, "%.*s", TEXT_ARGS(word));
        cr_expect(sample_found(sample, companion), "%s is not found", companion);
    }
    if (severity == SEVERITY_OFF)
        return;
    const struct finding *finding = sample_found(sample, code);
    cr_expect(finding && finding->severity == severity, "%s is not found, or with another severity", code);
    cr_expect(severity != SEVERITY_REJECT || sample->findings.reject);
}

#define CASE_accepts SEVERITY_OFF
#define CASE_rejects SEVERITY_REJECT
#define CASE_warns SEVERITY_WARN
#define CASE_leaves_out SEVERITY_NOT_COUNTED
#define CASE_reclassifies SEVERITY_RECLASSIFY
#define BASE(scheme) sample_start(&sample, scheme)

#define RULE_CASE(code, outcome, name, companions, ...)                                                                \
    Test(rule, name)                                                                                                   \
    {                                                                                                                  \
        static struct sample sample;                                                                                   \
        struct declaration *const d = &sample.declaration;                                                             \
        struct item *const item = sample.items;                                                                        \
        (void)d;                                                                                                       \
        (void)item;                                                                                                    \
        BASE(SCHEME_CN);                                                                                               \
        __VA_ARGS__                                                                                                    \
        sample_expect(&sample, code, companions, CASE_##outcome);                                                      \
    }
