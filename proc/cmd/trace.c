/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/trace.h"

#include "base/memory.h"
#include "cmd/derive.h"
#include "cmd/listed.h"
#include "cmd/walk.h"
#include "flow/figures.h"
#include "flow/gate.h"
#include "flow/settle.h"
#include "flow/statistic.h"
#include "flow/statistic_bytes.h"

#include <inttypes.h>
#include <string.h>

enum { SHOW_EACH = 4096, END_PATIENCE_MS = 5000 };

const char *trace_verdict_name(enum trace_verdict verdict)
{
    static const char *const names[] = {"not judged yet", "skipped",     "rejected",  "late_out",
                                        "counted",        "not_counted", "duplicate", "stale"};
    return names[verdict];
}

/* Room for one more at the end of a list of `bytes` each. */
static void *grow(void *list, size_t count, size_t *capacity, size_t bytes)
{
    if (count < *capacity)
        return list;
    *capacity = *capacity ? *capacity * 2 : 16;
    return memory_resize(list, *capacity, bytes);
}

void trace_init(struct trace *trace, const struct trace_options *options)
{
    *trace = (struct trace){.options = *options, .is_whole = true};
}

void trace_fini(struct trace *trace)
{
    for (size_t i = 0; i < trace->entry_count; i++)
        contribution_fini(&trace->entries[i].contribution);
    for (size_t i = 0; i < trace->reject_count; i++)
        reject_read_fini(&trace->rejects[i].read);
    for (size_t i = 0; i < trace->cell_count; i++) {
        memory_free(trace->cells[i].key);
        buffer_fini(&trace->cells[i].value);
    }
    memory_free(trace->records);
    memory_free(trace->entries);
    memory_free(trace->rejects);
    memory_free(trace->cells);
    *trace = (struct trace){0};
}

static bool is_wanted(const struct trace *trace, int32_t partition)
{
    return trace->options.partition < 0 || trace->options.partition == partition;
}

static struct walk walk_of(const struct trace *trace, enum port_topic topic, int32_t partition)
{
    struct walk walk;
    walk_init(&walk, trace->options.port, topic, partition);
    walk.patience_ms = trace->options.patience_ms;
    return walk;
}

static void show(struct progress *progress, const struct walk *walk, int64_t low, uint64_t *count)
{
    if (++*count % SHOW_EACH == 0)
        progress_show(progress, (uint64_t)(walk->next - low), (uint64_t)(walk->end - low), *count);
}

/* ---- input ---- */

static void add_record(struct trace *trace, const struct batch *batch, uint32_t i)
{
    const struct element *element = &batch->elements[i];
    const struct declaration *declaration = &batch->declarations[i];
    trace->records = grow(trace->records, trace->record_count, &trace->record_capacity, sizeof trace->records[0]);
    trace->records[trace->record_count++] = (struct trace_record){
        .partition = element->record->partition,
        .offset = element->record->offset,
        .index = element->index,
        .timestamp_ms = element->record->timestamp_ms,
        .version = declaration->version,
        .function = (enum function)declaration->function,
        .digest = element->digest,
        .findings = batch->findings[i],
    };
}

static bool is_it(const struct trace *trace, const struct batch *batch, uint32_t i)
{
    return batch->elements[i].broken == RULE_COUNT &&
           text_equal(batch->declarations[i].declaration_id, trace->options.id);
}

static void take_record(struct trace *trace, struct batch *batch, const struct port_record *record)
{
    size_t next = 0;
    do {
        bool found = false;
        batch_fill(batch, record, 1, &next);
        batch_decode(batch);
        for (uint32_t i = 0; i < batch->count && !found; i++)
            found = is_it(trace, batch, i);
        if (!found)
            continue;
        batch_judge(batch);
        for (uint32_t i = 0; i < batch->count; i++) {
            if (is_it(trace, batch, i))
                add_record(trace, batch, i);
        }
    } while (batch->record_open);
}

static enum err read_input(struct trace *trace, struct batch *batch, int32_t partition, struct progress *progress,
                           struct err_info *info)
{
    struct walk walk = walk_of(trace, PORT_DECLARATIONS, partition);
    uint64_t count = 0;
    enum err err = walk_note(&walk, info);
    int64_t low = walk.next;
    const struct port_record *record = NULL;
    trace->is_whole = trace->is_whole && low == 0;
    while (err == OK) {
        /* The last offsets may be marks of transactions, which are no records. */
        walk.patience_ms = count && walk.patience_ms > END_PATIENCE_MS ? END_PATIENCE_MS : trace->options.patience_ms;
        err = walk_next(&walk, &record, info);
        if (err == ERR_PEER && count) {
            trace->unread_records += walk.end - walk.next;
            err = OK;
            break;
        }
        if (err != OK || !record)
            break;
        if (record->fault == PORT_NONE)
            take_record(trace, batch, record);
        show(progress, &walk, low, &count);
    }
    walk_close(&walk);
    return err;
}

