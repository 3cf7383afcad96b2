/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/cluster.h"

#include "base/check.h"

#include <inttypes.h>
#include <stdio.h>

enum { TELL_MOST_MS = 3000, MEND_LEAST_MS = 200, MEND_MOST_MS = 3000, REASON_BYTES = ERR_TEXT_BYTES + 32 };

const char *happening_text(enum happening happening)
{
    static const char *const texts[HAPPENINGS] = {
#define HAPPENING(ident, text) text,
#include "sim/happenings.def"
#undef HAPPENING
    };
    return texts[happening];
}

void cluster_note(struct cluster *cluster, enum happening happening, int32_t member, int32_t partition)
{
    cluster->happened[happening]++;
    if (cluster->is_traced)
        printf("%10" PRId64 "  member %2d  partition %2d  %s\n", world_now(cluster->world) % 100000000, member,
               partition, happening_text(happening));
}

/* ---- members ---- */

static void start(struct cluster *cluster, int32_t number)
{
    struct member *member = &cluster->members[number];
    struct host_options options = cluster->options[cluster->plan][cluster->lists];
    options.seed = dice_roll(cluster->dice);
    *member = (struct member){.host = host_join(cluster->world, &options, cluster->workers),
                              .plan = cluster->plan,
                              .lists = cluster->lists,
                              .serial = 1};
    for (int32_t i = 0; i < cluster->partitions; i++)
        member->journal_ends[i] = world_next(cluster->world, PORT_JOURNAL, i);
    int64_t skew_ms = cluster->skew_ms ? dice_between(cluster->dice, -cluster->skew_ms, cluster->skew_ms) : 0;
    process_set_clock(host_process(member->host), skew_ms);
    if (skew_ms)
        cluster_note(cluster, skew_ms > 0 ? HAPPENED_CLOCK_AHEAD : HAPPENED_CLOCK_BEHIND, number, NOBODY);
    if (cluster->lives++ >= (uint64_t)cluster->member_count)
        cluster_note(cluster, HAPPENED_RESTARTED, number, NOBODY);
}

void cluster_init(struct cluster *cluster)
{
    CHECK(cluster->member_count <= CLUSTER_MEMBERS_MOST && cluster->partitions <= CLUSTER_PARTITIONS_MOST);
    for (int32_t i = 0; i < cluster->partitions; i++)
        cluster->seats[i] = (struct seat){.owner = NOBODY};
    cluster->lease = NOBODY;
    for (int32_t i = 0; i < cluster->member_count; i++)
        start(cluster, i);
}

/* What the product counted goes with its process. */
static void collect(struct cluster *cluster, int32_t number)
{
    struct host *host = cluster->members[number].host;
    const struct publisher_counters *published = host_published(host);
    for (int32_t i = 0; i < cluster->partitions; i++)
        cluster->happened[HAPPENED_FENCED] += (uint64_t)counter_read(&host_status(host, i)->fenced);
    cluster->happened[HAPPENED_REPAIRED] += (uint64_t)counter_read(&published->repairs);
    cluster->happened[HAPPENED_HOUR_LEFT] += (uint64_t)counter_read(&published->left);
    cluster->happened[HAPPENED_CLAIMED] += (uint64_t)counter_read(&published->claims);
    for (int32_t i = 0; i < cluster->workers; i++) {
        const struct worker_counters *counters = host_worker_counters(host, i);
        cluster->happened[HAPPENED_REGRESSED] += (uint64_t)counter_read(&counters->offset_regressions);
        cluster->happened[HAPPENED_EXPIRED] += (uint64_t)counter_read(&counters->rejects[901]);
        cluster->happened[HAPPENED_PRESSED] += counter_read(&counters->backpressure_ms) > 0;
    }
}

static void end(struct cluster *cluster, int32_t number)
{
    struct member *member = &cluster->members[number];
    if (!member->host)
        return;
    collect(cluster, number);
    host_kill(member->host);
    *member = (struct member){.gone_ms = world_now(cluster->world)};
}

void cluster_fini(struct cluster *cluster)
{
    for (int32_t i = 0; i < cluster->member_count; i++)
        end(cluster, i);
    buffer_fini(&cluster->wrong);
}

