/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/trace.h"

#include "../flow/host_fixture.h"

#include "customs/v1/statistic.pb-c.h"

static struct fixture f;
static struct process *reader;
static struct trace trace;
static struct err_info info;
static const char long_id[] = "A-LONG-ID-OF-MANY-CHARACTERS/00001";

static void settle(void)
{
    f.options.seed++;
    struct host *host = host_new(f.world, &f.options);
    cr_assert(host_settle(host, 60));
    host_kill(host);
}

static void setup(void)
{
    fixture_init(&f);
}

static void teardown(void)
{
    trace_fini(&trace);
    process_kill(reader);
    reader = NULL;
    fixture_fini(&f);
}

TestSuite(trace, .init = setup, .fini = teardown);

static void put(int32_t partition, const char *id, uint32_t version, int64_t value_minor)
{
    struct sample sample;
    sample_init(&sample, id);
    sample.items[0].statistical_value_minor = value_minor;
    if (version > 1)
        sample_replace(&sample, version);
    fixture_put(&f, partition, &sample);
}

static void run(const char *id)
{
    reader = process_new(f.world, 1);
    trace_init(&trace, &(struct trace_options){
                           .port = process_port(reader),
                           .id = text_of(id),
                           .partition = -1,
                           .plan = &f.plan,
                           .rules = f.rules,
                           .reference = f.reference,
                           .reporter = "CN",
                           .currency = "CNY",
                           .topic = "customs.declarations",
                           .batch = {.envelope = {INPUT_AUTO, 1 << 20},
                                     .key_check = BATCH_KEY_ID,
                                     .partitions = PARTS,
                                     .rules = f.rules},
                           .patience_ms = 2000,
                       });
    cr_assert_eq(trace_input(&trace, &info), OK, "%s", info.text);
    cr_assert_eq(trace_journals(&trace, &info), OK, "%s", info.text);
    cr_assert_eq(trace_rejects(&trace, &info), OK, "%s", info.text);
    cr_assert_eq(trace_statistics(&trace, &info), OK, "%s", info.text);
}

static void expect_verdicts(const enum trace_verdict *verdicts, size_t count)
{
    cr_assert_eq(trace.record_count, count);
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(trace.records[i].verdict, verdicts[i], "record %zu is %s", i,
                     trace_verdict_name(trace.records[i].verdict));
}

static const struct trace_cell *cell_of(const char *key)
{
    for (size_t i = 0; i < trace.cell_count; i++) {
        if (strcmp(trace.cells[i].key, key) == 0)
            return &trace.cells[i];
    }
    cr_assert_fail("no cell %s", key);
    return NULL;
}

Test(trace, each_record_has_the_verdict_that_the_ledger_gave)
{
    put(0, "ID1", 2, 200);
    put(0, "ID1", 2, 200);
    put(0, "ID1", 1, 100);
    put(0, "ID1", 3, 300);
    put(0, "ID2", 1, 7);
    settle();
    put(0, "ID1", 4, 400);

    run("ID1");

    expect_verdicts((enum trace_verdict[]){TRACE_COUNTED, TRACE_DUPLICATE, TRACE_STALE, TRACE_COUNTED, TRACE_WAITS}, 5);
    cr_assert_eq(trace.accepted, 2);
    cr_assert_eq(trace.entry_count, 2);
    cr_assert(trace.is_whole);
}

Test(trace, entry_that_stands_is_the_newest_version)
{
    put(1, "ID1", 1, 100);
    settle();
    put(1, "ID1", 2, 250);
    settle();

    run("ID1");

    cr_assert_eq(trace.entry_count, 2);
    cr_assert_not(trace.entries[0].stands);
    cr_assert(trace.entries[1].stands);
    cr_assert_eq(trace.entries[1].partition, 1);
    cr_assert_eq(trace.entries[1].lo, 1);
    cr_assert_eq(trace.entries[1].hi, 2);
    cr_assert_eq(trace.entries[1].epoch, 2);
    cr_assert_gt(trace.entries[1].journal_offset, trace.entries[0].journal_offset);
    cr_assert_eq(trace.entries[1].contribution.items[0].value_minor, 250);
    cr_assert_str_eq(trace.entries[1].codes[0], "9407");
}

