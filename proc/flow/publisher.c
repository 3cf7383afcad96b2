/* SPDX-License-Identifier: Apache-2.0
 *
 * Overview: journals.c reads and judges the journals, cube.c adds their groups up, registry.c knows what the topic of
 *   statistics holds, gate.c whose term it is, statistic.c makes records. Here is the order: fold, link, read, claim,
 * emit. Invariants: I1 nothing is written but behind the open gate. I2 a cell that is not marked has in the topic, once
 * the writes of this term have landed, the content that it has in the cube. I3 every write of a key has a larger as_of
 *   than all before.
 * Calls: one thread but for publisher_health, publisher_trouble, publisher_counters. The lock is of `trouble` only.
 */
#include "flow/publisher.h"

#include "base/check.h"
#include "base/memory.h"
#include "flow/cube.h"
#include "flow/gate.h"
#include "flow/journals.h"
#include "flow/mutant.h"
#include "flow/registry.h"
#include "flow/statistic.h"
#include "flow/statistic_bytes.h"

#include <inttypes.h>
#include <pthread.h>

enum {
    STEP_EMITS = 2000, /* cells looked at in one step */
    STEP_LINKS = 4000, /* cells given their place in the registry in one step */
    STEP_READS = 1024, /* statistics records read in one step and partition */
    TAKE = 64,
    BATCH = 32, /* keys looked up together */
    ACKS = 256,
    UNACKED_MOST = 20000,
    COALESCE_MS = 10000,
    BEHIND_HOLD_MS = 500, /* between two fetches of a catch-up it is behind still */
    RETRY_FIRST_MS = 100,
    RETRY_MOST_MS = 5000,
    REOPEN_MS = 500,
    RIVAL_STEP_MS = 64,
    RIVAL_MOST_MS = 2000,
};

/* One partition of topic.statistics. */
struct tail {
    struct port_stream *stream;
    int64_t position;
    int64_t end; /* when it was opened: what must be read before a claim */
};

/* What one publication covers. */
struct round {
    bool is_running;
    bool is_limited; /* to publish_max_keys_per_s */
    uint32_t cells;  /* marked when it began and not yet looked at */
    int64_t begun_ms;
    int64_t sent;
    int64_t declarations;
    int64_t record_timestamp;
    uint64_t groups;
};

struct publisher {
    struct publisher_options options;
    struct publisher_counters counters;
    struct journals *journals;
    struct cube *cube;
    struct registry *registry;
    struct statistic_writer *writer;
    struct gate gate;
    struct tail *tails;
    bool tails_began;
    int64_t tails_retry_ms;
    bool leads;
    bool is_open;  /* the gate */
    bool mark_all; /* the registry was forgotten: compare every cell again */
    bool backlog;
    int64_t behind_until_ms;
    uint32_t linked;   /* cells that have their place in the registry */
    uint32_t *orphans; /* registry entries without a cell that are to be published */
    uint32_t orphan_count;
    uint32_t orphan_capacity;
    /* writing */
    uint64_t counter; /* low part of as_of */
    uint64_t token;
    int32_t claims_sent;
    int64_t unacked;
    int64_t retry_ms; /* no claim before */
    uint32_t failures;
    uint32_t rivals;
    struct round round;
    /* folding */
    uint64_t groups;
    uint64_t groups_recorded;
    int64_t record_timestamp;
    /* shared, under the lock */
    pthread_mutex_t lock;
    struct err_info trouble;
};

/* ---- life ---- */

static enum err fold(void *context, int32_t partition, const struct frame *frames, uint32_t count,
                     struct err_info *info)
{
    struct publisher *publisher = context;
    TRY(cube_fold(publisher->cube, partition, frames, count, info));
    const struct frame *last = &frames[count - 1];
    if (last->kind == FRAME_DATA) {
        publisher->groups++;
        if (last->record_timestamp > publisher->record_timestamp)
            publisher->record_timestamp = last->record_timestamp;
    }
    return OK;
}

