/* SPDX-License-Identifier: Apache-2.0
 * frame.h - journal frames <-> bytes: a fixed little-endian header, a CRC32C over header and payload, a payload of sections.
 *
 * Format:  docs/JOURNAL.md; FRAME_VERSION is written into every frame
 * Limits:  a frame stays under FRAME_BYTES_MOST so that it fits Kafka's default message size
 * Memory:  a parsed frame borrows its payload
 * Errors:  frame_parse says what is wrong; a reader of the current epoch halts on it, it never skips a frame
 * Thread:  any
 */
#pragma once

#include "base/buffer.h"
#include "base/err.h"
#include "flow/cell.h"
#include "flow/dictionary.h"
#include "flow/ledger.h"
#include "flow/plan.h"
#include "flow/tally.h"

/* Frames are written in FRAME_VERSION, and read in that and the versions before it. */
enum {
    FRAME_VERSION = 2,
    FRAME_VERSION_FIRST = 1,
    FRAME_BYTES_MOST = 900000,
    FRAME_HEADER_BYTES = 88,
    FRAMES_A_GROUP_MOST = 256
};

enum frame_kind {
    FRAME_OPEN = 1, /* claims the partition */
    FRAME_DATA = 2, /* what [lo, hi) changed */
    FRAME_SNAP = 3, /* a slice of the state */
    FRAME_SKIP = 4, /* an authorised hole [lo, hi) with its reason */
    FRAME_MARK = 5, /* lo = hi: marks only */
};

struct frame_nonce {
    uint64_t word[2];
};

struct frame {
    enum frame_kind kind;
    bool last; /* of its group */
    uint32_t partition;
    struct frame_nonce nonce;
    uint64_t seq; /* from 1 in each epoch; an OPEN has 0 */
    int64_t lo;
    int64_t hi;
    uint64_t plan;            /* plan.h */
    int64_t event_ms_most;    /* largest event time of accepted records so far, INT64_MIN if none */
    int64_t record_timestamp; /* of the last input record below hi */
    uint32_t record_crc;      /* CRC32C of its value */
    int64_t offset;           /* in the journal, set by the reader rule; no part of the bytes */
    struct bytes payload;     /* sections */
};

enum frame_section {
    SECTION_CODES = 1,       /* dictionary texts that are used for the first time */
    SECTION_CELLS = 2,       /* delta cells of one view */
    SECTION_COUNTS = 3,      /* verdicts and findings of the group */
    SECTION_REJECTS = 4,     /* (offset, index, code) of the rejected */
    SECTION_LEDGER_WIDE = 5, /* entries put, as frames of version 1 have them */
    SECTION_CONTROL = 6,     /* totals after the group */
    SECTION_ID_KEY = 7,      /* SipHash key of long ids, in the first OPEN */
    SECTION_REASON = 8,      /* text of a SKIP */
    SECTION_WINDOW = 9,      /* the OPENs that a reader remembers, in a SNAP */
    SECTION_SLICE = 10,      /* which slice a SNAP is */
    SECTION_LISTED = 11,     /* rejects that groups listed so far, in a SNAP */
    SECTION_WHOLE = 12,      /* control totals of the slice of a SNAP */
    SECTION_UNITS = 13,      /* what amounts mean: reporter and currency; in OPEN and SNAP */
    SECTION_LEDGER = 14,     /* entries put, their keys as short as can be */

    SECTION_PARTITIONS = 20, /* of the input, in an OPEN and at the beginning of a SNAP */
    SECTION_IDLE = 21,       /* in a MARK: the log's end is reached and nothing came for time.idle.ms */
    SECTION_FLOOR = 22,      /* in a MARK: the floor was raised for want of memory */
    SECTION_PRINTS = 23,     /* in a SNAP: fingerprints of what has expired */
};

/* Writes the header before a payload of `payload_bytes` that the caller puts behind it; both are sealed by frame_seal. */
void frame_write_header(const struct frame *frame, uint8_t out[static FRAME_HEADER_BYTES]);

/* Stamps nonce and seq into a whole frame and computes its CRC. Also used to re-stamp. */
void frame_seal(uint8_t *frame, size_t bytes, const struct frame_nonce *nonce, uint64_t seq);

/* ERR_BROKEN: no frame, or a wrong CRC. ERR_CONFIG: a whole frame of another version or kind. info says which. */
enum err frame_parse(struct bytes bytes, struct frame *out, struct err_info *info) MUST_USE;

