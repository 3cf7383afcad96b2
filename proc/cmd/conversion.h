/* SPDX-License-Identifier: Apache-2.0
 * conversion.h - the ops of a map: a text of a column becomes the value of a field.
 *
 * Memory:  new texts stand in the arena
 * Errors:  ERR_DATA with a sentence that the caller prefixes with the place
 * Thread:  main (moment.h)
 * Source:  contract.md section 1
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "trade/declaration.h"

enum conversion_op {
    CONVERSION_DATE,
    CONVERSION_MILLIS,
    CONVERSION_KG,
    CONVERSION_G,
    CONVERSION_MONEY,
    CONVERSION_NUMBER,
    CONVERSION_TABLE,
    CONVERSION_APPEND,
    CONVERSION_PREFIX,
    CONVERSIONS
};

enum conversion_argument {
    CONVERSION_TAKES_NONE,
    CONVERSION_TAKES_ZONE,
    CONVERSION_TAKES_CURRENCY,
    CONVERSION_TAKES_SCALE,
    CONVERSION_TAKES_PAIRS,
    CONVERSION_TAKES_TEXT
};

struct conversion_row {
    const char *name;
    enum conversion_argument argument;
    bool to_number;
    const char *form; /* as an error shows it */
};

/* By enum conversion_op. */
extern const struct conversion_row conversion_rows[CONVERSIONS];

struct conversion {
    enum conversion_op op;
    struct text argument;
    int scale; /* of kg, g, money, number */
};

/* What flows through the steps of a line. */
struct conversion_value {
    struct text text;
    int64_t number;
    bool is_number;
};

/* Does one op. */
enum err conversion_apply(const struct conversion *conversion, struct conversion_value *value, struct arena *arena,
                          struct err_info *info) MUST_USE;

/* Writes a value into the field of the declaration or item at `base`. Nothing is written on failure. */
enum err conversion_assign(const struct field *field, const struct conversion_value *value, struct arena *arena,
                           void *base, struct err_info *info) MUST_USE;
