/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/broadcast.h"

#include "base/check.h"
#include "base/memory.h"

struct event {
    uint64_t id;
    bool is_gap; /* wanted by all, and has no id */
    char name[BROADCAST_NAME_BYTES];
    char *text;
    size_t bytes;
};

/* What a reader is in the middle of. */
struct piece {
    const char *text; /* NULL: nothing */
    size_t bytes;
    size_t at;
    uint64_t number; /* of the event; NO_EVENT: it is a word */
};

#define NO_EVENT UINT64_MAX

struct broadcast_reader {
    struct broadcast *broadcast;
    char name[BROADCAST_NAME_BYTES]; /* empty: all */
    uint64_t next;                   /* number of the event to look at next */
    struct piece piece;
    bool is_new;
    bool has_gap;
    bool has_beat;
    bool is_lost;
};

struct broadcast {
    struct broadcast_limits limits;
    struct broadcast_words words;
    struct event *events; /* by number, modulo limits.events */
    uint64_t first;       /* number of the oldest that is kept */
    uint64_t end;         /* behind the newest */
    size_t bytes;
    struct broadcast_reader **readers;
    uint32_t reader_count;
};

struct broadcast *broadcast_new(const struct broadcast_limits *limits, const struct broadcast_words *words)
{
    CHECK(limits->events > 0);
    struct broadcast *broadcast = memory_new(1, sizeof *broadcast);
    broadcast->limits = *limits;
    broadcast->words = *words;
    broadcast->events = memory_new(limits->events, sizeof broadcast->events[0]);
    broadcast->readers = memory_new(limits->readers, sizeof(struct broadcast_reader *));
    return broadcast;
}

static struct event *event_of(const struct broadcast *broadcast, uint64_t number)
{
    return &broadcast->events[number % broadcast->limits.events];
}

static void copy_name(char out[static BROADCAST_NAME_BYTES], struct text name)
{
    size_t length = name.length < BROADCAST_NAME_BYTES ? name.length : BROADCAST_NAME_BYTES - 1;
    if (length > 0)
        memcpy(out, name.data, length);
    out[length] = '\0';
}

static bool wants(const struct broadcast_reader *reader, const struct event *event)
{
    return event->is_gap || reader->name[0] == '\0' || strcmp(reader->name, event->name) == 0;
}

/* Moves to the next event that it wants; false: there is none. */
static bool seek(struct broadcast_reader *reader)
{
    const struct broadcast *broadcast = reader->broadcast;
    while (reader->next < broadcast->end && !wants(reader, event_of(broadcast, reader->next)))
        reader->next++;
    return reader->next < broadcast->end;
}

/* ---- events ---- */

static uint32_t drop_oldest(struct broadcast *broadcast)
{
    uint32_t lost = 0;
    struct event *oldest = event_of(broadcast, broadcast->first);
    for (uint32_t i = 0; i < broadcast->reader_count; i++) {
        struct broadcast_reader *reader = broadcast->readers[i];
        bool is_within = reader->piece.text && reader->piece.number == broadcast->first;
        bool is_before = reader->next == broadcast->first && wants(reader, oldest);
        if (reader->next == broadcast->first)
            reader->next++;
        if (reader->is_lost || (!is_within && !is_before))
            continue;
        reader->is_lost = true;
        reader->piece = (struct piece){.text = NULL};
        lost++;
    }
    broadcast->bytes -= oldest->bytes;
    memory_free(oldest->text);
    *oldest = (struct event){.text = NULL};
    broadcast->first++;
    return lost;
}

static uint32_t add(struct broadcast *broadcast, const struct event *added, struct text text)
{
    const struct broadcast_limits *limits = &broadcast->limits;
    uint32_t lost = 0;
    while (broadcast->end - broadcast->first == limits->events ||
           (broadcast->first < broadcast->end && broadcast->bytes + text.length > limits->bytes))
        lost += drop_oldest(broadcast);
    struct event *event = event_of(broadcast, broadcast->end);
    *event = *added;
    event->text = memory_copy_text(text.data, text.length);
    event->bytes = text.length;
    broadcast->bytes += text.length;
    broadcast->end++;
    return lost;
}

uint32_t broadcast_break(struct broadcast *broadcast)
{
    return add(broadcast, &(struct event){.is_gap = true}, text_of(broadcast->words.gap));
}

