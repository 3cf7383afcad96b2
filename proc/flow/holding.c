/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/holding.h"

#include "base/memory.h"
#include "flow/closing.h"
#include "flow/mutant.h"
#include "flow/publisher_inside.h"
#include "flow/rolling.h"
#include "flow/statistic_bytes.h"

#include <inttypes.h>

enum {
    STEP_LINKS = 4000, /* cells given their place in the registry in one step */
    STEP_READS = 1024, /* statistics records read in one step and partition */
    ROUND_READS = 128, /* likewise during a round: what is to be written goes before what was */
    TAKE = 64,
    BATCH = 32, /* keys looked up together */
    REOPEN_MS = 500,
};

void holding_close(struct publisher *publisher)
{
    const struct port *port = publisher->options.port;
    for (int32_t i = 0; i < publisher->gate.count; i++) {
        if (publisher->tails[i].stream)
            port->stream_close(port->self, publisher->tails[i].stream);
        publisher->tails[i] =
            (struct tail){.was_opened = publisher->tails[i].was_opened, .told = publisher->tails[i].told};
    }
}

static void set_link(struct publisher *publisher, uint32_t number, uint32_t index)
{
    registry_at(publisher->registry, index)->cell = number;
    registry_drop(publisher->registry, index);
    figures_set_link(publisher->figures, number, index);
}

/* Gives numbers from `first` on their places, at most `most`. Returns the one behind the last. */
static uint32_t link_batch(struct publisher *publisher, uint32_t first, uint32_t most)
{
    struct registry_place places[BATCH];
    uint32_t numbers[BATCH];
    uint32_t indexes[BATCH];
    uint32_t count = 0;
    uint32_t next = first;
    for (; next - first < most && next - first < BATCH; next++) {
        if (!figures_is_published(publisher->figures, next))
            continue;
        struct text key =
            statistic_key(publisher->writer, figures_key(publisher->figures, next), cube_codes(publisher->cube));
        numbers[count] = next;
        places[count++] = registry_place_of(publisher->registry, key);
    }
    for (uint32_t i = 0; i < count; i++)
        indexes[i] = registry_put_at(publisher->registry, &places[i]);
    for (uint32_t i = 0; i < count; i++)
        set_link(publisher, numbers[i], indexes[i]);
    return next;
}

/* What derives from the linked cells gets its place, too. */
static void link_derived(struct publisher *publisher)
{
    uint32_t count = figures_count(publisher->figures);
    while (publisher->derived < count)
        publisher->derived =
            link_batch(publisher, FIGURE_DERIVED | publisher->derived, count - publisher->derived) & ~FIGURE_DERIVED;
}

void holding_link_to(struct publisher *publisher, uint32_t most)
{
    while (publisher->linked < most) {
        uint32_t next = link_batch(publisher, publisher->linked, most - publisher->linked);
        while (publisher->linked < next)
            figures_add(publisher->figures, publisher->linked++);
    }
    link_derived(publisher);
}

bool holding_link_some(struct publisher *publisher)
{
    uint32_t left = cube_count(publisher->cube) - publisher->linked;
    if (left == 0)
        return false;
    holding_link_to(publisher, publisher->linked + (left < STEP_LINKS ? left : STEP_LINKS));
    return true;
}

void holding_queue(struct publisher *publisher, uint32_t index)
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

void holding_bury_later(struct publisher *publisher, uint32_t index)
{
    const struct registry_entry *entry = registry_at(publisher->registry, index);
    struct text key;
    struct bytes value;
    int32_t day;
    int32_t hour;
    if (entry->cell != REGISTRY_NO_CELL || entry->read_content != STATISTIC_ABSENT ||
        entry->read_state == REGISTRY_NOTHING || !registry_kept(entry, &key, &value) ||
        !statistic_key_day(key, publisher->options.zone, &day))
        return;
    bool is_over = statistic_key_hour(key, &hour) && hour < figures_kept_from(publisher->figures);
    if (is_over || months_state(&publisher->months, day) == MONTH_FINAL)
        holding_queue(publisher, index);
}

static struct text key_of(const struct port_record *record)
{
    return (struct text){(const char *)record->key.data, (uint32_t)record->key.length};
}

