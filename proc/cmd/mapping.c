/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/mapping.h"

#include "base/decimal.h"
#include "base/memory.h"
#include "cmd/conversion.h"
#include "cmd/moment.h"
#include "cmd/nearest.h"

#include <errno.h>
#include <stdio.h>

struct entry {
    const struct field *field;
    int32_t item; /* index, -1 = header */
    uint32_t line;
    bool is_constant;
    struct text source;    /* the constant, or the column's name */
    struct text item_name; /* as written, for errors */
    uint32_t column;       /* after mapping_bind */
    uint32_t step_count;
    struct conversion steps[MAPPING_OPS_MOST];
};

struct mapping {
    char *name;
    char *text;
    struct entry *entries;
    size_t count;
    size_t capacity;
    uint32_t item_count;
    uint32_t column_count; /* of the bound header */
    bool has_item_count;
};

/* ---- reading a map ---- */

struct parser {
    struct mapping *mapping;
    struct mapping_currencies currencies;
    struct err_info *info;
    uint32_t line;
};

static enum err map_error(const struct parser *parser, const char *format, ...) PRINTF_LIKE(2, 3);

static enum err map_error(const struct parser *parser, const char *format, ...)
{
    char what[ERR_TEXT_BYTES / 2];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return err_set(parser->info, ERR_CONFIG, "%s:%u: %s", parser->mapping->name, parser->line, what);
}

static enum err parse_scale(const struct parser *parser, struct conversion *step)
{
    int64_t scale;
    if (!text_to_int64(step->argument, &scale) || scale < 0 || scale > DECIMAL_SCALE_MOST)
        return map_error(parser, "number(%.*s): the scale is the number of decimals kept, 0 to %d",
                         TEXT_ARGS(step->argument), (int)DECIMAL_SCALE_MOST);
    step->scale = (int)scale;
    return OK;
}

static enum err parse_currency(const struct parser *parser, struct conversion *step)
{
    step->scale =
        parser->currencies.decimals ? parser->currencies.decimals(parser->currencies.self, step->argument) : -1;
    if (step->scale < 0)
        return map_error(parser, "money(%.*s): this currency is not in currencies.csv with its minor unit",
                         TEXT_ARGS(step->argument));
    return OK;
}

static enum err parse_pairs(const struct parser *parser, const struct conversion *step)
{
    struct text rest = step->argument;
    while (rest.length > 0) {
        struct text pair = text_cut(&rest, ',');
        if (!memchr(pair.data, ':', pair.length))
            return map_error(parser, "table: \"%.*s\" is no pair; write table(from:to,...)", TEXT_ARGS(pair));
    }
    return OK;
}

static enum err parse_argument(const struct parser *parser, struct conversion *step, bool has_argument)
{
    const struct conversion_row *row = &conversion_rows[step->op];
    if (has_argument != (row->argument != CONVERSION_TAKES_NONE))
        return map_error(parser, "write %s", row->form);
    if (has_argument && step->argument.length == 0)
        return map_error(parser, "%s(): the argument is empty; write %s", row->name, row->form);
    switch (row->argument) {
    case CONVERSION_TAKES_ZONE: {
        enum err err = moment_zone(step->argument, parser->info);
        return err == OK ? OK : err_prefix(parser->info, err, "%s:%u", parser->mapping->name, parser->line);
    }
    case CONVERSION_TAKES_CURRENCY:
        return parse_currency(parser, step);
    case CONVERSION_TAKES_SCALE:
        return parse_scale(parser, step);
    case CONVERSION_TAKES_PAIRS:
        return parse_pairs(parser, step);
    case CONVERSION_TAKES_NONE:
        step->scale = step->op == CONVERSION_KG ? 6 : 3; /* decimals of a kilogram, of a gram, down to the milligram */
        return OK;
    case CONVERSION_TAKES_TEXT:
        return OK;
    }
    return OK;
}

