/* SPDX-License-Identifier: Apache-2.0
 * bench_ledger.c - what one declaration costs the ledger in memory: slot, contribution, and both as the system sees
 * them.
 *
 * In:      declarations of the generator (profile cn, fixed seed, originals only), whole or cut to their first item
 * Out:     bytes per declaration at several sizes of the ledger; what a second version of each tenth adds; what a look, a judgement and a
 *          put take of time in a ledger of four partitions, ids as they are given out, in batches of 64 as in settle.c
 * Use:     bench_ledger [--smoke] (a small ledger, for tests) [IDS] (of the times, 10,000,000); bench_ledger --curve IDS: how time and memory
 *          grow up to so many ids. Prints Markdown, for bench/record.sh
 * Units:   bytes; "resident" is the growth of the process, so it holds what malloc and the page table round up
 */
#include "base/check.h"
#include "cmd/generator.h"
#include "flow/contribution.h"
#include "flow/ledger.h"
#include "flow/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { STEPS = 16, STEP_SMOKE = 2000, STEP = 125000, WARM = 20000, TENTH = 10 };
enum {
    PARTITIONS = 4,
    TURN = 512,
    BATCH = 64,
    ID_BYTES = 19,
    TYPICAL_BYTES = 57,
    LOOK_AHEAD = 12,
    LOOK_AGAIN = 6,
    IDS = 10000000,
    IDS_SMOKE = 20000,
    CURVE_FIRST = 1000000,
};

struct bench {
    struct generator *generator;
    const struct reference *reference;
    struct ledger *ledger;
    struct dictionary dictionary;
    struct contribution contribution;
    struct buffer bytes;
    struct hash_key sip;
    bool first_item_only;
    uint64_t contribution_bytes;
    uint64_t items;
    size_t resident_before;
};

static size_t resident_bytes(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file && fscanf(file, "%*u %lu", &pages) != 1) {
        pages = 0;
    }
    if (file) {
        fclose(file);
    }
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* more_minor: added to the values that each item has, so that a second version differs from the first. */
static void put(struct bench *bench, const struct declaration *declaration, int64_t more_minor)
{
    struct err_info info;
    struct ledger_key key = ledger_key_of(declaration->declaration_id, &bench->sip);
    enum err err = contribution_from(declaration, bench->reference, &bench->dictionary, key.word[1] * HASH_P0, false,
                                     false, &bench->contribution, &info);
    CHECK_SAY(err == OK, "%s", info.text);
    for (uint32_t i = 0; i < bench->contribution.item_count; i++) {
        bench->contribution.items[i].value_minor += more_minor;
        bench->contribution.items[i].customs_value_minor +=
            bench->contribution.items[i].customs_value_minor ? more_minor : 0;
    }
    buffer_clear(&bench->bytes);
    contribution_encode(&bench->contribution, &bench->bytes);
    struct ledger_probe probe;
    ledger_look(bench->ledger, &key, &probe);
    ledger_put(bench->ledger, &probe, buffer_bytes(&bench->bytes));
    bench->contribution_bytes += bench->bytes.length;
    bench->items += bench->contribution.item_count;
}

static const struct declaration *next(struct bench *bench, struct declaration *scratch)
{
    struct generated record;
    generator_next(bench->generator, &record);
    CHECK(record.declaration);
    *scratch = *record.declaration;
    if (bench->first_item_only) {
        scratch->items.count = 1;
    }
    return scratch;
}

static void print_row(const struct bench *bench, const char *note)
{
    double count = (double)ledger_count(bench->ledger);
    double resident = (double)resident_bytes() - (double)bench->resident_before;
    printf("| %" PRIu64 "%s | %.1f | %.1f | %.1f |\n", ledger_count(bench->ledger), note,
           (double)bench->contribution_bytes / count, (double)ledger_bytes(bench->ledger) / count, resident / count);
}

/* Each tenth of the same declarations again, as version 2. */
static void amend(struct bench *bench, uint64_t count)
{
    uint64_t before = bench->contribution_bytes;
    for (uint64_t i = 0; i < count; i++) {
        struct declaration declaration;
        next(bench, &declaration);
        if (i % TENTH == 0) {
            declaration.version = 2;
            put(bench, &declaration, 100);
        }
    }
    bench->contribution_bytes = before;
    print_row(bench, ", a tenth of them replaced");
}

