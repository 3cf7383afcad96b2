/* SPDX-License-Identifier: Apache-2.0
 * broadcast.h - the last events of a stream, which several readers take at their own pace: one log, a place in it for each.
 *
 * In:      events: an id, the name of what they are about, their text
 * Out:     to each reader the texts of the name it wants, whole and in order, from when it joined or from behind an id
 * Limits:  of events and bytes together: the oldest give way to the newest. A reader that still wanted one of them is lost and reads
 *          nothing more; who wants to go on joins again
 * Memory:  owns copies of the texts
 * Thread:  one at a time: who shares it has a lock
 * Why:     docs/adr/0082-statistics-as-a-stream.md
 */
#pragma once

#include "base/span.h"

enum { BROADCAST_NAME_BYTES = 32 };

struct broadcast_limits {
    uint32_t events;
    size_t bytes; /* of all their texts */
    uint32_t readers;
};

/* What a reader gets that is no event; static texts. */
struct broadcast_words {
    const char *greeting; /* first of all */
    const char *gap;      /* where events are missing */
    const char *beat;     /* of broadcast_beat */
};

struct broadcast;
struct broadcast_reader;

struct broadcast *broadcast_new(const struct broadcast_limits *limits, const struct broadcast_words *words);
/* Takes NULL. All readers have left. */
void broadcast_free(struct broadcast *broadcast);

/* One event more; the text is copied. A text of more than all bytes of the limits is a gap. Returns how many readers were lost by it. */
uint32_t broadcast_add(struct broadcast *broadcast, uint64_t id, struct text name, struct text text);

/* Events are missing here: each reader is told when it comes to this place. Returns how many readers were lost by it. */
uint32_t broadcast_break(struct broadcast *broadcast);

/* Each reader that has nothing to read gets a sign of life. */
void broadcast_beat(struct broadcast *broadcast);

/* name: of length 0: all events. last_id: the last event that the reader had; from the next one on, or, if that is not kept any more, from
 * now on behind a gap. NULL: from now on. Returns NULL if there are readers enough. */
struct broadcast_reader *broadcast_join(struct broadcast *broadcast, struct text name, const uint64_t *last_id);
void broadcast_leave(struct broadcast_reader *reader);

/* Up to `most` bytes. 0: nothing is there now. */
size_t broadcast_read(struct broadcast_reader *reader, char *out, size_t most);

/* Something is there to read, or the reader is lost. */
bool broadcast_has(struct broadcast_reader *reader);
bool broadcast_is_lost(const struct broadcast_reader *reader);

uint32_t broadcast_readers(const struct broadcast *broadcast);
