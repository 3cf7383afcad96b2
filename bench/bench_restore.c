/* SPDX-License-Identifier: Apache-2.0
 * bench_restore.c - how long a partition takes from its claim to its first record, and a publisher to its open gate, when the journal
 * is there already; and what an entry of the ledger and a cell of the cube cost in memory.
 *
 * usage: bench_restore [--entries N] [--cells-entries N] [--rounds N] [--only NAME] [--keep DIR] [--smoke]
 *   --entries N        live ledger entries of the partition that is restored (2,000,000)
 *   --cells-entries N  live ledger entries of the journal that the publisher reads (CELLS_ENTRIES: about a million cells)
 *   --rounds N         of each measurement (5)
 *   --only NAME        one journal alone: trimmed, whole (both restored by a partition), cells, derived (both read by a publisher; derived:
 *                      with every period that the views can publish)
 *   --keep DIR         where the journals are left, or found if they are there already; else they are made for this run
 *   --smoke            few entries, one round, no marks: for tests, which look at what is counted
 * The journals are made by the shipped worker and publisher (restore_journal.h) in a process of its own. Each round is a process of
 * its own too, forked from one that holds nothing but the logs, so that its memory is what the restore took. The broker is the one in
 * memory: no round contains network or disk. bench/restore_end_to_end.py has those.
 * Checked each round: the entries, the position, the cells; that a restarted publisher finds nothing to write.
 */
#include "base/check.h"
#include "base/memory.h"
#include "restore_journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    PARTITION = 0,
    ENTRIES = 2000000,
    CELLS_ENTRIES = 800000,
    CELLS_PER_DAY = 250,
    ENTRIES_SMOKE = 30000,
    SNAPSHOT_BYTES_SMOKE = 300000,
    ROUNDS = 5,
    ROUNDS_MOST = 99,
    STEPS_MOST = 100000000,
    MARK_ENTRIES = 2000000, /* in MARK_SECONDS, and five times as many in four times that */
    MARK_ENTRIES_LARGE = 10000000,
    MARK_SECONDS = 3,
    MARK_SECONDS_LARGE = 12,
    MARK_CELLS = 1000000,
    PATH_BYTES = 512,
};

struct options {
    int64_t entries;
    int64_t cells_entries;
    int64_t rounds;
    const char *keep;
    const char *only; /* NULL: all */
    bool smoke;
};

/* What one round says; handed over by a pipe. */
struct outcome {
    bool good;
    double seconds;
    double cpu_s;
    double quiet_s; /* of the publisher: until all cells were compared with the topic */
    uint64_t entries;
    uint64_t cells;
    uint64_t ledger_bytes;
    uint64_t resident; /* more than before the round */
    uint64_t peak;     /* likewise */
};

typedef struct outcome round_function(const struct restore_setup *setup, struct world *world,
                                      const struct restore_truth *truth);

static double clock_s(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static uint64_t peak_bytes(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)usage.ru_maxrss * 1024;
}

static struct outcome begin(void)
{
    return (struct outcome){.seconds = -clock_s(CLOCK_MONOTONIC),
                            .cpu_s = -clock_s(CLOCK_PROCESS_CPUTIME_ID),
                            .resident = memory_resident()};
}

static void end(struct outcome *outcome)
{
    outcome->seconds += clock_s(CLOCK_MONOTONIC);
    outcome->cpu_s += clock_s(CLOCK_PROCESS_CPUTIME_ID);
    outcome->peak = peak_bytes() - outcome->resident;
    outcome->resident = memory_resident() - outcome->resident;
}

/* ---- one round ---- */

static struct outcome restore_round(const struct restore_setup *setup, struct world *world,
                                    const struct restore_truth *truth)
{
    struct host_options options = restore_host_options(setup);
    options.seed = 2;
    struct host *host = host_join(world, &options, 1);
    const struct partition_status *status = host_status(host, PARTITION);
    struct outcome outcome = begin();
    process_membership(host_process(host), PORT_ASSIGNED, PARTITION);
    int64_t phase = PARTITION_FREE;
    for (int64_t step = 0; step < STEPS_MOST && phase != PARTITION_RUNNING && phase != PARTITION_HALTED; step++) {
        host_step_main(host);
        host_step_worker(host, 0);
        process_deliver(host_process(host), HOST_WORKER_LANE);
        phase = counter_read(&status->phase);
    }
    end(&outcome);
    outcome.entries = (uint64_t)counter_read(&status->ledger_entries);
    outcome.ledger_bytes = (uint64_t)counter_read(&status->ledger_bytes);
    outcome.good = phase == PARTITION_RUNNING && outcome.entries == truth->entries &&
                   (uint64_t)counter_read(&status->position) == truth->position;
    if (!outcome.good)
        fprintf(stderr,
                "bench_restore: %" PRIu64 " entries restored of %" PRIu64 ", input up to %" PRId64 " of %" PRIu64
                ": %s\n",
                outcome.entries, truth->entries, counter_read(&status->position), truth->position, status->reason);
    host_kill(host);
    return outcome;
}

