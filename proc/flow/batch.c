/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/batch.h"

#include "base/check.h"
#include "base/memory.h"

enum { LOOK_AHEAD = 8, CACHE_LINE = 64 };

struct batch *batch_new(const struct batch_options *options)
{
    struct batch *batch = memory_new(1, sizeof *batch);
    batch->options = *options;
    envelope_init(&batch->envelope, &options->envelope);
    arena_init(&batch->arena, BATCH_ARENA_BYTES);
    return batch;
}

void batch_free(struct batch *batch)
{
    if (!batch)
        return;
    envelope_fini(&batch->envelope);
    arena_fini(&batch->arena);
    buffer_fini(&batch->scratch);
    buffer_fini(&batch->copies);
    memory_free(batch);
}

void batch_judge_by(struct batch *batch, const struct rules *rules)
{
    batch->options.rules = rules;
}

void batch_reset(struct batch *batch)
{
    batch->record_open = false;
    batch->count = 0;
}

static void add(struct batch *batch, const struct port_record *record, struct bytes bytes, int32_t index,
                enum rule broken)
{
    struct element *element = &batch->elements[batch->count++];
    element->record = record;
    element->bytes = bytes;
    element->index = index;
    element->broken = broken;
}

/* True if the declarations of the open record lie in the envelope's own memory. */
static bool in_envelope(const struct batch *batch, struct bytes bytes)
{
    const struct buffer *plain = &batch->envelope.plain;
    return plain->data && bytes.data >= plain->data && bytes.data < plain->data + plain->capacity;
}

/* One record, or as much of it as there is room for. True if the batch must end with it. */
static bool take_record(struct batch *batch, const struct port_record *record, size_t *next)
{
    if (!batch->record_open) {
        enum rule broken = envelope_open(&batch->envelope, record->value, record->is_null);
        if (broken != RULE_COUNT) {
            add(batch, record, record->value, -1, broken);
            ++*next;
            return false;
        }
        batch->record_open = true;
        batch->unknown_fields += batch->envelope.unknown_fields;
    }
    bool ends = false;
    struct bytes bytes;
    int32_t index;
    while (batch->envelope.rest.length > 0) {
        if (batch->count == BATCH_DECLARATIONS)
            return true;
        const struct bytes rest = batch->envelope.rest;
        const int32_t next_index = batch->envelope.next_index;
        if (!envelope_next(&batch->envelope, &bytes, &index))
            break;
        if (batch->count > 0 && batch->bytes + bytes.length > BATCH_BYTES) { /* it is the next batch's first */
            batch->envelope.rest = rest;
            batch->envelope.next_index = next_index;
            return true;
        }
        add(batch, record, bytes, index, RULE_COUNT);
        batch->bytes += bytes.length;
        ends = ends || in_envelope(batch, bytes);
    }
    batch->record_open = false;
    ++*next;
    return ends;
}

void batch_fill(struct batch *batch, const struct port_record *records, size_t count, size_t *next)
{
    bool continues = batch->record_open;
    batch->count = 0;
    batch->bytes = 0;
    batch->unknown_fields = 0;
    arena_reset(&batch->arena);
    while (*next < count && batch->count < BATCH_DECLARATIONS) {
        if (*next + LOOK_AHEAD < count)
            __builtin_prefetch(records[*next + LOOK_AHEAD].value.data);
        if (take_record(batch, &records[*next], next) || continues)
            break;
    }
}

/* Its first line has been looked at. */
static void look_ahead(const struct element *element)
{
    for (size_t at = CACHE_LINE; at < element->bytes.length && at < (size_t)4 * CACHE_LINE; at += CACHE_LINE)
        __builtin_prefetch(element->bytes.data + at);
}

/* Declarations stand one behind the other, so that behind each as many bytes may be loaded as the decoder wants. */
static struct bytes padded(struct batch *batch, struct bytes bytes)
{
    uint8_t *copy = batch->copies.data + batch->copies.length;
    if (bytes.length)
        memcpy(copy, bytes.data, bytes.length);
    memset(copy + bytes.length, 0, WIRE_PAD_BYTES);
    batch->copies.length += bytes.length;
    return (struct bytes){copy, bytes.length};
}

void batch_decode(struct batch *batch)
{
    buffer_clear(&batch->copies);
    buffer_reserve(&batch->copies, batch->bytes + WIRE_PAD_BYTES);
    for (uint32_t i = 0; i < batch->count; i++) {
        struct element *element = &batch->elements[i];
        if (i + 2 < batch->count)
            look_ahead(&batch->elements[i + 2]);
        if (element->broken == RULE_COUNT)
            element->bytes = padded(batch, element->bytes);
    }
    for (uint32_t i = 0; i < batch->count; i++) {
        struct element *element = &batch->elements[i];
        if (element->broken != RULE_COUNT)
            continue;
        enum wire_result result =
            wire_decode_padded(element->bytes, &batch->arena, &batch->declarations[i], &element->canonical);
        if (result != WIRE_OK)
            element->broken = result == WIRE_MALFORMED ? RULE_STR_002 : RULE_STR_001;
    }
}

static int32_t partition_of(enum batch_key_check check, struct text id, int32_t partitions)
{
    if (check == BATCH_KEY_CRC32)
        return (int32_t)(hash_crc32(id.data, id.length) % (uint32_t)partitions);
    return hash_partition(id.data, id.length, partitions);
}

/* A single record's key must be its id; in a batch, and where the site says so, the id must belong to this partition.
 */
static enum key_check check_key(const struct batch_options *options, const struct element *element,
                                const struct declaration *declaration)
{
    if (options->key_check == BATCH_KEY_OFF)
        return KEY_OFF;
    struct bytes key = element->record->key;
    struct text id = declaration->declaration_id;
    if (options->key_check == BATCH_KEY_ID && element->index < 0)
        return key.length == id.length && (id.length == 0 || memcmp(key.data, id.data, id.length) == 0) ? KEY_RIGHT
                                                                                                        : KEY_WRONG;
    return partition_of(options->key_check, id, options->partitions) == element->record->partition ? KEY_RIGHT
                                                                                                   : KEY_WRONG;
}

void batch_judge(struct batch *batch)
{
    const struct rules *rules = batch->options.rules;
    for (uint32_t i = 0; i < batch->count; i++) {
        struct element *element = &batch->elements[i];
        struct findings *findings = &batch->findings[i];
        const struct declaration *declaration = &batch->declarations[i];
        if (element->broken != RULE_COUNT) {
            findings_clear(findings);
            rules_add(rules, findings, element->broken, -1, NULL);
            continue;
        }
        struct rules_context context = {element->record->timestamp_ms,
                                        check_key(&batch->options, element, declaration)};
        rules_judge(rules, declaration, &context, findings);
        if (!findings->reject)
            element->digest = wire_digest(element->bytes, declaration, element->canonical, &batch->scratch);
    }
}

void batch_accept(struct batch *batch, uint32_t index)
{
    struct element *element = &batch->elements[index];
    struct findings *findings = &batch->findings[index];
    CHECK(element->broken == RULE_COUNT);
    if (findings->reject)
        element->digest = wire_digest(element->bytes, &batch->declarations[index], element->canonical, &batch->scratch);
    findings->reject = false;
    findings->count = 0;
}

void batch_reject(struct batch *batch, uint32_t index, enum rule rule)
{
    struct findings *findings = &batch->findings[index];
    findings->reject = true;
    findings->count = 1;
    findings->list[0] = (struct finding){.rule = (uint16_t)rule, .severity = SEVERITY_REJECT, .item = -1};
}
