/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/slice.h"

#include "flow/mutant.h"

#include <inttypes.h>

enum {
    ALL = -1,
    FLAG_REPLAN = 1,
    FLAG_HAS_RECORD = 2,
    FLAG_REBASE = 4,
    SECTION_HEAD_BYTES = 5,
    WINDOW_BYTES = 1 + SLICE_WINDOW * sizeof(struct frame_nonce),
};

/* ---- the window of OPENs ---- */

static uint32_t known(const struct slice_window *window)
{
    return window->count < SLICE_WINDOW ? (uint32_t)window->count : SLICE_WINDOW;
}

bool slice_window_has(const struct slice_window *window, const struct frame_nonce *nonce)
{
    for (uint32_t i = 0; i < known(window); i++) {
        if (frame_nonce_equal(&window->nonces[i], nonce))
            return true;
    }
    return false;
}

void slice_window_add(struct slice_window *window, const struct frame_nonce *nonce)
{
    window->nonces[window->count++ % SLICE_WINDOW] = *nonce;
}

/* Oldest first, whatever place the ring had come to. */
static void write_window(const struct slice_window *window, uint8_t out[static WINDOW_BYTES])
{
    memset(out, 0, WINDOW_BYTES);
    uint32_t count = MUTANT(WINDOW_NOT_SNAPPED) ? 0 : known(window);
    out[0] = (uint8_t)count;
    for (uint32_t i = 0; i < count; i++)
        memcpy(out + 1 + i * sizeof(struct frame_nonce), &window->nonces[(window->count - count + i) % SLICE_WINDOW],
               sizeof(struct frame_nonce));
}

static bool read_window(struct bytes bytes, struct slice_window *out)
{
    if (bytes.length != WINDOW_BYTES || bytes.data[0] > SLICE_WINDOW)
        return false;
    *out = (struct slice_window){.count = bytes.data[0]};
    memcpy(out->nonces, bytes.data + 1, out->count * sizeof out->nonces[0]);
    return true;
}

/* ---- sections ---- */

void slice_put_head(struct buffer *out, const struct slice_head *head)
{
    uint8_t window[WINDOW_BYTES];
    write_window(&head->window, window);
    frame_put_bytes(out, SECTION_WINDOW, (struct bytes){window, sizeof window});
    struct buffer content = {0};
    buffer_add_varint(&content, head->slice);
    buffer_add_varint(&content, SLICES);
    buffer_add_u8(&content, (uint8_t)((head->replan ? FLAG_REPLAN : 0) | (head->has_record ? FLAG_HAS_RECORD : 0) |
                                      (head->rebase ? FLAG_REBASE : 0)));
    frame_put_bytes(out, SECTION_SLICE, buffer_bytes(&content));
    buffer_fini(&content);
}

void slice_stamp_window(uint8_t *frame, const struct slice_window *window)
{
    write_window(window, frame + FRAME_HEADER_BYTES + SECTION_HEAD_BYTES);
}

bool slice_get_head(struct bytes payload, struct slice_head *out)
{
    struct reader reader = reader_of(payload);
    enum frame_section section;
    struct bytes bytes;
    bool broken = false;
    if (!frame_next_section(&reader, &section, &bytes, &broken) || section != SECTION_WINDOW ||
        !read_window(bytes, &out->window))
        return false;
    if (!frame_next_section(&reader, &section, &bytes, &broken) || section != SECTION_SLICE)
        return false;
    struct reader head = reader_of(bytes);
    uint64_t slice = reader_varint(&head);
    uint64_t slices = reader_varint(&head);
    uint8_t flags = reader_u8(&head);
    if (head.failed || reader_left(&head) > 0 || slices != SLICES || slice >= SLICES)
        return false;
    out->slice = (uint32_t)slice;
    out->replan = flags & FLAG_REPLAN;
    out->has_record = flags & FLAG_HAS_RECORD;
    out->rebase = flags & FLAG_REBASE;
    return true;
}

void slice_put_whole(struct buffer *out, const struct slice_whole *whole)
{
    struct buffer content = {0};
    buffer_add_u64(&content, whole->ledger.control);
    buffer_add_varint(&content, whole->ledger.entries);
    buffer_add_u64(&content, whole->cell_sum);
    buffer_add_varint(&content, whole->cells);
    buffer_add_u64(&content, whole->ledger.print_control);
    buffer_add_varint(&content, whole->ledger.prints);
    frame_put_bytes(out, SECTION_WHOLE, buffer_bytes(&content));
    buffer_fini(&content);
}

