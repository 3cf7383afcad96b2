/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/journals.h"

#include "base/check.h"
#include "base/counter.h"
#include "base/memory.h"
#include "flow/mutant.h"

#include <inttypes.h>
#include <pthread.h>

enum { TAKE = 16, OPEN_RETRY_MS = 500, STALL_MS = 30000, HALT_LOOK_MS = 5000 };

struct journal {
    struct journals *journals;
    int32_t number;
    bool is_watched;
    bool is_wanted; /* to be open */
    bool is_halted;
    int64_t looked_ms; /* halted: when it was last asked whether the break was trimmed away */
    int64_t begin;     /* what is below was replaced by a rebase */
    struct port_stream *stream;
    struct reader_rule *rule;
    int64_t end;       /* when it was opened first, -1 before */
    int64_t committed; /* by the group, before that; -1: nothing, or not asked for */
    int64_t seen_ms;   /* when the stream last gave something, or the log's end was asked for */
    /* taken and not yet judged, but for records[next] if is_judged */
    struct port_record records[TAKE];
    size_t count;
    size_t next;
    bool is_judged;
    bool is_rebased; /* by it */
    bool owes;       /* its echo */
    struct echo owed;
    /* shared: position by counter, why under the lock of journals */
    struct counter position;
    struct err_info why;
};

struct journals {
    struct journals_options options;
    struct journal *journal;
    bool is_behind;
    bool is_cut; /* the fold lacks what was trimmed: nothing is read before journals_restart */
    int32_t halted;
    int64_t retry_ms; /* the broker did not answer: nobody is asked before */
    int64_t stalls;
    pthread_mutex_t lock; /* of why in each journal */
};

/* The place in the log is still read on: a rebase may mend it. */
static void halt(struct journal *journal, const struct err_info *why)
{
    if (journal->is_halted)
        return;
    journal->is_halted = true;
    journal->journals->halted++;
    pthread_mutex_lock(&journal->journals->lock);
    journal->why = *why;
    pthread_mutex_unlock(&journal->journals->lock);
}

struct journals *journals_new(const struct journals_options *options)
{
    struct journals *journals = memory_new(1, sizeof *journals);
    journals->options = *options;
    journals->journal = memory_new((size_t)options->partitions, sizeof journals->journal[0]);
    int failed = pthread_mutex_init(&journals->lock, NULL);
    CHECK(failed == 0);
    for (int32_t i = 0; i < options->partitions; i++) {
        struct journal *journal = &journals->journal[i];
        journal->journals = journals;
        journal->number = i;
        journal->end = -1;
        journal->committed = -1;
        journal->is_wanted = options->fold != NULL;
    }
    return journals;
}

static void release(struct journal *journal)
{
    const struct port *port = journal->journals->options.port;
    if (journal->count)
        port->release(port->self, journal->records, journal->count);
    journal->count = 0;
    journal->next = 0;
    journal->is_judged = false;
    journal->is_rebased = false;
    journal->owes = false;
}

static void stop(struct journal *journal)
{
    const struct port *port = journal->journals->options.port;
    release(journal);
    if (journal->stream)
        port->stream_close(port->self, journal->stream);
    journal->stream = NULL;
}

static void unhalt(struct journal *journal)
{
    if (!journal->is_halted)
        return;
    journal->is_halted = false;
    journal->journals->halted--;
    pthread_mutex_lock(&journal->journals->lock);
    journal->why.text[0] = '\0';
    pthread_mutex_unlock(&journal->journals->lock);
}

/* All that was read counts no more: the log is read again from where it begins now. */
static void begin_again(struct journal *journal)
{
    stop(journal);
    reader_rule_free(journal->rule);
    journal->rule = NULL;
    journal->end = -1;
    unhalt(journal);
}

/* What the fold has of a journal is void, or there is no fold: then this one alone begins again. */
static void drop(struct journal *journal)
{
    if (journal->journals->options.fold)
        journal->journals->is_cut = true;
    else
        begin_again(journal);
}

/* All that is before the rebase is void. */
static void take_rebase(struct journal *journal)
{
    journal->begin = journal->rule->rebase.from;
    journal->is_rebased = false;
    drop(journal);
}