static void open_folding(struct publisher *publisher)
{
    const struct publisher_options *options = &publisher->options;
    CHECK(options->random && options->statistics_partitions > 0);
    uint64_t random[4];
    for (int i = 0; i < 4; i++)
        random[i] = options->random(options->random_context);
    publisher->cube = cube_new(options->plan, options->partitions, options->plan_id);
    publisher->registry = registry_new(&(struct hash_key){{random[0], random[1]}});
    publisher->writer = statistic_writer_new(options->plan, options->reference, options->reporter, options->currency);
    gate_init(&publisher->gate, options->statistics_partitions, random + 2);
    publisher->tails = memory_new((size_t)options->statistics_partitions, sizeof publisher->tails[0]);
}

struct publisher *publisher_new(const struct publisher_options *options)
{
    struct publisher *publisher = memory_new(1, sizeof *publisher);
    publisher->options = *options;
    publisher->record_timestamp = INT64_MIN;
    publisher->round.begun_ms = INT64_MIN / 2;
    counter_set(&publisher->counters.watermark_ms, INT64_MIN);
    int failed = pthread_mutex_init(&publisher->lock, NULL);
    CHECK(failed == 0);
    if (options->folds)
        open_folding(publisher);
    publisher->journals = journals_new(&(struct journals_options){
        .port = options->port,
        .partitions = options->partitions,
        .fold = options->folds ? fold : NULL,
        .fold_context = publisher,
        .echo = options->echo,
        .echo_context = options->echo_context,
    });
    return publisher;
}

static void close_tails(struct publisher *publisher)
{
    const struct port *port = publisher->options.port;
    for (int32_t i = 0; i < publisher->gate.count; i++) {
        if (publisher->tails[i].stream)
            port->stream_close(port->self, publisher->tails[i].stream);
        publisher->tails[i] = (struct tail){0};
    }
}

void publisher_free(struct publisher *publisher)
{
    if (!publisher)
        return;
    journals_free(publisher->journals);
    close_tails(publisher);
    memory_free(publisher->tails);
    memory_free(publisher->orphans);
    gate_fini(&publisher->gate);
    statistic_writer_free(publisher->writer);
    registry_free(publisher->registry);
    cube_free(publisher->cube);
    pthread_mutex_destroy(&publisher->lock);
    memory_free(publisher);
}

static void set_trouble(struct publisher *publisher, const char *text)
{
    pthread_mutex_lock(&publisher->lock);
    err_set(&publisher->trouble, OK, "%s", text);
    pthread_mutex_unlock(&publisher->lock);
}

static void shut(struct publisher *publisher)
{
    gate_shut(&publisher->gate);
    publisher->is_open = false;
    publisher->round.is_running = false;
    publisher->claims_sent = 0;
}

/* What is in flight may still land; it belongs to a term that is over, so it will be late. */
static void producer_lost(struct publisher *publisher, const char *why, int64_t now_ms)
{
    const struct publisher_options *options = &publisher->options;
    options->port->lane_reset(options->port->self, options->lane);
    publisher->unacked = 0;
    shut(publisher);
    int64_t pause = (int64_t)RETRY_FIRST_MS << (publisher->failures < 6 ? publisher->failures : 6);
    publisher->failures++;
    publisher->retry_ms = now_ms + (pause < RETRY_MOST_MS ? pause : RETRY_MOST_MS);
    set_trouble(publisher, why);
}

/* Another publisher claimed the topic. Two that both believe to lead must not meet for ever: pause at random. */
static void rival_seen(struct publisher *publisher, int64_t now_ms)
{
    const struct publisher_options *options = &publisher->options;
    shut(publisher);
    publisher->rivals++;
    counter_add(&publisher->counters.rivals, 1);
    int64_t most = (int64_t)RIVAL_STEP_MS * publisher->rivals;
    most = most < RIVAL_MOST_MS ? most : RIVAL_MOST_MS;
    publisher->retry_ms = now_ms + (int64_t)(options->random(options->random_context) % (uint64_t)most);
    set_trouble(
        publisher,
        "another publisher has claimed topic.statistics; run one with role=publish or role=all that owns partition 0");
}

void publisher_lead(struct publisher *publisher, bool leads)
{
    if (!leads && publisher->leads && publisher->options.folds)
        shut(publisher);
    publisher->leads = leads;
}

void publisher_watch(struct publisher *publisher, int32_t partition, bool watch)
{
    journals_watch(publisher->journals, partition, watch);
}

