/* SPDX-License-Identifier: Apache-2.0
 * source.h - the bytes of an input file, plain or zstd (told apart by the first four bytes), read as a stream.
 *
 * In:      a path, or "-" for standard input          Out: decompressed bytes
 * Limits:  zstd windows up to 2^27 bytes (the zstd program's default limit)
 * Memory:  owns its buffers
 * Errors:  ERR_CONFIG if the file can't be opened, ERR_DATA if it can't be read or decompressed
 * Thread:  one owner
 */
#pragma once

#include "base/csv.h"

struct source;

/* Gives *out; path is borrowed until source_close. */
enum err source_open(const char *path, struct source **out, struct err_info *info) MUST_USE;
/* Takes NULL. */
void source_close(struct source *source);

/* Up to `bytes` bytes; *out_bytes 0 = the end. */
enum err source_read(struct source *source, void *out, size_t bytes, size_t *out_bytes, struct err_info *info) MUST_USE;

/* The same as a csv_source. */
struct csv_source source_as_csv(struct source *source);

/* Bytes of the file read so far, and its size (0 if it has none: a pipe). */
void source_progress(const struct source *source, uint64_t *out_done, uint64_t *out_total);
