/* SPDX-License-Identifier: Apache-2.0
 * chart.h - a summary as an SVG picture: bars by time with those of the year before beside them, or a ranking.
 *
 * In:      the value, or the first sum of --show
 * Units:   coordinates are whole; lengths are rounded from exact sums, no floating point
 * Errors:  ERR_CONFIG if the file can't be written
 * Thread:  main
 */
#pragma once

#include "query/presentation.h"

/* Writes the file: a series if the first column is a time, else a ranking of the groups as they are ordered. */
enum err chart_write(const struct summary *summary, const struct presentation *presentation, const char *path,
                     struct err_info *info) MUST_USE;
