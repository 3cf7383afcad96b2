/* SPDX-License-Identifier: Apache-2.0
 * snapshot_fixture.h - for tests: a world whose input comes in little by little while a host takes snapshots, a mirror of its journal
 * that is never trimmed, and cold readers of both.
 */
#pragma once

#include "flow/state.h"
#include "host_fixture.h"

enum { TICK_MS = 10 };

struct film {
    struct fixture f;
    struct fixture source; /* holds the input that is to come */
    struct world *mirror;  /* the journals, untrimmed */
    int64_t first[PARTS];  /* log start, as of the last step */
    int trims;
};

static inline void film_init(struct film *film, int ids, unsigned seed)
{
    *film = (struct film){0};
    fixture_init(&film->f);
    fixture_init(&film->source);
    fixture_fill(&film->source, ids, seed);
    film->mirror = world_new(PARTS, STATISTICS_PARTS);
    film->f.options.frame_interval_ms = TICK_MS;
    film->f.options.snapshot_bytes = 1;
}

/* May be called twice. */
static inline void film_fini(struct film *film)
{
    if (!film->mirror)
        return;
    world_free(film->mirror);
    film->mirror = NULL;
    fixture_fini(&film->source);
    fixture_fini(&film->f);
}

/* One more record of each partition. False: there is none left. */
static inline bool film_feed(struct film *film)
{
    bool fed = false;
    for (int32_t p = 0; p < PARTS; p++) {
        int64_t next = world_next(film->f.world, PORT_DECLARATIONS, p);
        if (next == world_next(film->source.world, PORT_DECLARATIONS, p))
            continue;
        world_put(film->f.world, PORT_DECLARATIONS, p, world_at(film->source.world, PORT_DECLARATIONS, p, next));
        fed = true;
    }
    return fed;
}

/* What a process that starts now makes of a journal. */
struct cold {
    struct reader_rule *rule;
    struct state state;
    int branches[READER_BRANCHES];
};

static inline void cold_begin(struct cold *cold, const struct host_options *options)
{
    *cold = (struct cold){.rule = reader_rule_new()};
    state_init(&cold->state, options->plan, 1234);
    cold->state.plan_id = options->plan_id;
}

static inline enum reader_branch cold_feed(struct cold *cold, int64_t offset, struct bytes record)
{
    struct frame frame;
    enum reader_branch branch = reader_rule_feed(cold->rule, offset, record, state_fold, &cold->state, &frame);
    cold->branches[branch]++;
    if (branch == READER_OPEN || branch == READER_OPEN_DISCARDS)
        state_take_open(&cold->state, &frame);
    return branch;
}

static inline void cold_read(struct cold *cold, const struct host_options *options, const struct world *world,
                             int32_t partition, int64_t from)
{
    cold_begin(cold, options);
    for (int64_t o = from; o < world_next(world, PORT_JOURNAL, partition); o++)
        cold_feed(cold, o, world_at(world, PORT_JOURNAL, partition, o)->value);
}

static inline void cold_fini(struct cold *cold)
{
    reader_rule_free(cold->rule);
    state_fini(&cold->state);
}

