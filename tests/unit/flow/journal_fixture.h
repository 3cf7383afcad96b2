/* SPDX-License-Identifier: Apache-2.0
 * journal_fixture.h - for tests: contributions -> whole journal frames of a partition, with the totals a writer makes.
 *
 * Memory:  the maker owns its buffer; a frame is good until the next call
 */
#pragma once

#include "flow/frame_cells.h"

#include <string.h>

struct maker {
    const struct view_plan *plan;
    struct tally *tally;
    struct dictionary codes;
    uint32_t first_code;
    uint32_t partition;
    uint64_t plan_id;
    int64_t hi;
    uint64_t seq;
    struct frame_nonce nonce;
    struct counts counts;
    int64_t verdicts[VERDICTS];
    int64_t record_timestamp;
    int64_t event_ms;
    i128 lie_value; /* added to the control total */
    int64_t lie_counted;
    struct buffer bytes;
};

static inline void maker_init(struct maker *maker, const struct view_plan *plan, uint32_t partition)
{
    *maker = (struct maker){.plan = plan, .partition = partition, .plan_id = 7, .event_ms = INT64_MIN};
    maker->tally = tally_new(plan);
    dictionary_init(&maker->codes);
    maker->first_code = 0;
    maker->nonce.word[0] = 1000 + partition;
}

static inline void maker_fini(struct maker *maker)
{
    tally_free(maker->tally);
    dictionary_fini(&maker->codes);
    buffer_fini(&maker->bytes);
}

static inline uint32_t maker_code(struct maker *maker, const char *text)
{
    return dictionary_number(&maker->codes, text_of(text));
}

/* Counts one declaration version, or takes it back (which is no declaration of its own). */
static inline void maker_add(struct maker *maker, const struct contribution *contribution, int sign)
{
    tally_add(maker->tally, contribution, sign);
    if (sign > 0) {
        maker->counts.verdicts[VERDICT_COUNTED]++;
        maker->counts.records++;
        maker->hi++;
    }
}

static inline struct bytes maker_seal(struct maker *maker, enum frame_kind kind, bool last, int64_t lo,
                                      const struct buffer *payload)
{
    struct frame frame = {.kind = kind,
                          .last = last,
                          .partition = maker->partition,
                          .lo = lo,
                          .hi = maker->hi,
                          .plan = maker->plan_id,
                          .event_ms_most = maker->event_ms,
                          .record_timestamp = maker->record_timestamp};
    buffer_clear(&maker->bytes);
    buffer_reserve(&maker->bytes, FRAME_HEADER_BYTES);
    frame_write_header(&frame, maker->bytes.data);
    maker->bytes.length = FRAME_HEADER_BYTES;
    buffer_add(&maker->bytes, payload->data, payload->length);
    frame_seal(maker->bytes.data, maker->bytes.length, &maker->nonce, kind == FRAME_OPEN ? 0 : ++maker->seq);
    return buffer_bytes(&maker->bytes);
}

/* Begins a new epoch. */
static inline struct bytes maker_open(struct maker *maker)
{
    struct buffer payload = {0};
    buffer_add_u8(&payload, SECTION_REASON);
    buffer_add_u32(&payload, 0);
    maker->nonce.word[1]++;
    maker->seq = 0;
    struct bytes bytes = maker_seal(maker, FRAME_OPEN, true, maker->hi, &payload);
    buffer_fini(&payload);
    return bytes;
}

static inline void maker_put_control(struct maker *maker, struct buffer *payload)
{
    struct control control = {.tally = tally_control(maker->tally)};
    control.tally.value_minor += maker->lie_value;
    for (int i = 0; i < VERDICTS; i++)
        control.verdicts[i] = maker->verdicts[i];
    control.verdicts[VERDICT_COUNTED] += maker->lie_counted;
    frame_put_control(payload, &control);
}

/* The group of all that was added since the last one. */
static inline struct bytes maker_data(struct maker *maker)
{
    struct buffer payload = {0};
    int64_t lo = maker->hi - maker->counts.records;
    for (int i = 0; i < VERDICTS; i++)
        maker->verdicts[i] += maker->counts.verdicts[i];
    frame_put_codes(&payload, &maker->codes, maker->first_code ? maker->first_code : 1);
    maker->first_code = maker->codes.count;
    frame_put_counts(&payload, &maker->counts);
    struct cell_order order = {0};
    frame_cells_sort(maker->tally, &order);
    for (uint32_t view = 0; view < maker->plan->count; view++) {
        uint32_t index = order.begins[view];
        frame_cells_put_tally(&payload, maker->tally, &order, &maker->plan->views[view], view, &index, SIZE_MAX);
    }
    cell_order_fini(&order);
    maker_put_control(maker, &payload);
    struct bytes bytes = maker_seal(maker, FRAME_DATA, true, lo, &payload);
    buffer_fini(&payload);
    tally_clear(maker->tally);
    maker->counts = (struct counts){0};
    return bytes;
}

/* A group without cells: an idle mark. */
static inline struct bytes maker_idle(struct maker *maker)
{
    struct buffer payload = {0};
    frame_put_bytes(&payload, SECTION_IDLE, (struct bytes){NULL, 0});
    maker_put_control(maker, &payload);
    struct bytes bytes = maker_seal(maker, FRAME_MARK, true, maker->hi, &payload);
    buffer_fini(&payload);
    return bytes;
}

/* An item of a plain import; partner as two letters. */
static inline struct contribution_item item_of(uint64_t hs6, const char *partner, int64_t value_minor,
                                               int64_t net_mass_mg)
{
    return (struct contribution_item){.hs = hs6 * 10000,
                                      .hs_digits = 6,
                                      .flow = FLOW_M,
                                      .partner = (uint16_t)((uint8_t)partner[0] << 8 | (uint8_t)partner[1]),
                                      .value_minor = value_minor,
                                      .customs_value_minor = value_minor,
                                      .net_mass_mg = net_mass_mg,
                                      .gross_mass_mg = net_mass_mg};
}
