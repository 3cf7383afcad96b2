/* SPDX-License-Identifier: Apache-2.0
 * script.h - a scenario file as lines of words.
 *
 * In:      text; `#` at the beginning of a line or behind a blank begins a comment; a line that begins with a blank goes on with the
 *          line before it
 * Limits:  SCRIPT_WORDS_MOST words a line
 * Memory:  the script owns its text, all words point into it
 * Errors:  ERR_CONFIG
 * Thread:  one owner
 */
#pragma once

#include "base/buffer.h"
#include "base/err.h"

enum { SCRIPT_WORDS_MOST = 512 };

struct script {
    const char *path;
    struct buffer text;
    size_t at;
    int number; /* of the line that is read next, from 1 */
};

struct script_line {
    int number;
    int count; /* 0: the end of the file */
    struct text words[SCRIPT_WORDS_MOST];
};

enum err script_open(const char *path, struct script *out, struct err_info *info) MUST_USE;
/* Takes one that was never opened, zeroed. */
void script_close(struct script *script);

/* The next line that has words. */
enum err script_next(struct script *script, struct script_line *out, struct err_info *info) MUST_USE;

/* "PATH:LINE: text" */
enum err script_error(const struct script *script, const struct script_line *line, struct err_info *info,
                      const char *format, ...) PRINTF_LIKE(4, 5);
