/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/users.h"

#include "base/memory.h"
#include "base/span.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { BASE64_BYTES = (USERS_LINE_BYTES + 2) / 3 * 4 + 1 };

/* The whole file into content, which has USERS_FILE_BYTES. */
static enum err read_users(const char *path, char *content, struct text *out, struct err_info *info)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return err_set(info, ERR_CONFIG, "http.users: can't read %s: %s", path, strerror(errno));
    size_t length = fread(content, 1, USERS_FILE_BYTES, file);
    int error = ferror(file) ? errno : 0;
    fclose(file);
    if (error)
        return err_set(info, ERR_CONFIG, "http.users: can't read %s: %s", path, strerror(error));
    if (length == USERS_FILE_BYTES)
        return err_set(info, ERR_CONFIG, "http.users: %s is larger than %d bytes", path, USERS_FILE_BYTES - 1);
    *out = (struct text){content, (uint32_t)length};
    return OK;
}

/* The next line that names a user; false at the end. *number counts all lines. */
static bool next_user(struct text *rest, int *number, struct text *out)
{
    while (rest->length > 0) {
        struct text line = text_cut(rest, '\n');
        ++*number;
        if (line.length > 0 && line.data[line.length - 1] == '\r')
            line.length--;
        if (line.length > 0 && line.data[0] != '#') {
            *out = line;
            return true;
        }
    }
    return false;
}

static enum err check_lines(const char *path, struct text rest, struct err_info *info)
{
    int count = 0;
    int number = 0;
    struct text line;
    for (; next_user(&rest, &number, &line); count++) {
        const char *colon = memchr(line.data, ':', line.length);
        if (!colon || colon == line.data || colon == line.data + line.length - 1)
            return err_set(info, ERR_CONFIG, "http.users: %s:%d: write name:password", path, number);
        if (line.length >= USERS_LINE_BYTES)
            return err_set(info, ERR_CONFIG, "http.users: %s:%d: longer than %d bytes", path, number, USERS_LINE_BYTES);
    }
    return count > 0 ? OK : err_set(info, ERR_CONFIG, "http.users: %s names nobody; write lines name:password", path);
}

enum err users_check(const char *file, struct err_info *info)
{
    char *content = memory_new(1, USERS_FILE_BYTES);
    struct text text;
    enum err err = read_users(file, content, &text, info);
    if (err == OK)
        err = check_lines(file, text, info);
    memory_wipe(content, USERS_FILE_BYTES);
    memory_free(content);
    return err;
}

/* Returns the length. */
static size_t to_base64(struct text line, char out[static BASE64_BYTES])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t length = 0;
    for (uint32_t i = 0; i < line.length; i += 3) {
        uint32_t left = line.length - i;
        uint32_t bits = (uint32_t)(unsigned char)line.data[i] << 16;
        bits |= left > 1 ? (uint32_t)(unsigned char)line.data[i + 1] << 8 : 0;
        bits |= left > 2 ? (uint32_t)(unsigned char)line.data[i + 2] : 0;
        out[length++] = digits[bits >> 18 & 63];
        out[length++] = digits[bits >> 12 & 63];
        out[length++] = left > 1 ? digits[bits >> 6 & 63] : '=';
        out[length++] = left > 2 ? digits[bits & 63] : '=';
    }
    return length;
}

/* Looks at every character, however early one differs. */
static bool is_same(const char *right, size_t right_length, const char *said, size_t said_length)
{
    size_t differences = right_length ^ said_length;
    for (size_t i = 0; i < right_length; i++)
        differences |= (size_t)(right[i] ^ (i < said_length ? said[i] : 0));
    return differences == 0;
}

bool users_admit(const char *file, const char *authorization)
{
    static const char scheme[] = "Basic ";
    if (!authorization || strncasecmp(authorization, scheme, sizeof scheme - 1) != 0)
        return false;
    const char *said = authorization + sizeof scheme - 1;
    size_t said_length = strlen(said);
    char *content = memory_new(1, USERS_FILE_BYTES);
    char right[BASE64_BYTES];
    struct text rest = {NULL, 0};
    struct text line;
    int number = 0;
    bool admitted = false;
    if (read_users(file, content, &rest, NULL) == OK && check_lines(file, rest, NULL) == OK) {
        while (next_user(&rest, &number, &line))
            admitted |= is_same(right, to_base64(line, right), said, said_length);
    }
    memory_wipe(right, sizeof right);
    memory_wipe(content, USERS_FILE_BYTES);
    memory_free(content);
    return admitted;
}
