/* SPDX-License-Identifier: Apache-2.0
 * live.h - cells as they stand -> the answer of /v1/statistics: the sums that `dryport report` makes of the records that they are published as.
 *
 * In:      what was asked, and the copy of the cells          Out: JSON, or CSV with the bytes of `report --format csv`
 * Memory:  250 bytes a cell while it sums
 * Errors:  ERR_CONFIG with the parameter and the mend
 * Thread:  one owner
 */
#pragma once

#include "query/ask.h"

struct live_options {
    const struct view_plan *plan;
    const char *reporter;
    const char *currency;
    const struct zone *zone; /* whose days hours are of; NULL: of UTC */
};

/* Adds the answer to *out. */
enum err live_answer(const struct live_options *options, struct ask *ask, const struct extract *extract,
                     struct buffer *out, struct err_info *info) MUST_USE;
