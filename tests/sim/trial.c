/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/trial.h"

#include "base/memory.h"
#include "flow/skip.h"
#include "sim/dates.h"
#include "sim/heir.h"
#include "sim/views.h"
#include "sim/weather.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    TICK_EACH = 8,    /* steps between two looks of the group */
    READ_EACH = 16,   /* steps between two readings of witnesses and consumers */
    BURST_MOST = 24,  /* appends that land at once */
    HEAL_MS = 240000, /* virtual time in which all must be well again */
    STRAYS_SHARE = 64,
    HEAL_ROUNDS = 200000,
    QUIET_MS = 1500, /* nothing changes for so long: it is over */
    CALM_TICK_MS = 20,
    CORRUPT_SEEDS = 30, /* one of so many seeds ends with a corrupt journal */
    CORRUPT_MS = 8000,
    SPOIL_REST = 15, /* of a seed over CORRUPT_SEEDS: a record of its journal can't be read any more */
    REBASE_TRIES = 40,
    REBASE_PAUSE_MS = 3000,
    DISTURB_ROUNDS = 400, /* of CALM_TICK_MS: a member comes back, and its partitions are given out again */
    DAYS_LEAST = 20,      /* of a story that spans months */
    DAYS_MOST = 600,
    EVENT_BOUND_MS = 300000,
    FINALE_STEPS = 400,
    FINALE_VACANT = 100, /* ticks, as long as about half of those steps */
};

#define CLOCKS_APART_MS (2 * DATES_DAY_MS) /* more than weather.c sets any */
#define START_MS 1752800000000

/* Other numbers for the same views, one view less, one that is new. */
static enum err lenient_views(const struct reference *reference, struct view_plan *out, struct err_info *info)
{
    static const char *const views[][2] = {
        {"partner_flow", "partner,flow@month"},
        {"commodity", "hs6,partner,flow@month"},
        {"flow", "flow@day"},
        {"office", "office,border_office,zone,flow,mode@day"},
        {"trade_mode", "office,zone,trade_mode,flow@day"},
        {"partner", "partner,flow,mode@month"},
        {"chapter", "hs2,partner,flow@month"},
        {"commodity_office", "hs6,office,flow@month"},
    };
    *out = (struct view_plan){0};
    for (size_t i = 0; i < sizeof views / sizeof views[0]; i++)
        TRY(view_plan_add(out, text_of(views[i][0]), text_of(views[i][1]), info));
    return views_publish(RECOUNT_LENIENT, reference, out, info);
}

enum err scene_load(const char *reference_dir, const char *other_dir, struct scene *out, struct err_info *info)
{
    *out = (struct scene){0};
    TRY(reference_load(reference_dir, NULL, &out->references[RECOUNT_OLD_LISTS], info));
    TRY(reference_load(other_dir, reference_dir, &out->references[RECOUNT_NEW_LISTS], info));
    TRY(zone_new("Asia/Shanghai", &out->zone, info));
    struct rules_options options = rules_default_options(out->zone);
    options.future_bound_ms =
        INT64_MAX; /* the story's clocks run ahead: what is counted must bound event time all the same */
    for (int lists = 0; lists < RECOUNT_LISTS; lists++)
        TRY(rules_new(&options, out->references[lists], &out->rules[RECOUNT_DEFAULT][lists], info));
    options.severity[RULE_HSC_604] = SEVERITY_WARN;
    for (int lists = 0; lists < RECOUNT_LISTS; lists++)
        TRY(rules_new(&options, out->references[lists], &out->rules[RECOUNT_LENIENT][lists], info));
    view_plan_default(&out->plans[RECOUNT_DEFAULT]);
    TRY(views_publish(RECOUNT_DEFAULT, out->references[RECOUNT_OLD_LISTS], &out->plans[RECOUNT_DEFAULT], info));
    return lenient_views(out->references[RECOUNT_OLD_LISTS], &out->plans[RECOUNT_LENIENT], info);
}

void scene_free(struct scene *scene)
{
    for (int i = 0; i < RECOUNT_PLANS * RECOUNT_LISTS; i++)
        rules_free(scene->rules[i / RECOUNT_LISTS][i % RECOUNT_LISTS]);
    zone_free(scene->zone);
    for (int i = 0; i < RECOUNT_LISTS; i++)
        reference_free(scene->references[i]);
}

