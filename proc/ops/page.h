/* SPDX-License-Identifier: Apache-2.0
 * page.h - the status page: one self-contained HTML text, compiled in, that shows /status and renews it each second.
 *
 * In:      proc/ops/page.html, made a C array by cmake/embed.cmake; the browser reads /status: version, role, state,
 * reason, partitions, verdicts, watermark_ms, publisher; if they are there, also declarations (input total, for the
 * balance), rates {declarations_per_s}, currency and top [{commodity_code, value_minor, net_mass_g, ...}]; all else is
 * listed as it comes
 * Thread:  any
 */
#pragma once

#include "base/span.h"
#include "ops/http.h"

struct text page_html(void);

/* Handler of the route "/"; self is not used. */
void page_handle(void *self, struct http_request *request, struct http_response *response);
