/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/mapping.h"
#include "cmd/moment.h"

#include <criterion/criterion.h>

#include <stdio.h>

static int decimals(const void *self, struct text currency)
{
    (void)self;
    return text_is(currency, "KRW") ? 0 : text_is(currency, "CNY") ? 2 : -1;
}

static const struct mapping_currencies currencies = {decimals, NULL};

static struct err_info info;
static struct mapping *mapping;
static struct arena arena;
static struct declaration declaration;

static enum err parse(const char *text)
{
    return mapping_parse("m.map", text_of(text), currencies, &mapping, &info);
}

static enum err bind(const char *a, const char *b)
{
    struct text fields[] = {text_of(a), text_of(b)};
    struct csv_row header = {fields, 2, 1};
    return mapping_bind(mapping, &header, "f.csv", &info);
}

static enum err apply(const char *a, const char *b)
{
    static struct text fields[2];
    fields[0] = text_of(a);
    fields[1] = text_of(b);
    struct csv_row row = {fields, 2, 2};
    return mapping_apply(mapping, &row, &arena, &declaration, &info);
}

static void setup(void)
{
    arena_init(&arena, 1 << 20);
}

static void teardown(void)
{
    mapping_free(mapping);
    arena_fini(&arena);
}

TestSuite(mapping, .init = setup, .fini = teardown);

static void expect_map_error(const char *text, const char *wanted)
{
    cr_assert_eq(parse(text), ERR_CONFIG, "%s", text);
    cr_assert_str_eq(info.text, wanted);
}

/* One I64 item field from column a. */
static void expect_number(const char *op, const char *value, int64_t wanted)
{
    char text[128];
    snprintf(text, sizeof text, "items.0.net_mass_mg = $a | %s\n", op);
    cr_assert_eq(parse(text), OK, "%s", info.text);
    cr_assert_eq(bind("a", "b"), OK);
    cr_assert_eq(apply(value, ""), OK, "%s", info.text);
    cr_assert_eq(declaration.items.items[0].net_mass_mg, wanted, "%s %s: %lld", op, value,
                 (long long)declaration.items.items[0].net_mass_mg);
    mapping_free(mapping);
    mapping = NULL;
}

static void expect_row_error(const char *line, const char *value, const char *wanted)
{
    cr_assert_eq(parse(line), OK, "%s", info.text);
    cr_assert_eq(bind("a", "b"), OK);
    cr_assert_eq(apply(value, ""), ERR_DATA);
    cr_assert_str_eq(info.text, wanted);
    mapping_free(mapping);
    mapping = NULL;
}

Test(mapping, wrong_lines_are_named_with_the_nearest_name)
{
    expect_map_error("", "m.map:0: the map is empty");
    expect_map_error("# x\noffice_cod = 1\n", "m.map:2: unknown field \"office_cod\"; did you mean \"office_code\"?");
    expect_map_error("items.0.net_mas_mg = 1",
                     "m.map:1: unknown item field \"net_mas_mg\"; did you mean \"net_mass_mg\"?");
    expect_map_error("items.x.hs_code = 1",
                     "m.map:1: \"items.x.hs_code\": item fields are written items.N.field, N from 0 to 998");
    expect_map_error("items = 1", "m.map:1: \"items\": item fields are written items.N.field, N from 0 to 998");
    expect_map_error("version 1", "m.map:1: \"version 1\" is no line of a map; write field = source");
    expect_map_error("version = 1\nversion = 2", "m.map:2: field \"version\" is mapped in line 1 already");
    expect_map_error("version =",
                     "m.map:1: field \"version\" has no source; write a constant or $column, or delete the line");
    expect_map_error("version = $", "m.map:1: $ without a column name");
    expect_map_error("items.1.item_no = 1",
                     "m.map:1: items.0 has no field, but a later item has; number the items from 0 without a gap");
}

