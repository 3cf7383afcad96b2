/* SPDX-License-Identifier: Apache-2.0 */
#include "desk_fixture.h"
#include "trade/calendar.h"

#include "customs/v1/reject.pb-c.h"

static struct desk desk;

static void setup(void)
{
    desk_init(&desk);
}

static void teardown(void)
{
    desk_fini(&desk);
}

TestSuite(settle, .init = setup, .fini = teardown);

static void put_bytes(const char *key, const void *bytes, size_t length)
{
    struct err_info info;
    fixture_put_bytes(&desk.f, 0, key, (struct bytes){bytes, length}, false);
    cr_assert_eq(desk_settle(&desk, &info), OK);
}

/* The reject of that index in the open group. */
static Customs__V1__Reject *reject_at(size_t index)
{
    const struct group *group = desk.partition.open.group;
    cr_assert_lt(index, group->reject_count);
    const struct group_reject *reject = &group->rejects[index];
    Customs__V1__Reject *message = customs__v1__reject__unpack(
        NULL, reject->value_bytes, group->reject_bytes.data + reject->key_at + reject->key_bytes);
    cr_assert(message);
    return message;
}

Test(settle, a_full_dictionary_is_an_error_that_names_the_mend)
{
    struct dictionary *dictionary = &desk.partition.state.dictionary;
    for (uint64_t code = 1; dictionary->count < DICTIONARY_MOST; code++)
        dictionary_number_of_code(dictionary, code << 20);
    struct sample sample;
    sample_init(&sample, "A");
    fixture_put(&desk.f, 0, &sample);
    struct err_info info;

    cr_assert_eq(desk_settle(&desk, &info), ERR_LIMIT);

    cr_assert(strstr(info.text, "offices.csv"), "%s", info.text);
    cr_assert_eq(ledger_count(desk.partition.state.ledger), 0);
}

Test(settle, each_verdict_is_counted_once_in_the_group_and_in_the_state)
{
    struct sample sample;
    sample_init(&sample, "A");
    desk_put(&desk, &sample);
    desk_put(&desk, &sample); /* duplicate */
    sample.items[0].statistical_value_minor++;
    desk_put(&desk, &sample); /* conflict: rejected */
    sample_replace(&sample, 3);
    desk_put(&desk, &sample);
    sample_replace(&sample, 2);
    desk_put(&desk, &sample); /* stale */
    put_bytes("X", "\x0A\xFF", 2);
    sample_cancel(&sample, 3);
    desk_put(&desk, &sample);

    const int64_t expected[VERDICTS] = {
        [VERDICT_COUNTED] = 3, [VERDICT_DUPLICATE] = 1, [VERDICT_STALE] = 1, [VERDICT_REJECTED] = 2};
    for (int i = 0; i < VERDICTS; i++) {
        cr_assert_eq(desk_counts(&desk)->verdicts[i], expected[i], "%s", verdict_name((enum verdict)i));
        cr_assert_eq(desk.partition.state.verdicts[i], expected[i], "%s", verdict_name((enum verdict)i));
    }
    cr_assert_eq(desk.partition.open.declarations, 7);
    cr_assert_eq(ledger_count(desk.partition.state.ledger), 1);
    cr_assert_eq(tally_control(desk.partition.state.tally).items, 0, "what was cancelled is gone");
}

Test(settle, a_rule_counts_once_a_declaration_however_many_items_it_names)
{
    struct sample sample;
    sample_init(&sample, "A");
    for (int i = 0; i < 3; i++)
        sample_add_item(&sample, "1", 5);
    desk_put(&desk, &sample);

    uint64_t findings = 0;
    Customs__V1__Reject *message = reject_at(0);
    const char *code = message->findings[message->n_findings - 1]->code; /* HSC-601 of three items */
    for (size_t i = 0; i < message->n_findings; i++)
        findings += strcmp(message->findings[i]->code, code) == 0;
    uint16_t number = settle_rule_number(rule_by_code(text_of(code)));
    cr_assert_gt(findings, 1, "the case needs a rule that names several items");
    cr_assert_eq(desk_counts(&desk)->rejects[number], 1);
    customs__v1__reject__free_unpacked(message, NULL);
}