enum err trace_input(struct trace *trace, struct err_info *info)
{
    const struct port *port = trace->options.port;
    struct progress progress = progress_begin("input");
    struct batch *batch = batch_new(&trace->options.batch);
    enum err err = OK;
    for (int32_t i = 0; i < port->partitions(port->self, PORT_DECLARATIONS) && err == OK; i++) {
        if (is_wanted(trace, i))
            err = read_input(trace, batch, i, &progress, info);
    }
    batch_free(batch);
    progress_end(&progress);
    return err;
}

/* ---- journals ---- */

struct journal {
    struct trace *trace;
    int32_t partition;
    struct reader_rule *rule;
    struct walk walk;
    struct state state; /* its dictionary and id key; the ledger stays empty */
    struct ledger_key key;
    size_t standing; /* entry that stands, SIZE_MAX: none */
    struct buffer standing_bytes;
    uint64_t epochs;
    bool is_trimmed;    /* its first groups are gone, or void */
    size_t entry_first; /* entries of this journal stand behind those of others */
};

static void take_codes(const struct dictionary *dictionary, struct trace_entry *entry)
{
    const struct contribution *c = &entry->contribution;
    const uint32_t numbers[4] = {c->office, c->border_office, c->zone, c->trade_mode};
    for (int i = 0; i < 4; i++) {
        entry->codes[i][0] = '\0';
        if (numbers[i] < dictionary->count)
            dictionary_text(dictionary->codes[numbers[i]], entry->codes[i]);
    }
}

static bool add_entry(struct journal *journal, const struct frame *frame, struct bytes contribution)
{
    struct trace *trace = journal->trace;
    if (journal->standing != SIZE_MAX && journal->standing_bytes.length == contribution.length &&
        memcmp(journal->standing_bytes.data, contribution.data, contribution.length) == 0)
        return true; /* a slice says it again */
    trace->entries = grow(trace->entries, trace->entry_count, &trace->entry_capacity, sizeof trace->entries[0]);
    struct trace_entry *entry = &trace->entries[trace->entry_count++];
    *entry = (struct trace_entry){.partition = journal->partition,
                                  .journal_offset = journal->rule->position - 1,
                                  .lo = frame->lo,
                                  .hi = frame->hi,
                                  .epoch = journal->epochs,
                                  .nonce = frame->nonce,
                                  .stands = true};
    if (!contribution_decode(contribution, &entry->contribution))
        return false;
    take_codes(&journal->state.dictionary, entry);
    if (journal->standing != SIZE_MAX)
        trace->entries[journal->standing].stands = false;
    journal->standing = trace->entry_count - 1;
    buffer_clear(&journal->standing_bytes);
    buffer_add(&journal->standing_bytes, contribution.data, contribution.length);
    return true;
}

static bool take_ledger(struct journal *journal, const struct frame *frame, enum frame_section section,
                        struct bytes bytes)
{
    struct reader reader = reader_of(bytes);
    struct ledger_key key;
    struct bytes contribution;
    while (frame_next_entry(&reader, section, &key, &contribution)) {
        if (key.word[0] == journal->key.word[0] && key.word[1] == journal->key.word[1] &&
            !add_entry(journal, frame, contribution))
            return false;
    }
    return !reader.failed;
}

static struct trace_record *find_record(struct trace *trace, int32_t partition, int64_t offset, int32_t index)
{
    for (size_t i = 0; i < trace->record_count; i++) {
        struct trace_record *record = &trace->records[i];
        if (record->partition == partition && record->offset == offset && record->index == index)
            return record;
    }
    return NULL;
}

static void note_listed(void *context, const struct reject_place *place)
{
    const struct journal *journal = context;
    struct trace_record *record = find_record(journal->trace, journal->partition, place->offset, place->index);
    if (!record)
        return;
    record->is_listed = true;
    record->rule_number = place->rule_number;
}

static bool take_rejects(struct journal *journal, const struct frame *frame, struct bytes bytes)
{
    struct reader reader = reader_of(bytes);
    struct reject_place place;
    while (frame_next_reject(&reader, frame->lo, &place))
        note_listed(journal, &place);
    return !reader.failed;
}