/* ---- begin and end ---- */

/* A process as it is started with one of the plans; one world of four seals slices all the time. */
static void choose_options(struct trial *trial)
{
    struct dice *dice = &trial->dice;
    bool snaps = dice_luck(dice, 2500);
    struct host_options options = {
        .frame_interval_ms = snaps ? dice_between(dice, 5, 30) : dice_between(dice, 10, 250),
        .idle_ms = dice_between(dice, 0, 1) * dice_between(dice, 20, 2000),
        .snapshot_bytes = snaps || dice_luck(dice, 6000) ? dice_between(dice, 1, snaps ? 1 : 4000) : INT64_MAX,
        .key_check = BATCH_KEY_ID,
        .partitions = trial->partitions,
        .statistics_partitions = trial->statistics_partitions,
        .reporter = "CN",
        .currency = "CNY",
        .event_bound_ms = EVENT_BOUND_MS,
        .zone = trial->scene->zone,
        .provisional_days = trial->months.provisional_days,
        .final_months = (int32_t)trial->months.final_months,
        .horizon_months = trial->horizon_months,
    };
    for (int i = 0; i < RECOUNT_PLANS * RECOUNT_LISTS; i++) {
        int plan = i / RECOUNT_LISTS;
        int lists = i % RECOUNT_LISTS;
        options.rules = trial->scene->rules[plan][lists];
        options.reference = trial->scene->references[lists];
        options.plan = &trial->scene->plans[plan];
        options.plan_id = recount_plan_id((enum recount_plan)plan, (enum recount_lists)lists);
        trial->options[plan][lists] = options;
    }
}

static void begin(struct trial *trial, bool faults, bool traced)
{
    struct dice *dice = &trial->dice;
    trial->partitions = (int32_t)dice_between(dice, 1, 4);
    trial->statistics_partitions = (int32_t)dice_between(dice, 1, 3);
    uint32_t ids = (uint32_t)dice_between(dice, 4, 40);
    uint32_t records = (uint32_t)dice_between(dice, 10, 160);
    trial->steps = (uint32_t)dice_between(dice, 400, 2400);
    trial->tick_ms = dice_between(dice, 1, 30);
    int64_t days = dice_luck(dice, 5000) ? dice_between(dice, DAYS_LEAST, DAYS_MOST) : 0;
    trial->months = (struct consumer_months){STORY_PROVISIONAL_DAYS, (uint32_t)dice_between(dice, 1, 3)};
    trial->horizon_months = days && dice_luck(dice, 6000) ? (int32_t)dice_between(dice, 1, 2) : 0;
    choose_options(trial);
    trial->world = world_new(trial->partitions, trial->statistics_partitions);
    world_keep_strays(trial->world);
    world_set_now(trial->world, START_MS);
    trial->story = story_new(dice, trial->partitions, ids, records, days);
    trial->cluster = (struct cluster){
        .world = trial->world,
        .options = trial->options,
        .dice = dice,
        .member_count = (int32_t)dice_between(dice, 1, CLUSTER_MEMBERS_MOST),
        .workers = (int32_t)dice_between(dice, 1, HOST_WORKERS_MOST),
        .partitions = trial->partitions,
        .session_ms = dice_between(dice, 500, 6000),
        .release_ms = dice_between(dice, 1000, 8000),
        .is_traced = traced,
        .happened = trial->happened,
    };
    weather_begin(trial, faults);
    for (int32_t i = 0; i < trial->partitions; i++)
        trial->witnesses[i] = witness_new(trial->world, trial->story, trial->scene->plans, trial->partitions, i,
                                          trial->horizon_months, traced);
    trial->consumers[trial->consumer_count++] = consumer_new(trial->world, trial->statistics_partitions, trial->months);
    cluster_init(&trial->cluster);
}

