/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/page.h"

/* Hex bytes of page.html, made by cmake/embed.cmake. */
static const unsigned char html[] = {
#include "page_html.inc"
};

struct text page_html(void)
{
    return (struct text){(const char *)html, sizeof html};
}

void page_handle(void *self, struct http_request *request, struct http_response *response)
{
    (void)self;
    (void)request;
    response->content_type = "text/html; charset=utf-8";
    buffer_add(&response->body, html, sizeof html);
}
