/* SPDX-License-Identifier: Apache-2.0 */
#include "desk_fixture.h"
#include "snapshot_fixture.h"

#include "base/memory.h"
#include "flow/cube.h"
#include "flow/partition.h"
#include "sim/storm.h"

static struct film film;

static void teardown(void)
{
    film_fini(&film);
}

TestSuite(snapshot, .fini = teardown);

/* What a run of the same input without snapshots publishes. */
static char *clean_dump(int ids, unsigned seed)
{
    struct fixture clean;
    fixture_init(&clean);
    fixture_fill(&clean, ids, seed);
    struct host *host = host_new(clean.world, &clean.options);
    cr_assert(host_settle(host, 60), "the clean run does not settle");
    cr_assert_eq(counter_read(&host_counters(host)->frames[FRAME_SNAP]), 0);
    char *dump = fixture_dump(&clean);
    host_kill(host);
    fixture_fini(&clean);
    return dump;
}

static void assert_running(const struct host *host, const char *when)
{
    for (int32_t p = 0; p < PARTS; p++)
        cr_assert_eq(counter_read(&host_status(host, p)->phase), PARTITION_RUNNING, "%s: partition %d: %s", when, p,
                     host_status(host, p)->reason);
}

Test(snapshot, cycles_roll_the_journal_is_trimmed_and_nothing_changes)
{
    enum { IDS = 90, SEED = 3 };
    film_init(&film, IDS, SEED);
    char *clean = clean_dump(IDS, SEED);
    struct host *host = host_new(film.f.world, &film.f.options);

    cr_assert(film_run(&film, host, SIZE_MAX, 120));
    film_roll(&film);

    assert_running(host, "at the end");
    char *dump = fixture_dump(&film.f);
    cr_assert_str_eq(dump, clean);
    cr_log_info("%d trims", film.trims);
    cr_assert_geq(film.trims, 4);
    for (int32_t p = 0; p < PARTS; p++)
        film_compare(&film, p);
    free(dump);
    free(clean);
    host_kill(host);
}

/* A process dies with each append in turn as its last one; another goes on. Nothing it had under way lands. */
Test(snapshot, a_kill_at_any_append_across_cycles_and_trims_changes_nothing, .timeout = 280)
{
    enum { IDS = 24, SEED = 8 };
    char *clean = clean_dump(IDS, SEED);
    int trims = 0;
    int torn = 0;
    size_t appends = SIZE_MAX;
    for (size_t cut = 1; cut < appends; cut++) {
        film_init(&film, IDS, SEED);
        film.f.options.seed = cut;
        struct host *host = host_new(film.f.world, &film.f.options);
        film_run(&film, host, cut, 120);
        bool is_over = host_delivered(host) < cut;
        host_kill(host);
        film.f.options.seed = 1000 + cut;
        host = host_new(film.f.world, &film.f.options);
        cr_assert(film_run(&film, host, SIZE_MAX, 120), "cut %zu", cut);
        film_roll(&film);

        assert_running(host, "after a kill");
        char *dump = fixture_dump(&film.f);
        cr_assert_str_eq(dump, clean, "cut %zu", cut);
        free(dump);
        for (int32_t p = 0; p < PARTS; p++) {
            film_compare(&film, p);
            struct cold whole;
            cold_read(&whole, &film.f.options, film.mirror, p, 0);
            torn += whole.branches[READER_OPEN_DISCARDS];
            cold_fini(&whole);
        }
        trims += film.trims;
        if (is_over)
            appends = cut;
        host_kill(host);
        film_fini(&film);
    }
    free(clean);
    cr_log_info("%zu places, %d trims, %d torn groups", appends, trims, torn);
    cr_assert_gt(appends, 200);
    cr_assert_gt(trims, (int)appends);
    cr_assert_gt(torn, 20);
}