static void finish(struct trial *trial)
{
    cluster_fini(&trial->cluster);
    for (int32_t i = 0; i < trial->consumer_count; i++)
        consumer_free(trial->consumers[i]);
    for (int32_t i = 0; i < trial->partitions; i++)
        witness_free(trial->witnesses[i]);
    story_free(trial->story);
    world_free(trial->world);
    buffer_fini(&trial->why);
}

static bool failed(const struct trial *trial)
{
    return trial->why.length > 0;
}

/* ---- steps ---- */

static void pass_time(struct trial *trial, int64_t ms)
{
    world_set_now(trial->world, world_now(trial->world) + ms);
}

static void step_somebody(struct trial *trial)
{
    struct cluster *cluster = &trial->cluster;
    int32_t member = (int32_t)dice_below(&trial->dice, (uint64_t)cluster->member_count);
    int32_t thread = (int32_t)dice_below(&trial->dice, (uint64_t)cluster_threads(cluster));
    if (cluster_is_running(cluster, member))
        cluster_step(cluster, member, thread);
}

/* What a process has in flight lands whether it is paused or not. */
static void deliver_some(struct trial *trial)
{
    struct cluster *cluster = &trial->cluster;
    int32_t number = (int32_t)dice_below(&trial->dice, (uint64_t)cluster->member_count);
    if (!cluster->members[number].host || weather_is_away(trial) ||
        world_now(trial->world) < cluster->members[number].cut_off_until_ms)
        return;
    struct process *process = host_process(cluster->members[number].host);
    int32_t lane = (int32_t)dice_below(&trial->dice, (uint64_t)cluster->workers + 1);
    for (uint32_t burst = 1 + dice_below(&trial->dice, BURST_MOST); burst > 0; burst--) {
        size_t queued = process_queued(process, lane);
        if (queued == 0)
            return;
        size_t index = dice_below(&trial->dice, queued);
        process_meet(process, lane, index, weather_fate(trial, process_topic(process, lane, index), number));
    }
}

static void read_logs(struct trial *trial)
{
    if (trial->cluster.wrong.length)
        buffer_add(&trial->why, trial->cluster.wrong.data, trial->cluster.wrong.length);
    for (int32_t i = 0; i < trial->partitions && !failed(trial); i++)
        witness_read(trial->witnesses[i], &trial->why);
    for (int32_t i = 0; i < trial->consumer_count; i++) {
        consumer_read(trial->consumers[i], 1 + (int64_t)dice_below(&trial->dice, 200));
        struct bytes wrong = consumer_wrong(trial->consumers[i]);
        if (wrong.length && !failed(trial))
            buffer_add(&trial->why, wrong.data, wrong.length);
    }
}

static void run(struct trial *trial)
{
    int32_t partition;
    for (uint32_t step = 0; step < trial->steps && !failed(trial); step++) {
        step_somebody(trial);
        if (dice_luck(&trial->dice, 6000))
            deliver_some(trial);
        if (dice_luck(&trial->dice, 1000)) {
            weather_input(trial);
            story_tell(trial->story, trial->world, &partition);
        }
        weather_step(trial);
        if (step % TICK_EACH == 0)
            cluster_tick(&trial->cluster);
        if (step % READ_EACH == 0)
            read_logs(trial);
        pass_time(trial, dice_between(&trial->dice, 0, 2 * trial->tick_ms));
    }
}

/* The input ends while two begin to publish: nothing that is published later covers up what they write. */
static void finale(struct trial *trial)
{
    int32_t partition;
    if (failed(trial) || !weather_rivals(trial, FINALE_VACANT * trial->tick_ms))
        return;
    while (story_tell(trial->story, trial->world, &partition))
        ;
    for (uint32_t step = 0; step < FINALE_STEPS && !failed(trial); step++) {
        step_somebody(trial);
        if (dice_luck(&trial->dice, 3000))
            deliver_some(trial);
        if (step % TICK_EACH == 0)
            cluster_tick(&trial->cluster);
        if (step % READ_EACH == 0)
            read_logs(trial);
        pass_time(trial, dice_between(&trial->dice, 0, trial->tick_ms));
    }
}

/* ---- healing ---- */