Test(trace, cells_have_what_it_adds_and_what_is_published)
{
    put(0, "ID1", 1, 100);
    put(1, "ID2", 1, 11);
    settle();

    run("ID1");

    const struct trace_cell *cell = cell_of("flow|MONTH|20250701|20250731|flow=M");
    cr_assert_eq(cell->measures.value_minor, 100);
    cr_assert_eq(cell->measures.declarations, 1);
    cr_assert(cell->is_published);
    Customs__V1__Statistic *m = customs__v1__statistic__unpack(NULL, cell->value.length, cell->value.data);
    cr_assert_eq(m->value_minor, 111);
    cr_assert_eq(m->declarations, 2);
    cr_assert_eq(m->as_of, cell->as_of);
    customs__v1__statistic__free_unpacked(m, NULL);
    cell_of("commodity|MONTH|20250701|20250731|hs6=720851|partner=KZ|flow=M");
}

Test(trace, id_that_only_the_journal_key_finds)
{
    put(0, long_id, 1, 100);
    put(0, long_id, 2, 150);
    settle();

    run(long_id);

    expect_verdicts((enum trace_verdict[]){TRACE_COUNTED, TRACE_COUNTED}, 2);
    cr_assert_eq(trace.entry_count, 2);
    cr_assert_eq(trace.entries[1].contribution.version, 2);
}

Test(trace, cancel_stands_and_has_no_cells)
{
    struct sample cancel;
    put(0, "ID1", 1, 100);
    sample_init(&cancel, "ID1");
    sample_cancel(&cancel, 1);
    fixture_put(&f, 0, &cancel);
    settle();

    run("ID1");

    expect_verdicts((enum trace_verdict[]){TRACE_COUNTED, TRACE_COUNTED}, 2);
    cr_assert(trace.entries[1].contribution.cancel);
    cr_assert(trace.entries[1].stands);
    cr_assert_eq(trace.cell_count, 0);
}

Test(trace, rejected_record_has_its_findings)
{
    struct sample bad;
    sample_init(&bad, "ID1");
    bad.declaration.office_code = TEXT("NOWHERE");
    fixture_put(&f, 0, &bad);
    put(0, "ID1", 2, 100);
    put(0, "ID1", 2, 999); /* VER-502: other content, which only the reject list tells from a duplicate */
    settle();

    run("ID1");

    expect_verdicts((enum trace_verdict[]){TRACE_REJECTED, TRACE_COUNTED, TRACE_REJECTED}, 3);
    cr_assert_gt(trace.records[0].findings.count, 0);
    cr_assert_eq(trace.records[2].rule_number, 502);
    cr_assert_eq(trace.reject_count, 2);
    cr_assert_not(trace.rejects[0].is_void);
    cr_assert_str_eq(trace.rejects[1].read.message->findings[trace.rejects[1].read.message->n_findings - 1]->code,
                     "VER-502");
}

Test(trace, id_that_nobody_sent)
{
    put(0, "ID1", 1, 100);
    settle();

    run("ID9");

    cr_assert_eq(trace.record_count + trace.entry_count + trace.reject_count + trace.cell_count, 0);
}

Test(trace, input_that_is_gone_leaves_the_entries)
{
    put(0, "ID1", 1, 100);
    put(0, "ID2", 1, 100);
    settle();
    world_trim(f.world, PORT_DECLARATIONS, 0, 1);

    run("ID1");

    cr_assert_eq(trace.record_count, 0);
    cr_assert_eq(trace.entry_count, 1);
    cr_assert_not(trace.is_whole);
}

