/* SPDX-License-Identifier: Apache-2.0 */
#include "offline/kinship.h"

#include "base/memory.h"
#include "flow/cube.h"
#include "trade/calendar.h"

#include <inttypes.h>
#include <stdlib.h>

enum { WORDS = 7, SHEETS_MOST = 2 * VIEWS_MOST };

/* The cells of one view and kind of time. */
struct sheet {
    uint32_t view;
    enum cell_kind kind;
};

/* A cell cut down to what two sheets have in common. */
struct share {
    uint64_t words
        [WORDS]; /* day, commodity, office and border office, zone and trade mode, partner and consignment, region, flow and mode */
    struct measures sums;
};

struct shares {
    struct share *list;
    size_t count;
};

/* ---- cutting ---- */

static uint64_t power10(unsigned digits)
{
    return digits == 0 ? 1 : 10 * power10(digits - 1);
}

static bool has(const struct view *view, enum dimension dimension)
{
    return view->dimension_set >> dimension & 1;
}

static uint64_t pick(bool keep, uint64_t word, unsigned shift, unsigned bits)
{
    return keep ? word >> shift & ((1ULL << bits) - 1) : 0;
}

static uint64_t common_commodity(const struct view *own, const struct view *other, uint64_t commodity)
{
    unsigned digits = own->hs_digits < other->hs_digits ? own->hs_digits : other->hs_digits;
    if (digits == 0 || commodity == CELL_NO_HS)
        return digits ? CELL_NO_HS : 0;
    return (commodity - 1) / power10(own->hs_digits - digits) + 1;
}

/* What time the two have in common: that of the coarser one; of hours, which are of acceptance, and of others, of the date of reference, all
 * of it. */
static uint64_t common_time(const struct table_key *key, enum cell_kind other)
{
    enum cell_kind own = (enum cell_kind)cell_kind(key);
    if (own == CELL_HOUR || other == CELL_HOUR)
        return own == other ? (uint64_t)cell_hour(key) : 0;
    uint32_t date = calendar_date(cell_day(key));
    return own == CELL_MONTH || other == CELL_MONTH ? date / 100 : date;
}

static void cut(const struct view *own, const struct view *other, enum cell_kind kind, const struct table_key *key,
                uint64_t out[WORDS])
{
#define BOTH(dimension) (has(own, dimension) && has(other, dimension))
    out[0] = common_time(key, kind);
    out[1] = common_commodity(own, other, cell_commodity(key));
    out[2] = pick(BOTH(DIMENSION_OFFICE), key->word[1], 32, 32) << 32 |
             pick(BOTH(DIMENSION_BORDER_OFFICE), key->word[1], 0, 32);
    out[3] = pick(BOTH(DIMENSION_ZONE), key->word[2], 32, 32) << 32 |
             pick(BOTH(DIMENSION_TRADE_MODE) && own->is_classed == other->is_classed, key->word[2], 0, 32);
    out[4] = pick(BOTH(DIMENSION_PARTNER), key->word[3], 48, 16) << 16 |
             pick(BOTH(DIMENSION_PARTNER_CONSIGNMENT), key->word[3], 32, 16);
    out[5] = pick(BOTH(DIMENSION_REGION), key->word[3], 12, 20);
    out[6] = pick(BOTH(DIMENSION_FLOW), key->word[3], 9, 3) << 9 | pick(BOTH(DIMENSION_MODE), key->word[3], 0, 9);
#undef BOTH
}

static int by_words(const void *a, const void *b)
{
    return memcmp(((const struct share *)a)->words, ((const struct share *)b)->words, sizeof(uint64_t[WORDS]));
}

static bool is_zero(const struct measures *m)
{
    return m->value_minor == 0 && m->customs_value_minor == 0 && m->net_mass_mg == 0 && m->gross_mass_mg == 0 &&
           m->estimated_mg == 0 && m->items == 0 && m->packages == 0 && m->warned_items == 0 && m->late_items == 0;
}

/* Sorted, each once, none without measures. */
static void add_up(struct shares *shares)
{
    size_t kept = 0;
    qsort(shares->list, shares->count, sizeof shares->list[0], by_words);
    for (size_t i = 0; i < shares->count; i++) {
        if (kept > 0 && by_words(&shares->list[kept - 1], &shares->list[i]) == 0)
            measures_add(&shares->list[kept - 1].sums, &shares->list[i].sums);
        else
            shares->list[kept++] = shares->list[i];
    }
    shares->count = 0;
    for (size_t i = 0; i < kept; i++) {
        if (!is_zero(&shares->list[i].sums))
            shares->list[shares->count++] = shares->list[i];
    }
}