void journals_free(struct journals *journals)
{
    if (!journals)
        return;
    for (int32_t i = 0; i < journals->options.partitions; i++) {
        stop(&journals->journal[i]);
        reader_rule_free(journals->journal[i].rule);
    }
    pthread_mutex_destroy(&journals->lock);
    memory_free(journals->journal);
    memory_free(journals);
}

void journals_restart(struct journals *journals)
{
    for (int32_t i = 0; i < journals->options.partitions; i++)
        begin_again(&journals->journal[i]);
    journals->retry_ms = 0;
    journals->is_cut = false;
}

void journals_watch(struct journals *journals, int32_t partition, bool watch)
{
    CHECK(partition >= 0 && partition < journals->options.partitions);
    struct journal *journal = &journals->journal[partition];
    journal->is_watched = watch;
    journal->is_wanted = watch || journals->options.fold;
    journal->owes = journal->owes && watch;
    if (journal->is_wanted)
        return;
    if (journal->is_rebased)
        take_rebase(journal);
    else
        stop(journal); /* read on from the rule's position when it is watched again */
}

/* Where it ends, and what the group had counted before that. */
static enum err note(struct journal *journal, struct port_bounds *out, struct err_info *info)
{
    const struct journals_options *options = &journal->journals->options;
    const struct port *port = options->port;
    if (options->fold && !journal->rule)
        TRY(port->committed(port->self, journal->number, &journal->committed, info));
    return port->bounds(port->self, PORT_JOURNAL, journal->number, out, info);
}

/* Opens the stream at the log start, or where the rule stopped reading, and notes the end that must be reached. */
static bool start(struct journal *journal, int64_t now_ms)
{
    const struct journals *journals = journal->journals;
    const struct port *port = journals->options.port;
    struct port_bounds bounds = {0, 0};
    struct err_info info;
    if (now_ms < journal->journals->retry_ms)
        return false;
    if (!journal->rule || !journals->options.fold) {
        if (note(journal, &bounds, &info) != OK) {
            journal->journals->retry_ms = now_ms + OPEN_RETRY_MS;
            return false;
        }
    }
    if (journal->rule && !journals->options.fold && journal->rule->position < bounds.low) {
        reader_rule_free(journal->rule); /* the log was trimmed while nobody here watched it; no fold to be wrong */
        journal->rule = NULL;
    }
    if (!journal->rule) {
        journal->rule = reader_rule_new();
        journal->rule->drops_ledger = true; /* cells are what is folded here */
        journal->rule->position = bounds.low > journal->begin ? bounds.low : journal->begin;
        journal->end = bounds.high;
        if (bounds.low > 0 && bounds.low == bounds.high) {
            err_set(&info, ERR_BROKEN,
                    "journal offset %" PRId64
                    ": all records of the journal were deleted. Restore the topic from a mirror, or replay "
                    "the input into a new journal topic",
                    bounds.low);
            halt(journal, &info);
            return false;
        }
    }
    journal->stream = port->stream_open(port->self, PORT_JOURNAL, journal->number, journal->rule->position);
    counter_set(&journal->position, journal->rule->position);
    journal->seen_ms = now_ms;
    return true;
}

/* A stream that gives nothing for long though its log went on is opened anew (confluentinc/librdkafka#2363, #5153). */
static void watch_stream(struct journal *journal, int64_t now_ms)
{
    struct journals *journals = journal->journals;
    const struct port *port = journals->options.port;
    struct port_bounds bounds;
    struct err_info info;
    if (now_ms - journal->seen_ms < STALL_MS || now_ms < journals->retry_ms)
        return;
    journal->seen_ms = now_ms;
    if (port->bounds(port->self, PORT_JOURNAL, journal->number, &bounds, &info) != OK) {
        journals->retry_ms = now_ms + STALL_MS;
        return;
    }
    if (bounds.high < journal->end)
        journal->end = bounds.high; /* an unclean election cut the log before it was read so far */
    if (bounds.high <= journal->rule->position)
        return;
    stop(journal);
    journals->stalls++;
}

static enum err fold(void *context, const struct frame *frames, uint32_t count, struct err_info *info)
{
    struct journal *journal = context;
    const struct journals_options *options = &journal->journals->options;
    return options->fold ? options->fold(options->fold_context, journal->number, frames, count, info) : OK;
}