/* The same where the producer fails: slices that were sealed go out again under the next claim, which they must carry. */
Test(snapshot, an_append_that_fails_is_sent_again_and_slices_carry_the_new_claim, .timeout = 280)
{
    enum { IDS = 24, SEED = 5, PLACES = 330, STRIDE = 7 };
    static const enum fate fates[] = {FATE_LOST, FATE_LANDS_ACK_LOST, FATE_TWICE};
    char *clean = clean_dump(IDS, SEED);
    int trims = 0;
    int opens = 0;
    for (size_t cut = 3; cut < PLACES; cut += STRIDE) {
        enum fate fate = fates[cut % (sizeof fates / sizeof fates[0])];
        film_init(&film, IDS, SEED);
        film.f.options.seed = cut;
        struct host *host = host_new(film.f.world, &film.f.options);
        film_run(&film, host, cut, 120);
        process_misfortune(host_process(host), HOST_WORKER_LANE, fate);
        film_roll(&film);
        cr_assert(film_run(&film, host, SIZE_MAX, 240), "fate %d cut %zu", (int)fate, cut);
        film_roll(&film);

        assert_running(host, "after a failure");
        char *dump = fixture_dump(&film.f);
        cr_assert_str_eq(dump, clean, "fate %d cut %zu", (int)fate, cut);
        free(dump);
        for (int32_t p = 0; p < PARTS; p++)
            film_compare(&film, p);
        trims += film.trims;
        opens += (int)counter_read(&host_counters(host)->frames[FRAME_OPEN]) - PARTS;
        host_kill(host);
        film_fini(&film);
    }
    free(clean);
    cr_log_info("%d trims, %d claims after a failure", trims, opens);
    cr_assert_gt(trims, 80);
    cr_assert_gt(opens, 20);
}

/* ---- readers of one journal that was made once ---- */

enum { JOURNAL = 0 };

static void make_journal(void)
{
    film_init(&film, 60, 11);
    struct host *host = host_new(film.f.world, &film.f.options);
    cr_assert(film_run(&film, host, SIZE_MAX, 120));
    film_roll(&film);
    host_kill(host);
    cr_assert_gt(film.first[JOURNAL], 0);
}

static struct bytes record_at(int64_t offset)
{
    return world_at(film.mirror, PORT_JOURNAL, JOURNAL, offset)->value;
}

/* The first frame from `offset` on that begins a slice. */
static int64_t find_slice(int64_t offset, uint32_t slice)
{
    for (;; offset++) {
        struct frame frame;
        struct err_info info;
        struct slice_head head;
        cr_assert_eq(frame_parse(record_at(offset), &frame, &info), OK);
        if (frame.kind == FRAME_SNAP && slice_get_head(frame.payload, &head) && head.slice == slice)
            return offset;
    }
}

static bool lags;

static bool input_waits(void *self, int32_t partition)
{
    (void)self;
    (void)partition;
    return lags;
}

Test(snapshot, no_slice_is_due_while_the_broker_has_more_input)
{
    struct port port = {.input_waits = input_waits};
    struct partition_context context = {.port = &port, .frame_interval_ms = 250};
    struct partition *partition = memory_new(1, sizeof *partition);
    partition->context = &context;
    partition->snapshot.next = 3; /* of a cycle on its way */

    cr_assert(snapshot_is_due(partition, 1000));
    lags = true;
    cr_assert_not(snapshot_is_due(partition, 1000));
    lags = false;
    cr_assert(snapshot_is_due(partition, 1000));
    cr_assert_not(snapshot_is_due(partition, 100), "the frame interval");
    partition->snapshot.sealed_bytes = 4 << 20;
    partition->snapshot.sealed_ms = 1000;
    cr_assert_not(snapshot_is_due(partition, 1000 + 511), "a large slice is followed by a rest");
    cr_assert(snapshot_is_due(partition, 1000 + 512));
    memory_free(partition);
}