static bool step_all(struct trial *trial)
{
    struct cluster *cluster = &trial->cluster;
    bool did = false;
    for (int32_t i = 0; i < cluster->member_count; i++) {
        for (int32_t thread = 0; thread < cluster_threads(cluster) && cluster_is_running(cluster, i); thread++)
            did = cluster_step(cluster, i, thread) || did;
    }
    return did;
}

static bool deliver_all(struct trial *trial)
{
    struct cluster *cluster = &trial->cluster;
    bool did = false;
    for (int32_t i = 0; i < cluster->member_count; i++) {
        for (int32_t lane = 0; lane <= cluster->workers && cluster->members[i].host; lane++) {
            while (process_deliver(host_process(cluster->members[i].host), lane))
                did = true;
        }
    }
    return did;
}

/* One now and then; of a publisher's thousands that are on their way a share. */
static bool land_strays(struct trial *trial)
{
    bool did = false;
    size_t strays = world_strays(trial->world);
    for (size_t most = strays / STRAYS_SHARE + 1; strays && most > 0; most--) {
        if (dice_luck(&trial->dice, 3000))
            did = world_stray(trial->world, dice_below(&trial->dice, strays--), dice_luck(&trial->dice, 7000)) || did;
    }
    return did;
}

/* Steps, deliveries and time without faults until `ms` have passed in which nothing was done, at most `most_ms` in all. */
static bool settle(struct trial *trial, int64_t ms, int64_t most_ms)
{
    int64_t until_ms = world_now(trial->world) + most_ms;
    int64_t quiet_ms = 0;
    for (int rounds = 0; rounds < HEAL_ROUNDS && world_now(trial->world) < until_ms && !failed(trial); rounds++) {
        cluster_tick(&trial->cluster);
        bool did = step_all(trial);
        did = deliver_all(trial) || did;
        did = land_strays(trial) || did;
        read_logs(trial);
        pass_time(trial, did ? 1 : CALM_TICK_MS);
        struct buffer why = {0};
        quiet_ms = !did && cluster_is_settled(&trial->cluster, &why) ? quiet_ms + CALM_TICK_MS : 0;
        buffer_fini(&why);
        if (quiet_ms > ms)
            return true;
    }
    return false;
}

static void heal(struct trial *trial)
{
    int32_t partition;
    weather_end(trial);
    trial->cluster.is_calm = true;
    while (story_tell(trial->story, trial->world, &partition))
        ;
    if (settle(trial, QUIET_MS, HEAL_MS) || failed(trial))
        return;
    struct buffer why = {0};
    cluster_is_settled(&trial->cluster, &why);
    buffer_add_format(&trial->why, "it does not come to rest: %.*s", (int)why.length, (const char *)why.data);
    buffer_fini(&why);
}

/* ---- verdict ---- */

static bool is_listed(const struct recount_reject *rejects, size_t count, const char *key, int32_t partition)
{
    char should[128];
    for (size_t i = 0; i < count; i++) {
        int length =
            snprintf(should, sizeof should, "customs.declarations/%" PRId32 "/%" PRId64, partition, rejects[i].offset);
        if (rejects[i].index >= 0)
            snprintf(should + length, sizeof should - (size_t)length, "/%" PRId32, rejects[i].index);
        if (strcmp(should, key) == 0)
            return true;
    }
    return false;
}

static bool is_in_topic(const struct trial *trial, int32_t partition, const struct recount_reject *reject)
{
    for (int64_t offset = world_next(trial->world, PORT_REJECTS, 0) - 1; offset >= 0; offset--) {
        char key[128];
        struct bytes bytes = world_at(trial->world, PORT_REJECTS, 0, offset)->key;
        snprintf(key, sizeof key, "%.*s", (int)bytes.length, (const char *)bytes.data);
        if (is_listed(reject, 1, key, partition))
            return true;
    }
    return false;
}

static void check_rejects(struct trial *trial)
{
    for (int32_t p = 0; p < trial->partitions; p++) {
        size_t count;
        const struct recount_reject *rejects = witness_rejects(trial->witnesses[p], &count);
        for (size_t i = 0; i < count && !failed(trial); i++) {
            if (!is_in_topic(trial, p, &rejects[i]))
                buffer_add_format(&trial->why,
                                  "the reject of partition %d offset %" PRId64 " index %d is listed and not in "
                                  "topic.rejects",
                                  p, rejects[i].offset, rejects[i].index);
        }
    }
}

