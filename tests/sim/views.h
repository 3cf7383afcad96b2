/* SPDX-License-Identifier: Apache-2.0
 * views.h - what recount_published lists, as options of the product's plans.
 */
#pragma once

#include "flow/view.h"
#include "sim/recount.h"

static inline enum err views_option(const struct recount_published *published, struct view_plan *plan,
                                    struct err_info *info)
{
    struct text view = text_of(published->view);
    TRY(view_plan_option(plan, view, TEXT("publish"), text_of(published->periods), info));
    return view_plan_option(plan, view, TEXT("total"), text_of(published->total ? "yes" : "no"), info);
}

/* Before view_plan_finish. */
static inline enum err views_publish(enum recount_plan which, struct view_plan *plan, struct err_info *info)
{
    for (int i = 0; i < RECOUNT_PUBLISHED; i++) {
        if (recount_published[i].plan == which)
            TRY(views_option(&recount_published[i], plan, info));
    }
    return OK;
}
