/* SPDX-License-Identifier: Apache-2.0
 *
 * The listener's certificate is read again while the process runs, every two seconds: a mounted file is exchanged without
 * a word. One that can't be used (or is half written) is said once, and the one in force stays.
 */
#include "base/clock.h"
#include "engine_inside.h"
#include "ops/log.h"

#include <stdio.h>

enum { LOOK_EACH_MS = 2000 };

void engine_listener_step(struct engine *engine)
{
    int64_t now_ms = clock_steady_ns() / 1000000;
    http_expire(engine->http, now_ms);
    if (now_ms - engine->listener_ms < LOOK_EACH_MS)
        return;
    engine->listener_ms = now_ms;
    struct err_info info = {{0}};
    bool is_renewed;
    enum err err = http_renew(engine->http, &is_renewed, &info);
    if (is_renewed)
        log_event(LOG_LEVEL_INFO, "certificate_renewed",
                  LOG_FIELDS(log_text("file", engine->options.config->http_tls_certificate)),
                  "new connections to the listener get the new certificate");
    if (err != OK && strcmp(engine->listener_trouble, info.text) != 0)
        log_event(LOG_LEVEL_ERROR, "certificate_refused", LOG_NONE, "%s; the certificate of before stays in force",
                  info.text);
    counter_set(&engine->listener_is_refused, err != OK);
    snprintf(engine->listener_trouble, sizeof engine->listener_trouble, "%s", err != OK ? info.text : "");
}
