/* SPDX-License-Identifier: Apache-2.0
 * statistic.h - one cell -> the key and the value of its record in topic.statistics.
 *
 * In:      a figure: a cell of the cube, or a sum of some; or the value of a record whose cell is gone, to be published with zero measures
 * Out:     key and customs.v1.Statistic bytes as contract.md section 3 says; a hash of the content to compare with
 * Units:   mg -> g, each record rounded once, half away from zero; what is beyond int64 stands at its end
 * Memory:  the writer owns one message and one buffer; key and bytes are good until its next call
 * Thread:  one owner
 */
#pragma once

#include "flow/cell.h"
#include "flow/statistic_content.h"
#include "flow/statistic_key.h"
#include "trade/reference.h"

struct statistic_writer;

/* Shares plan and reference, which must outlive it. */
struct statistic_writer *statistic_writer_new(const struct view_plan *plan, const struct reference *reference,
                                              const char *reporter, const char *currency);
void statistic_writer_free(struct statistic_writer *writer);

/* Other lists from now on. Shares them. */
void statistic_writer_look_up(struct statistic_writer *writer, const struct reference *reference);

/* Takes a figure. Returns its content (statistic_content.h), STATISTIC_ABSENT if it has no items. *out_saturated is
 * set (never cleared) if a sum did not fit. */
uint64_t statistic_set(struct statistic_writer *writer, const struct figure *figure, const struct dictionary *codes,
                       bool *out_saturated);

/* Takes the value of an older record, with all measures set to zero. False: it is no Statistic. */
bool statistic_set_gone(struct statistic_writer *writer, struct bytes value);

/* What a record says beside its content. */
struct statistic_stamp {
    unsigned state; /* an enum State */
    uint64_t as_of;
    int64_t as_of_ms;
    int64_t watermark_ms;
};

/* The bytes of what was taken last. */
struct bytes statistic_pack(struct statistic_writer *writer, const struct statistic_stamp *stamp);

/* The record key of a cell, or of a figure that no cell holds (period.h). */
struct text statistic_key(struct statistic_writer *writer, const struct table_key *key, const struct dictionary *codes);
