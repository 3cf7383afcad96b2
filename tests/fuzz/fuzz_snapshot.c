/* SPDX-License-Identifier: Apache-2.0
 * fuzz_snapshot.c - restore and publisher over a journal with snapshots that somebody changed: frames left out, doubled, swapped, bytes of
 * payloads and headers altered and sealed again, so that check sums do not find it.
 *
 * Input:   first byte: where the reader begins (at the log's beginning, or at one of its cycles); then one change after the other
 * Checks:  a reader that goes on is one whose totals fit: ledger, counts, cells of each slice; one that halts says why; what a publisher has folded
 *          can be written as records, and read back; an unchanged journal is taken whole, from each cycle to the same state
 */
#include "fuzz.h"

#include "base/memory.h"
#include "flow/cube.h"
#include "flow/figures.h"
#include "flow/state.h"
#include "flow/statistic.h"
#include "sim/host.h"
#include "sim/sample.h"

#include <stdio.h>

enum { FRAMES_MOST = 1024, CHANGES_MOST = 24, PLAN_ID = 0x601D, PORTIONS = 6, A_PORTION = 8 };
#define NOW_MS 1752800000000

static struct {
    struct reference *reference;
    struct view_plan plan;
    struct statistic_writer *writer;
    struct bytes frames[FRAMES_MOST];
    uint32_t count;
    uint32_t cycles[FRAMES_MOST]; /* offsets of slices 0 */
    uint32_t cycle_count;
    struct slice_whole ends[SLICES]; /* of the unchanged journal */
} recorded;

static void put_some(struct world *world, int portion)
{
    static const char *const codes[] = {"720851", "847130", "851713", "270900"};
    for (int i = 0; i < A_PORTION; i++) {
        struct sample sample;
        char id[DECLARATION_ID_BYTES + 1];
        int which = portion * 3 + i;
        snprintf(id, sizeof id, i % 4 == 0 ? "A-LONG-ID-OF-MANY-CHARACTERS/%05d" : "ID%05d", which);
        sample_init(&sample, id);
        sample.declaration.reference_date = 20250625 + (unsigned)which % 9;
        if (i % 3 == 0)
            sample_add_item(&sample, codes[i % 4], 500 + which);
        if (portion % 2 == 1)
            sample_replace(&sample, 1 + (unsigned)portion);
        if (i == 6)
            sample.declaration.office_code = TEXT("NOWHERE");
        sample_put(&sample, world, 0, NOW_MS);
    }
}

static void take_log(const struct world *world)
{
    for (int64_t o = 0; o < world_next(world, PORT_JOURNAL, 0) && recorded.count < FRAMES_MOST; o++) {
        struct bytes value = world_at_ever(world, PORT_JOURNAL, 0, o)->value;
        struct buffer copy = {0};
        struct frame frame;
        struct slice_head head;
        struct err_info info;
        buffer_add(&copy, value.data, value.length);
        CHECK(frame_parse(value, &frame, &info) == OK);
        if (frame.kind == FRAME_SNAP && slice_get_head(frame.payload, &head) && head.slice == 0)
            recorded.cycles[recorded.cycle_count++] = (uint32_t)o;
        recorded.frames[recorded.count++] = buffer_bytes(&copy);
    }
}

/* A world whose owner takes snapshots all the time. */
static void record(void)
{
    struct zone *zone;
    struct rules *rules;
    struct err_info info;
    CHECK_SAY(reference_load(DRYPORT_SOURCE "/tests/data/reference", NULL, &recorded.reference, &info) == OK, "%s",
              info.text);
    CHECK_SAY(zone_new("Asia/Shanghai", &zone, &info) == OK, "%s", info.text);
    struct rules_options options = rules_default_options(zone);
    CHECK_SAY(rules_new(&options, recorded.reference, &rules, &info) == OK, "%s", info.text);
    view_plan_default(&recorded.plan);
    recorded.writer = statistic_writer_new(&recorded.plan, recorded.reference, "CN", "CNY");
    struct world *world = world_new(1, 1);
    world_set_now(world, NOW_MS);
    struct host_options how = {.rules = rules,
                               .reference = recorded.reference,
                               .plan = &recorded.plan,
                               .plan_id = PLAN_ID,
                               .frame_interval_ms = 50,
                               .snapshot_bytes = 1,
                               .key_check = BATCH_KEY_ID,
                               .partitions = 1,
                               .statistics_partitions = 1,
                               .seed = 1,
                               .reporter = "CN",
                               .currency = "CNY"};
    struct host *host = host_new(world, &how);
    for (int portion = 0; portion < PORTIONS; portion++) {
        put_some(world, portion);
        CHECK(host_settle(host, 60));
    }
    host_kill(host);
    take_log(world);
    world_free(world);
    rules_free(rules);
    zone_free(zone);
    CHECK_SAY(recorded.cycle_count >= 2, "%u frames, %u cycles", recorded.count, recorded.cycle_count);
}

