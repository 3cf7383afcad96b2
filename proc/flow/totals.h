/* SPDX-License-Identifier: Apache-2.0
 * totals.h - what the delta cells of one partition add up to since its beginning: what snapshots are made of.
 *
 * In:      the deltas of a tally when its group is sealed; cells of groups and slices when a journal is read
 * Out:     the cells of one slice: those of leaf views, and the corrections of `declarations` of derived ones (tally.h)
 * Keys:    as in cell.h, with the partition's code numbers. A cell belongs to the slice that a hash of its key names, in every process
 * Memory:  about 150 bytes a cell; cells that came down to zero stay until totals_clear
 * Limits:  those of base/table
 * Thread:  one owner (a worker)
 * Why:     design.md section 3, rule 6; docs/adr/0013-rolling-snapshots.md
 */
#pragma once

#include "base/hash.h"
#include "flow/tally.h"

enum { TOTALS_SLICES = 32 };

struct totals;

struct totals *totals_new(void);
void totals_free(struct totals *totals);

/* The slice of a cell, from 0 to TOTALS_SLICES - 1 (docs/JOURNAL.md). */
static inline uint32_t totals_slice(const struct table_key *key)
{
    return (uint32_t)(hash_words4(key->word, 0) >> 59);
}

/* Adds a delta. It is in the sums after totals_flush at the latest. */
void totals_add(struct totals *totals, const struct table_key *key, const struct measures *delta);
void totals_flush(struct totals *totals);

/* Adds all that the tally holds, and flushes. */
void totals_add_tally(struct totals *totals, const struct tally *tally);

/* Sets the cells of one slice to zero. */
void totals_clear_slice(struct totals *totals, uint32_t slice);

/* Cells of a slice by place 0 .. count - 1; some may be all zero. */
uint32_t totals_count(const struct totals *totals, uint32_t slice);
const struct table_key *totals_key(const struct totals *totals, uint32_t slice, uint32_t place);
void totals_measures(const struct totals *totals, uint32_t slice, uint32_t place, struct measures *out);

/* What a cell adds to the control sum of its slice, modulo 2^64 (docs/JOURNAL.md); 0 for a cell that is all zero. */
uint64_t totals_control_of(const struct table_key *key, const struct measures *measures);

/* The control sum of a slice and how many of its cells are not zero. */
uint64_t totals_control(const struct totals *totals, uint32_t slice, uint64_t *out_cells);

size_t totals_bytes(const struct totals *totals);
