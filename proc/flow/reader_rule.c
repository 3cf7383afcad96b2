/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/reader_rule.h"

#include "base/memory.h"
#include "flow/mutant.h"

#include <inttypes.h>

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
        "halted",
    };
    return names[branch];
}

struct reader_rule *reader_rule_new(void)
{
    struct reader_rule *rule = memory_new(1, sizeof *rule);
    rule->event_ms_most = INT64_MIN;
    rule->cycles.before = -1;
    rule->cycles.current = -1;
    rule->cycles.trim_to = -1;
    return rule;
}

void reader_rule_free(struct reader_rule *rule)
{
    if (!rule)
        return;
    buffer_fini(&rule->held);
    memory_free(rule);
}

static enum reader_branch halt(struct reader_rule *rule, int64_t offset)
{
    rule->halted = true;
    err_prefix(&rule->why, ERR_BROKEN, "journal offset %" PRId64, offset);
    return READER_HALTED;
}

static void discard(struct reader_rule *rule)
{
    rule->held_count = 0;
    buffer_clear(&rule->held);
}

/* Rules 1 and 4. */
static enum reader_branch judge_open(struct reader_rule *rule, const struct frame *frame)
{
    if (slice_window_has(&rule->window, &frame->nonce) && !MUTANT(OPEN_TWICE))
        return READER_OPEN_SEEN;
    bool torn = rule->held_count > 0;
    discard(rule);
    slice_window_add(&rule->window, &frame->nonce);
    rule->epoch = frame->nonce;
    rule->has_epoch = true;
    rule->seq = 0;
    if (!rule->begun_with)
        rule->begun_with = frame_partitions(frame);
    return torn ? READER_OPEN_DISCARDS : READER_OPEN;
}

/* Keeps a frame of the open group: its header, and a copy of its payload behind those of the frames before. */
static bool hold(struct reader_rule *rule, const struct frame *frame)
{
    if (rule->held_count == FRAMES_A_GROUP_MOST)
        return false;
    buffer_add(&rule->held, frame->payload.data, frame->payload.length);
    rule->frames[rule->held_count++] = *frame;
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
static enum err check_group(struct reader_rule *rule)
{
    const struct frame *first = &rule->frames[0];
    for (uint32_t i = 0; i < rule->held_count; i++) {
        const struct frame *frame = &rule->frames[i];
        if (frame->kind != first->kind || frame->lo != first->lo || frame->hi != first->hi ||
            frame->plan != first->plan)
            return err_set(&rule->why, ERR_BROKEN, "a group whose frames disagree on kind, range or plan");
    }
    if (first->lo != rule->hi || first->hi < first->lo)
        return err_set(&rule->why, ERR_BROKEN, "group [%" PRId64 ", %" PRId64 ") after input offset %" PRId64,
                       first->lo, first->hi, rule->hi);
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
    int64_t bytes = (int64_t)(rule->held.length + rule->held_count * (size_t)FRAME_HEADER_BYTES);
    if (group->use == SLICE_NONE)
        rule->cycles.since_bytes += bytes;
    else
        track_cycle(&rule->cycles, rule->frames[0].offset, group->slice, bytes);
}

static enum reader_branch apply(struct reader_rule *rule, int64_t offset, reader_fold *fold, void *context)
{
    struct slice_group group;
    point_payloads(rule);
    enum err err = check_group(rule);
    if (err == OK)
        err = slices_take(&rule->slices, rule->frames, rule->held_count, &group, &rule->why);
    if (err == OK && fold)
        err = fold(context, rule->frames, rule->held_count, &rule->why);
    if (err != OK)
        return halt(rule, offset);
    track_group(rule, &group);
    const struct frame *last = &rule->frames[rule->held_count - 1];
    rule->hi = last->hi;
    rule->event_ms_most = last->event_ms_most;
    note_group(rule, last);
    if (last->kind == FRAME_DATA || last->kind == FRAME_SNAP) {
        rule->plan = last->plan;
        rule->has_plan = true;
    }
    discard(rule);
    return READER_APPLIED;
}

/* The first frame of a log that was trimmed: the reader stands as if it had read all that was before. */
static bool begin_trimmed(struct reader_rule *rule, const struct frame *frame)
{
    struct slice_head head;
    if (frame->kind != FRAME_SNAP || !slice_get_head(frame->payload, &head) || head.slice != 0) {
        err_set(&rule->why, ERR_BROKEN,
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
    struct bytes bytes;
    rule->is_idle = frame_find_section(frame, SECTION_IDLE, &bytes);
    slices_begin_trimmed(&rule->slices);
    return true;
}

enum reader_branch reader_rule_feed(struct reader_rule *rule, int64_t offset, struct bytes record, reader_fold *fold,
                                    void *context, struct frame *out_frame)
{
    if (rule->halted)
        return READER_HALTED;
    bool is_first = !rule->begun;
    rule->begun = true;
    if (is_first)
        rule->first = offset;
    rule->position = offset + 1;
    struct frame frame;
    if (frame_parse(record, &frame, &rule->why) != OK)
        return halt(rule, offset);
    frame.offset = offset;
    if (is_first && offset > 0 && !begin_trimmed(rule, &frame))
        return halt(rule, offset);
    if (out_frame)
        *out_frame = frame;
    if (frame.kind == FRAME_OPEN)
        return judge_open(rule, &frame);
    if (!rule->has_epoch || (!frame_nonce_equal(&frame.nonce, &rule->epoch) && !MUTANT(NO_FENCE))) /* rule 2 */
        return READER_OTHER_NONCE;
    if (frame.seq != rule->seq + 1 && !MUTANT(SEQ_UNCHECKED)) /* rule 3 */
        return frame.seq <= rule->seq ? READER_DUPLICATE : READER_GAP;
    rule->seq = frame.seq;
    if (!hold(rule, &frame)) {
        err_set(&rule->why, ERR_BROKEN, "a group of more than %d frames", FRAMES_A_GROUP_MOST);
        return halt(rule, offset);
    }
    return frame.last || MUTANT(GROUP_FLAG_IGNORED) ? apply(rule, offset, fold, context) : READER_BUFFERED;
}
