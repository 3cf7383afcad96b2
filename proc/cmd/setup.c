/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/setup.h"

#include "base/memory.h"
#include "cmd/nearest.h"

#include <stdio.h>

enum { PATH_BYTES = 4096 };

static enum err load(const struct config *config, const char *below, struct reference **out, struct err_info *info)
{
    char installed[PATH_BYTES];
    bool has_installed = config_installed_lists(installed, sizeof installed);
    bool has_own = config->reference_dir[0] != 0;
    if (!has_installed && (!has_own || below))
        return err_set(info, ERR_CONFIG,
                       "no code lists are installed beside this program; set reference.dir to a folder with them");
    if (!below)
        return reference_load(has_own ? config->reference_dir : installed, has_own && has_installed ? installed : NULL,
                              out, info);
    char folder[PATH_BYTES + 16];
    snprintf(folder, sizeof folder, "%s/%s", installed, below);
    return reference_load(folder, installed, out, info);
}

enum err setup_reference(const struct config *config, struct reference **out, struct err_info *info)
{
    return load(config, NULL, out, info);
}

uint64_t setup_reference_stamp(const struct config *config)
{
    char installed[PATH_BYTES];
    bool has_installed = config_installed_lists(installed, sizeof installed);
    bool has_own = config->reference_dir[0] != 0;
    return reference_stamp(has_own ? config->reference_dir : installed, has_own && has_installed ? installed : NULL);
}

enum err setup_reference_demo(const struct config *config, struct reference **out, struct err_info *info)
{
    struct reference *reference;
    TRY(load(config, NULL, &reference, info));
    if (reference_has(reference, REFERENCE_HS2022)) {
        *out = reference;
        return OK;
    }
    reference_free(reference);
    return load(config, "demo", out, info);
}

enum err setup_zone(const struct config *config, struct zone **out, struct err_info *info)
{
    return zone_new(config->timezone, out, info);
}

static enum err set_severity(const struct config_pair *pair, enum severity *severities, struct err_info *info)
{
    struct text code = text_of(pair->key);
    enum rule rule = rule_by_code(code);
    for (int i = 0; i < RULES_RESERVED; i++) {
        if (text_is(code, rules_reserved[i].code))
            return err_set(info, ERR_CONFIG,
                           "%s: rules.severity.%s: this code is reserved, it never fires; remove the key", pair->origin,
                           pair->key);
    }
    if (rule == RULE_COUNT) {
        struct nearest nearest = nearest_to(code);
        for (int i = 0; i < RULE_COUNT; i++)
            nearest_try(&nearest, text_of(rule_rows[i].code));
        char hint[NEAREST_TEXT_BYTES];
        return err_set(info, ERR_CONFIG, "%s: rules.severity.%s: there is no such rule%s", pair->origin, pair->key,
                       nearest_hint(&nearest, hint));
    }
    if (rule_rows[rule].severity == SEVERITY_VERDICT)
        return err_set(info, ERR_CONFIG,
                       "%s: rules.severity.%s: this rule is a verdict of the ledger and always in force", pair->origin,
                       pair->key);
    struct text value = text_of(pair->value);
    if (rule_rows[rule].group == GROUP_STA && !text_is(value, "off"))
        return err_set(
            info, ERR_CONFIG,
            "%s: rules.severity.%s: a rule of STA decides what counts, it neither rejects nor warns; it can be off",
            pair->origin, pair->key);
    /* what follows from the version before it is seen when the declaration is counted already */
    if (rule_rows[rule].severity == SEVERITY_WARN && strcmp(rule_rows[rule].needs, "ledger") == 0 &&
        text_is(value, "reject"))
        return err_set(info, ERR_CONFIG,
                       "%s: rules.severity.%s: this rule compares with the version before and can warn or be off",
                       pair->origin, pair->key);
    if (strcmp(rule_rows[rule].needs, "cross-id") == 0 && text_is(value, "reject"))
        return err_set(
            info, ERR_CONFIG,
            "%s: rules.severity.%s: this rule compares with other declarations of its partition and can warn or be off",
            pair->origin, pair->key);
    severities[rule] = text_is(value, "reject") ? SEVERITY_REJECT
                       : text_is(value, "warn") ? SEVERITY_WARN
                                                : SEVERITY_OFF;
    return OK;
}

