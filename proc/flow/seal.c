/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/seal.h"

#include "base/check.h"
#include "flow/builder.h"
#include "flow/frame_cells.h"
#include "flow/mutant.h"

enum {
    REJECTS_A_SECTION = 30000, /* at most 22 bytes each */
    COUNTS_BYTES_MOST = 32 << 10,
};

static void put_rejects(struct builder *builder, const struct open_group *open)
{
    for (size_t i = 0; i < open->place_count; i += REJECTS_A_SECTION) {
        size_t count = open->place_count - i < REJECTS_A_SECTION ? open->place_count - i : REJECTS_A_SECTION;
        builder_room(builder, 16 + count * 22);
        frame_put_rejects(&builder->payload, open->lo, open->places + i, count);
    }
}

static void put_cells(struct builder *builder, struct partition *partition)
{
    const struct tally *tally = partition->state.tally;
    const struct view_plan *plan = partition->context->plan;
    struct cell_order *order = &partition->open.order;
    frame_cells_sort(tally, order);
    for (uint32_t view = 0; view < plan->count; view++) {
        for (uint32_t index = order->begins[view]; index < order->begins[view + 1];) {
            builder_room(builder, 1024);
            frame_cells_put_tally(&builder->payload, tally, order, &plan->views[view], view, &index, builder->most);
            if (index < order->begins[view + 1])
                builder_close(builder, false);
        }
    }
}

static void put_ledger(struct builder *builder, const struct open_group *open)
{
    if (open->ledger.length == 0 || MUTANT(LEDGER_NOT_JOURNALLED))
        return;
    size_t from = 0;
    for (size_t i = 0; i <= open->cut_count; i++) {
        size_t to = i < open->cut_count ? open->cuts[i] : open->ledger.length;
        struct bytes entries = {open->ledger.data + from, to - from};
        if (to == from)
            continue;
        from = to;
        if (to < open->ledger.length) {
            builder_put_alone(builder, SECTION_LEDGER, entries);
            continue;
        }
        if (builder->payload.length)
            builder_close(builder, false);
        frame_put_bytes(&builder->payload, SECTION_LEDGER, entries); /* the control totals follow in its frame */
    }
}

void seal_begin(struct partition *partition)
{
    struct open_group *open = &partition->open;
    if (!open->group)
        open->group = outbox_new_group(&partition->outbox);
    group_reset(open->group);
    open->place_count = 0;
    buffer_relax(&open->ledger);
    open->cut_count = 0;
    open->cut_last = 0;
    open->first_code = partition->state.dictionary.count;
    open->declarations = 0;
    open->lo = partition->state.hi;
    open->begun_ms = 0;
    tally_clear(partition->state.tally);
}

/* They go on in snapshots when this group is trimmed. */
static void list_rejects(struct partition *partition)
{
    const struct open_group *open = &partition->open;
    for (size_t i = 0; i < open->place_count; i++)
        reject_list_add(&partition->state.rejects, &open->places[i], partition->state.today);
}

struct group *seal_data(struct partition *partition)
{
    struct open_group *open = &partition->open;
    struct group *group = open->group;
    CHECK_SAY(open->declarations == counts_declarations(&group->counts), "%lld declarations, %lld verdicts",
              (long long)open->declarations, (long long)counts_declarations(&group->counts));
    group->kind = FRAME_DATA;
    group->lo = open->lo;
    group->hi = partition->state.hi;
    group->record_timestamp = partition->state.record_timestamp;
    tally_flush(partition->state.tally);
    struct builder builder = builder_of(partition, group, partition->ruleset->plan_id);
    builder_put_codes(&builder, &partition->state.dictionary, open->first_code);
    builder_room(&builder, COUNTS_BYTES_MOST);
    frame_put_counts(&builder.payload, &group->counts);
    put_rejects(&builder, open);
    put_cells(&builder, partition);
    put_ledger(&builder, open);
    builder_finish(&builder, &partition->state);
    CHECK_SAY(!builder.is_full, "[%lld, %lld) of more than %d frames", (long long)group->lo, (long long)group->hi,
              FRAMES_A_GROUP_MOST);
    list_rejects(partition);
    counts_add(&partition->state.counts, &group->counts);
    totals_add_tally(partition->state.totals, partition->state.tally);
    open->group = NULL;
    seal_begin(partition);
    return group;
}

void seal_skip(struct group *group, const struct seal_source *source, int64_t lo, int64_t hi, struct text reason)
{
    group->kind = FRAME_SKIP;
    group->lo = lo;
    group->hi = hi;
    group->counts.skipped = hi - lo;
    struct builder builder = builder_for(source->partition, source->state, group, source->plan);
    frame_put_counts(&builder.payload, &group->counts);
    frame_put_bytes(&builder.payload, SECTION_REASON, (struct bytes){(const uint8_t *)reason.data, reason.length});
    builder_finish(&builder, source->state);
}

static void seal_mark(struct group *group, const struct seal_source *source, enum frame_section section)
{
    group->kind = FRAME_MARK;
    group->lo = source->state->hi;
    group->hi = source->state->hi;
    struct builder builder = builder_for(source->partition, source->state, group, source->plan);
    frame_put_bytes(&builder.payload, section, (struct bytes){NULL, 0});
    builder_finish(&builder, source->state);
}

void seal_idle(struct group *group, const struct seal_source *source)
{
    seal_mark(group, source, SECTION_IDLE);
}

/* Where it stands is in the control totals, as in every group. */
void seal_floor(struct group *group, const struct seal_source *source)
{
    seal_mark(group, source, SECTION_FLOOR);
}

void seal_open(struct buffer *out, const struct frame_nonce *nonce, int32_t partition, int32_t partitions,
               uint64_t plan, const struct hash_key *id_key, struct text units)
{
    struct frame header = {
        .kind = FRAME_OPEN,
        .last = true,
        .partition = (uint32_t)partition,
        .plan = plan,
        .event_ms_most = INT64_MIN,
    };
    size_t begin = out->length;
    uint8_t head[FRAME_HEADER_BYTES];
    frame_write_header(&header, head);
    buffer_add(out, head, sizeof head);
    frame_put_bytes(out, SECTION_ID_KEY, (struct bytes){(const uint8_t *)id_key, sizeof *id_key});
    frame_put_partitions(out, partitions);
    if (units.length)
        frame_put_bytes(out, SECTION_UNITS, (struct bytes){(const uint8_t *)units.data, units.length});
    frame_seal(out->data + begin, out->length - begin, nonce, 0);
}
