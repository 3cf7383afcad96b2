/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/reader_rule.h"

#include "base/memory.h"
#include "flow/invariant.h"
#include "flow/mutant.h"

#include <inttypes.h>
#include <string.h>

const char *reader_branch_name(enum reader_branch branch)
{
    static const char *const names[READER_BRANCHES] = {
        "OPEN",
        "OPEN discards a torn group",
        "OPEN seen before",
        "other nonce",
        "duplicate",
        "gap in seq",
        "buffered",
        "applied",
        "slice of a rebase",
        "rebased",
        "halted",
    };
    return names[branch];
}

static void begin(struct reader_rule *rule)
{
    rule->event_ms_most = INT64_MIN;
    rule->cycles.before = -1;
    rule->cycles.current = -1;
    rule->cycles.trim_to = -1;
    rule->rebase.from = -1;
}

struct reader_rule *reader_rule_new(void)
{
    struct reader_rule *rule = memory_new(1, sizeof *rule);
    begin(rule);
    return rule;
}

void reader_rule_free(struct reader_rule *rule)
{
    if (!rule)
        return;
    buffer_fini(&rule->held);
    memory_free(rule);
}

void reader_rule_begin_again(struct reader_rule *rule)
{
    struct buffer held = rule->held;
    int64_t from = rule->rebase.from;
    bool drops_ledger = rule->drops_ledger;
    buffer_clear(&held);
    memset(rule, 0, sizeof *rule);
    rule->held = held;
    rule->drops_ledger = drops_ledger;
    rule->position = from;
    begin(rule);
}

static void discard(struct reader_rule *rule)
{
    rule->held_count = 0;
    rule->held_bytes = 0;
    buffer_relax(&rule->held);
}

/* The first reason stays. What is on its way is torn. */
static enum reader_branch halt(struct reader_rule *rule, int64_t offset, const struct err_info *why)
{
    discard(rule);
    rule->rebase.from = -1;
    if (rule->halted)
        return READER_HALTED;
    rule->halted = true;
    rule->halted_at = offset;
    rule->why = *why;
    err_prefix(&rule->why, ERR_BROKEN, "journal offset %" PRId64, offset);
    return READER_HALTED;
}

/* Rules 1 and 4. */
static enum reader_branch judge_open(struct reader_rule *rule, const struct frame *frame)
{
    if (slice_window_has(&rule->window, &frame->nonce) && !MUTANT(OPEN_TWICE))
        return READER_OPEN_SEEN;
    bool torn = rule->held_count > 0 || rule->rebase.from >= 0;
    discard(rule);
    rule->rebase.from = -1;
    rule->begins_rebased = false;
    slice_window_add(&rule->window, &frame->nonce);
    rule->epoch = frame->nonce;
    rule->has_epoch = true;
    rule->seq = 0;
    if (!rule->begun_with)
        rule->begun_with = frame_partitions(frame);
    return torn ? READER_OPEN_DISCARDS : READER_OPEN;
}

static bool is_ledger_alone(struct bytes payload)
{
    struct reader reader = reader_of(payload);
    enum frame_section section;
    struct bytes bytes;
    bool broken = false;
    return frame_next_section(&reader, &section, &bytes, &broken) &&
           (section == SECTION_LEDGER || section == SECTION_LEDGER_WIDE) && reader_left(&reader) == 0;
}

/* Keeps a frame of the open group: its header, and a copy of its payload behind those of the frames before. */
static bool hold(struct reader_rule *rule, const struct frame *frame)
{
    if (rule->held_count == FRAMES_A_GROUP_MOST)
        return false;
    struct frame *held = &rule->frames[rule->held_count++];
    *held = *frame;
    rule->held_bytes += FRAME_HEADER_BYTES + (int64_t)frame->payload.length;
    if (rule->drops_ledger && is_ledger_alone(frame->payload))
        held->payload.length = 0;
    buffer_add(&rule->held, held->payload.data, held->payload.length);
    return true;
}

/* The buffer may have moved while it grew: the payloads are found again by their lengths. */
static void point_payloads(struct reader_rule *rule)
{
    const uint8_t *at = rule->held.data;
    for (uint32_t i = 0; i < rule->held_count; i++) {
        rule->frames[i].payload.data = at;
        at += rule->frames[i].payload.length;
    }
}

