/* SPDX-License-Identifier: Apache-2.0
 * fuzz_reader_rule.c - the reader rule as a state machine: sequences of frames that writers, zombies and networks could leave, and others.
 *
 * Input:   first byte: where the log begins; then an operation after the other, each a few bytes
 * Checks:  every record means to the rule what it means to the model of docs/JOURNAL.md (reader_model.h); accepted ranges tile; a group is
 *          folded exactly if it was applied; a halted reader applies nothing; whoever reads the log again, or from where it may be trimmed
 *          to, ends in the same state; no rebase sends a reader back twice
 */
#include "fuzz.h"

#include "base/memory.h"
#include "flow/reader_rule.h"
#include "reader_model.h"

enum { LOG_MOST = 700, NONCES = 12 };

_Static_assert((int)MODEL_OPEN == (int)READER_OPEN && (int)MODEL_HALTED == (int)READER_HALTED &&
                   (int)MODEL_REBASED == (int)READER_REBASED && (int)MODEL_APPLIED == (int)READER_APPLIED,
               "both say the same in the same order");

struct entry {
    struct model_frame frame;
    bool is_fault;
    uint8_t garbage;
    struct bytes bytes; /* owned */
};

static struct entry entries[LOG_MOST];
static uint32_t entry_count;
static int64_t base; /* offset of the first entry */

/* One reader with its fold and the model beside it. */
struct pair {
    struct reader_rule *rule;
    struct model model;
    uint32_t folded;
    int64_t hi;
    bool has_hi;
    int64_t restarted_at; /* where the last rebase sent it back to, -1: none did */
};

static enum err fold(void *context, const struct frame *frames, uint32_t count, struct err_info *info)
{
    struct pair *pair = context;
    if (frames[0].plan == MODEL_REFUSED_PLAN)
        return err_set(info, ERR_BROKEN, "refused");
    CHECK(count > 0 && frames[count - 1].last);
    CHECK(!pair->has_hi || frames[0].lo == pair->hi);
    for (uint32_t i = 0; i < count; i++) {
        CHECK(frames[i].lo == frames[0].lo && frames[i].hi == frames[0].hi && frames[i].kind == frames[0].kind);
        CHECK(frames[i].seq == frames[0].seq + i && (i + 1 == count || !frames[i].last));
    }
    pair->folded++;
    pair->hi = frames[0].hi;
    pair->has_hi = true;
    return OK;
}

static void compare(const struct pair *pair)
{
    const struct reader_rule *rule = pair->rule;
    const struct model *model = &pair->model;
    CHECK(rule->halted == model->corrupt);
    CHECK(rule->hi == model->hi && rule->has_epoch == model->has_epoch);
    CHECK(!rule->has_epoch || (rule->epoch.word[0] == model->nonce && rule->seq == model->seq));
    CHECK(rule->held_count == model->held);
    CHECK(rule->rebase.from == model->rebase_from);
    CHECK(pair->folded == model->groups);
    CHECK(rule->halted || slices_are_whole(&rule->slices) == model_is_whole(model));
    for (uint64_t nonce = 0; nonce < NONCES; nonce++) {
        struct frame_nonce word = {{nonce, 1}};
        CHECK(slice_window_has(&rule->window, &word) == model_has_seen(model, nonce));
    }
    CHECK(!rule->halted || rule->why.text[0]);
}

/* Both read one record, and again from where a rebase sends them back to. */
static void feed(struct pair *pair, uint32_t index)
{
    const struct entry *entry = &entries[index];
    int64_t offset = base + index;
    uint32_t folded = pair->folded;
    bool was_halted = pair->rule->halted;
    struct frame parsed;
    enum reader_branch branch = entry->is_fault
                                    ? reader_rule_fault(pair->rule, offset, "a fault")
                                    : reader_rule_feed(pair->rule, offset, entry->bytes, fold, pair, &parsed);
    enum model_says says = model_feed(&pair->model, offset, &entry->frame);
    CHECK_SAY((int)branch == (int)says, "record %u: the rule says %s, the model %s", index, reader_branch_name(branch),
              reader_branch_name((enum reader_branch)says));
    CHECK((branch == READER_APPLIED) == (pair->folded == folded + 1));
    CHECK(!was_halted || branch != READER_APPLIED);
    compare(pair);
    if (branch != READER_REBASED)
        return;
    int64_t from = pair->rule->rebase.from;
    CHECK_SAY(from >= base && from <= offset, "%lld", (long long)from);
    CHECK_SAY(from > pair->restarted_at, "sent back to %lld again and again", (long long)from);
    pair->restarted_at = from;
    reader_rule_begin_again(pair->rule);
    CHECK(pair->rule->position == from && !pair->rule->halted);
    model_begin(&pair->model);
    pair->folded = 0;
    pair->has_hi = false;
    for (int64_t i = from - base; i <= index; i++)
        feed(pair, (uint32_t)i);
    CHECK_SAY(from == 0 || !pair->rule->halted || pair->model.corrupt, "%s", pair->rule->why.text);
}

