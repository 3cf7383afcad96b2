/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/weather.h"

enum {
    RATE_UNIT = 100, /* strength in percent */
    OPENS_MOST = 48, /* late copies are not older than the window of OPENs */
    COPY_BACK = 60,
    AWAY_MOST_MS = 30000,
    SKEW_MOST_MS = 3600000,
    LEAD_TELL_MS = 6000,
    DEPLOY_MOST_MS = 4000,
    LAG_MOST_MS = 6000,
    VACANT_MOST_MS = 3000,
};

/* A kind of fault: how often, in 10,000 steps, and what it does. */
struct kind {
    uint32_t rate;
    void (*strike)(struct trial *trial);
};

static int32_t running_member(struct trial *trial)
{
    int32_t number = (int32_t)dice_below(&trial->dice, (uint64_t)trial->cluster.member_count);
    return cluster_is_running(&trial->cluster, number) ? number : NOBODY;
}

static struct process *running_process(struct trial *trial, int32_t *out_member)
{
    *out_member = running_member(trial);
    return *out_member == NOBODY ? NULL : host_process(trial->cluster.members[*out_member].host);
}

static int32_t any_partition(struct trial *trial)
{
    return (int32_t)dice_below(&trial->dice, (uint64_t)trial->partitions);
}

static void note(struct trial *trial, enum happening happening, int32_t member, int32_t partition)
{
    cluster_note(&trial->cluster, happening, member, partition);
}

/* ---- processes and the group ---- */

static void kill_one(struct trial *trial)
{
    int32_t member = (int32_t)dice_below(&trial->dice, (uint64_t)trial->cluster.member_count);
    if (!trial->cluster.members[member].host)
        return;
    note(trial, HAPPENED_KILLED, member, NOBODY);
    cluster_kill(&trial->cluster, member, dice_between(&trial->dice, 0, 2 * trial->cluster.session_ms));
}

static void pause_one(struct trial *trial)
{
    int32_t member = running_member(trial);
    if (member != NOBODY)
        cluster_pause(&trial->cluster, member, dice_between(&trial->dice, 10, 3 * trial->cluster.session_ms));
}

static void seize_one(struct trial *trial)
{
    int32_t partition = any_partition(trial);
    note(trial, HAPPENED_SECOND_OWNER, trial->cluster.seats[partition].owner, partition);
    cluster_seize(&trial->cluster, partition, dice_between(&trial->dice, 0, 8000));
}

/* A network that is cut between a process and the brokers: it does not hear of its successor, and begins anew behind it. */
static void overtake_one(struct trial *trial)
{
    int32_t partition = any_partition(trial);
    int32_t owner = trial->cluster.seats[partition].owner;
    if (owner == NOBODY || !cluster_is_running(&trial->cluster, owner))
        return;
    struct member *member = &trial->cluster.members[owner];
    int32_t lane = host_owner(member->host, partition);
    if (lane < 0)
        return;
    note(trial, HAPPENED_OVERTAKEN, owner, partition);
    process_refuse(host_process(member->host), lane, ERR_PEER);
    member->cut_off_until_ms = world_now(trial->world) + dice_between(&trial->dice, 100, 4000);
    cluster_seize(&trial->cluster, partition, dice_between(&trial->dice, 2000, 9000));
}

static void rebalance_some(struct trial *trial)
{
    note(trial, HAPPENED_COOPERATIVE, NOBODY, NOBODY);
    for (int32_t i = 0; i < trial->partitions; i++) {
        if (dice_luck(&trial->dice, 4000))
            cluster_revoke(&trial->cluster, i);
    }
}

static void rebalance_all(struct trial *trial)
{
    note(trial, HAPPENED_EAGER, NOBODY, NOBODY);
    for (int32_t i = 0; i < trial->partitions; i++)
        cluster_revoke(&trial->cluster, i);
}

static void move_lease(struct trial *trial)
{
    bool late = dice_luck(&trial->dice, 5000);
    note(trial, late ? HAPPENED_SECOND_PUBLISHER : HAPPENED_LEASE_MOVED, trial->cluster.lease, NOBODY);
    cluster_move_lease(&trial->cluster, late ? dice_between(&trial->dice, 100, LEAD_TELL_MS) : 0);
}