Test(settle, findings_stand_in_the_order_of_the_rules)
{
    struct sample sample;
    sample_init(&sample, "A");
    sample.declaration.office_code = TEXT("");
    sample.declaration.schema_version = 9;
    sample.items[0].hs_code = TEXT("1");
    sample.items[0].net_mass_mg = -1;
    desk_put(&desk, &sample);

    Customs__V1__Reject *message = reject_at(0);
    cr_assert_geq(message->n_findings, 3);
    enum rule last = (enum rule)0;
    for (size_t i = 0; i < message->n_findings; i++) {
        enum rule rule = rule_by_code(text_of(message->findings[i]->code));
        cr_assert_geq(rule, last, "%s", message->findings[i]->code);
        last = rule;
    }
    cr_assert_eq(desk.partition.open.places[0].rule_number, 3, "the first reject is the one that the journal lists");
    customs__v1__reject__free_unpacked(message, NULL);
}

/* As many warnings as are kept, then a conflict: the reject must say why all the same. */
Test(settle, VER_502_the_reason_of_a_reject_is_kept_behind_any_number_of_warnings)
{
    struct sample sample;
    sample_init(&sample, "A");
    desk_put(&desk, &sample);
    sample.items[0].statistical_value_minor++;
    fixture_put(&desk.f, 0, &sample);
    struct batch *batch = desk.context.batch;
    struct port_record record = desk_record(&desk, 1);
    size_t next = 0;
    struct err_info info;
    batch_fill(batch, &record, 1, &next);
    batch_decode(batch);
    batch_judge(batch);
    while (batch->findings[0].count < FINDINGS_MOST)
        rules_add(desk.f.rules, &batch->findings[0], RULE_VER_513, (int32_t)batch->findings[0].count, "items");

    cr_assert_eq(settle_batch(&desk.partition, batch, &info), OK);

    cr_assert_eq(desk.partition.open.place_count, 1);
    cr_assert_eq(desk.partition.open.places[0].rule_number, 502);
    cr_assert_eq(desk_counts(&desk)->rejects[502], 1);
    Customs__V1__Reject *message = reject_at(0);
    cr_assert_eq(message->n_findings, FINDINGS_MOST);
    customs__v1__reject__free_unpacked(message, NULL);
}

Test(settle, the_numbers_of_rules_are_those_in_their_codes_and_are_unique)
{
    bool seen[RULE_NUMBERS] = {false};
    for (int rule = 0; rule < RULE_COUNT; rule++) {
        uint16_t number = settle_rule_number((enum rule)rule);
        cr_assert_lt(number, RULE_NUMBERS);
        cr_assert(!seen[number], "%s", rule_rows[rule].code);
        seen[number] = true;
    }
    cr_assert_eq(settle_rule_number(RULE_STR_004), 4);
    cr_assert_eq(settle_rule_number(RULE_VER_502), 502);
}

Test(settle, a_reject_of_a_batch_has_its_index_and_its_own_payload)
{
    struct buffer value = {0};
    struct sample sample;
    sample_init(&sample, "A");
    desk_add_element(&value, &sample);
    buffer_add(&value, "\x0A\x03\x0A\x7F\x7F", 5);
    desk.context.rejects_payload = true;
    desk.context.batch->options.key_check = BATCH_KEY_OFF;
    put_bytes("K", value.data, value.length);

    Customs__V1__Reject *message = reject_at(0);
    cr_assert_eq(message->index, 1);
    cr_assert_eq(message->payload.len, 3);
    cr_assert_str_empty(message->declaration_id);
    const struct group *group = desk.partition.open.group;
    cr_assert_arr_eq(group->reject_bytes.data + group->rejects[0].key_at, "t/0/0/1", group->rejects[0].key_bytes);
    cr_assert_eq(desk.partition.open.places[0].index, 1);
    customs__v1__reject__free_unpacked(message, NULL);
    buffer_fini(&value);
}

Test(settle, a_payload_is_kept_only_where_the_site_wants_it)
{
    struct sample sample;
    sample_init(&sample, "A");
    sample.declaration.office_code = TEXT("NOWHERE");
    desk_put(&desk, &sample);
    desk.context.rejects_payload = true;
    desk_put(&desk, &sample);

    Customs__V1__Reject *without = reject_at(0);
    Customs__V1__Reject *with = reject_at(1);
    cr_assert_eq(without->payload.len, 0);
    cr_assert_gt(with->payload.len, 0);
    customs__v1__reject__free_unpacked(without, NULL);
    customs__v1__reject__free_unpacked(with, NULL);
}

