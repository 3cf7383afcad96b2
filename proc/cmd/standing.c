/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/standing.h"

#include "base/table.h"
#include "cmd/progress.h"
#include "flow/contribution.h"
#include "flow/state.h"
#include "trade/calendar.h"

#include <inttypes.h>

enum { EXPECTED = 1 << 12, SHOW_EACH = 1024 };

struct standing {
    const struct standing_options *options;
    standing_visit *visit;
    void *self;
    struct standing_sums sums;
    struct batch *batch;
    struct progress progress;
    int32_t days[2][2]; /* first and last day of each window */
    /* of the present partition */
    int32_t partition;
    struct state state;
    struct table *given; /* keys of the ids that were given */
    uint64_t wanted;     /* entries of the days wanted */
};

static bool is_wanted(const struct standing *standing, int32_t day)
{
    for (int i = 0; i < 2; i++) {
        if (day >= standing->days[i][0] && day <= standing->days[i][1])
            return true;
    }
    return false;
}

/* ---- the journal ---- */

static void begin_state(struct standing *standing)
{
    state_init(&standing->state, standing->options->plan, 1);
    standing->state.plan_id = standing->options->plan_id;
}

static enum err take_frame(struct standing *standing, struct reader_rule *rule, struct walk *walk,
                           const struct port_record *record, struct err_info *info)
{
    struct frame frame = {0};
    enum reader_branch branch =
        record->fault != PORT_NONE
            ? reader_rule_fault(rule, record->offset, walk_fault_name(record->fault))
            : reader_rule_feed(rule, record->offset, record->value, state_fold, &standing->state, &frame);
    if (branch == READER_REBASED) { /* all before it is void */
        reader_rule_begin_again(rule);
        walk_close(walk);
        walk->next = rule->position;
        state_fini(&standing->state);
        begin_state(standing);
    }
    bool is_open = branch == READER_OPEN || branch == READER_OPEN_DISCARDS;
    if (is_open && !state_take_open(&standing->state, &frame))
        return err_set(info, ERR_BROKEN, "journal %" PRId32 ": the first OPEN has no key for long ids",
                       standing->partition);
    return OK;
}

static enum err feed(struct standing *standing, struct reader_rule *rule, struct walk *walk, struct err_info *info)
{
    const struct port_record *record;
    TRY(walk_note(walk, info));
    int64_t low = walk->next;
    for (uint64_t count = 1;; count++) {
        TRY(walk_next(walk, &record, info));
        if (!record)
            break;
        TRY(take_frame(standing, rule, walk, record, info));
        if (count % SHOW_EACH == 0)
            progress_show(&standing->progress, (uint64_t)(walk->next - low), (uint64_t)(walk->end - low), count);
    }
    if (rule->halted)
        return err_set(info, ERR_BROKEN, "journal %" PRId32 ": %s; see `dryport verify`", standing->partition,
                       rule->why.text);
    if (!slices_are_whole(&standing->state.slices))
        return err_set(info, ERR_RETRY, "journal %" PRId32 " is being rewritten: try again", standing->partition);
    return OK;
}

static enum err read_journal(struct standing *standing, struct err_info *info)
{
    struct reader_rule *rule = reader_rule_new();
    struct walk walk;
    walk_init(&walk, standing->options->port, PORT_JOURNAL, standing->partition);
    walk.patience_ms = standing->options->patience_ms;
    enum err err = feed(standing, rule, &walk, info);
    walk_close(&walk);
    reader_rule_free(rule);
    return err;
}

static void count_entry(void *context, const struct ledger_key *key, struct bytes contribution)
{
    struct standing *standing = context;
    bool is_cancel = contribution_order(contribution) & 1;
    (void)key;
    standing->wanted += !is_cancel && is_wanted(standing, contribution_day(contribution));
}

/* ---- the input ---- */

