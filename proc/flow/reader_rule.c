/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/reader_rule.h"

#include "base/memory.h"

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

static bool in_window(const struct reader_rule *rule, const struct frame_nonce *nonce)
{
    uint32_t known = rule->window_count < READER_WINDOW ? rule->window_count : READER_WINDOW;
    for (uint32_t i = 0; i < known; i++) {
        if (frame_nonce_equal(&rule->window[i], nonce))
            return true;
    }
    return false;
}

/* Rules 1 and 4. */
static enum reader_branch judge_open(struct reader_rule *rule, const struct frame *frame)
{
    if (in_window(rule, &frame->nonce))
        return READER_OPEN_SEEN;
    bool torn = rule->held_count > 0;
    discard(rule);
    rule->window[rule->window_count++ % READER_WINDOW] = frame->nonce;
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
    if (first->kind == FRAME_SNAP)
        return err_set(&rule->why, ERR_BROKEN,
                       "a snapshot slice, which this version does not read: upgrade the program");
    if (first->kind == FRAME_DATA && rule->has_plan && first->plan != rule->plan)
        return err_set(&rule->why, ERR_BROKEN, "DATA of plan %016" PRIx64 " on a state of plan %016" PRIx64,
                       first->plan, rule->plan);
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
}

static enum reader_branch apply(struct reader_rule *rule, int64_t offset, reader_fold *fold, void *context)
{
    point_payloads(rule);
    enum err err = check_group(rule);
    if (err == OK && fold)
        err = fold(context, rule->frames, rule->held_count, &rule->why);
    if (err != OK)
        return halt(rule, offset);
    const struct frame *last = &rule->frames[rule->held_count - 1];
    rule->hi = last->hi;
    rule->event_ms_most = last->event_ms_most;
    note_group(rule, last);
    if (last->kind == FRAME_DATA) {
        rule->plan = last->plan;
        rule->has_plan = true;
    }
    discard(rule);
    return READER_APPLIED;
}

enum reader_branch reader_rule_feed(struct reader_rule *rule, int64_t offset, struct bytes record, reader_fold *fold,
                                    void *context, struct frame *out_frame)
{
    if (rule->halted)
        return READER_HALTED;
    if (!rule->begun && offset > 0) {
        err_set(&rule->why, ERR_BROKEN,
                "the journal begins here and not with a snapshot: its first records were deleted. Restore the topic "
                "from a mirror, or "
                "replay the input into a new journal topic");
        return halt(rule, offset);
    }
    rule->begun = true;
    rule->position = offset + 1;
    struct frame frame;
    if (frame_parse(record, &frame, &rule->why) != OK)
        return halt(rule, offset);
    if (out_frame)
        *out_frame = frame;
    if (frame.kind == FRAME_OPEN)
        return judge_open(rule, &frame);
    if (!rule->has_epoch || !frame_nonce_equal(&frame.nonce, &rule->epoch)) /* rule 2 */
        return READER_OTHER_NONCE;
    if (frame.seq != rule->seq + 1) /* rule 3 */
        return frame.seq <= rule->seq ? READER_DUPLICATE : READER_GAP;
    rule->seq = frame.seq;
    if (!hold(rule, &frame)) {
        err_set(&rule->why, ERR_BROKEN, "a group of more than %d frames", FRAMES_A_GROUP_MOST);
        return halt(rule, offset);
    }
    return frame.last ? apply(rule, offset, fold, context) : READER_BUFFERED;
}
