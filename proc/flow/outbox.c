/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/outbox.h"

#include "base/check.h"
#include "flow/mutant.h"
#include "flow/slice.h"

enum { INDEX_BITS = 23, SERIAL_SHIFT = 24, SERIAL_MASK = 0xFFFFFF, PARTITION_SHIFT = 48 };

void outbox_fini(struct outbox *outbox)
{
    outbox_clear(outbox);
    for (uint32_t i = 0; i < outbox->spare_count; i++)
        group_free(outbox->spare[i]);
    *outbox = (struct outbox){.serial = outbox->serial};
}

struct group *outbox_new_group(struct outbox *outbox)
{
    struct group *group = outbox->spare_count ? outbox->spare[--outbox->spare_count] : group_new();
    group_reset(group);
    return group;
}

void outbox_add(struct outbox *outbox, struct group *group)
{
    CHECK(outbox->count < OUTBOX_ROOM);
    group->serial = ++outbox->serial & SERIAL_MASK;
    outbox->groups[outbox->count++] = group;
}

void outbox_retire(struct outbox *outbox)
{
    CHECK(outbox->count > 0);
    group_rest(outbox->groups[0]);
    if (outbox->spare_count < OUTBOX_SPARES)
        outbox->spare[outbox->spare_count++] = outbox->groups[0];
    else
        group_free(outbox->groups[0]);
    outbox->count--;
    memmove(&outbox->groups[0], &outbox->groups[1], outbox->count * sizeof outbox->groups[0]);
}

void outbox_clear(struct outbox *outbox)
{
    while (outbox->count)
        outbox_retire(outbox);
}

void outbox_unsend(struct outbox *outbox)
{
    for (uint32_t i = 0; i < outbox->count; i++)
        group_unsend(outbox->groups[i]);
}

uint64_t outbox_token(int32_t partition, uint32_t serial, bool frame, uint64_t index)
{
    return (uint64_t)(uint16_t)partition << PARTITION_SHIFT | (uint64_t)(serial & SERIAL_MASK) << SERIAL_SHIFT |
           (uint64_t)frame << INDEX_BITS | index;
}

/* ---- sending ---- */

static enum err send_reject(struct group *group, const struct outbox_lane *lane, size_t index, struct err_info *info)
{
    struct group_reject *reject = &group->rejects[index];
    const uint8_t *base = group->reject_bytes.data;
    struct bytes key = {base + reject->key_at, reject->key_bytes};
    struct bytes value = {base + reject->key_at + reject->key_bytes, reject->value_bytes};
    if (reject->shrunk)
        value = (struct bytes){base + reject->shrunk_at, reject->shrunk_bytes};
    TRY(lane->port->append(lane->port->self, lane->lane, PORT_REJECTS, -1, key, value, PORT_NO_AS_OF,
                           outbox_token(lane->partition, group->serial, false, index), info));
    reject->sent = true;
    group->rejects_sent++;
    return OK;
}

static enum err send_rejects(struct group *group, const struct outbox_lane *lane, struct err_info *info)
{
    for (size_t i = 0; i < group->reject_count && group->rejects_sent < group->reject_count; i++) {
        if (!group->rejects[i].sent)
            TRY(send_reject(group, lane, i, info));
    }
    return OK;
}

static enum err send_frames(struct group *group, struct outbox_lane *lane, int64_t now_ms, struct err_info *info)
{
    group->nonce = lane->nonce;
    while (group->frames_sent < group->frame_count) {
        uint8_t *frame = group->bytes.data + group->sent_bytes;
        size_t bytes = group->frame_bytes[group->frames_sent];
        frame_seal(frame, bytes, &lane->nonce, lane->seq + 1);
        TRY(lane->port->append(lane->port->self, lane->lane, PORT_JOURNAL, lane->partition, (struct bytes){NULL, 0},
                               (struct bytes){frame, bytes}, PORT_NO_AS_OF,
                               outbox_token(lane->partition, group->serial, true, group->frames_sent), info));
        lane->seq++;
        group->frames_sent++;
        group->sent_bytes += bytes;
        counter_add(&lane->frames[group->kind], 1);
        counter_add(lane->journal_bytes, (int64_t)bytes);
    }
    group->seq_last = lane->seq;
    group->sent_ms = now_ms;
    return OK;
}

