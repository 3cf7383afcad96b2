/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crc.h"
#include "flow/intake.h"
#include "sim/storm.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct world *world;
static struct process *process;
static struct intake *intake;
static struct counter regressions;
static struct err_info info;

static void setup(void)
{
    world = world_new(1, 1);
    process = process_new(world, 1);
    intake = calloc(1, sizeof *intake);
    regressions = (struct counter){0};
}

static void teardown(void)
{
    intake_close(intake);
    free(intake);
    process_kill(process);
    world_free(world);
}

TestSuite(intake, .init = setup, .fini = teardown);

static void put(const char *value)
{
    struct world_record record = {.value = {(const uint8_t *)value, strlen(value)}};
    world_put(world, PORT_DECLARATIONS, 0, &record);
}

static void put_fault(enum port_fault fault)
{
    struct world_record record = {.fault = fault};
    world_put(world, PORT_DECLARATIONS, 0, &record);
}

static void open_at(int64_t position, const char *counted)
{
    struct intake_start start = {.position = position, .has_record = counted != NULL};
    if (counted)
        start.record_crc = crc32c(0, counted, strlen(counted));
    cr_assert_eq(intake_open(intake, process_port(process), &start, &regressions, &info), OK);
}

/* All that comes, one letter a record; *out_halted as intake_take. */
static const char *take_all(bool *out_halted)
{
    static char text[64];
    size_t length = 0;
    while (intake_take(intake, out_halted)) {
        for (; intake_has_records(intake); intake->next++)
            text[length++] = (char)intake->records[intake->next].value.data[0];
    }
    text[length] = '\0';
    return text;
}

Test(intake, gives_records_from_the_position_on)
{
    put("a");
    put("b");
    put("c");
    open_at(1, NULL);
    bool halted;

    cr_assert_str_eq(take_all(&halted), "bc");
    cr_assert(!halted);
    put("d");
    cr_assert_str_eq(take_all(&halted), "d");
}

Test(intake, the_record_below_the_position_is_compared_and_not_given)
{
    put("a");
    put("b");
    open_at(1, "a");
    bool halted;

    cr_assert_str_eq(take_all(&halted), "b");
    cr_assert(!halted);
    cr_assert_eq(counter_read(&regressions), 0);
}

Test(intake, another_record_below_the_position_halts)
{
    put("x");
    put("b");
    open_at(1, "a");
    bool halted;

    cr_assert_str_eq(take_all(&halted), "");
    cr_assert(halted);
    cr_assert(strstr(intake->fault.text, "created anew"), "%s", intake->fault.text);
}

Test(intake, a_last_counted_record_that_can_not_be_read_halts_and_says_that_it_is_the_proof)
{
    put_fault(PORT_BAD_CRC);
    put("b");
    open_at(1, "a");
    bool halted;

    cr_assert_str_eq(take_all(&halted), "");
    cr_assert(halted);
    cr_assert_eq(intake->faulted, GUARD_INPUT_DAMAGED);
    cr_assert(strstr(intake->fault.text, "the last counted record, input offset 0"), "%s", intake->fault.text);
    cr_assert(strstr(intake->fault.text, "--from 1 --to 2"), "%s", intake->fault.text);
}

/* A marker of a transaction, an aborted or a compacted record: no reader gets it, and nothing is wrong. */
Test(intake, an_offset_that_is_left_out_is_accepted)
{
    put("a");
    put("b");
    world_put_hole(world, PORT_DECLARATIONS, 0, 0);
    put("d");
    open_at(0, NULL);
    bool halted;

    cr_assert_str_eq(take_all(&halted), "abd");
    cr_assert(!halted);
    cr_assert_eq(intake->next_offset, 4);
    cr_assert_eq(counter_read(&regressions), 0);
}

Test(intake, records_delivered_before_are_dropped_and_counted)
{
    put("a");
    put("b");
    put("c");
    open_at(0, NULL);
    intake->next_offset = 2;
    bool halted;

    cr_assert_str_eq(take_all(&halted), "c");
    cr_assert_eq(counter_read(&regressions), 2);
}

