/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/config.h"

#include "base/check.h"
#include "base/memory.h"
#include "ops/config_value.h"
#include "ops/config_variable.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROW_INT CONFIG_TYPE_INT, NULL
#define ROW_BYTES CONFIG_TYPE_BYTES, NULL
#define ROW_BOOL CONFIG_TYPE_BOOL, NULL
#define ROW_ENUM(tag, choices) CONFIG_TYPE_ENUM, choices
#define ROW_TEXT CONFIG_TYPE_TEXT, NULL
#define ROW_TOPIC CONFIG_TYPE_TOPIC, NULL
#define ROW_SERVERS CONFIG_TYPE_SERVERS, NULL
#define ROW_LISTEN CONFIG_TYPE_LISTEN, NULL
#define ROW_ZONE CONFIG_TYPE_ZONE, NULL
#define ROW_COUNTRY CONFIG_TYPE_COUNTRY, NULL
#define ROW_CURRENCY CONFIG_TYPE_CURRENCY, NULL
#define ROW_FOLDER CONFIG_TYPE_FOLDER, NULL

const struct config_row config_rows[CONFIG_SETTINGS] = {
#define SETTING(name, key, type, unit, standard, min, max, text) {key, ROW_##type, unit, standard, min, max, text},
#include "ops/config.def"
};

static const size_t field_at[CONFIG_SETTINGS] = {
#define SETTING(name, key, type, unit, standard, min, max, text) offsetof(struct config, name),
#include "ops/config.def"
};

const struct config_family config_families[CONFIG_FAMILIES] = {
    /* the longer prefix first: kafka.consumer.x is not a property "consumer.x" of both clients */
    {"kafka.consumer.", "kafka.consumer.PROPERTY", '.'},
    {"kafka.producer.", "kafka.producer.PROPERTY", '.'},
    {"kafka.", "kafka.PROPERTY", '.'},
    {"rules.severity.", "rules.severity.CODE", '-'},
    {"view.", "view.NAME", '_'},
};

static const size_t list_at[CONFIG_FAMILIES] = {
    offsetof(struct config, kafka_consumer), offsetof(struct config, kafka_producer), offsetof(struct config, kafka),
    offsetof(struct config, severities),     offsetof(struct config, views),
};

static struct config_list *list_of(struct config *config, int family)
{
    return (struct config_list *)(void *)((char *)config + list_at[family]);
}

static const struct config_list *const_list_of(const struct config *config, int family)
{
    return (const struct config_list *)(const void *)((const char *)config + list_at[family]);
}

static bool begins(struct text text, const char *prefix)
{
    size_t length = strlen(prefix);
    return text.length >= length && memcmp(text.data, prefix, length) == 0;
}

/* Index of the family, CONFIG_FAMILIES if there is none; *rest is the key without the prefix. */
static int family_of(struct text key, struct text *rest)
{
    for (int i = 0; i < CONFIG_FAMILIES; i++) {
        if (begins(key, config_families[i].prefix)) {
            uint32_t skip = (uint32_t)strlen(config_families[i].prefix);
            *rest = (struct text){key.data + skip, key.length - skip};
            return i;
        }
    }
    return CONFIG_FAMILIES;
}

static enum config_setting setting_of(struct text key)
{
    for (int i = 0; i < CONFIG_SETTINGS; i++) {
        if (text_is(key, config_rows[i].key))
            return (enum config_setting)i;
    }
    return CONFIG_SETTINGS;
}

/* The known key of the smallest edit distance; NULL if `key` is too long to be compared. */
static const char *nearest(struct text key)
{
    const char *best = NULL;
    size_t best_distance = SIZE_MAX;
    for (int i = 0; i < CONFIG_SETTINGS + CONFIG_FAMILIES; i++) {
        const char *known = i < CONFIG_SETTINGS ? config_rows[i].key : config_families[i - CONFIG_SETTINGS].example;
        size_t distance = text_distance(key, text_of(known));
        if (distance < best_distance) {
            best = known;
            best_distance = distance;
        }
    }
    return best;
}