/* Rule 5. */
static enum err check_group(const struct reader_rule *rule, struct err_info *why)
{
    const struct frame *first = &rule->frames[0];
    for (uint32_t i = 0; i < rule->held_count; i++) {
        const struct frame *frame = &rule->frames[i];
        if (frame->kind != first->kind || frame->lo != first->lo || frame->hi != first->hi ||
            frame->plan != first->plan)
            return err_set(why, ERR_BROKEN, "a group whose frames disagree on kind, range or plan");
    }
    if (first->lo != rule->hi || first->hi < first->lo)
        return invariant_broken(INVARIANT_RANGES_TILE, why,
                                "group [%" PRId64 ", %" PRId64 ") after input offset %" PRId64, first->lo, first->hi,
                                rule->hi);
    return OK;
}

/* What the applied group says beside its sums. A mark of another kind and a slice of the state leave idleness as it is. */
static void note_group(struct reader_rule *rule, const struct frame *last)
{
    struct bytes bytes;
    rule->has_groups = true;
    rule->has_data = rule->has_data || last->kind == FRAME_DATA || last->kind == FRAME_SNAP;
    if (last->kind == FRAME_MARK && frame_find_section(last, SECTION_IDLE, &bytes))
        rule->is_idle = true;
    else if (last->kind == FRAME_DATA || last->kind == FRAME_SKIP)
        rule->is_idle = false;
    if (last->kind == FRAME_SNAP && !rule->begun_with) /* the OPENs before it may be trimmed */
        rule->begun_with = frame_partitions(&rule->frames[0]);
}

static void track_cycle(struct reader_cycles *cycles, int64_t offset, uint32_t slice, int64_t bytes)
{
    if (slice == 0) {
        cycles->before = cycles->current;
        cycles->current = offset;
        cycles->slices = 0;
        cycles->bytes = 0;
        cycles->since_bytes = 0;
    } else if (cycles->current >= 0 && MUTANT(SLICE_LEFT_OUT)) {
        cycles->slices = slice;
    } else if (cycles->current < 0 || cycles->slices != slice) {
        return;
    }
    cycles->slices++;
    cycles->bytes += bytes;
    if (cycles->slices < SLICES)
        return;
    cycles->complete_bytes = cycles->bytes;
    if (cycles->before >= 0)
        cycles->trim_to = cycles->before;
}

static void track_group(struct reader_rule *rule, const struct slice_group *group)
{
    if (group->use == SLICE_NONE)
        rule->cycles.since_bytes += rule->held_bytes;
    else
        track_cycle(&rule->cycles, rule->frames[0].offset, group->slice, rule->held_bytes);
}

/* The group at hand is a slice of a rebase, and the reader did not begin with that. */
static bool is_rebase(const struct reader_rule *rule, struct slice_head *out_head)
{
    return rule->frames[0].kind == FRAME_SNAP && !rule->begins_rebased &&
           slice_get_head(rule->frames[0].payload, out_head) && out_head->rebase;
}

/* A rebase counts whole or not at all, for readers that are halted and for those that had passed the break before it was one. Who finds it
 * whole begins again at its first slice, as at the first of a trimmed log: so all readers agree. */
static enum reader_branch collect(struct reader_rule *rule, const struct slice_head *head)
{
    struct reader_rebase *rebase = &rule->rebase;
    if (head->slice == 0)
        *rebase = (struct reader_rebase){.from = rule->frames[0].offset};
    else if (rebase->slices != head->slice)
        rebase->from = -1;
    discard(rule);
    if (rebase->from < 0)
        return READER_REBASE; /* torn: its beginning is not there */
    rebase->slices++;
    return rebase->slices == SLICES ? READER_REBASED : READER_REBASE;
}

static enum reader_branch apply(struct reader_rule *rule, int64_t offset, reader_fold *fold, void *context)
{
    struct slice_group group;
    struct err_info why;
    enum err err = check_group(rule, &why);
    if (err == OK)
        err = slices_take(&rule->slices, rule->frames, rule->held_count, &group, &why);
    if (err == OK && fold)
        err = fold(context, rule->frames, rule->held_count, &why);
    rule->needs_upgrade = err == ERR_CONFIG;
    if (err != OK)
        return halt(rule, offset, &why);
    track_group(rule, &group);
    const struct frame *last = &rule->frames[rule->held_count - 1];
    rule->hi = last->hi;
    rule->event_ms_most = last->event_ms_most;
    note_group(rule, last);
    if (last->kind == FRAME_DATA || last->kind == FRAME_SNAP) {
        rule->plan = last->plan;
        rule->has_plan = true;
    }
    rule->begins_rebased = rule->begins_rebased && !slices_are_whole(&rule->slices);
    discard(rule);
    return READER_APPLIED;
}

