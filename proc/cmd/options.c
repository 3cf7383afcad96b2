/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/options.h"

#include "base/check.h"
#include "base/decimal.h"
#include "cmd/nearest.h"

#include <getopt.h>
#include <stdio.h>

extern char **environ;

enum { ROWS_MOST = 32, SECOND_MS = 1000, SHARE_SCALE = 6, PERCENT_SCALE = 4, TIMEOUT_MS_MOST = 86400000 };

struct reading {
    struct options *options;
    struct option_row rows[ROWS_MOST];
    struct option list[ROWS_MOST + 1];
    size_t count;
    const char *file;
    const char *overrides[OPTIONS_OVERRIDES_MOST];
    size_t override_count;
};

int options_say(const struct options *options, enum err err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "dryport %s: ", options->command->name);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return err_exit_code(err);
}

int options_fail(const struct options *options, enum err err, const struct err_info *info)
{
    return options_say(options, err, "%s", info->text);
}

void options_print_help(const struct command *command)
{
    printf("usage: dryport %s\n", command->usage);
    printf("\noptions of every command:\n"
           "  -X KEY=VALUE       sets one setting; it wins over the environment (DRYPORT_KEY_NAME) and the file\n"
           "  -c FILE            reads settings from a properties file\n"
           "  --timeout SECONDS  how long to try to reach a broker (30)\n"
           "  --help             prints this\n");
}

static bool read_share(const char *value, int64_t *out)
{
    struct text text = text_of(value);
    bool percent = text.length > 0 && text.data[text.length - 1] == '%';
    text.length -= percent;
    int64_t ppm;
    if (decimal_read(text, percent ? PERCENT_SCALE : SHARE_SCALE, &ppm) != DECIMAL_OK || ppm < 0 || ppm > 1000000)
        return false;
    *out = ppm;
    return true;
}

static int set_row(const struct reading *reading, const struct option_row *row, const char *value)
{
    int64_t number = 0;
    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)row->place = true;
        return 0;
    case OPTION_TEXT:
        *(const char **)row->place = value;
        return 0;
    case OPTION_NUMBER:
        if (!text_to_int64(text_of(value), &number) || number < row->min || number > row->max)
            return options_say(reading->options, ERR_CONFIG, "--%s %s: a whole number from %lld to %lld is needed",
                               row->name, value, (long long)row->min, (long long)row->max);
        break;
    case OPTION_SECONDS:
        if (decimal_read(text_of(value), 3, &number) != DECIMAL_OK || number < row->min || number > row->max)
            return options_say(reading->options, ERR_CONFIG, "--%s %s: seconds from %g to %g are needed", row->name,
                               value, (double)row->min / SECOND_MS, (double)row->max / SECOND_MS);
        break;
    case OPTION_SHARE:
        if (!read_share(value, &number))
            return options_say(reading->options, ERR_CONFIG, "--%s %s: a share is needed, such as 0.04 or 4%%",
                               row->name, value);
        break;
    }
    *(int64_t *)row->place = number;
    return 0;
}

static void add_row(struct reading *reading, struct option_row row)
{
    CHECK(reading->count < ROWS_MOST);
    reading->rows[reading->count] = row;
    reading->list[reading->count] = (struct option){row.name, row.kind == OPTION_FLAG ? no_argument : required_argument,
                                                    NULL, 256 + (int)reading->count};
    reading->count++;
}

/* getopt gives '?' for an unknown option and ':' for a missing value; the culprit stands before optind. */
static int wrong_option(const struct reading *reading, int found, char **argv)
{
    const char *given = argv[optind - 1];
    if (found == ':')
        return options_say(reading->options, ERR_CONFIG, "option %s needs a value", given);
    if (optopt >= 256)
        return options_say(reading->options, ERR_CONFIG, "option --%s takes no value",
                           reading->rows[optopt - 256].name);
    if (optopt)
        return options_say(reading->options, ERR_CONFIG, "unknown option -%c", optopt);
    struct text name = text_of(given + 2);
    struct text bare = text_cut(&name, '=');
    struct nearest nearest = nearest_to(bare);
    for (size_t i = 0; i < reading->count; i++)
        nearest_try(&nearest, text_of(reading->rows[i].name));
    char hint[NEAREST_TEXT_BYTES];
    return options_say(reading->options, ERR_CONFIG, "unknown option --%.*s%s", TEXT_ARGS(bare),
                       nearest_hint(&nearest, hint));
}

static int read_line(struct reading *reading, int argc, char **argv)
{
    opterr = 0;
    optind = 1;
    for (;;) {
        int found = getopt_long(argc, argv, ":X:c:", reading->list, NULL);
        int code = 0;
        if (found == -1)
            return 0;
        if (found == 'X' && reading->override_count == OPTIONS_OVERRIDES_MOST)
            code =
                options_say(reading->options, ERR_CONFIG, "more than %d -X; use a file", (int)OPTIONS_OVERRIDES_MOST);
        else if (found == 'X')
            reading->overrides[reading->override_count++] = optarg;
        else if (found == 'c')
            reading->file = optarg;
        else if (found >= 256)
            code = set_row(reading, &reading->rows[found - 256], optarg);
        else
            code = wrong_option(reading, found, argv);
        if (code)
            return code;
    }
}

int options_read(struct options *options, const struct command *command, const struct option_row *rows, size_t count,
                 int argc, char **argv)
{
    *options = (struct options){.command = command, .timeout_ms = OPTIONS_TIMEOUT_MS};
    config_init(&options->config);
    struct reading reading = {.options = options};
    for (size_t i = 0; i < count; i++)
        add_row(&reading, rows[i]);
    add_row(&reading, (struct option_row){"timeout", OPTION_SECONDS, &options->timeout_ms, 1, TIMEOUT_MS_MOST});
    int code = read_line(&reading, argc, argv);
    if (code)
        return code;
    options->arguments = argv + optind;
    options->argument_count = argc - optind;
    struct err_info info;
    enum err err =
        config_load(&options->config, reading.file, environ, reading.overrides, reading.override_count, &info);
    return err == OK ? 0 : options_fail(options, err, &info);
}

void options_fini(struct options *options)
{
    config_fini(&options->config);
}