enum err outbox_pump(struct outbox *outbox, struct outbox_lane *lane, int64_t now_ms, bool *did, struct err_info *info)
{
    bool in_turn = true;
    for (uint32_t i = 0; i < outbox->count; i++) {
        struct group *group = outbox->groups[i];
        if (group_is_sent(group))
            continue;
        *did = *did || group->rejects_sent < group->reject_count;
        TRY(send_rejects(group, lane, info));
        in_turn = in_turn && (group_rejects_durable(group) || MUTANT(REJECTS_AFTER_FRAME));
        if (in_turn) {
            *did = true;
            TRY(send_frames(group, lane, now_ms, info));
        }
    }
    return OK;
}

/* ---- acks ---- */

static struct group *find(struct outbox *outbox, uint32_t serial)
{
    for (uint32_t i = 0; i < outbox->count; i++) {
        if (outbox->groups[i]->serial == serial)
            return outbox->groups[i];
    }
    return NULL;
}

static enum err ack_reject(struct group *group, size_t index, enum err result, struct err_info *info)
{
    struct group_reject *reject = &group->rejects[index];
    if (result == OK) {
        group->rejects_acked += !reject->acked;
        reject->acked = true;
        return OK;
    }
    if (reject->shrunk)
        return err_set(info, ERR_CONFIG, "the rejects topic takes no record of %zu bytes: raise its max.message.bytes",
                       reject->shrunk_bytes);
    reject->shrunk = true; /* step 8: never retried as it is */
    reject->sent = false;
    group->rejects_sent--;
    return OK;
}

/* What a mutant concludes from the acks of a snapshot. */
static void trust_ack(struct outbox_lane *lane, const struct group *group, int64_t offset)
{
    struct slice_head head;
    struct bytes payload = {group->bytes.data + FRAME_HEADER_BYTES, group->frame_bytes[0] - FRAME_HEADER_BYTES};
    if (group->kind != FRAME_SNAP || !slice_get_head(payload, &head))
        return;
    if (head.slice == 0)
        lane->cycle_begun = offset - (int64_t)group->frame_count + 1;
    if (head.slice == SLICES - 1)
        lane->cycle_acked = lane->cycle_begun;
}

static enum err ack_frame(struct group *group, struct outbox_lane *lane, const struct port_ack *ack, int64_t now_ms,
                          struct err_info *info)
{
    if (ack->result == ERR_LIMIT)
        return err_set(info, ERR_CONFIG,
                       "the journal topic refuses frames of up to %d bytes: raise its max.message.bytes to 1048588",
                       FRAME_BYTES_MOST);
    if (++group->frames_acked < group->frame_count)
        return OK;
    group->acked_ms = now_ms;
    if (MUTANT(TRIM_ON_ACK))
        trust_ack(lane, group, ack->offset);
    hist_record(lane->journal_ack, (double)(now_ms - group->sent_ms) / 1000);
    return OK;
}

enum err outbox_ack(struct outbox *outbox, struct outbox_lane *lane, const struct port_ack *ack, int64_t now_ms,
                    struct err_info *info)
{
    struct group *group = find(outbox, ack->token >> SERIAL_SHIFT & SERIAL_MASK);
    if (!group)
        return OK; /* of a state that was dropped */
    if (ack->token >> INDEX_BITS & 1)
        return ack_frame(group, lane, ack, now_ms, info);
    return ack_reject(group, ack->token & OUTBOX_OPEN_INDEX, ack->result, info);
}

struct group *outbox_echoed(struct outbox *outbox, const struct frame_nonce *nonce, uint64_t seq)
{
    struct group *group = outbox->count ? outbox->groups[0] : NULL;
    if (!group || !group_is_sent(group) || group->seq_last != seq || !frame_nonce_equal(&group->nonce, nonce))
        return NULL;
    return group;
}

int64_t outbox_acked_ms(const struct outbox *outbox)
{
    return outbox->count ? outbox->groups[0]->acked_ms : 0;
}
