/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/round.h"

#include "base/check.h"
#include "flow/holding.h"
#include "flow/publisher_inside.h"

enum {
    STEP_EMITS = 2000, /* cells looked at in one step */
    UNACKED_MOST = 20000,
    COALESCE_MS = 10000,
    BURST_MS = 100, /* the pace goes by so much time at once: the producer makes large batches of what comes together */
};

static int32_t partition_of(const struct publisher *publisher, struct text key)
{
    return (int32_t)((hash_murmur2(key.data, key.length) & 0x7FFFFFFF) % (uint32_t)publisher->gate.count);
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

/* Sends what the writer has taken as the record of a key. */
static enum emit send(struct publisher *publisher, uint32_t index, struct text key, uint64_t content, int64_t now_ms)
{
    struct err_info info = {{0}};
    int64_t watermark = counter_read(&publisher->counters.watermark_ms);
    uint64_t as_of = publisher->gate.term << GATE_TERM_SHIFT | ++publisher->counter;
    CHECK(publisher->counter < GATE_COUNTER_MOST);
    struct bytes value = statistic_pack(publisher->writer, as_of, now_ms, watermark == INT64_MIN ? 0 : watermark);
    enum err err = round_append(publisher, partition_of(publisher, key), key, value, as_of, &info);
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
    holding_link_to(publisher, cell + 1);
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
    holding_link_to(publisher, cube_count(publisher->cube));
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
    int64_t bursts = (now_ms - round->begun_ms) / BURST_MS + 1;
    return !round->is_limited || round->sent < bursts * publisher->options.publish_max_keys_per_s * BURST_MS / 1000 + 1;
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

bool round_step(struct publisher *publisher, int64_t now_ms)
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
