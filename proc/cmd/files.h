/* SPDX-License-Identifier: Apache-2.0
 * files.h - each declaration of a file, for commands that go through whole files: a progress line, and an end when the user asks for one.
 *
 * In:      a path as feed.h takes it                    Out: records, in the order of the file
 * Errors:  those of feed.h, and whatever `take` returns: it ends the file
 * Memory:  a record is good until `take` returns
 * Thread:  main
 */
#pragma once

#include "cmd/feed.h"

struct files_taker {
    enum err (*take)(void *self, const char *path, const struct feed_record *record, struct err_info *info);
    void *self;
};

/* OK at the end, and when a stop was asked for (stop.h). mapping: as feed_open. */
enum err files_each(const char *path, struct mapping *mapping, struct files_taker taker,
                    struct err_info *info) MUST_USE;