/* A group is complete. */
static enum reader_branch take_group(struct reader_rule *rule, int64_t offset, reader_fold *fold, void *context)
{
    struct slice_head head;
    point_payloads(rule);
    if (is_rebase(rule, &head))
        return collect(rule, &head);
    rule->rebase.from = -1;
    if (!rule->halted)
        return apply(rule, offset, fold, context);
    discard(rule);
    return READER_HALTED;
}

/* The first frame of a log that was trimmed: the reader stands as if it had read all that was before. */
static bool begin_trimmed(struct reader_rule *rule, const struct frame *frame, struct err_info *why)
{
    struct slice_head head;
    slices_begin_trimmed(&rule->slices);
    if (frame->kind != FRAME_SNAP || !slice_get_head(frame->payload, &head) || head.slice != 0) {
        err_set(why, ERR_BROKEN,
                "the journal begins here and not with the first slice of a snapshot: its first records were deleted by "
                "hand or by "
                "retention. Restore the topic from a mirror, or replay the input into a new journal topic");
        return false;
    }
    rule->epoch = frame->nonce;
    rule->has_epoch = true;
    rule->seq = frame->seq - 1;
    rule->window = head.window;
    rule->hi = frame->lo;
    rule->event_ms_most = frame->event_ms_most;
    rule->begins_rebased = head.rebase;
    struct bytes bytes;
    rule->is_idle = frame_find_section(frame, SECTION_IDLE, &bytes);
    return true;
}

static enum reader_branch judge(struct reader_rule *rule, const struct frame *frame, reader_fold *fold, void *context)
{
    if (frame->kind == FRAME_OPEN)
        return judge_open(rule, frame);
    if (!rule->has_epoch || (!frame_nonce_equal(&frame->nonce, &rule->epoch) && !MUTANT(NO_FENCE))) /* rule 2 */
        return READER_OTHER_NONCE;
    if (frame->seq != rule->seq + 1 && !MUTANT(SEQ_UNCHECKED)) /* rule 3 */
        return frame->seq <= rule->seq ? READER_DUPLICATE : READER_GAP;
    rule->seq = frame->seq;
    if (!hold(rule, frame)) {
        struct err_info why;
        err_set(&why, ERR_BROKEN, "a group of more than %d frames", FRAMES_A_GROUP_MOST);
        return halt(rule, frame->offset, &why);
    }
    return frame->last || MUTANT(GROUP_FLAG_IGNORED) ? take_group(rule, frame->offset, fold, context) : READER_BUFFERED;
}

/* True if it is the first. */
static bool step_to(struct reader_rule *rule, int64_t offset)
{
    bool is_first = !rule->begun;
    rule->begun = true;
    if (is_first)
        rule->first = offset;
    rule->position = offset + 1;
    return is_first;
}

enum reader_branch reader_rule_feed(struct reader_rule *rule, int64_t offset, struct bytes record, reader_fold *fold,
                                    void *context, struct frame *out_frame)
{
    bool is_trimmed = step_to(rule, offset) && offset > 0;
    struct frame frame;
    struct err_info why;
    enum err err = frame_parse(record, &frame, &why);
    if (err != OK) {
        if (is_trimmed)
            slices_begin_trimmed(&rule->slices); /* nothing is there of what was before */
        rule->needs_upgrade |= !rule->halted && err == ERR_CONFIG;
        return halt(rule, offset, &why);
    }
    frame.offset = offset;
    bool is_out_of_place = is_trimmed && !begin_trimmed(rule, &frame, &why);
    if (is_out_of_place)
        halt(rule, offset, &why);
    if (out_frame)
        *out_frame = frame;
    enum reader_branch branch = judge(rule, &frame, fold, context);
    return is_out_of_place ? READER_HALTED : branch;
}

enum reader_branch reader_rule_fault(struct reader_rule *rule, int64_t offset, const char *what)
{
    struct err_info why;
    if (step_to(rule, offset) && offset > 0)
        slices_begin_trimmed(&rule->slices);
    err_set(&why, ERR_BROKEN, "%s", what);
    return halt(rule, offset, &why);
}
