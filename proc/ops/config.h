/* SPDX-License-Identifier: Apache-2.0
 * config.h - the settings of config.def and the families of keys that are open: read and checked.
 *
 * In:      -X key=value over DRYPORT_KEY_NAME over a properties file over the defaults
 * Out:     struct config: one typed field per row, lists for kafka.*, view.*, rules.severity.*
 * Units:   as config.def says; times ms
 * Limits:  CONFIG_FILE_BYTES_MAX; keys and values CONFIG_LINE_BYTES_MAX
 * Memory:  struct config owns all its texts; they live until config_fini
 * Thread:  config_load: startup; then immutable
 * Errors:  ERR_CONFIG with file and line, variable or option, and the mend
 */
#pragma once

#include "base/err.h"
#include "base/span.h"

enum { CONFIG_FILE_BYTES_MAX = 1 << 20, CONFIG_LINE_BYTES_MAX = 8192, CONFIG_KEY_BYTES = 256 };

enum config_role { CONFIG_ROLE_ALL, CONFIG_ROLE_AGGREGATE, CONFIG_ROLE_PUBLISH };
enum config_log_level { CONFIG_LOG_DEBUG, CONFIG_LOG_INFO, CONFIG_LOG_WARN, CONFIG_LOG_ERROR };
enum config_log_format { CONFIG_LOG_JSON, CONFIG_LOG_TEXT };
enum config_input_format { CONFIG_FORMAT_AUTO, CONFIG_FORMAT_PROTOBUF, CONFIG_FORMAT_BATCH, CONFIG_FORMAT_CONFLUENT };
enum config_key_check { CONFIG_KEY_ID, CONFIG_KEY_MURMUR2, CONFIG_KEY_CRC32, CONFIG_KEY_OFF };
enum config_trade_system { CONFIG_TRADE_GENERAL, CONFIG_TRADE_SPECIAL };
enum config_count_status { CONFIG_COUNT_BY_SCHEME, CONFIG_COUNT_ACCEPTED, CONFIG_COUNT_RELEASED };
enum config_late_policy { CONFIG_LATE_REVISE, CONFIG_LATE_OUT };
enum config_rules_profile { CONFIG_RULES_STRICT, CONFIG_RULES_LENIENT };

enum config_setting {
#define SETTING(name, key, type, unit, standard, min, max, text) CONFIG_##name,
#include "ops/config.def"
    CONFIG_SETTINGS,
};

enum config_type {
    CONFIG_TYPE_INT,
    CONFIG_TYPE_BYTES,
    CONFIG_TYPE_BOOL,
    CONFIG_TYPE_ENUM,
    CONFIG_TYPE_TEXT,
    CONFIG_TYPE_TOPIC,
    CONFIG_TYPE_SERVERS,
    CONFIG_TYPE_LISTEN,
    CONFIG_TYPE_ZONE,
    CONFIG_TYPE_COUNTRY,
    CONFIG_TYPE_CURRENCY,
    CONFIG_TYPE_FOLDER,
};

/* A row of config.def. */
struct config_row {
    const char *key;
    enum config_type type;
    const char *choices; /* of an ENUM: "first|second"; else NULL */
    const char *unit;
    const char *standard;
    int64_t min;
    int64_t max;
    const char *text;
};

extern const struct config_row config_rows[CONFIG_SETTINGS];

/* A family of keys that is open: PREFIX and a rest. Variables have no dots: `variable_dot` is what an underscore in the
 * rest of a variable's name stands for. */
struct config_family {
    const char *prefix;
    const char *example;
    char variable_dot;
};

enum { CONFIG_FAMILIES = 5 };

extern const struct config_family config_families[CONFIG_FAMILIES];

/* One key of an open family. */
struct config_pair {
    char *key;    /* without the family's prefix: "security.protocol", "STR-004", "commodity", "commodity.publish" */
    char *value;  /* as written */
    char *origin; /* "dryport.conf:12", "DRYPORT_KAFKA_SECURITY_PROTOCOL", "-X" */
};

/* In the order in which the keys first appeared; each key once, with its highest-ranking value. */
struct config_list {
    struct config_pair *pairs;
    size_t count;
};

/* What a setting was set to, as text, and where. */
struct config_source {
    char *text;
    char *origin; /* "default" or as in config_pair */
};

#define CONFIG_FIELD_INT int64_t
#define CONFIG_FIELD_BYTES int64_t
#define CONFIG_FIELD_BOOL bool
#define CONFIG_FIELD_ENUM(tag, choices) enum config_##tag
#define CONFIG_FIELD_TEXT const char *
#define CONFIG_FIELD_TOPIC const char *
#define CONFIG_FIELD_SERVERS const char *
#define CONFIG_FIELD_LISTEN const char *
#define CONFIG_FIELD_ZONE const char *
#define CONFIG_FIELD_COUNTRY const char *
#define CONFIG_FIELD_CURRENCY const char *
#define CONFIG_FIELD_FOLDER const char *

/* One field per row, named as the key with dots as underscores: config.frame_interval_ms, config.topic_declarations,
 * ... */
struct config {
#define SETTING(name, key, type, unit, standard, min, max, text) CONFIG_FIELD_##type name;
#include "ops/config.def"
    struct config_list views; /* view.NAME=... and view.NAME.OPTION=... */
    /* Of rules.severity.CODE: value is reject, warn or off; the code is of the right shape only. */
    struct config_list severities;
    struct config_list kafka;          /* kafka.*: both kinds of client */
    struct config_list kafka_consumer; /* kafka.consumer.* */
    struct config_list kafka_producer; /* kafka.producer.* */
    struct config_source source[CONFIG_SETTINGS];
};

/* All defaults; frees nothing. */
void config_init(struct config *config);
void config_fini(struct config *config);

/* Reads FILE (may be NULL), then the DRYPORT_* variables of `environment` (environ; may be NULL), then `count` texts
 * "key=value" over what config holds. On failure config holds what came before the bad place, and is still given to
 * config_fini. */
enum err config_load(struct config *config, const char *file, char *const *environment, const char *const *overrides,
                     size_t count, struct err_info *info) MUST_USE;

/* Sets one key, as a command option does that stands for a setting; origin is how errors and --print-config call the
 * place. */
enum err config_set(struct config *config, const char *key, const char *value, const char *origin,
                    struct err_info *info) MUST_USE;

/* Value of the pair with that key, NULL if there is none. */
const char *config_list_value(const struct config_list *list, const char *key);

/* Values whose default depends on the machine. */
int64_t config_workers(const struct config *config);          /* the number of cores if 0 */
int64_t config_ledger_max_bytes(const struct config *config); /* half of memory_limit() if 0 */

/* The installed lists: beside a build tree, else below /usr/local/share or /usr/share. Writes the folder to out and
 * returns true, or returns false if there are none. config.reference_dir, if not empty, comes before them. */
bool config_installed_lists(char *out, size_t bytes);

/* Is the value of this key never to be shown, and refused on the command line and in the environment? */
bool config_is_secret(const char *key);