void publisher_backlog(struct publisher *publisher, bool waits)
{
    publisher->backlog = waits;
}

/* ---- what topic.statistics holds ---- */

static void set_link(struct publisher *publisher, uint32_t cell, uint32_t index)
{
    registry_at(publisher->registry, index)->cell = cell;
    registry_drop(publisher->registry, index);
    cube_set_link(publisher->cube, cell, index);
}

/* Gives the next cells their places, at most `most`. */
static void link_batch(struct publisher *publisher, uint32_t most)
{
    struct registry_place places[BATCH];
    uint32_t cells[BATCH];
    uint32_t indexes[BATCH];
    uint32_t count = 0;
    for (uint32_t i = 0; i < most && i < BATCH; i++) {
        uint32_t cell = publisher->linked++;
        if (!cube_is_published(publisher->cube, cell))
            continue;
        struct text key =
            statistic_key(publisher->writer, cube_key(publisher->cube, cell), cube_codes(publisher->cube));
        cells[count] = cell;
        places[count++] = registry_place_of(publisher->registry, key);
    }
    for (uint32_t i = 0; i < count; i++)
        indexes[i] = registry_put_at(publisher->registry, &places[i]);
    for (uint32_t i = 0; i < count; i++)
        set_link(publisher, cells[i], indexes[i]);
}

/* Gives every cell below `most` its place. */
static void link_to(struct publisher *publisher, uint32_t most)
{
    while (publisher->linked < most)
        link_batch(publisher, most - publisher->linked);
}

static bool link_some(struct publisher *publisher)
{
    uint32_t left = cube_count(publisher->cube) - publisher->linked;
    link_to(publisher, publisher->linked + (left < STEP_LINKS ? left : STEP_LINKS));
    return left > 0;
}

static void queue_orphan(struct publisher *publisher, uint32_t index)
{
    struct registry_entry *entry = registry_at(publisher->registry, index);
    if (entry->queued)
        return;
    if (publisher->orphan_count == publisher->orphan_capacity) {
        publisher->orphan_capacity = publisher->orphan_capacity ? publisher->orphan_capacity * 2 : 64;
        publisher->orphans =
            memory_resize(publisher->orphans, publisher->orphan_capacity, sizeof publisher->orphans[0]);
    }
    entry->queued = true;
    publisher->orphans[publisher->orphan_count++] = index;
}

/* The topic's last record of a key is not what was written last: compare it with the cube. */
static void take_foreign(struct publisher *publisher, uint32_t index, const struct port_record *record)
{
    struct registry_entry *entry = registry_at(publisher->registry, index);
    if (entry->cell != REGISTRY_NO_CELL) {
        cube_mark(publisher->cube, entry->cell);
    } else if (entry->late || entry->read_content != STATISTIC_ABSENT) {
        struct text key = {(const char *)record->key.data, (uint32_t)record->key.length};
        registry_keep(publisher->registry, index, key, record->value);
        queue_orphan(publisher, index);
    } else {
        registry_drop(publisher->registry, index);
    }
}

static bool is_of_own_term(const struct publisher *publisher, uint64_t as_of)
{
    return publisher->gate.term && gate_term_of(as_of) == publisher->gate.term;
}

static void read_tombstone(struct publisher *publisher, uint32_t index)
{
    struct registry_entry *entry = registry_at(publisher->registry, index);
    entry->read_content = STATISTIC_ABSENT;
    entry->late = false;
    registry_drop(publisher->registry, index);
    if (entry->cell != REGISTRY_NO_CELL)
        cube_mark(publisher->cube, entry->cell);
}

