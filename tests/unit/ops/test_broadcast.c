/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/broadcast.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const struct broadcast_words words = {.greeting = "hello;", .gap = "gap;", .beat = "beat;"};
static struct broadcast *broadcast;
static char got[4096];

static void begin(uint32_t events, size_t bytes, uint32_t readers)
{
    broadcast = broadcast_new(&(struct broadcast_limits){events, bytes, readers}, &words);
}

static struct broadcast_reader *join(const char *name)
{
    return broadcast_join(broadcast, text_of(name), NULL);
}

static struct broadcast_reader *join_behind(uint64_t id)
{
    return broadcast_join(broadcast, text_of(""), &id);
}

static uint32_t add(uint64_t id, const char *name)
{
    char text[64];
    snprintf(text, sizeof text, "%s%u;", name, (unsigned)id);
    return broadcast_add(broadcast, id, text_of(name), text_of(text));
}

/* All that is there, in pieces of `most` bytes. */
static const char *read_all(struct broadcast_reader *reader, size_t most)
{
    size_t length = 0;
    size_t bytes;
    while ((bytes = broadcast_read(reader, got + length, most)) > 0)
        length += bytes;
    got[length] = '\0';
    return got;
}

static void end(struct broadcast_reader *reader)
{
    broadcast_leave(reader);
    broadcast_free(broadcast);
}

Test(broadcast, a_reader_gets_what_comes_after_it_has_joined_in_order)
{
    begin(10, 1000, 2);
    add(1, "a");
    struct broadcast_reader *reader = join("");
    add(2, "b");
    add(3, "a");

    cr_expect_str_eq(read_all(reader, 4096), "hello;b2;a3;");
    cr_expect_not(broadcast_has(reader));
    add(4, "c");
    cr_expect(broadcast_has(reader));
    cr_expect_str_eq(read_all(reader, 1), "c4;", "however small the pieces are");
    end(reader);
}

Test(broadcast, one_that_asked_for_a_name_gets_that_name_alone)
{
    begin(10, 1000, 2);
    struct broadcast_reader *reader = join("a");
    read_all(reader, 100);
    add(1, "ab");
    add(2, "b");
    cr_expect_not(broadcast_has(reader));
    add(3, "a");

    cr_expect(broadcast_has(reader));
    cr_expect_str_eq(read_all(reader, 100), "a3;");
    end(reader);
}

Test(broadcast, who_comes_again_goes_on_behind_what_it_had)
{
    begin(10, 1000, 2);
    for (uint64_t id = 1; id <= 5; id++)
        add(id, "e");
    struct broadcast_reader *reader = join_behind(3);

    cr_expect_str_eq(read_all(reader, 100), "hello;e4;e5;");
    end(reader);
}

Test(broadcast, who_had_the_newest_misses_nothing)
{
    begin(10, 1000, 2);
    add(1, "e");
    struct broadcast_reader *reader = join_behind(1);

    cr_expect_str_eq(read_all(reader, 100), "hello;");
    end(reader);
}

Test(broadcast, who_comes_too_late_or_from_elsewhere_is_told_of_a_gap)
{
    begin(2, 1000, 2);
    for (uint64_t id = 1; id <= 3; id++)
        add(id, "e");
    struct broadcast_reader *reader = join_behind(1);

    cr_expect_str_eq(read_all(reader, 100), "hello;gap;");
    add(4, "e");
    cr_expect_str_eq(read_all(reader, 100), "e4;");
    end(reader);
}

Test(broadcast, a_reader_that_still_wants_the_oldest_is_lost_and_no_other_is)
{
    begin(3, 1000, 3);
    struct broadcast_reader *slow = join("");
    struct broadcast_reader *fast = join("");
    struct broadcast_reader *other = join("other");
    for (uint64_t id = 1; id <= 3; id++)
        cr_expect_eq(add(id, "e"), 0);
    read_all(fast, 100);

    cr_expect_eq(add(4, "e"), 1);
    cr_expect(broadcast_is_lost(slow));
    cr_expect(broadcast_has(slow), "it must come to know");
    cr_expect_eq(broadcast_read(slow, got, 100), 0);
    cr_expect_str_eq(read_all(fast, 100), "e4;");
    cr_expect_not(broadcast_is_lost(other), "it wanted none of them");
    cr_expect_eq(add(5, "e") + add(6, "e") + add(7, "e"), 0, "it is lost once; fast is three behind");
    cr_expect_eq(add(8, "other"), 1, "now fast is four behind");
    cr_expect_str_eq(read_all(other, 100), "hello;other8;");
    broadcast_leave(slow);
    broadcast_leave(fast);
    end(other);
}

Test(broadcast, one_that_is_in_the_middle_of_the_oldest_is_lost)
{
    begin(2, 1000, 1);
    struct broadcast_reader *reader = join("");
    read_all(reader, 100);
    add(1, "e");
    add(2, "e");
    cr_expect_eq(broadcast_read(reader, got, 1), 1);
    cr_expect_eq(add(3, "e"), 1);
    end(reader);
}

Test(broadcast, bytes_are_a_limit_as_well)
{
    begin(100, 9, 2);
    struct broadcast_reader *reader = join("");
    cr_expect_eq(add(1, "e") + add(2, "e") + add(3, "e"), 0, "three bytes each");

    cr_expect_eq(add(4, "e"), 1);
    end(reader);
}

Test(broadcast, what_is_larger_than_all_is_a_gap)
{
    begin(100, 9, 2);
    struct broadcast_reader *reader = join("");
    add(1, "e");
    broadcast_add(broadcast, 2, text_of("e"), text_of("0123456789"));

    cr_expect_str_eq(read_all(reader, 100), "hello;e1;gap;");
    end(reader);
}

Test(broadcast, a_break_is_told_to_all_at_its_place_and_to_those_who_come_again)
{
    begin(10, 1000, 2);
    struct broadcast_reader *reader = join("nothing");
    add(1, "e");
    broadcast_break(broadcast);
    add(2, "e");

    cr_expect_str_eq(read_all(reader, 100), "hello;gap;");
    struct broadcast_reader *again = join_behind(1);
    cr_expect_str_eq(read_all(again, 100), "hello;gap;e2;");
    struct broadcast_reader *nobody = join_behind(0);
    cr_expect_null(nobody, "two are enough");
    broadcast_leave(again);
    nobody = join_behind(0);
    cr_expect_str_eq(read_all(nobody, 100), "hello;gap;", "a gap has no id");
    broadcast_leave(nobody);
    end(reader);
}

Test(broadcast, who_has_nothing_to_read_gets_a_sign_of_life)
{
    begin(10, 1000, 2);
    struct broadcast_reader *reader = join("");
    struct broadcast_reader *busy = join("");
    read_all(reader, 100);

    broadcast_beat(broadcast);
    broadcast_beat(broadcast);
    cr_expect_str_eq(read_all(reader, 100), "beat;");
    add(1, "e");
    cr_expect_str_eq(read_all(busy, 100), "hello;e1;", "it had something");
    broadcast_leave(busy);
    end(reader);
}

Test(broadcast, there_are_readers_enough_until_one_leaves)
{
    begin(10, 1000, 1);
    struct broadcast_reader *reader = join("");
    cr_expect_null(join(""));
    cr_expect_eq(broadcast_readers(broadcast), 1);
    broadcast_leave(reader);
    reader = join("");
    cr_expect_not_null(reader);
    end(reader);
}
