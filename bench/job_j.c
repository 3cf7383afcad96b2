/* SPDX-License-Identifier: Apache-2.0
 * job_j.c - job J (job_j.h) over our own rooms: the wire decoder of flow/ and the table of base/, one thread beside librdkafka's.
 *
 * In:      BROKERS INPUT OUTPUT [-X name=value]...: both topics exist        Out: one JSON line; cells in OUTPUT
 * Stages:  64 declarations at a time: decode all, ask for the cells of all items, then add
 * Why:     other programs of this job keep no ledger, and `dryport run` can not go without one: so its parts are compared
 */
#include "job_j.h"

#include "base/arena.h"
#include "base/memory.h"
#include "base/table.h"
#include "flow/wire.h"

enum { BATCH = 64, COPY_MOST = 4096, ITEMS_AT_ONCE = 1024, CELLS_EXPECTED = 1 << 20, ARENA_BYTES = 64 << 20 };

struct cell {
    struct job_j_sums sums;
    bool dirty;
};

struct add {
    struct table_key key;
    uint64_t hash;
    int64_t value;
    int64_t mass_mg;
};

struct job {
    struct table *table;
    struct arena arena;
    uint8_t copies[BATCH * COPY_MOST + WIRE_PAD_BYTES];
    struct add adds[ITEMS_AT_ONCE];
    size_t add_count;
    uint32_t *dirty;
    size_t dirty_count;
    size_t dirty_capacity;
    int64_t invalid;
    int64_t written;
    struct job_j_sums total;
};

static void add_cell(struct job *job, const struct add *add)
{
    bool added;
    uint32_t index = table_put(job->table, &add->key, add->hash, &added);
    struct cell *cell = table_value(job->table, index);
    cell->sums.count++;
    cell->sums.value += add->value;
    cell->sums.mass_mg += add->mass_mg;
    if (cell->dirty)
        return;
    cell->dirty = true;
    if (job->dirty_count == job->dirty_capacity) {
        job->dirty_capacity = job->dirty_capacity ? 2 * job->dirty_capacity : CELLS_EXPECTED;
        job->dirty = memory_resize(job->dirty, job->dirty_capacity, sizeof job->dirty[0]);
    }
    job->dirty[job->dirty_count++] = index;
}

static void add_all(struct job *job)
{
    for (size_t i = 0; i < job->add_count; i++)
        table_prefetch_entry(job->table, job->adds[i].hash);
    for (size_t i = 0; i < job->add_count; i++)
        add_cell(job, &job->adds[i]);
    job->add_count = 0;
}

static bool is_valid(const struct declaration *declaration, int64_t rate)
{
    if (declaration->declaration_id.length == 0 || rate == 0 || declaration->items.count == 0 ||
        declaration->items.count != declaration->item_count || declaration->accepted_at_ms < 0)
        return false;
    for (uint32_t i = 0; i < declaration->items.count; i++) {
        const struct item *item = &declaration->items.items[i];
        if (job_j_code(item->hs_code.data, item->hs_code.length) == 0 || item->net_mass_mg <= 0 ||
            item->invoice_value_minor < 0)
            return false;
    }
    return true;
}

static void take(struct job *job, const struct declaration *declaration)
{
    struct text currency = declaration->invoice_currency;
    int64_t rate = job_j_rate(currency.data, currency.length);
    if (!is_valid(declaration, rate)) {
        job->invalid++;
        return;
    }
    uint64_t hour = (uint64_t)declaration->accepted_at_ms / JOB_J_HOUR_MS;
    for (uint32_t i = 0; i < declaration->items.count; i++) {
        const struct item *item = &declaration->items.items[i];
        if (job->add_count == ITEMS_AT_ONCE)
            add_all(job);
        struct add *add = &job->adds[job->add_count++];
        add->key = (struct table_key){{job_j_code(item->hs_code.data, item->hs_code.length), hour}};
        add->hash = table_hash(&add->key);
        add->value = item->invoice_value_minor * rate;
        add->mass_mg = item->net_mass_mg;
        table_prefetch(job->table, add->hash);
        job->total.count++;
        job->total.value += add->value;
        job->total.mass_mg += add->mass_mg;
    }
}

static void take_batch(struct job *job, rd_kafka_message_t **messages, long count)
{
    static struct declaration declaration;
    size_t at = 0;
    arena_reset(&job->arena);
    for (long i = 0; i < count; i++) {
        struct bytes bytes = {messages[i]->payload, messages[i]->len};
        bool canonical;
        enum wire_result result;
        if (i + 2 < count)
            __builtin_prefetch(messages[i + 2]->payload);
        if (bytes.length <= COPY_MOST) { /* so that bytes behind it may be loaded, whoever they belong to */
            if (bytes.length > 0)
                memcpy(job->copies + at, bytes.data, bytes.length);
            bytes.data = job->copies + at;
            at += bytes.length;
            result = wire_decode_padded(bytes, &job->arena, &declaration, &canonical);
        } else {
            result = wire_decode(bytes, &job->arena, &declaration, &canonical);
        }
        if (result == WIRE_OK)
            take(job, &declaration);
        else
            job->invalid++;
    }
    add_all(job);
}

static void publish(struct job *job, rd_kafka_t *writer, rd_kafka_topic_t *topic)
{
    for (size_t i = 0; i < job->dirty_count; i++) {
        const struct table_key *key = table_key(job->table, job->dirty[i]);
        struct cell *cell = table_value(job->table, job->dirty[i]);
        cell->dirty = false;
        job_j_write(writer, topic, key->word[0], (int64_t)key->word[1], &cell->sums);
    }
    job->written += (int64_t)job->dirty_count;
    job->dirty_count = 0;
}

int main(int argc, char **argv)
{
    if (argc < 4 || argc % 2 != 0) {
        fprintf(stderr, "usage: job_j BROKERS INPUT OUTPUT [-X name=value]...\n");
        return BENCH_EXIT_USAGE;
    }
    static struct topic_reader reader;
    static struct job job;
    double started = bench_now_s();
    double published = started;
    bench_name("job_j");
    wire_init();
    job.table = table_new_with_values(CELLS_EXPECTED, sizeof(struct cell));
    arena_init(&job.arena, ARENA_BYTES);
    rd_kafka_t *writer = topic_writer_open(argv[1], 50);
    rd_kafka_topic_t *topic = topic_writer_topic(writer, argv[3]);
    topic_reader_open(&reader, argv[1], argv[2], false, argv + 4, argc - 4);
    for (long count; (count = topic_reader_take(&reader)) > 0;) {
        for (long from = 0; from < count; from += BATCH)
            take_batch(&job, reader.batch + from, count - from < BATCH ? count - from : BATCH);
        for (long i = 0; i < count; i++)
            rd_kafka_message_destroy(reader.batch[i]);
        if (bench_now_s() - published >= JOB_J_PUBLISH_MS / 1000.0) {
            published = bench_now_s();
            publish(&job, writer, topic);
        }
    }
    publish(&job, writer, topic);
    topic_writer_finish(writer);
    job_j_print(reader.taken, job.invalid, table_count(job.table), job.written, &job.total, bench_now_s() - started);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(writer);
    topic_reader_close(&reader);
    table_free(job.table);
    arena_fini(&job.arena);
    memory_free(job.dirty);
    return 0;
}