static void lag(struct trial *trial, int32_t member, int64_t ms)
{
    process_lag(host_process(trial->cluster.members[member].host), world_now(trial->world) + ms);
    note(trial, HAPPENED_LAGGED, member, NOBODY);
}

static void lag_one(struct trial *trial)
{
    int32_t member = running_member(trial);
    if (member != NOBODY)
        lag(trial, member, dice_between(&trial->dice, 100, LAG_MOST_MS));
}

/* One of the two may know less than the other. */
static void lead_twice(struct trial *trial, int64_t vacant_ms)
{
    int32_t member = running_member(trial);
    if (member != NOBODY)
        lag(trial, member, vacant_ms + dice_between(&trial->dice, 1, LAG_MOST_MS / 4));
    cluster_rivals(&trial->cluster, vacant_ms, dice_between(&trial->dice, 100, LEAD_TELL_MS));
}

static void lead_two(struct trial *trial)
{
    lead_twice(trial, dice_between(&trial->dice, 1, VACANT_MOST_MS));
}

static void deploy(struct trial *trial)
{
    if (trial->horizon_months)
        return; /* other views are refused where something has expired: docs/adr/0027-floor-in-the-ledger.md */
    enum recount_plan other = trial->cluster.plan == RECOUNT_DEFAULT ? RECOUNT_LENIENT : RECOUNT_DEFAULT;
    cluster_deploy(&trial->cluster, other, dice_between(&trial->dice, 1, DEPLOY_MOST_MS));
}

static void reload(struct trial *trial)
{
    enum recount_lists other = trial->cluster.lists == RECOUNT_OLD_LISTS ? RECOUNT_NEW_LISTS : RECOUNT_OLD_LISTS;
    cluster_reload(&trial->cluster, other, dice_between(&trial->dice, 1, DEPLOY_MOST_MS));
}

/* ---- brokers ---- */

static void go_away(struct trial *trial)
{
    trial->away_until_ms = world_now(trial->world) + dice_between(&trial->dice, 100, AWAY_MOST_MS);
    note(trial, HAPPENED_DELAYED, NOBODY, NOBODY);
}

static void lose_producer(struct trial *trial)
{
    int32_t member;
    struct process *process = running_process(trial, &member);
    if (!process)
        return;
    int32_t lane = (int32_t)dice_below(&trial->dice, (uint64_t)trial->cluster.workers + 1);
    process_refuse(process, lane, ERR_PEER);
    note(trial, HAPPENED_PRODUCER_GONE, member, NOBODY);
}

static void fill_queue(struct trial *trial)
{
    int32_t member;
    struct process *process = running_process(trial, &member);
    if (!process)
        return;
    process_refuse(process, (int32_t)dice_below(&trial->dice, (uint64_t)trial->cluster.workers + 1), ERR_FULL);
    trial->refusal_until_ms = world_now(trial->world) + dice_between(&trial->dice, 1, 2000);
    note(trial, HAPPENED_QUEUE_FULL, member, NOBODY);
}

static void give_no_answer(struct trial *trial)
{
    int32_t member;
    struct process *process = running_process(trial, &member);
    if (!process)
        return;
    process_fail_bounds(process, ERR_PEER);
    note(trial, HAPPENED_NO_ANSWER, member, NOBODY);
}

/* ---- logs ---- */

static void copy_late(struct trial *trial)
{
    int32_t partition = any_partition(trial);
    int64_t next = world_next(trial->world, PORT_JOURNAL, partition);
    if (next == 0 || witness_opens(trial->witnesses[partition]) > OPENS_MOST)
        return;
    int64_t back = 1 + (int64_t)dice_below(&trial->dice, (uint64_t)(next < COPY_BACK ? next : COPY_BACK));
    if (next - back < world_first(trial->world, PORT_JOURNAL, partition))
        return;
    world_copy_late(trial->world, PORT_JOURNAL, partition, next - back);
    note(trial, HAPPENED_LATE_COPY, NOBODY, partition);
}