static enum err unknown_key(struct text key, struct err_info *info)
{
    const char *known = nearest(key);
    if (!known)
        return err_set(info, ERR_CONFIG, "unknown key of %u bytes; docs/CONFIGURATION.md lists the keys", key.length);
    return err_set(info, ERR_CONFIG, "unknown key \"%.*s\"; did you mean \"%s\"?", TEXT_ARGS(key), known);
}

static void replace(char **old, struct text text)
{
    memory_free(*old);
    *old = memory_copy_text(text.data, text.length);
}

_Static_assert(sizeof(enum config_role) == sizeof(int), "enums are stored as int");

static void store_value(struct config *config, enum config_setting setting, const union config_value *value)
{
    char *field = (char *)config + field_at[setting];
    switch (config_rows[setting].type) {
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_BYTES:
        memcpy(field, &value->number, sizeof value->number);
        break;
    case CONFIG_TYPE_BOOL:
        memcpy(field, &value->truth, sizeof value->truth);
        break;
    case CONFIG_TYPE_ENUM:
        memcpy(field, &value->choice, sizeof value->choice);
        break;
    default: {
        const char *text = config->source[setting].text;
        memcpy(field, &text, sizeof text);
        break;
    }
    }
}

static enum err set_setting(struct config *config, enum config_setting setting, struct text text, struct text origin,
                            struct err_info *info)
{
    const struct config_row *row = &config_rows[setting];
    union config_value value = {0};
    enum err err = config_value_parse(row, text, &value, info);
    if (err != OK)
        return err_prefix(info, err, "%s", row->key);
    replace(&config->source[setting].text, text);
    replace(&config->source[setting].origin, origin);
    store_value(config, setting, &value);
    return OK;
}

static struct config_pair *pair_of(const struct config_list *list, struct text key)
{
    for (size_t i = 0; i < list->count; i++) {
        if (text_is(key, list->pairs[i].key))
            return &list->pairs[i];
    }
    return NULL;
}

static bool is_name(struct text name, const char *more)
{
    for (uint32_t i = 0; i < name.length; i++) {
        char c = name.data[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!plain && (c == '\0' || !strchr(more, c)))
            return false;
    }
    return name.length > 0;
}

static bool is_rule_code(struct text code)
{
    bool right = code.length == 7;
    for (uint32_t i = 0; right && i < 7; i++) {
        char c = code.data[i];
        right = i < 3 ? c >= 'A' && c <= 'Z' : i == 3 ? c == '-' : c >= '0' && c <= '9';
    }
    return right;
}

static enum err check_severity(struct text code, struct text value, struct err_info *info)
{
    if (!is_rule_code(code))
        return err_set(info, ERR_CONFIG, "rules.severity.%.*s: \"%.*s\" is not a rule code such as STR-004",
                       TEXT_ARGS(code), TEXT_ARGS(code));
    if (!text_is(value, "reject") && !text_is(value, "warn") && !text_is(value, "off"))
        return err_set(info, ERR_CONFIG, "rules.severity.%.*s: \"%.*s\" is not one of reject|warn|off", TEXT_ARGS(code),
                       TEXT_ARGS(value));
    return OK;
}

static enum err check_view(struct text key, struct err_info *info)
{
    struct text option = key;
    struct text name = text_cut(&option, '.');
    bool dotted = name.length < key.length;
    if (!is_name(name, "_") || (dotted && !is_name(option, "_")))
        return err_set(
            info, ERR_CONFIG,
            "view.%.*s: a view is view.NAME or view.NAME.OPTION, names of small letters, digits and underscores",
            TEXT_ARGS(key));
    return OK;
}

static enum err check_pair(int family, struct text key, struct text value, struct err_info *info)
{
    if (list_at[family] == offsetof(struct config, severities))
        return check_severity(key, value, info);
    if (list_at[family] == offsetof(struct config, views))
        return check_view(key, info);
    if (!is_name(key, "._-"))
        return err_set(info, ERR_CONFIG, "%s%.*s: \"%.*s\" is not the name of a librdkafka property",
                       config_families[family].prefix, TEXT_ARGS(key), TEXT_ARGS(key));
    return OK;
}

