/* SPDX-License-Identifier: Apache-2.0
 * bench_decode.c - what decoding costs: the wire decoder, its digest, its encoder, and protobuf-c beside them in the
 * same run.
 *
 * In:      declarations of scheme CN, about 190 bytes and 1.75 items, made here from a fixed seed and kept in cache
 * Out:     median and spread of ns a declaration over REPETITIONS, GB/s of wire bytes
 * Use:     bench_decode [--smoke] (one short round, for tests); prints Markdown, for bench/record.sh
 * Units:   processor time of the one thread, so that a busy machine disturbs less; an idle one is better still
 */
#include "base/hash.h"
#include "flow/wire.h"

#include "customs/v1/declaration.pb-c.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    DECLARATIONS = 1024, /* about 200 kB: they stay in the second-level cache */
    BATCH = 64,          /* declarations between two resets of the arena, as in flow/batch */
    ROUNDS = 400,
    REPETITIONS = 7,
    TEXT_BYTES = 24,
    ITEMS_MOST = 5,
    SEED = 20250701,
};

struct sample {
    struct buffer bytes;
    size_t begin[DECLARATIONS + 1];
    bool canonical;
    double items;
};

static uint64_t seed_state = SEED;
static int rounds = ROUNDS;

static uint64_t next_random(void)
{
    seed_state += HASH_P0;
    return hash_mix(seed_state, HASH_P1);
}

static uint64_t between(uint64_t low, uint64_t high)
{
    return low + next_random() % (high - low + 1);
}

static struct text digits(char out[static TEXT_BYTES], const char *head, unsigned count)
{
    int length = snprintf(out, TEXT_BYTES, "%s", head);
    for (unsigned i = 0; i < count; i++)
        out[length++] = (char)('0' + next_random() % 10);
    return (struct text){out, (uint32_t)length};
}

struct item_texts {
    char hs[TEXT_BYTES];
};

static struct item make_item(uint32_t number, struct item_texts *texts)
{
    static const char *const partners[] = {"KZ", "UZ", "RU", "DE", "VN", "KR", "US", "TM"};
    return (struct item){
        .item_no = number,
        .hs_code = digits(texts->hs, "", 10),
        .net_mass_mg = (int64_t)between(100, 30000) * (int64_t)between(1000, 1000000),
        .statistical_value_minor = (int64_t)between(1000, 90000000),
        .origin_country = text_of(partners[next_random() % 8]),
        .procedure = TEXT("4000"),
        .customs_value_minor = (int64_t)between(1000, 90000000),
    };
}

/* Mean 1.75. */
static uint32_t item_count_of(uint64_t percent)
{
    return percent < 60 ? 1 : percent < 80 ? 2 : percent < 90 ? 3 : percent < 95 ? 4 : 5;
}

static void make_sample(struct sample *sample)
{
    for (size_t i = 0; i < DECLARATIONS; i++) {
        char id[TEXT_BYTES], declarant[TEXT_BYTES], trader[TEXT_BYTES];
        struct item items[ITEMS_MOST];
        struct item_texts texts[ITEMS_MOST];
        uint32_t count = item_count_of(next_random() % 100);
        for (uint32_t k = 0; k < count; k++)
            items[k] = make_item(k + 1, &texts[k]);
        int64_t accepted = 1751328000000 + (int64_t)between(0, 2592000000);
        struct declaration declaration = {
            .declaration_id = digits(id, "940320251", 9),
            .version = 1,
            .function = FUNCTION_ORIGINAL,
            .direction = DIRECTION_IMPORT,
            .reference_date = (uint32_t)between(20250701, 20250731),
            .office_code = TEXT("9403"),
            .border_office_code = TEXT("9403"),
            .border_transport_mode = (uint32_t)between(2, 4),
            .trade_mode = TEXT("0110"),
            .accepted_at_ms = accepted,
            .item_count = count,
            .items = {items, count},
            .schema_version = 1,
            .scheme = SCHEME_CN,
            .reporter = TEXT("CN"),
            .declaration_type = DECLARATION_TYPE_NORMAL,
            .status = STATUS_RELEASED,
            .submitted_at_ms = accepted - (int64_t)between(1000, 86400000),
            .declarant_id = digits(declarant, "", 10),
            .trader_id = digits(trader, "", 10),
            .reporting_currency = TEXT("CNY"),
        };
        sample->begin[i] = sample->bytes.length;
        sample->items += (double)count / DECLARATIONS;
        wire_encode(&declaration, &sample->bytes);
    }
    sample->begin[DECLARATIONS] = sample->bytes.length;
}

