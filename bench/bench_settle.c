/* SPDX-License-Identifier: Apache-2.0
 * bench_settle.c - what settling costs a declaration, alone: ledger, contribution, tally. Decoding and judging happen before each batch, as
 * in life, so caches are as cold as they are there; only settle_batch is counted.
 *
 * usage: bench_settle FILE.pb REFERENCE_DIR [DECLARATIONS_A_GROUP]      (FILE from `dryport generate --out FILE.pb`)
 * Out:     user instructions, cycles and misses a declaration as the processor counts them; distinct cells a group
 */
#define _GNU_SOURCE /* syscall */
#include "pb_file.h"

#include "base/memory.h"
#include "flow/seal.h"
#include "flow/settle.h"

#include <inttypes.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PARTITIONS = 4, TURN = 512, GROUP_USUAL = 16384, DTLB_MISSES = 3 | 0 << 8 | 1 << 16 };

static const struct {
    const char *name;
    uint32_t type;
    uint64_t config;
} events[] = {
    {"instructions", PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS},
    {"cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES},
    {"branch misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_MISSES},
    {"cache misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES},
    {"dTLB load misses", PERF_TYPE_HW_CACHE, DTLB_MISSES},
};
enum { EVENTS = sizeof events / sizeof events[0] };

struct reading {
    uint64_t count;
    uint64_t values[EVENTS];
};

struct lane {
    struct partition partition;
    struct partition_status status;
    struct port_record *records;
    size_t count;
    size_t capacity;
    size_t next;
};

struct bench {
    int leader;
    uint64_t sums[EVENTS];
    struct worker_counters counters;
    struct partition_context context;
    struct lane lanes[PARTITIONS];
    uint64_t declarations;
    uint64_t groups;
    uint64_t cells;
};

static uint64_t no_random(void *context)
{
    (void)context;
    return 0;
}

static int open_counters(void)
{
    int leader = -1;
    for (int i = 0; i < EVENTS; i++) {
        struct perf_event_attr attr = {.type = events[i].type,
                                       .size = sizeof attr,
                                       .config = events[i].config,
                                       .exclude_kernel = 1,
                                       .exclude_hv = 1,
                                       .read_format = PERF_FORMAT_GROUP};
        int fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, leader, 0);
        if (fd < 0) {
            perror("perf_event_open: no counters, only cells and bytes");
            return -1;
        }
        if (leader < 0)
            leader = fd;
    }
    return leader;
}

static void read_counters(const struct bench *bench, struct reading *out)
{
    *out = (struct reading){0};
    if (bench->leader >= 0 && read(bench->leader, out, sizeof *out) != (ssize_t)sizeof *out) {
        perror("read");
        exit(69);
    }
}

static void fill(struct bench *bench, const struct buffer *file)
{
    struct reader reader = reader_of(buffer_bytes(file));
    struct arena arena;
    struct port_record record;
    arena_init(&arena, 64 << 20);
    while (pb_next(&reader, PARTITIONS, &arena, &record)) {
        struct lane *lane = &bench->lanes[record.partition];
        if (lane->count == lane->capacity) {
            lane->capacity = lane->capacity ? lane->capacity * 2 : 1024;
            lane->records = memory_resize(lane->records, lane->capacity, sizeof lane->records[0]);
        }
        record.offset = (int64_t)lane->count;
        lane->records[lane->count++] = record;
    }
    arena_fini(&arena);
}

static void turn(struct bench *bench, struct lane *lane, int64_t group)
{
    struct batch *batch = bench->context.batch;
    size_t end = lane->next + TURN < lane->count ? lane->next + TURN : lane->count;
    while (lane->next < end) {
        batch_fill(batch, lane->records, end, &lane->next);
        batch_decode(batch);
        batch_judge(batch);
        struct err_info info;
        struct reading before;
        struct reading after;
        read_counters(bench, &before);
        enum err err = settle_batch(&lane->partition, batch, &info);
        read_counters(bench, &after);
        if (err != OK) {
            fprintf(stderr, "%s\n", info.text);
            exit(1);
        }
        for (int i = 0; i < EVENTS; i++)
            bench->sums[i] += after.values[i] - before.values[i];
        bench->declarations += batch->count;
    }
    if (lane->partition.open.declarations >= group || lane->next == lane->count) {
        bench->groups += lane->partition.open.declarations > 0;
        bench->cells += tally_cells_most(lane->partition.state.tally);
        seal_begin(&lane->partition);
    }
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: bench_settle FILE.pb REFERENCE_DIR [DECLARATIONS_A_GROUP]\n");
        return 64;
    }
    int64_t group = GROUP_USUAL;
    if (argc > 3 && (!text_to_int64(text_of(argv[3]), &group) || group < 1))
        group = GROUP_USUAL;
    struct reference *reference;
    struct rules *rules = pb_rules(argv[2], &reference);
    static struct view_plan plan;
    view_plan_default(&plan);
    wire_init();
    const struct ruleset ruleset = {1, rules, reference, 1};
    struct buffer file = pb_read(argv[1]);
    struct bench *bench = memory_new_aligned(64, sizeof *bench);
    struct batch_options batch = {
        .envelope = {INPUT_AUTO, 1 << 20}, .key_check = BATCH_KEY_OFF, .partitions = PARTITIONS, .rules = rules};
    bench->leader = open_counters();
    bench->context = (struct partition_context){
        .plan = &plan,
        .ruleset = &ruleset,
        .topic = text_of("bench"),
        .random = no_random,
        .batch = batch_new(&batch),
        .counters = &bench->counters,
    };
    fill(bench, &file);
    for (int i = 0; i < PARTITIONS; i++) {
        struct partition *partition = &bench->lanes[i].partition;
        partition_init(partition, &bench->context, &bench->lanes[i].status, i);
        state_init(&partition->state, &plan, (uint64_t)i + 1);
        partition->has_state = true;
        seal_begin(partition);
    }
    for (bool more = true; more;) {
        more = false;
        for (int i = 0; i < PARTITIONS; i++) {
            turn(bench, &bench->lanes[i], group);
            more = more || bench->lanes[i].next < bench->lanes[i].count;
        }
    }
    double each = 1 / (double)bench->declarations;
    printf("%" PRIu64 " declarations, groups of %" PRId64
           ", %.0f cells a group\n\n| settle_batch | a declaration |\n|---|---|\n",
           bench->declarations, group, (double)bench->cells / (double)bench->groups);
    for (int i = 0; i < EVENTS; i++)
        printf("| %s | %.2f |\n", events[i].name, (double)bench->sums[i] * each);
    size_t ledger = 0;
    for (int i = 0; i < PARTITIONS; i++) {
        ledger += ledger_bytes(bench->lanes[i].partition.state.ledger);
        partition_fini(&bench->lanes[i].partition);
        memory_free(bench->lanes[i].records);
    }
    printf("| ledger bytes | %.1f |\n", (double)ledger * each);
    batch_free(bench->context.batch);
    contribution_fini(&bench->context.fresh);
    contribution_fini(&bench->context.stored);
    buffer_fini(&bench->context.bytes);
    memory_free(bench);
    buffer_fini(&file);
    rules_free(rules);
    reference_free(reference);
    return 0;
}