static enum err take_declaration(struct standing *standing, uint32_t i, struct err_info *info)
{
    const struct element *element = &standing->batch->elements[i];
    const struct declaration *declaration = &standing->batch->declarations[i];
    bool is_date = calendar_is_date(declaration->reference_date);
    if (element->broken != RULE_COUNT || declaration->function == FUNCTION_CANCEL || !is_date ||
        !is_wanted(standing, calendar_day(declaration->reference_date)))
        return OK;
    batch_accept(standing->batch, i); /* for its digest, whatever today's rules say */
    struct ledger_key key = ledger_key_of(declaration->declaration_id, &standing->state.id_key);
    struct ledger_probe probe;
    struct bytes stored;
    ledger_look(standing->state.ledger, &key, &probe);
    enum ledger_verdict verdict =
        ledger_judge(standing->state.ledger, &probe, declaration->version, false, element->digest, &stored);
    standing->sums.expired += verdict == LEDGER_EXPIRED;
    if (verdict != LEDGER_DUPLICATE) /* of what stands */
        return OK;
    struct table_key place = {{key.word[0], key.word[1], 0, 0}};
    bool added;
    table_put(standing->given, &place, table_hash(&place), &added);
    if (!added)
        return OK;
    standing->sums.given++;
    return standing->visit(standing->self, declaration, info);
}

static enum err take_record(struct standing *standing, const struct port_record *record, struct err_info *info)
{
    struct batch *batch = standing->batch;
    size_t next = 0;
    do {
        batch_fill(batch, record, 1, &next);
        batch_decode(batch);
        batch_judge(batch);
        for (uint32_t i = 0; i < batch->count; i++) {
            enum err err = take_declaration(standing, i, info);
            if (err != OK) {
                batch_reset(batch);
                return err;
            }
        }
    } while (batch->record_open);
    return OK;
}

static enum err read_records(struct standing *standing, struct walk *walk, struct err_info *info)
{
    const struct port_record *record;
    TRY(walk_note(walk, info));
    int64_t low = walk->next;
    if (walk->end > standing->state.hi) /* what is not counted yet stands nowhere */
        walk->end = standing->state.hi;
    for (uint64_t count = 1;; count++) {
        TRY(walk_next(walk, &record, info));
        if (!record)
            return OK;
        if (record->fault ==
            PORT_NONE) /* else it was not counted, or has been damaged since and is missed at the end */
            TRY(take_record(standing, record, info));
        if (count % SHOW_EACH == 0)
            progress_show(&standing->progress, (uint64_t)(walk->next - low), (uint64_t)(walk->end - low), count);
    }
}

static enum err read_input(struct standing *standing, struct err_info *info)
{
    struct walk walk;
    walk_init(&walk, standing->options->port, PORT_DECLARATIONS, standing->partition);
    walk.patience_ms = standing->options->patience_ms;
    enum err err = read_records(standing, &walk, info);
    walk_close(&walk);
    return err;
}

static enum err read_partition(struct standing *standing, struct err_info *info)
{
    begin_state(standing);
    standing->given = table_new(EXPECTED);
    standing->wanted = 0;
    enum err err = read_journal(standing, info);
    for (uint32_t segment = 0; segment < LEDGER_SEGMENTS && err == OK; segment++)
        ledger_visit(standing->state.ledger, segment, count_entry, standing);
    if (err == OK)
        err = read_input(standing, info);
    if (err == OK)
        standing->sums.gone += standing->wanted - table_count(standing->given);
    table_free(standing->given);
    state_fini(&standing->state);
    return err;
}

enum err standing_read(const struct standing_options *options, standing_visit *visit, void *self,
                       struct standing_sums *out, struct err_info *info)
{
    const struct port *port = options->port;
    struct standing standing = {.options = options, .visit = visit, .self = self};
    enum err err = OK;
    for (int i = 0; i < 2; i++) {
        bool is_empty = options->windows[i].from > options->windows[i].to;
        standing.days[i][0] = is_empty ? 1 : calendar_day(options->windows[i].from);
        standing.days[i][1] = is_empty ? 0 : calendar_day(options->windows[i].to);
    }
    standing.batch = batch_new(&options->batch);
    standing.progress = progress_begin("declarations");
    int32_t partitions = port->partitions(port->self, PORT_DECLARATIONS);
    for (int32_t i = 0; i < partitions && err == OK; i++) {
        standing.partition = i;
        err = read_partition(&standing, info);
    }
    progress_end(&standing.progress);
    batch_free(standing.batch);
    if (err == OK)
        *out = standing.sums;
    return err;
}
