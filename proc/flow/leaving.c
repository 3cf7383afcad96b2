/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/leaving.h"

#include "base/memory.h"
#include "flow/holding.h"
#include "flow/mutant.h"
#include "flow/publisher_inside.h"

enum { SHARE = 32 }; /* of all that there is, before a pass is worth it */

/* The watermark is at least the least event time of all partitions, idle or not, and neither ever falls. */
void leaving_fold(struct publisher *publisher)
{
    int64_t event_ms = MUTANT(LEFT_OUT_BY_NEWEST) ? journals_event_ms_most(publisher->journals)
                                                  : journals_event_ms_least(publisher->journals);
    if (publisher->options.zone && event_ms != INT64_MIN)
        cube_leave_out(publisher->cube,
                       hours_kept_from(publisher->options.zone, event_ms - publisher->options.event_bound_ms));
}

/* Asked once for each that nothing waits for. True: it goes, and its key has no cell from now on. */
static bool leave(void *context, uint32_t number)
{
    struct publisher *publisher = context;
    uint32_t index = figures_link(publisher->figures, number);
    if (!figures_is_over(publisher->figures, number))
        return false;
    if (index == CUBE_NO_LINK)
        return true;
    struct registry_entry *entry = registry_at(publisher->registry, index);
    if (!registry_is_blank(entry))
        return false;
    entry->cell = REGISTRY_NO_CELL;
    return true;
}

static bool is_worth_it(const struct publisher *publisher)
{
    uint32_t cells = cube_count(publisher->cube);
    uint32_t over = 0;
    for (uint32_t cell = 0; cell < cells; cell++)
        over += figures_is_over(publisher->figures, cell);
    return over > 0 && over >= cells / SHARE;
}

/* The entry of a number has another place, or the number is another. */
static void link_again(struct publisher *publisher, uint32_t number, const uint32_t *entries)
{
    uint32_t index = figures_link(publisher->figures, number);
    if (index == CUBE_NO_LINK)
        return;
    figures_set_link(publisher->figures, number, entries[index]);
    if (!MUTANT(NUMBERS_STALE))
        registry_at(publisher->registry, entries[index])->cell = number;
}

static void link_all(struct publisher *publisher, const uint32_t *entries)
{
    publisher->linked = cube_count(publisher->cube);
    publisher->derived = figures_count(publisher->figures);
    for (uint32_t cell = 0; cell < publisher->linked; cell++)
        link_again(publisher, cell, entries);
    for (uint32_t i = 0; i < publisher->derived; i++)
        link_again(publisher, FIGURE_DERIVED | i, entries);
    for (uint32_t i = 0; i < publisher->orphan_count; i++)
        publisher->orphans[i] = entries[publisher->orphans[i]];
}

/* Whoever looks at all of something begins again. */
static void look_again(struct publisher *publisher)
{
    publisher->closing.cell = 0;
    publisher->closing.figure = 0;
    publisher->closing.entry = 0;
    publisher->rolling.cell = 0;
    publisher->rolling.figure = 0;
    publisher->rolling.entry = 0;
    extractor_restart(publisher->extractor);
}

void leaving_turn(struct publisher *publisher)
{
    if (!is_worth_it(publisher))
        return;
    holding_link_to(publisher, cube_count(publisher->cube));
    uint32_t before = cube_count(publisher->cube);
    figures_compact(publisher->figures, leave, publisher);
    counter_add(&publisher->counters.left, before - cube_count(publisher->cube));
    uint32_t *entries = registry_compact(publisher->registry);
    link_all(publisher, entries);
    memory_free(entries);
    look_again(publisher);
}
