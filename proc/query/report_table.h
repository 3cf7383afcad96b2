/* SPDX-License-Identifier: Apache-2.0
 * report_table.h - a summary as a table for people: whole units of the currency, tonnes, and growth on a year before.
 *
 * In:      a summary and its presentation, both borrowed      Out: a stream
 * Units:   as the presentation says: which currency, scale and unit of mass
 * Thread:  main
 */
#pragma once

#include "query/presentation.h"

void report_table_print(const struct summary *summary, const struct presentation *presentation, FILE *out);