/* ---- readers ---- */

struct reading {
    struct reader_rule *owner;
    struct state state;
    struct reader_rule *follower;
    struct cube *cube;
};

static enum err fold_cube(void *context, const struct frame *frames, uint32_t count, struct err_info *info)
{
    return cube_fold(context, 0, frames, count, info);
}

static void begin(struct reading *reading)
{
    *reading = (struct reading){.owner = reader_rule_new(), .follower = reader_rule_new()};
    reading->follower->drops_ledger = true;
    state_init(&reading->state, &recorded.plan, 1234);
    reading->state.plan_id = PLAN_ID;
    reading->cube = cube_new(&recorded.plan, 1, PLAN_ID);
}

static void end(struct reading *reading)
{
    reader_rule_free(reading->owner);
    reader_rule_free(reading->follower);
    state_fini(&reading->state);
    cube_free(reading->cube);
}

/* A rebase ends the reading: nothing changed here makes a whole one that readers begin again at. */
static bool feed(struct reading *reading, int64_t offset, struct bytes bytes)
{
    struct frame frame;
    enum reader_branch branch = reader_rule_feed(reading->owner, offset, bytes, state_fold, &reading->state, &frame);
    if (branch == READER_OPEN || branch == READER_OPEN_DISCARDS)
        state_take_open(&reading->state, &frame);
    enum reader_branch other = reader_rule_feed(reading->follower, offset, bytes, fold_cube, reading->cube, NULL);
    CHECK(!reading->owner->halted || reading->owner->why.text[0]);
    CHECK(!reading->follower->halted || reading->follower->why.text[0]);
    return branch != READER_REBASED && other != READER_REBASED;
}

static void check_state(const struct reading *reading)
{
    const struct state *state = &reading->state;
    if (reading->owner->halted)
        return;
    struct ledger_sums sums = {0};
    for (uint32_t slice = 0; slice < SLICES; slice++) {
        struct ledger_sums part = ledger_segment_sums(state->ledger, slice);
        sums.control += part.control;
        sums.entries += part.entries;
        sums.print_control += part.print_control;
        sums.prints += part.prints;
    }
    struct ledger_sums all = ledger_sums(state->ledger);
    CHECK(ledger_sums_equal(&sums, &all));
    CHECK(!reading->owner->has_groups || state->hi == reading->owner->hi);
}

/* Cells, and what is summed from them. */
static void check_figure(struct figures *figures, const struct cube *cube, uint32_t number)
{
    struct figure figure;
    struct statistic_stamp stamp = {.state = 1, .as_of = 7};
    uint64_t content;
    bool saturated = false;
    if (!figures_is_published(figures, number) || !figures_get(figures, number, &figure))
        return;
    uint64_t hash = statistic_set(recorded.writer, &figure, cube_codes(cube), &saturated);
    struct text key = statistic_key(recorded.writer, figures_key(figures, number), cube_codes(cube));
    CHECK(key.length > 0);
    struct bytes value = statistic_pack(recorded.writer, &stamp);
    CHECK(statistic_content(value, &content) && content == hash);
}

static void check_cube(const struct reading *reading)
{
    struct figures *figures = figures_new(&recorded.plan, reading->cube, NULL);
    uint32_t cells = cube_count(reading->cube);
    for (uint32_t i = 0; i < cells; i++)
        figures_add(figures, i);
    for (uint32_t i = 0; i < cells; i++)
        check_figure(figures, reading->cube, i);
    for (uint32_t i = 0; i < figures_count(figures); i++)
        check_figure(figures, reading->cube, FIGURE_DERIVED + i);
    figures_free(figures);
}