Test(snapshot, a_log_that_begins_in_the_middle_of_a_cycle_halts)
{
    make_journal();
    int64_t begin = find_slice(film.first[JOURNAL], 5);
    struct cold cold;
    cold_begin(&cold, &film.f.options);

    cr_assert_eq(cold_feed(&cold, begin, record_at(begin)), READER_HALTED);
    cr_assert(strstr(cold.rule->why.text, "first slice of a snapshot"), "%s", cold.rule->why.text);
    cold_fini(&cold);
}

Test(snapshot, a_log_that_begins_in_the_middle_of_a_slice_halts)
{
    make_journal();
    int64_t begin = film.first[JOURNAL];
    struct frame frame;
    struct err_info info;
    do
        begin++;
    while (frame_parse(record_at(begin), &frame, &info) == OK &&
           (frame.kind != FRAME_SNAP || !frame.last || slice_get_head(frame.payload, &(struct slice_head){0})));
    struct cold cold;
    cold_begin(&cold, &film.f.options);

    cr_assert_eq(cold_feed(&cold, begin, record_at(begin)), READER_HALTED);
    cold_fini(&cold);
}

/* Else it would count on with half of a state. */
Test(snapshot, a_log_whose_first_cycle_has_lost_its_end_halts_its_owner)
{
    make_journal();
    int64_t begin = world_first(film.f.world, PORT_JOURNAL, JOURNAL);
    world_truncate(film.f.world, PORT_JOURNAL, JOURNAL, find_slice(begin, SLICES - 1));

    struct host *host = host_new(film.f.world, &film.f.options);
    host_settle(host, 20);

    const struct partition_status *status = host_status(host, JOURNAL);
    cr_assert_eq(counter_read(&status->phase), PARTITION_HALTED);
    cr_assert_eq(counter_read(&status->guard), GUARD_JOURNAL_DAMAGED);
    cr_assert(strstr(status->reason, "slices are missing"), "%s", status->reason);
    cr_assert_eq(counter_read(&host_status(host, !JOURNAL)->phase), PARTITION_RUNNING, "the other one goes on");
    cr_assert_not(counter_read(&host_published(host)->is_publishing));
    host_kill(host);
}

/* Deltas that come between the slices of a cycle are in the slices that follow, and must be taken into those that were before. */
Test(snapshot, a_reader_is_whole_after_the_last_slice_and_not_before)
{
    make_journal();
    struct cold cold;
    cold_begin(&cold, &film.f.options);
    int64_t offset = find_slice(0, 0);
    int64_t whole_at = find_slice(offset, SLICES - 1);
    int deltas = 0;
    for (; !slices_are_whole(&cold.rule->slices) || !cold.rule->begun; offset++) {
        cr_assert_neq(cold_feed(&cold, offset, record_at(offset)), READER_HALTED, "%s", cold.rule->why.text);
        struct frame frame;
        struct err_info info;
        cr_assert_eq(frame_parse(record_at(offset), &frame, &info), OK);
        deltas += frame.kind == FRAME_DATA && frame.last;
    }
    cr_assert_geq(offset, whole_at);
    cr_assert_gt(deltas, 3, "nothing was counted while the cycle was written");

    for (; offset < world_next(film.mirror, PORT_JOURNAL, JOURNAL); offset++)
        cold_feed(&cold, offset, record_at(offset));
    struct cold whole;
    cold_read(&whole, &film.f.options, film.mirror, JOURNAL, 0);
    assert_same_state(&cold, &whole);
    cold_fini(&cold);
    cold_fini(&whole);
}

Test(snapshot, a_trim_leaves_a_whole_cycle_and_the_one_that_it_is_checked_by)
{
    make_journal();
    struct cold cold;
    cold_read(&cold, &film.f.options, film.f.world, JOURNAL, film.first[JOURNAL]);
    cr_assert(!cold.rule->halted, "%s", cold.rule->why.text);

    const struct reader_cycles *cycles = &cold.rule->cycles;
    cr_assert_eq(cycles->trim_to, film.first[JOURNAL], "trimmed to where the rule says, and no further");
    cr_assert_geq(cycles->current, film.first[JOURNAL]);
    cr_assert_gt(cycles->complete_bytes, 0);
    int64_t second = find_slice(film.first[JOURNAL] + 1, 0);
    int64_t second_end = find_slice(second, SLICES - 1);
    cr_assert_lt(second_end, world_next(film.mirror, PORT_JOURNAL, JOURNAL), "two whole cycles are there");
    cold_fini(&cold);
}

