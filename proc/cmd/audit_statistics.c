/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/audit_inside.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/table.h"
#include "cmd/audit_periods.h"
#include "flow/figures.h"
#include "flow/gate.h"
#include "flow/history.h"
#include "trade/calendar.h"

#include "customs/v1/statistic.pb-c.h"

#include <inttypes.h>

enum { EXPECTED_KEYS = 1 << 12, PAUSE_MS = 100, MS_NS = 1000000 };
#define NO_CELL UINT32_MAX

static const char mend_publisher[] =
    "start the publisher again (role=publish, or all with input partition 0): at its start it compares every key and "
    "writes those that differ";
static const char mend_writer[] =
    "something else than this program's publisher writes to the topic: stop it, then start the publisher again";

/* What a consumer holds of a key that follows the rule, and how it came. */
struct held {
    char *key;
    uint64_t as_of; /* largest read */
    uint64_t content;
    int64_t value_minor;
    int64_t net_mass_g;
    uint64_t declarations;
    uint64_t items;
    struct audit_stand stand;
    int64_t offset; /* of the record that stands */
    int32_t partition;
    uint32_t cell; /* the figure's number (figures.h), or NO_CELL */
    bool is_late;  /* the last record in the log is not the one that stands */
};

/* A cell (or a key without one) that is not as it must be, yet. */
struct open_case {
    uint32_t cell; /* a number of figures.h; NO_CELL: a key that no cell explains */
    uint32_t key;  /* entry number; TABLE_NONE: nothing is published */
    uint64_t content;
    uint64_t as_of;
    int64_t since_ms; /* nothing changed since then */
};

struct statistics {
    struct audit *audit;
    int32_t partitions;
    struct walk *walks;
    struct gate gate;
    struct history *history; /* in the cube, beside what the journals say */
    struct audit_states states;
    struct table *table;
    struct held *held;
    uint32_t capacity;
    struct figures *figures; /* of the cube of the journals */
    int32_t rolling_hour;    /* likewise of an hour */
    int32_t rolling_day;     /* the newest day that rolling records end on; FIGURES_NO_DAY: there is none */
    uint32_t added;          /* cells whose periods are there */
    uint32_t linked;         /* cells that know their key */
    uint32_t derived;        /* likewise, derived figures */
    struct open_case *cases;
    uint32_t case_count;
    uint32_t case_capacity;
};

/* ---- reading ---- */

static struct table_key place_of(struct text key)
{
    static const struct hash_key no_secret = {{0, 0}}; /* the topic is ours; a flood would only slow the command */
    struct hash128 hash = hash_sip128(key.data, key.length, &no_secret);
    return (struct table_key){{hash.word[0], hash.word[1], 0, 0}};
}

static struct held *held_of(struct statistics *s, struct text key)
{
    struct table_key place = place_of(key);
    bool added;
    uint32_t number = table_put(s->table, &place, table_hash(&place), &added);
    if (number >= s->capacity) {
        s->capacity = s->capacity ? s->capacity * 2 : EXPECTED_KEYS;
        s->held = memory_resize(s->held, s->capacity, sizeof s->held[0]);
    }
    if (added)
        s->held[number] =
            (struct held){.key = memory_copy_text(key.data, key.length), .offset = AUDIT_NO_OFFSET, .cell = NO_CELL};
    return &s->held[number];
}

static void note(const struct statistics *s, const struct port_record *record, const char *mend, const char *what,
                 uint64_t a, uint64_t b)
{
    audit_note(s->audit, PORT_STATISTICS, record->partition, record->offset, mend,
               "%.*s: %s (%" PRIu64 ", %" PRIu64 ")", (int)record->key.length, (const char *)record->key.data, what, a,
               b);
}

/* As the publisher's rolling_see. Twelve months tell their month only. */
static void see_rolling(struct statistics *s, struct text key, uint32_t period_to, int64_t hour_to_ms)
{
    text_cut(&key, '|');
    if (!text_is(text_cut(&key, '|'), "ROLLING") || !calendar_is_date(period_to))
        return;
    struct text name = text_cut(&key, '|');
    bool is_of_months = text_is(name, "12M");
    if (text_is(name, "24H") && hour_to_ms > 0 && hours_of_ms(hour_to_ms) - 1 > s->rolling_hour)
        s->rolling_hour = hours_of_ms(hour_to_ms) - 1;
    int32_t day = calendar_day(is_of_months ? calendar_month_first(period_to) : period_to);
    s->rolling_day = day > s->rolling_day ? day : s->rolling_day;
}

