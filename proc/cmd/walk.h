/* SPDX-License-Identifier: Apache-2.0
 * walk.h - the records of one partition, one by one, from an offset up to an end that was noted.
 *
 * In:      a port's stream                              Out:    records in offset order, faults among them
 * Memory:  borrows records from the port and gives them back; the port must outlive it
 * Errors:  ERR_PEER when nothing comes for `patience_ms` though the end is not reached; ERR_RETRY when the user stops the
 *          command
 * Thread:  one owner
 */
#pragma once

#include "flow/port.h"

enum { WALK_TAKE = 256 };

struct walk {
    const struct port *port;
    enum port_topic topic;
    int32_t partition;
    int64_t next;        /* offset to read next */
    int64_t end;         /* noted; records at and above it are not given */
    int64_t patience_ms; /* how long to wait for a record that should be there */
    struct port_stream *stream;
    struct port_record records[WALK_TAKE];
    size_t count;
    size_t at;
};

/* Reads nothing yet. */
void walk_init(struct walk *walk, const struct port *port, enum port_topic topic, int32_t partition);

/* Asks for the bounds of the partition: the walk is from its first record to its present end. */
enum err walk_note(struct walk *walk, struct err_info *info) MUST_USE;

/* Moves the end to where the log ends now; what was read stays read. */
enum err walk_extend(struct walk *walk, struct err_info *info) MUST_USE;

/* The next record below the end, borrowed until the next call; NULL at the end. */
enum err walk_next(struct walk *walk, const struct port_record **out, struct err_info *info) MUST_USE;

/* Ends the reading; takes one that never began. */
void walk_close(struct walk *walk);

/* What a fault is, in words. */
const char *walk_fault_name(enum port_fault fault);
