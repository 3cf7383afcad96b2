/* SPDX-License-Identifier: Apache-2.0
 * check.h - assertions about our own code. They stay on in every build.
 *
 * A failed CHECK is a bug of ours: it prints file, line and condition and aborts. Input from outside is never CHECKed.
 * Thread:  any; check_report_to: startup
 */
#pragma once

/* Who says it instead of a plain line on stderr: one sentence with file, line, condition and values. It must not CHECK. NULL: the plain line. */
void check_report_to(void (*report)(const char *text));

_Noreturn void check_failed(const char *file, int line, const char *condition, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#define CHECK(cond)                                                                                                    \
    do {                                                                                                               \
        if (__builtin_expect(!(cond), 0))                                                                              \
            check_failed(__FILE__, __LINE__, #cond, "%s", "");                                                         \
    } while (0)

/* As CHECK, with the values that explain it. */
#define CHECK_SAY(cond, ...)                                                                                           \
    do {                                                                                                               \
        if (__builtin_expect(!(cond), 0))                                                                              \
            check_failed(__FILE__, __LINE__, #cond, __VA_ARGS__);                                                      \
    } while (0)
