/* SPDX-License-Identifier: Apache-2.0 */
#include "desk_fixture.h"

enum { RECORDS_MOST = 200 };

static struct fixture f;
static struct batch *batch;
static struct port_record records[RECORDS_MOST];
static struct buffer values[RECORDS_MOST];
static size_t count;

static void with_key_check(enum batch_key_check check)
{
    struct batch_options options = desk_batch_options(&f);
    options.key_check = check;
    batch_free(batch);
    batch = batch_new(&options);
}

static void setup(void)
{
    wire_init();
    fixture_init(&f);
    with_key_check(BATCH_KEY_ID);
    count = 0;
}

static void teardown(void)
{
    for (size_t i = 0; i < RECORDS_MOST; i++)
        buffer_fini(&values[i]);
    batch_free(batch);
    fixture_fini(&f);
}

TestSuite(batch, .init = setup, .fini = teardown);

static struct port_record *add_record(const char *key)
{
    struct port_record *record = &records[count];
    *record = (struct port_record){.key = {(const uint8_t *)key, key ? strlen(key) : 0},
                                   .value = buffer_bytes(&values[count]),
                                   .offset = (int64_t)count,
                                   .timestamp_ms = START_NOW_MS};
    count++;
    return record;
}

static struct port_record *add_sample(const char *id, const char *key)
{
    struct sample sample;
    sample_init(&sample, id);
    sample_encode(&sample, &values[count]);
    return add_record(key);
}

static void add_elements(struct buffer *out, const char *prefix, int elements)
{
    for (int i = 0; i < elements; i++) {
        struct sample sample;
        char id[16];
        snprintf(id, sizeof id, "%s%05d", prefix, i);
        sample_init(&sample, id);
        desk_add_element(out, &sample);
    }
}

static struct port_record *add_batch(const char *prefix, int elements)
{
    add_elements(&values[count], prefix, elements);
    return add_record("batch");
}

/* Fills and judges one batch. */
static void go(size_t *next)
{
    batch_fill(batch, records, count, next);
    batch_decode(batch);
    batch_judge(batch);
}

static bool found(uint32_t element, enum rule rule)
{
    for (uint32_t i = 0; i < batch->findings[element].count; i++) {
        if (batch->findings[element].list[i].rule == rule)
            return true;
    }
    return false;
}

Test(batch, a_null_an_empty_and_an_undecodable_record_are_one_rejected_declaration_each)
{
    add_record("A")->is_null = true;
    add_record("B");
    buffer_add(&values[2], "\x0A\xFFgarbage", 9);
    add_record("C");
    add_sample("D", "D");
    size_t next = 0;

    go(&next);

    cr_assert_eq(next, 4);
    cr_assert_eq(batch->count, 4);
    cr_assert(found(0, RULE_STR_001) && found(1, RULE_STR_001) && found(2, RULE_STR_002));
    for (uint32_t i = 0; i < 4; i++)
        cr_assert_eq(batch->findings[i].reject, i < 3, "element %u", i);
}

Test(batch, an_undecodable_element_is_rejected_alone_and_keeps_its_index)
{
    add_elements(&values[0], "A", 2);
    buffer_add(&values[0], "\x0A\x02\x0A\x7F", 4);
    add_elements(&values[0], "B", 1);
    add_record("batch");
    with_key_check(BATCH_KEY_OFF);
    size_t next = 0;

    go(&next);

    cr_assert_eq(batch->count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        cr_assert_eq(batch->elements[i].index, (int32_t)i);
        cr_assert_eq(batch->findings[i].reject, i == 2, "element %u", i);
    }
    cr_assert(found(2, RULE_STR_002));
}

Test(batch, a_batch_whose_framing_is_broken_is_one_rejected_declaration_without_an_index)
{
    add_elements(&values[0], "A", 3);
    buffer_add(&values[0], "\x0A\x7F", 2);
    add_record("batch");
    size_t next = 0;

    go(&next);

    cr_assert_eq(batch->count, 1);
    cr_assert_eq(batch->elements[0].index, -1);
    cr_assert(found(0, RULE_STR_002));
    cr_assert_eq(batch->unknown_fields, 0);
}

Test(batch, many_records_fill_several_batches_and_none_is_lost)
{
    for (int i = 0; i < 150; i++)
        add_sample("A", "A");
    size_t next = 0;
    uint32_t sizes[3];

    for (int i = 0; i < 3; i++) {
        batch_fill(batch, records, count, &next);
        sizes[i] = batch->count;
    }

    cr_assert_eq(sizes[0], BATCH_DECLARATIONS);
    cr_assert_eq(sizes[1], BATCH_DECLARATIONS);
    cr_assert_eq(sizes[2], 150 - 2 * BATCH_DECLARATIONS);
    cr_assert_eq(next, count);
}