/* The OPEN that stated it may be trimmed. */
static bool take_id_key(struct journal *journal, struct bytes bytes)
{
    struct state *state = &journal->state;
    if (bytes.length != sizeof state->id_key)
        return false;
    if (!state->has_id_key) {
        memcpy(&state->id_key, bytes.data, sizeof state->id_key);
        state->has_id_key = true;
        journal->key = ledger_key_of(journal->trace->options.id, &state->id_key);
    }
    return true;
}

static void take_skip(struct journal *journal, const struct frame *frame)
{
    struct trace *trace = journal->trace;
    for (size_t i = 0; i < trace->record_count; i++) {
        struct trace_record *record = &trace->records[i];
        if (record->partition == journal->partition && record->offset >= frame->lo && record->offset < frame->hi)
            record->is_skipped = true;
    }
}

static bool take_section(struct journal *journal, const struct frame *first, const struct frame *frame,
                         enum frame_section section, struct bytes bytes)
{
    struct dictionary *dictionary = &journal->state.dictionary;
    if (section == SECTION_CODES)
        return frame->kind == FRAME_SNAP ? frame_get_codes_again(bytes, dictionary)
                                         : frame_get_codes(bytes, dictionary);
    if (section == SECTION_ID_KEY)
        return take_id_key(journal, bytes);
    if (section == SECTION_LISTED)
        return listed_of_slice(first, bytes, note_listed, journal);
    if (section == SECTION_LEDGER || section == SECTION_LEDGER_WIDE)
        return take_ledger(journal, frame, section, bytes);
    if (section == SECTION_REJECTS)
        return take_rejects(journal, frame, bytes);
    return true;
}

static enum err fold(void *context, const struct frame *frames, uint32_t count, struct err_info *info)
{
    struct journal *journal = context;
    if (frames[0].kind == FRAME_SNAP && !journal->is_trimmed)
        return OK; /* what a slice holds stood in the groups before it */
    if (frames[0].kind == FRAME_SKIP)
        take_skip(journal, &frames[0]);
    struct frame_walk walk = frame_walk_of(frames, count);
    while (frame_walk_next(&walk)) {
        if (!take_section(journal, &frames[0], walk.frame, walk.section, walk.bytes))
            return err_set(info, ERR_BROKEN, "section %d is broken", (int)walk.section);
    }
    if (walk.is_broken)
        return err_set(info, ERR_BROKEN, "a frame whose sections are cut short");
    return OK;
}

/* Whether an accepted record counts nothing: its entry says it as it was judged, or, where that is trimmed, today's rules. */
static bool is_outside(const struct journal *journal, const struct trace_record *record)
{
    const struct trace *trace = journal->trace;
    for (size_t i = journal->entry_first; i < trace->entry_count; i++) {
        const struct contribution *c = &trace->entries[i].contribution;
        if (c->version == record->version && c->cancel == (record->function == FUNCTION_CANCEL))
            return !c->cancel && c->item_count == 0;
    }
    return record->findings.not_counted;
}

/* Listed with the rejects and no reject: TIM-411 can be set to reject, but then today's rules find that. */
static bool is_late_out(const struct trace_record *record)
{
    return record->rule_number == settle_rule_number(RULE_TIM_411) && !record->findings.reject;
}

/* Records of one id in one partition, in the order of the log, as the ledger judges them. */
static void judge_records(struct journal *journal)
{
    struct trace *trace = journal->trace;
    const struct trace_record *standing = NULL;
    for (size_t i = 0; i < trace->record_count; i++) {
        struct trace_record *record = &trace->records[i];
        if (record->partition != journal->partition)
            continue;
        uint64_t order = (uint64_t)record->version * 2 + (record->function == FUNCTION_CANCEL);
        uint64_t stands = standing ? (uint64_t)standing->version * 2 + (standing->function == FUNCTION_CANCEL) : 0;
        if (record->offset >= journal->rule->hi) {
            record->verdict = TRACE_WAITS;
        } else if (record->is_skipped) {
            record->verdict = TRACE_SKIPPED;
        } else if (record->is_listed) {
            record->verdict = is_late_out(record) ? TRACE_LATE_OUT : TRACE_REJECTED;
        } else if (standing && order < stands) {
            record->verdict = TRACE_STALE;
        } else if (standing && order == stands) {
            record->verdict = TRACE_DUPLICATE;
        } else {
            record->verdict = is_outside(journal, record) ? TRACE_NOT_COUNTED : TRACE_COUNTED;
            trace->accepted++;
            standing = record;
        }
    }
}

