/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/screen.h"

#include "base/memory.h"

#include <curses.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEAD_LINES = 2 }; /* they change each time */

struct screen {
    SCREEN *terminal;
    char *drawn; /* the last text, NULL: none */
};

enum err screen_check(struct err_info *info)
{
    if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
        return OK;
    return err_set(
        info, ERR_CONFIG,
        "input and output must be a terminal; for a file or a pipe there are `dryport tail` (each record as a "
        "line of JSON) and `dryport report` (a table, once)");
}

enum err screen_open(struct screen **out, struct err_info *info)
{
    const char *type = getenv("TERM");
    SCREEN *terminal = newterm(NULL, stdout, stdin);
    if (!terminal)
        return err_set(info, ERR_CONFIG,
                       "the terminal type TERM=\"%s\" is not known here; try TERM=xterm, or take `dryport tail`",
                       type ? type : "");
    struct screen *screen = memory_new(1, sizeof *screen);
    screen->terminal = terminal;
    cbreak();
    noecho();
    curs_set(0);
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    *out = screen;
    return OK;
}

void screen_close(struct screen *screen)
{
    if (!screen)
        return;
    endwin();
    delscreen(screen->terminal);
    memory_free(screen->drawn);
    memory_free(screen);
}

int screen_lines(const struct screen *screen)
{
    (void)screen;
    return LINES;
}

static bool has_line(const char *text, const char *line, size_t length)
{
    while (*text) {
        size_t own = strcspn(text, "\n");
        if (own == length && memcmp(text, line, length) == 0)
            return true;
        text += own + (text[own] == '\n');
    }
    return false;
}

void screen_draw(struct screen *screen, const char *text)
{
    const char *line = text;
    erase();
    for (int y = 0; y < LINES && *line; y++) {
        size_t length = strcspn(line, "\n");
        bool is_new = y >= HEAD_LINES && screen->drawn && !has_line(screen->drawn, line, length);
        attrset(y == 0 ? A_REVERSE : is_new ? A_BOLD : A_NORMAL);
        mvaddnstr(y, 0, line, length < (size_t)COLS ? (int)length : COLS);
        line += length + (line[length] == '\n');
    }
    refresh();
    memory_free(screen->drawn);
    screen->drawn = memory_copy_text(text, strlen(text));
}

enum screen_key screen_key(struct screen *screen)
{
    (void)screen;
    for (int key = getch(); key != ERR; key = getch()) {
        if (key == 'q' || key == 'Q')
            return SCREEN_QUIT;
        if (key == 's')
            return SCREEN_SORT;
        if (key == KEY_RESIZE)
            return SCREEN_RESIZED;
    }
    return SCREEN_NO_KEY;
}