/* A key that no cell has, and its last record is not what was written last, or is a zero record that was. One of an hour is gone when that
 * is not kept any more, whether a view is by hour now or not. */
static void take_orphan(struct publisher *publisher, uint32_t index, const struct port_record *record)
{
    const struct registry_entry *entry = registry_at(publisher->registry, index);
    static const struct bytes nothing = {NULL, 0};
    int32_t hour;
    if (!publisher->has_hours && !record->is_null && statistic_key_hour(key_of(record), &hour))
        publisher->has_hours = publisher->rolls = true;
    if (entry->late || entry->read_content != STATISTIC_ABSENT) {
        if (!record->is_null || !entry->record)
            registry_keep(publisher->registry, index, key_of(record), record->value);
        holding_queue(publisher, index);
    } else if (entry->read_state != REGISTRY_NOTHING) {
        registry_keep(publisher->registry, index, key_of(record), nothing);
        holding_bury_later(publisher, index);
    } else {
        registry_drop(publisher->registry, index);
    }
}

/* A cell whose zero record stands in the topic waits for its tombstone. */
static bool is_to_be_buried(const struct publisher *publisher, const struct registry_entry *entry)
{
    return entry->read_content == STATISTIC_ABSENT && entry->read_state != REGISTRY_NOTHING &&
           (figures_is_over(publisher->figures, entry->cell) ||
            months_state(&publisher->months, figures_last_day(publisher->figures, entry->cell)) == MONTH_FINAL);
}

static bool is_of_own_term(const struct publisher *publisher, uint64_t as_of)
{
    return publisher->gate.term && gate_term_of(as_of) == publisher->gate.term;
}

/* What a record of a key says. */
struct said {
    uint64_t as_of;
    uint64_t content;
    uint8_t state; /* of the registry */
};

/* `written`: it is the last one that was written here, and need not be looked into. */
static struct said read_said(const struct port_record *record, const struct registry_entry *entry,
                             const struct statistic_time *time, bool is_broken)
{
    struct said said = {.as_of = time->as_of, .content = STATISTIC_UNKNOWN, .state = REGISTRY_UNSTATED};
    if (said.as_of == entry->written_as_of && said.as_of != 0) {
        said.content = entry->written_content;
        said.state = entry->written_state;
    } else if (record->is_null) {
        said.content = STATISTIC_ABSENT;
        said.state = REGISTRY_NOTHING;
    } else if (!is_broken) {
        if (!statistic_content(record->value, &said.content))
            said.content = STATISTIC_UNKNOWN;
        if (time->state >= MONTH_OPEN && time->state <= MONTH_FINAL)
            said.state = (uint8_t)time->state;
    }
    return said;
}

/* `index` is that of its key. A record below the largest as_of changes nothing of what consumers hold. */
static void read_statistic(struct publisher *publisher, int32_t partition, const struct port_record *record,
                           uint32_t index, int64_t now_ms)
{
    struct registry_entry *entry = registry_at(publisher->registry, index);
    struct statistic_time time = {0};
    bool is_broken = !record->is_null && !statistic_bytes_time(record->value, &time);
    if (record->is_null)
        time.as_of = (uint64_t)record->as_of;
    const struct said said = read_said(record, entry, &time, is_broken);
    bool is_late = (gate_see(&publisher->gate, partition, said.as_of) || said.as_of < entry->read_as_of) &&
                   !MUTANT(NOT_REPAIRED) && !(record->is_null && MUTANT(BURIED_NOT_REPAIRED));
    bool is_newest = said.as_of == entry->written_as_of && said.as_of != 0;
    bool is_own = is_newest || (said.as_of < entry->written_as_of && is_of_own_term(publisher, said.as_of) &&
                                is_of_own_term(publisher, entry->written_as_of));
    if (said.as_of >= entry->read_as_of) {
        entry->read_as_of = said.as_of;
        entry->read_content = said.content;
        entry->read_state = said.state;
    }
    entry->late = is_late;
    closing_see(publisher, time.watermark_ms);
    rolling_see(publisher, key_of(record), &time);
    if (is_late && publisher->is_open)
        counter_add(&publisher->counters.repairs, 1);
    bool is_changed = is_late || !is_own;
    if (entry->cell == REGISTRY_NO_CELL && (is_changed || is_newest))
        take_orphan(publisher, index, record);
    else if (entry->cell != REGISTRY_NO_CELL && (is_changed || (is_newest && is_to_be_buried(publisher, entry))))
        figures_mark(publisher->figures, entry->cell);
    if (publisher->gate.term && gate_term_of(said.as_of) > publisher->gate.term)
        publisher_rival_seen(publisher, now_ms); /* it writes in a term that it claimed elsewhere or never */
}