static void truncate(struct trial *trial)
{
    int32_t partition = any_partition(trial);
    int64_t next = world_next(trial->world, PORT_JOURNAL, partition);
    if (!witness_read(trial->witnesses[partition], &trial->why)) /* an owner may have trimmed by what came just now */
        return;
    int64_t least = witness_first_group_end(trial->witnesses[partition]);
    int64_t relied_on = witness_cycle_end(trial->witnesses[partition]);
    if (least >= 0 && least < relied_on)
        least = relied_on; /* else a trimmed journal may have lost a slice, and halts, as it should */
    if (least < 0 || least >= next || trial->was_deleted[partition])
        return;
    int64_t cut = next - dice_between(&trial->dice, 1, next - least < 12 ? next - least : 12);
    world_truncate(trial->world, PORT_JOURNAL, partition, cut);
    cluster_truncated(&trial->cluster, partition, cut);
    witness_restart(trial->witnesses[partition]);
    note(trial, HAPPENED_TRUNCATED, NOBODY, partition);
}

static void fail_reading(struct trial *trial, enum port_topic topic, int32_t partitions, enum happening happening)
{
    static const enum port_fault faults[] = {PORT_BAD_CRC, PORT_BAD_COMPRESSION, PORT_TOO_LARGE, PORT_OTHER};
    int32_t member;
    struct process *process = running_process(trial, &member);
    if (!process)
        return;
    int32_t partition = (int32_t)dice_below(&trial->dice, (uint64_t)partitions);
    process_fault(process, topic, partition, faults[dice_below(&trial->dice, 4)]);
    note(trial, happening, member, partition);
}

static void fail_input(struct trial *trial)
{
    fail_reading(trial, PORT_DECLARATIONS, trial->partitions, HAPPENED_INPUT_FAULT);
}

static void fail_journal(struct trial *trial)
{
    fail_reading(trial, PORT_JOURNAL, trial->partitions, HAPPENED_JOURNAL_FAULT);
}

static void fail_statistics(struct trial *trial)
{
    fail_reading(trial, PORT_STATISTICS, trial->statistics_partitions, HAPPENED_STATISTICS_FAULT);
}

static void rewind_input(struct trial *trial)
{
    int32_t member;
    struct process *process = running_process(trial, &member);
    int32_t partition = any_partition(trial);
    if (process && process_rewind(process, partition, dice_between(&trial->dice, 1, 10)))
        note(trial, HAPPENED_INPUT_AGAIN, member, partition);
}

static void delete_input(struct trial *trial)
{
    int32_t partition = any_partition(trial);
    int64_t hi = witness_hi(trial->witnesses[partition]);
    if (hi <= world_first(trial->world, PORT_DECLARATIONS, partition))
        return;
    world_trim(trial->world, PORT_DECLARATIONS, partition, dice_between(&trial->dice, 0, hi));
    trial->was_deleted[partition] = true;
    note(trial, HAPPENED_RETENTION, NOBODY, partition);
}

/* Nobody may lag behind by more than delete.retention.ms: tombstones stay until all consumers have passed them. */
static int64_t passed(const struct trial *trial, int32_t partition)
{
    int64_t least = INT64_MAX;
    for (int32_t i = 0; i < trial->consumer_count; i++) {
        int64_t position = consumer_position(trial->consumers[i], partition);
        least = position < least ? position : least;
    }
    return least;
}

static void compact(struct trial *trial)
{
    for (int32_t i = 0; i < trial->statistics_partitions; i++) {
        int64_t next = world_next(trial->world, PORT_STATISTICS, i);
        int64_t below = (int64_t)dice_below(&trial->dice, (uint64_t)next + 1);
        if (world_compact(trial->world, PORT_STATISTICS, i, below, passed(trial, i)) > 0)
            note(trial, HAPPENED_COMPACTED, NOBODY, i);
    }
}

static void add_consumer(struct trial *trial)
{
    if (trial->consumer_count == CONSUMERS_MOST)
        return;
    trial->consumers[trial->consumer_count++] = consumer_new(trial->world, trial->statistics_partitions, trial->months);
    note(trial, HAPPENED_NEW_CONSUMER, NOBODY, NOBODY);
}

