/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ranking.h"

#include "base/memory.h"
#include "query/report_table.h"
#include "trade/calendar.h"

enum { YEAR = 10000, JANUARY_FIRST = 101 };

struct ranking {
    struct ranking_options options;
    struct presentation presentation;
    struct records *records;
    struct window window; /* of the last table; from 0: there was none */
};

enum err ranking_new(const struct ranking_options *options, struct ranking **out, struct err_info *info)
{
    const struct presentation_options shown = {.show = options->show, .show_default = "value,net,declarations,items"};
    struct presentation presentation;
    TRY(presentation_read(&shown, &presentation, info));
    struct ranking *ranking = memory_new(1, sizeof *ranking);
    ranking->options = *options;
    ranking->presentation = presentation;
    ranking->records = records_new(options->view);
    *out = ranking;
    return OK;
}

void ranking_free(struct ranking *ranking)
{
    if (!ranking)
        return;
    records_free(ranking->records);
    memory_free(ranking);
}

bool ranking_take(struct ranking *ranking, const struct port_record *record)
{
    struct text key = {(const char *)record->key.data, (uint32_t)record->key.length};
    return records_take(ranking->records, key, record->value, (uint64_t)record->as_of);
}

bool ranking_has_rows(const struct ranking *ranking)
{
    return records_sample(ranking->records) != NULL;
}

/* As cumulative figures are told: a year whose last months have not come is not compared with a whole one. */
static struct window window_to_newest(const struct records *records)
{
    uint32_t newest = 0;
    for (uint32_t i = 0; i < records_count(records); i++) {
        const struct record *record = records_at(records, i);
        if (record->items > 0 && record->to > newest)
            newest = record->to;
    }
    if (newest == 0)
        return (struct window){0, 0};
    return (struct window){newest / YEAR * YEAR + JANUARY_FIRST, calendar_month_last(newest)};
}

/* How many minor units the currency has is known to the lists. */
static enum err find_currency(struct ranking *ranking, struct err_info *info)
{
    struct presentation *presentation = &ranking->presentation;
    presentation->currency = records_currency(ranking->records);
    if (presentation->currency[0] == '\0' ||
        reference_currency_minor(ranking->options.reference, text_of(presentation->currency), &presentation->decimals))
        return OK;
    return err_set(info, ERR_CONFIG, "currencies.csv of reference.dir does not say how many decimals %s has; add it",
                   presentation->currency);
}

enum err ranking_print(struct ranking *ranking, int64_t rows, FILE *out, struct err_info *info)
{
    const struct ranking_options *options = &ranking->options;
    struct summary *summary;
    struct window window = options->window.from ? options->window : window_to_newest(ranking->records);
    const struct summary_request request = {
        .window = window,
        .by = options->by,
        .where = options->where,
        .sort = options->sort,
        .top = rows,
        .reference = options->reference,
    };
    enum err err = summary_make(ranking->records, &request, &summary, info);
    if (err != OK)
        return ranking_has_rows(ranking) ? err : ERR_RETRY;
    ranking->window = window;
    err = find_currency(ranking, info);
    if (err == OK)
        report_table_print(summary, &ranking->presentation, out);
    summary_free(summary);
    return err;
}

void ranking_print_head(const struct ranking *ranking, FILE *out)
{
    char text[WINDOW_TEXT_BYTES];
    fprintf(out, "view %s", ranking->options.view);
    if (ranking->window.from)
        fprintf(out, ", %s", window_text(ranking->window, text));
    if (ranking->options.sort)
        fprintf(out, ", by %s", ranking->options.sort);
}

void ranking_sort_next(struct ranking *ranking)
{
    const struct presentation *presentation = &ranking->presentation;
    const char *sort = ranking->options.sort;
    const char *first = NULL;
    bool is_behind = !sort; /* the present one */
    for (uint32_t i = 0; i < presentation->show_count; i++) {
        const char *name = measure_name(presentation->show[i]);
        if (!measure_is_sum(presentation->show[i]))
            continue;
        if (is_behind) {
            ranking->options.sort = name;
            return;
        }
        first = first ? first : name;
        is_behind = strcmp(name, sort) == 0;
    }
    if (first)
        ranking->options.sort = first;
}