void cluster_truncated(struct cluster *cluster, int32_t partition, int64_t next)
{
    for (int32_t i = 0; i < cluster->member_count; i++) {
        struct member *member = &cluster->members[i];
        if (!member->host)
            continue;
        process_truncated(host_process(member->host), PORT_JOURNAL, partition, next);
        if (member->journal_ends[partition] > next)
            member->journal_ends[partition] = next;
    }
}

bool cluster_is_running(const struct cluster *cluster, int32_t member)
{
    return cluster->members[member].host && !cluster->members[member].is_paused;
}

void cluster_kill(struct cluster *cluster, int32_t member, int64_t restart_after_ms)
{
    if (!cluster->members[member].host)
        return;
    end(cluster, member);
    cluster->members[member].restart_ms = world_now(cluster->world) + restart_after_ms;
}

void cluster_pause(struct cluster *cluster, int32_t number, int64_t ms)
{
    struct member *member = &cluster->members[number];
    member->is_paused = true;
    member->gone_ms = world_now(cluster->world);
    member->resume_ms = member->gone_ms + ms;
    cluster_note(cluster, HAPPENED_STOPPED, number, NOBODY);
}

/* A member hears of what was taken from it only when it runs again, and not at once. */
void cluster_resume(struct cluster *cluster, int32_t number)
{
    struct member *member = &cluster->members[number];
    int64_t now_ms = world_now(cluster->world);
    bool is_zombie = member->unlead_ms != 0;
    member->is_paused = false;
    for (int32_t i = 0; i < cluster->partitions; i++) {
        is_zombie = is_zombie || member->lost_ms[i];
        if (member->lost_ms[i])
            member->lost_ms[i] = now_ms + dice_below(cluster->dice, TELL_MOST_MS);
    }
    if (member->unlead_ms)
        member->unlead_ms = now_ms + dice_below(cluster->dice, TELL_MOST_MS);
    if (is_zombie)
        cluster_note(cluster, HAPPENED_ZOMBIE, number, NOBODY);
}

/* ---- the group ---- */

static void tell_lost(struct cluster *cluster, int32_t number, int32_t partition)
{
    struct member *member = &cluster->members[number];
    member->lost_ms[partition] = 0;
    process_membership(host_process(member->host), PORT_LOST, partition);
    cluster_note(cluster, HAPPENED_LOST, number, partition);
}

static int32_t any_member(struct cluster *cluster)
{
    int32_t first = (int32_t)dice_below(cluster->dice, (uint64_t)cluster->member_count);
    for (int32_t i = 0; i < cluster->member_count; i++) {
        int32_t number = (first + i) % cluster->member_count;
        if (cluster_is_running(cluster, number))
            return number;
    }
    return NOBODY;
}

static void give(struct cluster *cluster, int32_t partition)
{
    struct seat *seat = &cluster->seats[partition];
    *seat = (struct seat){.owner = any_member(cluster)};
    if (seat->owner == NOBODY)
        return;
    if (cluster->members[seat->owner].lost_ms[partition]) /* what a consumer is told comes in order */
        tell_lost(cluster, seat->owner, partition);
    process_membership(host_process(cluster->members[seat->owner].host), PORT_ASSIGNED, partition);
}

void cluster_revoke(struct cluster *cluster, int32_t partition)
{
    struct seat *seat = &cluster->seats[partition];
    if (seat->owner == NOBODY || seat->is_revoking || !cluster->members[seat->owner].host)
        return;
    seat->is_revoking = true;
    seat->deadline_ms = world_now(cluster->world) + cluster->release_ms;
    process_membership(host_process(cluster->members[seat->owner].host), PORT_REVOKED, partition);
    cluster_note(cluster, HAPPENED_REVOKED, seat->owner, partition);
}

void cluster_seize(struct cluster *cluster, int32_t partition, int64_t tell_after_ms)
{
    struct seat *seat = &cluster->seats[partition];
    if (seat->owner != NOBODY && cluster->members[seat->owner].host)
        cluster->members[seat->owner].lost_ms[partition] = world_now(cluster->world) + 1 + tell_after_ms;
    seat->owner = NOBODY;
    give(cluster, partition);
}