Test(batch, a_record_of_many_declarations_goes_on_in_the_next_batch_and_ends_it)
{
    add_batch("A", 150);
    add_sample("B", "B");
    size_t next = 0;
    int32_t expected = 0;
    for (int fill = 0; fill < 3; fill++) {
        batch_fill(batch, records, count, &next);
        for (uint32_t i = 0; i < batch->count; i++)
            cr_assert_eq(batch->elements[i].index, expected++);
        cr_assert_eq(batch->record_open, fill < 2);
    }

    cr_assert_eq(expected, 150);
    cr_assert_eq(next, 1, "a seal may come here, though the batch had room for the next record");
}

Test(batch, a_record_of_exactly_a_batch_is_used_up_by_it)
{
    add_batch("A", BATCH_DECLARATIONS);
    add_sample("B", "B");
    size_t next = 0;

    batch_fill(batch, records, count, &next);

    cr_assert_eq(batch->count, BATCH_DECLARATIONS);
    cr_assert(!batch->record_open);
    cr_assert_eq(next, 1);
}

Test(batch, fields_behind_the_last_declaration_of_a_full_batch_are_used_up_by_the_next)
{
    add_elements(&values[0], "A", BATCH_DECLARATIONS);
    buffer_add(&values[0], "\x78\x01", 2); /* field 15 */
    add_record("batch");
    add_sample("B", "B");
    size_t next = 0;

    batch_fill(batch, records, count, &next);
    cr_assert(batch->record_open);
    batch_fill(batch, records, count, &next);

    cr_assert_eq(batch->count, 0);
    cr_assert(!batch->record_open);
    cr_assert_eq(next, 1);
}

/* However the records are cut, between two of them there is a place for a seal after at most one batch more than they
 * need. */
Test(batch, large_records_one_after_the_other_leave_a_place_to_seal_after_each)
{
    for (int i = 0; i < 10; i++)
        add_batch("A", 100);
    size_t next = 0;
    size_t records_between = 0;

    while (next < count) {
        size_t from = next;
        do {
            batch_fill(batch, records, count, &next);
        } while (batch->record_open);
        records_between = next - from > records_between ? next - from : records_between;
    }

    cr_assert_eq(records_between, 1);
}

Test(batch, a_compressed_record_ends_the_batch_because_its_bytes_live_until_the_next_is_opened)
{
    add_sample("A", "A");
    add_elements(&values[1], "B", 2);
    desk_compress(&values[1]);
    add_record("batch");
    add_elements(&values[2], "C", 2);
    desk_compress(&values[2]);
    add_record("batch");
    with_key_check(BATCH_KEY_OFF);
    size_t next = 0;

    go(&next);
    cr_assert_eq(next, 2);
    cr_assert_eq(batch->count, 3);
    cr_assert(text_is(batch->declarations[2].declaration_id, "B00001"));
    go(&next);

    cr_assert_eq(next, 3);
    cr_assert(text_is(batch->declarations[0].declaration_id, "C00000"));
    cr_assert_eq(batch->findings[0].reject, false);
}

Test(batch, reset_forgets_an_open_record)
{
    add_batch("A", 100);
    size_t next = 0;
    batch_fill(batch, records, count, &next);

    batch_reset(batch);
    batch_fill(batch, records, count, &next);

    cr_assert_eq(batch->elements[0].index, 0, "from the beginning of the record that is given now");
}

/* Items that are two bytes each: a hundredfold of memory. They must not cost their neighbours their place. */
Test(batch, STR_001_a_declaration_is_not_too_large_because_of_what_stands_beside_it)
{
    for (int i = 0; i < 20; i++) {
        for (int item = 0; item < 100000; item++)
            buffer_add(&values[count], "\x6A", 2);
        add_record("BOMB");
        add_sample("A", "A");
    }
    size_t next = 0;
    int good = 0;
    int bombs = 0;

    while (next < count || batch->record_open) {
        go(&next);
        for (uint32_t i = 0; i < batch->count; i++) {
            good += !batch->findings[i].reject;
            bombs += found(i, RULE_STR_010);
            cr_assert(!found(i, RULE_STR_001));
        }
    }

    cr_assert_eq(good, 20);
    cr_assert_eq(bombs, 20, "each judged by its own content");
}