static int64_t last_record(const struct trial *trial, int32_t partition)
{
    int64_t next = world_next(trial->world, PORT_DECLARATIONS, partition);
    while (next > world_first(trial->world, PORT_DECLARATIONS, partition) &&
           world_is_hole(trial->world, PORT_DECLARATIONS, partition, next - 1))
        next--;
    return next;
}

/* Who starts now finds all that was counted. */
static void check_heir(struct trial *trial, const struct recount *recount, int32_t partition)
{
    enum recount_plan plan = trial->cluster.plan;
    struct buffer why = {0};
    if (!heir_agrees(trial->world, recount, &trial->scene->plans[plan], recount_plan_id(plan, RECOUNT_OLD_LISTS),
                     partition, &why))
        buffer_add_format(&trial->why, "who reads journal %d from offset %" PRId64 " on: %.*s", partition,
                          world_first(trial->world, PORT_JOURNAL, partition), (int)why.length, (const char *)why.data);
    buffer_fini(&why);
}

/* The publisher's is at least the least of the partitions that are not idle, and never was more than any event. */
static struct consumer_watermark find_watermark(const struct trial *trial)
{
    struct consumer_watermark found = {INT64_MAX, INT64_MIN};
    for (int32_t p = 0; p < trial->partitions; p++) {
        int64_t event_ms = witness_event_ms(trial->witnesses[p]);
        found.most_ms = event_ms > found.most_ms ? event_ms : found.most_ms;
        if (!witness_is_idle(trial->witnesses[p]) && event_ms < found.least_ms)
            found.least_ms = event_ms;
    }
    if (found.least_ms == INT64_MAX)
        found.least_ms = found.most_ms;
    if (found.least_ms != INT64_MIN)
        found.least_ms -= EVENT_BOUND_MS;
    return found;
}

/* All input is accepted, and every consumer holds what the recount says. */
/* Rolling windows end no day before the watermark, and not in a future that neither events nor any clock have reached. */
static void check_today(struct trial *trial, uint32_t today, bool is_day)
{
    struct consumer_watermark watermark = find_watermark(trial);
    int64_t now_ms = world_now(trial->world) + CLOCKS_APART_MS;
    uint32_t least = dates_of_ms(watermark.least_ms);
    uint32_t most = dates_of_ms(watermark.most_ms > now_ms ? watermark.most_ms : now_ms);
    if (today && !failed(trial) && (today < least || (is_day ? today > most : today / 100 > most / 100)))
        buffer_add_format(&trial->why, "rolling windows end on %" PRIu32 ", the watermark is of %" PRIu32, today,
                          least);
}

/* The last 24 hours end in no hour before the watermark, and not in a future that neither events nor any clock have reached. */
static void check_hour(struct trial *trial, int64_t hour)
{
    struct consumer_watermark watermark = find_watermark(trial);
    int64_t now_ms = world_now(trial->world) + CLOCKS_APART_MS;
    int64_t most_ms = watermark.most_ms > now_ms ? watermark.most_ms : now_ms;
    if (hour != RECOUNT_NO_HOUR && !failed(trial) &&
        (hour < watermark.least_ms / DATES_HOUR_MS || hour > most_ms / DATES_HOUR_MS))
        buffer_add_format(&trial->why, "the last 24 hours end in hour %" PRId64 ", the watermark is of %" PRId64, hour,
                          (int64_t)(watermark.least_ms / DATES_HOUR_MS));
}

/* Whether all consumers, and `fresh`, hold what the recount has when rolling windows end on that day. */
static bool all_agree(struct trial *trial, const struct recount *recount, const struct consumer *fresh,
                      struct recount_now now, struct buffer *why)
{
    struct cells *cells = recount_cells(recount, trial->cluster.plan, now);
    bool agrees = true;
    for (int32_t i = 0; i <= trial->consumer_count && agrees; i++) {
        const struct consumer *consumer = i < trial->consumer_count ? trial->consumers[i] : fresh;
        struct buffer what = {0};
        agrees = consumer_agrees(consumer, cells, find_watermark(trial), &what);
        buffer_clear(why);
        if (!agrees)
            buffer_add_format(why, "consumer %d%s holds %.*s", i, consumer == fresh ? " (a new one)" : "",
                              (int)what.length, (const char *)what.data);
        buffer_fini(&what);
    }
    cells_free(cells);
    return agrees;
}