static void land_stray(struct trial *trial)
{
    size_t count = world_strays(trial->world);
    if (count == 0)
        return;
    size_t index = dice_below(&trial->dice, count);
    bool lands = dice_luck(&trial->dice, 8000);
    enum port_topic topic = world_stray_topic(trial->world, index);
    note(trial,
         !lands                     ? HAPPENED_STRAY_LOST
         : topic == PORT_STATISTICS ? HAPPENED_STRAY_STATISTIC
                                    : HAPPENED_STRAY_FRAME,
         NOBODY, NOBODY);
    world_stray(trial->world, index, lands);
}

/* ---- together ---- */

enum fault {
    FAULT_KILL,
    FAULT_PAUSE,
    FAULT_SEIZE,
    FAULT_OVERTAKE,
    FAULT_REBALANCE_SOME,
    FAULT_REBALANCE_ALL,
    FAULT_LEASE,
    FAULT_RIVALS,
    FAULT_DEPLOY,
    FAULT_RELOAD,
    FAULT_LAG,
    FAULT_AWAY,
    FAULT_PRODUCER,
    FAULT_QUEUE,
    FAULT_ANSWER,
    FAULT_COPY,
    FAULT_TRUNCATE,
    FAULT_INPUT,
    FAULT_JOURNAL,
    FAULT_STATISTICS,
    FAULT_AGAIN,
    FAULT_RETENTION,
    FAULT_COMPACT,
    FAULT_CONSUMER,
    FAULT_STRAY,
    FAULTS_BY_TIME,
    /* by append */
    FAULT_ACK_LOST = FAULTS_BY_TIME,
    FAULT_WRITE_LOST,
    FAULT_LOST_ACKED,
    FAULT_TWICE,
    FAULT_LATER,
    FAULT_REJECT_SIZE,
    FAULT_FRAME_SIZE,
    /* by record of the input */
    FAULT_HOLE,
    FAULT_BORN_LATE,
    FAULT_SKEW,
    FAULTS,
};

static const struct kind kinds[FAULTS_BY_TIME] = {
    [FAULT_KILL] = {8, kill_one},
    [FAULT_PAUSE] = {8, pause_one},
    [FAULT_SEIZE] = {6, seize_one},
    [FAULT_OVERTAKE] = {8, overtake_one},
    [FAULT_REBALANCE_SOME] = {8, rebalance_some},
    [FAULT_REBALANCE_ALL] = {4, rebalance_all},
    [FAULT_LEASE] = {8, move_lease},
    [FAULT_RIVALS] = {10, lead_two},
    [FAULT_DEPLOY] = {4, deploy},
    [FAULT_RELOAD] = {15, reload},
    [FAULT_LAG] = {8, lag_one},
    [FAULT_AWAY] = {6, go_away},
    [FAULT_PRODUCER] = {8, lose_producer},
    [FAULT_QUEUE] = {10, fill_queue},
    [FAULT_ANSWER] = {20, give_no_answer},
    [FAULT_COPY] = {30, copy_late},
    [FAULT_TRUNCATE] = {4, truncate},
    [FAULT_INPUT] = {3, fail_input},
    [FAULT_JOURNAL] = {3, fail_journal},
    [FAULT_STATISTICS] = {4, fail_statistics},
    [FAULT_AGAIN] = {20, rewind_input},
    [FAULT_RETENTION] = {5, delete_input},
    [FAULT_COMPACT] = {8, compact},
    [FAULT_CONSUMER] = {8, add_consumer},
    [FAULT_STRAY] = {600, land_stray},
};

static bool has(const struct trial *trial, enum fault fault)
{
    return trial->kinds >> fault & 1;
}

/* Some input is gone before anybody counts it. */
static void begin_late(struct trial *trial)
{
    int32_t partition;
    for (uint32_t i = dice_below(&trial->dice, 20); i > 0 && story_tell(trial->story, trial->world, &partition); i--)
        ;
    for (int32_t i = 0; i < trial->partitions; i++) {
        trial->low[i] = (int64_t)dice_below(&trial->dice, (uint64_t)world_next(trial->world, PORT_DECLARATIONS, i) + 1);
        world_trim(trial->world, PORT_DECLARATIONS, i, trial->low[i]);
        if (trial->low[i])
            note(trial, HAPPENED_BORN_LATE, NOBODY, i);
    }
}

