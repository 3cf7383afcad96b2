/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/history_file.h"

#include "base/csv.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/table.h"
#include "cmd/nearest.h"
#include "cmd/source.h"
#include "flow/history.h"
#include "flow/hours.h"
#include "flow/key_text.h"
#include "flow/statistic_bytes.h"
#include "trade/calendar.h"
#include "trade/window.h"

#include <inttypes.h>
#include <stdio.h>

enum { EXPECTED_ROWS = 1 << 10, COLUMN_BYTES = 32, SHOW_EACH = 1024 };

/* Columns that a row is made of. Dimensions stand behind them, by enum dimension. */
enum column {
    COLUMN_VIEW,
    COLUMN_FREQUENCY,
    COLUMN_FROM,
    COLUMN_TO,
    COLUMN_PERIOD,
    COLUMN_REPORTER,
    COLUMN_CURRENCY,
    COLUMN_GROUP,
    COLUMN_UNIT,
    COLUMN_VALUE,
    COLUMN_CUSTOMS,
    COLUMN_NET,
    COLUMN_GROSS,
    COLUMN_QUANTITY,
    COLUMN_DECLARATIONS,
    COLUMN_ITEMS,
    COLUMN_PACKAGES,
    COLUMN_ESTIMATED,
    COLUMN_DIMENSIONS,
    COLUMNS = COLUMN_DIMENSIONS + DIMENSIONS,
};

static const char *const column_names[COLUMN_DIMENSIONS] = {
    [COLUMN_VIEW] = "view",
    [COLUMN_FREQUENCY] = "frequency",
    [COLUMN_FROM] = "period_from",
    [COLUMN_TO] = "period_to",
    [COLUMN_PERIOD] = "period",
    [COLUMN_REPORTER] = "reporter",
    [COLUMN_CURRENCY] = "currency",
    [COLUMN_GROUP] = "partner_group",
    [COLUMN_UNIT] = "supp_unit",
    [COLUMN_VALUE] = "value_minor",
    [COLUMN_CUSTOMS] = "customs_value_minor",
    [COLUMN_NET] = "net_mass_g",
    [COLUMN_GROSS] = "gross_mass_g",
    [COLUMN_QUANTITY] = "supp_quantity_micro",
    [COLUMN_DECLARATIONS] = "declarations",
    [COLUMN_ITEMS] = "items",
    [COLUMN_PACKAGES] = "packages",
    [COLUMN_ESTIMATED] = "estimated_net_mass_g",
};

/* Other names of columns: of customs.v1.Statistic, and what a report calls a time. */
static const struct {
    const char *name;
    int column;
} aliases[] = {
    {"month", COLUMN_PERIOD},
    {"office_code", COLUMN_DIMENSIONS + DIMENSION_OFFICE},
    {"border_office_code", COLUMN_DIMENSIONS + DIMENSION_BORDER_OFFICE},
    {"zone_code", COLUMN_DIMENSIONS + DIMENSION_ZONE},
    {"transport_mode", COLUMN_DIMENSIONS + DIMENSION_MODE},
    {"region_code", COLUMN_DIMENSIONS + DIMENSION_REGION},
    {"commodity_code", COLUMN_DIMENSIONS + DIMENSION_HS6},
};

/* What else those files have, and what follows from the rest. */
static const char *const ignored[] = {
    "key",
    "classification",
    "partner_basis",
    "value_basis",
    "hour_from_ms",
    "hour_to_ms",
    "base_value_minor",
    "base_net_mass_g",
    "base_gross_mass_g",
    "yoy_value_ppm",
    "yoy_net_mass_ppm",
    "yoy_gross_mass_ppm",
    "share_ppm",
    "distinct_count",
    "mean_annual_growth_permille",
    "state",
    "as_of",
    "as_of_ms",
    "watermark_ms",
    "warned_items",
    "late_items",
    "loaded_items",
    "confidentiality",
    "hs_conversion",
};

struct reading {
    const struct history_options *options;
    struct history_file *file;
    struct csv *csv;
    struct table *seen; /* keys -> row */
    uint32_t columns[COLUMNS];
    char names[COLUMNS][COLUMN_BYTES]; /* as the header has them */
    const struct csv_row *row;
    struct buffer key;
    struct err_info *info;
};

/* ---- header ---- */