/* Where no window of days tells the day, it may be any of its month. */
static void check_cells(struct trial *trial, const struct recount *recount, const struct consumer *fresh)
{
    bool is_day;
    uint32_t today = consumer_today(fresh, &is_day);
    uint32_t first = is_day || !today ? today : today / 100 * 100 + 1;
    struct buffer why = {0};
    bool agrees = false;
    int64_t hour = consumer_hour(fresh);
    check_today(trial, today, is_day);
    check_hour(trial, hour);
    for (uint32_t day = first; day <= today && !agrees && !failed(trial); day++)
        agrees = all_agree(trial, recount, fresh, (struct recount_now){day, hour}, &why);
    if (!agrees && !failed(trial))
        buffer_add(&trial->why, why.data, why.length);
    buffer_fini(&why);
}

static void check_totals(struct trial *trial)
{
    struct recount *recount = recount_new(trial->story, trial->partitions, trial->horizon_months);
    for (int32_t p = 0; p < trial->partitions && !failed(trial); p++) {
        int64_t next = last_record(trial, p);
        if (witness_hi(trial->witnesses[p]) < next)
            buffer_add_format(&trial->why, "journal %d accepted %" PRId64 " of %" PRId64, p,
                              witness_hi(trial->witnesses[p]), next);
        if (trial->low[p])
            recount_skip(recount, p, trial->low[p]);
        witness_recount(trial->witnesses[p], recount);
        check_heir(trial, recount, p);
    }
    for (int32_t i = 0; i < trial->consumer_count; i++)
        consumer_read(trial->consumers[i], INT64_MAX);
    for (int32_t i = 0; i < trial->statistics_partitions; i++)
        world_compact(trial->world, PORT_STATISTICS, i, world_next(trial->world, PORT_STATISTICS, i), INT64_MAX);
    struct consumer *fresh = consumer_new(trial->world, trial->statistics_partitions, trial->months);
    consumer_read(fresh, INT64_MAX);
    check_cells(trial, recount, fresh);
    consumer_free(fresh);
    recount_free(recount);
}

/* ---- a corrupt journal at the end ---- */

/* A record that is no frame halts its partition in every process, and all publishing; the other partitions go on. */
static void corrupt_journal(struct trial *trial, int32_t victim)
{
    struct cluster *cluster = &trial->cluster;
    struct world_record garbage = {.value = {(const uint8_t *)"no frame", 8}};
    world_put(trial->world, PORT_JOURNAL, victim, &garbage);
    cluster_note(cluster, HAPPENED_CORRUPTED, NOBODY, victim);
    int64_t until_ms = world_now(trial->world) + CORRUPT_MS;
    bool restarts = dice_luck(&trial->dice, 5000);
    if (restarts)
        cluster_kill(cluster, cluster->seats[victim].owner, 0);
    for (int32_t i = 0; i < cluster->member_count; i++)
        cluster->members[i].mend_ms = INT64_MAX; /* no operator helps */
    while (world_now(trial->world) < until_ms) {
        cluster_tick(cluster);
        for (int32_t i = 0; i < cluster->member_count; i++)
            cluster->members[i].mend_ms = INT64_MAX;
        bool did = step_all(trial);
        did = deliver_all(trial) || did;
        pass_time(trial, did ? 1 : CALM_TICK_MS);
    }
    for (int32_t p = 0; p < trial->partitions && !failed(trial); p++) {
        const struct seat *seat = &cluster->seats[p];
        const struct partition_status *status = host_status(cluster->members[seat->owner].host, p);
        enum partition_phase phase = (enum partition_phase)counter_read(&status->phase);
        if (phase != (p == victim ? PARTITION_HALTED : PARTITION_RUNNING))
            buffer_add_format(&trial->why, "partition %d is %s after the journal of %d was corrupted; %s", p,
                              partition_phase_name(phase), victim, status->reason);
    }
    for (int32_t i = 0; i < cluster->member_count && !failed(trial); i++) {
        if (counter_read(&host_published(cluster->members[i].host)->is_publishing))
            buffer_add_format(&trial->why, "member %d publishes though journal %d is corrupt", i, victim);
    }
    struct buffer why = {0};
    if (!failed(trial) && witness_read(trial->witnesses[victim], &why))
        buffer_add_format(&trial->why, "the reader rule does not halt at a record that is no frame");
    buffer_fini(&why);
}