/* A record after the key's place and its header were checked. value NULL: a tombstone. */
static void take_content(struct statistics *s, const struct port_record *record, uint64_t as_of,
                         const Customs__V1__Statistic *value, uint64_t content)
{
    struct held *held = held_of(s, (struct text){(const char *)record->key.data, (uint32_t)record->key.length});
    uint64_t claimed = s->gate.partitions[record->partition].newest_claim;
    if (gate_term_of(as_of) > claimed)
        note(s, record, mend_writer, "a record of a term that nobody has claimed before it: term, newest claim",
             gate_term_of(as_of), claimed);
    if (as_of == held->as_of && content != held->content)
        note(s, record, mend_writer, "two records with one as_of and other content: as_of, offset of the first", as_of,
             (uint64_t)held->offset);
    held->is_late = gate_see(&s->gate, record->partition, as_of) || as_of < held->as_of;
    s->audit->sums.late += held->is_late;
    if (as_of <= held->as_of)
        return;
    held->as_of = as_of;
    held->content = content;
    held->offset = record->offset;
    held->partition = record->partition;
    held->value_minor = value ? value->value_minor : 0;
    held->net_mass_g = value ? value->net_mass_g : 0;
    held->declarations = value ? value->declarations : 0;
    held->items = value ? value->items : 0;
    held->stand = (struct audit_stand){.is_gone = !value,
                                       .has_items = held->items > 0,
                                       .is_loaded = value && held->items > 0 && value->loaded_items == held->items};
    if (!value)
        return;
    held->stand.state = (unsigned)value->state;
    held->stand.watermark_ms = value->watermark_ms;
    audit_states_see(&s->states, value->watermark_ms);
    see_rolling(s, text_of(held->key), value->period_to, value->hour_to_ms);
}

static void take_statistic(struct statistics *s, const struct port_record *record)
{
    struct audit *audit = s->audit;
    int32_t place = hash_partition(record->key.data, record->key.length, s->partitions);
    audit->sums.statistics++;
    if (place != record->partition)
        note(s, record, mend_writer, "the key does not belong into this partition, but into: partition, of",
             (uint64_t)place, (uint64_t)s->partitions);
    if (record->is_null) {
        audit->sums.tombstones++;
        take_content(s, record, (uint64_t)record->as_of, NULL, STATISTIC_ABSENT);
        return;
    }
    Customs__V1__Statistic *value = customs__v1__statistic__unpack(NULL, record->value.length, record->value.data);
    uint64_t content;
    if (!value || !statistic_content(record->value, &content)) {
        note(s, record, mend_writer, "a value that is no customs.v1.Statistic: bytes, as_of in the header",
             record->value.length, (uint64_t)record->as_of);
    } else {
        if ((uint64_t)record->as_of != value->as_of)
            note(s, record, mend_writer, "as_of differs between header and value: header, value",
                 (uint64_t)record->as_of, value->as_of);
        take_content(s, record, value->as_of, value, content);
    }
    if (value)
        customs__v1__statistic__free_unpacked(value, NULL);
}

static void take(struct statistics *s, const struct port_record *record)
{
    if (record->fault != PORT_NONE) {
        audit_note(s->audit, PORT_STATISTICS, record->partition, record->offset, mend_publisher, "%s",
                   walk_fault_name(record->fault));
    } else if (history_is(record->key)) {
        static const struct bytes nothing = {NULL, 0};
        struct bytes value = record->is_null ? nothing : record->value;
        if (!history_take(s->history, s->audit->cube, record->key, value))
            s->audit->sums.history_refused++;
        s->audit->sums.history = history_count(s->history);
    } else if (gate_is_mark(record->key)) {
        s->audit->sums.claims++;
        gate_read(&s->gate, record->partition, record->key, record->value);
    } else {
        take_statistic(s, record);
    }
    audit_show(s->audit, "statistics");
}

/* To the noted ends. */
static enum err read_on(struct statistics *s, bool *out_did, struct err_info *info)
{
    for (int32_t i = 0; i < s->partitions; i++) {
        const struct port_record *record;
        for (;;) {
            TRY(walk_next(&s->walks[i], &record, info));
            if (!record)
                break;
            take(s, record);
            *out_did = true;
        }
    }
    return OK;
}

