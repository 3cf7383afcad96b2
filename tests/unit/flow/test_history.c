/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/history.h"

#include "publisher_fixture.h"

TestSuite(history, .init = setup, .fini = teardown);

#define KZ_2024 "partner|MONTH|20240701|20240731|partner=KZ|flow=M"

static uint32_t no_number(void *context, struct text code)
{
    (void)context;
    return code.length;
}

static bool is_cell(const char *key)
{
    struct table_key cell;
    return history_cell(&plan, text_of(key), no_number, NULL, &cell);
}

static Customs__V1__Statistic statistic(int64_t value, uint64_t items)
{
    Customs__V1__Statistic m = CUSTOMS__V1__STATISTIC__INIT;
    m.reporter = (char *)(uintptr_t) "CN";
    m.currency = (char *)(uintptr_t) "CNY";
    m.value_minor = value;
    m.net_mass_g = 5;
    m.items = items;
    return m;
}

static void put_message(const char *key, const Customs__V1__Statistic *m)
{
    char name[256];
    uint8_t bytes[256];
    size_t length = m ? customs__v1__statistic__pack(m, bytes) : 0;
    snprintf(name, sizeof name, "#history|%s", key);
    world_put(world, PORT_STATISTICS, partition_of_key(name),
              &(struct world_record){
                  .key = {(const uint8_t *)name, strlen(name)}, .value = {m ? bytes : NULL, length}, .is_null = !m});
}

static void load(const char *key, int64_t value, uint64_t items)
{
    Customs__V1__Statistic m = statistic(value, items);
    put_message(key, &m);
}

static const struct shown *held(const char *key)
{
    consume();
    return shown_at(live, &live_count, key);
}

Test(history, a_loaded_cell_is_published_under_its_own_key_and_is_final)
{
    load(KZ_2024, 700, 3);
    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));

    cr_assert_eq(held(KZ_2024)->value, 700);
    cr_assert_eq(held(KZ_2024)->items, 3);
    cr_assert_eq(held(KZ_2024)->state, CUSTOMS__V1__STATE__STATE_FINAL);
    cr_assert_eq(read_counter(&counters()->history_cells), 1);
}

Test(history, what_is_loaded_while_it_runs_is_published_too)
{
    start(&rigs[0], true);
    count_and_seal("KZ", 100);
    cr_assert(settle(&rigs[0]));
    load(KZ_2024, 700, 3);
    run(&rigs[0], 50);

    cr_assert_eq(held(KZ_2024)->value, 700);
    expect_value("KZ", 100);
}

Test(history, loaded_twice_it_counts_once_and_writes_nothing_again)
{
    load(KZ_2024, 700, 3);
    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));
    load(KZ_2024, 700, 3);
    run(&rigs[0], 50);

    cr_assert_eq(held(KZ_2024)->value, 700);
    cr_assert_eq(held(KZ_2024)->records, 1);
}

Test(history, the_last_one_loaded_counts)
{
    load(KZ_2024, 700, 3);
    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));
    load(KZ_2024, 650, 2);
    run(&rigs[0], 50);

    cr_assert_eq(held(KZ_2024)->value, 650);
    cr_assert_eq(held(KZ_2024)->items, 2);
}

Test(history, an_empty_record_takes_it_back)
{
    load(KZ_2024, 700, 3);
    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));
    put_message(KZ_2024, NULL);
    run(&rigs[0], 50);

    cr_assert_eq(held(KZ_2024)->items, 0);
    cr_assert_eq(read_counter(&counters()->history_cells), 0);
}

Test(history, the_next_publisher_finds_it_and_has_nothing_to_write)
{
    load(KZ_2024, 700, 3);
    count_and_seal("KZ", 100);
    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));
    uint64_t before = held(KZ_2024)->as_of;
    stop(&rigs[0]);
    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));

    cr_assert_eq(held(KZ_2024)->as_of, before);
    cr_assert_eq(held(KZ_2024)->value, 700);
    expect_value("KZ", 100);
}

Test(history, a_late_declaration_adds_to_it)
{
    load(KZ_2024, 700, 3);
    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));
    count_on(0, 20240703, "KZ", 50, 1, true);
    seal(0);
    cr_assert(settle(&rigs[0]));

    cr_assert_eq(held(KZ_2024)->value, 750);
    cr_assert_eq(held(KZ_2024)->items, 4);
    cr_assert_eq(held(KZ_2024)->late_items, 1);
}

