/* SPDX-License-Identifier: Apache-2.0
 * report_table.h - a summary as a table for people: whole units of the currency, tonnes, and growth on a year before.
 *
 * Thread:  main
 */
#pragma once

#include "query/presentation.h"

void report_table_print(const struct summary *summary, const struct presentation *presentation, FILE *out);
