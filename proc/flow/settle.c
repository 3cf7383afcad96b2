/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/settle.h"

#include "base/memory.h"
#include "flow/floor.h"
#include "flow/mutant.h"
#include "flow/reject.h"
#include "trade/calendar.h"

enum { LOOK_AHEAD = 12, LOOK_AGAIN = 6 };

uint16_t settle_rule_number(enum rule rule)
{
    const char *code = rule_rows[rule].code;
    uint16_t number = 0;
    for (const char *at = code + 4; *at; at++)
        number = (uint16_t)(number * 10 + (*at - '0'));
    return number;
}

/* A rule counts once a declaration, however many items it names. */
static void count_findings(struct counts *counts, const struct findings *findings)
{
    for (uint32_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->list[i];
        bool again = false;
        for (uint32_t j = 0; j < i && !again; j++)
            again = findings->list[j].rule == finding->rule;
        if (again)
            continue;
        uint16_t number = settle_rule_number((enum rule)finding->rule);
        if (finding->severity == SEVERITY_REJECT)
            counts->rejects[number]++;
        else
            counts->warnings[number]++; /* of STA too: as many declarations have items that are set apart */
    }
}

static uint16_t first_reject(const struct findings *findings)
{
    for (uint32_t i = 0; i < findings->count; i++) {
        if (findings->list[i].severity == SEVERITY_REJECT)
            return settle_rule_number((enum rule)findings->list[i].rule);
    }
    return 0;
}

static void list_reject(struct open_group *open, const struct element *element, uint16_t rule_number)
{
    if (open->place_count == open->place_capacity) {
        open->place_capacity = open->place_capacity ? open->place_capacity * 2 : 64;
        open->places = memory_resize(open->places, open->place_capacity, sizeof open->places[0]);
    }
    open->places[open->place_count++] = (struct reject_place){element->record->offset, element->index, rule_number};
}

static void settle_reject(struct partition *partition, const struct element *element,
                          const struct declaration *declaration, const struct findings *findings, uint16_t rule_number)
{
    const struct partition_context *context = partition->context;
    struct group *group = partition->open.group;
    bool readable = element->broken == RULE_COUNT;
    struct reject reject = {
        .topic = context->topic,
        .partition = partition->number,
        .offset = element->record->offset,
        .index = element->index,
        .timestamp_ms = element->record->timestamp_ms,
        .declaration_id = readable ? declaration->declaration_id : (struct text){NULL, 0},
        .version = readable ? declaration->version : 0,
        .findings = findings,
        .payload = context->rejects_payload ? element->bytes : (struct bytes){NULL, 0},
        .plan = partition->ruleset->plan_id,
    };
    struct group_reject *to = group_add_reject(group);
    reject_put_key(&group->reject_bytes, &reject);
    to->key_bytes = group->reject_bytes.length - to->key_at;
    reject_put_value(&group->reject_bytes, &reject);
    to->value_bytes = group->reject_bytes.length - to->key_at - to->key_bytes;
    to->shrunk_at = group->reject_bytes.length;
    reject_put_coordinates(&group->reject_bytes, &reject);
    to->shrunk_bytes = group->reject_bytes.length - to->shrunk_at;
    list_reject(&partition->open, element, rule_number);
}

/* Nothing of it is applied. It stands with the rejects, where an operator finds it and may send it again: no finding of it is
 * a reject, and the one that tells is TIM-411. */
static void settle_late_out(struct partition *partition, const struct element *element,
                            const struct declaration *declaration, const struct findings *findings)
{
    struct findings told = *findings;
    findings_tell(&told, RULE_TIM_411, "reference_date");
    settle_reject(partition, element, declaration, &told, settle_rule_number(RULE_TIM_411));
}

static i128 total_value(const struct contribution *c)
{
    i128 sum = 0;
    for (uint32_t i = 0; i < c->item_count; i++)
        sum += c->items[i].value_minor;
    return sum;
}

static i128 total_mass(const struct contribution *c)
{
    i128 sum = 0;
    for (uint32_t i = 0; i < c->item_count; i++)
        sum += c->items[i].net_mass_mg;
    return sum;
}

static bool tenfold(i128 a, i128 b)
{
    return a > 10 * b || b > 10 * a;
}

