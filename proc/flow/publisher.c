/* SPDX-License-Identifier: Apache-2.0
 *
 * Overview: journals.c reads and judges the journals, cube.c adds their groups up, registry.c knows what the topic of
 *   statistics holds, gate.c whose term it is, statistic.c makes records; holding.c reads the topic, round.c writes it.
 *   Here is the order: fold, link, read, claim, emit.
 * Invariants: I1 nothing is written but behind the open gate. I2 a cell that is not marked has in the topic, once the
 *   writes of this term have landed, the content that it has in the cube. I3 every write of a key has a larger as_of
 *   than all before.
 * Calls: one thread but for publisher_health, publisher_trouble, publisher_counters. The lock is of `trouble` only.
 */
#include "flow/publisher_inside.h"

#include "base/check.h"
#include "base/memory.h"
#include "flow/closing.h"
#include "flow/holding.h"
#include "flow/leaving.h"
#include "flow/mutant.h"
#include "flow/rolling.h"
#include "flow/round.h"

#include <inttypes.h>

enum {
    ACKS = 256,
    BEHIND_HOLD_MS = 500, /* between two fetches of a catch-up it is behind still */
    RETRY_FIRST_MS = 100,
    RETRY_MOST_MS = 5000,
    RIVAL_STEP_MS = 64,
    RIVAL_MOST_MS = 2000,
};

/* ---- life ---- */

static enum err fold(void *context, int32_t partition, const struct frame *frames, uint32_t count,
                     struct err_info *info)
{
    struct publisher *publisher = context;
    TRY(cube_fold(publisher->cube, partition, frames, count, info));
    const struct frame *last = &frames[count - 1];
    if (last->kind == FRAME_DATA) {
        publisher->groups++;
        if (last->record_timestamp > publisher->record_timestamp)
            publisher->record_timestamp = last->record_timestamp;
    }
    return OK;
}

static bool has_rolling(const struct view_plan *plan)
{
    for (uint32_t i = 0; i < plan->count * PERIODS; i++) {
        enum period period = (enum period)(i % PERIODS);
        if (period_is_rolling(period) && view_publishes(&plan->views[i / PERIODS], period))
            return true;
    }
    return false;
}

static void open_folding(struct publisher *publisher)
{
    const struct publisher_options *options = &publisher->options;
    CHECK(options->random && options->statistics_partitions > 0);
    uint64_t random[4];
    for (int i = 0; i < 4; i++)
        random[i] = options->random(options->random_context);
    publisher->cube = cube_new(options->plan, options->partitions, options->plan_id);
    publisher->figures = figures_new(options->plan, publisher->cube, options->zone);
    figures_look_up(publisher->figures, options->reference, options->reporter);
    for (uint32_t i = 0; i < options->plan->count; i++)
        publisher->has_hours |= options->plan->views[i].grain == GRAIN_HOUR;
    publisher->rolls = publisher->has_hours || has_rolling(options->plan);
    publisher->registry = registry_new(&(struct hash_key){{random[0], random[1]}});
    publisher->writer = statistic_writer_new(options->plan, options->reference, options->reporter, options->currency);
    publisher->extractor = extractor_new();
    publisher->history = history_new(options->plan, options->reporter, options->currency);
    gate_init(&publisher->gate, options->statistics_partitions, random + 2);
    publisher->tails = memory_new((size_t)options->statistics_partitions, sizeof publisher->tails[0]);
}

struct publisher *publisher_new(const struct publisher_options *options)
{
    struct publisher *publisher = memory_new(1, sizeof *publisher);
    publisher->options = *options;
    publisher->record_timestamp = INT64_MIN;
    publisher->round.begun_ms = INT64_MIN / 2;
    publisher->watermark_ms = INT64_MIN;
    publisher->told_watermark_ms = INT64_MIN;
    publisher->told_today = FIGURES_NO_DAY;
    publisher->told_hour = FIGURES_NO_HOUR;
    months_init(&publisher->months, options->zone, options->provisional_days, options->final_months);
    counter_set(&publisher->counters.watermark_ms, INT64_MIN);
    counter_set(&publisher->counters.open_from, INT32_MIN);
    counter_set(&publisher->counters.final_before, INT32_MIN);
    int failed = pthread_mutex_init(&publisher->lock, NULL);
    CHECK(failed == 0);
    if (options->folds)
        open_folding(publisher);
    publisher->journals = journals_new(&(struct journals_options){
        .port = options->port,
        .partitions = options->partitions,
        .fold = options->folds ? fold : NULL,
        .fold_context = publisher,
        .echo = options->echo,
        .echo_context = options->echo_context,
    });
    return publisher;
}

