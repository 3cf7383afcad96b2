/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/snapshot.h"

#include "base/check.h"
#include "flow/builder.h"
#include "flow/frame_cells.h"
#include "flow/mutant.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    LISTED_A_SECTION = 20000, /* at most 40 bytes each */
    HEAD_BYTES_MOST = 48 << 10,
    WHOLE_BYTES_MOST = 96,
    PRINTS_BYTES = 8 * 90000,
    GROUPS_WAITING_MOST = GROUPS_MOST / 2, /* beyond it slices wait: the room is for what is counted */
    DAY_MS = 86400000,
    DERIVED_CELLS = 1 << 16, /* in the tally before they move to the totals */
    SLICE_BYTES_A_MS =
        8 << 10, /* a partition writes no more of its state than that while nothing else has to be done */
    TRIM_RETRY_MS = 60000,
    TRIM_REFUSED_MS = 3600000,
};

void snapshot_begin(struct partition *partition, const struct reader_rule *rule)
{
    const struct reader_cycles *cycles = &rule->cycles;
    partition->snapshot = (struct snapshot){
        .window = rule->window,
        .next = cycles->slices % SLICES,
        .cycle_bytes = cycles->bytes,
        .complete_bytes = cycles->complete_bytes,
        .since_bytes = cycles->since_bytes,
        .trim_to = cycles->trim_to,
        .trimmed = rule->first,
    };
}

void snapshot_note(struct partition *partition, const struct group *group)
{
    partition->snapshot.since_bytes += (int64_t)group->bytes.length;
}

static int64_t bytes_due(const struct partition *partition)
{
    const struct snapshot *snapshot = &partition->snapshot;
    if (partition->context->snapshot_bytes)
        return partition->context->snapshot_bytes;
    return snapshot->complete_bytes > SNAPSHOT_BYTES_LEAST ? snapshot->complete_bytes : SNAPSHOT_BYTES_LEAST;
}

/* Records at hand, or known to be at the broker: a worker that is faster than its fetches finds nothing at hand and lags all the same. */
static bool input_waits(const struct partition *partition)
{
    const struct port *port = partition->context->port;
    return partition->intake.behind || intake_has_records(&partition->intake) ||
           port->input_waits(port->self, partition->number);
}

bool snapshot_is_due(const struct partition *partition, int64_t now_ms)
{
    const struct snapshot *snapshot = &partition->snapshot;
    if (snapshot->replans)
        return outbox_has_room(&partition->outbox);
    if (snapshot->is_off || partition->outbox.count > GROUPS_WAITING_MOST)
        return false;
    if (snapshot->next == 0 && snapshot->since_bytes <= bytes_due(partition))
        return false;
    int64_t rest_ms = snapshot->sealed_bytes / SLICE_BYTES_A_MS;
    if (rest_ms < partition->context->frame_interval_ms)
        rest_ms = partition->context->frame_interval_ms;
    return now_ms - snapshot->sealed_ms >= rest_ms && !input_waits(partition);
}

static struct snapshot_source source_of(struct partition *partition)
{
    return (struct snapshot_source){
        .partition = partition->number,
        .plan = partition->ruleset->plan_id,
        .state = &partition->state,
        .window = &partition->snapshot.window,
        .begun_with = partition->begun_with,
        .rejects_days = partition->context->rejects_days,
        .is_idle = partition->is_idle,
        .replan = partition->snapshot.replans,
    };
}

static void show_trouble(struct partition *partition, const char *text)
{
    pthread_mutex_lock(&partition->status->lock);
    snprintf(partition->status->trim_trouble, sizeof partition->status->trim_trouble, "%s", text);
    pthread_mutex_unlock(&partition->status->lock);
}

/* The journal grows from now on. A restart tries again, for the ledger may be smaller then. */
static void switch_off(struct partition *partition)
{
    struct err_info info;
    err_set(&info, ERR_LIMIT,
            "slice %" PRIu32
            " of the state of partition %d is larger than a group of %d frames may be: no more snapshots "
            "are taken. Count the input again into new topics with more partitions",
            partition->snapshot.next, (int)partition->number, FRAMES_A_GROUP_MOST);
    partition->snapshot.is_off = true;
    show_trouble(partition, info.text);
}

struct group *snapshot_seal(struct partition *partition, int64_t now_ms)
{
    struct snapshot *snapshot = &partition->snapshot;
    CHECK(partition->open.declarations == 0);
    if (snapshot->next == 0) {
        snapshot->cycle_bytes = 0;
        snapshot->since_bytes = 0;
    }
    partition->state.today = (int32_t)(now_ms / DAY_MS);
    struct snapshot_source source = source_of(partition);
    struct group *group = outbox_new_group(&partition->outbox);
    if (!snapshot_slice(group, &source, snapshot->next)) {
        group_free(group);
        switch_off(partition);
        return NULL;
    }
    snapshot->sealed_ms = now_ms;
    snapshot->sealed_bytes = (int64_t)group->bytes.length;
    snapshot->cycle_bytes += (int64_t)group->bytes.length;
    snapshot->next = (snapshot->next + 1) % SLICES;
    if (MUTANT(SLICE_LEFT_OUT) && snapshot->next == SLICES / 2)
        snapshot->next++;
    if (snapshot->next == 0) {
        snapshot->complete_bytes = snapshot->cycle_bytes;
        snapshot->replans = false;
    }
    return group;
}

