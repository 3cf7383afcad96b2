/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
#include "cmd/feed.h"
#include "cmd/random.h"
#include "cmd/setup.h"
#include "offline/scenario_inside.h"

#include <stdio.h>

enum { PATH_BYTES = 4096, GARBAGE_BYTES = 3 };

/* ---- records ---- */

static void keep(struct scenario_record **list, size_t *count, size_t *capacity, struct scenario_record record)
{
    if (*count == *capacity) {
        *capacity = *capacity ? *capacity * 2 : 64;
        *list = memory_resize(*list, *capacity, sizeof **list);
    }
    (*list)[(*count)++] = record;
}

static void put(const struct scenario *scenario, struct stage *stage, const struct scenario_record *record)
{
    const uint8_t *at = scenario->bytes.data + record->at;
    stage_put(stage, record->partition, (struct bytes){at, record->key_bytes},
              (struct bytes){at + record->key_bytes, record->value_bytes}, record->timestamp_ms);
}

static void arrive(struct scenario *scenario, struct scenario_record record)
{
    if (scenario->is_held[record.partition]) {
        keep(&scenario->held, &scenario->held_count, &scenario->held_capacity, record);
        return;
    }
    keep(&scenario->records, &scenario->record_count, &scenario->record_capacity, record);
    put(scenario, &scenario->stage, &record);
}

static struct scenario_record store(struct scenario *scenario, struct text key, struct bytes value,
                                    int64_t timestamp_ms, int32_t partition)
{
    struct scenario_record record = {scenario->bytes.length, key.length, value.length, timestamp_ms,
                                     partition >= 0 ? partition : stage_partition(&scenario->stage, key)};
    buffer_add(&scenario->bytes, key.data, key.length);
    buffer_add(&scenario->bytes, value.data, value.length);
    return record;
}

void scenario_release(struct scenario *scenario, int32_t partition)
{
    scenario->is_held[partition] = false;
    size_t left = 0;
    for (size_t i = 0; i < scenario->held_count; i++) {
        struct scenario_record record = scenario->held[i];
        if (record.partition == partition)
            arrive(scenario, record);
        else
            scenario->held[left++] = record;
    }
    scenario->held_count = left;
}

void scenario_put_again(const struct scenario *scenario, struct stage *stage)
{
    for (size_t i = 0; i < scenario->record_count; i++)
        put(scenario, stage, &scenario->records[i]);
}

void scenario_input_fini(struct scenario *scenario)
{
    for (size_t i = 0; i < scenario->memo_count; i++)
        memory_free(scenario->memos[i]);
    memory_free(scenario->memos);
    memory_free(scenario->records);
    memory_free(scenario->held);
    buffer_fini(&scenario->bytes);
}

/* ---- declarations ---- */

static struct scenario_memo *find_memo(const struct scenario *scenario, struct text id)
{
    for (size_t i = 0; i < scenario->memo_count; i++) {
        if (text_equal(scenario->memos[i]->draft.declaration.declaration_id, id))
            return scenario->memos[i];
    }
    return NULL;
}

static struct scenario_memo *add_memo(struct scenario *scenario)
{
    scenario->memos = memory_resize(scenario->memos, scenario->memo_count + 1, sizeof scenario->memos[0]);
    struct scenario_memo *memo = memory_new(1, sizeof *memo);
    scenario->memos[scenario->memo_count++] = memo;
    return memo;
}

static enum err read_clock(void *self, struct text text, int64_t *out_ms, struct err_info *info)
{
    return scenario_time(self, text, out_ms, info);
}

/* Words that belong to the record and not to the declaration: `timestamp=TIME`. */
struct wrapping {
    int64_t timestamp_ms;
    struct text words[SCRIPT_WORDS_MOST];
    int count;
};

static enum err unwrap(struct scenario *scenario, struct scenario_words words, struct wrapping *out,
                       struct err_info *info)
{
    *out = (struct wrapping){.timestamp_ms = scenario->now_ms};
    for (int i = 0; i < words.count; i++) {
        struct text value = words.words[i];
        if (text_is(text_cut(&value, '='), "timestamp"))
            TRY(scenario_time(scenario, value, &out->timestamp_ms, info));
        else
            out->words[out->count++] = words.words[i];
    }
    return OK;
}

