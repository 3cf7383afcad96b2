/* SPDX-License-Identifier: Apache-2.0 */
#include "pb_file.h"

#include "base/hash.h"
#include "flow/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { READ_BYTES = 1 << 20 };

struct buffer pb_read(const char *path)
{
    struct buffer buffer = {0};
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        exit(65);
    }
    size_t got;
    do {
        got = fread(buffer_reserve(&buffer, READ_BYTES), 1, READ_BYTES, file);
        buffer.length += got;
    } while (got > 0);
    fclose(file);
    return buffer;
}

bool pb_next(struct reader *reader, int32_t partitions, struct arena *arena, struct port_record *out)
{
    if (reader_left(reader) == 0)
        return false;
    struct declaration declaration;
    bool canonical;
    *out = (struct port_record){.value = reader_bytes(reader, reader_varint(reader)), .timestamp_ms = 1767225600000};
    if (reader->failed)
        return false;
    arena_reset(arena);
    if (wire_decode(out->value, arena, &declaration, &canonical) == WIRE_OK) {
        out->timestamp_ms = declaration.accepted_at_ms; /* as `load` does */
        out->key = (struct bytes){(const uint8_t *)declaration.declaration_id.data, declaration.declaration_id.length};
    }
    out->partition = hash_partition(out->key.data, out->key.length, partitions);
    return true;
}

struct rules *pb_rules(const char *folder, struct reference **out_reference)
{
    struct err_info info;
    struct rules *rules;
    static struct zone *zone; /* as long as the process: benches free their rules, not what those share */
    if (reference_load(folder, NULL, out_reference, &info) != OK || zone_new("Asia/Shanghai", &zone, &info) != OK) {
        fprintf(stderr, "%s\n", info.text);
        exit(64);
    }
    struct rules_options options = rules_default_options(zone);
    if (rules_new(&options, *out_reference, &rules, &info) != OK) {
        fprintf(stderr, "%s\n", info.text);
        exit(64);
    }
    return rules;
}

double pb_cpu_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}
