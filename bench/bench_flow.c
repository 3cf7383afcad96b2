/* SPDX-License-Identifier: Apache-2.0
 * bench_flow.c - the whole of flow/ without Kafka: declarations of a .pb file through decode, rules, ledger, tally, journal and
 * publisher on the broker in memory, one thread.
 *
 * usage: bench_flow FILE.pb REFERENCE_DIR [REPEAT [PARTITIONS]]      (FILE from `dryport generate --out FILE.pb`)
 * Prints CPU nanoseconds a declaration, journal bytes a declaration, statistics written.
 */
#include "pb_file.h"

#include "base/memory.h"
#include "sim/host.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { PARTITIONS_USUAL = 4, PARTITIONS_MOST = 64 };

static int32_t partitions = PARTITIONS_USUAL; /* all of one worker */

static int64_t fill(struct world *world, const struct buffer *file)
{
    struct reader reader = reader_of(buffer_bytes(file));
    struct arena arena;
    struct port_record record;
    int64_t count = 0;
    arena_init(&arena, 64 << 20);
    while (pb_next(&reader, partitions, &arena, &record)) {
        world_put(
            world, PORT_DECLARATIONS, record.partition,
            &(struct world_record){.key = record.key, .value = record.value, .timestamp_ms = record.timestamp_ms});
        count++;
    }
    arena_fini(&arena);
    return count;
}

static int64_t log_bytes(const struct world *world, enum port_topic topic, int64_t *records)
{
    int64_t bytes = 0;
    for (int32_t p = 0; p < partitions; p++) {
        for (int64_t o = 0; o < world_next(world, topic, p); o++, ++*records)
            bytes += (int64_t)world_at(world, topic, p, o)->value.length;
    }
    return bytes;
}

/* Bytes of the journal a declaration, by kind of frame and section, and how many cells and ledger entries stand there. */
static void show_sections(const struct world *world, int64_t count)
{
    static const char *const names[] = {
        [SECTION_CELLS] = "cells", [SECTION_LEDGER] = "ledger", [SECTION_CODES] = "codes", [SECTION_LISTED] = "listed"};
    int64_t bytes[2][SECTION_LEDGER + 1] = {{0}};
    int64_t cells[2] = {0};
    for (int32_t p = 0; p < partitions; p++) {
        for (int64_t o = 0; o < world_next(world, PORT_JOURNAL, p); o++) {
            struct frame frame;
            struct err_info info;
            enum frame_section section;
            struct bytes at;
            bool broken = false;
            if (frame_parse(world_at(world, PORT_JOURNAL, p, o)->value, &frame, &info) != OK)
                continue;
            bool snap = frame.kind == FRAME_SNAP;
            struct reader reader = reader_of(frame.payload);
            while (frame_next_section(&reader, &section, &at, &broken)) {
                if (section <= SECTION_LEDGER)
                    bytes[snap][section] += (int64_t)at.length;
                if (section == SECTION_CELLS) {
                    struct reader inside = reader_of(at);
                    reader_varint(&inside);
                    cells[snap] += reader_u32(&inside);
                }
            }
        }
    }
    for (int snap = 0; snap < 2; snap++) {
        printf("%s: %.2f cells a declaration;", snap ? "SNAP" : "DATA", (double)cells[snap] / (double)count);
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            if (names[i])
                printf(" %s %.1f", names[i], (double)bytes[snap][i] / (double)count);
        }
        printf(" bytes a declaration\n");
    }
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: bench_flow FILE.pb REFERENCE_DIR [REPEAT [PARTITIONS]]\n");
        return 64;
    }
    struct reference *reference;
    struct rules *rules = pb_rules(argv[2], &reference);
    struct view_plan plan;
    view_plan_default(&plan);
    struct buffer file = pb_read(argv[1]);
    wire_init();
    int64_t rounds = 3;
    if (argc > 3 && !text_to_int64(text_of(argv[3]), &rounds))
        rounds = 1;
    int64_t wanted = PARTITIONS_USUAL;
    if (argc > 4 && (!text_to_int64(text_of(argv[4]), &wanted) || wanted < 1 || wanted > PARTITIONS_MOST))
        wanted = PARTITIONS_USUAL;
    partitions = (int32_t)wanted;
    for (int64_t round = 0; round < rounds; round++) {
        struct world *world = world_new(partitions, partitions);
        world_set_now(world, 1767225600000);
        int64_t count = fill(world, &file);
        struct host_options host_options = {
            .rules = rules,
            .reference = reference,
            .plan = &plan,
            .plan_id = 1,
            .frame_interval_ms = 250,
            .key_check = BATCH_KEY_OFF,
            .partitions = partitions,
            .statistics_partitions = partitions,
            .seed = 1,
            .reporter = "CN",
            .currency = "CNY",
        };
        double begin = pb_cpu_s();
        struct host *host = host_new(world, &host_options);
        bool settled = host_settle(host, 3600);
        double seconds = pb_cpu_s() - begin;
        int64_t frames = 0;
        int64_t statistics = 0;
        int64_t journal = log_bytes(world, PORT_JOURNAL, &frames);
        log_bytes(world, PORT_STATISTICS, &statistics);
        printf("%" PRId64 " declarations%s: %.0f ns each, journal %.1f bytes each in %" PRId64 " frames, %" PRId64
               " statistics, counted %" PRId64 "\n",
               count, settled ? "" : " (NOT SETTLED)", seconds * 1e9 / (double)count, (double)journal / (double)count,
               frames, statistics, counter_read(&host_counters(host)->verdicts[VERDICT_COUNTED]));
        show_sections(world, count);
        host_kill(host);
        world_free(world);
    }
    buffer_fini(&file);
    rules_free(rules);
    reference_free(reference);
    return 0;
}
