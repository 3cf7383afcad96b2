/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/history.h"

#include "base/memory.h"
#include "flow/key_text.h"
#include "flow/statistic_read.h"
#include "trade/calendar.h"
#include "trade/codes.h"

#include <inttypes.h>

enum { EXPECTED_CELLS = 1 << 10, CODE_BYTES_MOST = 8, MG_A_GRAM = 1000 };

static const char mark[] = "#history|";

struct history {
    const struct view_plan *plan;
    char reporter[3];
    char currency[4];
    struct table *table; /* key of the cube -> what stands in `list` */
    struct measures *list;
    uint32_t capacity;
    uint32_t count;
};

/* ---- a record key -> a cell ---- */

struct parsing {
    const struct view *view;
    struct text rest;
    uint32_t (*number)(void *context, struct text code);
    void *context;
    struct table_key *key;
};

static bool read_code(const struct parsing *parsing, struct text text, uint64_t *out)
{
    char bytes[CODE_BYTES_MOST];
    struct text code;
    if (!key_text_read(text, bytes, sizeof bytes, &code) || (code.length && memchr(code.data, '\0', code.length)))
        return false;
    uint32_t number = parsing->number(parsing->context, code);
    *out = number;
    return number != DICTIONARY_FULL;
}

/* Two capital letters, or nothing. */
static bool read_country(struct text text, uint64_t *out)
{
    *out = 0;
    if (text.length == 0)
        return true;
    for (uint32_t i = 0; i < text.length; i++) {
        if (text.data[i] < 'A' || text.data[i] > 'Z')
            return false;
    }
    *out = codes_country(text);
    return text.length == 2;
}

/* T is the sum of the others. */
static bool read_flow(struct text text, uint64_t *out)
{
    enum flow flow;
    if (!flow_of_name(text, &flow) || flow == FLOW_T)
        return false;
    *out = flow;
    return true;
}

/* All digits of the view, or none where the goods had no such code. */
static bool read_commodity(struct text text, uint32_t digits, uint64_t *out)
{
    uint64_t code = 0;
    *out = CELL_NO_HS;
    if (text.length == 0)
        return true;
    for (uint32_t i = 0; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        code = code * 10 + (uint64_t)(text.data[i] - '0');
        if (i >= digits)
            return false;
    }
    *out = code + 1;
    return text.length == digits;
}

static bool read_number(struct text text, int64_t most, uint64_t *out)
{
    int64_t number;
    if (!text_to_int64(text, &number) || number < 0 || number > most)
        return false;
    *out = (uint64_t)number;
    return true;
}

static bool read_dimension(const struct parsing *parsing, enum dimension dimension, struct text text)
{
    uint64_t *word = parsing->key->word;
    uint64_t number = 0;
    bool good = true;
    switch (dimension) {
    case DIMENSION_FLOW:
        good = read_flow(text, &number);
        word[3] |= number << 9;
        return good;
    case DIMENSION_MODE:
        good = read_number(text, CELL_MODE_MOST, &number);
        word[3] |= number;
        return good;
    case DIMENSION_PARTNER:
        good = read_country(text, &number);
        word[3] |= number << 48;
        return good;
    case DIMENSION_PARTNER_CONSIGNMENT:
        good = read_country(text, &number);
        word[3] |= number << 32;
        return good;
    case DIMENSION_OFFICE:
    case DIMENSION_BORDER_OFFICE:
        good = read_code(parsing, text, &number);
        word[1] |= number << (dimension == DIMENSION_OFFICE ? 32 : 0);
        return good;
    case DIMENSION_ZONE:
    case DIMENSION_TRADE_MODE:
        good = read_code(parsing, text, &number);
        word[2] |= number << (dimension == DIMENSION_ZONE ? 32 : 0);
        return good;
    case DIMENSION_REGION:
        good = read_code(parsing, text, &number) && number <= CELL_REGION_MOST;
        word[3] |= good ? number << 12 : 0;
        return good;
    default:
        good = read_commodity(text, parsing->view->hs_digits, &number);
        word[0] |= number;
        return good;
    }
}

static uint32_t any_number(void *context, struct text code)
{
    (void)context;
    (void)code;
    return 0;
}

bool history_fits(const struct view *view, enum dimension dimension, struct text value)
{
    struct table_key key = {{0, 0, 0, 0}};
    struct parsing parsing = {.view = view, .number = any_number, .key = &key};
    return read_dimension(&parsing, dimension, value);
}

/* FREQ|FROM|TO of the view's grain. */
static bool read_period(struct parsing *parsing, uint32_t view)
{
    bool month = parsing->view->grain == GRAIN_MONTH;
    struct text frequency = text_cut(&parsing->rest, '|');
    uint64_t from;
    uint64_t to;
    if (parsing->view->grain == GRAIN_HOUR || !text_is(frequency, month ? "MONTH" : "DAY") ||
        !read_number(text_cut(&parsing->rest, '|'), UINT32_MAX, &from) ||
        !read_number(text_cut(&parsing->rest, '|'), UINT32_MAX, &to) || !calendar_is_counted((uint32_t)from))
        return false;
    if (to != (month ? calendar_month_last((uint32_t)from) : from) || (month && from % 100 != 1))
        return false;
    parsing->key->word[0] = cell_word0(view, month, calendar_day((uint32_t)from), 0);
    return true;
}

