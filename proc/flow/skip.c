/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/skip.h"

#include "base/check.h"
#include "base/memory.h"
#include "flow/cube.h"
#include "flow/guard.h"
#include "flow/seal.h"
#include "flow/snapshot.h"

#include <inttypes.h>

enum { TAKE = 64, TOKEN_OPEN = 1, TOKEN_FRAME = 2, DAY_MS = 86400000, KEPT_DAYS = 100000 };

struct skip {
    struct skip_options options;
    enum skip_phase phase;
    struct reader_rule *rule;
    struct state state;
    struct cube *cube; /* of a rebase: it sees breaks that a state does not */
    struct port_stream *stream;
    int64_t end;      /* the journal is to be read up to here */
    int64_t break_at; /* journal offset of a group that does not fold: it is to be read up to there; -1: none */
    struct err_info break_why;
    bool is_spoiled; /* state and cube have a part of that group */
    struct skip_found found;
    struct frame_nonce nonce;
    struct group *group; /* being sent */
    uint32_t slice;      /* of a rebase: its own */
    uint32_t frame;      /* of the group: the next to send, which stands at frame_at */
    size_t frame_at;
    uint64_t seq;
    bool is_sent; /* what this phase sends */
    enum err err;
    struct err_info why;
};

static void begin_state(struct skip *skip)
{
    const struct skip_options *options = &skip->options;
    state_init(&skip->state, options->plan, options->random(options->random_context));
    if (!options->rebase)
        return;
    skip->state.plan_id = options->plan_id;
    skip->state.today = (int32_t)(options->port->now_ms(options->port->self) / DAY_MS);
    skip->cube = cube_new(options->plan, options->partition + 1, options->plan_id);
}

struct skip *skip_new(const struct skip_options *options)
{
    CHECK(options->reason.length > 0 && options->reason.length <= SKIP_REASON_MOST);
    struct skip *skip = memory_new(1, sizeof *skip);
    skip->options = *options;
    skip->rule = reader_rule_new();
    skip->group = group_new();
    skip->end = -1;
    skip->break_at = -1;
    begin_state(skip);
    return skip;
}

static void close_stream(struct skip *skip)
{
    if (skip->stream)
        skip->options.port->stream_close(skip->options.port->self, skip->stream);
    skip->stream = NULL;
}

void skip_free(struct skip *skip)
{
    if (!skip)
        return;
    close_stream(skip);
    reader_rule_free(skip->rule);
    state_fini(&skip->state);
    cube_free(skip->cube);
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
    if (skip->end < journal.high)
        skip->end = journal.high;
    skip->rule->position = journal.low;
    skip->stream = port->stream_open(port->self, PORT_JOURNAL, skip->options.partition, journal.low);
    return true;
}

/* Nothing was read yet, and the log begins at `offset`. */
static void begin_again(struct skip *skip, int64_t offset)
{
    const struct port *port = skip->options.port;
    close_stream(skip);
    reader_rule_free(skip->rule);
    state_fini(&skip->state);
    cube_free(skip->cube);
    skip->cube = NULL;
    skip->rule = reader_rule_new();
    skip->rule->position = offset;
    begin_state(skip);
    skip->stream = port->stream_open(port->self, PORT_JOURNAL, skip->options.partition, offset);
}

static enum err fold(void *context, const struct frame *frames, uint32_t count, struct err_info *info)
{
    struct skip *skip = context;
    enum err err = state_fold(&skip->state, frames, count, info);
    if (err == OK && skip->cube)
        err = cube_fold(skip->cube, skip->options.partition, frames, count, info);
    skip->is_spoiled = err != OK;
    if (err != OK)
        skip->break_why = *info;
    return err;
}