/* `index` is that of its key. */
static void read_statistic(struct publisher *publisher, int32_t partition, const struct port_record *record,
                           uint32_t index, int64_t now_ms)
{
    if (record->is_null) {
        read_tombstone(publisher, index);
        return;
    }
    uint64_t as_of = 0;
    uint64_t content = STATISTIC_UNKNOWN;
    bool is_broken = !statistic_bytes_as_of(record->value, &as_of);
    struct registry_entry *entry = registry_at(publisher->registry, index);
    bool is_late = (gate_see(&publisher->gate, partition, as_of) || as_of < entry->read_as_of) && !MUTANT(NOT_REPAIRED);
    bool is_newest = as_of == entry->written_as_of && as_of != 0;
    bool is_own = is_newest || (as_of < entry->written_as_of && is_of_own_term(publisher, as_of) &&
                                is_of_own_term(publisher, entry->written_as_of));
    if (is_newest)
        content = entry->written_content;
    else if (!is_own && !is_broken && !statistic_content(record->value, &content))
        content = STATISTIC_UNKNOWN;
    entry->read_content = content;
    entry->read_as_of = as_of > entry->read_as_of ? as_of : entry->read_as_of;
    entry->late = is_late;
    if (is_late && publisher->is_open)
        counter_add(&publisher->counters.repairs, 1);
    if (is_late || !is_own)
        take_foreign(publisher, index, record);
    else if (is_newest && content == STATISTIC_ABSENT)
        registry_drop(publisher->registry, index);
    if (publisher->gate.term && gate_term_of(as_of) > publisher->gate.term)
        rival_seen(publisher, now_ms); /* it writes in a term that it claimed elsewhere or never */
}

/* Reads the whole topic anew: a place that should be there is gone, or the broker can't give it. */
static void restart_tails(struct publisher *publisher, const struct port_record *record, int64_t now_ms)
{
    struct err_info info;
    err_set(&info, ERR_RETRY,
            "topic.statistics, partition %" PRId32 " offset %" PRId64 " can't be read: reading the topic again",
            record->partition, record->offset);
    shut(publisher);
    set_trouble(publisher, info.text);
    close_tails(publisher);
    gate_restart(&publisher->gate);
    registry_forget(publisher->registry);
    publisher->orphan_count = 0;
    publisher->mark_all = true;
    publisher->tails_retry_ms = now_ms + REOPEN_MS;
}

/* All from the beginning: the cube holds what a partition has replaced since. Nothing is published before it is whole again. */
static void refold(struct publisher *publisher)
{
    const struct publisher_options *options = &publisher->options;
    uint64_t random[2] = {options->random(options->random_context), options->random(options->random_context)};
    shut(publisher);
    close_tails(publisher);
    gate_restart(&publisher->gate);
    registry_free(publisher->registry);
    publisher->registry = registry_new(&(struct hash_key){{random[0], random[1]}});
    publisher->tails_began = false;
    publisher->orphan_count = 0;
    publisher->linked = 0;
    cube_empty(publisher->cube);
    journals_restart(publisher->journals);
}

/* Nothing is published while a partition is counted under another plan, or not whole. */
static bool meet_plans(struct publisher *publisher)
{
    if (cube_wants_refold(publisher->cube) || journals_are_cut(publisher->journals))
        refold(publisher);
    int32_t partition;
    struct err_info info;
    if (journals_are_lost(publisher->journals, &info)) {
        set_trouble(publisher, info.text);
        return false;
    }
    if (cube_is_settled(publisher->cube, &partition))
        return true;
    if (publisher->gate.term)
        shut(publisher);
    err_set(&info, ERR_RETRY,
            "the journal of partition %" PRId32
            " is not yet counted under the plan of this process: its rules, lists, views "
            "or currency are others than those of the partition's owner",
            partition);
    if (journals_are_folded(publisher->journals))
        set_trouble(publisher, info.text);
    return false;
}

static bool open_tail(struct publisher *publisher, int32_t partition, int64_t now_ms)
{
    const struct port *port = publisher->options.port;
    struct tail *tail = &publisher->tails[partition];
    struct port_bounds bounds;
    struct err_info info;
    if (now_ms < publisher->tails_retry_ms)
        return false;
    if (port->bounds(port->self, PORT_STATISTICS, partition, &bounds, &info) != OK) {
        publisher->tails_retry_ms = now_ms + REOPEN_MS;
        set_trouble(publisher, info.text);
        return false;
    }
    tail->stream = port->stream_open(port->self, PORT_STATISTICS, partition, bounds.low);
    tail->position = bounds.low;
    tail->end = bounds.high;
    return true;
}

