/* SPDX-License-Identifier: Apache-2.0
 * probe.h - asks the listener of a running process one question, as `dryport health` does: a container without a shell has no
 * other program that could.
 *
 * Units:   timeout in ms, for name, connection and answer together
 * Memory:  nothing stays allocated; the answer is the caller's
 * Thread:  main
 * Errors:  ERR_CONFIG if the address can't be asked · ERR_PEER if nobody listens there, or not in time, or what answers is no HTTP
 * Why:     docs/adr/0060-image.md
 */
#pragma once

#include "base/err.h"

#include <stdint.h>

enum { PROBE_TEXT_BYTES = 512 };

struct probe_answer {
    int status;                  /* of HTTP: 200, 503, ... */
    char text[PROBE_TEXT_BYTES]; /* the body's first line, cut off if it is longer */
};

/* GET of path ("/livez") from the listener of the setting http.listen; one on all addresses (0.0.0.0, [::]) is asked on
 * loopback. certificate is the file of http.tls.certificate, by which the listener is known; NULL or empty: no TLS. No proxy, no redirect.
 * Thread: main */
enum err probe_ask(const char *listen, const char *certificate, const char *path, int64_t timeout_ms,
                   struct probe_answer *out, struct err_info *info) MUST_USE;