static enum err find_op(const struct parser *parser, struct text name, enum conversion_op *out)
{
    struct nearest nearest = nearest_to(name);
    for (int i = 0; i < CONVERSIONS; i++) {
        if (text_is(name, conversion_rows[i].name)) {
            *out = (enum conversion_op)i;
            return OK;
        }
        nearest_try(&nearest, text_of(conversion_rows[i].name));
    }
    char hint[NEAREST_TEXT_BYTES];
    return map_error(parser, "unknown op \"%.*s\"%s", TEXT_ARGS(name), nearest_hint(&nearest, hint));
}

/* Cuts one `name` or `name(argument)` off *rest. A | inside the parentheses belongs to the argument. */
static enum err parse_step(const struct parser *parser, struct text *rest, struct conversion *out)
{
    uint32_t end = 0;
    while (end < rest->length && rest->data[end] != '|' && rest->data[end] != '(')
        end++;
    struct text name = text_trim((struct text){rest->data, end});
    bool has_argument = end < rest->length && rest->data[end] == '(';
    *out = (struct conversion){0};
    if (has_argument) {
        const char *close = memchr(rest->data + end, ')', rest->length - end);
        if (!close)
            return map_error(parser, "%.*s(: the closing parenthesis is missing", TEXT_ARGS(name));
        out->argument = (struct text){rest->data + end + 1, (uint32_t)(close - rest->data) - end - 1};
        end = (uint32_t)(close - rest->data) + 1;
    }
    rest->data += end;
    rest->length -= end;
    struct text between = text_cut(rest, '|');
    if (text_trim(between).length > 0)
        return map_error(parser, "\"%.*s\" behind an op; ops are separated by |", TEXT_ARGS(text_trim(between)));
    TRY(find_op(parser, name, &out->op));
    return parse_argument(parser, out, has_argument);
}

static enum err parse_steps(const struct parser *parser, struct text rest, struct entry *entry)
{
    bool is_number = false;
    while (text_trim(rest).length > 0) {
        if (entry->step_count == MAPPING_OPS_MOST)
            return map_error(parser, "more than %d ops", (int)MAPPING_OPS_MOST);
        struct conversion *step = &entry->steps[entry->step_count++];
        TRY(parse_step(parser, &rest, step));
        if (is_number)
            return map_error(parser, "%s comes after an op that makes a number; put it before",
                             conversion_rows[step->op].name);
        is_number = conversion_rows[step->op].to_number;
    }
    bool takes_number = entry->field->kind == FIELD_I64 || entry->field->kind == FIELD_U32;
    if (is_number && !takes_number)
        return map_error(parser, "%s makes a number, and %s is none",
                         conversion_rows[entry->steps[entry->step_count - 1].op].name, entry->field->name);
    return OK;
}

static enum err unknown_field(const struct parser *parser, struct text name, bool of_item)
{
    struct nearest nearest = nearest_to(name);
    const struct field *fields = of_item ? item_fields : declaration_fields;
    for (size_t i = 0; i < (of_item ? (size_t)ITEM_FIELDS : (size_t)DECLARATION_FIELDS); i++)
        nearest_try(&nearest, text_of(fields[i].name));
    char hint[NEAREST_TEXT_BYTES];
    return map_error(parser, "unknown %sfield \"%.*s\"%s", of_item ? "item " : "", TEXT_ARGS(name),
                     nearest_hint(&nearest, hint));
}

static enum err parse_field(const struct parser *parser, struct text name, struct entry *entry)
{
    entry->item = -1;
    entry->item_name = name;
    struct text rest = name;
    struct text first = text_cut(&rest, '.');
    if (!text_is(first, "items")) {
        entry->field = declaration_field_named(name);
        return entry->field ? OK : unknown_field(parser, name, false);
    }
    struct text number = text_cut(&rest, '.');
    int64_t index;
    if (rest.length == 0 || !text_to_int64(number, &index) || index < 0 || index >= MAPPING_ITEMS_MOST)
        return map_error(parser, "\"%.*s\": item fields are written items.N.field, N from 0 to %d", TEXT_ARGS(name),
                         MAPPING_ITEMS_MOST - 1);
    entry->item = (int32_t)index;
    entry->field = item_field_named(rest);
    return entry->field ? OK : unknown_field(parser, rest, true);
}

