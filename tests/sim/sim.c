/* SPDX-License-Identifier: Apache-2.0
 * dryport_sim - runs the shipped engine through simulated worlds, one a seed, and compares each with a recount of its input.
 *
 *   dryport_sim --seeds N [--from S] [--jobs J]     a campaign; fails at a wrong seed, or if something never happened
 *   dryport_sim --seed S [--trace]                  one seed, and what happened in it
 */
#include "base/check.h"
#include "base/memory.h"
#include "sim/trial.h"

#include <getopt.h>
#include <inttypes.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    JOBS_MOST = 64,
    FAILURES_SHOWN = 5,
    PROGRESS_MS = 500,
    MUST_HAPPEN_SEEDS = 2000, /* a campaign of fewer seeds may miss something */
};

struct arguments {
    uint64_t from;
    uint64_t seeds;
    uint64_t seed;
    bool is_single;
    bool traced;
    bool calm;
    bool quiet;
    bool twice;
    int jobs;
    uint64_t stop_after; /* failures */
    const char *program;
    const char *reference;
};

/* What a job tells: one for each seed that failed, and one at its end. */
struct report {
    bool is_end;
    uint64_t seed;
    uint64_t seeds;
    uint64_t failed;
    char why[WHY_BYTES];
    int64_t records;
    uint64_t happened[HAPPENINGS];
    uint64_t branches[READER_BRANCHES];
};

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void tell(int pipe, const struct report *report)
{
    size_t done = 0;
    while (done < sizeof *report) {
        ssize_t wrote = write(pipe, (const char *)report + done, sizeof *report - done);
        CHECK(wrote > 0);
        done += (size_t)wrote;
    }
}

/* In memory that the children of a job share with it: a crash loses nothing. */
struct page {
    uint64_t next; /* index of the seed that is being run */
    struct report sum;
    struct report bad;
    struct trial_result result;
};

static void fail(struct page *page, const struct arguments *arguments, uint64_t index, const char *why, int pipe)
{
    page->bad.seed = arguments->from + index;
    snprintf(page->bad.why, sizeof page->bad.why, "%s", why);
    page->sum.failed++;
    tell(pipe, &page->bad);
}

static void run_seeds(const struct arguments *arguments, const struct scene *scene, struct page *page, int pipe)
{
    struct report *sum = &page->sum;
    struct trial_result *result = &page->result;
    for (; page->next < arguments->seeds && sum->failed < arguments->stop_after;
         page->next += (uint64_t)arguments->jobs) {
        trial_run(scene, arguments->from + page->next, !arguments->calm, false, result);
        sum->seeds++;
        sum->records += result->records;
        for (int h = 0; h < HAPPENINGS; h++)
            sum->happened[h] += result->happened[h];
        for (int b = 0; b < READER_BRANCHES; b++)
            sum->branches[b] += result->branches[b];
        uint64_t trace = result->trace;
        if (result->passed && arguments->twice) {
            trial_run(scene, arguments->from + page->next, !arguments->calm, false, result);
            if (result->trace != trace)
                fail(page, arguments, page->next, "the same seed gives another trace", pipe);
        }
        if (!result->passed)
            fail(page, arguments, page->next, result->why, pipe);
    }
}

/* Runs its seeds in a child: an assertion of the engine that fails ends the child, and is a seed that fails. */
static void run_job(const struct arguments *arguments, const struct scene *scene, struct page *page, int pipe)
{
    while (page->next < arguments->seeds && page->sum.failed < arguments->stop_after) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            if (arguments->quiet)
                close(STDERR_FILENO);
            run_seeds(arguments, scene, page, pipe);
            _exit(0);
        }
        int status;
        waitpid(child, &status, 0);
        if (status == 0)
            break;
        page->sum.seeds++;
        fail(page, arguments, page->next, "an assertion of the engine failed, see above", pipe);
        page->next += (uint64_t)arguments->jobs;
    }
    page->sum.is_end = true;
    tell(pipe, &page->sum);
}

