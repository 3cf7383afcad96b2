/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/sentence.h"

#include "trade/growth.h"

/* Whether something is said that has a year before. */
static bool shows_sums(const struct presentation *presentation)
{
    bool some = false;
    for (uint32_t i = 0; i < presentation->show_count; i++)
        some |= measure_is_sum(presentation->show[i]);
    return some;
}

static bool shows(const struct presentation *presentation, enum measure measure)
{
    for (uint32_t i = 0; i < presentation->show_count; i++) {
        if (presentation->show[i] == measure)
            return true;
    }
    return false;
}

/* What stands between a figure and the one before. */
static const char *joint(enum measure before, enum measure measure)
{
    bool is_mass = before == MEASURE_NET || before == MEASURE_GROSS || before == MEASURE_QUANTITY ||
                   before == MEASURE_DECLARATIONS;
    return is_mass && measure == MEASURE_VALUE ? " worth " : ", ";
}

/* What kind of mass, value or share a figure is, where its unit does not tell. */
static const char *kind_of(const struct presentation *presentation, enum measure measure)
{
    switch (measure) {
    case MEASURE_NET:
        return shows(presentation, MEASURE_GROSS) ? " net" : "";
    case MEASURE_GROSS:
        return " gross";
    case MEASURE_CUSTOMS:
        return " of customs value";
    case MEASURE_GROWTH:
        return " mean annual growth";
    default:
        return "";
    }
}

static void print_figures(const struct summary *summary, const struct presentation *presentation,
                          const struct summary_group *group, bool base, FILE *out)
{
    char figure[FIGURE_BYTES];
    bool is_first = true;
    enum measure before = MEASURES;
    for (uint32_t i = 0; i < presentation->show_count; i++) {
        enum measure measure = presentation->show[i];
        if (base && !measure_is_sum(measure))
            continue;
        fprintf(out, "%s%s%s", is_first ? "" : joint(before, measure),
                presentation_figure(presentation, summary, group, measure, base, figure),
                kind_of(presentation, measure));
        if (measure == MEASURE_SHARE && summary->request.share)
            fprintf(out, " of the total of every %s", summary->request.share);
        else if (measure == MEASURE_SHARE)
            fputs(" of the total", out);
        is_first = false;
        before = measure;
    }
}

/* ", up 50.1 % and 37.7 % year on year": a direction is said again where it changes. */
static void print_growth(const struct summary *summary, const struct presentation *presentation,
                         const struct summary_group *group, FILE *out)
{
    enum measure measures[MEASURES];
    uint32_t count = 0;
    const char *direction = "";
    for (uint32_t i = 0; i < presentation->show_count; i++) {
        if (measure_is_sum(presentation->show[i]) && !presentation_reason(summary, presentation->show[i]))
            measures[count++] = presentation->show[i];
    }
    for (uint32_t i = 0; i < count; i++) {
        char percent[FIGURE_BYTES];
        figure_drop_zeros(presentation_growth(summary, group, measures[i], percent));
        bool is_down = percent[0] == '-' && percent[1] != '\0';
        const char *now = strcmp(percent, "-") == 0   ? ""
                          : strcmp(percent, "0") == 0 ? "unchanged"
                          : is_down                   ? "down "
                                                      : "up ";
        fputs(i == 0 ? ", " : i + 1 < count ? ", " : " and ", out);
        if (now[0] == '\0')
            fputc('-', out);
        else if (strcmp(now, "unchanged") == 0)
            fputs(now, out);
        else
            fprintf(out, "%s%s %%", now == direction ? "" : now, percent + is_down);
        direction = now;
    }
    if (count)
        fputs(" year on year", out);
}

static void print_sentence(const struct summary *summary, const struct presentation *presentation,
                           const struct summary_group *group, bool has_columns, FILE *out)
{
    char window[WINDOW_TEXT_BYTES];
    fputs(window_text(summary->request.window, window), out);
    for (uint32_t c = 0; has_columns && c < summary->column_count; c++)
        fprintf(out, ", %s %s", summary->columns[c].name,
                summary_value(group, c)[0] ? summary_value(group, c) : "(none)");
    fputs(": ", out);
    print_figures(summary, presentation, group, false, out);
    if (group->has_base)
        print_growth(summary, presentation, group, out);
    fputc('\n', out);
}

void sentence_print(const struct summary *summary, const struct presentation *presentation, FILE *out)
{
    const struct summary_group *total = &summary->total;
    for (uint32_t i = 0; i < summary->group_count && summary->column_count; i++)
        print_sentence(summary, presentation, &summary->groups[i], true, out);
    if (summary->rest_count)
        fprintf(out, "%u more are left out\n", summary->rest_count);
    print_sentence(summary, presentation, total, false, out);
    if (total->has_base && shows_sums(presentation)) {
        char window[WINDOW_TEXT_BYTES];
        fprintf(out, "a year before, %s: ", window_text(summary->before, window));
        print_figures(summary, presentation, total, true, out);
        fputc('\n', out);
    }
    presentation_notes(presentation, summary, out);
}
