/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "cmd/batcher.h"
#include "flow/envelope.h"
#include "flow/wire.h"

#include <criterion/criterion.h>

enum { PARTITIONS = 3, DECLARATIONS = 3000, MAX_BYTES = 1 << 20 };

static struct reference *reference;
static struct generator *generator;
static struct batcher *batcher;
static struct envelope envelope;
static struct buffer expected[PARTITIONS]; /* what went in, each behind its length, in order */
static struct buffer found[PARTITIONS];
static struct err_info info;
static uint32_t records, alone, single;

static void setup(void)
{
    wire_init();
    cr_assert_eq(
        reference_load(DRYPORT_SOURCE "/deploy/reference/demo", DRYPORT_SOURCE "/deploy/reference", &reference, &info),
        OK, "%s", info.text);
    struct generator_options options = generator_defaults();
    options.bad_ppm = 100000; /* a tenth of these does not decode */
    cr_assert_eq(generator_new(&options, reference, &generator, &info), OK, "%s", info.text);
    envelope_init(&envelope, &(struct envelope_options){INPUT_AUTO, MAX_BYTES});
    for (int p = 0; p < PARTITIONS; p++)
        expected[p] = found[p] = (struct buffer){0};
    records = alone = single = 0;
}

static void teardown(void)
{
    batcher_free(batcher);
    generator_free(generator);
    reference_free(reference);
    envelope_fini(&envelope);
    for (int p = 0; p < PARTITIONS; p++) {
        buffer_fini(&expected[p]);
        buffer_fini(&found[p]);
    }
}

TestSuite(batcher, .init = setup, .fini = teardown, .timeout = 60);

static void add(struct buffer *to, struct bytes bytes)
{
    buffer_add_varint(to, bytes.length);
    buffer_add(to, bytes.data, bytes.length);
}

static int32_t partition_of(struct bytes key)
{
    return (int32_t)((hash_murmur2(key.data, key.length) & 0x7FFFFFFF) % PARTITIONS);
}

/* Opens a record as a worker does, input.format=auto. */
static void open_record(const struct batch_record *record)
{
    struct bytes bytes;
    int32_t index;
    uint32_t count = 0;
    records++;
    cr_assert_eq(record->partition, partition_of(record->key), "the key says the partition");
    cr_assert_eq(envelope_open(&envelope, record->value, false), RULE_COUNT);
    while (envelope_next(&envelope, &bytes, &index)) {
        cr_assert_eq(index, envelope.is_batch ? (int32_t)count : -1);
        add(&found[record->partition], bytes);
        count++;
    }
    cr_assert_eq(count, record->declarations);
    alone += count == 1;
    single += !envelope.is_batch;
}

static void run(uint32_t most, size_t bytes_most, bool compress)
{
    struct batch_record record;
    struct generated declaration;
    batcher = batcher_new(&(struct batcher_options){PARTITIONS, most, bytes_most, compress});
    for (int i = 0; i < DECLARATIONS; i++) {
        generator_next(generator, &declaration);
        struct bytes key = {(const uint8_t *)declaration.key.data, declaration.key.length};
        add(&expected[partition_of(key)], declaration.value);
        if (batcher_add(batcher, &declaration, &record))
            open_record(&record);
    }
    while (batcher_flush(batcher, &record))
        open_record(&record);
    for (int p = 0; p < PARTITIONS; p++) {
        cr_assert_eq(expected[p].length, found[p].length, "partition %d", p);
        cr_assert_eq(memcmp(expected[p].data, found[p].data, found[p].length), 0, "partition %d", p);
    }
}

Test(batcher, each_partition_gets_its_declarations_in_order)
{
    run(100, MAX_BYTES, false);

    cr_assert_gt(records, DECLARATIONS / 100);
    cr_assert_lt(records, DECLARATIONS / 100 + PARTITIONS + 20, "%u", records);
}

Test(batcher, a_compressed_record_opens_to_the_same)
{
    run(100, MAX_BYTES, true);

    cr_assert_lt(records, DECLARATIONS / 100 + PARTITIONS + 20, "%u", records);
}

Test(batcher, what_does_not_decode_never_begins_a_batch)
{
    run(2, MAX_BYTES, false); /* every second declaration would begin one */

    cr_assert_gt(single, 5, "%u", single);
    cr_assert_lt(single, 40, "%u", single);
}

Test(batcher, batches_of_one_are_batches)
{
    run(1, MAX_BYTES, false);

    cr_assert_eq(alone, DECLARATIONS);
    cr_assert_gt(single, 10, "%u", single);
    cr_assert_lt(single, 60, "%u", single);
}

Test(batcher, a_record_stays_below_its_bytes)
{
    run(10000, 2000, false);

    cr_assert_gt(records, expected[0].length / 1000, "%u", records);
}

Test(batcher, a_record_has_the_time_of_its_latest_declaration_and_the_key_of_its_first)
{
    struct batch_record record;
    struct declaration decoded = {0};
    batcher = batcher_new(&(struct batcher_options){1, 3, MAX_BYTES, false});
    static const int64_t times[] = {5, 9, 7};

    for (int i = 0; i < 3; i++) {
        struct generated declaration = {.declaration = &decoded,
                                        .value = {(const uint8_t *)"\n\1x", 3},
                                        .key = text_of(i == 0 ? "first" : "other"),
                                        .timestamp_ms = times[i]};
        cr_assert_eq(batcher_add(batcher, &declaration, &record), i == 2);
    }

    cr_assert_eq(record.timestamp_ms, 9);
    cr_assert_eq(record.key.length, 5);
    cr_assert_eq(memcmp(record.key.data, "first", 5), 0);
    cr_assert_not(batcher_flush(batcher, &record), "nothing is left");
}