static inline int by_reject(const void *a, const void *b)
{
    const struct reject_kept *x = a;
    const struct reject_kept *y = b;
    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

static inline void assert_same_rejects(struct state *a, struct state *b)
{
    for (int slice = 0; slice < SLICES; slice++) {
        size_t count = a->rejects.count[slice];
        cr_assert_eq(count, b->rejects.count[slice], "slice %d lists %zu and %zu rejects", slice, count,
                     b->rejects.count[slice]);
        if (count == 0)
            continue;
        qsort(a->rejects.kept[slice], count, sizeof(struct reject_kept), by_reject);
        qsort(b->rejects.kept[slice], count, sizeof(struct reject_kept), by_reject);
        for (size_t i = 0; i < count; i++) {
            cr_assert_eq(by_reject(&a->rejects.kept[slice][i], &b->rejects.kept[slice][i]), 0);
            cr_assert_eq(a->rejects.kept[slice][i].rule_number, b->rejects.kept[slice][i].rule_number);
        }
    }
}

/* All readers remember the same OPENs, wherever their rings stand. */
static inline void assert_same_window(const struct slice_window *a, const struct slice_window *b)
{
    uint64_t known = b->count < SLICE_WINDOW ? b->count : SLICE_WINDOW;
    cr_assert_eq(a->count < SLICE_WINDOW ? a->count : SLICE_WINDOW, known);
    for (uint64_t i = 1; i <= known; i++)
        cr_assert(
            frame_nonce_equal(&a->nonces[(a->count - i) % SLICE_WINDOW], &b->nonces[(b->count - i) % SLICE_WINDOW]),
            "the OPEN %d before the last", (int)i);
}

/* Both read the same journal to its end, one of them from where it was trimmed to. */
static inline void assert_same_state(struct cold *trimmed, struct cold *whole)
{
    cr_assert(!trimmed->rule->halted, "%s", trimmed->rule->why.text);
    cr_assert(!whole->rule->halted, "%s", whole->rule->why.text);
    cr_assert(slices_are_whole(&trimmed->rule->slices));
    cr_assert(slices_are_whole(&trimmed->state.slices));
    cr_assert_eq(trimmed->rule->hi, whole->rule->hi);
    cr_assert(frame_nonce_equal(&trimmed->rule->epoch, &whole->rule->epoch));
    cr_assert_eq(trimmed->rule->seq, whole->rule->seq);
    assert_same_window(&trimmed->rule->window, &whole->rule->window);
    struct state *a = &trimmed->state;
    struct state *b = &whole->state;
    cr_assert_eq(a->hi, b->hi);
    cr_assert_eq(a->has_record, b->has_record);
    cr_assert_eq(a->record_crc, b->record_crc);
    cr_assert_eq(a->event_ms_most, b->event_ms_most);
    cr_assert_eq(memcmp(&a->id_key, &b->id_key, sizeof a->id_key), 0);
    cr_assert_eq(a->dictionary.count, b->dictionary.count);
    cr_assert_eq(memcmp(a->dictionary.codes, b->dictionary.codes, a->dictionary.count * sizeof a->dictionary.codes[0]),
                 0);
    cr_assert_eq(memcmp(&a->counts, &b->counts, sizeof a->counts), 0);
    cr_assert_arr_eq(a->verdicts, b->verdicts, sizeof a->verdicts);
    for (uint32_t slice = 0; slice < SLICES; slice++) {
        struct slice_whole x = state_whole(a, slice);
        struct slice_whole y = state_whole(b, slice);
        cr_assert(ledger_sums_equal(&x.ledger, &y.ledger), "slice %u", slice);
        cr_assert_eq(x.cell_sum, y.cell_sum, "slice %u", slice);
        cr_assert_eq(x.cells, y.cells, "slice %u", slice);
    }
    assert_same_rejects(a, b);
}

static inline void film_compare(struct film *film, int32_t partition)
{
    struct cold trimmed;
    struct cold whole;
    cold_read(&trimmed, &film->f.options, film->f.world, partition,
              world_first(film->f.world, PORT_JOURNAL, partition));
    cold_read(&whole, &film->f.options, film->mirror, partition, 0);
    assert_same_state(&trimmed, &whole);
    cold_fini(&trimmed);
    cold_fini(&whole);
}

/* To be called after every step: keeps the mirror, and looks at every trim at once. */
static inline void film_roll(struct film *film)
{
    for (int32_t p = 0; p < PARTS; p++) {
        for (int64_t o = world_next(film->mirror, PORT_JOURNAL, p); o < world_next(film->f.world, PORT_JOURNAL, p); o++)
            world_put(film->mirror, PORT_JOURNAL, p, world_at(film->f.world, PORT_JOURNAL, p, o));
        int64_t first = world_first(film->f.world, PORT_JOURNAL, p);
        if (first == film->first[p])
            continue;
        film->first[p] = first;
        film->trims++;
        film_compare(film, p);
    }
}

/* Steps and delivers one append at a time, and lets input come in, until `cut` appends are in a log or all is quiet. */
static inline bool film_run(struct film *film, struct host *host, size_t cut, int64_t seconds)
{
    int64_t until = world_now(film->f.world) + seconds * 1000;
    while (world_now(film->f.world) < until && host_delivered(host) < cut) {
        bool did = host_step(host);
        film_roll(film);
        did = host_deliver(host, 1) > 0 || did;
        film_roll(film);
        if (did)
            continue;
        if (!film_feed(film))
            return host_settle(host, seconds);
        world_set_now(film->f.world, world_now(film->f.world) + TICK_MS);
    }
    return host_delivered(host) >= cut;
}