static int column_of(struct text name)
{
    for (int i = 0; i < COLUMN_DIMENSIONS; i++) {
        if (text_is(name, column_names[i]))
            return i;
    }
    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++) {
        if (text_is(name, aliases[i].name))
            return aliases[i].column;
    }
    for (int i = 0; i < DIMENSIONS; i++) {
        if (text_is(name, view_dimension_name((enum dimension)i)))
            return view_is_commodity((enum dimension)i) ? COLUMN_DIMENSIONS + DIMENSION_HS6 : COLUMN_DIMENSIONS + i;
    }
    return -1;
}

static bool is_ignored(struct text name)
{
    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++) {
        if (text_is(name, ignored[i]))
            return true;
    }
    return false;
}

static enum err unknown_column(struct reading *reading, struct text name)
{
    char hint[NEAREST_TEXT_BYTES];
    struct nearest nearest = nearest_to(name);
    for (int i = 0; i < COLUMN_DIMENSIONS; i++)
        nearest_try(&nearest, text_of(column_names[i]));
    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++)
        nearest_try(&nearest, text_of(aliases[i].name));
    for (int i = 0; i < DIMENSIONS; i++)
        nearest_try(&nearest, text_of(view_dimension_name((enum dimension)i)));
    return csv_error(reading->csv, NULL, reading->info, "column \"%.*s\" is none of a statistic%s", TEXT_ARGS(name),
                     nearest_hint(&nearest, hint));
}

static enum err read_header(struct reading *reading)
{
    struct csv_row header;
    for (int i = 0; i < COLUMNS; i++)
        reading->columns[i] = CSV_NO_COLUMN;
    TRY(csv_header(reading->csv, &header, reading->info));
    for (uint32_t i = 0; i < header.count; i++) {
        struct text name = header.fields[i];
        int column = column_of(name);
        if (column < 0 && is_ignored(name))
            continue;
        if (column < 0)
            return unknown_column(reading, name);
        if (reading->columns[column] != CSV_NO_COLUMN)
            return csv_error(reading->csv, NULL, reading->info, "columns \"%s\" and \"%.*s\" say the same; keep one",
                             reading->names[column], TEXT_ARGS(name));
        reading->columns[column] = i;
        snprintf(reading->names[column], COLUMN_BYTES, "%.*s", TEXT_ARGS(name));
    }
    static const int needed[] = {COLUMN_VIEW, COLUMN_VALUE, COLUMN_ITEMS};
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        if (reading->columns[needed[i]] == CSV_NO_COLUMN)
            return csv_error(reading->csv, NULL, reading->info, "column \"%s\" is missing", column_names[needed[i]]);
    }
    if (reading->columns[COLUMN_PERIOD] == CSV_NO_COLUMN && reading->columns[COLUMN_FROM] == CSV_NO_COLUMN)
        return csv_error(
            reading->csv, NULL, reading->info,
            "no column says the time: give period (2024-07, or 2024-07-03 in a view by day), or period_from and "
            "period_to");
    return OK;
}

/* ---- a row ---- */

static struct text field(const struct reading *reading, int column)
{
    uint32_t index = reading->columns[column];
    return index == CSV_NO_COLUMN ? (struct text){NULL, 0} : reading->row->fields[index];
}

/* The column's own name where the file has it. */
static const char *name_of(const struct reading *reading, int column)
{
    if (reading->names[column][0])
        return reading->names[column];
    return column < COLUMN_DIMENSIONS ? column_names[column] : NULL;
}

static enum err row_error(const struct reading *reading, int column, const char *what)
{
    return csv_error(reading->csv, name_of(reading, column), reading->info, "%s", what);
}

/* yyyymmdd, or as reports write a time. */
static bool read_window(struct text text, struct window *out)
{
    int64_t date;
    if (text.length == 8 && text_to_int64(text, &date) && calendar_is_date((uint32_t)date)) {
        *out = (struct window){(uint32_t)date, (uint32_t)date};
        return true;
    }
    return window_read(text, out);
}

static enum err read_period(const struct reading *reading, const struct view *view, struct window *out)
{
    struct window from;
    struct window to;
    bool by_month = view->grain == GRAIN_MONTH;
    if (view->grain == GRAIN_HOUR)
        return csv_error(reading->csv, "view", reading->info,
                         "view %s is by hour, and hours are kept for %d days: load days or months into another view",
                         view->name, HOURS_KEPT_DAYS);
    if (reading->columns[COLUMN_PERIOD] != CSV_NO_COLUMN) {
        if (!read_window(field(reading, COLUMN_PERIOD), out))
            return row_error(reading, COLUMN_PERIOD, "no time; write 2024-07, or 2024-07-03 in a view by day");
    } else {
        if (!read_window(field(reading, COLUMN_FROM), &from))
            return row_error(reading, COLUMN_FROM, "no date; write yyyymmdd or yyyy-mm-dd");
        if (!read_window(field(reading, COLUMN_TO), &to))
            return row_error(reading, COLUMN_TO, "no date; write yyyymmdd or yyyy-mm-dd");
        *out = (struct window){from.from, to.to};
    }
    if (by_month && (out->from != calendar_month_first(out->from) || out->to != calendar_month_last(out->from)))
        return csv_error(
            reading->csv, NULL, reading->info,
            "view %s is by month, and this is no month; add its months up from days, or break a report down "
            "by period",
            view->name);
    if (!by_month && out->from != out->to)
        return csv_error(
            reading->csv, NULL, reading->info,
            "view %s is by day, and this is no day; leave months out, they are made of days (break a report "
            "down by period)",
            view->name);
    return OK;
}