static enum err check_twice(const struct parser *parser, const struct entry *entry)
{
    for (size_t i = 0; i < parser->mapping->count; i++) {
        const struct entry *other = &parser->mapping->entries[i];
        if (other->field == entry->field && other->item == entry->item)
            return map_error(parser, "field \"%.*s\" is mapped in line %u already", TEXT_ARGS(entry->item_name),
                             other->line);
    }
    return OK;
}

static enum err parse_source(const struct parser *parser, struct text source, struct entry *entry)
{
    if (source.length == 0)
        return map_error(parser, "field \"%.*s\" has no source; write a constant or $column, or delete the line",
                         TEXT_ARGS(entry->item_name));
    entry->is_constant = source.data[0] != '$' || (source.length > 1 && source.data[1] == '$');
    if (entry->is_constant) {
        uint32_t skip = source.data[0] == '$' ? 1 : 0; /* $$ is a dollar sign */
        entry->source = (struct text){source.data + skip, source.length - skip};
        return OK;
    }
    struct text rest = {source.data + 1, source.length - 1};
    entry->source = text_trim(text_cut(&rest, '|'));
    if (entry->source.length == 0)
        return map_error(parser, "$ without a column name");
    return parse_steps(parser, rest, entry);
}

/* A constant is converted once here, so that a wrong one is an error of the map and not of the first row. */
static enum err check_constant(const struct parser *parser, const struct entry *entry)
{
    struct declaration declaration;
    struct item item;
    struct arena arena;
    arena_init(&arena, 1024);
    struct conversion_value value = {.text = entry->source};
    struct err_info why;
    enum err err =
        conversion_assign(entry->field, &value, &arena, entry->item < 0 ? (void *)&declaration : (void *)&item, &why);
    arena_fini(&arena);
    return err == OK ? OK : map_error(parser, "%.*s: %s", TEXT_ARGS(entry->item_name), why.text);
}

static enum err parse_line(struct parser *parser, struct text line)
{
    line = text_trim(line);
    if (line.length == 0 || line.data[0] == '#')
        return OK;
    if (!memchr(line.data, '=', line.length))
        return map_error(parser, "\"%.*s\" is no line of a map; write field = source", TEXT_ARGS(line));
    struct text rest = line;
    struct text name = text_trim(text_cut(&rest, '='));
    struct mapping *mapping = parser->mapping;
    if (mapping->count == mapping->capacity) {
        mapping->capacity = mapping->capacity ? 2 * mapping->capacity : 64;
        mapping->entries = memory_resize(mapping->entries, mapping->capacity, sizeof *mapping->entries);
    }
    struct entry *entry = &mapping->entries[mapping->count];
    *entry = (struct entry){.line = parser->line};
    TRY(parse_field(parser, name, entry));
    TRY(check_twice(parser, entry));
    TRY(parse_source(parser, text_trim(rest), entry));
    if (entry->is_constant)
        TRY(check_constant(parser, entry));
    mapping->count++;
    mapping->has_item_count |= entry->item < 0 && strcmp(entry->field->name, "item_count") == 0;
    if (entry->item >= 0 && (uint32_t)entry->item + 1 > mapping->item_count)
        mapping->item_count = (uint32_t)entry->item + 1;
    return OK;
}

static enum err check_gaps(struct parser *parser)
{
    for (uint32_t item = 0; item < parser->mapping->item_count; item++) {
        bool found = false;
        for (size_t i = 0; i < parser->mapping->count && !found; i++)
            found = parser->mapping->entries[i].item == (int32_t)item;
        if (!found)
            return map_error(
                parser, "items.%u has no field, but a later item has; number the items from 0 without a gap", item);
    }
    if (parser->mapping->count == 0)
        return map_error(parser, "the map is empty");
    return OK;
}

enum err mapping_parse(const char *name, struct text text, struct mapping_currencies currencies, struct mapping **out,
                       struct err_info *info)
{
    struct mapping *mapping = memory_new(1, sizeof *mapping);
    mapping->name = memory_copy_text(name, strlen(name));
    mapping->text = memory_copy_text(text.data ? text.data : "", text.length);
    struct parser parser = {mapping, currencies, info, 0};
    struct text rest = {mapping->text, text.length};
    enum err err = OK;
    while (err == OK && rest.length > 0) {
        parser.line++;
        err = parse_line(&parser, text_cut(&rest, '\n'));
    }
    if (err == OK)
        err = check_gaps(&parser);
    if (err != OK) {
        mapping_free(mapping);
        return err;
    }
    *out = mapping;
    return OK;
}

