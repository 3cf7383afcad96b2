/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists that are read again while the process runs: when main is asked for it (SIGHUP), and when their files change. What is read is
 * checked as a whole and taken as a whole; or refused as a whole, and the lists of before stay in force.
 *
 * Main makes rules and lists, gives them to workers and publisher through their rings, and frees the older ones when all threads have said
 * that they use them no more. The http thread sees counters and one text.
 */
#include "base/clock.h"
#include "base/memory.h"
#include "engine_inside.h"
#include "ops/log.h"
#include "trade/reference_change.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    LOOK_EACH_MS = 2000, /* a file that is being written is another one at the next look, and waits */
    ALIVE_MOST = 8,      /* rulesets; a worker that can't seal keeps its own for a while */
};

static int64_t steady_ms(void)
{
    return clock_steady_ns() / 1000000;
}

static void put_in_force(struct engine *engine, struct rules *rules, struct reference *reference)
{
    struct engine_options options = engine->options;
    struct ruleset_owned *owned = memory_new(1, sizeof *owned);
    struct ruleset_owned *older = engine->rulesets;
    if (rules) {
        options.rules = rules;
        options.reference = reference;
    }
    *owned = (struct ruleset_owned){
        .ruleset = {.plan_id = engine_plan_id(&options),
                    .rules = options.rules,
                    .reference = options.reference,
                    .serial = older ? older->ruleset.serial + 1 : 1},
        .rules = rules,
        .reference = reference,
        .older = older,
    };
    engine->rulesets = owned;
    counter_set(&engine->plan_id, (int64_t)owned->ruleset.plan_id);
    counter_set(&engine->lists_ms, clock_wall_ms());
}

void engine_reload_init(struct engine *engine)
{
    put_in_force(engine, NULL, NULL);
    engine->stamp = engine->options.reload.loaded_stamp;
    engine->stamp_seen = engine->stamp;
    engine->stamp_ms = steady_ms();
}

static void free_from(struct ruleset_owned **place)
{
    while (*place) {
        struct ruleset_owned *owned = *place;
        *place = owned->older;
        rules_free(owned->rules);
        reference_free(owned->reference);
        memory_free(owned);
    }
}

void engine_reload_fini(struct engine *engine)
{
    free_from(&engine->rulesets);
}

/* Gives back what no thread uses any more. Returns how many are left. */
static int32_t free_unused(struct engine *engine)
{
    uint64_t least = roster_reloaded(engine->roster);
    struct ruleset_owned *owned = engine->rulesets;
    int32_t left = 1;
    while (owned->ruleset.serial > least && owned->older) {
        owned = owned->older;
        left++;
    }
    if (owned->older && engine_query_may_free(engine)) {
        free_from(&owned->older);
        engine_query_freed(engine);
    }
    return left;
}

static void note_result(struct engine *engine, enum reload result, const char *trouble)
{
    counter_add(&engine->reloads[result], 1);
    counter_set(&engine->lists_are_refused, result == RELOAD_REFUSED);
    pthread_mutex_lock(&engine->lock);
    snprintf(engine->lists_trouble, sizeof engine->lists_trouble, "%s", trouble);
    pthread_mutex_unlock(&engine->lock);
}

static bool is_unchanged(const struct ruleset *now, const struct reference *reference, const struct rules *rules)
{
    return reference_hash(now->reference) == reference_hash(reference) && rules_hash(now->rules) == rules_hash(rules);
}

static void reload(struct engine *engine)
{
    const struct ruleset *now = &engine->rulesets->ruleset;
    struct err_info info = {{0}};
    struct reference *reference = NULL;
    struct rules *rules = NULL;
    enum err err = engine->options.reload.load(engine->options.config, engine->options.zone, &reference, &rules, &info);
    if (err == OK)
        err = reference_may_follow(now->reference, reference, &info);
    if (err == OK)
        err = view_plan_groups_stay(engine->options.plan, reference, &info);
    if (err == OK && !is_unchanged(now, reference, rules)) {
        put_in_force(engine, rules, reference);
        roster_reload(engine->roster, &engine->rulesets->ruleset);
        note_result(engine, RELOAD_APPLIED, "");
        char plan[24];
        snprintf(plan, sizeof plan, "%016" PRIx64, engine->rulesets->ruleset.plan_id);
        log_event(LOG_LEVEL_INFO, "lists_reloaded", LOG_FIELDS(log_text("plan", plan)),
                  "other lists are in force: each partition judges by them from its next group on");
        return;
    }
    rules_free(rules);
    reference_free(reference);
    if (err == OK) {
        note_result(engine, RELOAD_UNCHANGED, "");
        log_event(LOG_LEVEL_INFO, "lists_unchanged", LOG_NONE, "the lists were read again and decide nothing else");
    } else {
        note_result(engine, RELOAD_REFUSED, info.text);
        log_event(LOG_LEVEL_ERROR, "lists_refused", LOG_NONE, "%s; the lists of before stay in force", info.text);
    }
}

/* The files are others than those that were read last, and have not changed since the last look. */
static bool files_have_changed(struct engine *engine)
{
    int64_t now_ms = steady_ms();
    if (!engine->options.config->reference_watch || now_ms - engine->stamp_ms < LOOK_EACH_MS)
        return false;
    engine->stamp_ms = now_ms;
    uint64_t stamp = engine->options.reload.stamp(engine->options.config);
    bool stands_still = stamp == engine->stamp_seen;
    engine->stamp_seen = stamp;
    return stands_still && stamp != engine->stamp;
}

void engine_reload_step(struct engine *engine)
{
    if (!engine->options.reload.load)
        return;
    int32_t alive = free_unused(engine);
    if (engine->options.reload.requested())
        engine->reload_waits = true;
    if (files_have_changed(engine))
        engine->reload_waits = true;
    if (!engine->reload_waits || alive >= ALIVE_MOST)
        return;
    engine->reload_waits = false;
    engine->stamp =
        engine->options.reload.stamp(engine->options.config); /* before they are read: a later write is seen */
    reload(engine);
}
