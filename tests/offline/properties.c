/* SPDX-License-Identifier: Apache-2.0
 * Property tests of the shipped worker and publisher: over random streams without conflicts, whatever the order within a partition, the
 * partitioning, the duplication, the split into runs and the clock, the statistics are the same, bit for bit as contract.md says, and those that a
 * plain count finds; children add up to their parents to the milligram; a cancel of everything leaves records of zeros, which become
 * tombstones when their months are final.
 */
#include "base/memory.h"
#include "cmd/options.h"
#include "offline/kinship.h"
#include "offline/plain.h"
#include "offline/published.h"
#include "trade/calendar.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    HOUR_MS = 3600000,
    ZONE_HOURS = 8, /* Asia/Shanghai */
    DAY_HOURS = 24,
    KEPT_DAYS = 45, /* of hours */
    VARIANTS = 3,
    PARTITIONS_MOST = 8,
    RUNS_MOST = 4,
    APPENDS_MOST = 40,
    PASS_MS_MOST = 180000,
    DAY_MS = 86400000,
    G_MG = 1000,
    FAILED = 1,
};

#define NOW_MS                                                                                                         \
    1770700000000 /* 2026-02-10: after all of the streams, and within twelve months of what they say of 2025 */
#define END_MS 1830384000000 /* 2028-01-02, and beyond month.final of all of them */
#define END_DATE 20280102

struct properties {
    struct options options;
    struct assembly assembly;
    int64_t seeds;
    int64_t from;
    uint64_t records; /* of all ways */
    uint64_t lives;
    uint64_t statistics;
    uint64_t windows; /* rolling records compared with their panes */
    uint64_t hours;   /* records of hours */
    uint64_t ended;   /* hours with items that are not kept any more */
};

extern const struct command command_properties;

/* ---- one way through the engine ---- */

/* In which order, where and how often the versions of a stream come, and in how many lives they are counted. */
struct way {
    int32_t partitions;
    uint64_t place_seed;
    size_t *order; /* indexes of versions, some more than once */
    size_t count;
    uint32_t runs;
    uint64_t run_seed;
    int64_t snapshot_bytes;
};

static void plain_way(const struct stream *stream, struct way *out)
{
    *out = (struct way){.partitions = 1, .runs = 1, .order = memory_new(stream->count + 1, sizeof(size_t))};
    for (size_t i = 0; i < stream->count; i++)
        out->order[out->count++] = i;
}

static void random_way(struct random *random, const struct stream *stream, struct way *out)
{
    static const int64_t snapshots[] = {0, 1, 4000};
    *out = (struct way){
        .partitions = 1 + (int32_t)random_below(random, PARTITIONS_MOST),
        .place_seed = random_next(random),
        .runs = 1 + random_below(random, RUNS_MOST),
        .run_seed = random_next(random),
        .snapshot_bytes = snapshots[random_below(random, 3)],
        .order = memory_new(stream->count * 3 + 1, sizeof(size_t)),
    };
    for (size_t i = 0; i < stream->count; i++) {
        uint32_t times = random_below(random, 3) ? 1 : 1 + random_below(random, 3);
        for (; times > 0; times--)
            out->order[out->count++] = i;
    }
    for (size_t i = out->count; i > 1; i--) {
        size_t j = random_below(random, (uint32_t)i);
        size_t swap = out->order[i - 1];
        out->order[i - 1] = out->order[j];
        out->order[j] = swap;
    }
}

static void put_version(struct stage *stage, uint64_t place_seed, const struct stream_version *version)
{
    struct draft draft = version->draft;
    struct buffer value = {0};
    draft_encode(&draft, &value);
    int32_t partition = (int32_t)(hash_mix(version->id ^ place_seed, HASH_P0) % (uint64_t)stage->partitions);
    struct bytes key = {(const uint8_t *)version->id_text, strlen(version->id_text)};
    stage_put(stage, partition, key, buffer_bytes(&value), version->timestamp_ms);
    buffer_fini(&value);
}

/* Time passes, so that partitions become idle, and somebody sets the clock: neither may change a sum. */
static void disturb_clock(struct random *random, struct stage *stage)
{
    if (random_below(random, 3) == 0)
        stage_pass(stage, world_now(stage->world) + random_below(random, PASS_MS_MOST));
    if (random_below(random, 3) == 0)
        stage_set_clock(stage, (int64_t)random_below(random, 2 * DAY_MS) - DAY_MS);
}

