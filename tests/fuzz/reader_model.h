/* SPDX-License-Identifier: Apache-2.0
 * reader_model.h - the rules of docs/JOURNAL.md, "Which frames count" and "Rebase", written down once more, plainly: frames of no content.
 *
 * Beside proc/flow/reader_rule.c for fuzz_reader_rule: both must say the same of every record. No speed, no sharing with it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { MODEL_WINDOW = 64, MODEL_SLICES = 32, MODEL_GROUP_MOST = 256 };

/* A record as its writer meant it. */
struct model_frame {
    bool is_frame; /* else garbage, of another version, or a fault */
    int kind;      /* enum frame_kind */
    bool last;
    uint64_t nonce;
    uint64_t seq;
    int64_t lo;
    int64_t hi;
    uint64_t plan;
    bool has_head; /* of a SNAP */
    uint32_t slice;
    bool replan;
    bool rebase;
    uint64_t window[MODEL_WINDOW]; /* of the head, oldest first */
    uint32_t window_count;
};

enum model_says {
    MODEL_OPEN,
    MODEL_OPEN_DISCARDS,
    MODEL_OPEN_SEEN,
    MODEL_OTHER_NONCE,
    MODEL_DUPLICATE,
    MODEL_GAP,
    MODEL_BUFFERED,
    MODEL_APPLIED,
    MODEL_REBASE,
    MODEL_REBASED,
    MODEL_HALTED,
};

struct model {
    bool begun;
    bool corrupt;
    bool has_epoch;
    uint64_t nonce;
    uint64_t seq;
    int64_t hi;
    uint64_t window[MODEL_WINDOW]; /* oldest first */
    uint32_t window_count;
    uint32_t held;
    struct model_frame first; /* of the held ones */
    int64_t first_offset;
    bool disagrees; /* with the first, on kind, range or plan */
    bool has_slices;
    bool have[MODEL_SLICES];
    bool planned[MODEL_SLICES];
    uint64_t plans[MODEL_SLICES];
    int64_t rebase_from; /* -1: none */
    uint32_t rebase_slices;
    bool begins_rebased;
    uint32_t groups;
};

void model_begin(struct model *model);
enum model_says model_feed(struct model *model, int64_t offset, const struct model_frame *frame);

/* A plan whose groups the fold of the target refuses. */
#define MODEL_REFUSED_PLAN 0x29AULL

bool model_has_seen(const struct model *model, uint64_t nonce);
bool model_is_whole(const struct model *model);
