/* SPDX-License-Identifier: Apache-2.0
 * feed.h - the part of http.h's answers without an end that speaks to libmicrohttpd: a connection sleeps while there is nothing to send.
 *
 * Memory:  the source is borrowed until feed_free
 * Thread:  http; http_feed_wake, http_feed_end, http_feed_cut (http.h): any
 */
#pragma once

#include "ops/http.h"

#include <microhttpd.h>

struct http_feed *feed_new(const struct http_source *source, struct MHD_Connection *connection);

/* The answer that sends it; the caller's to destroy. NULL: no memory. */
struct MHD_Response *feed_response(struct http_feed *feed);

/* The connection has ended. was_silent: because it took nothing for HTTP_IDLE_SECONDS. Tells the source, and frees it. Takes NULL. */
void feed_free(struct http_feed *feed, bool was_silent);
