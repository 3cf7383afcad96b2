/* SPDX-License-Identifier: Apache-2.0
 * screen.h - a text that is shown on the whole terminal, again and again; and the keys that are pressed meanwhile.
 *
 * Limits:  one screen at a time; lines and columns that the terminal lacks are cut off
 * Memory:  owns what ncurses has, and the last text
 * Errors:  ERR_CONFIG if input and output are no terminal, or one of an unknown type
 * Thread:  main, between open and close
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>

struct screen;

enum screen_key {
    SCREEN_NO_KEY,
    SCREEN_QUIT,    /* q */
    SCREEN_SORT,    /* s */
    SCREEN_RESIZED, /* the terminal has another size */
};

/* Whether input and output are a terminal: to be asked before anything that takes time. */
enum err screen_check(struct err_info *info) MUST_USE;

/* Takes the terminal over. Gives *out. */
enum err screen_open(struct screen **out, struct err_info *info) MUST_USE;

/* Leaves the terminal as it was. Takes NULL. */
void screen_close(struct screen *screen);

int screen_lines(const struct screen *screen);

/* Shows the text, ended by zero. Its first line stands out; so does, from the third on, each that the text before did not have. */
void screen_draw(struct screen *screen, const char *text);

/* The next key that has a meaning, without waiting. */
enum screen_key screen_key(struct screen *screen);
