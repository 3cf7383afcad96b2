/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "ops/probe.h"

#include <stdio.h>

enum { HTTP_OK = 200 };

static int ask(const struct options *options, bool ready)
{
    const char *path = ready ? "/readyz" : "/livez";
    struct err_info info;
    struct probe_answer answer;
    enum err err = probe_ask(options->config.http_listen, options->config.http_tls_certificate, path,
                             options->timeout_ms, &answer, &info);
    if (err != OK)
        return options_fail(options, err, &info);
    if (answer.status != HTTP_OK)
        return options_say(options, ERR_RETRY, "%s answers %d: %s", path, answer.status, answer.text);
    printf("%s\n", answer.text);
    return 0;
}

static int run(int argc, char **argv)
{
    bool ready = false;
    const struct option_row rows[] = {{.name = "ready", .kind = OPTION_FLAG, .place = &ready}};
    struct options options;
    int code = options_read(&options, &command_health, rows, sizeof rows / sizeof rows[0], argc, argv);
    if (code == 0 && options.argument_count > 0)
        code = options_say(&options, ERR_CONFIG, "\"%s\": no argument is taken", options.arguments[0]);
    if (code == 0)
        code = ask(&options, ready);
    options_fini(&options);
    return code;
}

const struct command command_health = {
    .name = "health",
    .summary = "asks the processor on this host whether it is alive; for container health checks",
    .usage =
        "health [--ready]\n"
        "Asks the listener of http.listen (give the processor's settings) for /livez; exit code 0: alive, 75: it says that it is not,\n"
        "69: nobody answers within --timeout.\n\n"
        "options:\n"
        "  --ready   asks for /readyz instead: connected, restored, caught up\n\n"
        "settings that matter: http.listen, http.tls.certificate",
    .run = run,
};