static uint64_t seeds_done(const struct page *pages, int jobs)
{
    uint64_t done = 0;
    for (int job = 0; job < jobs; job++)
        done += pages[job].sum.seeds;
    return done;
}

/* Waits for a report; says meanwhile how far the jobs are, if somebody watches. */
static void wait_for_report(int pipe, const struct arguments *arguments, const struct page *pages, double began)
{
    struct pollfd poll_pipe = {.fd = pipe, .events = POLLIN};
    while (poll(&poll_pipe, 1, PROGRESS_MS) == 0) {
        if (arguments->quiet || !isatty(STDERR_FILENO))
            continue;
        fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " seeds, %.0f s ", seeds_done(pages, arguments->jobs),
                arguments->seeds, seconds_now() - began);
    }
}

static bool hear(int pipe, struct report *report)
{
    size_t done = 0;
    while (done < sizeof *report) {
        ssize_t got = read(pipe, (char *)report + done, sizeof *report - done);
        if (got <= 0)
            return false;
        done += (size_t)got;
    }
    return true;
}

static void show_failure(const struct arguments *arguments, const struct report *report)
{
    printf("seed %" PRIu64 " fails: %s\n    replay: %s --seed %" PRIu64 " --trace\n", report->seed, report->why,
           arguments->program, report->seed);
    fflush(stdout);
}

static void add(struct report *to, const struct report *from)
{
    to->seeds += from->seeds;
    to->failed += from->failed;
    to->records += from->records;
    for (int h = 0; h < HAPPENINGS; h++)
        to->happened[h] += from->happened[h];
    for (int b = 0; b < READER_BRANCHES; b++)
        to->branches[b] += from->branches[b];
}

/* Prints how often each thing happened. False: some never did. */
static bool show_happenings(const struct report *sum)
{
    bool all = true;
    for (int i = 0; i < HAPPENINGS; i++) {
        printf("  %-62s %12" PRIu64 "\n", happening_text((enum happening)i), sum->happened[i]);
        all = all && sum->happened[i];
    }
    for (int i = 0; i < READER_BRANCHES; i++) {
        printf("  reader rule: %-49s %12" PRIu64 "\n", reader_branch_name((enum reader_branch)i), sum->branches[i]);
        all = all && sum->branches[i];
    }
    return all;
}

static void show_missing(const struct report *sum)
{
    for (int i = 0; i < HAPPENINGS; i++) {
        if (!sum->happened[i])
            printf("never happened: %s\n", happening_text((enum happening)i));
    }
    for (int i = 0; i < READER_BRANCHES; i++) {
        if (!sum->branches[i])
            printf("never happened: reader rule: %s\n", reader_branch_name((enum reader_branch)i));
    }
}