static const char *fault_text(enum port_fault fault)
{
    switch (fault) {
    case PORT_BAD_CRC:
        return "the record's check sum is wrong";
    case PORT_BAD_COMPRESSION:
        return "the record can't be decompressed";
    case PORT_TOO_LARGE:
        return "the record is larger than this client takes";
    case PORT_OFFSET_RESET:
        return "this offset is not in the log any more: the topic was cut or made anew while it was read; start the "
               "process again";
    case PORT_NONE:
    case PORT_OTHER:
        break;
    }
    return "the broker can't give this record; see its log";
}

/* True if the log was trimmed beyond what was read here: its owner went on while this process stood still. Without a fold the stream is
 * opened anew where the log begins; with one all must be folded again. */
static bool note_trim(struct journal *journal)
{
    struct journals *journals = journal->journals;
    const struct port *port = journals->options.port;
    struct port_bounds bounds;
    struct err_info info;
    if (port->bounds(port->self, PORT_JOURNAL, journal->number, &bounds, &info) != OK ||
        journal->rule->position >= bounds.low)
        return false;
    journals->is_cut |= journals->options.fold != NULL;
    return true;
}

/* True if the place at which the journal is corrupt is not in the log any more: its owner had passed it, and trimmed it. */
static bool is_mended_by_trim(struct journal *journal, int64_t now_ms)
{
    struct journals *journals = journal->journals;
    const struct port *port = journals->options.port;
    struct port_bounds bounds;
    struct err_info info;
    if (!journal->rule || !journal->rule->halted || now_ms - journal->looked_ms < HALT_LOOK_MS)
        return false;
    journal->looked_ms = now_ms;
    return port->bounds(port->self, PORT_JOURNAL, journal->number, &bounds, &info) == OK &&
           bounds.low > journal->rule->halted_at && bounds.low < bounds.high;
}

/* Judges one record and makes the echo that its owner is owed. */
static void judge(struct journal *journal, const struct port_record *record)
{
    struct reader_rule *rule = journal->rule;
    struct frame frame = {0};
    enum reader_branch branch = record->fault != PORT_NONE
                                    ? reader_rule_fault(rule, record->offset, fault_text(record->fault))
                                    : reader_rule_feed(rule, record->offset, record->value, fold, journal, &frame);
    if (rule->halted)
        halt(journal, &rule->why);
    counter_set(&journal->position, rule->position);
    journal->is_judged = true;
    journal->is_rebased = branch == READER_REBASED;
    journal->owes = journal->is_watched && journal->journals->options.echo;
    journal->owed = (struct echo){.partition = journal->number,
                                  .branch = branch,
                                  .kind = frame.kind,
                                  .last = frame.last,
                                  .nonce = frame.nonce,
                                  .seq = frame.seq,
                                  .offset = record->offset,
                                  .hi = branch == READER_REBASED ? frame.hi : rule->hi,
                                  .trim_to = rule->cycles.trim_to};
}

/* Judges the records at hand until one's echo finds no room. */
static bool judge_all(struct journal *journal, size_t *bytes)
{
    const struct journals_options *options = &journal->journals->options;
    while (journal->next < journal->count) {
        struct port_record *record = &journal->records[journal->next];
        if (!journal->is_judged) {
            if (record->fault == PORT_OFFSET_RESET && note_trim(journal)) {
                stop(journal);
                return false;
            }
            *bytes += record->value.length;
            judge(journal, record);
        }
        if (journal->owes && !options->echo(options->echo_context, &journal->owed))
            return false;
        if (journal->is_rebased) { /* its owner knows */
            take_rebase(journal);
            return false;
        }
        journal->is_judged = false;
        journal->owes = false;
        journal->next++;
    }
    release(journal);
    return true;
}

static bool read_journal(struct journal *journal, int64_t now_ms)
{
    struct journals *journals = journal->journals;
    const struct port *port = journals->options.port;
    size_t bytes = 0;
    bool did = journal->count > 0;
    if (!judge_all(journal, &bytes))
        return false;
    for (size_t records = 0; records < JOURNALS_RECORDS && bytes < JOURNALS_BYTES;) {
        journal->count = port->stream_take(port->self, journal->stream, journal->records, TAKE);
        if (journal->count == 0) {
            watch_stream(journal, now_ms);
            return did;
        }
        journal->seen_ms = now_ms;
        did = true;
        records += journal->count;
        if (journal->records[0].fault == PORT_NONE && journal->records[0].timestamp_ms < now_ms - JOURNALS_OLD_MS)
            journals->is_behind = true;
        if (!judge_all(journal, &bytes))
            return did;
    }
    return did;
}