static void set_pair(struct config_list *list, struct text key, struct text value, struct text origin)
{
    struct config_pair *pair = pair_of(list, key);
    if (!pair) {
        list->pairs = memory_resize(list->pairs, list->count + 1, sizeof *list->pairs);
        pair = &list->pairs[list->count++];
        *pair = (struct config_pair){.key = memory_copy_text(key.data, key.length)};
    }
    replace(&pair->value, value);
    replace(&pair->origin, origin);
}

static enum err set_any(struct config *config, struct text key, struct text value, struct text origin,
                        struct err_info *info)
{
    enum config_setting setting = setting_of(key);
    struct text rest = key;
    int family = setting == CONFIG_SETTINGS ? family_of(key, &rest) : CONFIG_FAMILIES;
    enum err err = OK;
    if (setting != CONFIG_SETTINGS)
        err = set_setting(config, setting, value, origin, info);
    else if (family == CONFIG_FAMILIES)
        err = unknown_key(key, info);
    else
        err = check_pair(family, rest, value, info);
    if (err != OK)
        return err_prefix(info, err, "%.*s", TEXT_ARGS(origin));
    if (family != CONFIG_FAMILIES)
        set_pair(list_of(config, family), rest, value, origin);
    return OK;
}

enum err config_set(struct config *config, const char *key, const char *value, const char *origin,
                    struct err_info *info)
{
    return set_any(config, text_trim(text_of(key)), text_trim(text_of(value)), text_of(origin), info);
}

void config_init(struct config *config)
{
    *config = (struct config){0};
    for (int i = 0; i < CONFIG_SETTINGS; i++) {
        struct err_info info = {""};
        enum err err =
            set_setting(config, (enum config_setting)i, text_of(config_rows[i].standard), TEXT("default"), &info);
        /* A machine without zone data can't check the default zone; whoever needs the zone says so. */
        if (err != OK && config_rows[i].type == CONFIG_TYPE_ZONE) {
            replace(&config->source[i].text, text_of(config_rows[i].standard));
            replace(&config->source[i].origin, TEXT("default"));
            store_value(config, (enum config_setting)i, &(union config_value){0});
            continue;
        }
        CHECK_SAY(err == OK, "%s", info.text);
    }
}

static void list_fini(struct config_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        memory_free(list->pairs[i].key);
        memory_free(list->pairs[i].value);
        memory_free(list->pairs[i].origin);
    }
    memory_free(list->pairs);
}

void config_fini(struct config *config)
{
    if (!config)
        return;
    for (int i = 0; i < CONFIG_FAMILIES; i++)
        list_fini(list_of(config, i));
    for (int i = 0; i < CONFIG_SETTINGS; i++) {
        memory_free(config->source[i].text);
        memory_free(config->source[i].origin);
    }
    *config = (struct config){0};
}

/* ---- file ---- */

static const char *origin_of(const struct config *config, struct text key)
{
    enum config_setting setting = setting_of(key);
    if (setting != CONFIG_SETTINGS)
        return config->source[setting].origin;
    struct text rest = key;
    int family = family_of(key, &rest);
    const struct config_pair *pair = family == CONFIG_FAMILIES ? NULL : pair_of(const_list_of(config, family), rest);
    return pair ? pair->origin : NULL;
}

static enum err set_line(struct config *config, const char *file, int line, struct text text, struct err_info *info)
{
    char origin[CONFIG_KEY_BYTES + 32];
    text = text_trim(text);
    if (text.length == 0 || text.data[0] == '#')
        return OK;
    int file_length = snprintf(origin, sizeof origin, "%.250s:", file);
    snprintf(origin + file_length, sizeof origin - (size_t)file_length, "%d", line);
    if (!memchr(text.data, '=', text.length))
        return err_set(info, ERR_CONFIG, "%s: \"%.*s\" has no \"=\"; write key=value", origin,
                       TEXT_ARGS(((struct text){text.data, text.length < 60 ? text.length : 60})));
    struct text value = text;
    struct text key = text_trim(text_cut(&value, '='));
    const char *before = origin_of(config, key);
    if (before && strncmp(before, origin, (size_t)file_length) == 0)
        return err_set(info, ERR_CONFIG, "%s: key \"%.*s\" stands in line %s already; keep one of them", origin,
                       TEXT_ARGS(key), before + file_length);
    return set_any(config, key, text_trim(value), text_of(origin), info);
}

