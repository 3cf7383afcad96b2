/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/config_variable.h"

#include <stdio.h>
#include <string.h>

#define PREFIX "DRYPORT_"

void config_variable_of(const char *key, char out[CONFIG_KEY_BYTES])
{
    size_t at = (size_t)snprintf(out, CONFIG_KEY_BYTES, "%s", PREFIX);
    for (; *key && at + 1 < CONFIG_KEY_BYTES; key++) {
        char c = *key;
        out[at++] = c == '.' || c == '-' ? '_' : c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
    }
    out[at] = '\0';
}

static bool holds_at(struct text text, uint32_t at, const char *part)
{
    size_t length = strlen(part);
    return at + length <= text.length && memcmp(text.data + at, part, length) == 0;
}

static bool contains(struct text text, const char *part)
{
    for (uint32_t i = 0; i < text.length; i++) {
        if (holds_at(text, i, part))
            return true;
    }
    return false;
}

static bool ends(struct text text, const char *part)
{
    size_t length = strlen(part);
    return text.length >= length && holds_at(text, (uint32_t)(text.length - length), part);
}

/* PORT_9464_TCP and the like, somewhere in the name. */
static bool has_numbered_port(struct text name)
{
    static const char port[] = "_PORT_";
    for (uint32_t i = 0; i + sizeof port <= name.length; i++) {
        char next = name.data[i + sizeof port - 1];
        if (holds_at(name, i, port) && next >= '0' && next <= '9')
            return true;
    }
    return false;
}

bool config_variable_is_ours(struct text name, struct text value)
{
    if (!holds_at(name, 0, PREFIX) || text_is(name, "DRYPORT_MUTANT") || holds_at(name, 0, "DRYPORT_TEST_"))
        return false;
    bool of_kubernetes = contains(name, "_SERVICE_HOST") || contains(name, "_SERVICE_PORT") ||
                         (ends(name, "_PORT") && contains(value, "://")) || has_numbered_port(name);
    return !of_kubernetes;
}

/* Writes the key of the rest of a family's variable: STR_004 -> STR-004, SECURITY_PROTOCOL -> security.protocol. */
static void family_key(const struct config_family *family, struct text rest, char out[CONFIG_KEY_BYTES])
{
    static const char option[] = "_publish";
    bool is_code = family->variable_dot == '-';
    bool is_view = family->variable_dot == '_';
    size_t at = (size_t)snprintf(out, CONFIG_KEY_BYTES, "%s", family->prefix);
    for (uint32_t i = 0; i < rest.length && at + 1 < CONFIG_KEY_BYTES; i++) {
        char c = rest.data[i];
        out[at++] = c == '_' ? family->variable_dot : !is_code && c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    out[at] = '\0';
    /* names of views have underscores themselves: only the one option that views have is told apart */
    if (is_view && rest.length > sizeof option - 1 && strcmp(out + at - (sizeof option - 1), option) == 0)
        out[at - (sizeof option - 1)] = '.';
}

static enum err unknown(struct text name, struct err_info *info)
{
    char best[CONFIG_KEY_BYTES] = "";
    char capitals[CONFIG_KEY_BYTES];
    size_t best_distance = SIZE_MAX;
    snprintf(capitals, sizeof capitals, "%.*s", TEXT_ARGS(name));
    for (char *c = capitals; *c; c++)
        *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
    for (int i = 0; i < CONFIG_SETTINGS + CONFIG_FAMILIES; i++) {
        char variable[CONFIG_KEY_BYTES];
        config_variable_of(i < CONFIG_SETTINGS ? config_rows[i].key : config_families[i - CONFIG_SETTINGS].example,
                           variable);
        size_t distance = text_distance(text_of(capitals), text_of(variable));
        if (distance < best_distance) {
            best_distance = distance;
            memcpy(best, variable, sizeof best);
        }
    }
    if (!*best)
        return err_set(info, ERR_CONFIG,
                       "environment: unknown variable " PREFIX "... with a name of %u bytes; unset it", name.length);
    return err_set(info, ERR_CONFIG, "environment: unknown variable %.*s; did you mean %s?", TEXT_ARGS(name), best);
}

enum err config_variable_key(struct text name, char out[CONFIG_KEY_BYTES], struct err_info *info)
{
    char variable[CONFIG_KEY_BYTES];
    if (name.length >= CONFIG_KEY_BYTES)
        return unknown(name, info);
    for (int i = 0; i < CONFIG_SETTINGS; i++) {
        config_variable_of(config_rows[i].key, variable);
        if (text_is(name, variable)) {
            snprintf(out, CONFIG_KEY_BYTES, "%s", config_rows[i].key);
            return OK;
        }
    }
    for (int i = 0; i < CONFIG_FAMILIES; i++) {
        config_variable_of(config_families[i].prefix, variable);
        uint32_t length = (uint32_t)strlen(variable);
        if (holds_at(name, 0, variable) && name.length > length) {
            family_key(&config_families[i], (struct text){name.data + length, name.length - length}, out);
            return OK;
        }
    }
    return unknown(name, info);
}