/* The registry's entries of the keys that stand before the first fault; marks have none. */
static void find_entries(struct publisher *publisher, const struct port_record *records, size_t count,
                         uint32_t out[static TAKE])
{
    struct registry_place places[TAKE];
    for (size_t i = 0; i < count && !records[i].fault; i++) {
        struct text key = {(const char *)records[i].key.data, (uint32_t)records[i].key.length};
        places[i] = registry_place_of(publisher->registry, key);
    }
    for (size_t i = 0; i < count && !records[i].fault; i++) {
        if (!gate_is_mark(records[i].key))
            out[i] = registry_put_at(publisher->registry, &places[i]);
    }
}

static bool read_tail(struct publisher *publisher, int32_t partition, int64_t now_ms)
{
    const struct port *port = publisher->options.port;
    struct tail *tail = &publisher->tails[partition];
    struct port_record records[TAKE];
    uint32_t indexes[TAKE];
    struct port_record fault = {0};
    size_t total = 0;
    size_t count = TAKE;
    while (count == TAKE && total < STEP_READS && !fault.fault) {
        count = port->stream_take(port->self, tail->stream, records, TAKE);
        total += count;
        find_entries(publisher, records, count, indexes);
        for (size_t i = 0; i < count && !fault.fault; i++) {
            if (records[i].fault)
                fault = records[i];
            else if (!gate_is_mark(records[i].key))
                read_statistic(publisher, partition, &records[i], indexes[i], now_ms);
            else if (gate_read(&publisher->gate, partition, records[i].key, records[i].value))
                rival_seen(publisher, now_ms);
            tail->position = records[i].offset + 1;
        }
        if (count)
            port->release(port->self, records, count);
    }
    if (fault.fault)
        restart_tails(publisher, &fault, now_ms);
    return total > 0;
}

/* Begins after the journals, so that only records of cells that are gone must be kept. */
static bool read_tails(struct publisher *publisher, int64_t now_ms)
{
    bool did = false;
    if (!publisher->tails_began && !MUTANT(PUBLISHED_EARLY) &&
        (!journals_are_folded(publisher->journals) || publisher->linked < cube_count(publisher->cube)))
        return false;
    publisher->tails_began = true;
    for (int32_t i = 0; i < publisher->gate.count; i++) {
        if (publisher->tails[i].stream || open_tail(publisher, i, now_ms))
            did |= read_tail(publisher, i, now_ms);
    }
    return did;
}

static bool tails_are_read(const struct publisher *publisher)
{
    for (int32_t i = 0; i < publisher->gate.count; i++) {
        if (!publisher->tails[i].stream || publisher->tails[i].position < publisher->tails[i].end)
            return false;
    }
    return true;
}

/* ---- writing ---- */

static int32_t partition_of(const struct publisher *publisher, struct text key)
{
    return (int32_t)((hash_murmur2(key.data, key.length) & 0x7FFFFFFF) % (uint32_t)publisher->gate.count);
}

static enum err append(struct publisher *publisher, int32_t partition, struct text key, struct bytes value,
                       uint64_t as_of, struct err_info *info)
{
    const struct publisher_options *options = &publisher->options;
    struct bytes name = {(const uint8_t *)key.data, key.length};
    enum err err = options->port->append(options->port->self, options->lane, PORT_STATISTICS, partition, name, value,
                                         (int64_t)as_of, ++publisher->token, info);
    if (err == OK)
        publisher->unacked++;
    return err;
}

/* What became of a cell that was looked at. */
enum emit {
    EMIT_DONE, /* sent, or there was nothing to send */
    EMIT_WAIT, /* no room: look at it again */
    EMIT_LOST, /* the producer is gone */
};

