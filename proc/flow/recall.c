/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/recall.h"

#include "base/hash.h"
#include "base/memory.h"
#include "trade/calendar.h"

enum {
    WAYS = 4,
    MONTHS_24 = 20000,        /* of dates yyyymmdd */
    BUYER_MOST_FEN = 2600000, /* CNY 26 000 a year */
    HS6 = 6,
};

#define HOURS_48_MS INT64_C(172800000)

/* What is known under a key. */
struct trace {
    uint64_t key; /* 0 = free */
    int64_t at;   /* date or ms: the smallest of a bucket makes room */
    uint64_t of;  /* hash of the id, or a sum */
};

enum kind { SAME_LRN, SAME_GOODS, NEW_ORIGIN, SAME_BUYER, KINDS };

static const enum rule rules_of[KINDS] = {
    [SAME_LRN] = RULE_VER_510, [SAME_GOODS] = RULE_VER_511, [NEW_ORIGIN] = RULE_CRE_308, [SAME_BUYER] = RULE_ECM_704};

struct recall {
    struct trace *traces[KINDS]; /* NULL: the rule is off */
};

struct recall *recall_new(const struct rules *rules)
{
    struct recall *recall = NULL;
    for (int kind = 0; kind < KINDS; kind++) {
        if (rules_severity(rules, rules_of[kind]) == SEVERITY_OFF)
            continue;
        if (!recall)
            recall = memory_new(1, sizeof *recall);
        recall->traces[kind] = memory_new(RECALL_TRACES, sizeof *recall->traces[kind]);
    }
    return recall;
}

void recall_free(struct recall *recall)
{
    if (!recall)
        return;
    for (int kind = 0; kind < KINDS; kind++)
        memory_free(recall->traces[kind]);
    memory_free(recall);
}

static uint64_t hash_text(struct text text, uint64_t seed)
{
    return hash_bytes(text.data, text.length, seed ^ text.length);
}

/* The trace of the key; a new one, in place of the oldest of its bucket, has 0 in all but the key. */
static struct trace *trace_of(struct trace *traces, uint64_t key)
{
    key |= 1; /* never free */
    struct trace *bucket = traces + (key >> 32) % (RECALL_TRACES / WAYS) * WAYS;
    struct trace *oldest = bucket;
    for (int way = 0; way < WAYS; way++) {
        if (bucket[way].key == key)
            return &bucket[way];
        if (bucket[way].at < oldest->at)
            oldest = &bucket[way];
    }
    *oldest = (struct trace){.key = key};
    return oldest;
}

/* VER-510 */
static void same_lrn(struct trace *traces, const struct rules *rules, const struct declaration *d, uint64_t id,
                     struct findings *findings)
{
    if (d->lrn.length == 0 || d->declarant_id.length == 0)
        return;
    struct trace *trace = trace_of(traces, hash_text(d->lrn, hash_text(d->declarant_id, 1)));
    int64_t apart_ms = d->accepted_at_ms < trace->at ? trace->at - d->accepted_at_ms : d->accepted_at_ms - trace->at;
    if (trace->of && trace->of != id && apart_ms <= HOURS_48_MS)
        rules_add(rules, findings, RULE_VER_510, -1, "lrn");
    trace->of = id;
    trace->at = d->accepted_at_ms;
}

/* VER-511: the same trader, office and day, and all items alike. */
static void same_goods(struct trace *traces, const struct rules *rules, const struct declaration *d, uint64_t id,
                       struct findings *findings)
{
    uint32_t items = declaration_items_kept(d);
    if (d->trader_id.length == 0 || items == 0)
        return;
    uint64_t key = hash_words2(hash_text(d->trader_id, 2), hash_text(d->office_code, 3), d->reference_date);
    for (uint32_t i = 0; i < items; i++) {
        const struct item *t = &d->items.items[i];
        key = hash_words2(hash_text(t->hs_code, key), (uint64_t)t->net_mass_mg, (uint64_t)t->statistical_value_minor);
    }
    struct trace *trace = trace_of(traces, key);
    if (trace->of && trace->of != id)
        rules_add(rules, findings, RULE_VER_511, -1, "declaration_id");
    trace->of = id;
    trace->at = d->accepted_at_ms;
}

/* CRE-308 */
static void new_origin(struct trace *traces, const struct rules *rules, const struct declaration *d,
                       struct findings *findings)
{
    uint32_t items = declaration_items_kept(d);
    for (uint32_t i = 0; i < items; i++) {
        const struct item *t = &d->items.items[i];
        if (t->origin_country.length == 0 || t->hs_code.length < HS6)
            continue;
        struct text hs6 = {t->hs_code.data, HS6};
        struct trace *trace = trace_of(traces, hash_text(hs6, hash_text(t->origin_country, 4)));
        if (d->reference_date > trace->at + MONTHS_24 && t->statistical_value_minor > rules_new_origin_minor(rules))
            rules_add(rules, findings, RULE_CRE_308, (int32_t)i, "origin_country");
        if (d->reference_date > trace->at)
            trace->at = d->reference_date;
    }
}

/* ECM-704: first versions only, so that an amendment is not added again. */
static void same_buyer(struct trace *traces, const struct rules *rules, const struct declaration *d,
                       struct findings *findings)
{
    uint64_t value_fen = 0;
    if (d->buyer_hash == 0 || !rules_counts_yuan(rules))
        return;
    for (uint32_t i = 0; i < declaration_items_kept(d); i++)
        value_fen += (uint64_t)d->items.items[i].statistical_value_minor;
    struct trace *trace = trace_of(traces, hash_words2(d->buyer_hash, d->reference_date / 10000, 5));
    trace->of += value_fen;
    trace->at = d->accepted_at_ms;
    if (trace->of > BUYER_MOST_FEN)
        rules_add(rules, findings, RULE_ECM_704, -1, "buyer_hash");
}

void recall_judge(struct recall *recall, const struct rules *rules, const struct declaration *declaration, bool first,
                  struct findings *findings)
{
    uint64_t id = hash_text(declaration->declaration_id, 6) | 1;
    if (declaration->function == FUNCTION_CANCEL)
        return;
    if (recall->traces[SAME_LRN])
        same_lrn(recall->traces[SAME_LRN], rules, declaration, id, findings);
    if (recall->traces[SAME_GOODS])
        same_goods(recall->traces[SAME_GOODS], rules, declaration, id, findings);
    if (recall->traces[NEW_ORIGIN])
        new_origin(recall->traces[NEW_ORIGIN], rules, declaration, findings);
    if (recall->traces[SAME_BUYER] && first)
        same_buyer(recall->traces[SAME_BUYER], rules, declaration, findings);
}

bool recall_owns(unsigned number)
{
    for (int kind = 0; kind < KINDS; kind++) {
        int64_t own = 0;
        if (text_to_int64(text_of(rule_rows[rules_of[kind]].code + 4), &own) && own == (int64_t)number)
            return true;
    }
    return false;
}
