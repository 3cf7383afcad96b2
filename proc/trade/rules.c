/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/rules.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/memory.h"
#include "trade/calendar.h"
#include "trade/judge.h"

#include <stdio.h>
#ifdef DRYPORT_MUTANTS
#include <stdlib.h>
#endif

const struct rule_row rule_rows[RULE_COUNT] = {
#define RULE(ident, code, group, severity, fields, text, needs, source)                                                \
    {code, GROUP_##group, SEVERITY_##severity, fields, text, needs, source},
#include "trade/rules.def"
};

const struct rule_reserved rules_reserved[RULES_RESERVED] = {
#define RESERVED(code, group, fields, text) {code, GROUP_##group, fields, text},
#include "trade/rules.def"
};

enum rule rule_by_code(struct text code)
{
    for (int rule = 0; rule < RULE_COUNT; rule++) {
        if (text_is(code, rule_rows[rule].code))
            return (enum rule)rule;
    }
    return RULE_COUNT;
}

void rules_default_severities(bool lenient, enum severity out[RULE_COUNT])
{
    for (int rule = 0; rule < RULE_COUNT; rule++)
        out[rule] = rule_rows[rule].severity;
    if (lenient) {
        out[RULE_STR_015] = SEVERITY_WARN;
        out[RULE_STR_016] = SEVERITY_WARN;
        out[RULE_STR_017] = SEVERITY_WARN;
    }
}

const char *severity_name(enum severity severity)
{
    static const char *const names[SEVERITIES] = {"off", "warn", "reject", "verdict", "not_counted", "reclassify"};
    return names[severity];
}

/* The first file in `needs` that reference.dir lacks; empty if all are there. */
static struct text lacking_file(const struct reference *reference, const char *needs)
{
    struct text rest = text_of(needs);
    while (rest.length) {
        struct text word = text_cut(&rest, ' ');
        for (int list = 0; list < REFERENCE_LISTS; list++) {
            if (text_is(word, reference_file((enum reference_list)list)) &&
                !reference_has(reference, (enum reference_list)list))
                return word;
        }
    }
    return (struct text){NULL, 0};
}

/* The setting without which the rule has nothing to say, NULL if there is none or it is so. */
static const char *lacking_setting(const struct rules_options *options, enum rule rule)
{
    if (rule == RULE_STA_805 && !options->special_trade)
        return "trade.system=special";
    if (rule == RULE_STA_809 && !options->nets_returns)
        return "count.returns=false";
    if (rule == RULE_CRE_305 && !(options->gift_regimes && *options->gift_regimes))
        return "rules.gift.regimes, which is not set";
    if (rule == RULE_HSC_611 && options->unspecified_value <= 0)
        return "rules.unspecified.value, which is not set";
    if (rule == RULE_HSC_613 && !(options->plant_documents && *options->plant_documents))
        return "rules.plant.documents, which is not set";
    return NULL;
}

/* In a build for scripts/rule_mutants.sh one rule, named by the environment, never fires: some test must notice. */
static bool is_mutant(const char *code)
{
#ifdef DRYPORT_MUTANTS
    const char *mutant = getenv("DRYPORT_MUTANT");
    return mutant && strcmp(mutant, code) == 0;
#else
    (void)code;
    return false;
#endif
}

/* Decides whether a rule is in force, and writes why if it is not. */
static void settle(struct rules *rules, const struct rules_options *options, enum rule rule)
{
    enum { REASON_BYTES = 128 };
    char reason[REASON_BYTES];
    struct text file = lacking_file(rules->reference, rule_rows[rule].needs);
    if (options->severity[rule] == SEVERITY_OFF && rule_rows[rule].severity == SEVERITY_OFF)
        snprintf(reason, sizeof reason, "off as shipped; rules.severity.%s=warn switches it on", rule_rows[rule].code);
    else if (options->severity[rule] == SEVERITY_OFF)
        snprintf(reason, sizeof reason, "set to off by rules.severity.%s", rule_rows[rule].code);
    else if (file.length)
        snprintf(reason, sizeof reason, "needs %.*s, which is not in reference.dir", TEXT_ARGS(file));
    else if (lacking_setting(options, rule))
        snprintf(reason, sizeof reason, "needs %s", lacking_setting(options, rule));
    else if (is_mutant(rule_rows[rule].code))
        snprintf(reason, sizeof reason, "disabled as a mutant");
    else {
        rules->severity[rule] = (uint8_t)options->severity[rule];
        return;
    }
    rules->severity[rule] = SEVERITY_OFF;
    rules->off_reason[rule] = memory_copy_text(reason, strlen(reason));
}

struct rules_options rules_default_options(const struct zone *zone)
{
    struct rules_options options = {
        .reporter = "CN",
        .reporting_currency = "CNY",
        .zone = zone,
        .provisional_days = 5,
        .future_bound_ms = 300000,
    };
    rules_default_severities(false, options.severity);
    return options;
}

/* Begin, close and digits of each month, so that a declaration pays for a look at one line. */
static void fill_months(struct rules *rules)
{
    enum { DAY_MS = 86400000 };
    for (uint32_t i = 0; i < MONTHS; i++) {
        uint32_t date = (MONTHS_YEAR_FIRST + i / 12) * 10000 + (i % 12 + 1) * 100 + 1;
        struct judge_month *month = &rules->months[i];
        month->first_day = calendar_day(date);
        month->days = calendar_month_last(date) % 100;
        month->begin_ms = zone_midnight_ms(rules->zone, month->first_day);
        month->close_ms = zone_month_close_ms(rules->zone, month->first_day, rules->provisional_days);
        for (uint32_t d = 1; d <= month->days; d++) {
            if (zone_midnight_ms(rules->zone, month->first_day + (int32_t)d) - month->begin_ms != (int64_t)d * DAY_MS)
                month->begin_ms = INT64_MIN;
        }
        for (uint32_t digit = 4, year = date / 10000; digit > 0; year /= 10)
            month->year[--digit] = (char)('0' + year % 10);
    }
}

static enum err read_words(const char *key, const char *list, struct judge_words *out, struct err_info *info)
{
    struct text rest = text_of(list);
    out->count = 0;
    while (rest.length) {
        struct text word = text_trim(text_cut(&rest, ','));
        uint64_t code = codes_key(word);
        if (code == 0 || out->count == JUDGE_WORDS_MOST)
            return err_set(info, ERR_CONFIG, "%s=%s: write up to %d codes of 1 to 8 bytes, separated by commas", key,
                           list, (int)JUDGE_WORDS_MOST);
        out->keys[out->count++] = code;
    }
    return OK;
}

/* Currency and thresholds in its minor units. */
static enum err settle_money(struct rules *rules, const struct rules_options *options, struct err_info *info)
{
    uint32_t decimals = 0;
    struct text currency = text_of(options->reporting_currency);
    rules->yuan = text_is(currency, "CNY");
    if (reference_currency_minor(rules->reference, currency, &decimals)) {
        rules->minor_per_unit = 1;
        while (decimals-- > 0)
            rules->minor_per_unit *= 10;
    }
    if (options->unspecified_value > 0 && rules->minor_per_unit == 0)
        return err_set(info, ERR_CONFIG,
                       "rules.unspecified.value: currencies.csv does not say how many decimals %s has",
                       options->reporting_currency);
    if (__builtin_mul_overflow(options->new_origin_value, rules->minor_per_unit, &rules->new_origin_minor))
        rules->new_origin_minor = INT64_MAX;
    rules->unspecified_minor = (i128)options->unspecified_value * rules->minor_per_unit;
    TRY(read_words("rules.gift.regimes", options->gift_regimes, &rules->gift_regimes, info));
    return read_words("rules.plant.documents", options->plant_documents, &rules->plant_documents, info);
}

static uint64_t hash_of(const struct rules *rules)
{
    uint64_t hash = hash_words2(rules->reporter_key, rules->reporting_currency_key, rules->lenient);
    hash = hash_words2(hash, rules->late_out, (uint64_t)(uint32_t)rules->final_months);
    hash = hash_bytes(rules->status_outside, sizeof rules->status_outside, hash + rules->leaves_banknotes);
    hash = hash_words2(hash, (uint64_t)rules->future_bound_ms,
                       (uint64_t)rules->date_first << 32 | (uint32_t)rules->provisional_days);
    hash = hash_bytes(zone_name(rules->zone), strlen(zone_name(rules->zone)), hash);
    hash = hash_words2(hash, (uint64_t)(rules->unspecified_minor >> 64), (uint64_t)rules->unspecified_minor);
    hash = hash_words2(hash, (uint64_t)rules->new_origin_minor, 0);
    hash = hash_bytes(rules->gift_regimes.keys, rules->gift_regimes.count * sizeof(uint64_t), hash);
    hash = hash_bytes(rules->plant_documents.keys, rules->plant_documents.count * sizeof(uint64_t), hash + 1);
    for (int rule = 0; rule < RULE_COUNT; rule++) {
        hash = hash_bytes(rule_rows[rule].code, strlen(rule_rows[rule].code), hash);
        hash = hash_bytes(&rules->severity[rule], 1, hash);
    }
    return hash;
}

enum err rules_new(const struct rules_options *options, const struct reference *reference, struct rules **out,
                   struct err_info *info)
{
    if (lists_letters2(text_of(options->reporter)) == CODE_NONE)
        return err_set(info, ERR_CONFIG, "reporter=%s is no country code; write two capital letters, as CN",
                       options->reporter);
    if (lists_letters3(text_of(options->reporting_currency)) == CODE_NONE)
        return err_set(info, ERR_CONFIG,
                       "reporting.currency=%s is no currency code; write three capital letters, as CNY",
                       options->reporting_currency);
    if (options->month_first && !calendar_is_date(options->month_first * 100 + 1))
        return err_set(info, ERR_CONFIG, "month.first=%u is no month; write yyyymm, as 202001, or 0 for none",
                       options->month_first);
    for (int rule = 0; rule < RULE_COUNT; rule++) {
        if ((options->severity[rule] == SEVERITY_VERDICT) != (rule_rows[rule].severity == SEVERITY_VERDICT))
            return err_set(info, ERR_CONFIG,
                           "rules.severity.%s: this rule is a verdict (%s), its severity can't be set",
                           rule_rows[rule].code, rule_rows[rule].text);
        bool apart = options->severity[rule] >= SEVERITY_NOT_COUNTED || rule_rows[rule].group == GROUP_STA;
        if (apart && options->severity[rule] != rule_rows[rule].severity && options->severity[rule] != SEVERITY_OFF)
            return err_set(info, ERR_CONFIG, "rules.severity.%s: a rule of STA decides what counts; it can be off",
                           rule_rows[rule].code);
    }
    struct rules *rules = memory_new(1, sizeof *rules);
    rules->reference = reference;
    rules->lenient = options->lenient;
    rules->reporter_key = codes_key(text_of(options->reporter));
    rules->reporting_currency_key = codes_key(text_of(options->reporting_currency));
    rules->reporter_stands = lists_country(reference, text_of(options->reporter));
    rules->reporting_currency_stands =
        reference->currency[lists_letters3(text_of(options->reporting_currency))] == CURRENCY_MONTH_NEVER;
    CHECK(options->zone != NULL);
    rules->zone = options->zone;
    rules->provisional_days = options->provisional_days;
    rules->date_first = options->month_first ? options->month_first * 100 + 1 : 0;
    rules->future_bound_ms = options->future_bound_ms;
    rules->late_out = options->late_out;
    rules->final_months = options->late_out ? options->final_months : 0;
    enum err err = settle_money(rules, options, info);
    if (err != OK) {
        rules_free(rules);
        return err;
    }
    fill_months(rules);
    for (int rule = 0; rule < RULE_COUNT; rule++)
        settle(rules, options, (enum rule)rule);
    judge_statistics_prepare(rules, options);
    rules->hash = hash_of(rules);
    *out = rules;
    return OK;
}

void rules_free(struct rules *rules)
{
    if (!rules)
        return;
    for (int rule = 0; rule < RULE_COUNT; rule++)
        memory_free(rules->off_reason[rule]);
    memory_free(rules);
}

const char *rules_off_reason(const struct rules *rules, enum rule rule)
{
    CHECK(rule < RULE_COUNT);
    return rules->off_reason[rule];
}

enum severity rules_severity(const struct rules *rules, enum rule rule)
{
    CHECK(rule < RULE_COUNT);
    return (enum severity)rules->severity[rule];
}

uint64_t rules_hash(const struct rules *rules)
{
    return rules->hash;
}

int64_t rules_new_origin_minor(const struct rules *rules)
{
    return rules->new_origin_minor;
}

bool rules_counts_yuan(const struct rules *rules)
{
    return rules->yuan;
}

void findings_clear(struct findings *findings)
{
    findings->count = 0;
    findings->unkept = 0;
    findings->reject = false;
    findings->warned_items = false;
    findings->apart = false;
    findings->not_counted = false;
    findings->late = false;
}

static bool warns_items(enum rule rule)
{
    enum rule_group group = rule_rows[rule].group;
    return group == GROUP_STR || group == GROUP_COD || group == GROUP_ARI || group == GROUP_CRE || group == GROUP_HSC ||
           group == GROUP_ECM;
}

/* Drops the last warning or what else is no reject. False: there is none. */
static bool drop_warning(struct findings *findings)
{
    uint32_t at = findings->count;
    while (at > 0 && findings->list[at - 1].severity == SEVERITY_REJECT)
        at--;
    if (at == 0)
        return false;
    memmove(&findings->list[at - 1], &findings->list[at], (findings->count - at) * sizeof findings->list[0]);
    findings->count--;
    return true;
}

/* Keeps findings in rule order; those of one rule in the order in which they came. Warnings make room for rejects: what
 * is rejected always says why. */
static void keep(struct findings *findings, struct finding finding)
{
    findings->reject |= finding.severity == SEVERITY_REJECT;
    findings->warned_items |= finding.severity == SEVERITY_WARN && warns_items((enum rule)finding.rule);
    if (findings->count == FINDINGS_MOST) {
        findings->unkept++;
        if (finding.severity != SEVERITY_REJECT || !drop_warning(findings))
            return;
    }
    uint32_t at = findings->count++;
    for (; at > 0 && findings->list[at - 1].rule > finding.rule; at--)
        findings->list[at] = findings->list[at - 1];
    findings->list[at] = finding;
}

static void add(const struct rules *rules, struct findings *findings, enum rule rule, uint8_t severity_most,
                int32_t item, const char *field)
{
    CHECK(rule < RULE_COUNT);
    uint8_t severity = rules->severity[rule];
    if (severity == SEVERITY_OFF || severity == SEVERITY_VERDICT)
        return;
    if (severity == SEVERITY_REJECT)
        severity = severity_most;
    keep(findings, (struct finding){.rule = (uint16_t)rule, .severity = severity, .item = item, .field = field});
}

void rules_add(const struct rules *rules, struct findings *findings, enum rule rule, int32_t item, const char *field)
{
    add(rules, findings, rule, SEVERITY_REJECT, item, field);
}

void findings_tell(struct findings *findings, enum rule rule, const char *field)
{
    for (uint32_t i = 0; i < findings->count; i++) {
        if (findings->list[i].rule == rule)
            return;
    }
    if (findings->count == FINDINGS_MOST)
        drop_warning(findings);
    keep(findings, (struct finding){.rule = (uint16_t)rule, .severity = SEVERITY_WARN, .item = -1, .field = field});
}

bool rules_late_out(const struct rules *rules)
{
    return rules->late_out;
}

bool rules_is_final(const struct rules *rules, int32_t day, int64_t timestamp_ms)
{
    return timestamp_ms >= zone_month_final_ms(rules->zone, day, rules->final_months);
}

void rules_add_mild(const struct rules *rules, struct findings *findings, enum rule rule, int32_t item,
                    const char *field)
{
    add(rules, findings, rule, rules->lenient ? SEVERITY_WARN : SEVERITY_REJECT, item, field);
}

/* One walk over the items for what several rules need. A figure of 0 becomes negative when 1 is taken off: so one sign bit
 * tells whether every item has its part. */
static struct judge_items look_over(const struct item *items, uint32_t count)
{
    struct judge_items all = {0};
    uint64_t bits = 0;
    uint64_t gross_bits = 0;
    int64_t gross_lack = 0;
    uint64_t net_mg = 0;
    uint64_t gross_mg = 0;
    int64_t trifle = 0;
    int64_t same = 0;
    uint64_t value_minor = 0;
    uint32_t numbers = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct item *t = &items[i];
        numbers |= t->item_no ^ (i + 1);
        net_mg += (uint64_t)t->net_mass_mg;
        gross_mg += (uint64_t)t->gross_mass_mg;
        bits |= (uint64_t)(t->net_mass_mg | t->invoice_value_minor | t->statistical_value_minor |
                           t->customs_value_minor | t->supp_quantity_micro | t->second_quantity_micro);
        gross_bits |= (uint64_t)t->gross_mass_mg;
        gross_lack |= (int64_t)((uint64_t)t->gross_mass_mg - 1);
        value_minor += (uint64_t)t->statistical_value_minor;
        trifle |= (int64_t)((uint64_t)t->statistical_value_minor - 2);
        same |= (int64_t)((uint64_t)(t->gross_mass_mg ^ t->net_mass_mg) - 1);
    }
    all.ordinary = (bits | gross_bits) >> ORDINARY_BITS == 0;
    all.counted = numbers == 0;
    all.gross_all = gross_lack >= 0;
    all.gross_any = gross_bits != 0;
    all.trifle = trifle < 0; /* for what is negative too: who asks looks again */
    all.net_is_gross = same < 0;
    all.value_minor = (int64_t)value_minor;
    all.net_mg = (int64_t)net_mg;
    all.gross_mg = (int64_t)gross_mg;
    return all;
}

