/* SPDX-License-Identifier: Apache-2.0
 * ask.h - the parameters of /v1/statistics -> what is asked of which view.
 *
 * Names:   view, period (or period_from and period_to), by, where, count, share, sort, composition, limit, format; and each dimension, class
 *          or group of the view, by its own name or that of its field (office_code): NAME=VALUE is a condition
 * Values:  as `dryport report` has them; + and a space are the same, as in any query of a URL
 * Memory:  copies what it is given; what is read borrows from it until ask_fini
 * Errors:  ERR_CONFIG with the parameter and the mend
 * Thread:  one owner
 */
#pragma once

#include "flow/extract.h"
#include "query/summary.h"

enum { ASK_PARAMETERS_MOST = 48, ASK_LIMIT = 1000, ASK_LIMIT_MOST = 100000 };

struct ask {
    struct buffer texts; /* names and values, each ended by zero */
    size_t names[ASK_PARAMETERS_MOST];
    size_t values[ASK_PARAMETERS_MOST];
    uint32_t count;
    bool has_more; /* than ASK_PARAMETERS_MOST */
    /* read */
    const struct view *view;
    uint32_t view_index;
    bool is_csv;
    struct buffer key;   /* like the view's record keys */
    struct buffer where; /* all conditions */
    struct buffer by;    /* of a view of groups, where nothing else is asked for */
    struct summary_request request;
};

/* Adds a parameter, value "" if it has none. */
void ask_add(struct ask *ask, const char *name, const char *value);
void ask_fini(struct ask *ask);

/* Reads what was added. ask->request has no reference yet. */
enum err ask_read(struct ask *ask, const struct view_plan *plan, struct err_info *info) MUST_USE;

/* Which cells that takes. */
struct extract_request ask_cells(const struct ask *ask, const struct zone *zone);

/* Takes the dashes of options out of an error: `report` has --where, a URL where. */
void ask_tell(struct err_info *info);