/* VER warnings of a version that replaces a stored one. */
static void warn_replaced(const struct rules *rules, struct findings *findings, const struct contribution *fresh,
                          const struct contribution *stored)
{
    if (fresh->version > stored->version + 1)
        rules_add(rules, findings, RULE_VER_504, -1, "version");
    if (fresh->submitted && fresh->submitted < stored->submitted)
        rules_add(rules, findings, RULE_TIM_407, -1, "submitted_at_ms");
    if (stored->cancel)
        rules_add(rules, findings, RULE_VER_506, -1, "version");
    if (fresh->cancel || stored->cancel)
        return;
    if (fresh->scheme != stored->scheme || fresh->direction != stored->direction || fresh->office != stored->office)
        rules_add(rules, findings, RULE_VER_507, -1, "office_code");
    if (calendar_date(fresh->day) / 100 != calendar_date(stored->day) / 100)
        rules_add(rules, findings, RULE_VER_508, -1, "reference_date");
    if (fresh->declarant != stored->declarant)
        rules_add(rules, findings, RULE_VER_509, -1, "declarant_id");
    if (fresh->item_count == 0 || stored->item_count == 0)
        return; /* all that was declared is outside the statistics: no amount to compare */
    if (tenfold(total_value(fresh), total_value(stored)) || tenfold(total_mass(fresh), total_mass(stored)))
        rules_add(rules, findings, RULE_VER_513, -1, "items");
}

/* Closes a LEDGER section's worth of entries: frames are cut only between entries. */
static void cut_ledger(struct open_group *open)
{
    if (open->ledger.length - open->cut_last < LEDGER_SECTION_BYTES)
        return;
    if (open->cut_count == open->cut_capacity) {
        open->cut_capacity = open->cut_capacity ? open->cut_capacity * 2 : 16;
        open->cuts = memory_resize(open->cuts, open->cut_capacity, sizeof open->cuts[0]);
    }
    open->cuts[open->cut_count++] = open->ledger.length;
    open->cut_last = open->ledger.length;
}

static enum err broken_in_memory(struct err_info *info)
{
    return err_set(info, ERR_BROKEN, "a stored contribution is broken in memory: restart the process, it restores");
}

/* late.policy=late_out: whether this version would change a month that was final when its record was written, by what it
 * adds or by what it takes back. */
static enum err is_late_out(struct partition *partition, const struct element *element,
                            const struct declaration *declaration, const struct findings *findings,
                            struct bytes stored_bytes, bool *out, struct err_info *info)
{
    const struct rules *rules = partition->ruleset->rules;
    int64_t timestamp_ms = element->record->timestamp_ms;
    struct contribution *stored = &partition->context->stored;
    bool adds = declaration->function != FUNCTION_CANCEL && !findings->not_counted;
    *out = adds && rules_is_final(rules, calendar_day(declaration->reference_date), timestamp_ms);
    if (*out || stored_bytes.length == 0)
        return OK;
    if (!contribution_decode(stored_bytes, stored))
        return broken_in_memory(info);
    *out = stored->item_count > 0 && rules_is_final(rules, stored->day, timestamp_ms);
    return OK;
}

static enum err settle_counted(struct partition *partition, const struct element *element,
                               const struct ledger_probe *probe, const struct declaration *declaration,
                               struct findings *findings, struct bytes stored_bytes, struct err_info *info)
{
    struct partition_context *context = partition->context;
    struct state *state = &partition->state;
    struct contribution *fresh = &context->fresh;
    const struct ruleset *ruleset = partition->ruleset;
    TRY(contribution_from(declaration, ruleset->reference, &state->dictionary, element->digest, findings->warned_items,
                          findings->late, fresh, info));
    if (findings->apart && !MUTANT(NOT_SET_APART))
        contribution_set_apart(fresh, ruleset->rules, declaration);
    if (stored_bytes.length) {
        struct contribution *stored = &context->stored;
        if (!contribution_decode(stored_bytes, stored))
            return broken_in_memory(info);
        if (fresh->date == 0)
            fresh->day = stored->day; /* a cancel that does not say is of the month of what it cancels */
        warn_replaced(partition->ruleset->rules, findings, fresh, stored);
        if (MUTANT(RETRACTION_ELSEWHERE))
            stored->day = fresh->day;
        tally_list(state->tally, stored, -1);
    } else if (declaration->function != FUNCTION_ORIGINAL) {
        rules_add(partition->ruleset->rules, findings, RULE_VER_505, -1, "function");
    }
    if (partition->recall)
        recall_judge(partition->recall, ruleset->rules, declaration, stored_bytes.length == 0, findings);
    tally_list(state->tally, fresh, 1);
    buffer_clear(&context->bytes);
    contribution_encode(fresh, &context->bytes);
    ledger_put_at(state->ledger, probe, buffer_bytes(&context->bytes));
    frame_put_entry(&partition->open.ledger, &probe->key, buffer_bytes(&context->bytes));
    cut_ledger(&partition->open);
    partition->open.group->counts.items += fresh->item_count;
    int64_t bound_ms = element->record->timestamp_ms;
    if (MUTANT(EVENT_BY_CLOCK))
        bound_ms = context->port->now_ms(context->port->self);
    int64_t event_ms = declaration->accepted_at_ms < bound_ms ? declaration->accepted_at_ms : bound_ms;
    if (event_ms > state->event_ms_most) {
        state->event_ms_most = event_ms;
        if (!MUTANT(FLOOR_AT_SEAL))
            floor_follow(state, context->horizon_months);
    }
    return OK;
}

