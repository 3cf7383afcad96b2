/* SPDX-License-Identifier: Apache-2.0
 * reject_filter.h - which rejects are asked for: the conditions of --where, all of which must hold.
 *
 * In:      code=STR-004 or code=STR, field=items.hs_code, id=ID, office=CODE, plan=DIGITS, partition=N, from=TIME, to=TIME, with commas between
 * The office stands in the input, not in the reject: reject_filter_wants does not look at it.
 * Memory:  borrows the text of the conditions
 * Errors:  ERR_CONFIG with the condition
 * Thread:  main
 */
#pragma once

#include "customs/v1/reject.pb-c.h"
#include "trade/declaration.h"

#include "base/err.h"

enum { REJECT_FILTER_FIELD_BYTES = 64 };

struct reject_filter {
    struct text code; /* a whole code or its group (STR); empty: any */
    struct text field;
    struct text id;
    struct text office;
    struct text plan;  /* its first digits */
    int64_t partition; /* -1: any */
    int64_t from_ms;
    int64_t to_ms; /* not with it */
};

/* `where` may be NULL. Times without a zone are in that of the configuration (moment_zone is called before). */
enum err reject_filter_read(const char *where, struct reject_filter *out, struct err_info *info) MUST_USE;

bool reject_filter_wants(const struct reject_filter *filter, const Customs__V1__Reject *message);

/* A field without the numbers of its items: "items[2].hs_code" is items.hs_code; "-" if there is none. Returns out. */
const char *reject_filter_field(const char *field, char out[static REJECT_FILTER_FIELD_BYTES]);