void publisher_free(struct publisher *publisher)
{
    if (!publisher)
        return;
    journals_free(publisher->journals);
    holding_close(publisher);
    memory_free(publisher->tails);
    memory_free(publisher->orphans);
    gate_fini(&publisher->gate);
    statistic_writer_free(publisher->writer);
    history_free(publisher->history);
    extractor_free(publisher->extractor);
    registry_free(publisher->registry);
    figures_free(publisher->figures);
    cube_free(publisher->cube);
    pthread_mutex_destroy(&publisher->lock);
    memory_free(publisher);
}

void publisher_set_trouble(struct publisher *publisher, const char *text)
{
    pthread_mutex_lock(&publisher->lock);
    err_set(&publisher->trouble, OK, "%s", text);
    pthread_mutex_unlock(&publisher->lock);
}

void publisher_shut(struct publisher *publisher)
{
    gate_shut(&publisher->gate);
    publisher->is_open = false;
    publisher->round.is_running = false;
    publisher->claims_sent = 0;
}

void publisher_producer_lost(struct publisher *publisher, const char *why, int64_t now_ms)
{
    const struct publisher_options *options = &publisher->options;
    options->port->lane_reset(options->port->self, options->lane);
    publisher->unacked = 0;
    publisher_shut(publisher);
    int64_t pause = (int64_t)RETRY_FIRST_MS << (publisher->failures < 6 ? publisher->failures : 6);
    publisher->failures++;
    publisher->retry_ms = now_ms + (pause < RETRY_MOST_MS ? pause : RETRY_MOST_MS);
    publisher_set_trouble(publisher, why);
}

void publisher_rival_seen(struct publisher *publisher, int64_t now_ms)
{
    const struct publisher_options *options = &publisher->options;
    publisher_shut(publisher);
    publisher->rivals++;
    counter_add(&publisher->counters.rivals, 1);
    int64_t most = (int64_t)RIVAL_STEP_MS * publisher->rivals;
    most = most < RIVAL_MOST_MS ? most : RIVAL_MOST_MS;
    publisher->retry_ms = now_ms + (int64_t)(options->random(options->random_context) % (uint64_t)most);
    publisher_set_trouble(
        publisher,
        "another publisher has claimed topic.statistics; run one with role=publish or role=all that owns partition 0");
}

void publisher_lead(struct publisher *publisher, bool leads)
{
    if (!leads && publisher->leads && publisher->options.folds)
        publisher_shut(publisher);
    publisher->leads = leads;
}

void publisher_watch(struct publisher *publisher, int32_t partition, bool watch)
{
    journals_watch(publisher->journals, partition, watch);
}

void publisher_backlog(struct publisher *publisher, bool waits)
{
    publisher->backlog = waits;
}

static void mark_all(struct publisher *publisher)
{
    figures_mark_all(publisher->figures);
    publisher->mark_all = false;
}

void publisher_reload(struct publisher *publisher, const struct reference *reference)
{
    publisher->options.reference = reference;
    if (!publisher->options.folds)
        return;
    statistic_writer_look_up(publisher->writer, reference);
    figures_look_up(publisher->figures, reference, publisher->options.reporter);
    holding_link_to(publisher, publisher->linked); /* what is new of groups gets its place */
    publisher->mark_all = true;
    if (publisher->is_open)
        mark_all(publisher);
}

/* ---- plans ---- */

/* All from the beginning: the cube holds what a partition has replaced since. Nothing is published before it is whole again. */
static void refold(struct publisher *publisher)
{
    const struct publisher_options *options = &publisher->options;
    uint64_t random[2] = {options->random(options->random_context), options->random(options->random_context)};
    publisher_shut(publisher);
    holding_close(publisher);
    gate_restart(&publisher->gate);
    registry_free(publisher->registry);
    publisher->registry = registry_new(&(struct hash_key){{random[0], random[1]}});
    publisher->tails_began = false;
    publisher->orphan_count = 0;
    publisher->linked = 0;
    publisher->derived = 0;
    publisher->rolling = (struct rolling){.by_day = true, .by_hour = true, .kept_from = INT32_MIN};
    publisher->closing.is_due = false; /* what is folded again is compared, too */
    cube_empty(publisher->cube);
    figures_empty(publisher->figures);
    history_forget(publisher->history);
    extractor_restart(publisher->extractor);
    journals_restart(publisher->journals);
}