/* Each life begins where the journal of those before it ends, wherever they were killed. */
static enum err walk_way(const struct way *way, const struct stream *stream, struct stage *stage, struct err_info *info)
{
    struct random random = random_of(way->run_seed);
    stage->snapshot_bytes = way->snapshot_bytes;
    stage_start(stage);
    for (uint32_t run = 0; run < way->runs; run++) {
        if (run > 0) {
            stage_kill(stage);
            stage_start(stage);
        }
        for (size_t i = way->count * run / way->runs; i < way->count * (run + 1) / way->runs; i++)
            put_version(stage, way->place_seed, &stream->versions[way->order[i]]);
        if (random_below(&random, 2))
            stage_step(stage, random_below(&random, APPENDS_MOST));
        else
            TRY(stage_settle(stage, info));
        disturb_clock(&random, stage);
    }
    return stage_settle(stage, info);
}

/* ---- what came of it ---- */

static bool is_rolling(const char *key)
{
    return strstr(key, "|ROLLING|") != NULL;
}

static bool is_hour(const char *key)
{
    return strstr(key, "|HOUR|") != NULL;
}

static int64_t floor_of(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Civil days since 1970 in Shanghai of an hour of UTC. */
static int64_t day_of_hour(int64_t hour)
{
    return floor_of(hour + ZONE_HOURS, DAY_HOURS);
}

/* The first hour that is kept: of the day of the watermark and the 44 before it. */
static int64_t kept_from(const struct stage *stage)
{
    int64_t watermark_ms = counter_read(&host_published(stage->host)->watermark_ms);
    if (watermark_ms == INT64_MIN)
        return INT64_MIN;
    return (day_of_hour(floor_of(watermark_ms, HOUR_MS)) - KEPT_DAYS + 1) * DAY_HOURS - ZONE_HOURS;
}

/* What "bit for bit" means: all fields but 46 and 50 to 55, of what has items. */
static json_t *comparable(const struct published *published)
{
    static const char *const left_out[] = {"share_ppm",    "state",        "as_of",     "as_of_ms",
                                           "watermark_ms", "warned_items", "late_items"};
    json_t *out = json_object();
    const char *key;
    json_t *value;
    json_object_foreach(published->held, key, value)
    {
        const char *items = json_string_value(json_object_get(value, "items"));
        if (is_rolling(key) || is_hour(key)) /* they end elsewhere each way; see compare_rolling and compare_hours */
            continue;
        if (!items || strcmp(items, "0") == 0)
            continue;
        json_t *copy = json_copy(value);
        for (size_t i = 0; i < sizeof left_out / sizeof left_out[0]; i++)
            json_object_del(copy, left_out[i]);
        json_object_set_new(out, key, copy);
    }
    return out;
}

static enum err differ(const char *key, const json_t *one, const json_t *other, struct err_info *info)
{
    char *texts[2] = {one ? json_dumps(one, JSON_COMPACT) : NULL, other ? json_dumps(other, JSON_COMPACT) : NULL};
    enum err err = err_set(info, ERR_BROKEN, "%s:\n  %.300s\n  %.300s", key, texts[0] ? texts[0] : "is not there",
                           texts[1] ? texts[1] : "is not there");
    free(texts[0]);
    free(texts[1]);
    return err;
}

static enum err compare_statistics(json_t *one, json_t *other, struct err_info *info)
{
    const char *key;
    json_t *value;
    json_object_foreach(one, key, value)
    {
        const json_t *found = json_object_get(other, key);
        if (!found || !json_equal(value, found))
            return differ(key, value, found, info);
    }
    json_object_foreach(other, key, value)
    {
        if (!json_object_get(one, key))
            return differ(key, NULL, value, info);
    }
    return OK;
}

/* ---- the plain count ---- */

static i128 grams(i128 mg)
{
    return mg / G_MG + (mg % G_MG * 2 >= G_MG);
}

static enum err compare_number(const json_t *statistic, const char *key, const char *field, i128 wanted,
                               struct err_info *info)
{
    char text[I128_TEXT_BYTES];
    const char *found = json_string_value(json_object_get(statistic, field));
    if (found && strcmp(found, i128_to_text(wanted, text)) == 0)
        return OK;
    return err_set(info, ERR_BROKEN, "%s: %s is %s, a plain count gives %s", key, field, found ? found : "not there",
                   i128_to_text(wanted, text));
}

/* (sum / base - 1) * 10^6, half away from zero; absent without a base. */
static enum err compare_growth(const json_t *statistic, const char *key, const char *field, i128 sum, i128 base,
                               struct err_info *info)
{
    const json_t *found = json_object_get(statistic, field);
    if (base == 0)
        return !found || json_is_null(found) ? OK : err_set(info, ERR_BROKEN, "%s: has %s without a base", key, field);
    i128 twice = (sum - base) * 2000000;
    return compare_number(statistic, key, field, (twice + (twice < 0 ? -base : base)) / (2 * base), info);
}

static enum err compare_cell(const struct published *published, const struct plain_cell *cell, struct err_info *info)
{
    const json_t *found = published_find(published, text_of(cell->key));
    if (!found)
        return err_set(info, ERR_BROKEN, "%s: was not published", cell->key);
    const struct {
        const char *field;
        i128 wanted;
    } rows[] = {
        {"value_minor", cell->value},
        {"customs_value_minor", cell->customs},
        {"net_mass_g", grams(cell->net_mg)},
        {"gross_mass_g", grams(cell->gross_mg)},
        {"estimated_net_mass_g", grams(cell->estimated_mg)},
        {"supp_quantity_micro", cell->supp_micro},
        {"declarations", cell->declarations},
        {"items", cell->items},
        {"packages", cell->packages},
        {"late_items", cell->late},
        {"base_value_minor", cell->base_value},
        {"base_net_mass_g", grams(cell->base_net_mg)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        TRY(compare_number(found, cell->key, rows[i].field, rows[i].wanted, info));
    TRY(compare_growth(found, cell->key, "yoy_value_ppm", cell->value, cell->base_items ? cell->base_value : 0, info));
    TRY(compare_growth(found, cell->key, "yoy_net_mass_ppm", cell->net_mg, cell->base_items ? cell->base_net_mg : 0,
                       info));
    return OK;
}

/* ---- rolling windows ---- */

enum { WINDOW_24H, WINDOW_7D, WINDOW_30D, WINDOW_12M, WINDOWS };
static const char *const window_names[WINDOWS] = {"24H", "7D", "30D", "12M"};

/* Of the records of one kind that have items; all must have the same one. */
struct rolling_window {
    int64_t from; /* yyyymmdd; of 24H, the first hour */
    int64_t to;   /* likewise; of 24H, the last hour */
};

static int window_of(const char *key)
{
    struct text rest = text_of(key);
    text_cut(&rest, '|');
    text_cut(&rest, '|');
    struct text name = text_cut(&rest, '|');
    int window = 0;
    while (window < WINDOWS - 1 && !text_is(name, window_names[window]))
        window++;
    return window;
}

/* Hours since 1970 of a field in milliseconds; 0: it is no number. */
static int64_t hour_field(const json_t *record, const char *field)
{
    int64_t ms = 0;
    const char *text = json_string_value(json_object_get(record, field));
    return text && text_to_int64(text_of(text), &ms) ? ms / HOUR_MS : 0;
}

static enum err find_window(struct rolling_window windows[static WINDOWS], const char *key, const json_t *record,
                            struct err_info *info)
{
    struct rolling_window *window = &windows[window_of(key)];
    int64_t from = json_integer_value(json_object_get(record, "period_from"));
    int64_t to = json_integer_value(json_object_get(record, "period_to"));
    if (window == &windows[WINDOW_24H]) {
        from = hour_field(record, "hour_from_ms");
        to = hour_field(record, "hour_to_ms") - 1;
        if (to - from != DAY_HOURS - 1)
            return err_set(info, ERR_BROKEN, "%s: hours %" PRId64 " to %" PRId64, key, from, to);
    }
    if (strcmp(json_string_value(json_object_get(record, "items")), "0") == 0) /* it may be of any days */
        return OK;
    if (window->to != 0 && (from != window->from || to != window->to))
        return err_set(info, ERR_BROKEN, "%s: ends on %" PRId64 ", others on %" PRId64, key, to, window->to);
    *window = (struct rolling_window){from, to};
    return OK;
}

/* A day or month lies in a window of dates; an hour in one of hours, or its day in one of dates. */
static bool lies_in(const struct plain_cell *cell, struct text from, struct text to, int which,
                    const struct rolling_window *window)
{
    int64_t first = 0;
    int64_t last = 0;
    if (cell->hour == PLAIN_NO_HOUR)
        return text_to_int64(from, &first) && text_to_int64(to, &last) && first >= window->from && last <= window->to;
    first = which == WINDOW_24H ? cell->hour : calendar_date((int32_t)day_of_hour(cell->hour));
    return first >= window->from && first <= window->to;
}

/* rolling = its panes: the hours, the days, or the months, that lie in the window. */
static enum err compare_window(const struct plain *plain, const struct rolling_window *window, const char *key,
                               const json_t *record, struct err_info *info)
{
    struct text rest = text_of(key);
    struct text view = text_cut(&rest, '|');
    text_cut(&rest, '|');
    int which = window_of(key);
    bool of_months = which == WINDOW_12M;
    text_cut(&rest, '|');
    text_cut(&rest, '|');
    struct plain_cell sum = {.value = 0};
    for (size_t i = 0; i < plain->count; i++) {
        const struct plain_cell *cell = &plain->cells[i];
        struct text own = text_of(cell->key);
        struct text own_view = text_cut(&own, '|');
        struct text own_frequency = text_cut(&own, '|');
        struct text from = text_cut(&own, '|');
        struct text to = text_cut(&own, '|');
        bool is_pane = text_is(own_frequency, of_months ? "MONTH" : "DAY") || text_is(own_frequency, "HOUR");
        if (!is_pane || !text_equal(own_view, view) || !text_equal(own, rest) ||
            !lies_in(cell, from, to, which, window))
            continue;
        sum.value += cell->value;
        sum.net_mg += cell->net_mg;
        sum.items += cell->items;
        sum.declarations += cell->declarations;
    }
    TRY(compare_number(record, key, "value_minor", sum.value, info));
    TRY(compare_number(record, key, "net_mass_g", grams(sum.net_mg), info));
    TRY(compare_number(record, key, "declarations", sum.declarations, info));
    return compare_number(record, key, "items", sum.items, info);
}

static enum err compare_rolling(struct properties *properties, const struct published *published,
                                const struct plain *plain, struct err_info *info)
{
    struct rolling_window windows[WINDOWS] = {{0, 0}};
    const char *key;
    json_t *value;
    json_object_foreach(published->held, key, value)
    {
        if (is_rolling(key))
            TRY(find_window(windows, key, value, info));
    }
    json_object_foreach(published->held, key, value)
    {
        const struct rolling_window *window = is_rolling(key) ? &windows[window_of(key)] : NULL;
        if (!window || window->to == 0)
            continue;
        TRY(compare_window(plain, window, key, value, info));
        properties->windows++;
    }
    return OK;
}

/* ---- hours ---- */

static bool has_items(const json_t *record)
{
    const char *items = record ? json_string_value(json_object_get(record, "items")) : NULL;
    return items && strcmp(items, "0") != 0;
}

/* Hours that are kept are what a plain count has; the others are zero, or gone, or were never told. */
static enum err compare_hours(struct properties *properties, const struct stage *stage,
                              const struct published *published, const struct plain *plain, struct err_info *info)
{
    int64_t first = kept_from(stage);
    size_t kept = 0;
    for (size_t i = 0; i < plain->count; i++) {
        const struct plain_cell *cell = &plain->cells[i];
        if (cell->hour == PLAIN_NO_HOUR || cell->is_void)
            continue;
        if (cell->hour >= first) {
            TRY(compare_cell(published, cell, info));
            kept++;
        } else if (has_items(published_find(published, text_of(cell->key)))) {
            return err_set(info, ERR_BROKEN, "%s: has items, and is not kept", cell->key);
        } else {
            properties->ended++;
        }
    }
    const char *key;
    json_t *value;
    json_object_foreach(published->held, key, value)
    {
        if (!is_hour(key) || !has_items(value))
            continue;
        properties->hours++;
        if (kept-- == 0)
            return err_set(info, ERR_BROKEN, "%s: one hour more than a plain count has", key);
    }
    return OK;
}

static enum err compare_plain(struct properties *properties, const struct stage *stage,
                              const struct published *published, const struct stream *stream, struct err_info *info)
{
    struct plain plain;
    plain_count(stream, &plain);
    enum err err = OK;
    size_t counting = 0;
    for (size_t i = 0; err == OK && i < plain.count; i++) {
        if (plain.cells[i].is_void || plain.cells[i].hour != PLAIN_NO_HOUR)
            continue;
        err = compare_cell(published, &plain.cells[i], info);
        counting++;
    }
    json_t *statistics = comparable(published);
    if (err == OK && json_object_size(statistics) != counting)
        err = err_set(info, ERR_BROKEN, "%zu cells were published, a plain count gives %zu",
                      json_object_size(statistics), counting);
    if (err == OK)
        err = compare_hours(properties, stage, published, &plain, info);
    if (err == OK)
        err = compare_rolling(properties, published, &plain, info);
    json_decref(statistics);
    plain_fini(&plain);
    return err;
}

/* ---- everything is cancelled ---- */

static enum err all_zero(const char *key, json_t *statistic, struct err_info *info)
{
    static const char *const fields[] = {
        "value_minor",         "customs_value_minor", "net_mass_g", "gross_mass_g", "estimated_net_mass_g",
        "supp_quantity_micro", "declarations",        "items",      "packages",     "warned_items",
        "late_items"};
    bool is_final =
        strstr(key, "|2024") || is_hour(key); /* or may be: month.final is 18 months, an hour ends after 45 days */
    if (json_object_get(statistic, "deleted"))
        return is_final ? OK : err_set(info, ERR_BROKEN, "%s: is a tombstone before its month is final", key);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        TRY(compare_number(statistic, key, fields[i], 0, info));
    return OK;
}

static enum err cancel_everything(struct stage *stage, struct published *published, const struct way *way,
                                  const struct stream *stream, struct err_info *info)
{
    size_t before = json_object_size(published->held);
    for (uint32_t id = 0; id < stream->ids; id++) {
        struct stream_version last;
        stream_last_cancel(stream, id, &last);
        put_version(stage, way->place_seed, &last);
    }
    TRY(stage_settle(stage, info));
    TRY(published_read(published, stage->world, info));
    if (json_object_size(published->held) != before)
        return err_set(info, ERR_BROKEN, "cancels made keys that were not there");
    const char *key;
    json_t *value;
    json_object_foreach(published->held, key, value)
    {
        TRY(all_zero(key, value, info));
    }
    return kinship_check(stage, info);
}

/* ---- and every month is final ---- */

/* A declaration of 2028 in each partition, behind which all months of the stream are final (month.final). */
static void put_end(struct stage *stage, int32_t partition)
{
    char id[STREAM_ID_BYTES];
    struct draft draft;
    struct buffer value = {0};
    snprintf(id, sizeof id, "END%d", partition);
    draft_init(&draft, text_of(id), "CN", "CNY", END_MS, END_DATE);
    draft_encode(&draft, &value);
    stage_put(stage, partition, (struct bytes){(const uint8_t *)id, strlen(id)}, buffer_bytes(&value), END_MS);
    buffer_fini(&value);
}

static enum err end_everything(struct stage *stage, struct published *published, struct err_info *info)
{
    json_t *before = json_copy(published->held);
    for (int32_t i = 0; i < stage->partitions; i++)
        put_end(stage, i);
    enum err err = stage_settle(stage, info);
    if (err == OK)
        err = published_read(published, stage->world, info);
    const char *key;
    json_t *value;
    json_object_foreach(before, key, value)
    {
        if (err == OK && !is_rolling(key) && !published_is_tombstone(published, text_of(key)))
            err = err_set(info, ERR_BROKEN, "%s: has a record of zeros, no tombstone, though its month is final", key);
    }
    json_decref(before);
    return err;
}

/* ---- one seed ---- */

/* Statistics of one way; *out is the caller's. */
static enum err try_way(struct properties *properties, const struct stream *stream, const struct way *way, json_t **out,
                        struct err_info *info)
{
    struct stage stage;
    struct published published;
    stage_open(&stage, &properties->assembly, way->partitions, NOW_MS);
    published_init(&published, way->partitions);
    enum err err = walk_way(way, stream, &stage, info);
    if (err == OK)
        err = published_read(&published, stage.world, info);
    if (err == OK)
        err = kinship_check(&stage, info);
    if (err == OK)
        err = compare_plain(properties, &stage, &published, stream, info);
    *out = comparable(&published);
    if (err == OK)
        err = cancel_everything(&stage, &published, way, stream, info);
    if (err == OK)
        err = end_everything(&stage, &published, info);
    properties->records += way->count;
    properties->lives += stage.lives;
    properties->statistics += json_object_size(published.held);
    published_fini(&published);
    stage_close(&stage);
    return err;
}

static enum err try_variant(struct properties *properties, const struct stream *stream, struct random *random,
                            json_t *first, struct err_info *info)
{
    struct way way;
    json_t *statistics;
    random_way(random, stream, &way);
    enum err err = try_way(properties, stream, &way, &statistics, info);
    if (err == OK)
        err = compare_statistics(first, statistics, info);
    if (err != OK)
        err_prefix(info, err, "%d partitions, %zu records, %u runs, snapshots from %" PRId64, way.partitions, way.count,
                   way.runs, way.snapshot_bytes);
    json_decref(statistics);
    memory_free(way.order);
    return err;
}

static enum err try_seed(struct properties *properties, uint64_t seed, struct err_info *info)
{
    struct stream *stream = stream_new(seed);
    struct random random = random_of(~seed);
    struct way way;
    json_t *first;
    plain_way(stream, &way);
    enum err err = try_way(properties, stream, &way, &first, info);
    if (err != OK)
        err_prefix(info, err, "in plain order");
    for (int i = 0; err == OK && i < VARIANTS; i++)
        err = try_variant(properties, stream, &random, first, info);
    json_decref(first);
    memory_free(way.order);
    memory_free(stream);
    return err;
}

/* Before anything is counted: periods and T decide no key of a cell. */
static enum err publish_more(struct properties *properties, struct err_info *info)
{
    for (size_t i = 0; i < PLAIN_OPTIONS; i++) {
        const struct plain_option *option = &plain_options[i];
        struct view_plan *plan = &properties->assembly.plan;
        if (option->definition)
            TRY(view_plan_add(plan, text_of(option->view), text_of(option->definition), info));
        TRY(view_plan_option(plan, text_of(option->view), TEXT("publish"), text_of(option->publish), info));
        TRY(view_plan_option(plan, text_of(option->view), TEXT("total"), text_of(option->total ? "yes" : "no"), info));
    }
    TRY(view_plan_groups(&properties->assembly.plan, properties->assembly.reference, info));
    view_plan_finish(&properties->assembly.plan);
    return OK;
}

static int run_seeds(struct properties *properties)
{
    for (int64_t i = 0; i < properties->seeds; i++) {
        struct err_info info;
        int64_t seed = properties->from + i;
        if (try_seed(properties, (uint64_t)seed, &info) == OK)
            continue;
        printf("seed %" PRId64 ": %s\nagain: properties --seeds 1 --from %" PRId64 "\n", seed, info.text, seed);
        return FAILED;
    }
    printf("%" PRId64 " streams from seed %" PRId64 ", each in %d ways: the same statistics\n%" PRIu64
           " records in %" PRIu64 " lives, %" PRIu64 " statistics, %" PRIu64 " rolling windows, %" PRIu64
           " hours and %" PRIu64 " that ended\n",
           properties->seeds, properties->from, 1 + VARIANTS, properties->records, properties->lives,
           properties->statistics, properties->windows, properties->hours, properties->ended);
    return 0;
}

static int run(int argc, char **argv)
{
    static struct properties properties = {.seeds = 20, .from = 1};
    const struct option_row rows[] = {
        {.name = "seeds", .kind = OPTION_NUMBER, .place = &properties.seeds, .min = 1, .max = INT64_MAX},
        {.name = "from", .kind = OPTION_NUMBER, .place = &properties.from, .min = 0, .max = INT64_MAX},
    };
    int code = options_read(&properties.options, &command_properties, rows, sizeof rows / sizeof rows[0], argc, argv);
    struct err_info info;
    wire_init();
    if (code == 0) {
        enum err err = assemble(&properties.assembly, &properties.options.config, false, &info);
        if (err == OK)
            err = publish_more(&properties, &info);
        code = err == OK ? run_seeds(&properties) : options_fail(&properties.options, err, &info);
    }
    assemble_fini(&properties.assembly);
    options_fini(&properties.options);
    return code;
}

const struct command command_properties = {
    .name = "properties",
    .summary = "random streams through worker and publisher: any way, the same statistics",
    .usage = "properties [--seeds N] [--from S] [-X key=value]...\n"
             "Each seed is a stream; it is counted in several ways and once plainly. Prints the seed that fails.",
    .run = run,
};

int main(int argc, char **argv)
{
    return command_properties.run(argc, argv);
}