/* Sends what the writer has taken as the record of a key. */
static enum emit send(struct publisher *publisher, uint32_t index, struct text key, uint64_t content, int64_t now_ms)
{
    struct err_info info = {{0}};
    int64_t watermark = counter_read(&publisher->counters.watermark_ms);
    uint64_t as_of = publisher->gate.term << GATE_TERM_SHIFT | ++publisher->counter;
    CHECK(publisher->counter < GATE_COUNTER_MOST);
    struct bytes value = statistic_pack(publisher->writer, as_of, now_ms, watermark == INT64_MIN ? 0 : watermark);
    enum err err = append(publisher, partition_of(publisher, key), key, value, as_of, &info);
    if (err == ERR_FULL || err == ERR_RETRY)
        return EMIT_WAIT;
    if (err == ERR_LIMIT) {
        counter_add(&publisher->counters.too_large, 1);
        return EMIT_DONE;
    }
    if (err != OK) {
        producer_lost(publisher, info.text, now_ms);
        return EMIT_LOST;
    }
    struct registry_entry *entry = registry_at(publisher->registry, index);
    entry->written_as_of = as_of;
    entry->written_content = content;
    publisher->round.sent++;
    counter_add(&publisher->counters.publish_keys, 1);
    counter_add(&publisher->counters.publish_bytes, (int64_t)(key.length + value.length));
    return EMIT_DONE;
}

static enum emit emit_cell(struct publisher *publisher, uint32_t cell, int64_t now_ms)
{
    bool is_saturated = false;
    const struct table_key *place = cube_key(publisher->cube, cell);
    link_to(publisher, cell + 1);
    uint32_t index = cube_link(publisher->cube, cell);
    const struct registry_entry *entry = registry_at(publisher->registry, index);
    uint64_t content = statistic_set(publisher->writer, place, cube_codes(publisher->cube),
                                     cube_measures(publisher->cube, cell), &is_saturated);
    if (!entry->late && content == registry_content(entry, publisher->gate.term))
        return EMIT_DONE;
    struct text key = statistic_key(publisher->writer, place, cube_codes(publisher->cube));
    enum emit emit = send(publisher, index, key, content, now_ms);
    if (emit == EMIT_DONE && is_saturated)
        counter_add(&publisher->counters.saturated, 1);
    return emit;
}

/* A key of the topic that the cube does not have: its last record again, with zero measures. */
static enum emit emit_orphan(struct publisher *publisher, uint32_t index, int64_t now_ms)
{
    link_to(publisher, cube_count(publisher->cube));
    const struct registry_entry *entry = registry_at(publisher->registry, index);
    struct text key;
    struct bytes value;
    if (entry->cell != REGISTRY_NO_CELL || !registry_kept(entry, &key, &value))
        return EMIT_DONE;
    if (!entry->late && registry_content(entry, publisher->gate.term) == STATISTIC_ABSENT)
        return EMIT_DONE;
    if (!statistic_set_gone(publisher->writer, value)) /* not ours, and nothing to say about it */
        return EMIT_DONE;
    return send(publisher, index, key, STATISTIC_ABSENT, now_ms);
}

static bool may_send(const struct publisher *publisher, int64_t now_ms)
{
    const struct round *round = &publisher->round;
    if (publisher->unacked >= UNACKED_MOST)
        return false;
    int64_t elapsed_ms = now_ms - round->begun_ms + 1;
    return !round->is_limited || round->sent < elapsed_ms * publisher->options.publish_max_keys_per_s / 1000 + 1;
}

/* True if the round was taken further. */
static bool emit(struct publisher *publisher, int64_t now_ms)
{
    struct round *round = &publisher->round;
    bool did = false;
    for (int i = 0; i < STEP_EMITS && may_send(publisher, now_ms); i++) {
        enum emit emit;
        if (round->cells > 0 && cube_dirty_count(publisher->cube) > 0) {
            emit = emit_cell(publisher, cube_dirty_first(publisher->cube), now_ms);
            if (emit != EMIT_DONE)
                return did;
            cube_dirty_take(publisher->cube);
            round->cells--;
        } else if (publisher->orphan_count > 0) {
            uint32_t index = publisher->orphans[publisher->orphan_count - 1];
            emit = emit_orphan(publisher, index, now_ms);
            if (emit != EMIT_DONE)
                return did;
            registry_at(publisher->registry, index)->queued = false;
            publisher->orphan_count--;
        } else {
            round->cells = 0;
            break;
        }
        did = true;
    }
    return did;
}

/* ---- rounds ---- */

static bool is_behind(const struct publisher *publisher, int64_t now_ms)
{
    return publisher->backlog || now_ms < publisher->behind_until_ms;
}