/* ---- an operator's rebase ---- */

static uint64_t roll(void *context)
{
    return dice_roll(context);
}

static void disturb(struct trial *trial, int32_t victim)
{
    int32_t owner = trial->cluster.seats[victim].owner;
    if (owner == NOBODY || !cluster_is_running(&trial->cluster, owner))
        return;
    cluster_kill(&trial->cluster, owner, 0);
    for (int round = 0; round < DISTURB_ROUNDS; round++) {
        cluster_tick(&trial->cluster);
        step_all(trial);
        deliver_all(trial);
        pass_time(trial, CALM_TICK_MS);
    }
}

/* One try: `landing` appends of it land, then it dies. The cluster goes on meanwhile, or stands still. */
static enum skip_phase try_rebase(struct trial *trial, int32_t victim, size_t landing, struct err_info *why)
{
    struct process *process = process_new(trial->world, 1);
    struct skip *skip =
        skip_new(&(struct skip_options){.port = process_port(process),
                                        .partition = victim,
                                        .rebase = true,
                                        .reason = TEXT("bad sector"),
                                        .plan = trial->options[trial->cluster.plan][trial->cluster.lists].plan,
                                        .plan_id = trial->options[trial->cluster.plan][trial->cluster.lists].plan_id,
                                        .random = roll,
                                        .random_context = &trial->dice});
    bool stands_still = dice_luck(&trial->dice, 5000);
    size_t disturbed_after = dice_luck(&trial->dice, 3000) ? 1 + dice_below(&trial->dice, SLICES) : 0;
    size_t landed = 0;
    int64_t until_ms = world_now(trial->world) + HEAL_MS;
    while (skip_phase(skip) < SKIP_DONE && landing > 0 && world_now(trial->world) < until_ms) {
        skip_step(skip);
        if (skip_phase(skip) == SKIP_READY)
            skip_confirm(skip);
        bool lands = process_deliver(process, 0);
        landing -= lands;
        landed += lands;
        if (lands && landed == disturbed_after) /* the owner is started again, and claims */
            disturb(trial, victim);
        if (stands_still)
            continue;
        cluster_tick(&trial->cluster);
        step_all(trial);
        deliver_all(trial);
        pass_time(trial, dice_between(&trial->dice, 0, CALM_TICK_MS));
    }
    enum skip_phase phase = skip_phase(skip);
    if (phase == SKIP_FAILED && skip_error(skip, why) == ERR_FENCED)
        cluster_note(&trial->cluster, HAPPENED_REBASE_FENCED, NOBODY, victim);
    skip_free(skip);
    process_kill(process);
    return phase;
}

/* True if it is done. A journal that was trimmed may have nothing whole before its break, or the break itself is trimmed away. */
static bool rebase_journal(struct trial *trial, int32_t victim)
{
    struct err_info why = {{0}};
    if (dice_luck(&trial->dice, 5000)) {
        cluster_note(&trial->cluster, HAPPENED_REBASE_DIED, NOBODY, victim);
        if (try_rebase(trial, victim, 1 + dice_below(&trial->dice, SLICES), &why) == SKIP_DONE)
            buffer_add_format(&trial->why, "a rebase of partition %d that died is done", victim);
    }
    for (int i = 0; i < REBASE_TRIES && !failed(trial); i++) {
        if (try_rebase(trial, victim, SIZE_MAX, &why) == SKIP_DONE) {
            cluster_note(&trial->cluster, HAPPENED_REBASED, NOBODY, victim);
            return true;
        }
        if (world_first(trial->world, PORT_JOURNAL, victim) > 0 &&
            (strstr(why.text, "nothing whole") || strstr(why.text, "is in order")))
            return false;
        settle(trial, QUIET_MS, REBASE_PAUSE_MS);
    }
    if (!failed(trial))
        buffer_add_format(&trial->why, "partition %d can't be rebased: %s", victim, why.text);
    return false;
}