Test(mapping, wrong_ops_are_named)
{
    expect_map_error("version = $a | nmber(3)", "m.map:1: unknown op \"nmber\"; did you mean \"number\"?");
    expect_map_error("version = $a | number", "m.map:1: write number(SCALE)");
    expect_map_error("version = $a | kg(3)", "m.map:1: write kg");
    expect_map_error("version = $a | number(19)",
                     "m.map:1: number(19): the scale is the number of decimals kept, 0 to 18");
    expect_map_error("version = $a | number(2", "m.map:1: number(: the closing parenthesis is missing");
    expect_map_error("version = $a | kg x", "m.map:1: unknown op \"kg x\"");
    expect_map_error("version = $a | number(1) x", "m.map:1: \"x\" behind an op; ops are separated by |");
    expect_map_error("version = $a | kg | append(0)",
                     "m.map:1: append comes after an op that makes a number; put it before");
    expect_map_error("office_code = $a | kg", "m.map:1: kg makes a number, and office_code is none");
    expect_map_error("version = $a | money(XXY)",
                     "m.map:1: money(XXY): this currency is not in currencies.csv with its minor unit");
    expect_map_error("version = $a | table(1)", "m.map:1: table: \"1\" is no pair; write table(from:to,...)");
    expect_map_error("accepted_at_ms = $a | millis(Mars/Base)",
                     "m.map:1: zone \"Mars/Base\" is not in the system's zone data (package tzdata)");
}

Test(mapping, wrong_constants_are_errors_of_the_map)
{
    expect_map_error("version = one", "m.map:1: version: \"one\" is no whole number, which version needs");
    expect_map_error("version = -1", "m.map:1: version: -1 does not fit version (0 to 4294967295)");
    expect_map_error(
        "direction = IN",
        "m.map:1: direction: \"IN\" is no value of direction; use a short name of the schema, such as IMPORT");
    expect_map_error("items.0.mass_estimated = yes",
                     "m.map:1: items.0.mass_estimated: \"yes\" is neither true nor false");
    expect_map_error("buyer_hash = -5",
                     "m.map:1: buyer_hash: \"-5\" is no 64-bit number (decimal or 0x...), which buyer_hash needs");
}

Test(mapping, unknown_column_is_named)
{
    cr_assert_eq(parse("version = $vrsion"), OK);
    cr_assert_eq(bind("version", "b"), ERR_CONFIG);
    cr_assert_str_eq(info.text, "m.map:1: f.csv has no column \"vrsion\"; did you mean \"version\"?");
}

Test(mapping, wrong_values_name_column_and_field)
{
    expect_row_error("items.0.net_mass_mg = $a | kg", "1e3",
                     "column \"a\" (items.0.net_mass_mg): \"1e3\": scientific notation is not exact; write the number "
                     "with all its digits");
    expect_row_error(
        "items.0.net_mass_mg = $a | kg", "12,5",
        "column \"a\" (items.0.net_mass_mg): \"12,5\": not a decimal number (digits with at most one point)");
    expect_row_error(
        "items.0.net_mass_mg = $a | kg", "9223372036854.8",
        "column \"a\" (items.0.net_mass_mg): \"9223372036854.8\": too large for a 64-bit integer of this unit");
    expect_row_error("version = $a", "4294967296",
                     "column \"a\" (version): 4294967296 does not fit version (0 to 4294967295)");
    expect_row_error("border_transport_mode = $a | table(10:1)", "20",
                     "column \"a\" (border_transport_mode): \"20\" is not in the map's table");
    expect_row_error(
        "reference_date = $a | date", "2025-02-29",
        "column \"a\" (reference_date): \"2025-02-29\" is no date; write YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS");
    expect_row_error(
        "accepted_at_ms = $a | millis(Asia/Seoul)", "2025-01-01T25:00",
        "column \"a\" (accepted_at_ms): \"2025-01-01T25:00\" is no date; write YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS");
}

Test(mapping, decimals_are_exact_and_round_half_away_from_zero)
{
    expect_number("kg", "20.7", 20700000);
    expect_number("kg", "0.0000005", 1);
    expect_number("kg", "0.00000049999", 0);
    expect_number("kg", "-0.0000005", -1);
    expect_number("g", "1.0005", 1001);
    expect_number("money(KRW)", "5353.02", 5353);
    expect_number("money(KRW)", "0.5", 1);
    expect_number("money(CNY)", "1.005", 101);
    expect_number("number(18)", "9.223372036854775807", INT64_MAX);
    expect_number("number(0)", "-9223372036854775808", INT64_MIN);
    expect_number("number(3)", "+.5", 500);
    expect_number("number(3)", "3.", 3000);
    expect_number("number(2)", "000000000000000000000000000001.25", 125);
}