bool slice_get_whole(struct bytes bytes, struct slice_whole *out)
{
    struct reader reader = reader_of(bytes);
    *out = (struct slice_whole){0};
    out->ledger.control = reader_u64(&reader);
    out->ledger.entries = reader_varint(&reader);
    out->cell_sum = reader_u64(&reader);
    out->cells = reader_varint(&reader);
    if (!reader.failed && reader_left(&reader) == 0)
        return true; /* of frames of version 1: nothing had expired */
    out->ledger.print_control = reader_u64(&reader);
    out->ledger.prints = reader_varint(&reader);
    return !reader.failed && reader_left(&reader) == 0;
}

/* ---- what a reader has ---- */

void slices_begin_trimmed(struct slices *slices)
{
    *slices = (struct slices){.begun = true};
}

bool slices_are_whole(const struct slices *slices)
{
    return !slices->begun || slices->have == (uint32_t)ALL;
}

bool slices_are_of_plan(const struct slices *slices, uint64_t plan)
{
    for (uint32_t i = 0; i < SLICES; i++) {
        if (slice_in(slices->planned, i) && !plan_same_cells(slices->plans[i], plan))
            return false;
    }
    return true;
}

static enum err other_plan(const struct slices *slices, const char *what, uint32_t slice, uint64_t plan,
                           struct err_info *info)
{
    return err_set(info, ERR_BROKEN,
                   "%s of plan %016" PRIx64 " on slice %" PRIu32 " of plan %016" PRIx64
                   ": give all processes the same views, time zone, currency and trade system",
                   what, plan, slice, slices->plans[slice]);
}

static void set_plan(struct slices *slices, uint32_t slice, uint64_t plan)
{
    slices->plans[slice] = plan;
    slices->planned |= 1u << slice;
}

/* Rule 12: the first DATA that touches an empty slice fixes its plan. */
static enum err take_data(struct slices *slices, uint64_t plan, struct err_info *info)
{
    for (uint32_t i = 0; i < SLICES; i++) {
        if (!slice_in(slices->have, i))
            continue;
        if (slice_in(slices->planned, i) && !plan_same_cells(slices->plans[i], plan))
            return other_plan(slices, "DATA", i, plan, info);
        set_plan(slices, i, plan);
    }
    return OK;
}

static enum err take_slice(struct slices *slices, const struct frame *first, struct slice_group *out,
                           struct err_info *info)
{
    struct slice_head head;
    if (!slice_get_head(first->payload, &head))
        return err_set(info, ERR_BROKEN, "a SNAP group that does not begin with the head of one of %d slices", SLICES);
    uint32_t slice = head.slice;
    bool had = slice_in(slices->have, slice);
    out->slice = slice;
    out->has_record = head.has_record;
    out->use = !had ? SLICE_LOAD : head.replan ? SLICE_REPLACE : SLICE_COMPARE;
    if (out->use == SLICE_COMPARE && slice_in(slices->planned, slice) &&
        !plan_same_cells(slices->plans[slice], first->plan))
        return other_plan(slices, "a snapshot", slice, first->plan, info);
    set_plan(slices, slice, first->plan);
    slices->have |= 1u << slice;
    return OK;
}

enum err slices_take(struct slices *slices, const struct frame *frames, uint32_t count, struct slice_group *out,
                     struct err_info *info)
{
    const struct frame *first = &frames[0];
    *out = (struct slice_group){.use = SLICE_NONE, .is_first = false};
    if (first->kind == FRAME_SNAP && first->lo != first->hi)
        return err_set(info, ERR_BROKEN, "a SNAP group [%" PRId64 ", %" PRId64 ") of %" PRIu32 " frames", first->lo,
                       first->hi, count);
    if (!slices->begun)
        slices->have = first->kind == FRAME_SNAP ? 0 : (uint32_t)ALL;
    slices->begun = true;
    out->is_first = first->kind == FRAME_SNAP && slices->have == 0;
    if (first->kind == FRAME_DATA)
        TRY(take_data(slices, first->plan, info));
    if (first->kind == FRAME_SNAP)
        TRY(take_slice(slices, first, out, info));
    out->have = slices->have;
    return OK;
}
