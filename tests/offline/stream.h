/* SPDX-License-Identifier: Apache-2.0
 * stream.h - a random stream of declarations for the property tests: originals, amendments, cancels, rejected ones, late ones, goods
 * that do not count or come back; and for each version what a plain count must know.
 *
 * Each version has one content and one time of its own, so that no order makes a conflict (VER-502) and every verdict on a version depends
 * on it alone. All dates lie inside every horizon.
 * Memory:  the stream owns its versions; texts are literals or point into them
 * Thread:  one owner
 */
#pragma once

#include "cmd/random.h"
#include "offline/draft.h"

enum { STREAM_ID_BYTES = 36, STREAM_VERSIONS_MOST = 200 };

struct stream_version {
    char id_text[STREAM_ID_BYTES];
    uint32_t id;
    struct draft draft;
    int64_t timestamp_ms;
    bool is_rejected; /* by a rule that looks at this version alone */
};

struct stream {
    struct stream_version versions[STREAM_VERSIONS_MOST];
    size_t count;
    uint32_t ids;
};

/* Gives the stream of a seed to the caller, who returns it by memory_free. */
struct stream *stream_new(uint64_t seed);

/* A cancel above everything that the stream says of an id. */
void stream_last_cancel(const struct stream *stream, uint32_t id, struct stream_version *out);
