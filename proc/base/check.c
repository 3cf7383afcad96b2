/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { TEXT_BYTES = 1024 };

static void (*reporter)(const char *text);

void check_report_to(void (*report)(const char *text))
{
    reporter = report;
}

_Noreturn void check_failed(const char *file, int line, const char *condition, const char *format, ...)
{
    char text[TEXT_BYTES];
    int used = snprintf(text, sizeof text, "%s:%d: CHECK failed: %s ", file, line, condition);
    if (used > 0 && (size_t)used < sizeof text) {
        va_list args;
        va_start(args, format);
        vsnprintf(text + used, sizeof text - (size_t)used, format, args);
        va_end(args);
    }
    if (reporter)
        reporter(text);
    else
        fprintf(stderr, "%s\n", text);
    abort();
}