Test(settle, unknown_fields_count_in_items_declarations_and_beside_them_in_a_batch)
{
    struct buffer value = {0};
    struct buffer declaration = {0};
    struct sample sample;
    sample_init(&sample, "A");
    sample_encode(&sample, &declaration);
    buffer_add(&declaration, "\xF8\x06\x01", 3); /* field 111 */
    buffer_add_u8(&value, 0x0A);
    buffer_add_varint(&value, declaration.length);
    buffer_add(&value, declaration.data, declaration.length);
    buffer_add(&value, "\x78\x01\x78\x02", 4); /* field 15 of the batch, twice */
    desk.context.batch->options.key_check = BATCH_KEY_OFF;

    put_bytes("K", value.data, value.length);

    cr_assert_eq(desk_counts(&desk)->verdicts[VERDICT_COUNTED], 1);
    cr_assert_eq(desk_counts(&desk)->unknown_fields, 3);
    cr_assert_eq(desk_counts(&desk)->warnings[19], 1);
    buffer_fini(&value);
    buffer_fini(&declaration);
}

Test(settle, items_are_those_of_counted_versions)
{
    struct sample sample;
    sample_init(&sample, "A");
    sample_add_item(&sample, "847130", 5)->supp_unit = TEXT("H87");
    sample.items[1].supp_quantity_micro = 1000000;
    desk_put(&desk, &sample);
    desk_put(&desk, &sample);

    cr_assert_eq(desk_counts(&desk)->verdicts[VERDICT_COUNTED], 1);
    cr_assert_eq(desk_counts(&desk)->items, 2);
}

Test(settle, event_time_is_bounded_by_the_time_of_the_record_and_moves_by_accepted_ones_only)
{
    struct sample sample;
    sample_init(&sample, "A");
    sample.declaration.office_code = TEXT("NOWHERE");
    desk_put(&desk, &sample);
    cr_assert_eq(desk.partition.state.event_ms_most, INT64_MIN, "a rejected one moves nothing");

    sample_init(&sample, "B");
    desk_put(&desk, &sample);
    cr_assert_eq(desk.partition.state.event_ms_most, sample.declaration.accepted_at_ms);
    cr_assert_lt(desk.partition.state.event_ms_most, START_NOW_MS);

    struct buffer value = {0};
    sample_init(&sample, "C");
    sample.declaration.accepted_at_ms += 2000;
    sample_encode(&sample, &value);
    struct world_record early = {
        {(const uint8_t *)"C", 1}, buffer_bytes(&value), false, sample.declaration.accepted_at_ms - 1000, 0, PORT_NONE};
    world_put(desk.f.world, PORT_DECLARATIONS, 0, &early);
    struct err_info info;
    cr_assert_eq(desk_settle(&desk, &info), OK);
    cr_assert_eq(desk_counts(&desk)->verdicts[VERDICT_COUNTED], 2);
    cr_assert_eq(desk.partition.state.event_ms_most, early.timestamp_ms);
    buffer_fini(&value);
}

/* ---- STA: what counts, and in which flow ---- */

static struct sample sample;

static struct tally_control control(void)
{
    return tally_control(desk.partition.state.tally);
}

static void expect_verdicts(int64_t counted, int64_t not_counted)
{
    cr_expect_eq(desk_counts(&desk)->verdicts[VERDICT_COUNTED], counted);
    cr_expect_eq(desk_counts(&desk)->verdicts[VERDICT_NOT_COUNTED], not_counted);
}

Test(settle, STA_801_an_item_outside_the_statistics_leaves_the_rest_counted)
{
    sample_init(&sample, "A");
    sample_add_item(&sample, "720851", 7)->procedure = TEXT("53");
    sample_add_item(&sample, "720851", 30);

    desk_put(&desk, &sample);

    expect_verdicts(1, 0);
    cr_expect_eq(control().items, 2);
    cr_expect(control().value_minor == 100030);
    cr_expect_eq(desk_counts(&desk)->items, 2);
    cr_expect_eq(desk_counts(&desk)->warnings[801], 1);
    cr_expect_eq(desk.context.fresh.items[1].value_minor, 30);
}

