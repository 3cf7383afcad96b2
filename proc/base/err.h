/* SPDX-License-Identifier: Apache-2.0
 * err.h - what a caller should do about a failure, and the sentence that explains it.
 *
 * Errors:  an enum err names the reaction, not the place; the place and the mend go into struct err_info
 * Memory:  struct err_info is the caller's; it is written only when the result is not OK
 * Thread:  any
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))

enum err {
    OK = 0,
    ERR_RETRY,  /* passing trouble: the same call may work later */
    ERR_FULL,   /* no room now: let work drain, then call again */
    ERR_LIMIT,  /* a configured or built-in limit is exceeded */
    ERR_CONFIG, /* the user's configuration or arguments are wrong: exit 64 */
    ERR_DATA,   /* input from outside is not what it should be: exit 65 */
    ERR_PEER,   /* the broker is unreachable or refuses us: exit 69 */
    ERR_BROKEN, /* an invariant of the journal does not hold: exit 70 */
    ERR_FENCED, /* another process took over: exit 75 */
    ERR_FATAL,  /* nothing the program can do: out of memory, system call failed */
};

enum { ERR_TEXT_BYTES = 768 };

struct err_info {
    char text[ERR_TEXT_BYTES];
};

/* Writes the explanation (info may be NULL) and returns `err`, so that `return err_set(...)` reads well. */
enum err err_set(struct err_info *info, enum err err, const char *format, ...) PRINTF_LIKE(3, 4);

/* The same for a function that has the arguments of its own caller. */
enum err err_set_list(struct err_info *info, enum err err, const char *format, va_list args) PRINTF_LIKE(3, 0);

/* Puts "prefix: " before the text that is already in info. Returns err. */
enum err err_prefix(struct err_info *info, enum err err, const char *format, ...) PRINTF_LIKE(3, 4);

/* Lower-case name of err, for logs. Never NULL. */
const char *err_name(enum err err);

/* The process exit code that contract.md gives this kind of failure. */
int err_exit_code(enum err err);

/* Returns the error of expr from the calling function, if there is one. */
#define TRY(expr)                                                                                                      \
    do {                                                                                                               \
        enum err try_err_ = (expr);                                                                                    \
        if (try_err_ != OK)                                                                                            \
            return try_err_;                                                                                           \
    } while (0)