/* ---- comparing ---- */

static struct text key_text(struct statistics *s, uint32_t cell)
{
    return statistic_key(s->audit->writer, figures_key(s->figures, cell), cube_codes(s->audit->cube));
}

static uint32_t key_number(struct statistics *s, uint32_t cell)
{
    struct table_key place = place_of(key_text(s, cell));
    return table_find(s->table, &place, table_hash(&place));
}

static uint64_t content_of(struct statistics *s, uint32_t cell)
{
    bool saturated = false;
    struct figure figure;
    if (!figures_get(s->figures, cell, &figure))
        return STATISTIC_ABSENT;
    return statistic_set(s->audit->writer, &figure, cube_codes(s->audit->cube), &saturated);
}

/* The day on which rolling windows end: what the records say, which no journal does, but not before their watermark. */
static void find_today(struct statistics *s)
{
    const struct zone *zone = s->audit->options.zone;
    int32_t day = s->rolling_day;
    int32_t hour = s->rolling_hour;
    if (zone && s->states.watermark_ms > 0) {
        int32_t event = zone_day(zone, s->states.watermark_ms);
        day = event > day ? event : day;
        int32_t event_hour = hours_of_ms(s->states.watermark_ms);
        hour = event_hour > hour ? event_hour : hour;
    }
    figures_set_today(s->figures, day);
    figures_set_hours(s->figures, hour, zone ? hours_kept_from(zone, s->states.watermark_ms) : INT32_MIN);
}

/* The largest event time that the journals hold, as far as they are read. */
static int64_t event_ms(const struct statistics *s)
{
    int64_t most_ms = INT64_MIN;
    for (int32_t i = 0; i < s->audit->partitions; i++) {
        const struct reader_rule *rule = s->audit->journals[i].rule;
        if (rule && rule->event_ms_most > most_ms)
            most_ms = rule->event_ms_most;
    }
    return most_ms;
}

static const char *wrong_state(const struct statistics *s, const struct held *held)
{
    return audit_states_wrong(&s->states, text_of(held->key), &held->stand, event_ms(s));
}

static bool is_right(const struct statistics *s, const struct held *held, uint64_t content)
{
    return held ? held->content == content && !held->is_late && !wrong_state(s, held) : content == STATISTIC_ABSENT;
}

static void open_case(struct statistics *s, struct open_case found)
{
    if (s->case_count == s->case_capacity) {
        s->case_capacity = s->case_capacity ? s->case_capacity * 2 : 64;
        s->cases = memory_resize(s->cases, s->case_capacity, sizeof s->cases[0]);
    }
    s->cases[s->case_count++] = found;
}

static void link_figure(struct statistics *s, uint32_t cell, bool compare, int64_t now_ms)
{
    struct audit *audit = s->audit;
    if (!figures_is_published(s->figures, cell))
        return;
    uint32_t number = key_number(s, cell);
    struct held *held = number == TABLE_NONE ? NULL : &s->held[number];
    if (held)
        held->cell = cell;
    if (!compare)
        return;
    uint64_t content = content_of(s, cell);
    if (!is_right(s, held, content))
        open_case(s, (struct open_case){cell, number, content, held ? held->as_of : 0, now_ms});
    else if (content == STATISTIC_ABSENT)
        audit->sums.zero++;
    else
        audit->sums.equal++;
}

/* Cells beyond `linked` get to know their key, and what derives from them. Those that the noted ends have are compared, too. */
static void link_cells(struct statistics *s, bool compare, int64_t now_ms)
{
    find_today(s);
    for (; s->added < cube_count(s->audit->cube); s->added++)
        figures_add(s->figures, s->added);
    for (; s->linked < cube_count(s->audit->cube); s->linked++)
        link_figure(s, s->linked, compare, now_ms);
    for (; s->derived < figures_count(s->figures); s->derived++)
        link_figure(s, FIGURE_DERIVED | s->derived, compare, now_ms);
}

static void find_strangers(struct statistics *s, int64_t now_ms)
{
    for (uint32_t i = 0; i < table_count(s->table); i++) {
        const struct held *held = &s->held[i];
        if (held->cell == NO_CELL && !is_right(s, held, STATISTIC_ABSENT))
            open_case(s, (struct open_case){NO_CELL, i, STATISTIC_ABSENT, held->as_of, now_ms});
    }
}

