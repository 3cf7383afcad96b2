/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/skip.h"

#include "base/check.h"
#include "base/memory.h"
#include "flow/guard.h"
#include "flow/seal.h"

#include <inttypes.h>

enum { TAKE = 64, TOKEN_OPEN = 1, TOKEN_SKIP = 2 };

struct skip {
    struct skip_options options;
    enum skip_phase phase;
    struct reader_rule *rule;
    struct state state;
    struct port_stream *stream;
    int64_t end; /* the journal is to be read up to here */
    struct skip_found found;
    struct frame_nonce nonce;
    struct group *group;
    bool is_sent; /* what this phase sends */
    enum err err;
    struct err_info why;
};

struct skip *skip_new(const struct skip_options *options)
{
    CHECK(options->reason.length > 0 && options->reason.length <= SKIP_REASON_MOST);
    struct skip *skip = memory_new(1, sizeof *skip);
    skip->options = *options;
    skip->rule = reader_rule_new();
    skip->group = group_new();
    skip->end = -1;
    state_init(&skip->state, options->plan, options->random(options->random_context));
    return skip;
}

void skip_free(struct skip *skip)
{
    if (!skip)
        return;
    if (skip->stream)
        skip->options.port->stream_close(skip->options.port->self, skip->stream);
    reader_rule_free(skip->rule);
    state_fini(&skip->state);
    group_free(skip->group);
    memory_free(skip);
}

/* With the text that is in why. */
static void fail(struct skip *skip, enum err err)
{
    skip->phase = SKIP_FAILED;
    skip->err = err;
}

static void enter(struct skip *skip, enum skip_phase phase)
{
    skip->phase = phase;
    skip->is_sent = false;
}

/* ---- the journal ---- */

static bool begin(struct skip *skip)
{
    const struct port *port = skip->options.port;
    struct port_bounds journal;
    enum err err = port->bounds(port->self, PORT_JOURNAL, skip->options.partition, &journal, &skip->why);
    if (err == OK && journal.low > 0 && journal.low == journal.high)
        err = err_set(&skip->why, ERR_BROKEN,
                      "all records of the journal were deleted, up to offset %" PRId64
                      ": restore the topic from a mirror",
                      journal.low);
    if (err != OK) {
        fail(skip, err);
        return true;
    }
    skip->end = journal.high;
    skip->rule->position = journal.low;
    skip->stream = port->stream_open(port->self, PORT_JOURNAL, skip->options.partition, journal.low);
    return true;
}

/* A foreign OPEN behind the own one takes the partition; the own SKIP, applied, is the end. */
static void look_at(struct skip *skip, enum reader_branch branch, const struct frame *frame)
{
    bool own = frame_nonce_equal(&frame->nonce, &skip->nonce);
    if (branch == READER_OPEN || branch == READER_OPEN_DISCARDS)
        state_take_open(&skip->state, frame);
    if (skip->phase != SKIP_WRITING)
        return;
    if (branch == READER_APPLIED && own)
        enter(skip, SKIP_DONE);
    else if (branch == READER_OPEN || branch == READER_OPEN_DISCARDS)
        fail(skip,
             err_set(&skip->why, ERR_FENCED,
                     "another process claimed partition %d meanwhile, and nothing is skipped: a live process owns "
                     "it. If that one is halted for this range, try again",
                     skip->options.partition));
}

static void feed(struct skip *skip, const struct port_record *record)
{
    struct frame frame = {0};
    if (record->fault != PORT_NONE) {
        fail(skip, err_set(&skip->why, ERR_BROKEN, "journal offset %" PRId64 " cannot be read (fault %d)",
                           record->offset, (int)record->fault));
        return;
    }
    enum reader_branch branch =
        reader_rule_feed(skip->rule, record->offset, record->value, state_fold, &skip->state, &frame);
    if (branch == READER_HALTED) {
        skip->why = skip->rule->why;
        fail(skip, err_prefix(&skip->why, ERR_BROKEN, "the journal of partition %d is corrupt and takes no SKIP",
                              skip->options.partition));
        return;
    }
    look_at(skip, branch, &frame);
}