Test(history, days_add_up_to_their_month_and_to_no_other_view)
{
    load("flow|DAY|20240703|20240703|flow=M", 10, 1);
    load("flow|DAY|20240704|20240704|flow=M", 20, 1);
    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));

    cr_assert_eq(held("flow|DAY|20240703|20240703|flow=M")->value, 10);
    cr_assert_eq(held("flow|MONTH|20240701|20240731|flow=M")->value, 30);
    cr_assert_eq(held("flow|MONTH|20240701|20240731|flow=M")->state, CUSTOMS__V1__STATE__STATE_FINAL);
    cr_assert_eq(record_count, 3);
}

Test(history, it_is_the_year_before_of_what_is_counted)
{
    start(&rigs[0], true);
    count_and_seal("KZ", 100);
    cr_assert(settle(&rigs[0]));
    cr_assert_eq(held(month_of("KZ"))->base_value, 0);
    load(KZ_2024, 700, 3);
    run(&rigs[0], 50);

    cr_assert_eq(held(month_of("KZ"))->base_value, 700);
}

Test(history, what_does_not_fit_is_refused_and_changes_nothing)
{
    Customs__V1__Statistic other = statistic(1, 1);
    other.currency = (char *)(uintptr_t) "USD";
    put_message(KZ_2024, &other);
    other = statistic(1, 1);
    other.reporter = (char *)(uintptr_t) "KZ";
    put_message(KZ_2024, &other);
    load("nosuch|MONTH|20240701|20240731|partner=KZ|flow=M", 1, 1);
    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));
    consume();

    cr_assert_eq(record_count, 0);
    cr_assert_eq(read_counter(&counters()->history_refused), 3);
}

Test(history, a_key_must_be_one_of_the_plan_to_the_last_character)
{
    static const char *const wrong[] = {
        "partner|DAY|20240701|20240701|partner=KZ|flow=M",
        "partner|MONTH|20240702|20240731|partner=KZ|flow=M",
        "partner|MONTH|20240701|20240730|partner=KZ|flow=M",
        "partner|MONTH|20241301|20241331|partner=KZ|flow=M",
        "partner|MONTH|20240701|20240731|flow=M|partner=KZ",
        "partner|MONTH|20240701|20240731|partner=KZ",
        "partner|MONTH|20240701|20240731|partner=KZ|flow=T",
        "partner|MONTH|20240701|20240731|partner=K|flow=M",
        "partner|MONTH|20240701|20240731|partner=kz|flow=M",
        "partner|MONTH|20240701|20240731|partner=KZ|flow=M|x=1",
        "partner|QUARTER|20240701|20240930|partner=KZ|flow=M",
        "flow|DAY|20240230|20240230|flow=M",
        "flow|MONTH|20240701|20240731|flow=M",
        "",
    };

    cr_assert(is_cell(KZ_2024));
    cr_assert(is_cell("partner|MONTH|20240201|20240229|partner=|flow=RX"));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        cr_assert_not(is_cell(wrong[i]), "%s", wrong[i]);
}

static uint32_t number_of(void *context, struct text code)
{
    return dictionary_number(context, code);
}

/* A key that statistic_key.c has made is read back to its cell. */
Test(history, a_cell_comes_back_from_its_record_key)
{
    struct err_info info;
    struct view_plan all = {0};
    cr_assert_eq(
        view_plan_add(&all, TEXT("all"),
                      TEXT("office,border_office,zone,mode,trade_mode,partner,partner_consignment,region,hs8,flow@day"),
                      &info),
        OK, "%s", info.text);
    view_plan_finish(&all);
    struct statistic_writer *writer = statistic_writer_new(&all, reference, "CN", "CNY");
    struct dictionary codes;
    dictionary_init(&codes);
    uint32_t a = dictionary_number(&codes, TEXT("A|=%\xC3\xA4"));
    uint32_t b = dictionary_number(&codes, TEXT("9402"));
    uint32_t kz = 'K' << 8 | 'Z';
    const struct table_key cells[] = {
        {{cell_word0(0, false, calendar_day(20240229), 1012100 + 1), (uint64_t)a << 32 | b, (uint64_t)b << 32 | a,
          cell_word3(kz, 0, a, FLOW_RX, 30)}},
        {{cell_word0(0, false, calendar_day(20231231), CELL_NO_HS), 0, 0, cell_word3(0, kz, 0, FLOW_M, 0)}},
    };
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        struct table_key back;
        struct text key = statistic_key(writer, &cells[i], &codes);
        cr_assert(history_cell(&all, key, number_of, &codes, &back), "%.*s", TEXT_ARGS(key));
        cr_assert(table_key_equal(&back, &cells[i]), "%.*s", TEXT_ARGS(key));
    }
    dictionary_fini(&codes);
    statistic_writer_free(writer);
}