/* Nothing is published while a partition is counted under another plan, or not whole. */
static bool meet_plans(struct publisher *publisher)
{
    bool lacks = journals_are_folded(publisher->journals) && cube_lacks_cells(publisher->cube);
    if (lacks)
        cube_forget_places(publisher->cube);
    if (lacks || cube_wants_refold(publisher->cube) || journals_are_cut(publisher->journals))
        refold(publisher);
    int32_t partition;
    struct err_info info;
    if (journals_are_lost(publisher->journals, &info)) {
        publisher_set_trouble(publisher, info.text);
        return false;
    }
    if (cube_is_settled(publisher->cube, &partition))
        return true;
    if (publisher->gate.term)
        publisher_shut(publisher);
    err_set(&info, ERR_RETRY,
            "the journal of partition %" PRId32
            " is not yet counted under the plan of this process: its rules, lists, views "
            "or currency are others than those of the partition's owner",
            partition);
    if (journals_are_folded(publisher->journals))
        publisher_set_trouble(publisher, info.text);
    return false;
}

/* ---- the gate ---- */

static void open_gate(struct publisher *publisher)
{
    publisher->is_open = true;
    publisher->counter = 0;
    publisher->failures = 0;
    publisher->round = (struct round){.begun_ms = INT64_MIN / 2, .groups = UINT64_MAX};
    if (publisher->mark_all)
        mark_all(publisher);
    for (uint32_t i = 0; i < registry_count(publisher->registry); i++) {
        const struct registry_entry *entry = registry_at(publisher->registry, i);
        if (entry->cell == REGISTRY_NO_CELL && entry->record)
            holding_queue(publisher, i);
        else if (entry->cell != REGISTRY_NO_CELL && (entry->late || entry->written_as_of > entry->read_as_of))
            figures_mark(publisher->figures, entry->cell);
    }
    publisher_set_trouble(publisher, "");
}

/* Writes the claim to the partitions that do not have it yet. False: come again. */
static bool send_claims(struct publisher *publisher, int64_t now_ms)
{
    char key[GATE_KEY_BYTES];
    char text[GATE_VALUE_BYTES];
    struct text value = gate_claim_value(&publisher->gate, text);
    struct err_info info = {{0}};
    while (publisher->claims_sent < publisher->gate.count) {
        enum err err = round_append(publisher, publisher->claims_sent, gate_claim_key(&publisher->gate, key),
                                    (struct bytes){(const uint8_t *)value.data, value.length},
                                    publisher->gate.term << GATE_TERM_SHIFT, &info);
        if (err == ERR_FULL || err == ERR_RETRY)
            return false;
        if (err != OK) {
            publisher_producer_lost(publisher, info.text, now_ms);
            return false;
        }
        publisher->claims_sent++;
    }
    return true;
}

static bool advance_gate(struct publisher *publisher, int64_t now_ms)
{
    bool is_read = journals_are_folded(publisher->journals) && holding_is_read(publisher);
    if (!publisher->leads || now_ms < publisher->retry_ms || (!is_read && !MUTANT(PUBLISHED_EARLY)))
        return false;
    if (publisher->gate.term == 0) {
        if (!gate_claim(&publisher->gate)) {
            publisher_set_trouble(
                publisher,
                "a record of topic.statistics has the largest as_of there is: delete the topic, it is made anew");
            publisher->retry_ms = now_ms + RETRY_MOST_MS;
            return false;
        }
        publisher->claims_sent = 0;
        counter_add(&publisher->counters.claims, 1);
    }
    if (!send_claims(publisher, now_ms) || (!gate_is_won(&publisher->gate) && !MUTANT(NO_CLAIM)))
        return false;
    open_gate(publisher);
    return true;
}