bool history_cell(const struct view_plan *plan, struct text key, uint32_t (*number)(void *context, struct text code),
                  void *context, struct table_key *out)
{
    struct table_key found = {{0, 0, 0, 0}};
    struct parsing parsing = {.rest = key, .number = number, .context = context, .key = &found};
    int32_t view = view_plan_find(plan, text_cut(&parsing.rest, '|'));
    if (view < 0)
        return false;
    parsing.view = &plan->views[view];
    if (!read_period(&parsing, (uint32_t)view))
        return false;
    for (uint32_t i = 0; i < parsing.view->dimension_count; i++) {
        enum dimension dimension = view_counted(parsing.view->dimensions[i]);
        struct text value = text_cut(&parsing.rest, '|');
        struct text name = text_cut(&value, '=');
        if (!text_is(name, view_dimension_name(dimension)) || !read_dimension(&parsing, dimension, value))
            return false;
    }
    *out = found;
    return parsing.rest.length == 0;
}

/* ---- life ---- */

struct history *history_new(const struct view_plan *plan, const char *reporter, const char *currency)
{
    struct history *history = memory_new(1, sizeof *history);
    history->plan = plan;
    memcpy(history->reporter, reporter, strnlen(reporter, sizeof history->reporter - 1));
    memcpy(history->currency, currency, strnlen(currency, sizeof history->currency - 1));
    history->table = table_new(EXPECTED_CELLS);
    return history;
}

void history_free(struct history *history)
{
    if (!history)
        return;
    table_free(history->table);
    memory_free(history->list);
    memory_free(history);
}

bool history_is(struct bytes key)
{
    return key.length > sizeof mark - 1 && memcmp(key.data, mark, sizeof mark - 1) == 0;
}

/* ---- cells ---- */

static struct measures *measures_of(struct history *history, const struct table_key *key)
{
    static const struct measures none;
    bool added;
    uint32_t index = table_put(history->table, key, table_hash(key), &added);
    if (index == history->capacity) {
        history->capacity = history->capacity ? history->capacity * 2 : EXPECTED_CELLS;
        history->list = memory_resize(history->list, history->capacity, sizeof history->list[0]);
    }
    if (added)
        history->list[index] = none;
    return &history->list[index];
}

static void replace(struct history *history, struct cube *cube, const struct table_key *key, const struct measures *now)
{
    struct measures *before = measures_of(history, key);
    struct measures delta = measures_opposite(before);
    measures_add(&delta, now);
    history->count -= before->items != 0;
    history->count += now->items != 0;
    *before = *now;
    if (!measures_are_none(&delta))
        cube_add(cube, key, &delta);
}

static bool read_measures(const struct history *history, struct bytes value, struct measures *out)
{
    struct statistic_scratch scratch;
    const Customs__V1__Statistic *m = &scratch.message;
    if (!statistic_read(value, &scratch) || strcmp(m->reporter, history->reporter) != 0 ||
        strcmp(m->currency, history->currency) != 0 || m->items > INT64_MAX || m->declarations > INT64_MAX ||
        m->packages > INT64_MAX)
        return false;
    *out = (struct measures){
        .value_minor = m->value_minor,
        .customs_value_minor = m->customs_value_minor,
        .net_mass_mg = (i128)m->net_mass_g * MG_A_GRAM,
        .gross_mass_mg = (i128)m->gross_mass_g * MG_A_GRAM,
        .supp_quantity_micro = m->supp_quantity_micro,
        .estimated_mg = (i128)m->estimated_net_mass_g * MG_A_GRAM,
        .declarations = (int64_t)m->declarations,
        .items = (int64_t)m->items,
        .packages = (int64_t)m->packages,
        .loaded_items = (int64_t)m->items,
    };
    return true;
}

static uint32_t number_in_cube(void *context, struct text code)
{
    return cube_code(context, code);
}

bool history_take(struct history *history, struct cube *cube, struct bytes key, struct bytes value)
{
    struct text rest = {(const char *)key.data + (sizeof mark - 1), (uint32_t)(key.length - (sizeof mark - 1))};
    struct measures now = {0};
    struct table_key cell;
    if (!history_cell(history->plan, rest, number_in_cube, cube, &cell) ||
        (value.length > 0 && !read_measures(history, value, &now)))
        return false;
    replace(history, cube, &cell, &now);
    return true;
}

void history_take_back(struct history *history, struct cube *cube)
{
    static const struct measures none;
    for (uint32_t i = 0; i < table_count(history->table); i++) {
        struct table_key key = *table_key(history->table, i);
        replace(history, cube, &key, &none);
    }
}

void history_forget(struct history *history)
{
    table_clear(history->table);
    history->count = 0;
}

uint32_t history_count(const struct history *history)
{
    return history->count;
}
