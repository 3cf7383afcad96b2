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
    if (published->definition)
        TRY(view_plan_add(plan, view, text_of(published->definition), info));
    TRY(view_plan_option(plan, view, TEXT("publish"), text_of(published->periods), info));
    return view_plan_option(plan, view, TEXT("total"), text_of(published->total ? "yes" : "no"), info);
}

/* And finishes the plan, whose groups are those of the lists. */
static inline enum err views_publish(enum recount_plan which, const struct reference *reference, struct view_plan *plan,
                                     struct err_info *info)
{
    for (int i = 0; i < RECOUNT_PUBLISHED; i++) {
        if (recount_published[i].plan == which)
            TRY(views_option(&recount_published[i], plan, info));
    }
    TRY(view_plan_groups(plan, reference, info));
    view_plan_finish(plan);
    return OK;
}