/* ---- writing ---- */

static void seal(struct entry *entry)
{
    const struct model_frame *m = &entry->frame;
    struct buffer out = {0};
    struct frame frame = {.kind = (enum frame_kind)m->kind,
                          .last = m->last,
                          .nonce = {{m->nonce, 1}},
                          .lo = m->lo,
                          .hi = m->hi,
                          .plan = m->plan,
                          .event_ms_most = m->hi};
    frame_write_header(&frame, buffer_reserve(&out, FRAME_HEADER_BYTES));
    out.length = FRAME_HEADER_BYTES;
    if (m->has_head) {
        struct slice_head head = {.slice = m->slice, .replan = m->replan, .rebase = m->rebase};
        for (uint32_t i = 0; i < m->window_count; i++)
            slice_window_add(&head.window, &(struct frame_nonce){{m->window[i], 1}});
        slice_put_head(&out, &head);
    }
    frame_seal(out.data, out.length, &frame.nonce, m->seq);
    if (!m->is_frame)
        out.data[entry->garbage % out.length] ^= (uint8_t)(1 + entry->garbage / 7 % 255);
    entry->bytes = buffer_bytes(&out);
}

/* False: the log is full. */
static bool add(struct pair *pair, const struct entry *entry)
{
    if (entry_count == LOG_MOST)
        return false;
    entries[entry_count] = *entry;
    if (!entry->is_fault)
        seal(&entries[entry_count]);
    feed(pair, entry_count++);
    return true;
}

static uint64_t some_plan(struct choices *choices)
{
    static const uint64_t plans[] = {7, 7, 7, 7, 0x500000007, 8, 0x500000008, MODEL_REFUSED_PLAN};
    return plans[choose(choices, 8)];
}

/* What the owner of the newest epoch would write next. */
static struct model_frame next_frame(const struct pair *pair)
{
    const struct model *model = &pair->model;
    struct model_frame frame = {.is_frame = true,
                                .kind = FRAME_DATA,
                                .last = true,
                                .nonce = model->nonce,
                                .seq = model->seq + 1,
                                .lo = model->hi,
                                .hi = model->hi,
                                .plan = 7,
                                .window_count = model->window_count};
    memcpy(frame.window, model->window, sizeof frame.window);
    return frame;
}

static void put_slices(struct pair *pair, struct choices *choices)
{
    struct entry entry = {.frame = next_frame(pair)};
    uint32_t flags = choose_byte(choices);
    uint32_t first = flags & 4 ? choose(choices, MODEL_SLICES) : 0;
    uint32_t count = flags & 8 ? 1 + choose(choices, MODEL_SLICES) : MODEL_SLICES;
    uint64_t plan = some_plan(choices);
    for (uint32_t i = 0; i < count; i++) {
        entry.frame = next_frame(pair);
        entry.frame.kind = FRAME_SNAP;
        entry.frame.plan = plan;
        entry.frame.has_head = true;
        entry.frame.slice = (first + i) % MODEL_SLICES;
        entry.frame.replan = flags & 1;
        entry.frame.rebase = flags & 2;
        if (!add(pair, &entry))
            return;
    }
}

static void put_frame(struct pair *pair, struct choices *choices)
{
    struct entry entry = {.frame = next_frame(pair)};
    struct model_frame *frame = &entry.frame;
    uint32_t odd = choose_byte(choices); /* usually 0: all is as it should be */
    frame->kind = FRAME_DATA + (int)choose(choices, 4);
    frame->last = !(odd & 1);
    if (frame->kind == FRAME_DATA || frame->kind == FRAME_SKIP)
        frame->hi += choose(choices, 4);
    if (pair->model.held > 0) { /* goes on with its group */
        frame->kind = pair->model.first.kind;
        frame->lo = pair->model.first.lo;
        frame->hi = pair->model.first.hi;
        frame->plan = pair->model.first.plan;
    }
    if (odd & 2)
        frame->nonce = choose(choices, NONCES);
    if (odd & 4)
        frame->seq = frame->seq + choose(choices, 8) - 4;
    if (odd & 8)
        frame->lo += (int64_t)choose(choices, 5) - 2;
    if (odd & 16)
        frame->hi += (int64_t)choose(choices, 5) - 2;
    if (odd & 32)
        frame->plan = some_plan(choices);
    if (frame->kind == FRAME_SNAP) {
        uint32_t flags = choose_byte(choices);
        frame->has_head = !(flags & 16);
        frame->slice = flags & 32 ? choose(choices, MODEL_SLICES) : pair->rule->cycles.slices % MODEL_SLICES;
        frame->replan = flags & 1;
        frame->rebase = flags & 2;
    }
    if (odd & 64) {
        frame->is_frame = false;
        entry.garbage = choose_byte(choices);
    }
    uint32_t times = odd & 128 ? 1 + choose(choices, 300) : 1;
    for (uint32_t i = 0; i < times && add(pair, &entry); i++)
        frame->seq++;
}