/* Whole content of a file; the caller frees it. */
static enum err read_file(const char *file, char **out, size_t *out_length, struct err_info *info)
{
    FILE *stream = fopen(file, "rb");
    if (!stream)
        return err_set(info, ERR_CONFIG, "can't read the configuration %s: %s", file, strerror(errno));
    char *content = memory_new(CONFIG_FILE_BYTES_MAX + 1, 1);
    errno = 0;
    size_t length = fread(content, 1, CONFIG_FILE_BYTES_MAX + 1, stream);
    int error = ferror(stream) ? errno : 0;
    fclose(stream);
    if (error == 0 && length <= CONFIG_FILE_BYTES_MAX) {
        *out = content;
        *out_length = length;
        return OK;
    }
    memory_free(content);
    if (error != 0)
        return err_set(info, ERR_CONFIG, "can't read the configuration %s: %s", file, strerror(error));
    return err_set(info, ERR_CONFIG, "%s is larger than %d bytes: it is not a configuration", file,
                   CONFIG_FILE_BYTES_MAX);
}

static enum err load_file(struct config *config, const char *file, struct err_info *info)
{
    static const char byte_order_mark[] = "\xEF\xBB\xBF";
    char *content = NULL;
    size_t length = 0;
    TRY(read_file(file, &content, &length, info));
    struct text rest = {content, (uint32_t)length};
    if (begins(rest, byte_order_mark))
        rest = (struct text){content + 3, (uint32_t)length - 3};
    enum err err = OK;
    for (int line = 1; rest.length > 0 && err == OK; line++) {
        struct text text = text_cut(&rest, '\n');
        if (text.length > CONFIG_LINE_BYTES_MAX)
            err =
                err_set(info, ERR_CONFIG, "%s:%d: the line is longer than %d bytes", file, line, CONFIG_LINE_BYTES_MAX);
        else if (text.length > 0 && memchr(text.data, '\0', text.length))
            err = err_set(info, ERR_CONFIG, "%s:%d: a zero byte; write the file as UTF-8 text", file, line);
        else
            err = set_line(config, file, line, text, info);
    }
    memory_free(content);
    return err;
}

/* ---- secrets ---- */

bool config_is_secret(const char *key)
{
    static const char *const signs[] = {
        "password", "passphrase", "secret", "token", "jaas", "key.pem", "credential", "private", "oauthbearer.config"};
    static const char *const places[] = {".file", ".location", ".url"}; /* say where, not what */
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        size_t length = strlen(places[i]);
        if (strlen(key) > length && strcmp(key + strlen(key) - length, places[i]) == 0)
            return false;
    }
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        if (strstr(key, signs[i]))
            return true;
    }
    return false;
}

/* The arguments of a process can be read by every user of the machine, its environment by who may look into it. */
static enum err refuse_secret(struct text key, struct text origin, struct err_info *info)
{
    char name[CONFIG_KEY_BYTES];
    snprintf(name, sizeof name, "%.*s", TEXT_ARGS(key));
    if (!begins(key, "kafka.") || !config_is_secret(name))
        return OK;
    return err_set(
        info, ERR_CONFIG,
        "%.*s: %s is a secret, and others can read it here; write it to a file and give %s.file=PATH, or put "
        "it into the file of -c",
        TEXT_ARGS(origin), name, name);
}

/* ---- environment ---- */

static enum err load_variable(struct config *config, const char *variable, struct err_info *info)
{
    struct text value = text_of(variable);
    struct text name = text_cut(&value, '=');
    char key[CONFIG_KEY_BYTES] = "";
    if (!config_variable_is_ours(name, value))
        return OK;
    TRY(config_variable_key(name, key, info));
    if (value.length > CONFIG_LINE_BYTES_MAX)
        return err_set(info, ERR_CONFIG, "%.*s: the value is longer than %d bytes", TEXT_ARGS(name),
                       CONFIG_LINE_BYTES_MAX);
    TRY(refuse_secret(text_of(key), name, info));
    return set_any(config, text_of(key), text_trim(value), name, info);
}