static void add_cell(struct trace *trace, struct text key, const struct measures *measures, bool is_published)
{
    trace->cells = grow(trace->cells, trace->cell_count, &trace->cell_capacity, sizeof trace->cells[0]);
    trace->cells[trace->cell_count++] = (struct trace_cell){.key = memory_copy_text(key.data, key.length),
                                                            .measures = *measures,
                                                            .is_published = is_published,
                                                            .partition = -1,
                                                            .offset = -1};
}

/* The days and months of the country groups that its partners are in: no cells, but what a view of groups has in place of them. */
static void take_groups(struct trace *trace, struct cube *cube, struct statistic_writer *writer)
{
    const struct trace_options *options = &trace->options;
    struct figures *figures = figures_new(options->plan, cube, NULL); /* no window is looked at */
    struct figure figure;
    figures_look_up(figures, options->reference, options->reporter);
    for (uint32_t i = 0; i < cube_count(cube); i++)
        figures_add(figures, i);
    for (uint32_t i = 0; i < figures_count(figures); i++) {
        const struct table_key *key = figures_key(figures, FIGURE_DERIVED | i);
        enum period period = period_of(key);
        bool is_own = period == PERIOD_HOUR || period == PERIOD_DAY || period == PERIOD_MONTH;
        if (is_own && options->plan->views[cell_view(key)].is_grouped && cell_flow(key) != FLOW_T &&
            figures_get(figures, FIGURE_DERIVED | i, &figure) && figure.sums->items != 0)
            add_cell(trace, statistic_key(writer, &figure.key, cube_codes(cube)), figure.sums, true);
    }
    figures_free(figures);
}

/* The cells of the entry that stands. */
static enum err take_cells(struct journal *journal, struct statistic_writer *writer, struct err_info *info)
{
    struct trace *trace = journal->trace;
    struct cube *cube = cube_new(trace->options.plan, 1, 0);
    enum err err = derive_one(cube, 0, trace->options.plan, &journal->state.dictionary,
                              buffer_bytes(&journal->standing_bytes), info);
    for (uint32_t i = 0; i < cube_count(cube) && err == OK; i++) {
        if (!trace->options.plan->views[cell_view(cube_key(cube, i))].is_grouped)
            add_cell(trace, statistic_key(writer, cube_key(cube, i), cube_codes(cube)), cube_measures(cube, i),
                     cube_is_published(cube, i));
    }
    if (err == OK)
        take_groups(trace, cube, writer);
    cube_free(cube);
    return err;
}

/* All that was read is void: what the rebase says is the beginning. */
static void begin_again(struct journal *journal, const struct frame *rebase)
{
    struct trace *trace = journal->trace;
    reader_rule_begin_again(journal->rule);
    journal->walk.next = journal->rule->position;
    while (trace->entry_count > journal->entry_first)
        contribution_fini(&trace->entries[--trace->entry_count].contribution);
    for (size_t i = 0; i < trace->record_count; i++) {
        struct trace_record *record = &trace->records[i];
        if (record->partition != journal->partition)
            continue;
        record->is_listed = false;
        record->is_skipped = record->is_skipped && record->offset < rebase->hi;
    }
    state_fini(&journal->state);
    state_init(&journal->state, trace->options.plan, 1);
    journal->standing = SIZE_MAX;
    journal->is_trimmed = true;
    trace->is_whole = false;
}

/* A record of the journal. What is corrupt may be mended by a rebase behind it. */
static void take_frame(struct journal *journal, const struct port_record *record)
{
    struct frame frame = {0};
    enum reader_branch branch =
        record->fault != PORT_NONE
            ? reader_rule_fault(journal->rule, record->offset, walk_fault_name(record->fault))
            : reader_rule_feed(journal->rule, record->offset, record->value, fold, journal, &frame);
    if (branch == READER_REBASED) {
        walk_close(&journal->walk);
        begin_again(journal, &frame);
    }
    if ((branch == READER_OPEN || branch == READER_OPEN_DISCARDS) && state_take_open(&journal->state, &frame)) {
        journal->epochs++;
        journal->key = ledger_key_of(journal->trace->options.id, &journal->state.id_key);
    }
}

static enum err read_frames(struct journal *journal, struct progress *progress, struct err_info *info)
{
    const struct port_record *record;
    uint64_t count = 0;
    TRY(walk_note(&journal->walk, info));
    int64_t low = journal->walk.next;
    journal->is_trimmed = low > 0;
    journal->trace->is_whole = journal->trace->is_whole && low == 0;
    for (;;) {
        TRY(walk_next(&journal->walk, &record, info));
        if (!record)
            break;
        take_frame(journal, record);
        show(progress, &journal->walk, low, &count);
    }
    return journal->rule->halted ? err_set(info, ERR_BROKEN, "journal %" PRId32 ": %s; see `dryport verify`",
                                           journal->partition, journal->rule->why.text)
                                 : OK;
}

