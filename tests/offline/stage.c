/* SPDX-License-Identifier: Apache-2.0 */
#include "offline/stage.h"

#include "base/check.h"
#include "base/hash.h"
#include "flow/floor.h"
#include "sim/storm.h"
#include "trade/reference_change.h"

#include <inttypes.h>

enum {
    TICK_MS = 10,
    QUIET_TICKS = 60,
    SETTLE_MS = 3600000, /* of virtual time: more is never */
    PIECE_MS = 1000,
    PIECES = 1000,
    ROUNDS_MOST = 1000000, /* of steps at one moment */
};

void stage_open(struct stage *stage, const struct assembly *assembly, int32_t partitions, int64_t now_ms)
{
    CHECK(partitions >= 1 && partitions <= STAGE_PARTITIONS_MOST);
    *stage = (struct stage){.assembly = assembly, .partitions = partitions, .seed = 1};
    stage->world = world_new(partitions, partitions);
    world_set_now(stage->world, now_ms);
}

void stage_close(struct stage *stage)
{
    stage_kill(stage);
    world_free(stage->world);
    stage->world = NULL;
    for (int i = 0; i < stage->reload_count; i++) {
        rules_free(stage->reloads[i].rules);
        reference_free(stage->reloads[i].reference);
    }
    stage->reload_count = 0;
}

/* ---- what it judges by ---- */

static struct ruleset ruleset_of(const struct stage *stage, const struct rules *rules,
                                 const struct reference *reference)
{
    struct engine_options engine = assemble_options(stage->assembly);
    engine.rules = rules;
    engine.reference = reference;
    return (struct ruleset){
        .plan_id = engine_plan_id(&engine),
        .rules = rules,
        .reference = reference,
        .serial = (uint64_t)stage->reload_count + 2, /* a process begins with 1 */
    };
}

static struct ruleset in_force(const struct stage *stage)
{
    return stage->reload_count ? stage->reloads[stage->reload_count - 1].ruleset
                               : ruleset_of(stage, stage->assembly->rules, stage->assembly->reference);
}

enum err stage_reload(struct stage *stage, const char *folder, struct err_info *info)
{
    const struct config *config = stage->assembly->config;
    struct ruleset now = in_force(stage);
    struct stage_lists lists = {0};
    CHECK(stage->reload_count < STAGE_RELOADS_MOST);
    enum err err = reference_load(folder, config->reference_dir, &lists.reference, info);
    if (err == OK)
        err = setup_rules(config, lists.reference, stage->assembly->zone, &lists.rules, info);
    if (err == OK)
        err = reference_may_follow(now.reference, lists.reference, info);
    if (err == OK)
        err = view_plan_groups_stay(&stage->assembly->plan, lists.reference, info);
    if (err != OK) {
        rules_free(lists.rules);
        reference_free(lists.reference);
        return err;
    }
    lists.ruleset = ruleset_of(stage, lists.rules, lists.reference);
    struct stage_lists *kept = &stage->reloads[stage->reload_count++];
    *kept = lists;
    if (stage->host)
        host_reload(stage->host, &kept->ruleset);
    return OK;
}

/* ---- the process ---- */

void stage_start(struct stage *stage)
{
    const struct config *config = stage->assembly->config;
    struct ruleset ruleset = in_force(stage);
    struct host_options options = {
        .rules = ruleset.rules,
        .reference = ruleset.reference,
        .plan = &stage->assembly->plan,
        .plan_id = ruleset.plan_id,
        .frame_interval_ms = config->frame_interval_ms,
        .idle_ms = config->time_idle_ms,
        .snapshot_bytes = stage->snapshot_bytes,
        .key_check = BATCH_KEY_ID,
        .partitions = stage->partitions,
        .statistics_partitions = stage->partitions,
        .seed = (uint64_t)stage->seed + stage->lives++,
        .reporter = config->reporter,
        .currency = config->reporting_currency,
        .event_bound_ms = config->time_future_bound_ms,
        .zone = stage->assembly->zone,
        .provisional_days = (int32_t)config->month_provisional_days,
        .final_months = (int32_t)config->month_final,
        .horizon_months = floor_horizon_months(config->ledger_horizon_days),
    };
    CHECK(!stage->host);
    stage->host = host_join(stage->world, &options, 1);
    stage->forward = (struct clock_forward){INT64_MIN};
    stage_set_clock(stage, 0);
    for (int32_t i = 0; i < stage->partitions; i++) {
        if (!stage->is_away[i])
            process_membership(host_process(stage->host), PORT_ASSIGNED, i);
    }
    host_step_main(stage->host);
    host_lead(stage->host, true);
}

void stage_kill(struct stage *stage)
{
    host_kill(stage->host);
    stage->host = NULL;
}

static void change(struct stage *stage, enum port_change change, int32_t partition)
{
    if (!stage->host)
        return;
    process_membership(host_process(stage->host), change, partition);
    host_step_main(stage->host);
}

