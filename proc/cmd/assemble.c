/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/assemble.h"

#include "cmd/stop.h"
#include "flow/hours.h"
#include "ops/log.h"

#include <stdio.h>

/* Rules whose findings protect the ledger and the tables themselves: they always reject. */
static const enum rule locked[] = {RULE_STR_001, RULE_STR_002, RULE_STR_004, RULE_STR_006, RULE_STR_009,
                                   RULE_STR_010, RULE_STR_013, RULE_STR_014, RULE_VER_502, RULE_LED_901};

static enum err check_locked(const struct rules *rules, struct err_info *info)
{
    for (size_t i = 0; i < sizeof locked / sizeof locked[0]; i++) {
        if (rules_severity(rules, locked[i]) != SEVERITY_REJECT)
            return err_set(info, ERR_CONFIG,
                           "rules.severity.%s: this rule keeps the tables sound and always rejects; remove the key",
                           rule_rows[locked[i]].code);
    }
    return OK;
}

/* Where a view's groups, or the view, were set. */
static const char *origin_of_groups(const struct config *config, const struct view_plan *plan)
{
    const char *origin = "views";
    for (size_t i = 0; i < config->views.count; i++) {
        struct text option = text_of(config->views.pairs[i].key);
        int32_t view = view_plan_find(plan, text_cut(&option, '.'));
        if (view >= 0 && plan->views[view].is_grouped && (option.length == 0 || text_is(option, "groups")))
            origin = config->views.pairs[i].origin;
    }
    return origin;
}

/* `view.NAME` defines, `view.NAME.OPTION` sets an option; definitions come first, wherever they stand. */
enum err assemble_views(const struct config *config, const struct reference *reference, struct view_plan *out,
                        struct err_info *info)
{
    *out = (struct view_plan){0};
    for (size_t i = 0; i < config->views.count; i++) {
        const struct config_pair *pair = &config->views.pairs[i];
        if (strchr(pair->key, '.'))
            continue;
        enum err err = view_plan_add(out, text_of(pair->key), text_of(pair->value), info);
        if (err != OK)
            return err_prefix(info, err, "%s", pair->origin);
    }
    if (out->count == 0)
        view_plan_default(out);
    for (size_t i = 0; i < config->views.count; i++) {
        const struct config_pair *pair = &config->views.pairs[i];
        struct text option = text_of(pair->key);
        struct text name = text_cut(&option, '.');
        if (option.length == 0)
            continue;
        enum err err = view_plan_option(out, name, option, text_of(pair->value), info);
        if (err != OK)
            return err_prefix(info, err, "%s", pair->origin);
    }
    enum err err = reference ? view_plan_groups(out, reference, info) : OK;
    if (err != OK)
        return err_prefix(info, err, "%s", origin_of_groups(config, out));
    view_plan_finish(out);
    return OK;
}

/* Days are summed of hours only where each hour is of one day. */
static enum err check_hours(const struct view_plan *plan, const struct zone *zone, struct err_info *info)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct view *view = &plan->views[i];
        if (view->grain == GRAIN_HOUR && view_publishes(view, PERIOD_7D) && !hours_are_of_days(zone))
            return err_set(
                info, ERR_CONFIG,
                "view.%s.publish: 7d in a view by hour needs a time zone of whole hours, and days of %s begin "
                "within an hour of UTC, in which record keys name hours; leave 7d out, or take it from a view "
                "by day",
                view->name, zone_name(zone));
    }
    return OK;
}

enum err assemble(struct assembly *out, const struct config *config, bool demo, struct err_info *info)
{
    *out = (struct assembly){.config = config};
    setup_kafka(config, 0, &out->kafka);
    out->kafka.is_member = config->role != CONFIG_ROLE_PUBLISH;
    out->kafka.wants_lease = config->role == CONFIG_ROLE_PUBLISH;
    out->kafka.log = assemble_kafka_log;
    out->stamp = setup_reference_stamp(config);
    TRY(demo ? setup_reference_demo(config, &out->reference, info) : setup_reference(config, &out->reference, info));
    TRY(setup_zone(config, &out->zone, info));
    TRY(setup_rules(config, out->reference, out->zone, &out->rules, info));
    TRY(check_locked(out->rules, info));
    TRY(assemble_views(config, out->reference, &out->plan, info));
    TRY(check_hours(&out->plan, out->zone, info));
    return client_check(&out->kafka, info);
}

void assemble_fini(struct assembly *assembly)
{
    rules_free(assembly->rules);
    zone_free(assembly->zone);
    reference_free(assembly->reference);
    setup_kafka_fini(&assembly->kafka);
}

struct engine_options assemble_options(const struct assembly *assembly)
{
    return (struct engine_options){
        .config = assembly->config,
        .kafka = &assembly->kafka,
        .reference = assembly->reference,
        .zone = assembly->zone,
        .rules = assembly->rules,
        .plan = &assembly->plan,
        .stop_requested = stop_requested,
        .stopping = stop_at_next,
    };
}

static enum err load_lists(const struct config *config, const struct zone *zone, struct reference **out_reference,
                           struct rules **out_rules, struct err_info *info)
{
    struct reference *reference;
    struct rules *rules = NULL;
    TRY(setup_reference(config, &reference, info));
    enum err err = setup_rules(config, reference, zone, &rules, info);
    if (err == OK)
        err = check_locked(rules, info);
    if (err != OK) {
        rules_free(rules);
        reference_free(reference);
        return err;
    }
    *out_reference = reference;
    *out_rules = rules;
    return OK;
}

struct engine_options assemble_options_with_reload(const struct assembly *assembly)
{
    struct engine_options options = assemble_options(assembly);
    options.reload = (struct engine_reload){
        .load = load_lists,
        .stamp = setup_reference_stamp,
        .requested = stop_hangup_came,
        .loaded_stamp = assembly->stamp,
    };
    return options;
}

void assemble_kafka_log(void *context, enum kafka_severity severity, const char *event, const char *text)
{
    static const enum log_level levels[] = {[KAFKA_ERROR] = LOG_LEVEL_ERROR,
                                            [KAFKA_WARNING] = LOG_LEVEL_WARN,
                                            [KAFKA_INFO] = LOG_LEVEL_INFO,
                                            [KAFKA_DEBUG] = LOG_LEVEL_DEBUG};
    (void)context;
    log_event(levels[severity], event, LOG_NONE, "%s", text);
}
