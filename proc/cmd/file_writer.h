/* SPDX-License-Identifier: Apache-2.0
 * file_writer.h - declarations into a file: a varint length before each, in a zstd frame if the name ends in .zst.
 *
 * Memory:  owns its buffers
 * Errors:  ERR_CONFIG if the file can't be made, ERR_FATAL if it can't be written; the file is whole only after
 * file_writer_finish
 * Thread:  one owner
 */
#pragma once

#include "base/err.h"
#include "base/span.h"

struct file_writer;

/* path "-": standard output. Gives *out; path is borrowed. */
enum err file_writer_open(const char *path, struct file_writer **out, struct err_info *info) MUST_USE;

enum err file_writer_add(struct file_writer *writer, struct bytes record, struct err_info *info) MUST_USE;

/* Ends the frame and flushes. */
enum err file_writer_finish(struct file_writer *writer, struct err_info *info) MUST_USE;

/* Takes NULL. */
void file_writer_close(struct file_writer *writer);