static void lead(struct cluster *cluster)
{
    cluster->lease = any_member(cluster);
    if (cluster->lease == NOBODY)
        return;
    cluster->members[cluster->lease].unlead_ms = 0;
    host_lead(cluster->members[cluster->lease].host, true);
}

void cluster_move_lease(struct cluster *cluster, int64_t tell_after_ms)
{
    int32_t before = cluster->lease;
    if (before != NOBODY && cluster->members[before].host)
        cluster->members[before].unlead_ms = world_now(cluster->world) + 1 + tell_after_ms;
    lead(cluster);
}

void cluster_rivals(struct cluster *cluster, int64_t vacant_ms, int64_t tell_after_ms)
{
    int64_t now_ms = world_now(cluster->world);
    if (cluster->lease != NOBODY && cluster->members[cluster->lease].host)
        cluster->members[cluster->lease].unlead_ms = now_ms + 1;
    cluster->lease = NOBODY;
    cluster->vacant_until_ms = now_ms + vacant_ms;
    cluster->rival_ms = tell_after_ms;
}

/* A second member believes for a while that it has the lease. */
static void lead_too(struct cluster *cluster, int64_t tell_after_ms)
{
    int32_t other = (cluster->lease + 1) % cluster->member_count;
    if (cluster->lease == NOBODY || other == cluster->lease || !cluster_is_running(cluster, other))
        return;
    host_lead(cluster->members[other].host, true);
    cluster->members[other].unlead_ms = world_now(cluster->world) + 1 + tell_after_ms;
    cluster_note(cluster, HAPPENED_RIVALS, other, NOBODY);
}

void cluster_deploy(struct cluster *cluster, enum recount_plan plan, int64_t most_ms)
{
    cluster->plan = plan;
    for (int32_t i = 0; i < cluster->member_count; i++)
        cluster->members[i].deploy_ms = world_now(cluster->world) + 1 + dice_below(cluster->dice, (uint64_t)most_ms);
}

void cluster_reload(struct cluster *cluster, enum recount_lists lists, int64_t most_ms)
{
    cluster->lists = lists;
    for (int32_t i = 0; i < cluster->member_count; i++)
        cluster->members[i].reload_ms = world_now(cluster->world) + 1 + dice_below(cluster->dice, (uint64_t)most_ms);
}

/* Unless a thread has not yet taken those of long before. */
static void take_lists(struct cluster *cluster, int32_t number)
{
    struct member *member = &cluster->members[number];
    if (member->serial + 1 - host_reloaded(member->host) >= RULESETS_MOST)
        return;
    const struct host_options *options = &cluster->options[member->plan][cluster->lists];
    struct ruleset *ruleset = &member->rulesets[++member->serial % RULESETS_MOST];
    *ruleset = (struct ruleset){options->plan_id, options->rules, options->reference, member->serial};
    member->lists = cluster->lists;
    host_reload(member->host, ruleset);
    cluster_note(cluster, HAPPENED_RELOADED, number, NOBODY);
}

/* Dead, or paused for longer than the session lasts. */
static bool is_expired(const struct cluster *cluster, int32_t number)
{
    const struct member *member = &cluster->members[number];
    return (!member->host || member->is_paused) && world_now(cluster->world) - member->gone_ms > cluster->session_ms;
}

static void tick_seat(struct cluster *cluster, int32_t partition)
{
    struct seat *seat = &cluster->seats[partition];
    if (seat->owner == NOBODY) {
        give(cluster, partition);
    } else if (is_expired(cluster, seat->owner)) {
        cluster_seize(cluster, partition, 0);
    } else if (seat->is_revoking && world_now(cluster->world) > seat->deadline_ms) {
        cluster_note(cluster, HAPPENED_REVOKED_IN_VAIN, seat->owner, partition);
        cluster_seize(cluster, partition, dice_below(cluster->dice, TELL_MOST_MS));
    }
}

