/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/chart.h"

enum {
    WIDTH = 960,
    LEFT = 90,
    RIGHT = 20,
    TOP = 76,
    SERIES_HEIGHT = 300,
    BOTTOM = 64,
    ROW = 30,
    BAR = 18,
    LABEL_WIDTH = 150,
    FIGURE_WIDTH = 190,
    TICKS = 4,
    LABELS_MOST = 16,
    LABEL_BYTES = 256,
};

static const char color_now[] = "#1f5fa8";
static const char color_base[] = "#b9c7d6";

struct chart {
    const struct summary *summary;
    const struct presentation *presentation;
    enum measure measure;
    i128 largest;
    bool has_base;
    FILE *out;
};

/* Text between tags: what XML has a meaning for is written otherwise, control characters not at all. */
static void put_text(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '&')
            fputs("&amp;", out);
        else if (*text == '<')
            fputs("&lt;", out);
        else if (*text == '>')
            fputs("&gt;", out);
        else if ((unsigned char)*text >= 0x20)
            fputc(*text, out);
    }
}

static void put_label(const struct chart *chart, int x, int y, const char *anchor, const char *style, const char *text)
{
    fprintf(chart->out, "<text x=\"%d\" y=\"%d\" text-anchor=\"%s\"%s>", x, y, anchor, style);
    put_text(chart->out, text);
    fputs("</text>\n", chart->out);
}

static void put_bar(const struct chart *chart, int x, int y, int width, int height, const char *color)
{
    fprintf(chart->out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"/>\n", x, y, width, height,
            color);
}

/* Length of v where the largest has `most`; nothing for what is below zero. */
static int length_of(const struct chart *chart, i128 v, int most)
{
    if (chart->largest <= 0 || v <= 0)
        return 0;
    return (int)i128_divide_round(v * most, chart->largest);
}

static i128 now_of(const struct chart *chart, const struct summary_group *group)
{
    return group->now.of[chart->measure];
}

static i128 base_of(const struct chart *chart, const struct summary_group *group)
{
    return group->has_base ? group->base.of[chart->measure] : 0;
}

/* 1, 2 or 5 times a power of ten: the step of the axis with at most TICKS lines. */
static i128 step_of(i128 largest)
{
    i128 step = 1;
    for (int i = 0; step * TICKS < largest; i++)
        step = i % 3 == 1 ? step / 2 * 5 : step * 2;
    return step;
}

static void figure_of(const struct chart *chart, i128 v, char out[static FIGURE_BYTES])
{
    struct summary_group group = {.now.of = {0}};
    group.now.of[chart->measure] = v;
    presentation_figure(chart->presentation, chart->summary, &group, chart->measure, false, out);
}

static bool is_money(const struct chart *chart)
{
    return chart->measure == MEASURE_VALUE || chart->measure == MEASURE_CUSTOMS;
}

/* Money without its currency, which the title says. */
static void axis_figure_of(const struct chart *chart, i128 v, char out[static FIGURE_BYTES])
{
    i128 divisor;
    if (!is_money(chart)) {
        figure_of(chart, v, out);
        return;
    }
    presentation_value(chart->presentation, v, &v, &divisor);
    figure_money(v, divisor, chart->presentation->value_scale, out);
}

static const char *measure_title(enum measure measure)
{
    switch (measure) {
    case MEASURE_VALUE:
        return "value";
    case MEASURE_CUSTOMS:
        return "customs value";
    case MEASURE_NET:
        return "net mass";
    case MEASURE_GROSS:
        return "gross mass";
    default:
        return measure_name(measure);
    }
}

