/* SPDX-License-Identifier: Apache-2.0
 * bench_ledger.c - what one declaration costs the ledger in memory: slot, contribution, and both as the system sees
 * them.
 *
 * In:      declarations of the generator (profile cn, fixed seed, originals only), whole or cut to their first item
 * Out:     bytes per declaration at several sizes of the ledger; what a second version of each tenth adds
 * Use:     bench_ledger [--smoke] (a small ledger, for tests); prints Markdown, for bench/record.sh
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
#include <unistd.h>

enum { STEPS = 16, STEP_SMOKE = 2000, STEP = 125000, WARM = 20000, TENTH = 10 };

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
    ledger_put(bench->ledger, &key, declaration->version, false, buffer_bytes(&bench->bytes));
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

int main(int argc, char **argv)
{
    bool smoke = argc > 1 && strcmp(argv[1], "--smoke") == 0;
    struct reference *reference;
    struct err_info info;
    if (reference_load(DRYPORT_SOURCE "/deploy/reference/demo", DRYPORT_SOURCE "/deploy/reference", &reference,
                       &info) != OK) {
        fprintf(stderr, "bench_ledger: %s\n", info.text);
        return 1;
    }
    wire_init();
    printf("Bytes per declaration; %zu a slot in 32 segments, 1 MiB chunks.\n",
           sizeof(struct ledger_key) + sizeof(uint64_t));
    measure(reference, true, smoke ? STEP_SMOKE : STEP);
    measure(reference, false, smoke ? STEP_SMOKE : STEP);
    reference_free(reference);
    return 0;
}