/* ---- all together ---- */

static enum err load_override(struct config *config, const char *override, struct err_info *info)
{
    struct text value = text_of(override);
    if (!memchr(override, '=', value.length))
        return err_set(info, ERR_CONFIG, "-X: \"%.60s\" has no \"=\"; write -X key=value", override);
    if (value.length > CONFIG_LINE_BYTES_MAX)
        return err_set(info, ERR_CONFIG, "-X: the value is longer than %d bytes", CONFIG_LINE_BYTES_MAX);
    struct text key = text_trim(text_cut(&value, '='));
    TRY(refuse_secret(key, TEXT("-X"), info));
    return set_any(config, key, text_trim(value), TEXT("-X"), info);
}

/* What no single row can check. */
static enum err check_together(const struct config *config, struct err_info *info)
{
    enum { LEDGER_DAYS_MIN = 1096 }; /* TIM-403 admits reference dates of three years ago */
    static const enum config_setting topics[] = {CONFIG_topic_declarations, CONFIG_topic_journal,
                                                 CONFIG_topic_statistics, CONFIG_topic_rejects};
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < i; j++) {
            if (strcmp(config->source[topics[i]].text, config->source[topics[j]].text) == 0)
                return err_set(info, ERR_CONFIG, "%s: %s and %s are both \"%s\"; each topic needs a name of its own",
                               config->source[topics[i]].origin, config_rows[topics[j]].key, config_rows[topics[i]].key,
                               config->source[topics[i]].text);
        }
    }
    if (config->ledger_horizon_days > 0 && config->ledger_horizon_days < LEDGER_DAYS_MIN)
        return err_set(
            info, ERR_CONFIG, "%s: ledger.horizon.days: %lld days are too few; give 0 (unlimited) or %d to 36500 days",
            config->source[CONFIG_ledger_horizon_days].origin, (long long)config->ledger_horizon_days, LEDGER_DAYS_MIN);
    return OK;
}

enum err config_load(struct config *config, const char *file, char *const *environment, const char *const *overrides,
                     size_t count, struct err_info *info)
{
    if (file)
        TRY(load_file(config, file, info));
    for (; environment && *environment; environment++)
        TRY(load_variable(config, *environment, info));
    for (size_t i = 0; i < count; i++)
        TRY(load_override(config, overrides[i], info));
    return check_together(config, info);
}

const char *config_list_value(const struct config_list *list, const char *key)
{
    const struct config_pair *pair = pair_of(list, text_of(key));
    return pair ? pair->value : NULL;
}

int64_t config_workers(const struct config *config)
{
    long cores = config->workers > 0 ? (long)config->workers : sysconf(_SC_NPROCESSORS_ONLN);
    return cores > 0 ? cores : 1;
}

int64_t config_ledger_max_bytes(const struct config *config)
{
    return config->ledger_max_bytes > 0 ? config->ledger_max_bytes : (int64_t)(memory_limit() / 2);
}

static bool take_folder(const char *parent, const char *path, char *out, size_t bytes)
{
    struct stat status;
    int length = snprintf(out, bytes, "%s%s", parent, path);
    return length >= 0 && (size_t)length < bytes && stat(out, &status) == 0 && S_ISDIR(status.st_mode);
}

bool config_installed_lists(char *out, size_t bytes)
{
    char program[4096];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length > 0 ? length : 0] = '\0';
    char *name = strrchr(program, '/');
    if (name) {
        *name = '\0';
        if (take_folder(program, "/../../deploy/reference", out, bytes) ||
            take_folder(program, "/../share/dryport/reference", out, bytes))
            return true;
    }
    return take_folder("", "/usr/local/share/dryport/reference", out, bytes) ||
           take_folder("", "/usr/share/dryport/reference", out, bytes);
}
