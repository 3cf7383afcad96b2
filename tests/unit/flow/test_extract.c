/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/extract.h"

#include "publisher_fixture.h"

#include <pthread.h>

enum { WAIT_MS = 20000 };

TestSuite(extract, .init = setup, .fini = teardown);

static struct asker {
    struct extract_request request;
    struct extract extract;
    enum extract_result result;
    int64_t ms;
    struct counter is_back;
} asker;

static void *ask_main(void *argument)
{
    (void)argument;
    asker.result = publisher_extract(rigs[0].publisher, &asker.request, asker.ms, NULL, NULL, &asker.extract);
    counter_set(&asker.is_back, 1);
    return NULL;
}

/* Asks from another thread while the publisher makes its steps here. */
static enum extract_result ask_while_it_steps(uint32_t view, bool months, uint32_t from, uint32_t to)
{
    pthread_t thread;
    asker = (struct asker){.ms = WAIT_MS};
    asker.request = (struct extract_request){
        .view = view, .months = months, .windows = {{calendar_day(from), calendar_day(to)}, {0, -1}}};
    cr_assert_eq(pthread_create(&thread, NULL, ask_main, NULL), 0);
    while (!counter_read(&asker.is_back))
        run(&rigs[0], 1);
    pthread_join(thread, NULL);
    return asker.result;
}

Test(extract, the_cells_of_a_view_in_a_window)
{
    count_on(0, 20250703, "KZ", 100, 1, false);
    count_on(0, 20250803, "KG", 50, 1, false);
    seal(0);
    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));

    cr_assert_eq(ask_while_it_steps(0, true, 20250701, 20250731), EXTRACT_OK);
    cr_assert_eq(asker.extract.count, 1);
    cr_assert_eq((int64_t)asker.extract.measures[0].value_minor, 100);
    cr_assert_eq(cell_day(&asker.extract.keys[0]), calendar_day(20250701));
    cr_assert_eq(asker.extract.stamp.as_of, (uint64_t)read_counter(&counters()->as_of));
    cr_assert_eq(asker.extract.stamp.reference, reference);
    extract_fini(&asker.extract);

    cr_assert_eq(ask_while_it_steps(1, false, 20250101, 20251231), EXTRACT_OK);
    cr_assert_eq(asker.extract.count, 2, "days of the other view");
    extract_fini(&asker.extract);
}

Test(extract, what_was_taken_back_is_not_there)
{
    count_and_seal("KZ", 100);
    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));
    count(0, "KZ", 100, -1);
    seal(0);
    cr_assert(settle(&rigs[0]));

    cr_assert_eq(ask_while_it_steps(0, true, 20250701, 20250731), EXTRACT_OK);
    cr_assert_eq(asker.extract.count, 0);
    extract_fini(&asker.extract);
}

Test(extract, who_does_not_publish_says_so)
{
    count_and_seal("KZ", 100);
    start(&rigs[0], false);
    run(&rigs[0], 50);

    cr_assert_eq(ask_while_it_steps(0, true, 20250701, 20250731), EXTRACT_SILENT);
}

Test(extract, a_publisher_that_does_not_come_to_it_is_not_waited_for_and_the_next_question_is_answered)
{
    count_and_seal("KZ", 100);
    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));
    struct extract_request request = {.view = 0, .months = true, .windows = {{0, 100000}, {0, -1}}};
    struct extract extract;

    cr_assert_eq(publisher_extract(rigs[0].publisher, &request, 10, NULL, NULL, &extract), EXTRACT_TOO_LATE);
    cr_assert_eq(ask_while_it_steps(0, true, 20250701, 20250731), EXTRACT_OK);
    cr_assert_eq(asker.extract.count, 1);
    extract_fini(&asker.extract);
}
