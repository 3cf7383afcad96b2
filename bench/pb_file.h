/* SPDX-License-Identifier: Apache-2.0
 * pb_file.h - declarations of a length-prefixed .pb file as input records, and CPU time, for the benches.
 *
 * In:      a file of `dryport generate --out FILE.pb`
 * Errors:  a file that can't be read ends the program with 65
 */
#ifndef DRYPORT_BENCH_PB_FILE_H
#define DRYPORT_BENCH_PB_FILE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "flow/port.h"

/* The whole file; the caller frees it. */
struct buffer pb_read(const char *path);

/* The next record; its bytes lie in the file. Key and partition are those that `generate` gives it, by Kafka's hash of the
 * declaration's id. The arena is reset. False at the end. */
bool pb_next(struct reader *reader, int32_t partitions, struct arena *arena, struct port_record *out);

/* Of the calling thread. */
double pb_cpu_s(void);

#endif