/* A foreign OPEN behind the own one takes the partition; the own group or rebase, accepted, is the end. */
static void look_at(struct skip *skip, enum reader_branch branch, const struct frame *frame)
{
    bool own = frame_nonce_equal(&frame->nonce, &skip->nonce);
    if (branch == READER_OPEN || branch == READER_OPEN_DISCARDS)
        state_take_open(&skip->state, frame);
    if (skip->phase != SKIP_WRITING)
        return;
    if (own && branch == (skip->options.rebase ? READER_REBASED : READER_APPLIED))
        enter(skip, SKIP_DONE);
    else if (branch == READER_OPEN || branch == READER_OPEN_DISCARDS)
        fail(skip, err_set(&skip->why, ERR_FENCED,
                           "another process claimed partition %d meanwhile, and nothing is changed: a live process "
                           "owns it. Try again: if that one is halted by now, it does not claim again",
                           skip->options.partition));
}

/* True if the records behind this one are to be taken from another place, or not at all. */
static bool feed(struct skip *skip, const struct port_record *record)
{
    struct frame frame = {0};
    enum reader_branch branch;
    if (record->fault == PORT_OFFSET_RESET) {
        fail(skip,
             err_set(&skip->why, ERR_RETRY, "the journal of partition %d was trimmed while it was read: try again",
                     skip->options.partition));
        return true;
    }
    if (record->fault != PORT_NONE)
        branch = reader_rule_fault(skip->rule, record->offset, "the record cannot be read");
    else if (record->offset == skip->break_at)
        branch = reader_rule_fault(skip->rule, record->offset, skip->break_why.text);
    else
        branch = reader_rule_feed(skip->rule, record->offset, record->value, fold, skip, &frame);
    if (skip->is_spoiled) { /* what was accepted is what is before this group */
        skip->is_spoiled = false;
        skip->break_at = record->offset;
        begin_again(skip, skip->rule->first);
        return true;
    }
    look_at(skip, branch, &frame);
    if (branch == READER_REBASED && skip->phase < SKIP_DONE) {
        skip->break_at = -1;
        begin_again(skip, skip->rule->rebase.from);
        return true;
    }
    return skip->phase >= SKIP_DONE;
}

/* Reads on. False: there is nothing now. */
static bool read_on(struct skip *skip)
{
    const struct port *port = skip->options.port;
    struct port_record records[TAKE];
    size_t count = port->stream_take(port->self, skip->stream, records, TAKE);
    bool is_over = false;
    for (size_t i = 0; i < count && !is_over; i++)
        is_over = feed(skip, &records[i]);
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

static enum err check_hole(struct skip *skip)
{
    if (skip->rule->halted) {
        skip->why = skip->rule->why;
        return err_prefix(&skip->why, ERR_BROKEN,
                          "the journal of partition %d is corrupt and takes no SKIP. Restore it from a mirror, or go "
                          "on from what was accepted before the break: dryport skip --rebase --partition %d --reason "
                          "TEXT. What is wrong",
                          skip->options.partition, skip->options.partition);
    }
    enum err err = check_guards(skip);
    if (err == OK && skip->rule->has_groups && !slices_are_whole(&skip->state.slices))
        err = err_set(&skip->why, ERR_BROKEN,
                      "the journal of partition %d begins with a snapshot that is not whole: restore it from a mirror",
                      skip->options.partition);
    return err == OK ? check_range(skip) : err;
}

/* Whether there is something to mend, and something to mend it with: then the cells are ready to be written. */
static enum err check_rebase(struct skip *skip)
{
    const struct port *port = skip->options.port;
    const struct reader_rule *rule = skip->rule;
    struct skip_found *found = &skip->found;
    int32_t partition = skip->options.partition;
    if (!rule->halted)
        return err_set(&skip->why, ERR_CONFIG,
                       "the journal of partition %d is in order up to input offset %" PRId64
                       ": there is nothing to mend. Input that is lost is given up with --from and --to",
                       partition, rule->hi);
    skip->why = rule->why;
    if (rule->needs_upgrade)
        return err_prefix(&skip->why, ERR_CONFIG, "the journal of partition %d is of a newer program, and not broken",
                          partition);
    if (!slices_are_whole(&rule->slices))
        return err_prefix(&skip->why, ERR_BROKEN,
                          "nothing whole stands before the break in the journal of partition %d: restore the topic "
                          "from a mirror, or count the input again into new journal and statistics topics with "
                          "another group. What is wrong",
                          partition);
    uint64_t expired = ledger_sums(skip->state.ledger).prints;
    if (expired && !slices_are_of_plan(&skip->state.slices, skip->options.plan_id))
        return err_set(
            &skip->why, ERR_CONFIG,
            "%" PRIu64
            " declarations of partition %d lie below the floor of its ledger, and their cells are of another "
            "plan: give skip the configuration that they were counted with",
            expired, partition);
    if (!expired && !snapshot_derive(&skip->state))
        return err_set(&skip->why, ERR_BROKEN,
                       "what the ledger of partition %d adds up to is not what its journal says: restore the topic "
                       "from a mirror, or count the input again into new journal and statistics topics",
                       partition);
    found->why = rule->why;
    found->broken_at = rule->halted_at;
    found->end = skip->end;
    found->position = skip->state.hi;
    found->ledger_entries = ledger_count(skip->state.ledger);
    return port->bounds(port->self, PORT_DECLARATIONS, partition, &found->input, &skip->why);
}

static void finish_reading(struct skip *skip)
{
    enum err err = skip->options.rebase ? check_rebase(skip) : check_hole(skip);
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
    if (skip->options.rebase)
        return skip->options.plan_id;
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
              &key, options->rebase ? options->units : (struct text){NULL, 0});
    bool did = send(skip, buffer_bytes(&frame), TOKEN_OPEN);
    buffer_fini(&frame);
    return did;
}