static void tick_lease(struct cluster *cluster)
{
    if (cluster->lease == NOBODY && world_now(cluster->world) < cluster->vacant_until_ms && !cluster->is_calm)
        return;
    if (cluster->lease == NOBODY) {
        lead(cluster);
        if (cluster->rival_ms)
            lead_too(cluster, cluster->rival_ms);
        cluster->rival_ms = 0;
    } else if (is_expired(cluster, cluster->lease)) {
        cluster_note(cluster, HAPPENED_LEASE_EXPIRED, cluster->lease, NOBODY);
        cluster_move_lease(cluster, 0);
    }
}

/* Whether a partition or the reading of its journal is halted, and why the first one is. */
static bool is_halted(const struct cluster *cluster, int32_t number, char reason[static REASON_BYTES])
{
    const struct host *host = cluster->members[number].host;
    for (int32_t i = 0; i < cluster->partitions; i++) {
        int64_t position;
        struct err_info why;
        publisher_health(host_publisher(host), i, &position, &why);
        if (!why.text[0] && counter_read(&host_status(host, i)->phase) == PARTITION_HALTED)
            memcpy(why.text, host_status(host, i)->reason, sizeof why.text);
        snprintf(reason, REASON_BYTES, "partition %d: %s", i, why.text);
        if (why.text[0])
            return true;
    }
    return false;
}

/* A fault that halts something is mended by an operator who starts the process again. */
static void watch_halts(struct cluster *cluster, int32_t number)
{
    struct member *member = &cluster->members[number];
    int64_t now_ms = world_now(cluster->world);
    char reason[REASON_BYTES];
    if (!is_halted(cluster, number, reason))
        return;
    if (!member->mend_ms && cluster->is_traced)
        printf("            member %2d  halts: %s\n", number, reason);
    if (!member->mend_ms)
        member->mend_ms = now_ms + dice_between(cluster->dice, MEND_LEAST_MS, MEND_MOST_MS);
    if (now_ms < member->mend_ms)
        return;
    cluster_note(cluster, HAPPENED_HALT_MENDED, number, NOBODY);
    cluster_kill(cluster, number, 0);
}

static void tick_member(struct cluster *cluster, int32_t number)
{
    struct member *member = &cluster->members[number];
    int64_t now_ms = world_now(cluster->world);
    if (!member->host && (now_ms >= member->restart_ms || cluster->is_calm)) {
        for (int32_t i = 0; i < cluster->partitions; i++) {
            if (cluster->seats[i].owner == number)
                cluster->seats[i].owner = NOBODY; /* it joins anew: what it had is given away */
        }
        if (cluster->lease == number)
            cluster->lease = NOBODY;
        start(cluster, number);
    }
    if (member->is_paused && now_ms >= member->resume_ms)
        cluster_resume(cluster, number);
    if (member->host && member->plan != cluster->plan && (now_ms >= member->deploy_ms || cluster->is_calm)) {
        cluster_note(cluster, HAPPENED_DEPLOYED, number, NOBODY);
        cluster_kill(cluster, number, 0);
    }
    if (member->is_paused || !member->host)
        return;
    if (member->lists != cluster->lists && (now_ms >= member->reload_ms || cluster->is_calm))
        take_lists(cluster, number);
    for (int32_t i = 0; i < cluster->partitions; i++) {
        if (member->lost_ms[i] && now_ms >= member->lost_ms[i])
            tell_lost(cluster, number, i);
    }
    if (member->unlead_ms && now_ms >= member->unlead_ms) {
        member->unlead_ms = 0;
        host_lead(member->host, false);
    }
    int32_t partition;
    while (process_released(host_process(member->host), &partition)) {
        if (cluster->seats[partition].owner == number && cluster->seats[partition].is_revoking)
            give(cluster, partition);
    }
    watch_halts(cluster, number);
}

void cluster_tick(struct cluster *cluster)
{
    for (int32_t i = 0; i < cluster->member_count; i++)
        tick_member(cluster, i);
    for (int32_t i = 0; i < cluster->partitions; i++)
        tick_seat(cluster, i);
    tick_lease(cluster);
}

/* ---- steps ---- */

int32_t cluster_threads(const struct cluster *cluster)
{
    return cluster->workers + 2;
}