static void open_generator(struct bench *bench)
{
    struct err_info info;
    struct generator_options options = generator_defaults();
    options.amend_ppm = options.cancel_ppm = options.duplicate_ppm = options.late_ppm = options.bad_ppm = 0;
    enum err err = generator_new(&options, bench->reference, &bench->generator, &info);
    CHECK_SAY(err == OK, "%s", info.text);
}

static void measure(const struct reference *reference, bool first_item_only, uint64_t step)
{
    struct bench bench = {.reference = reference, .first_item_only = first_item_only, .sip = {{1, 2}}};
    struct declaration declaration;
    dictionary_init(&bench.dictionary);
    open_generator(&bench);
    for (uint64_t i = 0; i < WARM; i++) {
        next(&bench, &declaration);
    }
    generator_free(bench.generator);
    open_generator(&bench);
    bench.resident_before = resident_bytes();
    bench.ledger = ledger_new(7);
    printf("\n%s\n\n| declarations | contribution | ledger_bytes | resident |\n|---|---|---|---|\n",
           first_item_only ? "One item each" : "As they come");
    for (uint64_t i = 1; i <= STEPS * step; i++) {
        put(&bench, next(&bench, &declaration), 0);
        if (i % step == 0) {
            print_row(&bench, "");
        }
    }
    printf("\n%.2f items a declaration\n\n| the last row again | contribution | ledger_bytes | resident |\n"
           "|---|---|---|---|\n",
           (double)bench.items / (double)ledger_count(bench.ledger));
    generator_free(bench.generator);
    open_generator(&bench);
    amend(&bench, STEPS * step);
    generator_free(bench.generator);
    ledger_free(bench.ledger);
    dictionary_fini(&bench.dictionary);
    contribution_fini(&bench.contribution);
    buffer_fini(&bench.bytes);
}

/* ---- time ---- */

struct timing {
    struct ledger *ledgers[PARTITIONS];
    struct hash_key sip;
    struct bytes contribution;
    uint64_t ids;
};

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now); /* other programs may run beside */
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* The national number of declaration i: 18 digits, rising, with the year in them. */
static struct text id_of(uint64_t i, char space[static ID_BYTES])
{
    memcpy(space, "421020250000000000", ID_BYTES - 1);
    for (int at = ID_BYTES - 2; i; at--, i /= 10)
        space[at] = (char)('0' + i % 10);
    return (struct text){space, ID_BYTES - 1};
}

/* One pass over the ids from `first` to before `end`, in batches: look at all, look again, judge and put. Returns ns an id. */
static double pass_part(struct timing *timing, bool with_ledger, enum ledger_verdict expected, uint64_t first,
                        uint64_t end)
{
    char ids[BATCH][ID_BYTES];
    struct ledger_probe probes[BATCH];
    uint64_t keys = 0;
    double spent = 0;
    for (uint64_t from = first; from < end; from += BATCH) {
        struct ledger *ledger = timing->ledgers[from / TURN % PARTITIONS];
        for (uint64_t i = 0; i < BATCH; i++)
            id_of(from + i, ids[i]);
        double begin = now_ns();
        for (uint32_t i = 0; i < BATCH + LOOK_AHEAD; i++) {
            if (i < BATCH) {
                struct ledger_key key = ledger_key_of((struct text){ids[i], ID_BYTES - 1}, &timing->sip);
                keys += key.word[1];
                if (with_ledger)
                    ledger_look(ledger, &key, &probes[i]);
            }
            if (!with_ledger || i < LOOK_AHEAD - LOOK_AGAIN)
                continue;
            if (i - (LOOK_AHEAD - LOOK_AGAIN) < BATCH)
                ledger_look_again(ledger, &probes[i - (LOOK_AHEAD - LOOK_AGAIN)]);
            if (i < LOOK_AHEAD)
                continue;
            struct ledger_probe *probe = &probes[i - LOOK_AHEAD];
            struct bytes stored;
            CHECK(ledger_judge(ledger, probe, 1, false, 5, &stored) == expected);
            if (expected == LEDGER_COUNTED)
                ledger_put_at(ledger, probe, timing->contribution);
        }
        spent += now_ns() - begin;
    }
    CHECK(keys != 0);
    return spent / (double)(end - first);
}

static double pass(struct timing *timing, bool with_ledger, enum ledger_verdict expected)
{
    return pass_part(timing, with_ledger, expected, 0, timing->ids);
}