static void say_broken(struct statistics *s, const struct open_case *found)
{
    struct audit *audit = s->audit;
    const struct held *held = found->key == TABLE_NONE ? NULL : &s->held[found->key];
    struct measures none = {0};
    struct figure figure = {.sums = &none};
    bool has_figure = found->cell != NO_CELL && figures_get(s->figures, found->cell, &figure);
    const struct measures *m = has_figure ? figure.sums : &none;
    char value[I128_TEXT_BYTES];
    char mass[I128_TEXT_BYTES];
    i128_to_text(m->value_minor, value);
    i128_to_text(i128_divide_round(m->net_mass_mg, 1000), mass);
    if (!held) {
        struct text key = key_text(s, found->cell);
        int32_t place = hash_partition(key.data, key.length, s->partitions);
        audit_note(audit, PORT_STATISTICS, place, AUDIT_NO_OFFSET, mend_publisher,
                   "%.*s: not published; the journals say value %s, %" PRId64 " declarations, %" PRId64 " items",
                   TEXT_ARGS(key), value, m->declarations, m->items);
    } else if (held->content == found->content && !held->is_late) {
        audit_note(audit, PORT_STATISTICS, held->partition, held->offset, mend_publisher,
                   "%s: %s: state %s at watermark %" PRId64 ", the newest watermark is %" PRId64, held->key,
                   wrong_state(s, held), audit_states_name(held->stand.state), held->stand.watermark_ms,
                   s->states.watermark_ms);
    } else if (held->content == found->content) {
        audit_note(audit, PORT_STATISTICS, held->partition, held->offset, mend_publisher,
                   "%s: a later record with a smaller as_of than %" PRIu64 " was never written over", held->key,
                   held->as_of);
    } else if (found->cell == NO_CELL) {
        audit_note(audit, PORT_STATISTICS, held->partition, held->offset, mend_publisher,
                   "%s: published with %" PRIu64 " items; the journals have no such cell", held->key, held->items);
    } else {
        audit_note(audit, PORT_STATISTICS, held->partition, held->offset, mend_publisher,
                   "%s: published is value %" PRId64 ", net mass %" PRId64 " g, %" PRIu64 " declarations, %" PRIu64
                   " items (as_of %" PRIu64 "); the journals say %s, %s g, %" PRId64 ", %" PRId64,
                   held->key, held->value_minor, held->net_mass_g, held->declarations, held->items, held->as_of, value,
                   mass, m->declarations, m->items);
    }
}

/* Looks at a case again. True: it is closed. */
static bool judge_case(struct statistics *s, struct open_case *found, int64_t begun_ms, int64_t now_ms)
{
    struct audit *audit = s->audit;
    if (found->cell == NO_CELL)
        found->cell = s->held[found->key].cell;
    if (found->key == TABLE_NONE)
        found->key = key_number(s, found->cell);
    const struct held *held = found->key == TABLE_NONE ? NULL : &s->held[found->key];
    uint64_t content = found->cell == NO_CELL ? STATISTIC_ABSENT : content_of(s, found->cell);
    if (is_right(s, held, content)) {
        audit->sums.equal++;
        return true;
    }
    uint64_t as_of = held ? held->as_of : 0;
    if (content != found->content || as_of != found->as_of)
        found->since_ms = now_ms;
    found->content = content;
    found->as_of = as_of;
    if (now_ms - found->since_ms >= audit->options.wait_ms) {
        say_broken(s, found);
        return true;
    }
    if (now_ms - begun_ms < 2 * audit->options.wait_ms)
        return false;
    audit->sums.moving++;
    return true;
}

static void judge_cases(struct statistics *s, int64_t begun_ms, int64_t now_ms)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < s->case_count; i++) {
        struct open_case found = s->cases[i];
        if (!judge_case(s, &found, begun_ms, now_ms))
            s->cases[kept++] = found;
    }
    s->case_count = kept;
}

static int64_t steady_ms(void)
{
    return clock_steady_ns() / MS_NS;
}