/* The groups that counted it are gone: a slice of a snapshot has its entry, its codes, the key of long ids and the list of rejects. */
Test(trace, what_was_trimmed_is_in_the_slices)
{
    f.options.snapshot_bytes = 1;
    put(0, long_id, 1, 100);
    struct sample bad;
    sample_init(&bad, "BAD");
    bad.declaration.schema_version = 9; /* STR-003 */
    fixture_put(&f, 0, &bad);
    for (int round = 0; round < 40 && world_first(f.world, PORT_JOURNAL, 0) == 0; round++) {
        char id[16];
        snprintf(id, sizeof id, "FILL%d", round);
        put(0, id, 1, 1);
        settle();
    }
    cr_assert_gt(world_first(f.world, PORT_JOURNAL, 0), 0, "it was trimmed");

    run(long_id);
    expect_verdicts((enum trace_verdict[]){TRACE_COUNTED}, 1);
    cr_assert_eq(trace.entry_count, 1);
    cr_assert(trace.entries[0].stands);
    cr_assert_gt(trace.cell_count, 0);
    trace_fini(&trace);
    process_kill(reader);

    run("BAD");
    expect_verdicts((enum trace_verdict[]){TRACE_REJECTED}, 1);
}

/* ---- views by hour ---- */

/* Of an item that is declared at 2025-07-15T02:00Z: its hour, its group's hour, and what is told when the hour is over. */
Test(trace, hours_of_a_declaration_and_a_tombstone_in_the_place_of_one)
{
    static const char *const keys[] = {"hours|HOUR|20250715T02Z|20250715T02Z|flow=M",
                                       "blocs|HOUR|20250715T02Z|20250715T02Z|partner_group=CENTRAL_ASIA|flow=M"};
    f.plan = (struct view_plan){0};
    cr_assert_eq(view_plan_add(&f.plan, TEXT("hours"), TEXT("flow@hour"), &info), OK, "%s", info.text);
    cr_assert_eq(view_plan_add(&f.plan, TEXT("blocs"), TEXT("partner_group,flow@hour"), &info), OK, "%s", info.text);
    cr_assert_eq(view_plan_groups(&f.plan, f.reference, &info), OK, "%s", info.text);
    view_plan_finish(&f.plan);
    f.options.zone = f.zone;
    put(0, "ID1", 1, 100);
    put(1, "ID2", 1, 11);
    settle();
    run("ID1");
    cr_assert_eq(trace.cell_count, 2);
    for (int i = 0; i < 2; i++) {
        const struct trace_cell *cell = cell_of(keys[i]);
        cr_assert_eq(cell->measures.value_minor, 100);
        cr_assert(cell->is_published && !cell->is_gone);
        Customs__V1__Statistic *m = customs__v1__statistic__unpack(NULL, cell->value.length, cell->value.data);
        cr_assert_eq(m->value_minor, 111);
        cr_assert_eq(m->hour_from_ms, 1752544800000);
        customs__v1__statistic__free_unpacked(m, NULL);
    }
    trace_fini(&trace);
    process_kill(reader);

    for (int32_t p = 0; p < PARTS; p++) {
        struct sample sample;
        struct buffer bytes = {0};
        char id[8];
        snprintf(id, sizeof id, "END%d", p);
        sample_init(&sample, id);
        sample.declaration.accepted_at_ms += 46LL * 86400000;
        sample_encode(&sample, &bytes);
        world_put(f.world, PORT_DECLARATIONS, p,
                  &(struct world_record){.key = {(const uint8_t *)sample.id, strlen(sample.id)},
                                         .value = buffer_bytes(&bytes),
                                         .timestamp_ms = sample.declaration.accepted_at_ms});
        buffer_fini(&bytes);
    }
    for (int i = 0; i < 4; i++) /* zeros, and when they were read back, tombstones */
        settle();
    run("ID1");
    for (int i = 0; i < 2; i++) {
        const struct trace_cell *cell = cell_of(keys[i]);
        cr_assert_eq(cell->measures.value_minor, 100, "it stands in the ledger as before");
        cr_assert(cell->is_gone, "%s", keys[i]);
        cr_assert_eq(cell->value.length, 0);
    }
}