/* ---- broken slices: each byte string is sealed again, so that only the control totals can tell ---- */

static enum err cube_group(void *context, const struct frame *frames, uint32_t count, struct err_info *info)
{
    return cube_fold(context, JOURNAL, frames, count, info);
}

static enum err state_group(void *context, const struct frame *frames, uint32_t count, struct err_info *info)
{
    struct cold *cold = context;
    return state_fold(&cold->state, frames, count, info);
}

/* Reads from `begin` on and changes the section of the slice at `slice_at` or behind it on the way. Returns why it halts. */
static struct err_info read_broken(reader_fold *fold, void *context, int64_t begin, int64_t slice_at,
                                   enum frame_section wanted, size_t place)
{
    struct reader_rule *rule = reader_rule_new();
    bool broken_yet = false;
    for (int64_t o = begin; o < world_next(film.mirror, PORT_JOURNAL, JOURNAL) && !rule->halted; o++) {
        struct buffer copy = {0};
        buffer_add(&copy, record_at(o).data, record_at(o).length);
        struct frame frame;
        struct err_info info;
        cr_assert_eq(frame_parse(buffer_bytes(&copy), &frame, &info), OK);
        struct reader reader = reader_of(frame.payload);
        enum frame_section section;
        struct bytes bytes;
        bool cut = false;
        while (o >= slice_at && !broken_yet && frame_next_section(&reader, &section, &bytes, &cut)) {
            if (section != wanted)
                continue;
            copy.data[bytes.data - copy.data + (ptrdiff_t)place] ^= 2;
            frame_seal(copy.data, copy.length, &frame.nonce, frame.seq);
            broken_yet = true;
        }
        reader_rule_feed(rule, o, buffer_bytes(&copy), fold, context, NULL);
        buffer_fini(&copy);
    }
    cr_assert(broken_yet);
    struct err_info why = {{0}};
    if (rule->halted)
        why = rule->why;
    reader_rule_free(rule);
    return why;
}

/* The ledger sum is at 0, the cell sum behind it and the varint of the entries; a ledger entry has its digest behind key and length. */
static const struct {
    enum frame_section section;
    size_t place;
    bool in_cube; /* whether the publisher can see it */
} breakages[] = {
    {SECTION_WHOLE, 0, false},  {SECTION_WHOLE, 10, true}, {SECTION_LEDGER, 12, false},
    {SECTION_CONTROL, 0, true}, {SECTION_CELLS, 8, true},
};

Test(snapshot, a_broken_control_total_or_content_halts_a_reader_that_loads_and_one_that_compares)
{
    make_journal();
    int64_t trimmed = film.first[JOURNAL];
    for (size_t i = 0; i < sizeof breakages / sizeof breakages[0]; i++) {
        for (int loads = 0; loads < 2; loads++) {
            int64_t begin = loads ? trimmed : 0;
            int64_t slice_at = find_slice(trimmed, loads ? 3 : 4);
            if (breakages[i].section == SECTION_CONTROL)
                slice_at = find_slice(find_slice(trimmed + 1, 0), SLICES - 1); /* checked when the state is whole */
            struct cold cold;
            cold_begin(&cold, &film.f.options);
            struct err_info why =
                read_broken(state_group, &cold, begin, slice_at, breakages[i].section, breakages[i].place);
            bool seen = breakages[i].section != SECTION_CONTROL; /* cells are the publisher's part */
            cr_assert_eq(why.text[0] != 0, seen, "state, breakage %zu, loads %d: %s", i, loads, why.text);
            cold_fini(&cold);

            struct cube *cube = cube_new(&film.f.plan, PARTS, 4711);
            why = read_broken(cube_group, cube, begin, slice_at, breakages[i].section, breakages[i].place);
            cr_assert_eq(why.text[0] != 0, breakages[i].in_cube, "cube, breakage %zu, loads %d: %s", i, loads,
                         why.text);
            cube_free(cube);
        }
    }
}

