/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/config_value.h"

#include "ops/address.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define ZONE_FOLDER "/usr/share/zoneinfo"

enum { PORT_MAX = 65535 };

struct text config_value_choice(const char *choices, int index)
{
    struct text rest = text_of(choices);
    struct text choice = {NULL, 0};
    for (int i = 0; i <= index; i++) {
        if (rest.length == 0)
            return (struct text){NULL, 0};
        choice = text_cut(&rest, '|');
    }
    return choice;
}

static bool is_lower_or_upper(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool only(struct text text, const char *more)
{
    for (uint32_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        if (!is_lower_or_upper(c) && !is_digit(c) && (c == '\0' || !strchr(more, c)))
            return false;
    }
    return true;
}

static enum err out_of_range(const struct config_row *row, struct text text, const char *what, struct err_info *info)
{
    return err_set(info, ERR_CONFIG, "\"%.*s\" %s; give a number from %lld to %lld%s%s", TEXT_ARGS(text), what,
                   (long long)row->min, (long long)row->max, *row->unit ? " " : "", row->unit);
}

/* Takes a size letter off the end and returns what it multiplies by. */
static int64_t size_letter(struct text *text)
{
    char last = text->length ? text->data[text->length - 1] : '0';
    int64_t factor = last == 'k' ? 1024 : last == 'M' ? 1024 * 1024 : last == 'G' ? 1024 * 1024 * 1024 : 1;
    if (factor > 1)
        text->length--;
    return factor;
}

static enum err parse_number(const struct config_row *row, struct text text, int64_t *out, struct err_info *info)
{
    struct text digits = text;
    int64_t factor = row->type == CONFIG_TYPE_BYTES ? size_letter(&digits) : 1;
    int64_t number = 0;
    if (!text_to_int64(digits, &number))
        return out_of_range(row, text, "is not a whole number that can be read", info);
    if (__builtin_mul_overflow(number, factor, &number) || number < row->min || number > row->max)
        return out_of_range(row, text, "is out of range", info);
    *out = number;
    return OK;
}

static enum err parse_choice(const struct config_row *row, struct text text, int *out, struct err_info *info)
{
    for (int i = 0;; i++) {
        struct text choice = config_value_choice(row->choices, i);
        if (choice.length == 0)
            break;
        if (text_equal(choice, text)) {
            *out = i;
            return OK;
        }
    }
    return err_set(info, ERR_CONFIG, "\"%.*s\" is not one of %s", TEXT_ARGS(text), row->choices);
}

static enum err parse_bool(struct text text, bool *out, struct err_info *info)
{
    if (!text_is(text, "true") && !text_is(text, "false"))
        return err_set(info, ERR_CONFIG, "\"%.*s\" is not true or false", TEXT_ARGS(text));
    *out = text.data[0] == 't';
    return OK;
}

static enum err check_topic(struct text text, struct err_info *info)
{
    if (!only(text, "._-") || text_is(text, ".") || text_is(text, ".."))
        return err_set(info, ERR_CONFIG, "\"%.*s\" is not a topic name: letters, digits, dot, underscore and hyphen",
                       TEXT_ARGS(text));
    return OK;
}

static bool is_port(struct text text)
{
    int64_t port = 0;
    return text_to_int64(text, &port) && port > 0 && port <= PORT_MAX;
}

/* [PROTOCOL://]HOST[:PORT], as librdkafka takes it; HOST may be an address in brackets. */
static bool is_server(struct text server)
{
    for (uint32_t i = 0; i + 3 <= server.length; i++) {
        if (memcmp(server.data + i, "://", 3) == 0) {
            server.data += i + 3;
            server.length -= i + 3;
            break;
        }
    }
    if (server.length == 0)
        return false;
    if (server.data[0] == '[') {
        struct text address = text_cut(&server, ']');
        return address.length > 2 &&
               (server.length == 0 ||
                (server.data[0] == ':' && is_port((struct text){server.data + 1, server.length - 1})));
    }
    bool colon = memchr(server.data, ':', server.length);
    struct text host = text_cut(&server, ':');
    return host.length > 0 && only(host, ".-_") && (!colon || is_port(server));
}

static enum err check_servers(struct text text, struct err_info *info)
{
    struct text rest = text;
    while (rest.length > 0) {
        bool comma_ends = rest.data[rest.length - 1] == ',';
        struct text server = text_trim(text_cut(&rest, ','));
        if (!is_server(server) || (rest.length == 0 && comma_ends))
            return err_set(info, ERR_CONFIG, "\"%.*s\" is not a broker; give host:port, several separated by commas",
                           TEXT_ARGS(server));
    }
    return OK;
}

static enum err check_listen(struct text text, struct err_info *info)
{
    char address[300] = "";
    char host[256];
    char port[8];
    if (text.length == 0)
        return OK;
    if (text.length < sizeof address)
        memcpy(address, text.data, text.length);
    if (!address_split(address, host, sizeof host, port, sizeof port))
        return err_set(info, ERR_CONFIG,
                       "\"%.*s\" is not an address; give host:port with a port up to 65535, or nothing for no listener",
                       TEXT_ARGS(text));
    return OK;
}

static bool is_zone_file(const char *path)
{
    char magic[4] = "";
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    size_t got = fread(magic, 1, sizeof magic, file);
    fclose(file);
    return got == sizeof magic && memcmp(magic, "TZif", sizeof magic) == 0;
}

static enum err check_zone(struct text text, struct err_info *info)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%.*s", ZONE_FOLDER, TEXT_ARGS(text));
    if (!only(text, "_+-/") || text.data[0] == '/' || !is_zone_file(path))
        return err_set(info, ERR_CONFIG,
                       "there is no time zone \"%.*s\" in " ZONE_FOLDER
                       "; give an IANA name such as Asia/Shanghai (package tzdata)",
                       TEXT_ARGS(text));
    return OK;
}

