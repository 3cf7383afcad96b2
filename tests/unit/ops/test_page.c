/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/page.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *page_text(void)
{
    struct text html = page_html();
    char *text = calloc(1, html.length + 1);
    memcpy(text, html.data, html.length);
    return text;
}

Test(page, nothing_is_fetched_from_elsewhere)
{
    static const char *const outside[] = {"src=", "@import", "url(", "https://", "//cdn", "<link rel=\"stylesheet\""};
    char *text = page_text();
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++)
        cr_assert_null(strstr(text, outside[i]), "%s", outside[i]);
    free(text);
}

Test(page, text_of_status_never_becomes_markup)
{
    static const char *const ways[] = {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("};
    char *text = page_text();
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
        cr_assert_null(strstr(text, ways[i]), "%s", ways[i]);
    free(text);
}

Test(page, is_the_file_of_the_source_tree)
{
    FILE *file = fopen(DRYPORT_SOURCE "/proc/ops/page.html", "rb");
    cr_assert_not_null(file);
    struct text html = page_html();
    char *bytes = calloc(1, html.length + 2);
    size_t length = fread(bytes, 1, html.length + 2, file);
    fclose(file);

    cr_assert_eq(length, html.length);
    cr_assert_eq(memcmp(bytes, html.data, length), 0);
    free(bytes);
}

Test(page, handler_answers_with_the_page)
{
    struct http_request request = {.path = "/", .accept = ""};
    struct http_response response = {.status = 200, .content_type = "text/plain"};

    page_handle(NULL, &request, &response);

    cr_assert_eq(response.status, 200);
    cr_assert_str_eq(response.content_type, "text/html; charset=utf-8");
    cr_assert_eq(response.body.length, page_html().length);
    buffer_fini(&response.body);
}