Test(snapshot, what_is_read_whole_and_unbroken_does_not_halt_the_cube)
{
    make_journal();
    for (int trimmed = 0; trimmed < 2; trimmed++) {
        struct cube *cube = cube_new(&film.f.plan, PARTS, 4711);
        struct reader_rule *rule = reader_rule_new();
        for (int64_t o = trimmed ? film.first[JOURNAL] : 0; o < world_next(film.mirror, PORT_JOURNAL, JOURNAL); o++)
            reader_rule_feed(rule, o, record_at(o), cube_group, cube, NULL);
        cr_assert(!rule->halted, "%s", rule->why.text);
        cr_assert_geq(cube_declarations(cube), rule->hi, "a batch is none here, so a record is a declaration");
        cube_free(cube);
        reader_rule_free(rule);
    }
}

/* ---- another plan ---- */

static struct view_plan other_views;

static void take_other_plan(struct host_options *options)
{
    static const char *const views[][2] = {{"by_partner", "partner,flow@month"},
                                           {"by_office", "office,flow,mode@day"},
                                           {"by_heading", "hs4,partner,flow@month"},
                                           {"by_flow", "flow@month"}};
    struct err_info info;
    other_views = (struct view_plan){0};
    for (size_t i = 0; i < sizeof views / sizeof views[0]; i++)
        cr_assert_eq(view_plan_add(&other_views, text_of(views[i][0]), text_of(views[i][1]), &info), OK, "%s",
                     info.text);
    view_plan_finish(&other_views);
    options->plan = &other_views;
    options->plan_id = 4712;
}

/* Only the lines of the views whose names begin with "by_", or only the others. */
static char *lines_of(char *dump, bool other)
{
    char *out = dump;
    for (char *line = dump; *line;) {
        size_t length = strcspn(line, "\n") + 1;
        if ((strncmp(line, "by_", 3) == 0) == other) {
            memmove(out, line, length);
            out += length;
        }
        line += length;
    }
    *out = 0;
    return dump;
}

static char *clean_other_dump(int ids, unsigned seed)
{
    struct fixture clean;
    fixture_init(&clean);
    fixture_fill(&clean, ids, seed);
    take_other_plan(&clean.options);
    struct host *host = host_new(clean.world, &clean.options);
    cr_assert(host_settle(host, 60));
    char *dump = fixture_dump(&clean);
    host_kill(host);
    fixture_fini(&clean);
    cr_assert_gt(strlen(dump), 500);
    return dump;
}

static void expect_dump(const char *wanted, bool other, size_t cut)
{
    char *dump = lines_of(fixture_dump(&film.f), other);
    cr_assert_str_eq(dump, wanted, "cut %zu", cut);
    free(dump);
}

/* Runs a process until `cut` appends are there and kills it. */
static bool run_and_kill(size_t cut, uint64_t seed)
{
    film.f.options.seed = seed;
    struct host *host = host_new(film.f.world, &film.f.options);
    bool good = film_run(&film, host, cut, 120);
    for (int32_t p = 0; !good && cut == SIZE_MAX && p < PARTS; p++)
        cr_log_warn("partition %d is %s: %s", p,
                    partition_phase_name((enum partition_phase)counter_read(&host_status(host, p)->phase)),
                    host_status(host, p)->reason);
    host_kill(host);
    return good;
}