uint32_t broadcast_add(struct broadcast *broadcast, uint64_t id, struct text name, struct text text)
{
    struct event event = {.id = id};
    if (text.length > broadcast->limits.bytes)
        return broadcast_break(broadcast);
    copy_name(event.name, name);
    return add(broadcast, &event, text);
}

void broadcast_beat(struct broadcast *broadcast)
{
    for (uint32_t i = 0; i < broadcast->reader_count; i++) {
        if (!broadcast_has(broadcast->readers[i]))
            broadcast->readers[i]->has_beat = true;
    }
}

/* ---- readers ---- */

/* The place behind the event of that id; false: it is not kept. */
static bool find(const struct broadcast *broadcast, uint64_t id, uint64_t *out)
{
    for (uint64_t number = broadcast->end; number > broadcast->first; number--) {
        const struct event *event = event_of(broadcast, number - 1);
        if (event->id == id && !event->is_gap) {
            *out = number;
            return true;
        }
    }
    return false;
}

struct broadcast_reader *broadcast_join(struct broadcast *broadcast, struct text name, const uint64_t *last_id)
{
    if (broadcast->reader_count == broadcast->limits.readers)
        return NULL;
    struct broadcast_reader *reader = memory_new(1, sizeof *reader);
    reader->broadcast = broadcast;
    reader->next = broadcast->end;
    reader->is_new = true;
    reader->has_gap = last_id && !find(broadcast, *last_id, &reader->next);
    copy_name(reader->name, name);
    broadcast->readers[broadcast->reader_count++] = reader;
    return reader;
}

void broadcast_leave(struct broadcast_reader *reader)
{
    struct broadcast *broadcast = reader->broadcast;
    for (uint32_t i = 0; i < broadcast->reader_count; i++) {
        if (broadcast->readers[i] == reader) {
            broadcast->readers[i] = broadcast->readers[--broadcast->reader_count];
            break;
        }
    }
    memory_free(reader);
}

static struct piece word(const char *text)
{
    return (struct piece){.text = text, .bytes = strlen(text), .number = NO_EVENT};
}

/* What comes next; text NULL: nothing. */
static struct piece next_piece(struct broadcast_reader *reader)
{
    const struct broadcast *broadcast = reader->broadcast;
    bool is_new = reader->is_new;
    bool has_gap = reader->has_gap;
    bool has_beat = reader->has_beat;
    reader->is_new = false;
    if (is_new)
        return word(broadcast->words.greeting);
    reader->has_gap = false;
    if (has_gap)
        return word(broadcast->words.gap);
    reader->has_beat = false;
    if (seek(reader)) {
        const struct event *event = event_of(broadcast, reader->next);
        return (struct piece){.text = event->text, .bytes = event->bytes, .number = reader->next++};
    }
    return has_beat ? word(broadcast->words.beat) : (struct piece){.text = NULL};
}

size_t broadcast_read(struct broadcast_reader *reader, char *out, size_t most)
{
    size_t length = 0;
    while (!reader->is_lost && length < most) {
        struct piece *piece = &reader->piece;
        if (!piece->text)
            *piece = next_piece(reader);
        if (!piece->text)
            break;
        size_t left = piece->bytes - piece->at;
        size_t bytes = left < most - length ? left : most - length;
        memcpy(out + length, piece->text + piece->at, bytes);
        length += bytes;
        piece->at += bytes;
        if (piece->at == piece->bytes)
            *piece = (struct piece){.text = NULL};
    }
    return length;
}

bool broadcast_has(struct broadcast_reader *reader)
{
    return reader->is_lost || reader->piece.text || reader->is_new || reader->has_gap || reader->has_beat ||
           seek(reader);
}

bool broadcast_is_lost(const struct broadcast_reader *reader)
{
    return reader->is_lost;
}

uint32_t broadcast_readers(const struct broadcast *broadcast)
{
    return broadcast->reader_count;
}

void broadcast_free(struct broadcast *broadcast)
{
    if (!broadcast)
        return;
    CHECK(broadcast->reader_count == 0);
    while (broadcast->first < broadcast->end)
        drop_oldest(broadcast);
    memory_free(broadcast->readers);
    memory_free(broadcast->events);
    memory_free(broadcast);
}