/* The month of a date, NULL if the table does not reach there. */
static inline const struct judge_month *month_of(const struct rules *rules, uint32_t date)
{
    uint32_t month = date / 100;
    uint32_t year = month / 100;
    month -= year * 100;
    return year - MONTHS_YEAR_FIRST < MONTHS / 12 && month - 1 < 12
               ? &rules->months[(year - MONTHS_YEAR_FIRST) * 12 + month - 1]
               : NULL;
}

void rules_judge(const struct rules *rules, const struct declaration *declaration, const struct rules_context *context,
                 struct findings *out)
{
    findings_clear(out);
    uint32_t items = declaration_items_kept(declaration);
    uint32_t date = declaration->reference_date;
    const struct judge_month *month = month_of(rules, date);
    bool is_date = month ? date % 100 - 1 < month->days : calendar_is_counted(date);
    const struct judge judge = {
        .rules = rules,
        .reference = rules->reference,
        .declaration = declaration,
        .context = context,
        .findings = out,
        .items = items,
        .all = look_over(declaration->items.items, items),
        .date = is_date ? date : 0,
        .regime =
            declaration->scheme == SCHEME_CN ? lists_regime(rules->reference, SCHEME_CN, declaration->trade_mode) : 0,
        .month = is_date ? month : NULL,
        .cancel = declaration->function == FUNCTION_CANCEL,
        .import = declaration->direction == DIRECTION_IMPORT,
        .export = declaration->direction == DIRECTION_EXPORT,
    };
    judge_structure(&judge);
    judge_codes(&judge);
    judge_arithmetic(&judge);
    judge_rate(&judge);
    judge_credible(&judge);
    out->late = judge_time(&judge);
    judge_hs(&judge);
    judge_commerce(&judge);
    if (!out->reject)
        judge_statistics(&judge);
}

const char *finding_path(const struct finding *finding, char *out, size_t bytes)
{
    const char *field = finding->field ? finding->field : "-";
    if (finding->item < 0)
        snprintf(out, bytes, "%s", field);
    else if (finding->field)
        snprintf(out, bytes, "items[%d].%s", finding->item, field);
    else
        snprintf(out, bytes, "items[%d]", finding->item);
    return out;
}