static void seal_hole(struct skip *skip)
{
    const struct skip_options *options = &skip->options;
    struct seal_source source = {options->partition, plan_of(skip), &skip->state};
    seal_skip(skip->group, &source, options->from, options->to, options->reason);
}

/* False: the slice is larger than a group may be. */
static bool seal_slice(struct skip *skip)
{
    const struct skip_options *options = &skip->options;
    struct snapshot_source source = {
        .partition = options->partition,
        .plan = options->plan_id,
        .state = &skip->state,
        .window = &skip->rule->window,
        .begun_with = skip->rule->begun_with,
        .rejects_days = KEPT_DAYS, /* none is dropped: the next owner knows how long topic.rejects keeps them */
        .is_idle = skip->rule->is_idle,
        .rebase = true,
        .reason = options->reason,
    };
    return snapshot_slice(skip->group, &source, skip->slice);
}

/* The next group, if all of the one before was sent. False: there is none. */
static bool next_group(struct skip *skip)
{
    if (skip->frame < skip->group->frame_count)
        return true;
    uint32_t groups = skip->options.rebase ? SLICES : 1;
    if (skip->slice == groups)
        return false;
    group_reset(skip->group);
    skip->frame = 0;
    skip->frame_at = 0;
    if (!skip->options.rebase)
        seal_hole(skip);
    else if (!seal_slice(skip))
        fail(skip, err_set(&skip->why, ERR_LIMIT,
                           "slice %" PRIu32 " of partition %d is larger than a group may be: count the input again "
                           "into new journal and statistics topics with more partitions",
                           skip->slice, skip->options.partition));
    skip->slice++;
    return skip->phase != SKIP_FAILED;
}

/* The frames of the groups, as far as they are taken now. */
static bool send_groups(struct skip *skip)
{
    bool did = false;
    while (next_group(skip)) {
        uint8_t *at = skip->group->bytes.data + skip->frame_at;
        size_t bytes = skip->group->frame_bytes[skip->frame];
        frame_seal(at, bytes, &skip->nonce, skip->seq + 1);
        if (!send(skip, (struct bytes){at, bytes}, TOKEN_FRAME))
            return did;
        did = true;
        if (skip->phase == SKIP_FAILED)
            return did;
        skip->seq++;
        skip->frame++;
        skip->frame_at += bytes;
        skip->is_sent = false;
    }
    skip->is_sent = true;
    return did;
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
                           "another process claimed partition %d at the same moment, and nothing is changed: try again",
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
            return send_groups(skip) || did;
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