static void put_open(struct pair *pair, struct choices *choices, uint64_t *next_nonce)
{
    struct entry entry = {.frame = next_frame(pair)};
    uint32_t which = choose_byte(choices);
    entry.frame.kind = FRAME_OPEN;
    entry.frame.nonce = which & 1 ? which / 2 % NONCES : (*next_nonce)++;
    entry.frame.seq = 0;
    entry.frame.lo = entry.frame.hi = 0;
    uint32_t times = which & 128 ? 70 : 1; /* more than the window holds */
    for (uint32_t i = 0; i < times && add(pair, &entry); i++)
        entry.frame.nonce = (*next_nonce)++;
}

static void put_again(struct pair *pair, struct choices *choices)
{
    if (entry_count == 0)
        return;
    struct entry entry = entries[entry_count - 1 - choose(choices, 65536) % entry_count];
    entry.bytes = (struct bytes){NULL, 0};
    add(pair, &entry);
}

static void run(struct pair *pair, struct choices *choices)
{
    uint64_t next_nonce = NONCES;
    while (choices_left(choices) > 0 && entry_count < LOG_MOST) {
        switch (choose(choices, 8)) {
        case 0:
            put_open(pair, choices, &next_nonce);
            break;
        case 1:
            put_slices(pair, choices);
            break;
        case 2:
            put_again(pair, choices);
            break;
        case 3: {
            struct entry entry = {.is_fault = choose(choices, 4) == 0, .frame = next_frame(pair)};
            entry.frame.is_frame = !entry.is_fault;
            entry.frame.hi++;
            add(pair, &entry);
            break;
        }
        default:
            put_frame(pair, choices);
        }
    }
}

/* ---- other readers of the same log ---- */

static void open_pair(struct pair *pair)
{
    *pair = (struct pair){.rule = reader_rule_new(), .restarted_at = -1};
    model_begin(&pair->model);
}

static void close_pair(struct pair *pair)
{
    reader_rule_free(pair->rule);
}

/* A rebase sends a reader back once; who begins behind it is sent back by others than who read all. */
static void read_from(struct pair *pair, int64_t from)
{
    open_pair(pair);
    for (int64_t i = from - base; i < entry_count; i++)
        feed(pair, (uint32_t)i);
}

static void compare_ends(const struct pair *a, const struct pair *b)
{
    CHECK(a->rule->hi == b->rule->hi && a->rule->seq == b->rule->seq);
    CHECK(frame_nonce_equal(&a->rule->epoch, &b->rule->epoch) && a->rule->held_count == b->rule->held_count);
    for (uint64_t nonce = 0; nonce < NONCES; nonce++) {
        struct frame_nonce word = {{nonce, 1}};
        CHECK(slice_window_has(&a->rule->window, &word) == slice_window_has(&b->rule->window, &word));
    }
}

static void check_others(const struct pair *pair)
{
    struct pair other;
    read_from(&other, base);
    CHECK(other.rule->halted == pair->rule->halted);
    compare_ends(pair, &other);
    close_pair(&other);
    int64_t trim_to = pair->rule->cycles.trim_to;
    if (pair->rule->halted || trim_to < 0)
        return;
    read_from(&other, trim_to);
    CHECK_SAY(!other.rule->halted, "trimmed to %lld: %s", (long long)trim_to, other.rule->why.text);
    CHECK(slices_are_whole(&other.rule->slices));
    compare_ends(pair, &other);
    close_pair(&other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct choices choices = choices_of(data, size);
    struct pair pair;
    base = choose(&choices, 4) == 0 ? 1000 : 0;
    entry_count = 0;
    open_pair(&pair);
    run(&pair, &choices);
    check_others(&pair);
    close_pair(&pair);
    for (uint32_t i = 0; i < entry_count; i++) {
        struct buffer owned = {.capacity = entries[i].bytes.length};
        memcpy(&owned.data, &entries[i].bytes.data, sizeof owned.data);
        buffer_fini(&owned);
    }
    return 0;
}
