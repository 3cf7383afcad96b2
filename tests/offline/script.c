/* SPDX-License-Identifier: Apache-2.0 */
#include "offline/script.h"

#include <stdio.h>

enum { CHUNK_BYTES = 65536 };

enum err script_open(const char *path, struct script *out, struct err_info *info)
{
    *out = (struct script){.path = path, .number = 1};
    FILE *file = fopen(path, "rb");
    if (!file)
        return err_set(info, ERR_CONFIG, "%s can't be opened", path);
    size_t count;
    do {
        count = fread(buffer_reserve(&out->text, CHUNK_BYTES), 1, CHUNK_BYTES, file);
        out->text.length += count;
    } while (count > 0);
    bool failed = ferror(file) != 0;
    fclose(file);
    return failed ? err_set(info, ERR_CONFIG, "%s can't be read", path) : OK;
}

void script_close(struct script *script)
{
    buffer_fini(&script->text);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The words of the text's next physical line, behind those that the line has. */
static bool take_words(struct script *script, struct script_line *line)
{
    const char *text = (const char *)script->text.data;
    size_t at = script->at;
    size_t end = script->text.length;
    while (at < end && text[at] != '\n') {
        size_t begin = at;
        if (text[at] == '#') {
            while (at < end && text[at] != '\n')
                at++;
        } else if (is_blank(text[at])) {
            at++;
        } else {
            while (at < end && text[at] != '\n' && !is_blank(text[at]))
                at++;
            if (line->count == SCRIPT_WORDS_MOST)
                return false;
            line->words[line->count++] = (struct text){text + begin, (uint32_t)(at - begin)};
        }
    }
    script->at = at < end ? at + 1 : at;
    script->number++;
    return true;
}

static bool goes_on(const struct script *script)
{
    return script->at < script->text.length && is_blank((char)script->text.data[script->at]);
}

enum err script_next(struct script *script, struct script_line *out, struct err_info *info)
{
    out->count = 0;
    while (script->at < script->text.length && out->count == 0) {
        out->number = script->number;
        bool fits = take_words(script, out);
        while (fits && out->count > 0 && goes_on(script))
            fits = take_words(script, out);
        if (!fits)
            return script_error(script, out, info, "more than %d words", SCRIPT_WORDS_MOST);
    }
    return OK;
}

enum err script_error(const struct script *script, const struct script_line *line, struct err_info *info,
                      const char *format, ...)
{
    char text[ERR_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return err_set(info, ERR_CONFIG, "%s:%d: %s", script->path, line->number, text);
}
