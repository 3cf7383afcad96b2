/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/feed.h"

#include "base/memory.h"
#include "cmd/source.h"

enum { READ_BYTES = 256 * 1024, ARENA_BYTES = 512 * 1024 * 1024 };

struct feed {
    const char *path;
    struct source *source;
    struct arena arena;
    struct declaration declaration;
    uint64_t number;
    /* .csv */
    struct csv *csv;
    struct mapping *mapping;
    /* .pb: what is read and not yet given is data[at, length) */
    struct buffer data;
    size_t at;
    uint64_t byte; /* of the file's plain text, at `at` */
    bool at_end;
};

static bool ends_in(struct text text, const char *end)
{
    size_t length = strlen(end);
    return text.length > length && memcmp(text.data + text.length - length, end, length) == 0;
}

static enum err open_csv(struct feed *feed, struct err_info *info)
{
    if (!feed->mapping)
        return err_set(info, ERR_CONFIG, "%s: a .csv file needs a map: --map FILE", feed->path);
    feed->csv = csv_new(feed->path, source_as_csv(feed->source));
    struct csv_row header;
    TRY(csv_header(feed->csv, &header, info));
    return mapping_bind(feed->mapping, &header, feed->path, info);
}

enum err feed_open(const char *path, struct mapping *mapping, struct feed **out, struct err_info *info)
{
    struct text name = text_of(path);
    if (ends_in(name, ".zst"))
        name.length -= 4;
    bool is_csv = ends_in(name, ".csv");
    if (!is_csv && !ends_in(name, ".pb"))
        return err_set(info, ERR_CONFIG, "%s: can't tell its format; names end in .pb or .csv, or one of them and .zst",
                       path);
    struct feed *feed = memory_new(1, sizeof *feed);
    feed->path = path;
    feed->mapping = mapping;
    arena_init(&feed->arena, ARENA_BYTES);
    enum err err = source_open(path, &feed->source, info);
    if (err == OK && is_csv)
        err = open_csv(feed, info);
    if (err != OK) {
        feed_close(feed);
        return err;
    }
    *out = feed;
    return OK;
}

void feed_close(struct feed *feed)
{
    if (!feed)
        return;
    csv_free(feed->csv);
    source_close(feed->source);
    buffer_fini(&feed->data);
    arena_fini(&feed->arena);
    memory_free(feed);
}

static enum err next_row(struct feed *feed, struct feed_record *out, bool *out_more, struct err_info *info)
{
    struct csv_row row;
    TRY(csv_next(feed->csv, &row, info));
    *out_more = row.count > 0;
    if (!*out_more)
        return OK;
    enum err err = mapping_apply(feed->mapping, &row, &feed->arena, &feed->declaration, info);
    if (err != OK)
        return err_prefix(info, err, "%s:%llu", feed->path, (unsigned long long)row.line);
    *out = (struct feed_record){.number = ++feed->number, .result = WIRE_OK, .declaration = &feed->declaration};
    return OK;
}

static size_t left(const struct feed *feed)
{
    return feed->data.length - feed->at;
}

/* Reads until `bytes` bytes lie at `at`, or the file ends. */
static enum err want(struct feed *feed, size_t bytes, struct err_info *info)
{
    while (left(feed) < bytes && !feed->at_end) {
        if (feed->at > 0) {
            memmove(feed->data.data, feed->data.data + feed->at, left(feed));
            feed->data.length -= feed->at;
            feed->at = 0;
        }
        size_t got = 0;
        uint8_t *room = buffer_reserve(&feed->data, READ_BYTES);
        TRY(source_read(feed->source, room, READ_BYTES, &got, info));
        feed->data.length += got;
        feed->at_end = got == 0;
    }
    return OK;
}

static enum err record_error(const struct feed *feed, struct err_info *info, const char *what)
{
    return err_set(info, ERR_DATA, "%s: record %llu at byte %llu: %s", feed->path, (unsigned long long)feed->number + 1,
                   (unsigned long long)feed->byte, what);
}

static enum err next_length(struct feed *feed, size_t *out_prefix, size_t *out_length, struct err_info *info)
{
    TRY(want(feed, 10, info));
    struct reader reader = reader_of((struct bytes){feed->data.data + feed->at, left(feed)});
    uint64_t length = reader_varint(&reader);
    if (reader.failed)
        return record_error(feed, info, "no varint length here; is it a file of length-prefixed declarations?");
    if (length > FEED_RECORD_BYTES)
        return record_error(feed, info, "the length is beyond 64 MiB; is it a file of length-prefixed declarations?");
    *out_prefix = (size_t)(reader.at - (feed->data.data + feed->at));
    *out_length = (size_t)length;
    return OK;
}

static enum err next_message(struct feed *feed, struct feed_record *out, bool *out_more, struct err_info *info)
{
    TRY(want(feed, 1, info));
    *out_more = left(feed) > 0;
    if (!*out_more)
        return OK;
    size_t prefix = 0;
    size_t length = 0;
    TRY(next_length(feed, &prefix, &length, info));
    TRY(want(feed, prefix + length, info));
    if (left(feed) < prefix + length)
        return record_error(feed, info, "the file ends inside this record; copy it again");
    struct bytes bytes = {feed->data.data + feed->at + prefix, length};
    feed->at += prefix + length;
    feed->byte += prefix + length;
    bool canonical;
    enum wire_result result = wire_decode(bytes, &feed->arena, &feed->declaration, &canonical);
    *out = (struct feed_record){.number = ++feed->number,
                                .result = result,
                                .declaration = result == WIRE_OK ? &feed->declaration : NULL,
                                .bytes = bytes,
                                .has_bytes = true};
    return OK;
}

enum err feed_next(struct feed *feed, struct feed_record *out, bool *out_more, struct err_info *info)
{
    arena_reset(&feed->arena);
    return feed->csv ? next_row(feed, out, out_more, info) : next_message(feed, out, out_more, info);
}

void feed_progress(const struct feed *feed, uint64_t *out_done, uint64_t *out_total)
{
    source_progress(feed->source, out_done, out_total);
}