static uint32_t local_date(int64_t ms)
{
    char text[SCENARIO_TIME_BYTES];
    unsigned year, month, day;
    scenario_time_text(ms, text);
    return sscanf(text, "%4u-%2u-%2u", &year, &month, &day) == 3 ? year * 10000 + month * 100 + day : 0;
}

/* The draft of an id after this line. */
static enum err begin(struct scenario *scenario, struct text verb, struct text id, const struct wrapping *wrapping,
                      struct scenario_memo **out, struct err_info *info)
{
    const struct config *config = &scenario->options->config;
    struct scenario_memo *memo = find_memo(scenario, id);
    struct draft fresh;
    draft_init(&fresh, id, config->reporter, config->reporting_currency, wrapping->timestamp_ms,
               local_date(wrapping->timestamp_ms));
    if (text_is(verb, "declare")) {
        *out = memo ? memo : add_memo(scenario);
        (*out)->draft = fresh;
        return OK;
    }
    if (!memo) { /* an amendment that comes before what it amends */
        memo = add_memo(scenario);
        memo->draft = fresh;
    }
    *out = memo;
    if (text_is(verb, "cancel")) {
        draft_cancel(&memo->draft, memo->draft.declaration.version);
        return OK;
    }
    if (!text_is(verb, "amend"))
        return scenario_error(scenario, info, "\"%.*s\" is no step", TEXT_ARGS(verb));
    if (memo->draft.declaration.function == FUNCTION_CANCEL) { /* what a cancel lacks is there again */
        fresh.declaration.version = memo->draft.declaration.version;
        memo->draft = fresh;
    }
    memo->draft.declaration.function = FUNCTION_REPLACE;
    memo->draft.declaration.version++;
    memo->draft.declaration.submitted_at_ms = wrapping->timestamp_ms;
    return OK;
}

static enum err repeat(struct scenario *scenario, struct text id, const struct wrapping *wrapping, int32_t partition,
                       struct err_info *info)
{
    const struct scenario_memo *memo = find_memo(scenario, id);
    if (!memo)
        return scenario_error(scenario, info, "nothing was sent with the id %.*s", TEXT_ARGS(id));
    struct scenario_record record = scenario->records[memo->record];
    record.timestamp_ms = wrapping->timestamp_ms;
    if (partition >= 0)
        record.partition = partition;
    arrive(scenario, record);
    return OK;
}

static void send_garbage(struct scenario *scenario, struct text id, const struct wrapping *wrapping, int32_t partition)
{
    static const uint8_t garbage[GARBAGE_BYTES] = {0x0A, 0xFF, 0x01};
    struct bytes value = {garbage, sizeof garbage};
    arrive(scenario, store(scenario, id, value, wrapping->timestamp_ms, partition));
}

enum err scenario_declare(struct scenario *scenario, struct text verb, struct scenario_words words, int32_t partition,
                          struct err_info *info)
{
    if (words.count == 0)
        return scenario_error(scenario, info, "\"%.*s\": a step and what it is about", TEXT_ARGS(verb));
    struct text id = words.words[0];
    struct wrapping wrapping;
    TRY(unwrap(scenario, (struct scenario_words){words.words + 1, words.count - 1}, &wrapping, info));
    if (text_is(verb, "again"))
        return repeat(scenario, id, &wrapping, partition, info);
    if (text_is(verb, "garbage")) {
        send_garbage(scenario, id, &wrapping, partition);
        return OK;
    }
    struct scenario_memo *memo;
    TRY(begin(scenario, verb, id, &wrapping, &memo, info));
    struct draft_clock clock = {read_clock, scenario};
    struct err_info why;
    if (draft_write(&memo->draft, wrapping.words, wrapping.count, &clock, &why) != OK)
        return scenario_error(scenario, info, "%s", why.text);
    struct buffer value = {0};
    draft_encode(&memo->draft, &value);
    memo->record = scenario->record_count;
    arrive(scenario, store(scenario, id, buffer_bytes(&value), wrapping.timestamp_ms, partition));
    buffer_fini(&value);
    return OK;
}

/* ---- load ---- */

struct loading {
    char file[PATH_BYTES];
    char map[PATH_BYTES];
    int64_t shuffle;
    int64_t from_ms; /* of the arrival; SCENARIO_NO_TIME: each when it was accepted */
    int64_t to_ms;
    struct scenario_record *records;
    size_t count;
    size_t capacity;
};