static int run_campaign(const struct arguments *arguments, const struct scene *scene)
{
    int pipes[2];
    int failed = pipe(pipes);
    CHECK(failed == 0);
    size_t bytes = (size_t)arguments->jobs * sizeof(struct page);
    struct page *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(pages != MAP_FAILED);
    double began = seconds_now();
    for (int job = 0; job < arguments->jobs; job++) {
        fflush(stdout);
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            close(pipes[0]);
            pages[job].next = (uint64_t)job;
            run_job(arguments, scene, &pages[job], pipes[1]);
            _exit(0);
        }
    }
    close(pipes[1]);
    struct report *report = memory_new(1, sizeof *report);
    struct report *sum = memory_new(1, sizeof *sum);
    uint64_t shown = 0;
    int ended = 0;
    for (;;) {
        wait_for_report(pipes[0], arguments, pages, began);
        if (!hear(pipes[0], report))
            break;
        if (report->is_end) {
            add(sum, report);
            ended++;
        } else if (shown++ < FAILURES_SHOWN && !arguments->quiet) {
            show_failure(arguments, report);
        }
    }
    while (wait(NULL) > 0)
        ;
    CHECK(ended == arguments->jobs);
    double took = seconds_now() - began;
    bool all = arguments->quiet || show_happenings(sum);
    printf("%" PRIu64 " seeds from %" PRIu64 ", %" PRId64 " input records, %" PRIu64
           " failed, %.1f s, %.1f ms a seed\n",
           sum->seeds, arguments->from, sum->records, sum->failed, took,
           took * 1000 * arguments->jobs / (double)(sum->seeds ? sum->seeds : 1));
    bool missed = !all && !arguments->calm && arguments->seeds >= MUST_HAPPEN_SEEDS;
    if (missed)
        show_missing(sum);
    bool good = !sum->failed && !missed;
    memory_free(report);
    memory_free(sum);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run_single(const struct arguments *arguments, const struct scene *scene)
{
    struct trial_result *result = memory_new(1, sizeof *result);
    trial_run(scene, arguments->seed, !arguments->calm, arguments->traced, result);
    for (int i = 0; i < HAPPENINGS && arguments->traced; i++) {
        if (result->happened[i])
            printf("  %-62s %8" PRIu64 "\n", happening_text((enum happening)i), result->happened[i]);
    }
    printf("seed %" PRIu64 " trace %016" PRIx64 ": %s\n", arguments->seed, result->trace,
           result->passed ? "passes" : result->why);
    bool passed = result->passed;
    memory_free(result);
    return passed ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void usage(FILE *to)
{
    fprintf(to,
            "usage: dryport_sim --seeds N [--from S] [--jobs J] [--stop-after FAILURES] [--quiet] [--calm] [--twice]\n"
            "       dryport_sim --seed S [--trace] [--calm]\n"
            "  --calm   without faults\n"
            "  --twice  runs each seed twice and compares their traces\n");
}

static bool read_number(const char *text, uint64_t *out)
{
    char *end;
    *out = strtoull(text, &end, 10);
    return *text && !*end;
}

static bool read_arguments(int argc, char **argv, struct arguments *out)
{
    static const struct option options[] = {
        {"seeds", required_argument, NULL, 'n'},
        {"from", required_argument, NULL, 'f'},
        {"seed", required_argument, NULL, 's'},
        {"jobs", required_argument, NULL, 'j'},
        {"trace", no_argument, NULL, 't'},
        {"calm", no_argument, NULL, 'c'},
        {"quiet", no_argument, NULL, 'q'},
        {"stop-after", required_argument, NULL, 'x'},
        {"twice", no_argument, NULL, 'w'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    *out = (struct arguments){.jobs = 1,
                              .stop_after = FAILURES_SHOWN,
                              .program = argv[0],
                              .reference = DRYPORT_SOURCE "/tests/data/reference"};
    uint64_t jobs = 1;
    bool good = true;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'n')
            good = good && read_number(optarg, &out->seeds);
        else if (option == 'f')
            good = good && read_number(optarg, &out->from);
        else if (option == 's')
            good = good && read_number(optarg, &out->seed);
        else if (option == 'j')
            good = good && read_number(optarg, &jobs) && jobs >= 1 && jobs <= JOBS_MOST;
        else if (option == 'x')
            good = good && read_number(optarg, &out->stop_after);
        out->is_single = out->is_single || option == 's';
        out->traced = out->traced || option == 't';
        out->calm = out->calm || option == 'c';
        out->twice = out->twice || option == 'w';
        out->quiet = out->quiet || option == 'q';
        good = good && option != '?' && option != 'h';
    }
    out->jobs = (int)jobs;
    return good && optind == argc && out->is_single != (out->seeds > 0);
}

int main(int argc, char **argv)
{
    struct arguments arguments;
    struct scene scene;
    struct err_info info;
    if (!read_arguments(argc, argv, &arguments)) {
        usage(stderr);
        return EXIT_FAILURE;
    }
    mallopt(M_MMAP_THRESHOLD, 1 << 30); /* processes come and go: their large tables are used again, not mapped anew */
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    if (scene_load(arguments.reference, DRYPORT_SOURCE "/tests/sim/lists", &scene, &info) != OK) {
        fprintf(stderr, "dryport_sim: %s\n", info.text);
        return EXIT_FAILURE;
    }
    int status = arguments.is_single ? run_single(&arguments, &scene) : run_campaign(&arguments, &scene);
    scene_free(&scene);
    return status;
}
