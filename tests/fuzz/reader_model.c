/* SPDX-License-Identifier: Apache-2.0 */
#include "reader_model.h"

#include "flow/frame.h"

#include <string.h>

void model_begin(struct model *model)
{
    *model = (struct model){.rebase_from = -1};
}

bool model_has_seen(const struct model *model, uint64_t nonce)
{
    for (uint32_t i = 0; i < model->window_count; i++) {
        if (model->window[i] == nonce)
            return true;
    }
    return false;
}

bool model_is_whole(const struct model *model)
{
    for (int i = 0; i < MODEL_SLICES; i++) {
        if (model->has_slices && !model->have[i])
            return false;
    }
    return true;
}

static enum model_says corrupt(struct model *model)
{
    model->corrupt = true;
    model->held = 0;
    model->rebase_from = -1;
    return MODEL_HALTED;
}

static void remember(struct model *model, uint64_t nonce)
{
    if (model->window_count == MODEL_WINDOW) {
        memmove(model->window, model->window + 1, (MODEL_WINDOW - 1) * sizeof model->window[0]);
        model->window_count--;
    }
    model->window[model->window_count++] = nonce;
}

/* Rule 2. */
static enum model_says open_frame(struct model *model, const struct model_frame *frame)
{
    if (model_has_seen(model, frame->nonce))
        return MODEL_OPEN_SEEN;
    bool torn = model->held > 0 || model->rebase_from >= 0;
    remember(model, frame->nonce);
    model->has_epoch = true;
    model->nonce = frame->nonce;
    model->seq = 0;
    model->held = 0;
    model->rebase_from = -1;
    model->begins_rebased = false;
    return torn ? MODEL_OPEN_DISCARDS : MODEL_OPEN;
}

static bool same_cells(uint64_t a, uint64_t b)
{
    return (uint32_t)a == (uint32_t)b;
}

/* The plans of slices. False: corrupt. A first group that is a SNAP brings the first slice that there is. */
static bool take_plan(struct model *model, const struct model_frame *frame)
{
    if (!model->has_slices) {
        for (int i = 0; i < MODEL_SLICES; i++)
            model->have[i] = frame->kind != FRAME_SNAP;
    }
    model->has_slices = true;
    if (frame->kind == FRAME_DATA) {
        for (int i = 0; i < MODEL_SLICES; i++) {
            if (model->have[i] && model->planned[i] && !same_cells(model->plans[i], frame->plan))
                return false;
            if (model->have[i]) {
                model->planned[i] = true;
                model->plans[i] = frame->plan;
            }
        }
    }
    if (frame->kind == FRAME_SNAP) {
        uint32_t i = frame->slice;
        bool compares = model->have[i] && !frame->replan;
        if (compares && model->planned[i] && !same_cells(model->plans[i], frame->plan))
            return false;
        model->have[i] = true;
        model->planned[i] = true;
        model->plans[i] = frame->plan;
    }
    return true;
}

static enum model_says take_rebase(struct model *model)
{
    const struct model_frame *first = &model->first;
    model->held = 0;
    if (first->slice == 0) {
        model->rebase_from = model->first_offset;
        model->rebase_slices = 0;
    } else if (model->rebase_from < 0 || model->rebase_slices != first->slice) {
        model->rebase_from = -1;
        return MODEL_REBASE;
    }
    return ++model->rebase_slices == MODEL_SLICES ? MODEL_REBASED : MODEL_REBASE;
}

/* Rules 4 and 5. */
static enum model_says group(struct model *model)
{
    const struct model_frame *first = &model->first;
    if (first->kind == FRAME_SNAP && first->has_head && first->rebase && !model->begins_rebased)
        return take_rebase(model);
    model->rebase_from = -1;
    model->held = 0;
    if (model->corrupt)
        return MODEL_HALTED;
    bool is_good = !model->disagrees && first->lo == model->hi && first->hi >= first->lo &&
                   (first->kind != FRAME_SNAP || (first->lo == first->hi && first->has_head)) &&
                   take_plan(model, first) && first->plan != MODEL_REFUSED_PLAN;
    if (!is_good)
        return corrupt(model);
    model->hi = first->hi;
    model->groups++;
    model->begins_rebased = model->begins_rebased && !model_is_whole(model);
    return MODEL_APPLIED;
}

/* The first record of a log whose beginning was deleted. False: it is not what a trim leaves. */
static bool begin_trimmed(struct model *model, const struct model_frame *frame)
{
    model->has_slices = true;
    if (!frame->is_frame || frame->kind != FRAME_SNAP || !frame->has_head || frame->slice != 0)
        return false;
    model->has_epoch = true;
    model->nonce = frame->nonce;
    model->seq = frame->seq - 1;
    model->hi = frame->lo;
    memcpy(model->window, frame->window, sizeof model->window);
    model->window_count = frame->window_count;
    model->begins_rebased = frame->rebase;
    return true;
}

static enum model_says judge(struct model *model, int64_t offset, const struct model_frame *frame)
{
    if (!frame->is_frame) /* rule 1 */
        return corrupt(model);
    if (frame->kind == FRAME_OPEN)
        return open_frame(model, frame);
    if (!model->has_epoch || frame->nonce != model->nonce) /* rule 3 */
        return MODEL_OTHER_NONCE;
    if (frame->seq != model->seq + 1)
        return frame->seq <= model->seq ? MODEL_DUPLICATE : MODEL_GAP;
    model->seq = frame->seq;
    if (model->held == MODEL_GROUP_MOST)
        return corrupt(model);
    if (model->held++ == 0) {
        model->first = *frame;
        model->first_offset = offset;
        model->disagrees = false;
    }
    const struct model_frame *first = &model->first;
    model->disagrees = model->disagrees || frame->kind != first->kind || frame->lo != first->lo ||
                       frame->hi != first->hi || frame->plan != first->plan;
    return frame->last ? group(model) : MODEL_BUFFERED;
}

enum model_says model_feed(struct model *model, int64_t offset, const struct model_frame *frame)
{
    bool is_trimmed = !model->begun && offset > 0;
    model->begun = true;
    if (is_trimmed && !begin_trimmed(model, frame)) {
        if (!frame->is_frame)
            return corrupt(model);
        corrupt(model);
        judge(model, offset, frame);
        return MODEL_HALTED;
    }
    return judge(model, offset, frame);
}