Test(mapping, texts_pass_tables_prefix_and_append)
{
    cr_assert_eq(parse("office_code = $a | prefix(00) | append(|x)\nborder_office_code = $a | table(7:seven, 8:eight)\n"
                       "zone_code = $$a\ncontainer_ids = $b\nitems.0.mass_estimated = true\nvehicle_hash = 0xff\n"),
                 OK, "%s", info.text);
    cr_assert_eq(bind("a", "b"), OK);
    cr_assert_eq(apply(" 8 ", "CONT1"), OK, "%s", info.text);
    cr_assert(text_is(declaration.office_code, "008|x"));
    cr_assert(text_is(declaration.border_office_code, "eight"));
    cr_assert(text_is(declaration.zone_code, "$a"));
    cr_assert_eq(declaration.container_ids.count, 1);
    cr_assert(text_is(declaration.container_ids.texts[0], "CONT1"));
    cr_assert(declaration.items.items[0].mass_estimated);
    cr_assert_eq(declaration.vehicle_hash, 255);
}

Test(mapping, empty_column_leaves_the_field_absent)
{
    cr_assert_eq(parse("office_code = $a | prefix(00)\naccepted_at_ms = $b | millis(Asia/Seoul)\nborder_transport_mode "
                       "= $a | table(1:2)"),
                 OK);
    cr_assert_eq(bind("a", "b"), OK);
    cr_assert_eq(apply("", "  "), OK, "%s", info.text);
    cr_assert_eq(declaration.office_code.length, 0);
    cr_assert_eq(declaration.accepted_at_ms, 0);
    cr_assert_eq(declaration.border_transport_mode, 0);
}

Test(mapping, dates_and_local_times)
{
    cr_assert_eq(parse("reference_date = $a | date\naccepted_at_ms = $a | millis(Asia/Seoul)\n"), OK, "%s", info.text);
    cr_assert_eq(bind("a", "b"), OK);
    cr_assert_eq(apply("2020-01-01", ""), OK);
    cr_assert_eq(declaration.reference_date, 20200101);
    cr_assert_eq(declaration.accepted_at_ms, 1577804400000);
    cr_assert_eq(apply("2020-01-01T08:30:15.25", ""), OK);
    cr_assert_eq(declaration.accepted_at_ms, 1577804400000 + 30615250);
    cr_assert_eq(apply("2020-01-01 08:30Z", ""), OK);
    cr_assert_eq(declaration.accepted_at_ms, 1577867400000);
    cr_assert_eq(apply("2020-01-01T08:30:00+09:00", ""), OK);
    cr_assert_eq(declaration.accepted_at_ms, 1577835000000);
}

Test(mapping, second_zone_is_refused)
{
    expect_map_error("accepted_at_ms = $a | millis(Asia/Seoul)\nsubmitted_at_ms = $a | millis(Asia/Almaty)",
                     "m.map:2: zone Asia/Almaty after Asia/Seoul: one run can use only one zone; load in two runs");
}

Test(mapping, item_count_is_derived_unless_it_is_mapped)
{
    cr_assert_eq(parse("items.0.item_no = 1\nitems.1.item_no = 2\n"), OK);
    cr_assert_eq(bind("a", "b"), OK);
    cr_assert_eq(apply("", ""), OK);
    cr_assert_eq(declaration.item_count, 2);
    cr_assert_eq(declaration.items.count, 2);
    cr_assert_eq(declaration.items.items[1].item_no, 2);
    mapping_free(mapping);
    cr_assert_eq(parse("items.0.item_no = 1\nitem_count = 5\n"), OK);
    cr_assert_eq(bind("a", "b"), OK);
    cr_assert_eq(apply("", ""), OK);
    cr_assert_eq(declaration.item_count, 5);
}