static bool begin_round(struct publisher *publisher, int64_t now_ms)
{
    struct round *round = &publisher->round;
    if (cube_dirty_count(publisher->cube) == 0 && publisher->orphan_count == 0 && round->groups == publisher->groups)
        return false;
    bool behind = is_behind(publisher, now_ms);
    bool limited = behind || cube_dirty_count(publisher->cube) > publisher->options.publish_max_keys_per_s;
    int64_t interval_ms = publisher->options.publish_interval_ms;
    if (behind && interval_ms < COALESCE_MS) /* who has caught up is only limited in rate, and begins at once */
        interval_ms = COALESCE_MS;
    if (now_ms - round->begun_ms < interval_ms)
        return false;
    *round = (struct round){
        .is_running = true,
        .is_limited = limited,
        .cells = cube_dirty_count(publisher->cube),
        .begun_ms = now_ms,
        .declarations = cube_declarations(publisher->cube),
        .record_timestamp = publisher->record_timestamp,
        .groups = publisher->groups,
    };
    return true;
}

/* Everything that was folded when the round began is in the topic. */
static void end_round(struct publisher *publisher, int64_t now_ms)
{
    struct round *round = &publisher->round;
    round->is_running = false;
    publisher->rivals = 0;
    counter_set(&publisher->counters.published_declarations, round->declarations);
    counter_set(&publisher->counters.last_publish_ms, now_ms);
    if (round->groups > publisher->groups_recorded && now_ms >= round->record_timestamp)
        hist_record(&publisher->counters.end_to_end, (double)(now_ms - round->record_timestamp) / 1000.0);
    publisher->groups_recorded = round->groups;
}

static bool run_round(struct publisher *publisher, int64_t now_ms)
{
    struct round *round = &publisher->round;
    bool did = false;
    if (!round->is_running)
        did = begin_round(publisher, now_ms);
    if (!round->is_running)
        return did;
    did |= emit(publisher, now_ms);
    if (round->is_running && round->cells == 0 && publisher->orphan_count == 0 && publisher->unacked == 0) {
        end_round(publisher, now_ms);
        did = true;
    }
    return did;
}

/* ---- the gate ---- */

static void open_gate(struct publisher *publisher)
{
    publisher->is_open = true;
    publisher->counter = 0;
    publisher->failures = 0;
    publisher->round = (struct round){.begun_ms = INT64_MIN / 2, .groups = UINT64_MAX};
    for (uint32_t cell = 0; publisher->mark_all && cell < cube_count(publisher->cube); cell++)
        cube_mark(publisher->cube, cell);
    publisher->mark_all = false;
    for (uint32_t i = 0; i < registry_count(publisher->registry); i++) {
        const struct registry_entry *entry = registry_at(publisher->registry, i);
        if (entry->cell == REGISTRY_NO_CELL && entry->record)
            queue_orphan(publisher, i);
        else if (entry->cell != REGISTRY_NO_CELL && (entry->late || entry->written_as_of > entry->read_as_of))
            cube_mark(publisher->cube, entry->cell);
    }
    set_trouble(publisher, "");
}

/* Writes the claim to the partitions that do not have it yet. False: come again. */
static bool send_claims(struct publisher *publisher, int64_t now_ms)
{
    char key[GATE_KEY_BYTES];
    char text[GATE_VALUE_BYTES];
    struct text value = gate_claim_value(&publisher->gate, text);
    struct err_info info = {{0}};
    while (publisher->claims_sent < publisher->gate.count) {
        enum err err = append(publisher, publisher->claims_sent, gate_claim_key(&publisher->gate, key),
                              (struct bytes){(const uint8_t *)value.data, value.length},
                              publisher->gate.term << GATE_TERM_SHIFT, &info);
        if (err == ERR_FULL || err == ERR_RETRY)
            return false;
        if (err != OK) {
            producer_lost(publisher, info.text, now_ms);
            return false;
        }
        publisher->claims_sent++;
    }
    return true;
}