Test(snapshot, a_changed_plan_is_counted_again_from_the_ledger_before_anything_else_is_counted)
{
    enum { IDS = 60, SEED = 12 };
    char *clean = clean_other_dump(IDS, SEED);
    film_init(&film, IDS, SEED);
    run_and_kill(150, 1);
    int64_t counted = world_next(film.f.world, PORT_DECLARATIONS, JOURNAL);
    cr_assert_lt(counted, world_next(film.source.world, PORT_DECLARATIONS, JOURNAL), "some is left for the new plan");
    int64_t before = world_next(film.mirror, PORT_JOURNAL, JOURNAL);
    take_other_plan(&film.f.options);
    cr_assert(run_and_kill(SIZE_MAX, 2));
    film_roll(&film);

    expect_dump(clean, true, 0);
    uint32_t slices = 0;
    for (int64_t o = before; o < world_next(film.mirror, PORT_JOURNAL, JOURNAL); o++) {
        struct frame frame;
        struct err_info info;
        struct slice_head head;
        cr_assert_eq(frame_parse(record_at(o), &frame, &info), OK);
        cr_assert(frame.kind != FRAME_DATA || slices == SLICES, "counted after %u slices", slices);
        if (slices < SLICES && frame.kind == FRAME_SNAP && slice_get_head(frame.payload, &head)) {
            cr_assert(head.replan);
            cr_assert_eq(head.slice, slices);
            cr_assert_eq(frame.plan, 4712);
            slices++;
        }
    }
    film_compare(&film, JOURNAL);
    free(clean);
}

Test(snapshot, a_kill_at_any_append_of_a_change_of_plan_changes_nothing, .timeout = 280)
{
    enum { IDS = 16, SEED = 13, OLD = 90 };
    char *clean = clean_other_dump(IDS, SEED);
    size_t appends = SIZE_MAX;
    for (size_t cut = 1; cut < appends; cut += 2) {
        film_init(&film, IDS, SEED);
        run_and_kill(OLD, 1);
        take_other_plan(&film.f.options);
        if (run_and_kill(cut, 100 + cut) && cut > 150)
            appends = cut;
        cr_assert(run_and_kill(SIZE_MAX, 1000 + cut), "cut %zu", cut);
        film_roll(&film);

        expect_dump(clean, true, cut);
        for (int32_t p = 0; p < PARTS; p++)
            film_compare(&film, p);
        film_fini(&film);
    }
    free(clean);
}

/* A roll-back: what the first plan had counted stands in the log before what the second did, and must not be added to what the first
 * counts again. */
Test(snapshot, a_plan_that_is_changed_back_is_published_as_if_it_had_never_changed, .timeout = 120)
{
    enum { IDS = 40, SEED = 14 };
    char *clean = clean_dump(IDS, SEED);
    for (size_t cut = 20; cut <= 200; cut += 12) { /* whole and torn changes */
        film_init(&film, IDS, SEED);
        struct host_options first = film.f.options;
        run_and_kill(60, 1);
        take_other_plan(&film.f.options);
        run_and_kill(cut, 2);
        film.f.options.plan = first.plan;
        film.f.options.plan_id = first.plan_id;
        run_and_kill(cut / 2, 3);
        cr_assert(run_and_kill(SIZE_MAX, 4), "cut %zu", cut);
        film_roll(&film);

        expect_dump(clean, false, cut);
        film_fini(&film);
    }
    free(clean);
}

static uint64_t fixed_random(void *context)
{
    (void)context;
    return 42;
}