/* Nothing owns a partition here, so that nobody waits for echoes. */
static struct outcome publisher_round(const struct restore_setup *setup, struct world *world,
                                      const struct restore_truth *truth)
{
    struct host_options options = restore_host_options(setup);
    options.seed = 2;
    struct host *host = host_join(world, &options, 1);
    const struct publisher_counters *published = host_published(host);
    struct outcome outcome = begin();
    host_lead(host, true);
    for (int64_t step = 0; step < STEPS_MOST && !counter_read(&published->is_publishing); step++) {
        host_step_publisher(host);
        process_deliver(host_process(host), HOST_PUBLISHER_LANE);
    }
    end(&outcome);
    double begun_s = clock_s(CLOCK_MONOTONIC);
    for (int64_t step = 0; step < STEPS_MOST && !publisher_is_quiet(host_publisher(host)); step++) {
        if (!host_step_publisher(host))
            world_set_now(world, world_now(world) + 100);
        process_deliver(host_process(host), HOST_PUBLISHER_LANE);
    }
    outcome.quiet_s = outcome.seconds + clock_s(CLOCK_MONOTONIC) - begun_s;
    for (int i = 0; i < VIEWS_MOST; i++)
        outcome.cells += (uint64_t)counter_read(&published->cells[i]);
    int64_t sent = counter_read(&published->publish_keys);
    outcome.good = publisher_is_quiet(host_publisher(host)) && sent == 0 && outcome.cells > 0;
    if (!outcome.good)
        fprintf(stderr, "bench_restore: the publisher wrote %" PRId64 " records again, of %" PRIu64 "\n", sent,
                truth->cells);
    host_kill(host);
    return outcome;
}

/* In a process of its own. */
static struct outcome apart(round_function *round, const struct restore_setup *setup, struct world *world,
                            const struct restore_truth *truth)
{
    struct outcome outcome = {0};
    int ends[2];
    int failed = pipe(ends);
    CHECK(!failed);
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        outcome = round(setup, world, truth);
        bool told = write(ends[1], &outcome, sizeof outcome) == sizeof outcome;
        _exit(told && outcome.good ? 0 : 1);
    }
    close(ends[1]);
    bool told = read(ends[0], &outcome, sizeof outcome) == sizeof outcome;
    close(ends[0]);
    int status;
    waitpid(child, &status, 0);
    outcome.good = outcome.good && told && status == 0;
    return outcome;
}

/* ---- rounds ---- */

static int by_cpu(const void *a, const void *b)
{
    double left = ((const struct outcome *)a)->cpu_s;
    double right = ((const struct outcome *)b)->cpu_s;
    return (left > right) - (left < right);
}

/* Sorted by their CPU time. False: one is wrong. */
static bool measure(const struct options *options, round_function *round, const struct restore_setup *setup,
                    struct world *world, const struct restore_truth *truth, struct outcome outcomes[static ROUNDS_MOST])
{
    for (int64_t i = 0; i < options->rounds; i++) {
        outcomes[i] = apart(round, setup, world, truth);
        if (!outcomes[i].good)
            return false;
    }
    qsort(outcomes, (size_t)options->rounds, sizeof outcomes[0], by_cpu);
    return true;
}

static uint64_t log_bytes(const struct world *world, enum port_topic topic, int64_t *out_records)
{
    uint64_t bytes = 0;
    int64_t first = world_first(world, topic, PARTITION);
    int64_t next = world_next(world, topic, PARTITION);
    for (int64_t o = first; o < next; o++)
        bytes += world_at(world, topic, PARTITION, o)->value.length;
    *out_records = next - first;
    return bytes;
}

static const char *verdict(const struct options *options, uint64_t count, double seconds, uint64_t mark_count,
                           double mark_s)
{
    if (options->smoke || count < mark_count - mark_count / 50)
        return "-";
    return seconds < mark_s ? "met" : "MISSED";
}