static bool advance_gate(struct publisher *publisher, int64_t now_ms)
{
    bool is_read = journals_are_folded(publisher->journals) && tails_are_read(publisher);
    if (!publisher->leads || now_ms < publisher->retry_ms || (!is_read && !MUTANT(PUBLISHED_EARLY)))
        return false;
    if (publisher->gate.term == 0) {
        if (!gate_claim(&publisher->gate)) {
            set_trouble(
                publisher,
                "a record of topic.statistics has the largest as_of there is: delete the topic, it is made anew");
            publisher->retry_ms = now_ms + RETRY_MOST_MS;
            return false;
        }
        publisher->claims_sent = 0;
        counter_add(&publisher->counters.claims, 1);
    }
    if (!send_claims(publisher, now_ms) || (!gate_is_won(&publisher->gate) && !MUTANT(NO_CLAIM)))
        return false;
    open_gate(publisher);
    return true;
}

static bool take_acks(struct publisher *publisher, int64_t now_ms)
{
    const struct publisher_options *options = &publisher->options;
    struct port_ack acks[ACKS];
    size_t count = ACKS;
    bool did = false;
    while (count == ACKS) {
        count = options->port->acks(options->port->self, options->lane, acks, ACKS);
        did |= count > 0;
        for (size_t i = 0; i < count; i++) {
            if (acks[i].result != OK && acks[i].result != ERR_LIMIT) {
                producer_lost(publisher, "a statistics record was not acknowledged", now_ms);
                return true;
            }
            publisher->unacked--;
            if (acks[i].result == ERR_LIMIT)
                counter_add(&publisher->counters.too_large, 1);
        }
    }
    return did;
}

static void show(struct publisher *publisher)
{
    struct publisher_counters *counters = &publisher->counters;
    int64_t event_ms = journals_event_ms(publisher->journals);
    if (event_ms != INT64_MIN && event_ms - publisher->options.event_bound_ms > counter_read(&counters->watermark_ms))
        counter_set(&counters->watermark_ms, event_ms - publisher->options.event_bound_ms); /* it never falls */
    counter_set(&counters->dirty, (int64_t)cube_dirty_count(publisher->cube) + publisher->orphan_count);
    for (uint32_t i = 0; i < publisher->options.plan->count; i++)
        counter_set(&counters->cells[i], cube_view_cells(publisher->cube, i));
    if (publisher->is_open)
        counter_set(&counters->as_of, (int64_t)(publisher->gate.term << GATE_TERM_SHIFT | publisher->counter));
    counter_set(&counters->term, (int64_t)publisher->gate.term);
    counter_set(&counters->folded_declarations, cube_declarations(publisher->cube));
    counter_set(&counters->is_publishing, publisher->is_open);
    counter_set(&counters->is_folded, journals_are_folded(publisher->journals));
}

bool publisher_step(struct publisher *publisher)
{
    const struct port *port = publisher->options.port;
    int64_t now_ms = port->now_ms(port->self);
    bool did = journals_step(publisher->journals, now_ms);
    counter_set(&publisher->counters.journal_stalls, journals_stalls(publisher->journals));
    if (!publisher->options.folds)
        return did;
    if (journals_are_behind(publisher->journals))
        publisher->behind_until_ms = now_ms + BEHIND_HOLD_MS;
    if (journals_are_halted(publisher->journals) && publisher->gate.term)
        shut(publisher);
    bool settled = meet_plans(publisher);
    did |= take_acks(publisher, now_ms);
    did |= link_some(publisher);
    show(publisher);
    did |= read_tails(publisher, now_ms);
    if (settled)
        did |= publisher->is_open ? run_round(publisher, now_ms) : advance_gate(publisher, now_ms);
    show(publisher);
    return did;
}

bool publisher_is_quiet(const struct publisher *publisher)
{
    if (!publisher->options.folds || !publisher->leads)
        return true;
    return publisher->is_open && !publisher->round.is_running && publisher->unacked == 0 &&
           publisher->orphan_count == 0 && cube_dirty_count(publisher->cube) == 0 &&
           publisher->round.groups == publisher->groups;
}

const struct publisher_counters *publisher_counters(const struct publisher *publisher)
{
    return &publisher->counters;
}

void publisher_health(struct publisher *publisher, int32_t partition, int64_t *out_position, struct err_info *out_halt)
{
    journals_health(publisher->journals, partition, out_position, out_halt);
}

void publisher_trouble(struct publisher *publisher, struct err_info *out)
{
    pthread_mutex_lock(&publisher->lock);
    *out = publisher->trouble;
    pthread_mutex_unlock(&publisher->lock);
}
