/* SPDX-License-Identifier: Apache-2.0
 * bench_judge.c - what decoding and judging cost: the stages of flow/batch over declarations of a .pb file, one thread.
 *
 * usage: bench_judge FILE.pb REFERENCE_DIR [ROUNDS [STAGES]]      (FILE from `dryport generate --out FILE.pb`)
 *        STAGES  1 fill · 2 and decode · 3 and judge (default): the difference of two runs under `perf stat` is a stage
 * Prints CPU nanoseconds a declaration, and a sum over all findings and digests that must stay as it is.
 */
#include "pb_file.h"

#include "base/hash.h"
#include "base/memory.h"
#include "flow/batch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { RECORDS_MOST = 1 << 20 };

static size_t records_of(const struct buffer *file, struct port_record *records)
{
    struct reader reader = reader_of(buffer_bytes(file));
    struct arena arena;
    size_t count = 0;
    arena_init(&arena, 64 << 20);
    while (count < RECORDS_MOST && pb_next(&reader, 1, &arena, &records[count]))
        count++;
    arena_fini(&arena);
    return count;
}

static uint64_t sum_of(const struct batch *batch, uint64_t sum)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct findings *findings = &batch->findings[i];
        for (uint32_t k = 0; k < findings->count; k++) {
            const struct finding *f = &findings->list[k];
            sum = hash_words2(sum, (uint64_t)f->rule << 48 | (uint64_t)f->severity << 32 | (uint32_t)f->item,
                              f->field ? hash_bytes(f->field, strlen(f->field), 0) : 0);
        }
        sum += findings->unkept + 2u * findings->warned_items + 1;
        if (!findings->reject)
            sum ^= batch->elements[i].digest;
    }
    return sum;
}

static uint64_t run(struct batch *batch, const struct port_record *records, size_t count, int64_t stages)
{
    uint64_t sum = 0;
    for (size_t next = 0; next < count;) {
        batch_fill(batch, records, count, &next);
        if (stages > 1)
            batch_decode(batch);
        if (stages > 2)
            batch_judge(batch);
        if (stages > 3)
            sum = sum_of(batch, sum);
    }
    return sum;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: bench_judge FILE.pb REFERENCE_DIR [ROUNDS [STAGES]]\n");
        return 64;
    }
    int64_t rounds = 5;
    int64_t stages = 3;
    if ((argc > 3 && !text_to_int64(text_of(argv[3]), &rounds)) ||
        (argc > 4 && !text_to_int64(text_of(argv[4]), &stages)))
        return 64;
    struct reference *reference;
    struct rules *rules = pb_rules(argv[2], &reference);
    wire_init();
    struct buffer file = pb_read(argv[1]);
    struct port_record *records = memory_new(RECORDS_MOST, sizeof *records);
    size_t count = records_of(&file, records);
    struct batch_options batch_options = {
        .envelope = {.max_bytes = 1 << 20}, .key_check = BATCH_KEY_OFF, .partitions = 1, .rules = rules};
    struct batch *batch = batch_new(&batch_options);
    printf("%zu declarations, sum %016" PRIx64 "\n", count, run(batch, records, count, 4));
    for (int64_t round = 0; round < rounds; round++) {
        double begin = pb_cpu_s();
        run(batch, records, count, stages);
        printf("%.1f ns\n", (pb_cpu_s() - begin) * 1e9 / (double)count);
    }
    batch_free(batch);
    memory_free(records);
    buffer_fini(&file);
    rules_free(rules);
    reference_free(reference);
    return 0;
}