/* Reads on. False: there is nothing now. */
static bool read_on(struct skip *skip)
{
    const struct port *port = skip->options.port;
    struct port_record records[TAKE];
    size_t count = port->stream_take(port->self, skip->stream, records, TAKE);
    for (size_t i = 0; i < count && skip->phase != SKIP_FAILED && skip->phase != SKIP_DONE; i++)
        feed(skip, &records[i]);
    if (count)
        port->release(port->self, records, count);
    return count > 0;
}

/* ---- what is asked for, and what there is ---- */

static enum err check_guards(struct skip *skip)
{
    const struct port *port = skip->options.port;
    struct guard_facts facts = {
        .partition = skip->options.partition,
        .partitions = port->partitions(port->self, PORT_DECLARATIONS),
        .journal = port->partitions(port->self, PORT_JOURNAL),
        .begun_with = skip->rule->begun_with,
        .has_groups = skip->rule->has_groups,
        .has_data = skip->rule->has_data,
        .position = skip->rule->hi,
        .committed = -1,
    };
    TRY(port->bounds(port->self, PORT_DECLARATIONS, skip->options.partition, &facts.input, &skip->why));
    TRY(port->committed(port->self, skip->options.partition, &facts.committed, &skip->why));
    enum guard guard = guard_start(&facts, &skip->why);
    skip->found.position = facts.position;
    skip->found.input = facts.input;
    skip->found.ledger_entries = ledger_count(skip->state.ledger);
    return guard == GUARD_NONE || guard == GUARD_INPUT_LOST ? OK : ERR_BROKEN;
}

static enum err check_range(struct skip *skip)
{
    const struct skip_options *options = &skip->options;
    struct skip_found *found = &skip->found;
    if (options->from != found->position)
        return err_set(&skip->why, ERR_CONFIG,
                       "partition %d is counted up to input offset %" PRId64
                       ": a hole must begin there (--from %" PRId64 "), not at %" PRId64,
                       options->partition, found->position, found->position, options->from);
    if (options->to <= options->from)
        return err_set(&skip->why, ERR_CONFIG,
                       "--to %" PRId64
                       ": it is the first offset that is counted again, so it must lie above --from %" PRId64,
                       options->to, options->from);
    if (options->to > found->input.high)
        return err_set(&skip->why, ERR_CONFIG,
                       "--to %" PRId64 ": the log of partition %d ends at offset %" PRId64
                       ", and what is not written yet can't be skipped",
                       options->to, options->partition, found->input.high);
    int64_t first = options->from > found->input.low ? options->from : found->input.low;
    found->readable = options->to > first ? options->to - first : 0;
    return OK;
}

static void finish_reading(struct skip *skip)
{
    enum err err = check_guards(skip);
    if (err == OK && skip->rule->has_groups && !slices_are_whole(&skip->state.slices))
        err = err_set(&skip->why, ERR_BROKEN,
                      "the journal of partition %d begins with a snapshot that is not whole: restore it from a mirror",
                      skip->options.partition);
    if (err == OK)
        err = check_range(skip);
    if (err != OK)
        fail(skip, err);
    else
        enter(skip, SKIP_READY);
}

void skip_confirm(struct skip *skip)
{
    const struct skip_options *options = &skip->options;
    CHECK(skip->phase == SKIP_READY);
    skip->nonce.word[0] = options->random(options->random_context);
    skip->nonce.word[1] = options->random(options->random_context);
    enter(skip, SKIP_CLAIMING);
}

/* ---- writing ---- */

/* True if it is on its way, or failed for good. */
static bool send(struct skip *skip, struct bytes frame, uint64_t token)
{
    const struct skip_options *options = &skip->options;
    enum err err = options->port->append(options->port->self, options->lane, PORT_JOURNAL, options->partition,
                                         (struct bytes){NULL, 0}, frame, PORT_NO_AS_OF, token, &skip->why);
    if (err == ERR_FULL || err == ERR_RETRY)
        return false;
    if (err != OK)
        fail(skip, err);
    skip->is_sent = err == OK;
    return true;
}