static enum err check_letters(struct text text, const char *what, const char *example, struct err_info *info)
{
    for (uint32_t i = 0; i < text.length; i++) {
        if (text.data[i] < 'A' || text.data[i] > 'Z')
            return err_set(info, ERR_CONFIG, "\"%.*s\" is not %s; give capital letters such as %s", TEXT_ARGS(text),
                           what, example);
    }
    return OK;
}

static enum err check_folder(struct text text, struct err_info *info)
{
    char path[4097];
    struct stat status;
    snprintf(path, sizeof path, "%.*s", TEXT_ARGS(text));
    if (text.length > 0 && (stat(path, &status) != 0 || !S_ISDIR(status.st_mode)))
        return err_set(info, ERR_CONFIG, "\"%s\" is not a folder that can be read", path);
    return OK;
}

static enum err check_length(const struct config_row *row, struct text text, struct err_info *info)
{
    if ((int64_t)text.length >= row->min && (int64_t)text.length <= row->max)
        return OK;
    if (text.length == 0)
        return err_set(info, ERR_CONFIG, "it must not be empty; the default is %s", row->standard);
    if (row->min == row->max)
        return err_set(info, ERR_CONFIG, "\"%.*s\" must have %lld characters", TEXT_ARGS(text), (long long)row->min);
    return err_set(info, ERR_CONFIG, "%u bytes are too long; at most %lld", text.length, (long long)row->max);
}

static enum err check_text(const struct config_row *row, struct text text, struct err_info *info)
{
    TRY(check_length(row, text, info));
    for (uint32_t i = 0; i < text.length; i++) {
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7F)
            return err_set(info, ERR_CONFIG, "it holds a control character at byte %u; remove it", i + 1);
    }
    switch (row->type) {
    case CONFIG_TYPE_TOPIC:
        return check_topic(text, info);
    case CONFIG_TYPE_SERVERS:
        return check_servers(text, info);
    case CONFIG_TYPE_LISTEN:
        return check_listen(text, info);
    case CONFIG_TYPE_ZONE:
        return check_zone(text, info);
    case CONFIG_TYPE_COUNTRY:
        return check_letters(text, "an ISO 3166 country", "CN", info);
    case CONFIG_TYPE_CURRENCY:
        return check_letters(text, "an ISO 4217 currency", "CNY", info);
    case CONFIG_TYPE_FOLDER:
        return check_folder(text, info);
    default:
        return OK;
    }
}

enum err config_value_parse(const struct config_row *row, struct text text, union config_value *out,
                            struct err_info *info)
{
    switch (row->type) {
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_BYTES:
        return parse_number(row, text, &out->number, info);
    case CONFIG_TYPE_BOOL:
        return parse_bool(text, &out->truth, info);
    case CONFIG_TYPE_ENUM:
        return parse_choice(row, text, &out->choice, info);
    default:
        return check_text(row, text, info);
    }
}
