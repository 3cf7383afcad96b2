/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/config_document.h"

#include <inttypes.h>
#include <string.h>

/* The rows of config.def with their sections: a line is one or the other. */
struct line {
    const char *section;
    enum config_setting setting;
};

static const struct line lines[] = {
#define SECTION(title) {title, CONFIG_SETTINGS},
#define SETTING(name, key, type, unit, standard, min, max, text) {NULL, CONFIG_##name},
#include "ops/config.def"
};

enum { LINES = sizeof lines / sizeof lines[0] };

static void print_value(const char *prefix, const char *key, const char *value, const char *origin, FILE *out)
{
    if (strcmp(origin, "default") != 0)
        fprintf(out, "# %s\n", origin);
    fprintf(out, "%s%s=%s\n", prefix, key, config_is_secret(key) ? "********" : value);
}

static void print_list(const char *prefix, const struct config_list *list, FILE *out)
{
    for (size_t i = 0; i < list->count; i++)
        print_value(prefix, list->pairs[i].key, list->pairs[i].value, list->pairs[i].origin, out);
}

/* What a default that depends on the machine comes to. */
static void print_machine(const struct config *config, enum config_setting setting, FILE *out)
{
    char folder[4096];
    if (setting == CONFIG_workers && config->workers == 0)
        fprintf(out, "# here %" PRId64 "\n", config_workers(config));
    if (setting == CONFIG_ledger_max_bytes && config->ledger_max_bytes == 0)
        fprintf(out, "# here %" PRId64 "\n", config_ledger_max_bytes(config));
    if (setting == CONFIG_reference_dir && *config->reference_dir == '\0')
        fprintf(out, "# here %s\n",
                config_installed_lists(folder, sizeof folder) ? folder : "none: there are no installed lists");
}

void config_document_print(const struct config *config, FILE *out)
{
    fprintf(out, "# dryport " DRYPORT_VERSION
                 ": effective configuration; what has no origin above it is a default; secrets are masked\n");
    for (int i = 0; i < LINES; i++) {
        if (lines[i].section) {
            fprintf(out, "\n# ---- %s ----\n", lines[i].section);
            continue;
        }
        const struct config_source *source = &config->source[lines[i].setting];
        print_machine(config, lines[i].setting, out);
        print_value("", config_rows[lines[i].setting].key, source->text, source->origin, out);
    }
    size_t open_keys = config->severities.count + config->views.count + config->kafka.count +
                       config->kafka_consumer.count + config->kafka_producer.count;
    if (open_keys > 0)
        fprintf(out, "\n# ---- Open families ----\n");
    print_list("rules.severity.", &config->severities, out);
    print_list("view.", &config->views, out);
    print_list("kafka.", &config->kafka, out);
    print_list("kafka.consumer.", &config->kafka_consumer, out);
    print_list("kafka.producer.", &config->kafka_producer, out);
}

/* "10 to 10000 ms", "true or false", "all, aggregate or publish": in a table cell a bar would end the cell. */
static void print_values(const struct config_row *row, FILE *out)
{
    switch (row->type) {
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_BYTES:
        fprintf(out, "%" PRId64 " to %" PRId64 " %s", row->min, row->max, row->unit);
        break;
    case CONFIG_TYPE_BOOL:
        fprintf(out, "true, false");
        break;
    case CONFIG_TYPE_ENUM:
        for (const char *c = row->choices; *c; c++)
            fprintf(out, *c == '|' ? ", " : "%c", *c);
        break;
    case CONFIG_TYPE_TEXT:
        fprintf(out, "text");
        break;
    case CONFIG_TYPE_TOPIC:
        fprintf(out, "topic name");
        break;
    case CONFIG_TYPE_SERVERS:
        fprintf(out, "host:port,...");
        break;
    case CONFIG_TYPE_LISTEN:
        fprintf(out, "host:port or empty");
        break;
    case CONFIG_TYPE_ZONE:
        fprintf(out, "IANA zone");
        break;
    case CONFIG_TYPE_COUNTRY:
        fprintf(out, "two capital letters");
        break;
    case CONFIG_TYPE_CURRENCY:
        fprintf(out, "three capital letters");
        break;
    case CONFIG_TYPE_FOLDER:
        fprintf(out, "folder or empty");
        break;
    }
}

static const char manual_head[] =
    "# Configuration\n"
    "\n"
    "<!-- Made from proc/ops/config.def; a test fails when this page is stale. -->\n"
    "\n"
    "A setting comes from the first of these that has it:\n"
    "\n"
    "1. `-X key=value` on the command line (the last one, if there are several for a key)\n"
    "2. the environment variable `DRYPORT_KEY_NAME`: the key in capitals, dots and hyphens as underscores\n"
    "   (`DRYPORT_TOPIC_JOURNAL`)\n"
    "3. the properties file of `-c FILE`\n"
    "4. the default\n"
    "\n"
    "The file holds one `key=value` a line. A line that begins with `#` is a comment; a `#` later in a line belongs to "
    "the value. Blanks\n"
    "around key and value do not count. A key may stand only once. Whatever is unknown or out of range ends the "
    "program with exit code\n"
    "64 and a line that names the place and what would be right. `dryport run --print-config` prints the effective "
    "values, where they come\n"
    "from, and which rules are off and why. Sizes may end in `k`, `M` or `G` (powers of 1024).\n";