bool journals_step(struct journals *journals, int64_t now_ms)
{
    bool did = false;
    journals->is_behind = false;
    for (int32_t i = 0; i < journals->options.partitions && !journals->is_cut; i++) {
        struct journal *journal = &journals->journal[i];
        if (!journal->is_wanted)
            continue;
        if (journal->is_halted && is_mended_by_trim(journal, now_ms)) {
            drop(journal);
            did = true;
            continue;
        }
        if (!journal->stream && !start(journal, now_ms))
            continue;
        did |= read_journal(journal, now_ms);
    }
    return did;
}

bool journals_are_cut(const struct journals *journals)
{
    return journals->is_cut;
}

static bool is_lost(const struct journal *journal)
{
    const struct reader_rule *rule = journal->rule;
    return rule && !rule->has_data && journal->committed > 0 && journal->committed > rule->hi;
}

bool journals_are_lost(const struct journals *journals, struct err_info *out)
{
    for (int32_t i = 0; i < journals->options.partitions; i++) {
        const struct journal *journal = &journals->journal[i];
        if (!is_lost(journal))
            continue;
        err_set(out, ERR_BROKEN,
                "the journal of partition %" PRId32
                " holds nothing that was counted, but the group has counted up to input offset %" PRId64
                ": nothing is published, for it would be zeros. Restore the journal topic, or start with another group "
                "and a new statistics topic",
                i, journal->committed);
        return true;
    }
    return false;
}

bool journals_are_folded(const struct journals *journals)
{
    if (journals->is_cut)
        return false;
    for (int32_t i = 0; i < journals->options.partitions; i++) {
        const struct journal *journal = &journals->journal[i];
        if (journal->is_halted || !journal->rule || is_lost(journal) || journal->rule->position < journal->end ||
            !slices_are_whole(&journal->rule->slices))
            return false;
    }
    return true;
}

bool journals_are_halted(const struct journals *journals)
{
    return journals->halted > 0;
}

bool journals_are_behind(const struct journals *journals)
{
    return journals->is_behind;
}

int64_t journals_stalls(const struct journals *journals)
{
    return journals->stalls;
}

static int64_t event_ms_of(const struct journal *journal)
{
    return journal->rule ? journal->rule->event_ms_most : INT64_MIN;
}

int64_t journals_event_ms(const struct journals *journals)
{
    int64_t least = INT64_MAX;
    for (int32_t i = 0; i < journals->options.partitions; i++) {
        const struct journal *journal = &journals->journal[i];
        int64_t event_ms = event_ms_of(journal);
        if (!journal->rule || !journal->rule->is_idle || MUTANT(IDLE_HOLDS_BACK))
            least = event_ms < least ? event_ms : least;
    }
    return least == INT64_MAX ? journals_event_ms_most(journals) : least;
}

int64_t journals_event_ms_least(const struct journals *journals)
{
    int64_t least = INT64_MAX;
    for (int32_t i = 0; i < journals->options.partitions; i++) {
        int64_t event_ms = event_ms_of(&journals->journal[i]);
        least = event_ms < least ? event_ms : least;
    }
    return least == INT64_MAX ? INT64_MIN : least;
}

bool journals_are_idle(const struct journals *journals)
{
    for (int32_t i = 0; i < journals->options.partitions; i++) {
        if (!journals->journal[i].rule || !journals->journal[i].rule->is_idle)
            return false;
    }
    return true;
}

int64_t journals_event_ms_most(const struct journals *journals)
{
    int64_t most = INT64_MIN;
    for (int32_t i = 0; i < journals->options.partitions; i++) {
        int64_t event_ms = event_ms_of(&journals->journal[i]);
        most = event_ms > most ? event_ms : most;
    }
    return most;
}

void journals_health(struct journals *journals, int32_t partition, int64_t *out_position, struct err_info *out_halt)
{
    CHECK(partition >= 0 && partition < journals->options.partitions);
    struct journal *journal = &journals->journal[partition];
    *out_position = counter_read(&journal->position);
    pthread_mutex_lock(&journals->lock);
    *out_halt = journal->why;
    pthread_mutex_unlock(&journals->lock);
}