static enum err read_arrival(struct scenario *scenario, struct text span, struct loading *loading,
                             struct err_info *info)
{
    for (uint32_t i = 0; i + 1 < span.length; i++) {
        if (span.data[i] != '.' || span.data[i + 1] != '.')
            continue;
        struct text from = {span.data, i};
        struct text to = {span.data + i + 2, span.length - i - 2};
        TRY(scenario_time(scenario, from, &loading->from_ms, info));
        return scenario_time(scenario, to, &loading->to_ms, info);
    }
    return scenario_error(scenario, info, "write arrival=FROM..TO");
}

static enum err read_words(struct scenario *scenario, struct scenario_words words, struct loading *loading,
                           struct err_info *info)
{
    if (words.count == 0)
        return scenario_error(scenario, info, "`load FILE [map=FILE] [shuffle=SEED] [arrival=FROM..TO]`");
    snprintf(loading->file, sizeof loading->file, "%.*s", TEXT_ARGS(words.words[0]));
    for (int i = 1; i < words.count; i++) {
        struct text value = words.words[i];
        struct text name = text_cut(&value, '=');
        if (text_is(name, "map"))
            snprintf(loading->map, sizeof loading->map, "%.*s", TEXT_ARGS(value));
        else if (text_is(name, "arrival"))
            TRY(read_arrival(scenario, value, loading, info));
        else if (!text_is(name, "shuffle") || !text_to_int64(value, &loading->shuffle))
            return scenario_error(scenario, info, "load: \"%.*s\" is not known", TEXT_ARGS(words.words[i]));
    }
    return OK;
}

static enum err read_feed(struct scenario *scenario, struct loading *loading, struct mapping *mapping,
                          struct err_info *info)
{
    struct feed *feed;
    TRY(feed_open(loading->file, mapping, &feed, info));
    struct feed_record record;
    bool more = true;
    struct buffer value = {0};
    enum err err;
    while ((err = feed_next(feed, &record, &more, info)) == OK && more) {
        if (!record.declaration) {
            err = scenario_error(scenario, info, "%s: record %llu has no declaration", loading->file,
                                 (unsigned long long)record.number);
            break;
        }
        buffer_clear(&value);
        wire_encode(record.declaration, &value);
        keep(&loading->records, &loading->count, &loading->capacity,
             store(scenario, record.declaration->declaration_id, buffer_bytes(&value),
                   record.declaration->accepted_at_ms, -1));
    }
    buffer_fini(&value);
    feed_close(feed);
    return err;
}

static void shuffle(struct loading *loading)
{
    struct random random = random_of((uint64_t)loading->shuffle);
    for (size_t i = loading->count; loading->shuffle && i > 1; i--) {
        size_t j = (size_t)random_below(&random, (uint32_t)i);
        struct scenario_record swap = loading->records[i - 1];
        loading->records[i - 1] = loading->records[j];
        loading->records[j] = swap;
    }
}

/* Evenly over the span, in their order; none before it was accepted. */
static void arrive_over_time(struct loading *loading)
{
    int64_t span_ms = loading->to_ms - loading->from_ms;
    for (size_t i = 0; i < loading->count && loading->from_ms != SCENARIO_NO_TIME; i++) {
        int64_t at_ms = loading->from_ms + span_ms * (int64_t)i / (int64_t)loading->count;
        if (loading->records[i].timestamp_ms < at_ms)
            loading->records[i].timestamp_ms = at_ms;
    }
}

enum err scenario_load(struct scenario *scenario, struct scenario_words words, struct err_info *info)
{
    struct loading loading = {.from_ms = SCENARIO_NO_TIME};
    struct mapping *mapping = NULL;
    enum err err = read_words(scenario, words, &loading, info);
    if (err == OK && loading.map[0])
        err = mapping_open(loading.map, setup_currencies(scenario->assembly.reference), &mapping, info);
    if (err == OK)
        err = read_feed(scenario, &loading, mapping, info);
    if (err == OK) {
        shuffle(&loading);
        arrive_over_time(&loading);
        for (size_t i = 0; i < loading.count; i++)
            arrive(scenario, loading.records[i]);
    }
    mapping_free(mapping);
    memory_free(loading.records);
    return err;
}