/* What differs may be on its way: journals and statistics are read on until it agrees or nothing moves any more. */
static enum err settle(struct statistics *s, struct err_info *info)
{
    const struct port *port = s->audit->options.port;
    int64_t begun_ms = steady_ms();
    link_cells(s, true, begun_ms);
    find_strangers(s, begun_ms);
    judge_cases(s, begun_ms, steady_ms());
    while (s->case_count) {
        bool did = false;
        TRY(audit_follow(s->audit, &did, info));
        link_cells(s, false, 0);
        for (int32_t i = 0; i < s->partitions; i++)
            TRY(walk_extend(&s->walks[i], info));
        TRY(read_on(s, &did, info));
        find_today(s);
        judge_cases(s, begun_ms, steady_ms());
        if (!did)
            port->wait(port->self, 0, PAUSE_MS);
    }
    return OK;
}

/* ---- together ---- */

static enum err note_ends(struct statistics *s, struct err_info *info)
{
    struct audit *audit = s->audit;
    for (int32_t i = 0; i < s->partitions; i++) {
        walk_init(&s->walks[i], audit->options.port, PORT_STATISTICS, i);
        s->walks[i].patience_ms = audit->options.patience_ms;
        TRY(walk_note(&s->walks[i], info));
        audit->total += (uint64_t)(s->walks[i].end - s->walks[i].next);
    }
    return OK;
}

/* Longer periods against a count of their days and months. */
static void check_periods(struct statistics *s)
{
    struct audit *audit = s->audit;
    struct audit_periods_found found;
    for (; s->added < cube_count(audit->cube); s->added++)
        figures_add(s->figures, s->added);
    audit_periods(&(struct audit_periods_options){.plan = audit->options.plan,
                                                  .reference = audit->options.reference,
                                                  .reporter = audit->options.reporter,
                                                  .cube = audit->cube,
                                                  .figures = s->figures,
                                                  .zone = audit->options.zone},
                  audit->writer, &found);
    audit->sums.periods = found.compared;
    if (found.differ)
        audit_note(audit, PORT_STATISTICS, 0, AUDIT_NO_OFFSET,
                   "this is a fault of the program: report it with the line above, and stop the publisher",
                   "%" PRIu64 " periods are not what their days and months add up to; the first is %s", found.differ,
                   found.text);
}

static enum err compare(struct statistics *s, struct err_info *info)
{
    bool did = false;
    check_periods(s);
    TRY(note_ends(s, info));
    TRY(read_on(s, &did, info));
    TRY(settle(s, info));
    s->audit->sums.keys = table_count(s->table);
    s->audit->sums.term = s->gate.term_seen;
    return OK;
}

enum err audit_statistics(struct audit *audit, struct err_info *info)
{
    static const uint64_t nobody[2] = {0, 0};
    const struct port *port = audit->options.port;
    struct statistics s = {.audit = audit, .partitions = port->partitions(port->self, PORT_STATISTICS)};
    for (int32_t i = 0; i < audit->partitions; i++) {
        if (audit->journals[i].shown.is_halted)
            return OK; /* the publisher is silent, and the sums here lack a partition */
    }
    if (s.partitions == 0) {
        if (cube_count(audit->cube))
            audit_note(audit, PORT_STATISTICS, 0, AUDIT_NO_OFFSET, mend_publisher,
                       "the topic does not exist, the journals have %" PRIu32 " cells", cube_count(audit->cube));
        return OK;
    }
    s.figures = figures_new(audit->options.plan, audit->cube, audit->options.zone);
    figures_look_up(s.figures, audit->options.reference, audit->options.reporter);
    s.rolling_day = FIGURES_NO_DAY;
    s.rolling_hour = FIGURES_NO_HOUR;
    s.walks = memory_new((size_t)s.partitions, sizeof s.walks[0]);
    s.table = table_new(EXPECTED_KEYS);
    gate_init(&s.gate, s.partitions, nobody);
    const struct audit_options *options = &audit->options;
    s.history = history_new(options->plan, options->reporter, options->currency);
    audit_states_init(&s.states, options->zone, options->provisional_days, options->final_months,
                      options->event_bound_ms);
    enum err err = compare(&s, info);
    for (int32_t i = 0; i < s.partitions; i++)
        walk_close(&s.walks[i]);
    for (uint32_t i = 0; i < table_count(s.table); i++)
        memory_free(s.held[i].key);
    memory_free(s.held);
    memory_free(s.cases);
    memory_free(s.walks);
    table_free(s.table);
    figures_free(s.figures);
    history_free(s.history);
    gate_fini(&s.gate);
    return err;
}