/* ---- another plan ---- */

struct deriving {
    struct state *state;
    struct contribution contribution;
    bool is_broken;
};

static void move_to_totals(struct state *state)
{
    tally_flush(state->tally);
    totals_add_tally(state->totals, state->tally);
    tally_clear(state->tally);
}

static void derive_entry(void *context, const struct ledger_key *key, struct bytes bytes)
{
    struct deriving *deriving = context;
    struct state *state = deriving->state;
    (void)key;
    if (!contribution_decode(bytes, &deriving->contribution)) {
        deriving->is_broken = true;
        return;
    }
    tally_list(state->tally, &deriving->contribution, 1);
    if (tally_cells_most(state->tally) >= DERIVED_CELLS)
        move_to_totals(state);
}

static bool same_control(const struct tally_control *a, const struct tally_control *b)
{
    return a->value_minor == b->value_minor && a->net_mass_mg == b->net_mass_mg && a->items == b->items;
}

bool snapshot_derive(struct state *state)
{
    struct deriving deriving = {.state = state};
    struct tally_control said = tally_control(state->tally);
    struct tally_control none = {0};
    tally_set_control(state->tally, &none);
    for (uint32_t slice = 0; slice < SLICES; slice++)
        totals_clear_slice(state->totals, slice);
    for (uint32_t slice = 0; slice < SLICES; slice++)
        ledger_visit(state->ledger, slice, derive_entry, &deriving);
    move_to_totals(state);
    contribution_fini(&deriving.contribution);
    struct tally_control derived = tally_control(state->tally);
    tally_set_control(state->tally, &said);
    return !deriving.is_broken && same_control(&derived, &said);
}

enum err snapshot_replan(struct partition *partition, struct err_info *info)
{
    uint64_t expired = ledger_sums(partition->state.ledger).prints;
    if (expired)
        return err_set(
            info, ERR_LIMIT,
            "views, zone or what else makes cells have changed, and %" PRIu64
            " declarations of partition %d lie below the floor of the ledger: what they have added can't be counted "
            "again. Start with the configuration of before, or count the input again into new journal and statistics "
            "topics with another group",
            expired, (int)partition->number);
    if (!snapshot_derive(&partition->state))
        return err_set(
            info, ERR_BROKEN,
            "the plan has changed, and what the ledger of partition %d adds up to is not what the journal says: "
            "restore the journal topic from a mirror, or replay the input into a new one",
            (int)partition->number);
    partition->snapshot.replans = true;
    partition->snapshot.next = 0;
    return OK;
}

/* ---- the group of a slice ---- */

static void put_head(struct builder *builder, const struct snapshot_source *source, uint32_t slice)
{
    const struct state *state = source->state;
    struct slice_head head = {
        .slice = slice,
        .replan = source->replan,
        .rebase = source->rebase,
        .has_record = state->has_record,
        .window = *source->window,
    };
    slice_put_head(&builder->payload, &head);
    if (source->reason.length && slice == 0)
        frame_put_bytes(&builder->payload, SECTION_REASON,
                        (struct bytes){(const uint8_t *)source->reason.data, source->reason.length});
    if (source->begun_with)
        frame_put_partitions(&builder->payload, source->begun_with);
    if (source->is_idle) /* the mark may be trimmed */
        frame_put_bytes(&builder->payload, SECTION_IDLE, (struct bytes){NULL, 0});
    frame_put_bytes(&builder->payload, SECTION_ID_KEY,
                    (struct bytes){(const uint8_t *)&state->id_key, sizeof state->id_key});
    frame_put_bytes(&builder->payload, SECTION_UNITS,
                    (struct bytes){(const uint8_t *)state->units, strlen(state->units)});
    frame_put_counts(&builder->payload, &state->counts);
    if (slice == 0)
        builder_put_codes(builder, &state->dictionary, 1);
}

static void put_listed(struct builder *builder, const struct snapshot_source *source, uint32_t slice)
{
    struct reject_list *list = &source->state->rejects;
    reject_list_expire(list, slice, source->state->today - source->rejects_days);
    for (size_t index = 0; index < list->count[slice] && !MUTANT(REJECTS_NOT_SNAPPED);) {
        builder_room(builder, LISTED_A_SECTION * 40);
        reject_list_put(&builder->payload, list, slice, &index, LISTED_A_SECTION);
    }
}

static void sort_cells(const struct totals *totals, uint32_t slice, struct cell_order *order)
{
    uint32_t count = totals_count(totals, slice);
    cell_order_begin(order, count);
    for (uint32_t i = 0; i < count; i++)
        cell_order_add(order, cell_view(totals_key(totals, slice, i)));
    cell_order_finish(order);
}