/* ---- changes ---- */

struct log {
    struct bytes frames[FRAMES_MOST + CHANGES_MOST];
    uint32_t count;
    struct buffer owned[CHANGES_MOST]; /* altered frames */
    uint32_t owned_count;
};

static void alter(struct log *log, struct choices *choices, uint32_t at)
{
    struct buffer *own = &log->owned[log->owned_count++];
    struct frame_nonce nonce;
    uint64_t seq;
    buffer_add(own, log->frames[at].data, log->frames[at].length);
    memcpy(&nonce, own->data + 16, sizeof nonce);
    memcpy(&seq, own->data + 32, sizeof seq);
    uint32_t how = choose_byte(choices);
    size_t payload = own->length - FRAME_HEADER_BYTES;
    size_t place = FRAME_HEADER_BYTES + (payload ? choose(choices, 65536) % payload : 0);
    if (how % 8 == 0)
        place = 40 + choose(choices, 48); /* of the header, behind the seq */
    if (how % 8 == 1)
        own->length = place; /* cut short */
    else if (how % 8 == 2 && payload)
        memmove(own->data + place, own->data + place + 1, own->length-- - place - 1);
    else if (place < own->length)
        own->data[place] = how % 2 ? choose_byte(choices) : (uint8_t)(own->data[place] ^ 1 << how / 8 % 8);
    frame_seal(own->data, own->length, &nonce, seq);
    log->frames[at] = buffer_bytes(own);
}

static void change(struct log *log, struct choices *choices)
{
    uint32_t at = choose(choices, 65536) % log->count;
    uint32_t other = choose(choices, 65536) % log->count;
    struct bytes frame = log->frames[at];
    switch (choose(choices, 6)) {
    case 0:
        memmove(&log->frames[at], &log->frames[at + 1], (--log->count - at) * sizeof log->frames[0]);
        break;
    case 1:
        memmove(&log->frames[at + 1], &log->frames[at], (log->count++ - at) * sizeof log->frames[0]);
        break;
    case 2:
        log->frames[at] = log->frames[other];
        log->frames[other] = frame;
        break;
    default:
        alter(log, choices, at);
    }
}

static void read_log(const struct log *log, uint32_t from, struct reading *reading)
{
    begin(reading);
    for (uint32_t i = from; i < log->count; i++) {
        if (!feed(reading, i, log->frames[i]))
            break;
    }
    check_state(reading);
    check_cube(reading);
}

static void begin_log(struct log *log)
{
    log->count = recorded.count;
    log->owned_count = 0;
    memcpy(log->frames, recorded.frames, recorded.count * sizeof recorded.frames[0]);
}

/* From the beginning and from each cycle but the last, which may not be whole. */
static void check_unchanged(struct log *log)
{
    begin_log(log);
    for (uint32_t i = 0; i < recorded.cycle_count; i++) {
        struct reading reading;
        read_log(log, i == 0 ? 0 : recorded.cycles[i - 1], &reading);
        CHECK_SAY(!reading.owner->halted, "%s", reading.owner->why.text);
        CHECK_SAY(!reading.follower->halted, "%s", reading.follower->why.text);
        for (uint32_t slice = 0; slice < SLICES; slice++) {
            struct slice_whole whole = state_whole(&reading.state, slice);
            if (i == 0)
                recorded.ends[slice] = whole;
            const struct slice_whole *first = &recorded.ends[slice];
            CHECK(ledger_sums_equal(&whole.ledger, &first->ledger) && whole.cell_sum == first->cell_sum &&
                  whole.cells == first->cells);
        }
        end(&reading);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct log log;
    struct choices choices = choices_of(data, size);
    struct reading reading;
    if (!recorded.reference) {
        record();
        check_unchanged(&log);
    }
    uint32_t from = choose(&choices, recorded.cycle_count + 1);
    begin_log(&log);
    for (int i = 0; i < CHANGES_MOST && choices_left(&choices) > 0 && log.count > 1; i++)
        change(&log, &choices);
    read_log(&log, from == 0 ? 0 : recorded.cycles[from - 1], &reading);
    end(&reading);
    for (uint32_t i = 0; i < log.owned_count; i++) {
        buffer_fini(&log.owned[i]);
        log.owned[i] = (struct buffer){0};
    }
    return 0;
}
