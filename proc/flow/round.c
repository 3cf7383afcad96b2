/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/round.h"

#include "base/check.h"
#include "flow/closing.h"
#include "flow/holding.h"
#include "flow/mutant.h"
#include "flow/publisher_inside.h"
#include "flow/rolling.h"
#include "flow/statistic_bytes.h"
#include "trade/calendar.h"

enum {
    STEP_EMITS = 2000, /* cells looked at in one step */
    UNACKED_MOST = 50000,
    COALESCE_MS = 10000,
    BURST_MS = 100, /* the pace goes by so much time at once: the producer makes large batches of what comes together */
};

static int32_t partition_of(const struct publisher *publisher, struct text key)
{
    return hash_partition(key.data, key.length, publisher->gate.count);
}

enum err round_append(struct publisher *publisher, int32_t partition, struct text key, struct bytes value,
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

/* A record on its way to topic.statistics: what the writer has taken, or a tombstone. */
struct outgoing {
    struct text key;
    uint32_t index; /* in the registry */
    bool is_tombstone;
    uint64_t content;
    unsigned state; /* as in the registry */
};

static enum emit send(struct publisher *publisher, const struct outgoing *out, int64_t now_ms)
{
    struct err_info info = {{0}};
    struct statistic_stamp stamp = {
        .state = out->state,
        .as_of = publisher->gate.term << GATE_TERM_SHIFT | ++publisher->counter,
        .as_of_ms = now_ms,
        .watermark_ms = publisher->watermark_ms == INT64_MIN ? 0 : publisher->watermark_ms,
    };
    CHECK(publisher->counter < GATE_COUNTER_MOST);
    struct bytes value = {NULL, 0};
    if (!out->is_tombstone)
        value = statistic_pack(publisher->writer, &stamp);
    enum err err = round_append(publisher, partition_of(publisher, out->key), out->key, value,
                                out->is_tombstone && MUTANT(BURIED_WITHOUT_AS_OF) ? 0 : stamp.as_of, &info);
    if (err == ERR_FULL || err == ERR_RETRY)
        return EMIT_WAIT;
    if (err == ERR_LIMIT) {
        counter_add(&publisher->counters.too_large, 1);
        return EMIT_DONE;
    }
    if (err != OK) {
        publisher_producer_lost(publisher, info.text, now_ms);
        return EMIT_LOST;
    }
    struct registry_entry *entry = registry_at(publisher->registry, out->index);
    entry->written_as_of = stamp.as_of;
    entry->written_content = out->content;
    entry->written_state = (uint8_t)out->state;
    publisher->round.sent++;
    counter_add(&publisher->counters.publish_keys, 1);
    counter_add(&publisher->counters.publish_bytes, (int64_t)(out->key.length + value.length));
    return EMIT_DONE;
}

/* A key without items whose month is FINAL, or whose hour is not kept any more, and its zero record was read back: what could replace it
 * is not on its way. */
static bool may_bury(const struct publisher *publisher, const struct registry_entry *entry, int32_t day, bool is_over)
{
    return entry->read_state != REGISTRY_NOTHING && !registry_is_under_way(entry, publisher->gate.term) &&
           (is_over || months_state(&publisher->months, day) == MONTH_FINAL || MUTANT(BURIED_EARLY));
}

static enum emit bury(struct publisher *publisher, uint32_t index, struct text key, int64_t now_ms)
{
    struct outgoing out = {
        .key = key, .index = index, .is_tombstone = true, .content = STATISTIC_ABSENT, .state = REGISTRY_NOTHING};
    enum emit emit = send(publisher, &out, now_ms);
    if (emit == EMIT_DONE)
        counter_add(&publisher->counters.tombstones, 1);
    return emit;
}

/* A cell, or what derives from some. */
static enum emit emit_figure(struct publisher *publisher, uint32_t number, int64_t now_ms)
{
    bool is_saturated = false;
    struct figure figure;
    if (!(number & FIGURE_DERIVED)) /* what derives from a cell has its place with it */
        holding_link_to(publisher, number + 1);
    if (!figures_is_published(publisher->figures, number) || !figures_get(publisher->figures, number, &figure))
        return EMIT_DONE;
    int32_t day = figure.days.to;
    bool is_over = figures_is_over(publisher->figures, number);
    uint32_t index = figures_link(publisher->figures, number);
    const struct registry_entry *entry = registry_at(publisher->registry, index);
    uint64_t content = statistic_set(publisher->writer, &figure, cube_codes(publisher->cube), &is_saturated);
    struct months_told told = {.state = registry_state(entry, publisher->gate.term),
                               .is_equal = content == registry_content(entry, publisher->gate.term)};
    const struct months_told forgotten = {.state = REGISTRY_NOTHING};
    struct outgoing out = {
        .index = index,
        .content = content,
        .state = months_of_record(&publisher->months, day, figure.sums->late_items > 0,
                                  MUTANT(REVISION_FORGOTTEN) ? forgotten : told),
    };
    if (figure.sums->items > 0 && figure.sums->loaded_items == figure.sums->items)
        out.state = MONTH_FINAL; /* history: nothing here can close its month */
    bool is_settled = !entry->late && told.is_equal;
    if (MUTANT(BURIED_BY_RECORD) && entry->read_content == STATISTIC_ABSENT &&
        may_bury(publisher, entry, day, is_over)) {
        is_settled = true;
        content = STATISTIC_ABSENT;
    }
    bool ends = !period_is_rolling(period_of(&figure.key)); /* the days of a rolling one stand where its round began */
    if (is_settled &&
        (content == STATISTIC_ABSENT ? !(ends && may_bury(publisher, entry, day, is_over)) : told.state == out.state))
        return EMIT_DONE;
    out.key = statistic_key(publisher->writer, &figure.key, cube_codes(publisher->cube));
    if (is_settled && content == STATISTIC_ABSENT)
        return bury(publisher, index, out.key, now_ms);
    enum emit emit = send(publisher, &out, now_ms);
    if (emit == EMIT_DONE && is_saturated)
        counter_add(&publisher->counters.saturated, 1);
    return emit;
}

/* A cell that changed; and what depends on it is to be looked at. */
static enum emit emit_cell(struct publisher *publisher, uint32_t cell, int64_t now_ms)
{
    enum emit emit = emit_figure(publisher, cell, now_ms);
    if (emit == EMIT_DONE && !MUTANT(DERIVED_FORGOTTEN))
        figures_touch(publisher->figures, cell);
    return emit;
}

/* A key of the topic that the cube does not have: its last record again, with zero measures; then its tombstone. A tombstone that came too
 * late, and of which nothing else is known, is written again. */
static enum emit emit_orphan(struct publisher *publisher, uint32_t index, int64_t now_ms)
{
    holding_link_to(publisher, cube_count(publisher->cube));
    const struct registry_entry *entry = registry_at(publisher->registry, index);
    struct outgoing out = {.index = index, .content = STATISTIC_ABSENT};
    struct bytes value;
    int32_t day;
    if (entry->cell != REGISTRY_NO_CELL || !registry_kept(entry, &out.key, &value))
        return EMIT_DONE;
    int32_t hour;
    bool has_month = statistic_key_day(out.key, publisher->options.zone, &day);
    bool is_over = statistic_key_hour(out.key, &hour) && hour < figures_kept_from(publisher->figures);
    if (!entry->late && registry_content(entry, publisher->gate.term) == STATISTIC_ABSENT)
        return has_month && may_bury(publisher, entry, day, is_over) ? bury(publisher, index, out.key, now_ms)
                                                                     : EMIT_DONE;
    if (value.length == 0)
        return bury(publisher, index, out.key, now_ms);
    if (!statistic_set_gone(publisher->writer, value)) /* not ours, and nothing to say about it */
        return EMIT_DONE;
    struct months_told told = {.state = registry_state(entry, publisher->gate.term)};
    struct statistic_time time;
    if (!has_month && statistic_bytes_time(value, &time) && calendar_is_date(time.period_to)) { /* a rolling one */
        has_month = true;
        day = calendar_day(time.period_to);
    }
    out.state = has_month ? months_of_record(&publisher->months, day, false, told) : MONTH_OPEN;
    return send(publisher, &out, now_ms);
}

static bool may_send(const struct publisher *publisher, int64_t now_ms)
{
    const struct round *round = &publisher->round;
    if (publisher->unacked >= UNACKED_MOST)
        return false;
    int64_t bursts = (now_ms - round->begun_ms) / BURST_MS + 1;
    return !round->is_limited || round->sent < bursts * publisher->options.publish_max_keys_per_s * BURST_MS / 1000 + 1;
}

/* What is marked now, also by the cells of this round. */
static void begin_others(struct publisher *publisher)
{
    figures_marked_sort(publisher->figures);
    publisher->round.others = figures_marked(publisher->figures);
}

/* The next one of what waits. False: nothing does. */
static bool emit_next(struct publisher *publisher, int64_t now_ms, enum emit *out)
{
    struct round *round = &publisher->round;
    if (round->cells > 0) { /* nothing but this takes one from the list */
        *out = emit_cell(publisher, cube_dirty_first(publisher->cube), now_ms);
        if (*out != EMIT_DONE)
            return true;
        cube_dirty_take(publisher->cube);
        if (--round->cells == 0)
            begin_others(publisher);
    } else if (round->others > 0) {
        *out = emit_figure(publisher, figures_marked_first(publisher->figures), now_ms);
        if (*out != EMIT_DONE)
            return true;
        figures_marked_take(publisher->figures);
        round->others--;
    } else if (publisher->orphan_count > 0) {
        uint32_t index = publisher->orphans[publisher->orphan_count - 1];
        *out = emit_orphan(publisher, index, now_ms);
        if (*out != EMIT_DONE)
            return true;
        registry_at(publisher->registry, index)->queued = false;
        publisher->orphan_count--;
    } else {
        return false;
    }
    return true;
}

/* True if the round was taken further. */
static bool emit(struct publisher *publisher, int64_t now_ms)
{
    bool did = false;
    enum emit emit = EMIT_DONE;
    for (int i = 0; i < STEP_EMITS && may_send(publisher, now_ms); i++) {
        if (!emit_next(publisher, now_ms, &emit) || emit != EMIT_DONE)
            return did;
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
    uint32_t marked = cube_dirty_count(publisher->cube) + figures_marked(publisher->figures);
    if (marked == 0 && publisher->orphan_count == 0 && !rolling_is_due(publisher) && round->groups == publisher->groups)
        return false;
    bool behind = is_behind(publisher, now_ms);
    bool limited = behind || publisher->closing.has_marked || marked > publisher->options.publish_max_keys_per_s;
    int64_t interval_ms = publisher->options.publish_interval_ms;
    if (behind && interval_ms < COALESCE_MS) /* who has caught up is only limited in rate, and begins at once */
        interval_ms = COALESCE_MS;
    if (now_ms - round->begun_ms < interval_ms)
        return false;
    publisher->closing.has_marked = !closing_is_done(publisher);
    rolling_turn(publisher);
    *round = (struct round){
        .is_running = true,
        .is_limited = limited,
        .cells = cube_dirty_count(publisher->cube),
        .begun_ms = now_ms,
        .declarations = cube_declarations(publisher->cube),
        .record_timestamp = publisher->record_timestamp,
        .groups = publisher->groups,
    };
    cube_dirty_sort(publisher->cube);
    begin_others(publisher);
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

bool round_step(struct publisher *publisher, int64_t now_ms)
{
    struct round *round = &publisher->round;
    bool did = false;
    if (!round->is_running)
        did = begin_round(publisher, now_ms);
    if (!round->is_running)
        return did;
    did |= emit(publisher, now_ms);
    if (round->is_running && round->cells == 0 && round->others == 0 && publisher->orphan_count == 0 &&
        publisher->unacked == 0) {
        end_round(publisher, now_ms);
        did = true;
    }
    return did;
}