static void put_cells(struct builder *builder, const struct state *state, uint32_t slice, struct slice_whole *whole)
{
    const struct totals *totals = state->totals;
    const struct view_plan *plan = state->plan;
    struct cell_order order = {0};
    sort_cells(totals, slice, &order);
    for (uint32_t view = 0; view < plan->count; view++) {
        uint32_t i = order.begins[view];
        uint32_t end = order.begins[view + 1];
        while (i < end) {
            builder_room(builder, 1024);
            struct frame_cells cells = frame_cells_open(&builder->payload, &plan->views[view], view);
            for (; i < end && builder->payload.length + FRAME_CELL_BYTES_MOST < builder->most; i++) {
                const struct table_key *key = totals_key(totals, slice, order.places[i]);
                struct measures measures;
                totals_measures(totals, slice, order.places[i], &measures);
                frame_cells_put(&builder->payload, &cells, key, &measures);
                whole->cell_sum += totals_control_of(key, &measures);
            }
            whole->cells += cells.count;
            frame_cells_close(&builder->payload, &cells);
            if (i < end)
                builder_close(builder, false);
        }
    }
    cell_order_fini(&order);
}

struct entries {
    struct builder *builder;
    struct buffer section;
};

static void end_entries(struct entries *entries)
{
    if (entries->section.length == 0)
        return;
    if (entries->builder->payload.length)
        builder_close(entries->builder, false);
    frame_put_bytes(&entries->builder->payload, SECTION_LEDGER, buffer_bytes(&entries->section));
    buffer_clear(&entries->section);
}

static void put_entry(void *context, const struct ledger_key *key, struct bytes contribution)
{
    struct entries *entries = context;
    frame_put_entry(&entries->section, key, contribution);
    if (entries->section.length >= LEDGER_SECTION_BYTES)
        end_entries(entries);
}

static void put_ledger(struct builder *builder, const struct state *state, uint32_t slice)
{
    struct entries entries = {.builder = builder};
    ledger_visit(state->ledger, slice, put_entry, &entries);
    end_entries(&entries);
    buffer_fini(&entries.section);
}

static void put_print(void *context, uint64_t print)
{
    struct buffer *section = context;
    buffer_add_u64(section, print);
}

/* They came in no order that means anything, and go so. */
static void put_prints(struct builder *builder, const struct state *state, uint32_t slice)
{
    struct buffer all = {0};
    if (!MUTANT(FINGERPRINTS_NOT_SNAPPED))
        ledger_visit_prints(state->ledger, slice, put_print, &all);
    for (size_t at = 0; at < all.length;) {
        size_t bytes = all.length - at < PRINTS_BYTES ? all.length - at : PRINTS_BYTES;
        builder_room(builder, bytes + 16);
        frame_put_bytes(&builder->payload, SECTION_PRINTS, (struct bytes){all.data + at, bytes});
        at += bytes;
    }
    buffer_fini(&all);
}

bool snapshot_slice(struct group *group, const struct snapshot_source *source, uint32_t slice)
{
    const struct state *state = source->state;
    group->kind = FRAME_SNAP;
    group->lo = state->hi;
    group->hi = state->hi;
    struct slice_whole whole = {
        .ledger = ledger_segment_sums(state->ledger, slice),
    };
    struct builder builder = builder_for(source->partition, state, group, source->plan);
    put_head(&builder, source, slice);
    put_listed(&builder, source, slice);
    put_cells(&builder, state, slice, &whole);
    put_ledger(&builder, state, slice);
    put_prints(&builder, state, slice);
    builder_room(&builder, WHOLE_BYTES_MOST);
    slice_put_whole(&builder.payload, &whole);
    builder_finish(&builder, state);
    return !builder.is_full;
}

void snapshot_reopen(struct partition *partition, const struct frame_nonce *nonce)
{
    slice_window_add(&partition->snapshot.window, nonce);
    for (uint32_t i = 0; i < partition->outbox.count; i++) {
        struct group *group = partition->outbox.groups[i];
        if (group->kind == FRAME_SNAP)
            slice_stamp_window(group->bytes.data, &partition->snapshot.window);
    }
}

/* ---- trim ---- */

bool snapshot_trim(struct partition *partition, int64_t now_ms)
{
    struct snapshot *snapshot = &partition->snapshot;
    const struct port *port = partition->context->port;
    if (MUTANT(TRIM_ON_ACK) && partition->lane.cycle_acked > snapshot->trim_to)
        snapshot->trim_to = partition->lane.cycle_acked;
    if (snapshot->trim_to <= snapshot->trimmed || now_ms < snapshot->trim_retry_ms)
        return false;
    struct err_info info = {{0}};
    enum err err = port->trim(port->self, partition->number, snapshot->trim_to, &info);
    if (err == OK)
        snapshot->trimmed = snapshot->trim_to;
    else
        snapshot->trim_retry_ms = now_ms + (err == ERR_CONFIG ? TRIM_REFUSED_MS : TRIM_RETRY_MS);
    if (err != OK || !snapshot->is_off) /* what was due before it was switched off is trimmed still */
        show_trouble(partition, err == OK ? "" : info.text);
    return true;
}
