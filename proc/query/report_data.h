/* SPDX-License-Identifier: Apache-2.0
 * report_data.h - a summary for programs: CSV and JSON with the fields of customs.v1.Statistic, exact and unrounded.
 *
 * In:      a summary and its presentation, both borrowed      Out: a stream, or a JSON value
 * Units:   minor units, g, 10^-6 of the unit, ppm; empty (null) where a sum or a base says nothing
 * Thread:  main, query: one owner
 */
#pragma once

#include "query/presentation.h"

void report_data_print_csv(const struct summary *summary, const struct presentation *presentation, FILE *out);

/* Gives an array of objects (jansson): the caller drops it with json_decref. */
struct json_t *report_data_json(const struct summary *summary, const struct presentation *presentation);
void report_data_print_json(const struct summary *summary, const struct presentation *presentation, FILE *out);