static struct bytes sample_at(const struct sample *sample, size_t i)
{
    return (struct bytes){sample->bytes.data + sample->begin[i], sample->begin[i + 1] - sample->begin[i]};
}

/* Each measured loop returns something of what it made, so that nothing is optimised away. */
struct state {
    struct arena arena;
    struct buffer scratch;
};

static uint64_t run_decode(struct state *state, const struct sample *sample)
{
    uint64_t sum = 0;
    struct declaration out;
    bool canonical;
    for (size_t i = 0; i < DECLARATIONS; i++) {
        if (i % BATCH == 0)
            arena_reset(&state->arena);
        if (wire_decode(sample_at(sample, i), &state->arena, &out, &canonical) != WIRE_OK)
            abort();
        sum += (uint64_t)out.items.items[out.items.count - 1].customs_value_minor + canonical;
    }
    return sum;
}

static uint64_t run_digest(struct state *state, const struct sample *sample)
{
    uint64_t sum = 0;
    struct declaration out;
    bool canonical;
    for (size_t i = 0; i < DECLARATIONS; i++) {
        if (i % BATCH == 0)
            arena_reset(&state->arena);
        if (wire_decode(sample_at(sample, i), &state->arena, &out, &canonical) != WIRE_OK)
            abort();
        sum += wire_digest(sample_at(sample, i), &out, sample->canonical && canonical, &state->scratch);
    }
    return sum;
}

static uint64_t run_protobuf_c(struct state *state, const struct sample *sample)
{
    (void)state;
    uint64_t sum = 0;
    for (size_t i = 0; i < DECLARATIONS; i++) {
        struct bytes b = sample_at(sample, i);
        Customs__V1__Declaration *m = customs__v1__declaration__unpack(NULL, b.length, b.data);
        if (!m)
            abort();
        sum += (uint64_t)m->items[m->n_items - 1]->customs_value_minor;
        customs__v1__declaration__free_unpacked(m, NULL);
    }
    return sum;
}

static double cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(const char *name, uint64_t (*run)(struct state *, const struct sample *),
                    const struct sample *sample)
{
    struct state state = {0};
    arena_init(&state.arena, 64u << 20);
    double ns[REPETITIONS];
    uint64_t sum = run(&state, sample);
    for (int r = 0; r < REPETITIONS; r++) {
        double begin = cpu_ns();
        for (int i = 0; i < rounds; i++)
            sum += run(&state, sample);
        ns[r] = (cpu_ns() - begin) / rounds / DECLARATIONS;
    }
    qsort(ns, REPETITIONS, sizeof ns[0], compare);
    double median = ns[REPETITIONS / 2];
    double gb_per_s = (double)sample->bytes.length / DECLARATIONS / median;
    printf("| %s | %.1f | %.1f - %.1f | %.2f | %016" PRIx64 " |\n", name, median, ns[0], ns[REPETITIONS - 1], gb_per_s,
           sum);
    arena_fini(&state.arena);
    buffer_fini(&state.scratch);
}

int main(int argc, char **argv)
{
    static struct sample sample;
    if (argc > 1 && strcmp(argv[1], "--smoke") == 0)
        rounds = 1;
    wire_init();
    sample.canonical = true;
    make_sample(&sample);
    printf(
        "%d declarations, %.1f bytes and %.2f items each, seed %d; %d rounds, %d repetitions; ns of processor time\n\n",
        DECLARATIONS, (double)sample.bytes.length / DECLARATIONS, sample.items, SEED, rounds, REPETITIONS);
    printf("| | ns a declaration | best - worst | GB/s | check |\n|---|---|---|---|---|\n");
    measure("wire_decode", run_decode, &sample);
    measure("wire_decode and wire_digest", run_digest, &sample);
    sample.canonical = false;
    measure("the same, encoded again as for bytes that are not canonical", run_digest, &sample);
    measure("protobuf-c: unpack and free", run_protobuf_c, &sample);
    buffer_fini(&sample.bytes);
    return 0;
}