Test(intake, a_fault_halts_when_the_records_before_it_are_used_and_stays)
{
    static const enum port_fault faults[] = {PORT_BAD_CRC, PORT_BAD_COMPRESSION, PORT_TOO_LARGE, PORT_OFFSET_RESET,
                                             PORT_OTHER};
    put("a");
    put_fault(faults[0]);
    put("c");
    open_at(0, NULL);
    bool halted;

    cr_assert(intake_take(intake, &halted));
    cr_assert(!halted);
    intake->next = intake->count;
    cr_assert(!intake_take(intake, &halted));
    cr_assert(halted);
    cr_assert(strstr(intake->fault.text, "input offset 1: its check sum is wrong"), "%s", intake->fault.text);
    cr_assert(!intake_take(intake, &halted));
    cr_assert(halted, "it stays");
    for (size_t i = 1; i < sizeof faults / sizeof faults[0]; i++) {
        intake_close(intake);
        int64_t at = world_next(world, PORT_DECLARATIONS, 0);
        put_fault(faults[i]);
        open_at(at, NULL);
        cr_assert(!intake_take(intake, &halted));
        cr_assert(halted);
    }
}

Test(intake, a_position_that_was_deleted_halts)
{
    put("a");
    put("b");
    world_trim(world, PORT_DECLARATIONS, 0, 1);
    open_at(0, NULL);
    bool halted;

    cr_assert_str_eq(take_all(&halted), "");
    cr_assert(halted);
}

Test(intake, a_full_take_says_that_more_waits)
{
    for (int i = 0; i < INTAKE_TAKE + 1; i++)
        put("a");
    open_at(0, NULL);
    bool halted;

    cr_assert(intake_take(intake, &halted));
    cr_assert(intake->behind);
    cr_assert(intake_take(intake, &halted));
    cr_assert(!intake->behind);
}

Test(intake, closing_twice_or_before_opening_does_nothing)
{
    intake_close(intake);
    open_at(0, NULL);
    intake_close(intake);
    intake_close(intake);
    cr_assert(!intake->started);
}

/* ---- a delivery that stalls ---- */

static struct port port; /* outlives the test: the teardown closes with it */
static int starts;
static bool is_stuck;

static size_t take_nothing_while_stuck(void *self, int32_t partition, struct port_record *out, size_t most)
{
    return is_stuck ? 0 : process_port(process)->input_take(self, partition, out, most);
}

static enum err count_start(void *self, int32_t lane, int32_t partition, int64_t offset, struct err_info *why)
{
    starts++;
    is_stuck = false;
    return process_port(process)->input_start(self, lane, partition, offset, why);
}

static bool watch_after(int64_t ms)
{
    world_set_now(world, world_now(world) + ms);
    return intake_watch(intake, world_now(world));
}

Test(intake, a_delivery_that_gives_nothing_though_the_log_goes_on_is_opened_anew)
{
    bool halted;
    port = *process_port(process);
    port.input_take = take_nothing_while_stuck;
    port.input_start = count_start;
    put("a");
    cr_assert_eq(intake_open(intake, &port, &(struct intake_start){0}, &regressions, &info), OK);
    cr_assert_str_eq(take_all(&halted), "a");
    starts = 0;
    cr_assert_not(watch_after(2 * INTAKE_STALL_MS), "the log's end is reached");

    is_stuck = true;
    put("b");
    cr_assert_not(watch_after(INTAKE_STALL_MS - 1), "not yet");
    cr_assert_str_eq(take_all(&halted), "");
    cr_assert(watch_after(1));

    cr_assert_eq(starts, 1);
    cr_assert_str_eq(take_all(&halted), "b");
    cr_assert_eq(counter_read(&regressions), 0, "from the same place");
}

Test(intake, records_that_can_not_be_delivered_yet_do_not_open_it_again_and_again)
{
    port = *process_port(process);
    port.input_take = take_nothing_while_stuck;
    port.input_start = count_start;
    cr_assert_eq(intake_open(intake, &port, &(struct intake_start){0}, &regressions, &info), OK);
    put("an open transaction");
    starts = 0;
    cr_assert(watch_after(INTAKE_STALL_MS));
    cr_assert_not(watch_after(INTAKE_STALL_MS), "its end was tried");
    put("more of it");
    cr_assert(watch_after(INTAKE_STALL_MS));
    cr_assert_eq(starts, 2);
}