static void put_head(const struct chart *chart, int height)
{
    const struct summary *summary = chart->summary;
    char window[WINDOW_TEXT_BYTES];
    char text[LABEL_BYTES];
    fprintf(chart->out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\" "
            "font-family=\"sans-serif\" font-size=\"13\" fill=\"#222\">\n<rect width=\"%d\" height=\"%d\" "
            "fill=\"#fff\"/>\n",
            WIDTH, height, WIDTH, height, WIDTH, height);
    snprintf(text, sizeof text, "%s, %s%s%s by %s", window_text(summary->request.window, window),
             measure_title(chart->measure), is_money(chart) ? " in " : "",
             is_money(chart) ? chart->presentation->currency : "", summary->columns[0].name);
    put_label(chart, 20, 28, "start", " font-size=\"18\" font-weight=\"bold\"", text);
    snprintf(text, sizeof text, "view %s%s%.150s%s%s", records_view(summary->records),
             summary->request.where ? ", " : "", summary->request.where ? summary->request.where : "",
             chart->presentation->rate_e8 ? ", converted at " : "",
             chart->presentation->rate_e8 ? chart->presentation->rate : "");
    put_label(chart, 20, 48, "start", " fill=\"#666\"", text);
    if (!chart->has_base)
        return;
    put_bar(chart, WIDTH - 260, 38, 12, 12, color_now);
    put_label(chart, WIDTH - 242, 49, "start", "", "period");
    put_bar(chart, WIDTH - 160, 38, 12, 12, color_base);
    put_label(chart, WIDTH - 142, 49, "start", "", "a year before");
}

static void draw_axis(const struct chart *chart)
{
    i128 step = step_of(chart->largest);
    for (i128 v = 0; v <= chart->largest && chart->largest > 0; v += step) {
        int y = TOP + SERIES_HEIGHT - length_of(chart, v, SERIES_HEIGHT);
        char figure[FIGURE_BYTES];
        axis_figure_of(chart, v, figure);
        fprintf(chart->out, "<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" stroke=\"%s\"/>\n", LEFT, y, WIDTH - RIGHT,
                y, v ? "#e3e3e3" : "#222");
        put_label(chart, LEFT - 8, y + 4, "end", " font-size=\"11\"", figure);
    }
}

/* One place for each group, the period's bar left of the year before's. */
static void draw_series(const struct chart *chart)
{
    const struct summary *summary = chart->summary;
    int place = (WIDTH - LEFT - RIGHT) * 16 / (int)summary->group_count; /* in sixteenths */
    uint32_t every = (summary->group_count + LABELS_MOST - 1) / LABELS_MOST;
    int bar = place * (chart->has_base ? 2 : 4) / 5 / 16;
    draw_axis(chart);
    for (uint32_t i = 0; i < summary->group_count; i++) {
        const struct summary_group *group = &summary->groups[i];
        int x = LEFT + (int)i * place / 16 + place / 160;
        int now = length_of(chart, now_of(chart, group), SERIES_HEIGHT);
        int base = length_of(chart, base_of(chart, group), SERIES_HEIGHT);
        if (bar < 1)
            bar = 1;
        put_bar(chart, x, TOP + SERIES_HEIGHT - now, bar, now, color_now);
        if (chart->has_base)
            put_bar(chart, x + bar + 1, TOP + SERIES_HEIGHT - base, bar, base, color_base);
        if (i % every == 0)
            put_label(chart, chart->has_base ? x + bar : x + bar / 2, TOP + SERIES_HEIGHT + 18, "middle",
                      " font-size=\"11\"", summary_value(group, 0));
    }
}

static void name_of(const struct chart *chart, const struct summary_group *group, char out[static LABEL_BYTES])
{
    size_t length = 0;
    out[0] = '\0';
    for (uint32_t c = 0; c < chart->summary->column_count && length < LABEL_BYTES - 1; c++) {
        const char *value = summary_value(group, c);
        int added = snprintf(out + length, LABEL_BYTES - length, "%s%s", c ? " " : "", value[0] ? value : "(none)");
        length += added > 0 ? (size_t)added : 0;
    }
}

