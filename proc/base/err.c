/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <stdio.h>
#include <string.h>

enum err err_set_list(struct err_info *info, enum err err, const char *format, va_list args)
{
    if (info)
        vsnprintf(info->text, sizeof info->text, format, args);
    return err;
}

enum err err_set(struct err_info *info, enum err err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    err_set_list(info, err, format, args);
    va_end(args);
    return err;
}

enum err err_prefix(struct err_info *info, enum err err, const char *format, ...)
{
    if (info) {
        struct err_info old = *info;
        va_list args;
        va_start(args, format);
        int used = vsnprintf(info->text, sizeof info->text, format, args);
        va_end(args);
        if (used >= 0 && (size_t)used + 3 < sizeof info->text) {
            char *at = info->text + used;
            size_t room = sizeof info->text - (size_t)used - 3; /* ": " before the old text and a zero behind it */
            size_t length = strnlen(old.text, sizeof old.text);
            length = length < room ? length : room;
            memcpy(at, ": ", 2);
            memcpy(at + 2, old.text, length);
            at[2 + length] = '\0';
        }
    }
    return err;
}

const char *err_name(enum err err)
{
    switch (err) {
    case OK:
        return "ok";
    case ERR_RETRY:
        return "retry";
    case ERR_FULL:
        return "full";
    case ERR_LIMIT:
        return "limit";
    case ERR_CONFIG:
        return "config";
    case ERR_DATA:
        return "data";
    case ERR_PEER:
        return "peer";
    case ERR_BROKEN:
        return "broken";
    case ERR_FENCED:
        return "fenced";
    case ERR_FATAL:
        return "fatal";
    }
    return "unknown";
}

int err_exit_code(enum err err)
{
    switch (err) {
    case OK:
        return 0;
    case ERR_CONFIG:
    case ERR_LIMIT:
        return 64;
    case ERR_DATA:
        return 65;
    case ERR_PEER:
        return 69;
    case ERR_BROKEN:
        return 70;
    case ERR_RETRY:
    case ERR_FULL:
    case ERR_FENCED:
        return 75;
    case ERR_FATAL:
        return 71; /* EX_OSERR */
    }
    return 70;
}
