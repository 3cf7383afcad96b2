/* SPDX-License-Identifier: Apache-2.0
 * fuzz_envelope.c - what a record's value holds (zstd frames, Confluent headers, batches), and the batch that takes it: any bytes.
 *
 * Input:   a byte of options, then the value
 * Checks:  a batch is accepted exactly if protobuf-c's descriptor of its framing accepts it, with as many elements and the same bytes;
 *          every declaration gets an element, in order; nothing is larger than the limit after decompression; twice the same
 */
#include "fuzz.h"

#include "flow/batch.h"

#include "customs/v1/declaration.pb-c.h"

enum { MAX_BYTES = 1 << 16, RECORDS = 2 };

static const struct rules *rules(void)
{
    static struct rules *made;
    struct reference *reference;
    struct zone *zone;
    struct err_info info;
    if (made)
        return made;
    CHECK_SAY(reference_load(DRYPORT_SOURCE "/tests/data/reference", NULL, &reference, &info) == OK, "%s", info.text);
    CHECK_SAY(zone_new("Asia/Shanghai", &zone, &info) == OK, "%s", info.text);
    struct rules_options options = rules_default_options(zone);
    CHECK_SAY(rules_new(&options, reference, &made, &info) == OK, "%s", info.text);
    return made;
}

/* Elements of the value as they come out of the envelope. */
static uint32_t walk(struct envelope *envelope, struct bytes value, enum rule *out_rule, uint64_t *out_hash)
{
    struct bytes bytes;
    int32_t index;
    uint32_t count = 0;
    uint64_t hash = 0;
    *out_rule = envelope_open(envelope, value, false);
    while (*out_rule == RULE_COUNT && envelope_next(envelope, &bytes, &index)) {
        CHECK(index == (envelope->is_batch ? (int32_t)count : -1));
        CHECK(bytes.length <= MAX_BYTES);
        hash = hash_bytes(bytes.length ? bytes.data : value.data, bytes.length, hash + count++);
    }
    CHECK(*out_rule == RULE_COUNT || *out_rule == RULE_STR_001 || *out_rule == RULE_STR_002);
    CHECK(*out_rule != RULE_COUNT || count > 0);
    *out_hash = hash;
    return count;
}

/* A batch of nothing but whole declarations is what protobuf-c takes. Where an element does not decode, protobuf-c refuses the whole, and
 * we the element. */
static void compare_batch(struct bytes value)
{
    static struct envelope envelope;
    static struct arena arena;
    if (!envelope.options.max_bytes) {
        envelope_init(&envelope, &(struct envelope_options){INPUT_BATCH, MAX_BYTES});
        arena_init(&arena, (size_t)256 << 20);
    }
    bool is_plain = value.length > 0 && value.length <= MAX_BYTES &&
                    !(value.length >= 4 && memcmp(value.data, "\x28\xB5\x2F\xFD", 4) == 0);
    if (!is_plain)
        return;
    Customs__V1__DeclarationBatch *theirs = customs__v1__declaration_batch__unpack(NULL, value.length, value.data);
    enum rule rule = envelope_open(&envelope, value, false);
    struct bytes bytes;
    int32_t index;
    size_t count = 0;
    bool decodes = rule == RULE_COUNT;
    while (rule == RULE_COUNT && envelope_next(&envelope, &bytes, &index)) {
        struct declaration declaration;
        bool canonical;
        arena_reset(&arena);
        decodes = wire_decode(bytes, &arena, &declaration, &canonical) == WIRE_OK && decodes;
        count++;
    }
    if (theirs && theirs->n_declarations == 0)
        CHECK(rule == RULE_STR_001);
    else
        CHECK((theirs != NULL) == decodes);
    if (theirs && decodes)
        CHECK(count == theirs->n_declarations && envelope.unknown_fields == theirs->base.n_unknown_fields);
    customs__v1__declaration_batch__free_unpacked(theirs, NULL);
}

/* The way of a worker: two records of that value, and all that is found. */
static uint64_t run(enum input_format format, struct bytes value, uint32_t expected)
{
    static struct batch *batches[INPUT_CONFLUENT + 1];
    struct batch **batch = &batches[format];
    if (!*batch)
        *batch = batch_new(&(struct batch_options){
            .envelope = {format, MAX_BYTES}, .key_check = BATCH_KEY_MURMUR2, .partitions = 3, .rules = rules()});
    struct port_record records[RECORDS] = {0};
    for (int i = 0; i < RECORDS; i++) {
        records[i].offset = 5 + i;
        records[i].timestamp_ms = 1752800000000;
        records[i].key = (struct bytes){(const uint8_t *)"KEY", 3};
        records[i].value = value;
    }
    uint64_t hash = 0;
    size_t next = 0;
    uint32_t seen = 0;
    batch_reset(*batch);
    while (next < RECORDS || (*batch)->record_open) {
        batch_fill(*batch, records, RECORDS, &next);
        batch_decode(*batch);
        batch_judge(*batch);
        CHECK((*batch)->count <= BATCH_DECLARATIONS);
        for (uint32_t i = 0; i < (*batch)->count; i++) {
            const struct element *element = &(*batch)->elements[i];
            const struct findings *findings = &(*batch)->findings[i];
            CHECK(element->broken == RULE_COUNT || findings->reject);
            CHECK(findings->count <= FINDINGS_MOST);
            hash = hash_words2(hash, element->broken, findings->count);
            hash = hash_words2(hash, findings->reject ? 0 : element->digest, (uint64_t)element->index);
            seen++;
        }
    }
    CHECK_SAY(seen == RECORDS * (expected ? expected : 1), "%u of %u", seen, expected);
    return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct envelope envelopes[INPUT_CONFLUENT + 1];
    struct choices choices = choices_of(data, size);
    enum input_format format = (enum input_format)choose(&choices, INPUT_CONFLUENT + 1);
    struct bytes value = choices_rest(&choices);
    if (!envelopes[format].options.max_bytes) {
        wire_init();
        envelope_init(&envelopes[format], &(struct envelope_options){format, MAX_BYTES});
    }
    enum rule rule, again;
    uint64_t hash, hash_again;
    uint32_t count = walk(&envelopes[format], value, &rule, &hash);
    CHECK(walk(&envelopes[format], value, &again, &hash_again) == count && again == rule && hash_again == hash);
    compare_batch(value);
    CHECK(run(format, value, count) == run(format, value, count));
    return 0;
}
