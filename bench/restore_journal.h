/* SPDX-License-Identifier: Apache-2.0
 * restore_journal.h - a partition with so many live ledger entries, made by the shipped code out of generated declarations, and kept in
 * a file: its journal, what topic.statistics holds, and how long its input is.
 *
 * In:      declarations of the generator (profile cn, seed 1: amendments, cancels, duplicates, late and bad ones among them), PORTION a
 *          frame interval, so that snapshots are sealed and the journal is trimmed between them as under a live load
 * Memory:  the world while it is made; of what is read, the logs
 * Errors:  messages on stderr, and false
 * Thread:  one in all
 */
#pragma once

#include "sim/host.h"

struct restore_setup {
    struct reference *reference;
    struct zone *zone;
    struct rules *rules;
    struct view_plan plan;
    bool every_period; /* each view publishes all periods that it can, rolling windows among them */
};

struct restore_journal_options {
    uint64_t entries;
    uint32_t per_day;       /* declarations of one day: the fewer, the more cells; 0: as the generator has it */
    bool is_whole;          /* without snapshots: nothing is trimmed */
    int64_t snapshot_bytes; /* as in worker_options */
    bool quiet;
};

/* What the process that made the journal had at its end. */
struct restore_truth {
    uint64_t entries;
    uint64_t declarations;
    uint64_t position;
    uint64_t counted;
    uint64_t cells; /* of the publisher, all views and grains */
};

bool restore_setup_open(struct restore_setup *setup);
/* The same views with every period; borrows lists, rules and zone of `from`. */
struct restore_setup restore_setup_every_period(const struct restore_setup *from);

void restore_setup_close(struct restore_setup *setup);

/* How every process of the bench is started. */
struct host_options restore_host_options(const struct restore_setup *setup);

/* The time of the world in which journals are made and read. */
extern const int64_t restore_now_ms;

bool restore_journal_make(const struct restore_setup *setup, const struct restore_journal_options *options,
                          const char *path);

/* A world with the logs of a file. NULL: it can't be read. */
struct world *restore_journal_read(const char *path, struct restore_truth *out);