/* Who begins to publish has folded all that the journals held when it started. */
static void check_gate(struct cluster *cluster, int32_t number)
{
    struct member *member = &cluster->members[number];
    bool is_publishing = counter_read(&host_published(member->host)->is_publishing);
    for (int32_t i = 0; i < cluster->partitions && is_publishing && !member->was_publishing; i++) {
        int64_t position;
        struct err_info halt;
        publisher_health(host_publisher(member->host), i, &position, &halt);
        if (position < member->journal_ends[i])
            buffer_add_format(&cluster->wrong,
                              "member %d publishes and has read journal %d to %" PRId64 ", which had %" PRId64
                              " frames when it started",
                              number, i, position, member->journal_ends[i]);
    }
    member->was_publishing = is_publishing;
}

bool cluster_step(struct cluster *cluster, int32_t number, int32_t thread)
{
    struct host *host = cluster->members[number].host;
    if (thread < cluster->workers)
        return host_step_worker(host, thread);
    if (thread > cluster->workers)
        return host_step_main(host);
    bool did = host_step_publisher(host);
    check_gate(cluster, number);
    return did;
}

/* ---- rest ---- */

static bool is_partition_settled(const struct cluster *cluster, int32_t partition, struct buffer *why)
{
    const struct seat *seat = &cluster->seats[partition];
    if (seat->owner == NOBODY || !cluster_is_running(cluster, seat->owner)) {
        buffer_add_format(why, "partition %d has no owner", partition);
        return false;
    }
    const struct host *host = cluster->members[seat->owner].host;
    const struct partition_status *status = host_status(host, partition);
    int64_t next = world_next(cluster->world, PORT_DECLARATIONS, partition);
    while (next > world_first(cluster->world, PORT_DECLARATIONS, partition) &&
           world_is_hole(cluster->world, PORT_DECLARATIONS, partition, next - 1))
        next--;
    if (host_owner(host, partition) != NOBODY && counter_read(&status->phase) == PARTITION_RUNNING &&
        counter_read(&status->unechoed_groups) == 0 && counter_read(&status->position) >= next)
        return true;
    buffer_add_format(
        why, "partition %d of member %d is %s at %" PRId64 " of %" PRId64 " with %" PRId64 " groups not echoed; %s",
        partition, seat->owner, partition_phase_name((enum partition_phase)counter_read(&status->phase)),
        counter_read(&status->position), next, counter_read(&status->unechoed_groups), status->reason);
    return false;
}

static bool is_member_settled(const struct cluster *cluster, int32_t number, struct buffer *why)
{
    const struct member *member = &cluster->members[number];
    if (!cluster_is_running(cluster, number)) {
        buffer_add_format(why, "member %d does not run", number);
        return false;
    }
    for (int32_t lane = 0; lane <= cluster->workers; lane++) {
        if (process_queued(host_process(member->host), lane)) {
            buffer_add_format(why, "member %d has writes in flight", number);
            return false;
        }
    }
    bool tells = member->unlead_ms != 0;
    for (int32_t i = 0; i < cluster->partitions; i++)
        tells = tells || member->lost_ms[i];
    if (tells)
        buffer_add_format(why, "member %d has not heard what was taken from it", number);
    return !tells;
}

bool cluster_is_settled(const struct cluster *cluster, struct buffer *why)
{
    for (int32_t i = 0; i < cluster->member_count; i++) {
        if (!is_member_settled(cluster, i, why))
            return false;
    }
    for (int32_t i = 0; i < cluster->partitions; i++) {
        if (!is_partition_settled(cluster, i, why))
            return false;
    }
    if (world_strays(cluster->world)) {
        buffer_add_format(why, "strays are left");
        return false;
    }
    const struct host *host = cluster->lease == NOBODY ? NULL : cluster->members[cluster->lease].host;
    if (host && counter_read(&host_published(host)->is_publishing) && publisher_is_quiet(host_publisher(host)))
        return true;
    struct err_info trouble = {{0}};
    if (host)
        publisher_trouble(host_publisher(host), &trouble);
    buffer_add_format(why, "the publisher of member %d has not published all; %s", cluster->lease, trouble.text);
    return false;
}
