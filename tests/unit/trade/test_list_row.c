/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/list_row.h"

#include "unit/trade/list_fixture.h"

static const struct list list = {.file = "list.csv", .columns = {"first", "second"}};

/* What an error says is said by the CSV file that the row is of. */
static struct csv *csv;
static struct err_info info;

static void setup(void)
{
    cr_assert_eq(csv_open(DRYPORT_SOURCE "/deploy/reference/countries.csv", &csv, &info), OK, "%s", info.text);
}

static void teardown(void)
{
    csv_free(csv);
}

TestSuite(list_row, .init = setup, .fini = teardown);

static struct list_row row_of(const char *second)
{
    return (struct list_row){.csv = csv, .list = &list, .field = {TEXT(""), text_of(second)}, .info = &info};
}

static void expect_wrong(enum err err, const char *what)
{
    cr_expect_eq(err, ERR_DATA);
    cr_expect(strstr(info.text, "countries.csv:") && strstr(info.text, "\"second\""), "%s", info.text);
    cr_expect(strstr(info.text, what), "\"%s\" does not say \"%s\"", info.text, what);
}

Test(list_row, a_date_is_a_day_of_the_calendar_or_nothing)
{
    static const char *const wrong[] = {"20250703",    "2025-7-3",   "2025-02-29", "2025-13-01",
                                        "2025-07-03 ", "2025/07/03", "-"};
    uint32_t date = 0;
    struct list_row row = row_of("2024-02-29");
    cr_expect_eq(list_row_date(&row, 1, 7, &date), OK);
    cr_expect_eq(date, 20240229);
    row = row_of("");
    cr_expect_eq(list_row_date(&row, 1, 7, &date), OK);
    cr_expect_eq(date, 7);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        row = row_of(wrong[i]);
        expect_wrong(list_row_date(&row, 1, 7, &date), wrong[i]);
    }
}

Test(list_row, a_decimal_is_above_zero_and_has_at_most_fifteen_digits)
{
    static const char *const wrong[] = {"", "0", "0.000", ".", "-1", "1e3", "1.2.3", "1,5", "1234567890123456"};
    int64_t numerator = 0;
    int64_t denominator = 0;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        cr_expect_not(list_row_decimal(text_of(wrong[i]), &numerator, &denominator), "%s", wrong[i]);
    cr_expect(list_row_decimal(TEXT("0.45359237"), &numerator, &denominator));
    cr_expect(numerator == 45359237 && denominator == 100000000);
    cr_expect(list_row_decimal(TEXT("123456789012.345"), &numerator, &denominator));
    cr_expect(numerator == 123456789012345 && denominator == 1000);
}

Test(list_row, codes_of_letters_are_capital_and_have_their_length)
{
    uint32_t a = 0;
    uint32_t b = 0;
    struct list_row row = row_of("KZ");
    cr_expect_eq(list_row_letters2(&row, 1, &a), OK);
    expect_wrong(list_row_letters3(&row, 1, &b), "\"KZ\" is no code of three capital letters");
    row = row_of("CNY");
    cr_expect_eq(list_row_letters3(&row, 1, &b), OK);
    expect_wrong(list_row_letters2(&row, 1, &a), "\"CNY\" is no country code");
    row = row_of("kz");
    expect_wrong(list_row_letters2(&row, 1, &a), "two capital letters");
}

Test(list_row, a_key_has_one_to_eight_bytes)
{
    uint64_t key = 0;
    struct list_row row = row_of("12345678");
    cr_expect_eq(list_row_key(&row, 1, &key), OK);
    cr_expect_eq(key, codes_key(TEXT("12345678")));
    row = row_of("123456789");
    expect_wrong(list_row_key(&row, 1, &key), "1 to 8 bytes");
    row = row_of("");
    expect_wrong(list_row_key(&row, 1, &key), "1 to 8 bytes");
}

Test(list_row, a_key_that_stood_before_is_named)
{
    struct list_row row = row_of("5301");

    expect_wrong(list_row_twice(&row, 1), "\"5301\" is listed twice; remove one of the rows");
}