static enum err rules_options_of(const struct config *config, const struct zone *zone, struct rules_options *out,
                                 struct err_info *info)
{
    *out = (struct rules_options){
        .lenient = config->rules_profile == CONFIG_RULES_LENIENT,
        .zone = zone,
        .provisional_days = (int32_t)config->month_provisional_days,
        .month_first = (uint32_t)config->month_first,
        .future_bound_ms = config->time_future_bound_ms,
        .late_out = config->late_policy == CONFIG_LATE_OUT,
        .final_months = (int32_t)config->month_final,
        .gift_regimes = config->rules_gift_regimes,
        .plant_documents = config->rules_plant_documents,
        .unspecified_value = config->rules_unspecified_value,
        .new_origin_value = config->rules_new_origin_value,
    };
    rules_default_severities(out->lenient, out->severity);
    for (size_t i = 0; i < config->severities.count; i++)
        TRY(set_severity(&config->severities.pairs[i], out->severity, info));
    snprintf(out->reporter, sizeof out->reporter, "%s", config->reporter);
    snprintf(out->reporting_currency, sizeof out->reporting_currency, "%s", config->reporting_currency);
    static const enum count_status statuses[] = {[CONFIG_COUNT_BY_SCHEME] = COUNT_BY_SCHEME,
                                                 [CONFIG_COUNT_ACCEPTED] = COUNT_ACCEPTED,
                                                 [CONFIG_COUNT_RELEASED] = COUNT_RELEASED};
    out->count_status = statuses[config->count_status];
    out->special_trade = config->trade_system == CONFIG_TRADE_SPECIAL;
    out->nets_returns = !config->count_returns;
    out->leaves_banknotes = !config->count_banknotes;
    return OK;
}

enum err setup_rules(const struct config *config, const struct reference *reference, const struct zone *zone,
                     struct rules **out, struct err_info *info)
{
    struct rules_options options;
    TRY(rules_options_of(config, zone, &options, info));
    return rules_new(&options, reference, out, info);
}

static int decimals(const void *self, struct text currency)
{
    uint32_t found;
    return reference_currency_minor(self, currency, &found) ? (int)found : -1;
}

struct mapping_currencies setup_currencies(const struct reference *reference)
{
    return (struct mapping_currencies){decimals, reference};
}

static size_t add_settings(struct kafka_setting *out, const struct config_list *list, enum kafka_scope scope)
{
    for (size_t i = 0; i < list->count; i++)
        out[i] = (struct kafka_setting){scope, list->pairs[i].key, list->pairs[i].value, list->pairs[i].origin};
    return list->count;
}

void setup_kafka(const struct config *config, int64_t timeout_ms, struct kafka_options *out)
{
    size_t count = config->kafka.count + config->kafka_consumer.count + config->kafka_producer.count;
    struct kafka_setting *settings = memory_new(count + 1, sizeof *settings);
    size_t at = add_settings(settings, &config->kafka, KAFKA_BOTH);
    at += add_settings(settings + at, &config->kafka_consumer, KAFKA_CONSUMER);
    add_settings(settings + at, &config->kafka_producer, KAFKA_PRODUCER);
    *out = (struct kafka_options){
        .brokers = config->brokers,
        .group = config->group,
        .topics = {[PORT_DECLARATIONS] = config->topic_declarations,
                   [PORT_JOURNAL] = config->topic_journal,
                   [PORT_STATISTICS] = config->topic_statistics,
                   [PORT_REJECTS] = config->topic_rejects},
        .settings = settings,
        .setting_count = count,
        .topics_create = config->topics_create,
        .partitions = (int32_t)config->topics_partitions,
        .replication = (int32_t)config->topics_replication,
        .timestamp_trust = config->input_timestamp_trust,
        .timeout_ms = timeout_ms,
    };
}

void setup_kafka_fini(struct kafka_options *options)
{
    memory_free((void *)(uintptr_t)options->settings);
    options->settings = NULL;
}