Test(settle, STA_808_not_counted_has_an_entry_and_adds_nothing)
{
    sample_init(&sample, "A");
    sample.declaration.status = STATUS_REFUSED;

    desk_put(&desk, &sample);
    desk_put(&desk, &sample);

    expect_verdicts(0, 1);
    cr_expect_eq(desk_counts(&desk)->verdicts[VERDICT_DUPLICATE], 1, "it is known");
    cr_expect_eq(ledger_count(desk.partition.state.ledger), 1);
    cr_expect_eq(control().items, 0);
    cr_expect_eq(desk.partition.open.place_count, 0, "it is no reject");
    cr_expect_eq(desk_counts(&desk)->rejects[808], 0);
    cr_expect_eq(desk.partition.state.event_ms_most, sample.declaration.accepted_at_ms, "it was accepted");
}

Test(settle, STA_808_versions_go_out_of_the_statistics_and_come_back)
{
    sample_init(&sample, "A");
    desk_put(&desk, &sample);
    cr_expect_eq(control().items, 1);

    sample_replace(&sample, 2);
    sample.declaration.status = STATUS_REFUSED;
    desk_put(&desk, &sample);
    cr_expect_eq(control().items, 0, "what was counted is retracted");
    cr_expect(control().value_minor == 0);

    sample_replace(&sample, 3);
    sample.declaration.status = STATUS_RELEASED;
    desk_put(&desk, &sample);
    cr_expect_eq(control().items, 1);
    expect_verdicts(2, 1);
    cr_expect_eq(desk_counts(&desk)->warnings[513], 0, "nothing is no amount to compare with");
    cr_expect_eq(ledger_count(desk.partition.state.ledger), 1);
}

Test(settle, STA_808_a_cancel_of_what_was_not_counted_is_counted_and_a_higher_version_reopens_it)
{
    sample_init(&sample, "A");
    sample.declaration.status = STATUS_REFUSED;
    desk_put(&desk, &sample);
    struct sample cancel;
    sample_init(&cancel, "A");
    sample_cancel(&cancel, 2);
    desk_put(&desk, &cancel);
    expect_verdicts(1, 1);
    cr_expect_eq(control().items, 0);

    sample_replace(&sample, 3);
    desk_put(&desk, &sample);
    expect_verdicts(1, 2);
    cr_expect_eq(desk_counts(&desk)->warnings[506], 1, "not counted again, and reopened all the same");

    sample_replace(&sample, 4);
    sample.declaration.status = STATUS_ACCEPTED;
    desk_put(&desk, &sample);
    expect_verdicts(2, 2);
    cr_expect_eq(control().items, 1);
}

Test(settle, STA_806_807_returned_goods_have_flows_of_their_own)
{
    sample_init(&sample, "A");
    sample_add_item(&sample, "720851", 7)->origin_country = TEXT("CN");
    sample_add_item(&sample, "720851", 8)->procedure = TEXT("61");
    desk_put(&desk, &sample);
    static const uint8_t imports[] = {FLOW_M, FLOW_RM, FLOW_RM};
    for (uint32_t i = 0; i < 3; i++)
        cr_expect_eq(desk.context.fresh.items[i].flow, imports[i], "item %u", i);

    sample_init(&sample, "B");
    sample.declaration.direction = DIRECTION_EXPORT;
    sample.items[0].procedure = TEXT("31");
    sample.items[0].destination_country = TEXT("DE");
    desk_put(&desk, &sample);
    cr_expect_eq(desk.context.fresh.items[0].flow, FLOW_RX);
    expect_verdicts(2, 0);
    cr_expect_eq(desk_counts(&desk)->warnings[806], 1, "once a declaration");
    cr_expect_eq(desk_counts(&desk)->warnings[807], 1);
}

/* From now on; the caller frees them. */
static struct rules *judge_by(const struct rules_options *options)
{
    struct rules *rules;
    struct err_info info;
    cr_assert_eq(rules_new(options, desk.f.reference, &rules, &info), OK, "%s", info.text);
    desk.f.ruleset.rules = rules;
    batch_judge_by(desk.context.batch, rules);
    return rules;
}