/* The owner of the partitions was given another plan, the publisher not yet. */
Test(snapshot, a_publisher_of_another_plan_is_silent_and_says_why)
{
    film_init(&film, 20, 15);
    run_and_kill(100, 1);
    struct host_options first = film.f.options;
    take_other_plan(&film.f.options);
    run_and_kill(150, 2);
    int64_t records = 0;
    for (int32_t p = 0; p < STATISTICS_PARTS; p++)
        records += world_next(film.f.world, PORT_STATISTICS, p);

    struct process *process = process_new(film.f.world, 2);
    struct publisher_options options = {.port = process_port(process),
                                        .lane = HOST_PUBLISHER_LANE,
                                        .partitions = PARTS,
                                        .statistics_partitions = STATISTICS_PARTS,
                                        .plan = first.plan,
                                        .plan_id = first.plan_id,
                                        .reference = first.reference,
                                        .reporter = "CN",
                                        .currency = "CNY",
                                        .publish_interval_ms = 100,
                                        .publish_max_keys_per_s = 1000,
                                        .folds = true,
                                        .random = fixed_random};
    struct publisher *publisher = publisher_new(&options);
    publisher_lead(publisher, true);
    for (int i = 0; i < 500; i++) {
        publisher_step(publisher);
        while (process_deliver(process, HOST_PUBLISHER_LANE))
            continue;
        world_set_now(film.f.world, world_now(film.f.world) + TICK_MS);
    }

    struct err_info trouble;
    publisher_trouble(publisher, &trouble);
    cr_assert(strstr(trouble.text, "under the plan of this process"), "%s", trouble.text);
    for (int32_t p = 0; p < STATISTICS_PARTS; p++)
        records -= world_next(film.f.world, PORT_STATISTICS, p);
    cr_assert_eq(records, 0, "nothing was written");
    publisher_free(publisher);
    process_kill(process);
}

Test(snapshot, a_journal_that_was_begun_with_another_currency_halts_trimmed_or_not)
{
    for (int trimmed = 0; trimmed < 2; trimmed++) {
        film_init(&film, 60, 16);
        run_and_kill(trimmed ? SIZE_MAX : 20, 1);
        cr_assert_eq(film.trims > 0, trimmed);
        film.f.options.currency = "EUR";
        film.f.options.seed = 2;
        struct host *host = host_new(film.f.world, &film.f.options);
        for (int i = 0; i < 300; i++) {
            host_step(host);
            host_deliver(host, SIZE_MAX);
            world_set_now(film.f.world, world_now(film.f.world) + TICK_MS);
        }

        cr_assert_eq(counter_read(&host_status(host, JOURNAL)->phase), PARTITION_HALTED, "trimmed %d", trimmed);
        cr_assert(strstr(host_status(host, JOURNAL)->reason, "CN CNY, this process has CN EUR"), "%s",
                  host_status(host, JOURNAL)->reason);
        host_kill(host);
        film_fini(&film);
    }
}

/* ---- a slice that is too large ---- */

/* So many rejects that the slice does not fit into a group. */
static void add_rejects_beyond_a_group(struct state *state, int32_t today)
{
    enum { COUNT = 5300000 };
    for (int i = 0; i < COUNT; i++) {
        int64_t far = i % 2 ? (int64_t)1 << 55 : 0; /* large differences: no fewer bytes than there may be */
        reject_list_add(&state->rejects, &(struct reject_place){far + SLICES * (int64_t)i, i % 2 ? INT32_MAX : -1, 999},
                        today);
    }
}

Test(snapshot, a_slice_that_is_larger_than_a_group_ends_snapshots_and_that_is_shown, .timeout = 120)
{
    static struct desk desk;
    desk_init(&desk);
    struct partition *partition = &desk.partition;
    int64_t now_ms = world_now(desk.f.world);
    add_rejects_beyond_a_group(&partition->state, (int32_t)(now_ms / 86400000));
    cr_assert(snapshot_is_due(partition, now_ms) || partition->snapshot.next == 0);

    struct group *group = snapshot_seal(partition, now_ms);

    cr_assert_null(group);
    cr_assert(partition->snapshot.is_off);
    cr_assert(strstr(desk.status.trim_trouble, "slice 0 of the state of partition 0"), "%s", desk.status.trim_trouble);
    cr_assert(strstr(desk.status.trim_trouble, "more partitions"), "%s", desk.status.trim_trouble);
    partition->snapshot.trim_to = 5;
    cr_assert(snapshot_trim(partition, now_ms), "what was due before is trimmed");
    cr_assert(desk.status.trim_trouble[0], "and the trouble is shown still");
    cr_assert_not(snapshot_is_due(partition, now_ms + 100000));
    desk_fini(&desk);
}
