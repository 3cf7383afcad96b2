/* SPDX-License-Identifier: Apache-2.0
 * outbox.h - the sealed groups of one partition on their way: rejects, frames, acks, until the echo retires them.
 *
 * Order:   rejects of a group first; its frames when its rejects are durable and all groups before it are sent
 * Tokens:  partition 16 | serial of group or epoch 24 | is a frame 1 | index 23; an OPEN has the largest index
 * Limits:  GROUPS_MOST groups that are not echoed; then the partition stops pulling (backpressure)
 * Memory:  owns its groups, and spare ones for the next seals
 * Errors:  ERR_PEER: the lane's producer is unusable; ERR_CONFIG: a topic refuses what it must take, with the mend
 * Thread:  one owner (a worker)
 * Why:     design.md section 3, steps 5 and 8
 */
#pragma once

#include "base/hist.h"
#include "flow/group.h"
#include "flow/port.h"

enum {
    GROUPS_MOST = 8,
    OUTBOX_ROOM = GROUPS_MOST + 2, /* a release and a bootstrap may seal beyond it */
    OUTBOX_OPEN_INDEX = (1 << 23) - 1,
    OUTBOX_SPARES = 2, /* a group has megabytes */
};

/* Where groups go, and under which epoch. */
struct outbox_lane {
    const struct port *port;
    int32_t lane;
    int32_t partition;
    struct frame_nonce nonce;
    uint64_t seq;           /* of the last frame that was sent in this epoch */
    struct counter *frames; /* by enum frame_kind */
    struct counter *journal_bytes;
    struct hist *journal_ack;
    int64_t cycle_begun; /* used by a mutant only: journal offset of the newest slice 0 that is acknowledged, */
    int64_t cycle_acked; /* and of that of the newest cycle whose last slice is */
};

struct outbox {
    struct group *groups[OUTBOX_ROOM]; /* oldest first */
    uint32_t count;
    struct group *spare[OUTBOX_SPARES];
    uint32_t spare_count;
    uint32_t serial;
};

void outbox_fini(struct outbox *outbox);

/* An empty group to fill; give it back with outbox_add or group_free. */
struct group *outbox_new_group(struct outbox *outbox);

/* Takes a sealed group. */
void outbox_add(struct outbox *outbox, struct group *group);

static inline bool outbox_has_room(const struct outbox *outbox)
{
    return outbox->count < GROUPS_MOST;
}

/* Forgets all groups: what was promised is in the journal. */
void outbox_clear(struct outbox *outbox);

/* All that is not retired goes out again, under the next epoch. */
void outbox_unsend(struct outbox *outbox);

uint64_t outbox_token(int32_t partition, uint32_t serial, bool frame, uint64_t index);

/* Sends what can be sent now. *did is set if something was. ERR_FULL: the producer's queue is full, call again. */
enum err outbox_pump(struct outbox *outbox, struct outbox_lane *lane, int64_t now_ms, bool *did, struct err_info *info);

/* An ack of a reject or a frame, OK or ERR_LIMIT; one of a group that is gone is ignored. */
enum err outbox_ack(struct outbox *outbox, struct outbox_lane *lane, const struct port_ack *ack, int64_t now_ms,
                    struct err_info *info);

/* The oldest group if its last frame is this one, else NULL: an echo says that it counts. */
struct group *outbox_echoed(struct outbox *outbox, const struct frame_nonce *nonce, uint64_t seq);

/* Puts the oldest group away. */
void outbox_retire(struct outbox *outbox);

/* When the oldest group was acknowledged whole, 0 if it is not. */
int64_t outbox_acked_ms(const struct outbox *outbox);