static enum err check_frequency(const struct reading *reading, const struct view *view)
{
    struct text frequency = field(reading, COLUMN_FREQUENCY);
    const char *wanted = view->grain == GRAIN_MONTH ? "MONTH" : "DAY";
    if (frequency.length == 0 || text_is(frequency, wanted))
        return OK;
    return csv_error(reading->csv, "frequency", reading->info,
                     "\"%.*s\": view %s takes %s records; leave the others out, they follow from these",
                     TEXT_ARGS(frequency), view->name, wanted);
}

static enum err check_unit_of_account(const struct reading *reading, int column, const char *own, const char *key)
{
    struct text text = field(reading, column);
    if (text.length == 0 || text_is(text, own))
        return OK;
    return csv_error(reading->csv, column_names[column], reading->info,
                     "\"%.*s\" is not the %s of the configuration, %s", TEXT_ARGS(text), key, own);
}

/* History is closed by the clock here: which months declarations have is asked of the topic. */
static enum err check_closed(const struct reading *reading, uint32_t date)
{
    const struct history_options *options = reading->options;
    int64_t close_ms =
        zone_month_close_ms(options->zone, calendar_day(date), (int32_t)options->config->month_provisional_days);
    if (options->now_ms >= close_ms)
        return OK;
    return csv_error(reading->csv, NULL, reading->info, "%04u-%02u is not closed yet; history ends with a closed month",
                     date / 10000, date / 100 % 100);
}

/* ---- its key ---- */

static int column_of_dimension(const struct reading *reading, const struct view *view, enum dimension dimension)
{
    int column = COLUMN_DIMENSIONS + (view_is_commodity(dimension) ? (int)DIMENSION_HS6 : (int)dimension);
    /* a record has one column for its partner, whichever it is */
    if (dimension == DIMENSION_PARTNER_CONSIGNMENT && reading->columns[column] == CSV_NO_COLUMN &&
        !(view->dimension_set & 1u << DIMENSION_PARTNER))
        column = COLUMN_DIMENSIONS + DIMENSION_PARTNER;
    return column;
}

static const char *what_fits(enum dimension dimension)
{
    switch (dimension) {
    case DIMENSION_FLOW:
        return "M, X, RM or RX are wanted; T is their sum, leave it out";
    case DIMENSION_MODE:
        return "a number 0 to 511 is wanted (UN/ECE Rec 19)";
    case DIMENSION_PARTNER:
    case DIMENSION_PARTNER_CONSIGNMENT:
        return "two capital letters are wanted, or nothing";
    case DIMENSION_HS2:
    case DIMENSION_HS4:
    case DIMENSION_HS6:
    case DIMENSION_HS8:
    case DIMENSION_HS10:
        return "all digits that the view has are wanted (keep leading zeros), or nothing";
    default:
        return "a code of at most 8 bytes is wanted, or nothing";
    }
}

static enum err put_dimension(struct reading *reading, const struct view *view, enum dimension dimension)
{
    int column = column_of_dimension(reading, view, dimension);
    struct text text = field(reading, column);
    if (reading->columns[column] == CSV_NO_COLUMN)
        return csv_error(reading->csv, NULL, reading->info,
                         "view %s has the dimension %s, and the file no such column (its cells may be empty)",
                         view->name, view_dimension_name(dimension));
    buffer_add_format(&reading->key, "|%s=", view_dimension_name(dimension));
    size_t begin = reading->key.length;
    key_text_add(&reading->key, text);
    struct text value = {(const char *)reading->key.data + begin, (uint32_t)(reading->key.length - begin)};
    if (history_fits(view, dimension, value))
        return OK;
    return csv_error(reading->csv, name_of(reading, column), reading->info, "\"%.*s\": %s", TEXT_ARGS(text),
                     what_fits(dimension));
}