static uint64_t plan_of(const struct skip *skip)
{
    return skip->rule->has_plan ? skip->rule->plan : 0;
}

static bool send_open(struct skip *skip)
{
    const struct skip_options *options = &skip->options;
    const struct port *port = options->port;
    struct hash_key key;
    key.word[0] = options->random(options->random_context);
    key.word[1] = options->random(options->random_context);
    struct buffer frame = {0};
    seal_open(&frame, &skip->nonce, options->partition, port->partitions(port->self, PORT_DECLARATIONS), plan_of(skip),
              &key, (struct text){NULL, 0});
    bool did = send(skip, buffer_bytes(&frame), TOKEN_OPEN);
    buffer_fini(&frame);
    return did;
}

static bool send_skip(struct skip *skip)
{
    const struct skip_options *options = &skip->options;
    struct seal_source source = {options->partition, plan_of(skip), &skip->state};
    group_reset(skip->group);
    seal_skip(skip->group, &source, options->from, options->to, options->reason);
    CHECK(skip->group->frame_count == 1);
    frame_seal(skip->group->bytes.data, skip->group->bytes.length, &skip->nonce, 1);
    return send(skip, buffer_bytes(&skip->group->bytes), TOKEN_SKIP);
}

static bool take_acks(struct skip *skip)
{
    const struct port *port = skip->options.port;
    struct port_ack ack;
    bool did = false;
    while (skip->phase != SKIP_FAILED && port->acks(port->self, skip->options.lane, &ack, 1) == 1) {
        did = true;
        if (ack.result == ERR_LIMIT)
            fail(skip, err_set(&skip->why, ERR_CONFIG,
                               "the journal topic refuses a frame: raise its max.message.bytes to 1048588"));
        else if (ack.result != OK || (ack.token == TOKEN_OPEN && ack.offset < 0))
            fail(skip,
                 err_set(&skip->why, ERR_PEER,
                         "the broker did not confirm a write to the journal; it may have it all the same. Try again: "
                         "what is skipped then shows as counted"));
        else if (ack.token == TOKEN_OPEN) {
            skip->end = ack.offset + 1;
            enter(skip, SKIP_RESTORING);
        }
    }
    return did;
}

/* The journal is read through the own OPEN. */
static void finish_restore(struct skip *skip)
{
    if (!frame_nonce_equal(&skip->rule->epoch, &skip->nonce)) {
        fail(skip, err_set(&skip->why, ERR_FENCED,
                           "another process claimed partition %d at the same moment, and nothing is skipped: try again",
                           skip->options.partition));
        return;
    }
    finish_reading(skip);
    if (skip->phase == SKIP_READY)
        enter(skip, SKIP_WRITING);
}

bool skip_step(struct skip *skip)
{
    bool did = take_acks(skip);
    switch (skip->phase) {
    case SKIP_READING:
        if (!skip->stream)
            return begin(skip);
        if (skip->rule->position < skip->end)
            return read_on(skip) || did;
        finish_reading(skip);
        return true;
    case SKIP_CLAIMING:
        return (!skip->is_sent && send_open(skip)) || did;
    case SKIP_RESTORING:
        if (skip->rule->position < skip->end)
            return read_on(skip) || did;
        finish_restore(skip);
        return true;
    case SKIP_WRITING:
        if (!skip->is_sent)
            return send_skip(skip) || did;
        return read_on(skip) || did;
    case SKIP_READY:
    case SKIP_DONE:
    case SKIP_FAILED:
        break;
    }
    return did;
}

enum skip_phase skip_phase(const struct skip *skip)
{
    return skip->phase;
}

const struct skip_found *skip_found(const struct skip *skip)
{
    return &skip->found;
}

enum err skip_error(const struct skip *skip, struct err_info *out)
{
    CHECK(skip->phase == SKIP_FAILED);
    *out = skip->why;
    return skip->err;
}
