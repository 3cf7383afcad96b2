/* SPDX-License-Identifier: Apache-2.0
 * pb_file.h - what the benches over a length-prefixed .pb file share: its declarations as input records, rules, CPU time.
 *
 * In:      a file of `dryport generate --out FILE.pb`
 * Errors:  a file that can't be read ends the program with 65, reference lists with 64
 */
#ifndef DRYPORT_BENCH_PB_FILE_H
#define DRYPORT_BENCH_PB_FILE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "flow/port.h"
#include "trade/rules.h"

/* The whole file; the caller frees it. */
struct buffer pb_read(const char *path);

/* The next record; its bytes lie in the file. Key and partition are those that `generate` gives it, by Kafka's hash of the
 * declaration's id. The arena is reset. False at the end. */
bool pb_next(struct reader *reader, int32_t partitions, struct arena *arena, struct port_record *out);

/* The default rules for CN over the lists of a folder; the caller frees both, the rules first. */
struct rules *pb_rules(const char *folder, struct reference **out_reference);

/* Of the calling thread. */
double pb_cpu_s(void);

#endif