Test(settle, STA_805_another_trade_system_judges_what_comes_from_then_on)
{
    struct rules_options special = rules_default_options(desk.f.zone);
    special.special_trade = true;
    struct rules *rules = judge_by(&special);
    sample_init(&sample, "A");
    sample.items[0].procedure = TEXT("71");
    desk_put(&desk, &sample);
    expect_verdicts(0, 1);

    struct rules_options general = rules_default_options(desk.f.zone);
    struct rules *others = judge_by(&general);
    desk_put(&desk, &sample);
    cr_expect_eq(control().items, 0, "a redelivery is no new version");
    sample_replace(&sample, 2);
    desk_put(&desk, &sample);
    expect_verdicts(1, 1);
    cr_expect_eq(control().items, 1);

    struct rules *again = judge_by(&special);
    sample_replace(&sample, 3);
    desk_put(&desk, &sample);
    expect_verdicts(1, 2);
    cr_expect_eq(control().items, 0, "taken back as it was counted");
    rules_free(rules);
    rules_free(others);
    rules_free(again);
}

Test(settle, STA_findings_stand_in_no_reject)
{
    sample_init(&sample, "A");
    sample.items[0].origin_country = TEXT("CN");
    desk_put(&desk, &sample);
    sample.items[0].statistical_value_minor++;
    desk_put(&desk, &sample);

    Customs__V1__Reject *message = reject_at(0);
    cr_assert_eq(message->n_findings, 1);
    cr_expect_str_eq(message->findings[0]->code, "VER-502");
    customs__v1__reject__free_unpacked(message, NULL);
}

Test(settle, what_is_recorded_after_its_month_closed_is_late_in_ledger_and_cells)
{
    sample_init(&sample, "IN-TIME"); /* of July, which is not over at the record's timestamp */
    desk_put(&desk, &sample);
    cr_expect_not(desk.context.fresh.late);

    sample_init(&sample, "LATE"); /* June closed on 6 July */
    sample.declaration.reference_date = 20250610;
    desk_put(&desk, &sample);

    cr_expect(desk.context.fresh.late);
    cr_expect_eq(desk.partition.state.verdicts[VERDICT_COUNTED], 2);
    cr_expect_eq(desk.partition.open.group->counts.warnings[411], 1);
}

/* ---- TIM-407 ---- */

/* Two versions, the second submitted so many minutes after the first. */
static void submit_twice(int64_t minutes_later)
{
    sample_init(&sample, "A");
    desk_put(&desk, &sample);
    sample_replace(&sample, 2);
    sample.declaration.submitted_at_ms += minutes_later * 60000;
    desk_put(&desk, &sample);
}

Test(settle, TIM_407_a_version_submitted_before_the_one_it_replaces_is_warned_of)
{
    submit_twice(-1);

    cr_expect_eq(desk_counts(&desk)->warnings[407], 1);
    expect_verdicts(2, 0);
    cr_expect(!desk.context.fresh.warned, "TIM warns of no items");
}

Test(settle, TIM_407_a_version_submitted_later_or_at_an_unknown_time_is_not)
{
    submit_twice(0);
    sample_replace(&sample, 3);
    sample.declaration.submitted_at_ms += 1;
    desk_put(&desk, &sample);
    sample_cancel(&sample, 4);
    desk_put(&desk, &sample);

    cr_expect_eq(desk_counts(&desk)->warnings[407], 0);
}

/* ---- late.policy ---- */

enum { FINAL_MONTHS = 18 };

static struct rules *late_out_rules;

/* The month of the samples is July 2025. */
static int64_t final_ms(uint32_t date)
{
    return zone_month_final_ms(desk.f.zone, calendar_day(date), FINAL_MONTHS);
}

static void late_out_setup(void)
{
    setup();
    struct rules_options options = rules_default_options(desk.f.zone);
    options.late_out = true;
    options.final_months = FINAL_MONTHS;
    options.severity[RULE_TIM_411] = SEVERITY_OFF;
    late_out_rules = judge_by(&options);
    sample_init(&sample, "A");
}

static void late_out_teardown(void)
{
    rules_free(late_out_rules);
    teardown();
}

TestSuite(late_out, .init = late_out_setup, .fini = late_out_teardown);

