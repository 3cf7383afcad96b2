/* SPDX-License-Identifier: Apache-2.0
 * config_value.h - text of one setting -> its typed value, or a sentence that says what would be right.
 *
 * Units:   as config.def says; BYTES may end in k, M or G (powers of 1024)
 * Memory:  none; texts are borrowed
 * Thread:  any
 * Errors:  ERR_CONFIG; the text begins with the value, the caller puts the place and the key before it
 */
#pragma once

#include "ops/config.h"

/* Where a parsed value lands: which member, config_row.type tells; kinds of text need none. */
union config_value {
    int64_t number; /* INT, BYTES */
    bool truth;     /* BOOL */
    int choice;     /* ENUM: index in choices */
};

/* Checks trimmed `text` against the row. Looks at the file system for ZONE and FOLDER only. */
enum err config_value_parse(const struct config_row *row, struct text text, union config_value *out,
                            struct err_info *info) MUST_USE;

/* Name of choice `index` of "first|second|...", empty if there are fewer. */
struct text config_value_choice(const char *choices, int index);