/* What was loaded counts beside the journals; what does not fit this plan waits for one that it fits. */
static void read_history(struct publisher *publisher, const struct port_record *record)
{
    static const struct bytes nothing = {NULL, 0};
    struct bytes value = record->is_null ? nothing : record->value;
    if (!history_take(publisher->history, publisher->cube, record->key, value))
        counter_add(&publisher->counters.history_refused, 1);
    counter_set(&publisher->counters.history_cells, history_count(publisher->history));
}

/* Reads the whole topic anew: a place that should be there is gone, or the broker can't give it. */
static void restart_tails(struct publisher *publisher, const struct port_record *record, int64_t now_ms)
{
    struct err_info info;
    err_set(&info, ERR_RETRY,
            "topic.statistics, partition %" PRId32 " offset %" PRId64 " can't be read: reading the topic again",
            record->partition, record->offset);
    publisher_shut(publisher);
    publisher_set_trouble(publisher, info.text);
    holding_close(publisher);
    gate_restart(&publisher->gate);
    registry_forget(publisher->registry);
    history_take_back(publisher->history, publisher->cube); /* some of it may not be there any more */
    publisher->orphan_count = 0;
    publisher->mark_all = true;
    publisher->tails_retry_ms = now_ms + REOPEN_MS;
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
        publisher_set_trouble(publisher, info.text);
        return false;
    }
    tail->stream = port->stream_open(port->self, PORT_STATISTICS, partition, bounds.low);
    tail->position = bounds.low;
    tail->end = bounds.high;
    if (!tail->was_opened)
        tail->told = bounds.high;
    tail->was_opened = true;
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

/* What the topic held at first is no news, nor what is read again. */
static void tell(const struct publisher *publisher, struct tail *tail, const struct port_record *record)
{
    if (!publisher->options.told || record->offset < tail->told)
        return;
    publisher->options.told(publisher->options.told_context, record);
    tail->told = record->offset + 1;
}

static bool read_tail(struct publisher *publisher, int32_t partition, int64_t now_ms)
{
    const struct port *port = publisher->options.port;
    struct tail *tail = &publisher->tails[partition];
    struct port_record records[TAKE];
    uint32_t indexes[TAKE];
    struct port_record fault = {0};
    size_t most = publisher->round.is_running ? ROUND_READS : STEP_READS;
    size_t total = 0;
    size_t count = TAKE;
    while (count == TAKE && total < most && !fault.fault) {
        count = port->stream_take(port->self, tail->stream, records, TAKE);
        total += count;
        find_entries(publisher, records, count, indexes);
        for (size_t i = 0; i < count && !fault.fault; i++) {
            if (records[i].fault)
                fault = records[i];
            else if (!gate_is_mark(records[i].key)) {
                read_statistic(publisher, partition, &records[i], indexes[i], now_ms);
                tell(publisher, tail, &records[i]);
            } else if (history_is(records[i].key))
                read_history(publisher, &records[i]);
            else if (gate_read(&publisher->gate, partition, records[i].key, records[i].value))
                publisher_rival_seen(publisher, now_ms);
            tail->position = records[i].offset + 1;
        }
        if (count)
            port->release(port->self, records, count);
    }
    if (tail->position < tail->end && port->stream_at_end(port->self, tail->stream))
        tail->position = tail->end; /* its last record was a tombstone, and is gone */
    if (fault.fault)
        restart_tails(publisher, &fault, now_ms);
    return total > 0;
}

bool holding_read(struct publisher *publisher, int64_t now_ms)
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

bool holding_is_read(const struct publisher *publisher)
{
    for (int32_t i = 0; i < publisher->gate.count; i++) {
        if (!publisher->tails[i].stream || publisher->tails[i].position < publisher->tails[i].end)
            return false;
    }
    return true;
}