static void put_at(int64_t timestamp_ms)
{
    struct buffer value = {0};
    struct err_info info;
    sample_encode(&sample, &value);
    struct world_record record = {{(const uint8_t *)"A", 1}, buffer_bytes(&value), false, timestamp_ms, 0, PORT_NONE};
    world_put(desk.f.world, PORT_DECLARATIONS, 0, &record);
    cr_assert_eq(desk_settle(&desk, &info), OK, "%s", info.text);
    buffer_fini(&value);
}

static void expect_late_out(int64_t late_out, int64_t counted)
{
    cr_expect_eq(desk_counts(&desk)->verdicts[VERDICT_LATE_OUT], late_out);
    cr_expect_eq(desk_counts(&desk)->verdicts[VERDICT_COUNTED], counted);
    cr_expect_eq(desk.partition.open.place_count, (size_t)late_out);
    cr_expect_eq(desk.partition.open.group->reject_count, (size_t)late_out);
}

Test(late_out, a_final_month_takes_nothing_more)
{
    put_at(final_ms(20250715));

    expect_late_out(1, 0);
    cr_expect_eq(ledger_count(desk.partition.state.ledger), 0);
    cr_expect_eq(control().items, 0);
    cr_expect_eq(desk.partition.state.event_ms_most, INT64_MIN, "it moves no watermark");
    cr_expect_eq(desk.partition.open.places[0].rule_number, 411);
    cr_expect_eq(desk_counts(&desk)->rejects[411], 0);
    Customs__V1__Reject *message = reject_at(0);
    const Customs__V1__Finding *last = message->findings[message->n_findings - 1];
    cr_expect_str_eq(last->code, "TIM-411", "it tells, though the rule is off");
    cr_expect_str_eq(last->severity, "warn");
    customs__v1__reject__free_unpacked(message, NULL);
}

Test(late_out, a_month_that_is_not_final_is_revised)
{
    put_at(final_ms(20250715) - 1);

    expect_late_out(0, 1);
    cr_expect(desk.context.fresh.late);
}

Test(late_out, what_stands_in_a_final_month_is_neither_replaced_nor_cancelled_nor_taken_elsewhere)
{
    put_at(START_NOW_MS);
    sample_replace(&sample, 2);
    put_at(final_ms(20250715));
    sample.declaration.reference_date = 20250801; /* of which month the figures are not final */
    sample.declaration.version = 3;
    put_at(final_ms(20250715));
    sample_cancel(&sample, 4);
    put_at(final_ms(20250715));

    expect_late_out(3, 1);
    cr_expect_eq(control().items, 1);
}

Test(late_out, a_version_that_changes_no_final_month_is_accepted)
{
    sample_cancel(&sample, 1);
    put_at(final_ms(20250715));
    expect_late_out(0, 1);

    sample_init(&sample, "A");
    sample_replace(&sample, 2);
    sample.declaration.status = STATUS_REFUSED;
    put_at(final_ms(20250715));
    expect_late_out(0, 1);
    cr_expect_eq(desk_counts(&desk)->verdicts[VERDICT_NOT_COUNTED], 1);

    sample.declaration.version = 3;
    sample.declaration.status = STATUS_RELEASED;
    sample.declaration.reference_date = 20250801;
    put_at(final_ms(20250715));
    expect_late_out(0, 2);
    cr_expect_eq(control().items, 1, "the empty version of July took nothing back");
}

Test(late_out, what_was_left_out_is_no_version_that_others_are_measured_by)
{
    put_at(final_ms(20250715));
    put_at(final_ms(20250715));
    expect_late_out(2, 0);

    sample.declaration.reference_date = 20250801;
    put_at(final_ms(20250715));
    expect_late_out(2, 1);
}

Test(late_out, known_versions_are_duplicates_and_stale_ones_are_stale)
{
    sample_replace(&sample, 2);
    put_at(START_NOW_MS);
    put_at(final_ms(20250715));
    sample.declaration.version = 1;
    put_at(final_ms(20250715));

    expect_late_out(0, 1);
    cr_expect_eq(desk_counts(&desk)->verdicts[VERDICT_DUPLICATE], 1);
    cr_expect_eq(desk_counts(&desk)->verdicts[VERDICT_STALE], 1);
}