void stage_take_away(struct stage *stage, int32_t partition)
{
    stage->is_away[partition] = true;
    change(stage, PORT_LOST, partition);
}

void stage_give_back(struct stage *stage, int32_t partition)
{
    stage->is_away[partition] = false;
    change(stage, PORT_ASSIGNED, partition);
}

/* ---- input ---- */

void stage_put(struct stage *stage, int32_t partition, struct bytes key, struct bytes value, int64_t timestamp_ms)
{
    struct world_record record = {.key = key, .value = value, .timestamp_ms = timestamp_ms};
    world_put(stage->world, PORT_DECLARATIONS, partition, &record);
}

int32_t stage_partition(const struct stage *stage, struct text id)
{
    return hash_partition(id.data, id.length, stage->partitions);
}

/* ---- time ---- */

/* As clock_forward_ms makes the port's time of wall and steady clock. */
void stage_set_clock(struct stage *stage, int64_t by_ms)
{
    int64_t wall_ms = world_now(stage->world) + by_ms;
    stage->set_ms += by_ms;
    world_set_now(stage->world, wall_ms);
    if (!stage->host)
        return;
    int64_t port_ms = clock_forward_take(&stage->forward, wall_ms, wall_ms - stage->set_ms);
    process_set_clock(host_process(stage->host), port_ms - wall_ms);
}

size_t stage_step(struct stage *stage, size_t most)
{
    size_t landed = 0;
    for (int round = 0; round < ROUNDS_MOST && landed < most; round++) {
        bool did = host_step_main(stage->host);
        did = host_step(stage->host) || did;
        size_t count = host_deliver(stage->host, most - landed);
        landed += count;
        if (!did && count == 0)
            break;
    }
    return landed;
}

void stage_pass(struct stage *stage, int64_t now_ms)
{
    int64_t piece_ms = (now_ms - world_now(stage->world)) / PIECES;
    piece_ms = piece_ms < PIECE_MS ? PIECE_MS : piece_ms;
    while (world_now(stage->world) < now_ms) {
        int64_t left_ms = now_ms - world_now(stage->world);
        world_set_now(stage->world, world_now(stage->world) + (left_ms < piece_ms ? left_ms : piece_ms));
        if (stage->host)
            stage_step(stage, SIZE_MAX);
    }
}

static bool is_settled(const struct stage *stage)
{
    for (int32_t i = 0; i < stage->partitions; i++) {
        const struct partition_status *status = host_status(stage->host, i);
        if (!stage->is_away[i] &&
            (counter_read(&status->phase) != PARTITION_RUNNING || counter_read(&status->unechoed_groups) > 0 ||
             counter_read(&status->position) < world_next(stage->world, PORT_DECLARATIONS, i)))
            return false;
    }
    return publisher_is_quiet(host_publisher(stage->host)) && counter_read(&host_published(stage->host)->is_publishing);
}

static enum err find_halt(struct stage *stage, struct err_info *info)
{
    for (int32_t i = 0; i < stage->partitions; i++) {
        const struct partition_status *status = host_status(stage->host, i);
        if (counter_read(&status->phase) == PARTITION_HALTED)
            return err_set(info, ERR_BROKEN, "partition %d halted: %s", i, status->reason);
    }
    return OK;
}

enum err stage_settle(struct stage *stage, struct err_info *info)
{
    if (!stage->host)
        return err_set(info, ERR_BROKEN, "no process lives");
    int64_t until_ms = world_now(stage->world) + SETTLE_MS;
    for (int quiet = 0; world_now(stage->world) < until_ms;) {
        if (stage_step(stage, SIZE_MAX) > 0)
            quiet = 0;
        TRY(find_halt(stage, info));
        quiet = is_settled(stage) ? quiet + 1 : 0;
        if (quiet > QUIET_TICKS)
            return OK;
        world_set_now(stage->world, world_now(stage->world) + TICK_MS);
    }
    return err_set(info, ERR_BROKEN, "not everything was counted and published within %d virtual seconds",
                   SETTLE_MS / 1000);
}

/* ---- what the journal says ---- */

enum err stage_fold(const struct stage *stage, int32_t partition, struct state *out, struct err_info *info)
{
    state_init(out, &stage->assembly->plan, 1);
    struct reader_rule *rule = reader_rule_new();
    int64_t first = world_first(stage->world, PORT_JOURNAL, partition);
    for (int64_t o = first; o < world_next(stage->world, PORT_JOURNAL, partition) && !rule->halted; o++) {
        struct frame frame;
        enum reader_branch branch = reader_rule_feed(rule, o, world_at(stage->world, PORT_JOURNAL, partition, o)->value,
                                                     state_fold, out, &frame);
        if (branch == READER_OPEN || branch == READER_OPEN_DISCARDS)
            state_take_open(out, &frame);
    }
    enum err err = OK;
    if (rule->halted)
        err = err_set(info, ERR_BROKEN, "journal %d: %s", partition, rule->why.text);
    reader_rule_free(rule);
    return err;
}
