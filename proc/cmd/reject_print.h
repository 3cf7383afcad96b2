/* SPDX-License-Identifier: Apache-2.0
 * reject_print.h - a reject as people and programs read it: lines of text, CSV rows, a JSON object.
 *
 * Memory:  a JSON object is given to the caller (json_decref)
 * Thread:  main
 */
#pragma once

#include "cmd/reject_read.h"

#include <jansson.h>

/* A line a finding: `TOPIC/PARTITION/OFFSET[/INDEX] TIME ID vVERSION code severity field text`, `void` before it if it is. */
void reject_print_text(const struct reject_read *read, bool is_void);

/* A row a finding; reject_print_csv_head writes the names of the columns. */
void reject_print_csv_head(void);
void reject_print_csv(const struct reject_read *read, bool is_void);

/* proto3 JSON with the original names; index is null for a single record. */
json_t *reject_print_json(const struct reject_read *read);