Test(batch, a_declaration_that_found_no_room_is_the_first_of_the_next_batch_with_its_index)
{
    struct sample sample;
    for (int i = 0; i < 3; i++) {
        sample_init(&sample, "A");
        struct buffer large = {0};
        sample_encode(&sample, &large);
        buffer_add_u8(&large, 0xFA); /* field 1999, of 100000 bytes */
        buffer_add_u8(&large, 0x7C);
        buffer_add_varint(&large, 100000);
        memset(buffer_reserve(&large, 100000), 0, 100000);
        large.length += 100000;
        buffer_add_u8(&values[0], 0x0A);
        buffer_add_varint(&values[0], large.length);
        buffer_add(&values[0], large.data, large.length);
        buffer_fini(&large);
    }
    add_record("batch");
    with_key_check(BATCH_KEY_OFF);
    size_t next = 0;

    go(&next);
    cr_assert_eq(batch->count, 2);
    cr_assert(batch->record_open);
    go(&next);

    cr_assert_eq(batch->count, 1);
    cr_assert_eq(batch->elements[0].index, 2);
    cr_assert(text_is(batch->declarations[0].declaration_id, "A"));
    cr_assert_eq(next, 1);
}

Test(batch, fields_beside_the_declarations_are_counted_once_however_many_batches_the_record_takes)
{
    add_elements(&values[0], "A", 100);
    buffer_add(&values[0], "\x78\x01\x78\x02", 4); /* field 15, twice */
    add_record("batch");
    size_t next = 0;

    batch_fill(batch, records, count, &next);
    cr_assert_eq(batch->unknown_fields, 2);
    batch_fill(batch, records, count, &next);

    cr_assert_eq(batch->unknown_fields, 0);
}

Test(batch, STR_018_the_key_of_a_single_record_must_be_the_id)
{
    add_sample("A", "B");
    add_sample("A", NULL);
    add_sample("A", "A");
    size_t next = 0;

    go(&next);

    cr_assert(found(0, RULE_STR_018) && found(1, RULE_STR_018));
    cr_assert(!found(2, RULE_STR_018));
}

/* The partition that Java's and librdkafka's partitioners give an id, worked out by their definition and not by
 * batch.c. */
static int32_t place_of(const char *id, bool crc)
{
    uint32_t hash = crc ? hash_crc32(id, strlen(id)) : hash_murmur2(id, strlen(id)) & 0x7FFFFFFF;
    return (int32_t)(hash % PARTS);
}

Test(batch, STR_018_in_a_batch_the_id_must_belong_to_the_partition_by_murmur2)
{
    add_batch("A", 20)->partition = 1;
    size_t next = 0;
    int wrong = 0;

    go(&next);

    for (uint32_t i = 0; i < batch->count; i++) {
        char id[16];
        snprintf(id, sizeof id, "A%05u", i);
        cr_assert_eq(found(i, RULE_STR_018), place_of(id, false) != 1, "%s", id);
        wrong += place_of(id, false) != 1;
    }
    cr_assert(wrong > 0 && wrong < 20);
}

Test(batch, STR_018_a_site_may_check_the_place_by_murmur2_or_crc32_or_not_at_all)
{
    static const enum batch_key_check checks[] = {BATCH_KEY_MURMUR2, BATCH_KEY_CRC32, BATCH_KEY_OFF};
    for (size_t c = 0; c < 3; c++) {
        with_key_check(checks[c]);
        count = 0;
        for (int i = 0; i < 20; i++) {
            char id[16];
            snprintf(id, sizeof id, "K%d", i);
            buffer_clear(&values[count]);
            add_sample(id, "any");
        }
        size_t next = 0;
        go(&next);
        for (uint32_t i = 0; i < batch->count; i++) {
            char id[16];
            snprintf(id, sizeof id, "K%u", i);
            bool wrong = checks[c] != BATCH_KEY_OFF && place_of(id, checks[c] == BATCH_KEY_CRC32) != 0;
            cr_assert_eq(found(i, RULE_STR_018), wrong, "check %zu, %s", c, id);
        }
    }
}

Test(batch, the_digest_tells_content_not_spelling)
{
    add_sample("A", "A");
    add_sample("A", "A");
    buffer_add(&values[1], "\x10\x01", 2); /* the version again: the same content in other bytes */
    records[1].value = buffer_bytes(&values[1]);
    struct sample sample;
    sample_init(&sample, "A");
    sample.items[0].statistical_value_minor++;
    sample_encode(&sample, &values[2]);
    add_record("A");
    size_t next = 0;

    go(&next);

    cr_assert(!batch->elements[1].canonical);
    cr_assert_eq(batch->elements[0].digest, batch->elements[1].digest);
    cr_assert_neq(batch->elements[0].digest, batch->elements[2].digest);
}
