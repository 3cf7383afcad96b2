/* SPDX-License-Identifier: Apache-2.0
 * feed.h - the declarations of a file, one after the other.
 *
 * In:      NAME.pb (each record a varint length and a customs.v1.Declaration) or NAME.csv with a map; either also zstd
 * Out:     records numbered from 1, decoded
 * Limits:  FEED_RECORD_BYTES a record
 * Memory:  owns its buffers; a record is good until the next feed_next
 * Errors:  ERR_CONFIG, ERR_DATA with FILE:LINE or FILE: record and byte
 * Thread:  one owner; wire_init before
 */
#pragma once

#include "cmd/mapping.h"
#include "flow/wire.h"

enum { FEED_RECORD_BYTES = 64 * 1024 * 1024 };

struct feed_record {
    uint64_t number;
    enum wire_result result;               /* WIRE_OK, or why a .pb record has no declaration */
    const struct declaration *declaration; /* NULL unless WIRE_OK */
    struct bytes bytes;                    /* as in the file; empty for .csv: wire_encode makes them */
    bool has_bytes;
};

struct feed;

/* Gives *out; path and mapping are borrowed until feed_close. A .csv needs a mapping, a .pb must have none or ignores
 * it. */
enum err feed_open(const char *path, struct mapping *mapping, struct feed **out, struct err_info *info) MUST_USE;
/* Takes NULL. */
void feed_close(struct feed *feed);

/* *out_more false: the end. */
enum err feed_next(struct feed *feed, struct feed_record *out, bool *out_more, struct err_info *info) MUST_USE;

/* Bytes of the file read so far and its size, 0 if unknown. */
void feed_progress(const struct feed *feed, uint64_t *out_done, uint64_t *out_total);