enum err mapping_open(const char *path, struct mapping_currencies currencies, struct mapping **out,
                      struct err_info *info)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return err_set(info, ERR_CONFIG, "map %s: %s", path, strerror(errno));
    char *text = memory_new(MAPPING_BYTES_MOST + 1, 1);
    size_t bytes = fread(text, 1, MAPPING_BYTES_MOST + 1, file);
    enum err err = OK;
    if (ferror(file))
        err = err_set(info, ERR_CONFIG, "map %s: %s", path, strerror(errno));
    else if (bytes > MAPPING_BYTES_MOST)
        err = err_set(info, ERR_CONFIG, "map %s: longer than %d bytes; is it a map?", path, (int)MAPPING_BYTES_MOST);
    fclose(file);
    if (err == OK)
        err = mapping_parse(path, (struct text){text, (uint32_t)bytes}, currencies, out, info);
    memory_free(text);
    return err;
}

void mapping_free(struct mapping *mapping)
{
    if (!mapping)
        return;
    memory_free(mapping->entries);
    memory_free(mapping->text);
    memory_free(mapping->name);
    memory_free(mapping);
}

enum err mapping_bind(struct mapping *mapping, const struct csv_row *header, const char *csv_name,
                      struct err_info *info)
{
    mapping->column_count = header->count;
    for (size_t i = 0; i < mapping->count; i++) {
        struct entry *entry = &mapping->entries[i];
        if (entry->is_constant)
            continue;
        struct nearest nearest = nearest_to(entry->source);
        uint32_t k = 0;
        for (; k < header->count && !text_equal(header->fields[k], entry->source); k++)
            nearest_try(&nearest, header->fields[k]);
        char hint[NEAREST_TEXT_BYTES];
        if (k == header->count)
            return err_set(info, ERR_CONFIG, "%s:%u: %s has no column \"%.*s\"%s", mapping->name, entry->line, csv_name,
                           TEXT_ARGS(entry->source), nearest_hint(&nearest, hint));
        entry->column = k;
    }
    return OK;
}

/* ---- applying it to a row ---- */

static enum err apply_entry(const struct entry *entry, const struct csv_row *row, struct arena *arena, void *base,
                            struct err_info *info)
{
    struct conversion_value value = {.text =
                                         entry->is_constant ? entry->source : text_trim(row->fields[entry->column])};
    if (value.text.length == 0)
        return OK; /* absent */
    enum err err = OK;
    for (uint32_t i = 0; i < entry->step_count && err == OK; i++)
        err = conversion_apply(&entry->steps[i], &value, arena, info);
    if (err == OK)
        err = conversion_assign(entry->field, &value, arena, base, info);
    if (err != OK)
        return err_prefix(info, err, "column \"%.*s\" (%.*s)", TEXT_ARGS(entry->source), TEXT_ARGS(entry->item_name));
    return OK;
}

enum err mapping_apply(const struct mapping *mapping, const struct csv_row *row, struct arena *arena,
                       struct declaration *out, struct err_info *info)
{
    if (row->count != mapping->column_count)
        return err_set(info, ERR_DATA, "%u fields, but the header has %u", row->count, mapping->column_count);
    struct item *items = arena_alloc(arena, mapping->item_count * sizeof *items);
    if (!items)
        return err_set(info, ERR_DATA, "the map has too many items");
    memset(items, 0, mapping->item_count * sizeof *items);
    *out = (struct declaration){.items = {items, mapping->item_count}};
    for (size_t i = 0; i < mapping->count; i++) {
        const struct entry *entry = &mapping->entries[i];
        TRY(apply_entry(entry, row, arena, entry->item < 0 ? (void *)out : (void *)&items[entry->item], info));
    }
    if (!mapping->has_item_count)
        out->item_count = mapping->item_count;
    return OK;
}