static struct shares cut_all(const struct cube *cube, const struct view_plan *plan, struct sheet own,
                             struct sheet other)
{
    struct shares shares = {memory_new(cube_count(cube) + 1, sizeof(struct share)), 0};
    for (uint32_t i = 0; i < cube_count(cube); i++) {
        const struct table_key *key = cube_key(cube, i);
        if (cell_view(key) != own.view || (enum cell_kind)cell_kind(key) != own.kind || cell_is_correction(key))
            continue;
        struct share *share = &shares.list[shares.count++];
        cut(&plan->views[own.view], &plan->views[other.view], other.kind, key, share->words);
        share->sums = *cube_measures(cube, i);
    }
    add_up(&shares);
    return shares;
}

/* ---- comparing ---- */

/* What adds up over every dimension: all but declarations, and the supplementary quantity, which coarse views do not have. */
static bool same(const struct measures *a, const struct measures *b)
{
    return a->value_minor == b->value_minor && a->customs_value_minor == b->customs_value_minor &&
           a->net_mass_mg == b->net_mass_mg && a->gross_mass_mg == b->gross_mass_mg &&
           a->estimated_mg == b->estimated_mg && a->items == b->items && a->packages == b->packages &&
           a->warned_items == b->warned_items && a->late_items == b->late_items;
}

static bool equal(const struct shares *a, const struct shares *b)
{
    bool result = a->count == b->count;
    for (size_t i = 0; result && i < a->count; i++)
        result = by_words(&a->list[i], &b->list[i]) == 0 && same(&a->list[i].sums, &b->list[i].sums);
    return result;
}

static const char *kind_name(enum cell_kind kind)
{
    return kind == CELL_MONTH ? "month" : kind == CELL_HOUR ? "hour" : "day";
}

static enum err compare(const struct cube *cube, const struct view_plan *plan, struct sheet a, struct sheet b,
                        struct err_info *info)
{
    struct shares left = cut_all(cube, plan, a, b);
    struct shares right = cut_all(cube, plan, b, a);
    bool agree = equal(&left, &right);
    memory_free(left.list);
    memory_free(right.list);
    return agree ? OK
                 : err_set(info, ERR_BROKEN, "views %s by %s and %s by %s do not add up to the same",
                           plan->views[a.view].name, kind_name(a.kind), plan->views[b.view].name, kind_name(b.kind));
}

/* ---- the cells ---- */

struct folding {
    struct cube *cube;
    int32_t partition;
};

static enum err fold(void *context, const struct frame *frames, uint32_t count, struct err_info *info)
{
    struct folding *folding = context;
    return cube_fold(folding->cube, folding->partition, frames, count, info);
}

static enum err fold_journal(const struct stage *stage, struct folding *folding, struct err_info *info)
{
    const struct world *world = stage->world;
    struct reader_rule *rule = reader_rule_new();
    int64_t first = world_first(world, PORT_JOURNAL, folding->partition);
    for (int64_t o = first; o < world_next(world, PORT_JOURNAL, folding->partition) && !rule->halted; o++) {
        struct bytes value = world_at(world, PORT_JOURNAL, folding->partition, o)->value;
        reader_rule_feed(rule, o, value, fold, folding, NULL);
    }
    enum err err = OK;
    if (rule->halted)
        err = err_set(info, ERR_BROKEN, "journal %d: %s", folding->partition, rule->why.text);
    reader_rule_free(rule);
    return err;
}

static enum err compare_all(const struct cube *cube, const struct view_plan *plan, struct err_info *info)
{
    struct sheet sheets[SHEETS_MOST];
    size_t count = 0;
    for (uint32_t view = 0; view < plan->count; view++) {
        if (plan->views[view].grain != GRAIN_MONTH)
            sheets[count++] = (struct sheet){view, view_cell_kind(&plan->views[view])};
        if (plan->views[view].grain != GRAIN_HOUR)
            sheets[count++] = (struct sheet){view, CELL_MONTH};
    }
    for (size_t a = 0; a < count; a++) {
        for (size_t b = a + 1; b < count; b++)
            TRY(compare(cube, plan, sheets[a], sheets[b], info));
    }
    return OK;
}

enum err kinship_check(const struct stage *stage, struct err_info *info)
{
    const struct view_plan *plan = &stage->assembly->plan;
    struct folding folding = {cube_new(plan, stage->partitions, 0), 0};
    enum err err = OK;
    for (; err == OK && folding.partition < stage->partitions; folding.partition++)
        err = fold_journal(stage, &folding, info);
    if (err == OK)
        err = compare_all(folding.cube, plan, info);
    cube_free(folding.cube);
    return err;
}
