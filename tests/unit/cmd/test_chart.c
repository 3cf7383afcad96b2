/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/chart.h"
#include "unit/query/report_fixture.h"

#include <unistd.h>

static char path[] = "/tmp/dryport-chart-XXXXXX";
static char text[1 << 16];

static void setup(void)
{
    report_setup();
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    close(fd);
}

static void teardown(void)
{
    unlink(path);
    report_teardown();
}

TestSuite(chart, .init = setup, .fini = teardown);

static enum err write_chart(const char *file)
{
    struct presentation presentation;
    struct presentation_options options = {.show = "value"};
    cr_assert_eq(presentation_read(&options, &presentation, &info), OK);
    presentation.currency = "CNY";
    presentation.decimals = 2;
    return chart_write(summary, &presentation, file, &info);
}

static const char *drawn(void)
{
    cr_assert_eq(write_chart(path), OK, "%s", info.text);
    FILE *in = fopen(path, "r");
    cr_assert_not_null(in);
    text[fread(text, 1, sizeof text - 1, in)] = '\0';
    fclose(in);
    return text;
}

static int count(const char *what)
{
    int found = 0;
    for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
        found++;
    return found;
}

Test(chart, a_series_has_two_bars_for_each_month)
{
    give(&(struct given){.key = "v|MONTH|20240301|20240331|flow=M", 200, 0, 1});
    give(&(struct given){.key = "v|MONTH|20250301|20250331|flow=M", 400, 0, 1});
    give(&(struct given){.key = "v|MONTH|20250401|20250430|flow=M", 100, 0, 1});
    cr_assert_eq(make("month", "2025"), OK, "%s", info.text);

    drawn();

    cr_expect_eq(count("height=\"300\" fill=\"#1f5fa8\""), 1, "the largest has the full height: %s", text);
    cr_expect_eq(count("height=\"75\" fill=\"#1f5fa8\""), 1, "a quarter of it");
    cr_expect_eq(count("height=\"150\" fill=\"#b9c7d6\""), 1, "the year before");
    cr_expect_eq(count("2025-03"), 1);
    cr_expect_eq(count("a year before"), 1);
    cr_expect_eq(count(">2025, value in CNY by month<"), 1);
    cr_expect_eq(count(">0<") + count(">2<") + count(">4<"), 3, "the axis: %s", text);
}

Test(chart, a_ranking_has_a_row_for_each_group_and_its_figure)
{
    give(&(struct given){.key = "v|MONTH|20250301|20250331|office=a<b", 400, 0, 1});
    give(&(struct given){.key = "v|MONTH|20250301|20250331|office=B", 100, 0, 1});
    cr_assert_eq(make("office", "2025"), OK, "%s", info.text);

    drawn();

    cr_expect_eq(count("fill=\"#1f5fa8\""), 2);
    cr_expect_eq(count(">a&lt;b<"), 1, "%s", text);
    cr_expect_eq(count(">4 yuan<"), 1);
    cr_expect_eq(count("a year before"), 0);
}

Test(chart, nothing_to_draw_is_said)
{
    give(&(struct given){.key = "v|MONTH|20250301|20250331|office=A", 400, 0, 1});
    cr_assert_eq(make("office", "2023"), OK, "%s", info.text);

    drawn();

    cr_expect_eq(count("no records"), 1);
}

Test(chart, a_file_that_cannot_be_written_is_an_error)
{
    give(&(struct given){.key = "v|MONTH|20250301|20250331|office=A", 400, 0, 1});
    cr_assert_eq(make("office", "2025"), OK, "%s", info.text);

    cr_expect_eq(write_chart("/nowhere/at/all.svg"), ERR_CONFIG);
    cr_expect(strstr(info.text, "/nowhere/at/all.svg"), "%s", info.text);
}