static enum err settle_one(struct partition *partition, const struct element *element, struct ledger_probe *probe,
                           const struct declaration *declaration, struct findings *findings, struct err_info *info)
{
    struct counts *counts = &partition->open.group->counts;
    enum verdict verdict = VERDICT_REJECTED;
    if (!findings->reject) {
        struct bytes stored;
        bool cancel = declaration->function == FUNCTION_CANCEL;
        switch (ledger_judge(partition->state.ledger, probe, declaration->version, cancel, element->digest, &stored)) {
        case LEDGER_COUNTED:
            verdict = findings->not_counted ? VERDICT_NOT_COUNTED : VERDICT_COUNTED;
            if (rules_late_out(partition->ruleset->rules)) {
                bool late_out = false;
                TRY(is_late_out(partition, element, declaration, findings, stored, &late_out, info));
                verdict = late_out ? VERDICT_LATE_OUT : verdict;
            }
            if (MUTANT(NO_EMPTY_ENTRY) && verdict == VERDICT_NOT_COUNTED)
                break;
            if (verdict != VERDICT_LATE_OUT)
                TRY(settle_counted(partition, element, probe, declaration, findings, stored, info));
            break;
        case LEDGER_DUPLICATE:
            verdict = VERDICT_DUPLICATE;
            break;
        case LEDGER_STALE:
            verdict = VERDICT_STALE;
            break;
        case LEDGER_EXPIRED:
            rules_add(partition->ruleset->rules, findings, RULE_LED_901, -1, "reference_date");
            break;
        case LEDGER_CONFLICT:
            rules_add(partition->ruleset->rules, findings, RULE_VER_502, -1, "version");
            break;
        }
    }
    if (verdict == VERDICT_REJECTED)
        settle_reject(partition, element, declaration, findings, first_reject(findings));
    if (verdict == VERDICT_LATE_OUT)
        settle_late_out(partition, element, declaration, findings);
    if (findings->count)
        count_findings(counts, findings);
    if (element->broken == RULE_COUNT)
        counts->unknown_fields += declaration->unknown_fields;
    counts->verdicts[verdict]++;
    partition->state.verdicts[verdict]++;
    partition->open.declarations++;
    return OK;
}

/* Asks for the ledger's slot well before it is needed: the misses of some declarations overlap with the work on others. */
static void look_ahead(const struct state *state, const struct batch *batch, uint32_t index,
                       struct ledger_probe *probes)
{
    if (index >= batch->count || batch->findings[index].reject)
        return;
    struct ledger_key key = ledger_key_of(batch->declarations[index].declaration_id, &state->id_key);
    ledger_look(state->ledger, &key, &probes[index]);
}

/* The slot has come: asks for the record behind it, if the id seems to be known. */
static void look_again(const struct state *state, const struct batch *batch, uint32_t index,
                       const struct ledger_probe *probes)
{
    if (index < batch->count && !batch->findings[index].reject)
        ledger_look_again(state->ledger, &probes[index]);
}

enum err settle_batch(struct partition *partition, struct batch *batch, struct err_info *info)
{
    const struct state *state = &partition->state;
    struct ledger_probe probes[BATCH_DECLARATIONS];
    for (uint32_t i = 0; i < LOOK_AHEAD; i++)
        look_ahead(state, batch, i, probes);
    partition->open.group->counts.unknown_fields += batch->unknown_fields;
    for (uint32_t i = 0; i < batch->count; i++) {
        look_ahead(state, batch, i + LOOK_AHEAD, probes);
        look_again(state, batch, i + LOOK_AGAIN, probes);
        TRY(settle_one(partition, &batch->elements[i], &probes[i], &batch->declarations[i], &batch->findings[i], info));
    }
    return OK;
}