/* Steps through the sections: false at the end; *out_broken is set if the payload is cut short. */
bool frame_next_section(struct reader *reader, enum frame_section *out_section, struct bytes *out_bytes,
                        bool *out_broken);

/* The same over the frames of a group: each section with the frame that it stands in. */
struct frame_walk {
    const struct frame *frame;
    enum frame_section section;
    struct bytes bytes;
    bool is_broken; /* a payload was cut short, and the walk ended there */
    const struct frame *end;
    struct reader reader;
};

struct frame_walk frame_walk_of(const struct frame *frames, uint32_t count);
bool frame_walk_next(struct frame_walk *walk);

/* The first section of that kind. False: there is none. */
bool frame_find_section(const struct frame *frame, enum frame_section wanted, struct bytes *out_bytes);

/* Partitions of the input as a frame states them in SECTION_PARTITIONS, 0 if it does not. */
int32_t frame_partitions(const struct frame *frame);

bool frame_nonce_equal(const struct frame_nonce *a, const struct frame_nonce *b);

/* ---- sections ---- */

enum verdict {
    VERDICT_COUNTED,
    VERDICT_DUPLICATE,
    VERDICT_STALE,
    VERDICT_REJECTED,
    VERDICT_NOT_COUNTED,
    VERDICT_LATE_OUT,
    VERDICTS,
};

enum { RULE_NUMBERS = 1000 }; /* the number in a rule's code is unique: STR-004 is 4, COD-101 is 101 */

struct counts {
    int64_t verdicts[VERDICTS];
    int64_t records; /* input records in [lo, hi) */
    int64_t items;   /* items of counted declarations */
    int64_t unknown_fields;
    int64_t skipped; /* offsets of authorised holes */
    int64_t rejects[RULE_NUMBERS];
    int64_t warnings[RULE_NUMBERS];
};

int64_t counts_declarations(const struct counts *counts);
void counts_add(struct counts *to, const struct counts *from);
const char *verdict_name(enum verdict verdict);

struct reject_place {
    int64_t offset;
    int32_t index; /* in a batch, -1 for a single one */
    uint16_t rule_number;
};

struct control {
    struct tally_control tally;
    struct ledger_sums ledger;
    int32_t floor;              /* of the ledger: month, 0 = 1970-01 */
    int64_t verdicts[VERDICTS]; /* since the beginning of the journal */
};

/* Each appends one whole section. */
void frame_put_codes(struct buffer *out, const struct dictionary *dictionary, uint32_t first);
void frame_put_counts(struct buffer *out, const struct counts *counts);
void frame_put_rejects(struct buffer *out, int64_t lo, const struct reject_place *places, size_t count);
void frame_put_control(struct buffer *out, const struct control *control);
void frame_put_bytes(struct buffer *out, enum frame_section section, struct bytes bytes);
void frame_put_partitions(struct buffer *out, int32_t partitions);

/* Begins a section that the caller fills; the place that frame_end_section wants. */
size_t frame_begin_section(struct buffer *out, enum frame_section section);
void frame_end_section(struct buffer *out, size_t begin);

/* One entry of a LEDGER section (without the section's head), in the form that the ledger's own records have. */
void frame_put_entry(struct buffer *out, const struct ledger_key *key, struct bytes contribution);

/* Readers of a section's bytes. False: broken. */
bool frame_get_codes(struct bytes bytes, struct dictionary *dictionary);
/* The same of a SNAP, whose codes the reader may have already: then they must be the same. */
bool frame_get_codes_again(struct bytes bytes, struct dictionary *dictionary);
bool frame_get_counts(struct bytes bytes, struct counts *out);
bool frame_get_control(struct bytes bytes, struct control *out);
bool frame_next_reject(struct reader *reader, int64_t lo, struct reject_place *out);
/* Of SECTION_LEDGER or SECTION_LEDGER_WIDE. */
bool frame_next_entry(struct reader *reader, enum frame_section section, struct ledger_key *out_key,
                      struct bytes *out_contribution);

/* Numbers of 128 bits: a zigzag varint, into memory that has room for FRAME_I128_BYTES_MOST; the place behind it. */
enum { FRAME_I128_BYTES_MOST = 20 };

uint8_t *frame_put_i128(uint8_t *at, i128 v);
i128 frame_get_i128(struct reader *reader);