static void print_restore_head(const struct options *options)
{
    printf("\nA partition, from its claim to its first record. \"trimmed\": as a worker under a live load leaves its "
           "journal, snapshots in it;\n"
           "\"whole\": every group since the beginning. Bytes per live entry: what the ledger says of itself, what the "
           "process grew by, and\n"
           "by how much at most.\n\n"
           "| journal | live entries | read | seconds, median of %" PRId64
           " | CPU | entries/s CPU | ledger | resident | peak | mark |\n"
           "|---|---|---|---|---|---|---|---|---|---|\n",
           options->rounds);
}

static void print_publisher_head(const struct options *options)
{
    printf("\nA publisher, from its start to the open gate (all journals folded, topic.statistics read, claim read "
           "back); then until each\n"
           "cell was compared with what the topic holds, and found there. \"cells\": the views publish what they do by "
           "default; \"derived\":\n"
           "every period that they can (quarter, year, year to date, rolling windows). Each key is a record of "
           "topic.statistics: a cell, or\n"
           "what is summed from some. Bytes: what the process grew by in all, for each cell and for each key.\n\n"
           "| views | cells | read | keys in topic.statistics | seconds, median of %" PRId64
           " | CPU | compared | bytes a cell | bytes a key | mark |\n"
           "|---|---|---|---|---|---|---|---|---|---|\n",
           options->rounds);
}

static void print_restore(const struct options *options, const char *name, const struct world *world,
                          const struct outcome outcomes[static ROUNDS_MOST])
{
    const struct outcome *median = &outcomes[options->rounds / 2];
    double entries = (double)median->entries;
    bool large = median->entries >= MARK_ENTRIES_LARGE - MARK_ENTRIES_LARGE / 50;
    double mark_s = large ? MARK_SECONDS_LARGE : MARK_SECONDS;
    int64_t frames;
    double bytes = (double)log_bytes(world, PORT_JOURNAL, &frames);
    printf("| %s | %" PRIu64 " | %.0f MB in %" PRId64
           " frames | %.2f | %.2f s (%.2f to %.2f) | %.2f M | %.1f | %.1f | %.1f | "
           "under %.0f s: %s |\n",
           name, median->entries, bytes / 1e6, frames, median->seconds, median->cpu_s, outcomes[0].cpu_s,
           outcomes[options->rounds - 1].cpu_s, entries / median->cpu_s / 1e6, (double)median->ledger_bytes / entries,
           (double)median->resident / entries, (double)median->peak / entries, mark_s,
           verdict(options, median->entries, median->cpu_s, large ? MARK_ENTRIES_LARGE : MARK_ENTRIES, mark_s));
}

static void print_publisher(const struct options *options, const char *name, const struct world *world,
                            const struct outcome outcomes[static ROUNDS_MOST])
{
    const struct outcome *median = &outcomes[options->rounds / 2];
    int64_t frames;
    int64_t statistics;
    double journal = (double)log_bytes(world, PORT_JOURNAL, &frames);
    double topic = (double)log_bytes(world, PORT_STATISTICS, &statistics);
    bool has_mark = strcmp(name, "cells") == 0 && median->cells < 2 * MARK_CELLS;
    printf("| %s | %" PRIu64 " | %.0f MB in %" PRId64 " frames | %" PRId64
           ", %.0f MB | %.2f | %.2f s (%.2f to %.2f) | %.2f | %.0f | %.0f | "
           "under %d s: %s |\n",
           name, median->cells, journal / 1e6, frames, statistics, topic / 1e6, median->seconds, median->cpu_s,
           outcomes[0].cpu_s, outcomes[options->rounds - 1].cpu_s, median->quiet_s,
           (double)median->resident / (double)median->cells, (double)median->resident / (double)statistics,
           MARK_SECONDS, has_mark ? verdict(options, median->cells, median->cpu_s, MARK_CELLS, MARK_SECONDS) : "-");
}

/* ---- journals ---- */

struct journal {
    const char *name; /* of the file */
    struct restore_journal_options options;
};

/* The logs of a journal, which is made if it is not kept from an earlier run. NULL: said why. */
static struct world *open_journal(const struct options *options, const struct restore_setup *setup, const char *folder,
                                  const struct journal *journal, struct restore_truth *out_truth)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s-%" PRIu64 ".journal", folder, journal->name, journal->options.entries);
    if (access(path, R_OK) != 0) {
        fflush(NULL);
        pid_t child = fork(); /* its heap ends with it */
        CHECK(child >= 0);
        if (child == 0)
            _exit(restore_journal_make(setup, &journal->options, path) ? 0 : 1);
        int status;
        waitpid(child, &status, 0);
        if (status != 0)
            return NULL;
    }
    struct world *world = restore_journal_read(path, out_truth);
    if (!options->keep)
        unlink(path);
    if (world)
        world_set_now(world, restore_now_ms + INT64_C(1000) * 3600);
    return world;
}