/* What the view does not have must not be said of its cells: it would be lost. */
static enum err check_others(const struct reading *reading, const struct view *view)
{
    bool used[COLUMNS] = {false};
    for (uint32_t i = 0; i < view->dimension_count; i++)
        used[column_of_dimension(reading, view, view_counted(view->dimensions[i]))] = true;
    for (int column = COLUMN_DIMENSIONS; column < COLUMNS; column++) {
        struct text text = field(reading, column);
        bool is_nothing = text.length == 0 || (column == COLUMN_DIMENSIONS + DIMENSION_MODE && text_is(text, "0"));
        if (!used[column] && !is_nothing)
            return csv_error(reading->csv, name_of(reading, column), reading->info,
                             "view %s has no such dimension; leave it empty, or load the row into a view that has it",
                             view->name);
    }
    if (field(reading, COLUMN_GROUP).length > 0)
        return row_error(reading, COLUMN_GROUP, "groups are sums of partners; leave such rows out");
    return OK;
}

static enum err make_key(struct reading *reading, const struct view *view, struct window window)
{
    buffer_clear(&reading->key);
    buffer_add_format(&reading->key, "#history|%s|%s|%08u|%08u", view->name,
                      view->grain == GRAIN_MONTH ? "MONTH" : "DAY", window.from, window.to);
    for (uint32_t i = 0; i < view->dimension_count; i++)
        TRY(put_dimension(reading, view, view_counted(view->dimensions[i])));
    return check_others(reading, view);
}

/* ---- its figures ---- */

static enum err read_figure(const struct reading *reading, int column, int64_t *out)
{
    struct text text = field(reading, column);
    *out = 0;
    if (text.length == 0 && column != COLUMN_ITEMS && column != COLUMN_VALUE)
        return OK;
    if (text_to_int64(text, out) && *out >= 0)
        return OK;
    return csv_error(reading->csv, name_of(reading, column), reading->info,
                     "\"%.*s\": a whole number of minor units, g, millionths or pieces is wanted, not below 0%s",
                     TEXT_ARGS(text), column == COLUMN_ITEMS ? "; 1 where it is not known, 0 takes the cell back" : "");
}

/* Quantities are in the standard unit of the code, or they could not be added. */
static enum err check_quantity(const struct reading *reading, const struct view *view, struct window window)
{
    struct text code = field(reading, COLUMN_DIMENSIONS + DIMENSION_HS6);
    struct text given = field(reading, COLUMN_UNIT);
    struct text wanted = {NULL, 0};
    int64_t hs6;
    if (view->hs_digits >= 6 && code.length >= 6 && text_to_int64((struct text){code.data, 6}, &hs6)) {
        uint8_t unit =
            reference_standard_unit(reading->options->reference, reference_edition(window.to), (uint32_t)hs6);
        if (unit != UNIT_INDEX_NONE && unit != UNIT_INDEX_KG)
            wanted = reference_unit_rec20(reading->options->reference, unit);
    }
    if (wanted.length == 0)
        return row_error(
            reading, COLUMN_QUANTITY,
            "the lists know no unit of this code that is counted beside its mass; leave the quantity empty");
    if (text_equal(given, wanted))
        return OK;
    return csv_error(reading->csv, "supp_unit", reading->info, "\"%.*s\": quantities of this code are in %.*s",
                     TEXT_ARGS(given), TEXT_ARGS(wanted));
}

static enum err read_figures(const struct reading *reading, const struct view *view, struct window window,
                             Customs__V1__Statistic *m)
{
    int64_t counts[3];
    TRY(read_figure(reading, COLUMN_VALUE, &m->value_minor));
    TRY(read_figure(reading, COLUMN_CUSTOMS, &m->customs_value_minor));
    TRY(read_figure(reading, COLUMN_NET, &m->net_mass_g));
    TRY(read_figure(reading, COLUMN_GROSS, &m->gross_mass_g));
    TRY(read_figure(reading, COLUMN_QUANTITY, &m->supp_quantity_micro));
    TRY(read_figure(reading, COLUMN_ESTIMATED, &m->estimated_net_mass_g));
    TRY(read_figure(reading, COLUMN_DECLARATIONS, &counts[0]));
    TRY(read_figure(reading, COLUMN_ITEMS, &counts[1]));
    TRY(read_figure(reading, COLUMN_PACKAGES, &counts[2]));
    m->declarations = (uint64_t)counts[0];
    m->items = (uint64_t)counts[1];
    m->packages = (uint64_t)counts[2];
    return m->supp_quantity_micro ? check_quantity(reading, view, window) : OK;
}

/* ---- rows ---- */