/* The journal of one partition breaks, at its end or in what all have read; an operator mends it, and all must be as before. */
static void break_journal(struct trial *trial, bool spoils)
{
    int32_t victim = (int32_t)dice_below(&trial->dice, (uint64_t)trial->partitions);
    int64_t first = world_first(trial->world, PORT_JOURNAL, victim);
    int64_t next = world_next(trial->world, PORT_JOURNAL, victim);
    if (!spoils) {
        corrupt_journal(trial, victim);
    } else if (!trial->was_deleted[victim] && trial->low[victim] == 0 && next > first) {
        world_spoil(trial->world, PORT_JOURNAL, victim, dice_between(&trial->dice, first, next - 1));
        cluster_note(&trial->cluster, HAPPENED_SPOILED, NOBODY, victim);
    } else {
        return; /* what would be counted again is gone: a start guard, and a skip */
    }
    for (int32_t i = 0; i < trial->cluster.member_count; i++)
        trial->cluster.members[i].mend_ms = 0;
    witness_rebased(trial->witnesses[victim]);
    if (failed(trial) || !rebase_journal(trial, victim))
        return;
    heal(trial);
    if (!failed(trial))
        check_totals(trial);
    if (!failed(trial))
        check_rejects(trial);
}

void trial_run(const struct scene *scene, uint64_t seed, bool faults, bool traced, struct trial_result *out)
{
    struct trial *trial = memory_new(1, sizeof *trial);
    *trial = (struct trial){.scene = scene, .dice = {seed * 0x9E3779B97F4A7C15ULL + 1}};
    begin(trial, faults, traced);
    run(trial);
    finale(trial);
    if (!failed(trial))
        heal(trial);
    if (!failed(trial))
        check_totals(trial);
    if (!failed(trial))
        check_rejects(trial);
    if (!failed(trial) && faults && (seed % CORRUPT_SEEDS == 0 || seed % CORRUPT_SEEDS == SPOIL_REST))
        break_journal(trial, seed % CORRUPT_SEEDS == SPOIL_REST);
    *out = (struct trial_result){.passed = !failed(trial), .trace = world_trace(trial->world)};
    snprintf(out->why, sizeof out->why, "%.*s", (int)trial->why.length, (const char *)trial->why.data);
    const struct consumer_seen *seen = consumer_seen(trial->consumers[0]);
    trial->happened[HAPPENED_CLOSED] += seen->closed;
    trial->happened[HAPPENED_REVISED] += seen->revised;
    trial->happened[HAPPENED_FINAL] += seen->final;
    trial->happened[HAPPENED_BURIED] += seen->buried;
    trial->happened[HAPPENED_UNBURIED] += seen->unburied;
    trial->happened[HAPPENED_HOUR_ENDED] += seen->ended;
    for (int32_t p = 0; p < trial->partitions; p++) {
        out->records += world_next(trial->world, PORT_DECLARATIONS, p);
        trial->happened[HAPPENED_SNAPPED] += witness_slices(trial->witnesses[p]);
        trial->happened[HAPPENED_IDLE] += witness_marks(trial->witnesses[p]);
        trial->happened[HAPPENED_JUDGED_ANEW] += witness_judged_anew(trial->witnesses[p]);
        trial->happened[HAPPENED_REPLANNED] += witness_replanned(trial->witnesses[p]);
        trial->happened[HAPPENED_REPLAN_TORN] += witness_torn(trial->witnesses[p]);
        trial->happened[HAPPENED_TRIMMED] += world_first(trial->world, PORT_JOURNAL, p) > 0;
        for (int i = 0; i < READER_BRANCHES; i++)
            out->branches[i] += witness_branches(trial->witnesses[p])[i];
    }
    finish(trial);
    memcpy(out->happened, trial->happened, sizeof out->happened);
    memory_free(trial);
}
