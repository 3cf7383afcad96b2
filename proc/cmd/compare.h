/* SPDX-License-Identifier: Apache-2.0
 * compare.h - cells of two cubes against each other, by what their keys mean.
 *
 * Thread:  one owner
 */
#pragma once

#include "flow/cube.h"
#include "flow/statistic.h"

enum { COMPARE_TEXT_BYTES = 512 };

struct compare_found {
    uint64_t differ;
    char text[COMPARE_TEXT_BYTES]; /* the first cell that differs: its record key and its measures in a and in b */
};

/* Compares all measures of all cells from a day on (INT32_MIN: of all days); a cell of zeros equals an absent one. Returns how many were
 * compared. */
uint64_t compare_cubes(const struct cube *a, const struct cube *b, int32_t from_day, struct statistic_writer *writer,
                       struct compare_found *out);