typedef void print_function(const struct options *options, const char *name, const struct world *world,
                            const struct outcome outcomes[static ROUNDS_MOST]);

static bool is_chosen(const struct options *options, const char *journal)
{
    return !options->only || strcmp(options->only, journal) == 0;
}

static bool run(const struct options *options, const struct restore_setup *setup, const char *folder,
                const struct journal *journal, round_function *round, print_function *print)
{
    struct restore_truth truth;
    struct outcome outcomes[ROUNDS_MOST];
    if (!is_chosen(options, journal->name))
        return true;
    struct world *world = open_journal(options, setup, folder, journal, &truth);
    bool good = world && measure(options, round, setup, world, &truth, outcomes);
    if (good)
        print(options, journal->name, world, outcomes);
    world_free(world);
    return good;
}

static bool run_all(const struct options *options, const struct restore_setup *setup, const char *folder)
{
    struct restore_journal_options make = {
        .entries = (uint64_t)options->entries,
        .snapshot_bytes = options->smoke ? SNAPSHOT_BYTES_SMOKE : 0,
        .quiet = options->smoke,
    };
    struct journal trimmed = {"trimmed", make};
    struct journal whole = {"whole", make};
    whole.options.is_whole = true;
    struct journal cells = {"cells", make};
    cells.options.entries = (uint64_t)options->cells_entries;
    cells.options.per_day = CELLS_PER_DAY;
    printf("One thread that waits for nothing, the broker in memory: CPU is what a core of its own takes, and what the "
           "marks are held\n"
           "against; seconds are those of this machine with what else ran on it.\n");
    if (is_chosen(options, trimmed.name) || is_chosen(options, whole.name))
        print_restore_head(options);
    if (!run(options, setup, folder, &trimmed, restore_round, print_restore) ||
        !run(options, setup, folder, &whole, restore_round, print_restore))
        return false;
    struct journal derived = {"derived", cells.options};
    struct restore_setup every_period = restore_setup_every_period(setup);
    if (is_chosen(options, cells.name) || is_chosen(options, derived.name))
        print_publisher_head(options);
    return run(options, setup, folder, &cells, publisher_round, print_publisher) &&
           run(options, &every_period, folder, &derived, publisher_round, print_publisher);
}

/* ---- options ---- */

static bool take_number(int argc, char **argv, int *at, const char *name, int64_t most, int64_t *out)
{
    if (strcmp(argv[*at], name) != 0 || *at + 1 >= argc)
        return false;
    int64_t value;
    if (!text_to_int64(text_of(argv[*at + 1]), &value) || value < 1 || value > most)
        return false;
    *out = value;
    ++*at;
    return true;
}

static bool is_journal(const char *name)
{
    return strcmp(name, "trimmed") == 0 || strcmp(name, "whole") == 0 || strcmp(name, "cells") == 0 ||
           strcmp(name, "derived") == 0;
}

static bool take_options(int argc, char **argv, struct options *out)
{
    *out = (struct options){.entries = ENTRIES, .cells_entries = CELLS_ENTRIES, .rounds = ROUNDS};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--smoke") == 0)
            *out =
                (struct options){.entries = ENTRIES_SMOKE, .cells_entries = ENTRIES_SMOKE, .rounds = 1, .smoke = true};
        else if (strcmp(argv[i], "--keep") == 0 && i + 1 < argc)
            out->keep = argv[++i];
        else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc && is_journal(argv[i + 1]))
            out->only = argv[++i];
        else if (!take_number(argc, argv, &i, "--entries", 100000000, &out->entries) &&
                 !take_number(argc, argv, &i, "--cells-entries", 100000000, &out->cells_entries) &&
                 !take_number(argc, argv, &i, "--rounds", ROUNDS_MOST, &out->rounds))
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct options options;
    if (!take_options(argc, argv, &options)) {
        fprintf(stderr, "usage: bench_restore [--entries N] [--cells-entries N] [--rounds N] "
                        "[--only trimmed|whole|cells|derived] [--keep DIR] [--smoke]\n");
        return 64;
    }
    struct restore_setup setup;
    if (!restore_setup_open(&setup))
        return 1;
    wire_init();
    char made[] = "/tmp/dryport-restore-XXXXXX";
    const char *folder = options.keep ? options.keep : mkdtemp(made);
    bool good = folder && run_all(&options, &setup, folder);
    if (!options.keep && folder)
        rmdir(folder);
    restore_setup_close(&setup);
    return good ? 0 : 1;
}