static enum err check_first(const struct reading *reading)
{
    static const struct hash_key no_secret = {{0, 0}}; /* the file is the operator's own */
    struct hash128 hash = hash_sip128(reading->key.data, reading->key.length, &no_secret);
    struct table_key place = {{hash.word[0], hash.word[1], 0, 0}};
    bool added;
    uint32_t index = table_put(reading->seen, &place, table_hash(&place), &added);
    if (added)
        return OK;
    return csv_error(reading->csv, NULL, reading->info, "the same cell as line %" PRIu64 "; keep one of them",
                     reading->file->rows[index].line);
}

static void keep(struct reading *reading, struct window window, const Customs__V1__Statistic *m)
{
    struct history_file *file = reading->file;
    if (file->count == file->capacity) {
        file->capacity = file->capacity ? file->capacity * 2 : EXPECTED_ROWS;
        file->rows = memory_resize(file->rows, file->capacity, sizeof file->rows[0]);
    }
    struct history_row row = {
        .key = memory_copy_text((const char *)reading->key.data, reading->key.length),
        .line = reading->row->line,
        .month = calendar_month_of_day(calendar_day(window.from)),
    };
    if (m->items > 0) {
        row.value = memory_new(1, statistic_bytes_most(m));
        row.value_bytes = (size_t)(statistic_bytes_put(row.value, m) - row.value);
    }
    file->rows[file->count++] = row;
}

static enum err find_view(const struct reading *reading, const struct view **out)
{
    const struct view_plan *plan = reading->options->plan;
    struct text name = field(reading, COLUMN_VIEW);
    int32_t index = view_plan_find(plan, name);
    if (index >= 0) {
        *out = &plan->views[index];
        return OK;
    }
    char hint[NEAREST_TEXT_BYTES];
    struct nearest nearest = nearest_to(name);
    for (uint32_t i = 0; i < plan->count; i++)
        nearest_try(&nearest, text_of(plan->views[i].name));
    return csv_error(reading->csv, "view", reading->info, "\"%.*s\" is no view of this configuration%s",
                     TEXT_ARGS(name), nearest_hint(&nearest, hint));
}

static enum err take_row(struct reading *reading)
{
    const struct config *config = reading->options->config;
    const struct view *view;
    struct window window;
    Customs__V1__Statistic m = CUSTOMS__V1__STATISTIC__INIT;
    m.reporter = (char *)(uintptr_t)config->reporter;
    m.currency = (char *)(uintptr_t)config->reporting_currency;
    TRY(find_view(reading, &view));
    TRY(check_frequency(reading, view));
    TRY(check_unit_of_account(reading, COLUMN_REPORTER, config->reporter, "reporter"));
    TRY(check_unit_of_account(reading, COLUMN_CURRENCY, config->reporting_currency, "reporting.currency"));
    TRY(read_period(reading, view, &window));
    TRY(check_closed(reading, window.to));
    TRY(make_key(reading, view, window));
    TRY(read_figures(reading, view, window, &m));
    TRY(check_first(reading));
    keep(reading, window, &m);
    return OK;
}

static enum err read_rows(struct reading *reading, const struct source *source)
{
    const struct history_options *options = reading->options;
    struct csv_row row;
    TRY(read_header(reading));
    for (uint64_t number = 1;; number++) {
        TRY(csv_next(reading->csv, &row, reading->info));
        if (row.count == 0)
            return OK;
        reading->row = &row;
        if (take_row(reading) != OK) {
            reading->file->wrong++;
            options->tell(options->context, reading->info->text);
        }
        if (number % SHOW_EACH == 0) {
            uint64_t done;
            uint64_t total;
            source_progress(source, &done, &total);
            options->progress(options->context, done, total, number);
        }
    }
}

enum err history_file_read(const char *path, const struct history_options *options, struct history_file *out,
                           struct err_info *info)
{
    struct source *source;
    struct reading reading = {.options = options, .file = out, .info = info};
    *out = (struct history_file){0};
    TRY(source_open(path, &source, info));
    reading.csv = csv_new(path, source_as_csv(source));
    reading.seen = table_new(EXPECTED_ROWS);
    enum err err = read_rows(&reading, source);
    buffer_fini(&reading.key);
    table_free(reading.seen);
    csv_free(reading.csv);
    source_close(source);
    return err;
}

void history_file_fini(struct history_file *file)
{
    for (size_t i = 0; i < file->count; i++) {
        memory_free(file->rows[i].key);
        memory_free(file->rows[i].value);
    }
    memory_free(file->rows);
    *file = (struct history_file){0};
}