static void measure_time(uint64_t ids)
{
    uint8_t space[TYPICAL_BYTES] = {5, [13] = 1};
    struct timing timing = {.sip = {{1, 2}}, .contribution = {space, sizeof space}, .ids = ids / BATCH * BATCH};
    for (int i = 0; i < PARTITIONS; i++)
        timing.ledgers[i] = ledger_new((uint64_t)i + 7);
    double key = pass(&timing, false, LEDGER_COUNTED);
    double insert = pass(&timing, true, LEDGER_COUNTED);
    double again = pass(&timing, true, LEDGER_DUPLICATE);
    printf("\n%" PRIu64 " ids in %d ledgers, contributions of %d bytes, one thread\n\n"
           "| ns of processor time a declaration | |\n|---|---|\n| key of the id alone | %.1f |\n| key, look, judge, "
           "put: new ids | %.1f |\n"
           "| key, look, judge: the same ids again | %.1f |\n",
           timing.ids, PARTITIONS, TYPICAL_BYTES, key, insert, again);
    for (int i = 0; i < PARTITIONS; i++)
        ledger_free(timing.ledgers[i]);
}

/* Rows at 1, 2, 5, 10 ... times CURVE_FIRST ids, up to `ids`: what the ids since the row before cost, and what looking for as many again
 * costs, which are spread over all that is there. */
static void measure_curve(uint64_t ids)
{
    static const uint64_t steps[] = {1, 2, 5};
    uint8_t space[TYPICAL_BYTES] = {5, [13] = 1};
    struct timing timing = {.sip = {{1, 2}}, .contribution = {space, sizeof space}};
    for (int i = 0; i < PARTITIONS; i++)
        timing.ledgers[i] = ledger_new((uint64_t)i + 7);
    printf("One thread, %d ledgers, contributions of %d bytes; ns of processor time an id\n\n"
           "| live ids | look, judge, put: new ones | look, judge: those again | bytes an id |\n|---|---|---|---|\n",
           PARTITIONS, TYPICAL_BYTES);
    uint64_t scale = ids < CURVE_FIRST ? CURVE_FIRST / 1000 : CURVE_FIRST;
    for (uint64_t i = 0; scale * steps[i % 3] <= ids; scale *= ++i % 3 == 0 ? 10 : 1) {
        uint64_t end = scale * steps[i % 3] / TURN * TURN;
        double put = pass_part(&timing, true, LEDGER_COUNTED, timing.ids, end);
        double again = pass_part(&timing, true, LEDGER_DUPLICATE, timing.ids, end);
        size_t bytes = 0;
        timing.ids = end;
        for (int p = 0; p < PARTITIONS; p++)
            bytes += ledger_bytes(timing.ledgers[p]);
        printf("| %" PRIu64 " | %.1f | %.1f | %.1f |\n", end, put, again, (double)bytes / (double)end);
        fflush(stdout);
    }
    for (int i = 0; i < PARTITIONS; i++)
        ledger_free(timing.ledgers[i]);
}

int main(int argc, char **argv)
{
    bool smoke = argc > 1 && strcmp(argv[1], "--smoke") == 0;
    int64_t ids = smoke ? IDS_SMOKE : IDS;
    bool curve = argc == 3 && strcmp(argv[1], "--curve") == 0;
    if (argc > 1 && !smoke && (!text_to_int64(text_of(argv[curve ? 2 : 1]), &ids) || ids < CURVE_FIRST / 1000)) {
        fprintf(stderr, "usage: bench_ledger [--smoke|IDS|--curve IDS], IDS at least %d\n", CURVE_FIRST / 1000);
        return 64;
    }
    if (curve) {
        measure_curve((uint64_t)ids);
        return 0;
    }
    struct reference *reference;
    struct err_info info;
    if (reference_load(DRYPORT_SOURCE "/deploy/reference/demo", DRYPORT_SOURCE "/deploy/reference", &reference,
                       &info) != OK) {
        fprintf(stderr, "bench_ledger: %s\n", info.text);
        return 1;
    }
    wire_init();
    printf("Bytes per declaration\n");
    measure(reference, true, smoke ? STEP_SMOKE : STEP);
    measure(reference, false, smoke ? STEP_SMOKE : STEP);
    measure_time((uint64_t)ids);
    reference_free(reference);
    return 0;
}
