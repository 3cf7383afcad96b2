/* SPDX-License-Identifier: Apache-2.0
 * report_data.h - a summary for programs: CSV and JSON with the fields of customs.v1.Statistic, exact and unrounded.
 *
 * Units:   minor units, g, 10^-6 of the unit, ppm; empty (null) where a sum or a base says nothing
 * Thread:  main
 */
#pragma once

#include "query/presentation.h"

void report_data_print_csv(const struct summary *summary, const struct presentation *presentation, FILE *out);
/* An array of objects; the caller gives it back. */
struct json_t *report_data_json(const struct summary *summary, const struct presentation *presentation);
void report_data_print_json(const struct summary *summary, const struct presentation *presentation, FILE *out);
