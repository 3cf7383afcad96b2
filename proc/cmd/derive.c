/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/derive.h"

#include "flow/frame_cells.h"

#include <inttypes.h>

enum { CONTRIBUTIONS_MOST = 1 << 16, SECTION_BYTES = 64 << 20 };

struct derive {
    struct cube *cube;
    int32_t partition;
    const struct view_plan *plan;
    const struct dictionary *dictionary;
    struct tally *tally;
    struct contribution contribution;
    struct buffer payload;
    struct cell_order order;
    uint32_t first_code;
    uint32_t added; /* since the last group */
    enum err err;
    struct err_info *info;
};

static struct derive begin(struct cube *cube, int32_t partition, const struct view_plan *plan,
                           const struct dictionary *dictionary, struct err_info *info)
{
    return (struct derive){.cube = cube,
                           .partition = partition,
                           .plan = plan,
                           .dictionary = dictionary,
                           .tally = tally_new(plan),
                           .first_code = 1,
                           .info = info};
}

static void end(struct derive *derive)
{
    tally_free(derive->tally);
    contribution_fini(&derive->contribution);
    buffer_fini(&derive->payload);
    cell_order_fini(&derive->order);
}

/* What the tally holds becomes a group that no journal has seen. */
static enum err flush(struct derive *derive)
{
    static const struct counts no_counts;
    struct buffer *out = &derive->payload;
    tally_flush(derive->tally);
    derive->added = 0;
    buffer_clear(out);
    frame_put_codes(out, derive->dictionary, derive->first_code);
    derive->first_code = derive->dictionary->count;
    frame_put_counts(out, &no_counts);
    const struct cell_order *order = &derive->order;
    frame_cells_sort(derive->tally, &derive->order);
    for (uint32_t view = 0; view < derive->plan->count; view++) {
        for (uint32_t index = order->begins[view]; index < order->begins[view + 1];)
            frame_cells_put_tally(out, derive->tally, order, &derive->plan->views[view], view, &index,
                                  out->length + SECTION_BYTES);
    }
    struct control control = {.tally = tally_control(derive->tally)};
    frame_put_control(out, &control);
    tally_clear(derive->tally);
    struct frame frame = {
        .kind = FRAME_DATA, .last = true, .partition = (uint32_t)derive->partition, .payload = buffer_bytes(out)};
    return cube_fold(derive->cube, derive->partition, &frame, 1, derive->info);
}

static bool has_codes(const struct derive *derive)
{
    const struct contribution *c = &derive->contribution;
    uint32_t most = c->office > c->border_office ? c->office : c->border_office;
    most = c->zone > most ? c->zone : most;
    most = c->trade_mode > most ? c->trade_mode : most;
    for (uint32_t i = 0; i < c->item_count; i++)
        most = c->items[i].region > most ? c->items[i].region : most;
    return most < derive->dictionary->count;
}

static void add(void *context, const struct ledger_key *key, struct bytes contribution)
{
    struct derive *derive = context;
    if (derive->err != OK)
        return;
    if (!contribution_decode(contribution, &derive->contribution) || !has_codes(derive)) {
        derive->err =
            err_set(derive->info, ERR_BROKEN, "ledger entry %016" PRIx64 "%016" PRIx64 ": its contribution is broken",
                    key->word[0], key->word[1]);
        return;
    }
    tally_list(derive->tally, &derive->contribution, 1);
    if (++derive->added == CONTRIBUTIONS_MOST)
        derive->err = flush(derive);
}

enum err derive_ledger(struct cube *cube, int32_t partition, const struct view_plan *plan, const struct state *state,
                       struct err_info *info)
{
    struct derive derive = begin(cube, partition, plan, &state->dictionary, info);
    for (uint32_t segment = 0; segment < LEDGER_SEGMENTS && derive.err == OK; segment++)
        ledger_visit(state->ledger, segment, add, &derive);
    if (derive.err == OK)
        derive.err = flush(&derive);
    enum err err = derive.err;
    end(&derive);
    return err;
}

enum err derive_one(struct cube *cube, int32_t partition, const struct view_plan *plan,
                    const struct dictionary *dictionary, struct bytes contribution, struct err_info *info)
{
    struct derive derive = begin(cube, partition, plan, dictionary, info);
    struct ledger_key key = {{0, 0}};
    add(&derive, &key, contribution);
    if (derive.err == OK)
        derive.err = flush(&derive);
    enum err err = derive.err;
    end(&derive);
    return err;
}