void weather_begin(struct trial *trial, bool faults)
{
    if (!faults)
        return;
    trial->strength = (uint32_t)dice_between(&trial->dice, 30, 250);
    for (int i = 0; i < FAULTS; i++)
        trial->kinds |= (uint64_t)dice_luck(&trial->dice, 4500) << i;
    trial->kinds |= 1ULL << FAULT_STRAY;
    if (has(trial, FAULT_SKEW))
        trial->cluster.skew_ms = dice_between(&trial->dice, 1, SKEW_MOST_MS);
    if (has(trial, FAULT_BORN_LATE))
        begin_late(trial);
}

static bool strikes(struct trial *trial, enum fault fault, uint32_t rate)
{
    return has(trial, fault) && dice_luck(&trial->dice, rate * trial->strength / RATE_UNIT);
}

void weather_step(struct trial *trial)
{
    for (int i = 0; i < FAULTS_BY_TIME; i++) {
        if (strikes(trial, (enum fault)i, kinds[i].rate))
            kinds[i].strike(trial);
    }
    if (trial->refusal_until_ms && world_now(trial->world) >= trial->refusal_until_ms) {
        trial->refusal_until_ms = 0;
        for (int32_t i = 0; i < trial->cluster.member_count; i++) {
            if (trial->cluster.members[i].host)
                process_take_again(host_process(trial->cluster.members[i].host));
        }
    }
}

static enum fate noted(struct trial *trial, enum happening happening, int32_t member, enum fate fate)
{
    note(trial, happening, member, NOBODY);
    return fate;
}

/* The publisher's producer is idempotent and its topic loses nothing that was acknowledged (acks=all, no unclean election there); nor does
 * topic.rejects. */
enum fate weather_fate(struct trial *trial, enum port_topic topic, int32_t member)
{
    if (strikes(trial, FAULT_ACK_LOST, 15))
        return noted(trial, HAPPENED_ACK_LOST, member, FATE_LANDS_ACK_LOST);
    if (strikes(trial, FAULT_WRITE_LOST, 15))
        return noted(trial, HAPPENED_WRITE_LOST, member, FATE_LOST);
    if (topic == PORT_STATISTICS)
        return FATE_LANDS;
    if (topic == PORT_REJECTS && strikes(trial, FAULT_REJECT_SIZE, 300))
        return noted(trial, HAPPENED_REJECT_TOO_LARGE, member, FATE_TOO_LARGE);
    if (strikes(trial, FAULT_TWICE, 200))
        return noted(trial, HAPPENED_TWICE, member, FATE_TWICE);
    if (strikes(trial, FAULT_LATER, 100))
        return noted(trial, HAPPENED_LATER, member, FATE_LATER);
    if (topic == PORT_REJECTS)
        return FATE_LANDS;
    if (strikes(trial, FAULT_LOST_ACKED, 60))
        return noted(trial, HAPPENED_LOST_ACKED, member, FATE_LOST_ACKED);
    if (strikes(trial, FAULT_FRAME_SIZE, 20))
        return noted(trial, HAPPENED_FRAME_TOO_LARGE, member, FATE_TOO_LARGE);
    return FATE_LANDS;
}

bool weather_rivals(struct trial *trial, int64_t vacant_ms)
{
    if (has(trial, FAULT_RIVALS))
        lead_twice(trial, vacant_ms);
    return has(trial, FAULT_RIVALS);
}

void weather_input(struct trial *trial)
{
    if (!strikes(trial, FAULT_HOLE, 1000))
        return;
    int32_t partition = any_partition(trial);
    story_hole(trial->story, trial->world, partition);
    note(trial, HAPPENED_INPUT_HOLE, NOBODY, partition);
}

bool weather_is_away(const struct trial *trial)
{
    return world_now(trial->world) < trial->away_until_ms;
}

void weather_end(struct trial *trial)
{
    trial->kinds = 0;
    trial->away_until_ms = 0;
    for (int32_t i = 0; i < trial->cluster.member_count; i++) {
        if (!trial->cluster.members[i].host)
            continue;
        process_take_again(host_process(trial->cluster.members[i].host));
        trial->cluster.members[i].resume_ms = 0;
        process_lag(host_process(trial->cluster.members[i].host), 0);
    }
}
