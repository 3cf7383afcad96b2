/* SPDX-License-Identifier: Apache-2.0 */
#include "query/live.h"

#include "flow/hours.h"
#include "flow/statistic.h"
#include "query/report_data.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum { NUMBER_BYTES = 24 };

static struct days days_of(const struct table_key *key, const struct zone *zone)
{
    if (!cell_is_hour(key))
        return period_days(key, 0);
    int32_t day = hours_day(zone, cell_hour(key));
    return (struct days){day, day};
}

/* The records that the publisher would write of these cells, by its own writer: so nothing is rounded otherwise. */
static struct records *records_of(const struct live_options *options, const struct ask *ask,
                                  const struct extract *extract)
{
    struct records *records = records_new(ask->view->name);
    struct statistic_writer *writer =
        statistic_writer_new(options->plan, extract->stamp.reference, options->reporter, options->currency);
    records_describe(records, (const char *)ask->key.data, !ask_cells(ask, options->zone).months, options->currency,
                     options->reporter);
    struct statistic_stamp stamp = {.state = 1, .as_of = 1};
    int32_t kept_from = hours_kept_from(options->zone, extract->stamp.watermark_ms);
    for (uint32_t i = 0; i < extract->count; i++) {
        const struct table_key *key = &extract->keys[i];
        bool is_saturated = false;
        if (cell_is_hour(key) && cell_hour(key) < kept_from)
            continue;
        struct figure figure = {.key = extract->keys[i], .sums = &extract->measures[i]};
        figure.days = days_of(key, options->zone);
        statistic_set(writer, &figure, &extract->codes, &is_saturated);
        struct bytes value = statistic_pack(writer, &stamp);
        records_take(records, statistic_key(writer, &figure.key, &extract->codes), value, stamp.as_of);
    }
    statistic_writer_free(writer);
    return records;
}

static json_t *number_json(bool is_known, uint64_t number)
{
    char text[NUMBER_BYTES];
    snprintf(text, sizeof text, "%" PRIu64, number);
    return is_known ? json_string(text) : json_null();
}

/* A line of presentation_notes each. */
static json_t *notes_json(const struct presentation *presentation, const struct summary *summary)
{
    char *text = NULL;
    size_t length = 0;
    json_t *notes = json_array();
    FILE *stream = open_memstream(&text, &length);
    if (!stream)
        return notes;
    presentation_notes(presentation, summary, stream);
    fclose(stream);
    struct text rest = {text, (uint32_t)length};
    while (rest.length > 0) {
        struct text line = text_cut(&rest, '\n');
        json_array_append_new(notes, json_stringn(line.data, line.length));
    }
    free(text); /* banned-ok: open_memstream made it with malloc */
    return notes;
}

static void put_json(const struct summary *summary, const struct presentation *presentation,
                     const struct extract_stamp *stamp, struct buffer *out)
{
    json_t *root = json_object();
    bool has_watermark = stamp->watermark_ms != INT64_MIN;
    json_object_set_new(root, "view", json_string(records_view(summary->records)));
    json_object_set_new(root, "period_from", json_integer(summary->request.window.from));
    json_object_set_new(root, "period_to", json_integer(summary->request.window.to));
    json_object_set_new(root, "as_of", number_json(true, stamp->as_of));
    json_object_set_new(root, "as_of_ms", number_json(true, (uint64_t)stamp->as_of_ms));
    json_object_set_new(root, "watermark_ms", number_json(has_watermark, (uint64_t)stamp->watermark_ms));
    json_object_set_new(root, "left_out", json_integer(summary->rest_count));
    json_object_set_new(root, "notes", notes_json(presentation, summary));
    json_object_set_new(root, "rows", report_data_json(summary, presentation));
    char *text = json_dumps(root, JSON_INDENT(2));
    buffer_add_text(out, text);
    buffer_add_u8(out, '\n');
    free(text); /* banned-ok: jansson made it with malloc */
    json_decref(root);
}

static enum err put_csv(const struct summary *summary, const struct presentation *presentation, struct buffer *out,
                        struct err_info *info)
{
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    if (!stream)
        return err_set(info, ERR_FULL, "no memory for the answer; ask for less");
    report_data_print_csv(summary, presentation, stream);
    fclose(stream);
    buffer_add(out, text, length);
    free(text); /* banned-ok: open_memstream made it with malloc */
    return OK;
}

enum err live_answer(const struct live_options *options, struct ask *ask, const struct extract *extract,
                     struct buffer *out, struct err_info *info)
{
    struct presentation presentation = {.currency = options->currency};
    struct summary *summary = NULL;
    struct records *records = records_of(options, ask, extract);
    ask->request.reference = extract->stamp.reference;
    enum err err = summary_make(records, &ask->request, &summary, info);
    if (err == OK && ask->is_csv)
        err = put_csv(summary, &presentation, out, info);
    else if (err == OK)
        put_json(summary, &presentation, &extract->stamp, out);
    summary_free(summary);
    records_free(records);
    return err;
}