static void draw_ranking(const struct chart *chart)
{
    const struct summary *summary = chart->summary;
    int most = WIDTH - LABEL_WIDTH - RIGHT - FIGURE_WIDTH;
    for (uint32_t i = 0; i < summary->group_count; i++) {
        const struct summary_group *group = &summary->groups[i];
        int y = TOP + (int)i * ROW;
        int now = length_of(chart, now_of(chart, group), most);
        int base = length_of(chart, base_of(chart, group), most);
        char name[LABEL_BYTES];
        char figure[FIGURE_BYTES];
        char growth[FIGURE_BYTES];
        char text[2 * FIGURE_BYTES + 8];
        name_of(chart, group, name);
        put_label(chart, LABEL_WIDTH - 8, y + 14, "end", "", name);
        put_bar(chart, LABEL_WIDTH, y, now, chart->has_base ? BAR * 2 / 3 : BAR, color_now);
        if (chart->has_base)
            put_bar(chart, LABEL_WIDTH, y + BAR * 2 / 3 + 1, base, BAR / 3, color_base);
        figure_of(chart, now_of(chart, group), figure);
        presentation_growth(summary, group, chart->measure, growth);
        bool is_growth = strcmp(growth, "-") != 0;
        snprintf(text, sizeof text, "%s%s%s%s%s", figure, is_growth ? " (" : "",
                 is_growth && growth[0] != '-' ? "+" : "", is_growth ? growth : "", is_growth ? " %)" : "");
        put_label(chart, LABEL_WIDTH + (now > base ? now : base) + 8, y + 14, "start", " font-size=\"12\"", text);
    }
}

static void draw(const struct chart *chart)
{
    const struct summary *summary = chart->summary;
    bool is_series = summary->column_count > 0 && aspect_is_time(&summary->columns[0]);
    int height = is_series ? TOP + SERIES_HEIGHT + BOTTOM : TOP + (int)summary->group_count * ROW + BOTTOM / 2;
    put_head(chart, height);
    if (summary->group_count == 0)
        put_label(chart, WIDTH / 2, TOP + 20, "middle", "", "no records");
    else if (is_series)
        draw_series(chart);
    else
        draw_ranking(chart);
    if (summary->rest_count) {
        char text[LABEL_BYTES];
        snprintf(text, sizeof text, "%u more are not shown", summary->rest_count);
        put_label(chart, WIDTH - RIGHT, height - 10, "end", " fill=\"#666\" font-size=\"11\"", text);
    }
    fputs("</svg>\n", chart->out);
}

static enum measure first_sum(const struct presentation *presentation)
{
    for (uint32_t i = 0; i < presentation->show_count; i++) {
        if (presentation->show[i] == MEASURE_VALUE)
            return MEASURE_VALUE;
    }
    for (uint32_t i = 0; i < presentation->show_count; i++) {
        if (measure_is_sum(presentation->show[i]))
            return presentation->show[i];
    }
    return MEASURE_VALUE;
}

enum err chart_write(const struct summary *summary, const struct presentation *presentation, const char *path,
                     struct err_info *info)
{
    struct chart chart = {.summary = summary, .presentation = presentation, .measure = first_sum(presentation)};
    const char *reason = presentation_reason(summary, chart.measure);
    if (reason)
        return err_set(info, ERR_CONFIG, "--chart of %s: %s", measure_name(chart.measure), reason);
    for (uint32_t i = 0; i < summary->group_count; i++) {
        const struct summary_group *group = &summary->groups[i];
        chart.has_base |= group->has_base;
        chart.largest = now_of(&chart, group) > chart.largest ? now_of(&chart, group) : chart.largest;
        chart.largest = base_of(&chart, group) > chart.largest ? base_of(&chart, group) : chart.largest;
    }
    chart.out = fopen(path, "w");
    if (!chart.out)
        return err_set(info, ERR_CONFIG, "--chart %s: the file can't be written", path);
    draw(&chart);
    bool is_written = !ferror(chart.out);
    if (fclose(chart.out) != 0 || !is_written)
        return err_set(info, ERR_CONFIG, "--chart %s: the file can't be written", path);
    return OK;
}