static enum err read_journal(struct journal *journal, struct progress *progress, struct statistic_writer *writer,
                             struct err_info *info)
{
    TRY(read_frames(journal, progress, info));
    judge_records(journal);
    return journal->standing == SIZE_MAX ? OK : take_cells(journal, writer, info);
}

enum err trace_journals(struct trace *trace, struct err_info *info)
{
    const struct trace_options *options = &trace->options;
    struct progress progress = progress_begin("journals");
    struct statistic_writer *writer =
        statistic_writer_new(options->plan, options->reference, options->reporter, options->currency);
    struct journal *journal = memory_new(1, sizeof *journal);
    enum err err = OK;
    for (int32_t i = 0; i < options->port->partitions(options->port->self, PORT_JOURNAL) && err == OK; i++) {
        if (!is_wanted(trace, i))
            continue;
        *journal =
            (struct journal){.trace = trace, .partition = i, .standing = SIZE_MAX, .entry_first = trace->entry_count};
        journal->rule = reader_rule_new();
        journal->walk = walk_of(trace, PORT_JOURNAL, i);
        state_init(&journal->state, options->plan, 1);
        err = read_journal(journal, &progress, writer, info);
        walk_close(&journal->walk);
        state_fini(&journal->state);
        buffer_fini(&journal->standing_bytes);
        reader_rule_free(journal->rule);
    }
    memory_free(journal);
    statistic_writer_free(writer);
    progress_end(&progress);
    return err;
}

/* ---- rejects and statistics ---- */

/* Gives each record of a topic to take. */
static enum err read_topic(struct trace *trace, enum port_topic topic, const char *label,
                           void (*take)(struct trace *trace, const struct port_record *record), struct err_info *info)
{
    const struct port *port = trace->options.port;
    struct progress progress = progress_begin(label);
    enum err err = OK;
    for (int32_t i = 0; i < port->partitions(port->self, topic) && err == OK; i++) {
        struct walk walk = walk_of(trace, topic, i);
        const struct port_record *record = NULL;
        uint64_t count = 0;
        err = walk_note(&walk, info);
        int64_t low = walk.next;
        while (err == OK && (err = walk_next(&walk, &record, info)) == OK && record) {
            if (record->fault == PORT_NONE)
                take(trace, record);
            show(&progress, &walk, low, &count);
        }
        walk_close(&walk);
    }
    progress_end(&progress);
    return err;
}

static void take_reject(struct trace *trace, const struct port_record *record)
{
    struct reject_read read;
    if (reject_read(record, &read) != NULL)
        return;
    const struct trace_record *found = find_record(trace, read.message->partition, read.message->offset, read.index);
    bool is_id = text_equal(text_of(read.message->declaration_id), trace->options.id);
    if (strcmp(read.message->topic, trace->options.topic) != 0 || (!found && !is_id) ||
        !is_wanted(trace, read.message->partition)) {
        reject_read_fini(&read);
        return;
    }
    uint16_t rule = reject_read_rule(&read);
    bool is_listed = found && found->is_listed && (rule == 0 || rule == found->rule_number);
    trace->rejects = grow(trace->rejects, trace->reject_count, &trace->reject_capacity, sizeof trace->rejects[0]);
    trace->rejects[trace->reject_count++] = (struct trace_reject){read, found && !is_listed};
}

enum err trace_rejects(struct trace *trace, struct err_info *info)
{
    return read_topic(trace, PORT_REJECTS, "rejects", take_reject, info);
}

static void take_statistic(struct trace *trace, const struct port_record *record)
{
    struct text key = {(const char *)record->key.data, (uint32_t)record->key.length};
    struct statistic_time time = {.as_of = (uint64_t)record->as_of};
    if (gate_is_mark(record->key) || (!record->is_null && !statistic_bytes_time(record->value, &time)))
        return;
    for (size_t i = 0; i < trace->cell_count; i++) {
        struct trace_cell *cell = &trace->cells[i];
        if (!text_is(key, cell->key) || time.as_of <= cell->as_of)
            continue;
        cell->as_of = time.as_of;
        cell->is_gone = record->is_null;
        cell->partition = record->partition;
        cell->offset = record->offset;
        buffer_clear(&cell->value);
        buffer_add(&cell->value, record->value.data, record->value.length);
    }
}

enum err trace_statistics(struct trace *trace, struct err_info *info)
{
    return trace->cell_count ? read_topic(trace, PORT_STATISTICS, "statistics", take_statistic, info) : OK;
}