static const char manual_families[] =
    "\n"
    "## Open families\n"
    "\n"
    "| key | value | meaning | variable |\n"
    "|---|---|---|---|\n"
    "| `view.NAME` | `dim,dim,...@day`, `@month` or `@hour` | a statistic; the first one replaces all nine default "
    "views | "
    "`DRYPORT_VIEW_NAME` |\n"
    "| `view.NAME.publish` | hour, day, month, quarter, year, ytd, 24h, 7d, 30d, 12m | which periods of a view are "
    "published: its "
    "grain and month "
    "if this is not set; a view by month has no day, 7d and 30d, one by hour has hour, 24h and 7d alone; "
    "defines no view | "
    "`DRYPORT_VIEW_NAME_PUBLISH` |\n"
    "| `view.NAME.total` | yes, no | whether all flows together (flow=T) stand beside M, X, RM and RX: `yes` in a view "
    "with a flow if this is not set; "
    "defines no view | `DRYPORT_VIEW_NAME_TOTAL` |\n"
    "| `view.NAME.groups` | group,group,... of country_groups.csv | which country groups a view with partner_group "
    "publishes; all that the list has at the start if this is not set; defines no view | `DRYPORT_VIEW_NAME_GROUPS` |\n"
    "| `rules.severity.CODE` | reject, warn, off | overrides the severity of a rule of [RULES.md](RULES.md) | "
    "`DRYPORT_RULES_SEVERITY_STR_004` "
    "for `STR-004` |\n"
    "| `kafka.PROPERTY` | as librdkafka takes it | goes to both kinds of client | `DRYPORT_KAFKA_SECURITY_PROTOCOL` "
    "for "
    "`kafka.security.protocol` |\n"
    "| `kafka.PROPERTY.file` | path | the content of the file is the value of the property | "
    "`DRYPORT_KAFKA_SASL_PASSWORD_FILE` for `kafka.sasl.password.file` |\n"
    "| `kafka.consumer.PROPERTY` | | goes to consumers only | `DRYPORT_KAFKA_CONSUMER_...` |\n"
    "| `kafka.producer.PROPERTY` | | goes to producers only | `DRYPORT_KAFKA_PRODUCER_...` |\n"
    "\n"
    "Passwords, secrets and private keys come from files: `kafka.PROPERTY.file=PATH` takes the value of any property "
    "from a file "
    "(`kafka.sasl.password.file`),\n"
    "as `kafka.ssl.key.location` does for a key; the file of `-c` may hold them too. In an environment variable or "
    "after `-X` they are "
    "refused, because others can read those. They are never\n"
    "printed. A new user or password in such a file is used from the next login on, without a restart. "
    "[SECURITY.md](SECURITY.md) says more.\n"
    "\n"
    "Variables that Kubernetes makes for a service whose name begins with `dryport` (`DRYPORT_SERVICE_HOST`, "
    "`DRYPORT_PORT_9464_TCP`, ...)\n"
    "are not taken for settings.\n";

static void print_manual_row(const struct config_row *row, FILE *out)
{
    fprintf(out, "| `%s` | ", row->key);
    if (*row->standard)
        fprintf(out, "`%s`", row->standard);
    fprintf(out, " | ");
    print_values(row, out);
    fprintf(out, " | %s |\n", row->text);
}

void config_document_manual(FILE *out)
{
    fputs(manual_head, out);
    for (int i = 0; i < LINES; i++) {
        if (lines[i].section)
            fprintf(out, "\n## %s\n\n| key | default | values | meaning |\n|---|---|---|---|\n", lines[i].section);
        else
            print_manual_row(&config_rows[lines[i].setting], out);
    }
    fputs(manual_families, out);
}

/* Prints "# " lines of at most WIDTH characters. */
static void print_wrapped(const char *text, FILE *out)
{
    enum { WIDTH = 100 };
    size_t column = 0;
    while (*text) {
        size_t word = strcspn(text, " ");
        if (column > 0 && column + 1 + word > WIDTH) {
            fputc('\n', out);
            column = 0;
        }
        column += (size_t)fprintf(out, column > 0 ? " %.*s" : "# %.*s", (int)word, text);
        text += word;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

static const char sample_head[] =
    "# dryport.conf - every setting with its default, commented out. Made from proc/ops/config.def.\n"
    "# Rank: -X key=value, then DRYPORT_KEY_NAME, then this file (-c dryport.conf), then the default.\n"
    "# docs/CONFIGURATION.md says more; dryport run --print-config shows what is in force.\n";

static const char sample_families[] = "\n# ---- Open families ----\n"
                                      "\n# Statistics of your own replace the nine default views.\n"
                                      "#view.commodity=hs6,partner,flow@month\n"
                                      "#view.commodity.publish=month\n"
                                      "#view.bloc=partner_group,flow@month\n"
                                      "#view.bloc.groups=SCO_MEMBER,EAEU\n"
                                      "\n# Severity of a rule: reject, warn or off.\n"
                                      "#rules.severity.HSC-604=warn\n"
                                      "\n# Properties of librdkafka for both kinds of client, or for one.\n"
                                      "#kafka.security.protocol=ssl\n"
                                      "#kafka.ssl.ca.location=/etc/dryport/ca.pem\n"
                                      "#kafka.sasl.password.file=/etc/dryport/password\n"
                                      "#kafka.consumer.fetch.min.bytes=1\n"
                                      "#kafka.producer.linger.ms=5\n";

static void print_sample_row(const struct config_row *row, FILE *out)
{
    fputc('\n', out);
    print_wrapped(row->text, out);
    fputs("# values: ", out);
    print_values(row, out);
    fprintf(out, "\n#%s=%s\n", row->key, row->standard);
}

void config_document_sample(FILE *out)
{
    fputs(sample_head, out);
    for (int i = 0; i < LINES; i++) {
        if (lines[i].section)
            fprintf(out, "\n# ---- %s ----\n", lines[i].section);
        else
            print_sample_row(&config_rows[lines[i].setting], out);
    }
    fputs(sample_families, out);
}