static bool take_acks(struct publisher *publisher, int64_t now_ms)
{
    const struct publisher_options *options = &publisher->options;
    struct port_ack acks[ACKS];
    size_t count = ACKS;
    bool did = false;
    while (count == ACKS) {
        count = options->port->acks(options->port->self, options->lane, acks, ACKS);
        did |= count > 0;
        for (size_t i = 0; i < count; i++) {
            if (acks[i].result != OK && acks[i].result != ERR_LIMIT) {
                publisher_producer_lost(publisher, "a statistics record was not acknowledged", now_ms);
                return true;
            }
            publisher->unacked--;
            if (acks[i].result == ERR_LIMIT)
                counter_add(&publisher->counters.too_large, 1);
        }
    }
    return did;
}

static void show(struct publisher *publisher)
{
    struct publisher_counters *counters = &publisher->counters;
    counter_set(&counters->dirty, (int64_t)cube_dirty_count(publisher->cube) + figures_marked(publisher->figures) +
                                      publisher->orphan_count);
    for (uint32_t i = 0; i < publisher->options.plan->count; i++)
        counter_set(&counters->cells[i], cube_view_cells(publisher->cube, i));
    if (publisher->is_open)
        counter_set(&counters->as_of, (int64_t)(publisher->gate.term << GATE_TERM_SHIFT | publisher->counter));
    counter_set(&counters->term, (int64_t)publisher->gate.term);
    counter_set(&counters->folded_declarations, cube_declarations(publisher->cube));
    counter_set(&counters->is_publishing, publisher->is_open);
    counter_set(&counters->is_folded, journals_are_folded(publisher->journals));
}

static bool serve_query(struct publisher *publisher, int64_t now_ms)
{
    struct extract_stamp stamp = {
        .as_of = publisher->gate.term << GATE_TERM_SHIFT | publisher->counter,
        .as_of_ms = now_ms,
        .watermark_ms = publisher->watermark_ms,
        .reference = publisher->options.reference,
    };
    return extractor_step(publisher->extractor, publisher->cube, publisher->is_open ? &stamp : NULL);
}

bool publisher_step(struct publisher *publisher)
{
    const struct port *port = publisher->options.port;
    int64_t now_ms = port->now_ms(port->self);
    if (publisher->has_hours && !journals_are_folded(publisher->journals))
        leaving_fold(publisher);
    bool did = journals_step(publisher->journals, now_ms);
    counter_set(&publisher->counters.journal_stalls, journals_stalls(publisher->journals));
    if (!publisher->options.folds)
        return did;
    if (journals_are_behind(publisher->journals))
        publisher->behind_until_ms = now_ms + BEHIND_HOLD_MS;
    if (journals_are_halted(publisher->journals) && publisher->gate.term)
        publisher_shut(publisher);
    bool settled = meet_plans(publisher);
    if (settled &&
        journals_are_folded(publisher->journals)) /* before that, what a partition has said last is unknown */
        closing_advance(publisher);
    did |= take_acks(publisher, now_ms);
    did |= holding_link_some(publisher);
    show(publisher);
    did |= holding_read(publisher, now_ms);
    did |= closing_step(publisher);
    did |= rolling_step(publisher);
    if (settled)
        did |= publisher->is_open ? round_step(publisher, now_ms) : advance_gate(publisher, now_ms);
    did |= serve_query(publisher, now_ms);
    show(publisher);
    return did;
}

enum extract_result publisher_extract(struct publisher *publisher, const struct extract_request *request, int64_t ms,
                                      void (*wake)(void *context), void *context, struct extract *out)
{
    if (!publisher->options.folds)
        return EXTRACT_SILENT;
    return extractor_ask(publisher->extractor, request, ms, wake, context, out);
}

bool publisher_is_quiet(const struct publisher *publisher)
{
    if (!publisher->options.folds || !publisher->leads)
        return true;
    return publisher->is_open && !publisher->round.is_running && publisher->unacked == 0 &&
           publisher->orphan_count == 0 && cube_dirty_count(publisher->cube) == 0 &&
           figures_marked(publisher->figures) == 0 && closing_is_done(publisher) && !rolling_is_due(publisher) &&
           publisher->round.groups == publisher->groups;
}

const struct publisher_counters *publisher_counters(const struct publisher *publisher)
{
    return &publisher->counters;
}

void publisher_health(struct publisher *publisher, int32_t partition, int64_t *out_position, struct err_info *out_halt)
{
    journals_health(publisher->journals, partition, out_position, out_halt);
}

void publisher_trouble(struct publisher *publisher, struct err_info *out)
{
    pthread_mutex_lock(&publisher->lock);
    *out = publisher->trouble;
    pthread_mutex_unlock(&publisher->lock);
}
