/* SPDX-License-Identifier: Apache-2.0
 * fuzz_config.c - a configuration: file, environment variables and -X texts, and the views and severities that it names.
 *
 * Input:   lines; `!X text` is an override, `!E text` a variable of the environment, all others are the file
 * Checks:  a refusal says where; what was taken reads the same from a file that says what was taken; the views of it make a plan, or a
 *          refusal that says where
 */
#include "fuzz.h"

#include "base/memory.h"
#include "cmd/assemble.h"
#include "ops/config.h"
#include "ops/config_document.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LIST_MOST = 32, TEXT_MOST = 1 << 16 };

static char path[] = "/tmp/fuzz_config.XXXXXX";

static void remove_file(void)
{
    unlink(path);
}

static void write_file(struct bytes bytes)
{
    static bool is_made;
    if (!is_made) {
        int fd = mkstemp(path);
        CHECK(fd >= 0 && close(fd) == 0);
        atexit(remove_file);
        is_made = true;
    }
    FILE *file = fopen(path, "wb");
    CHECK(file && (bytes.length == 0 || fwrite(bytes.data, 1, bytes.length, file) == bytes.length));
    CHECK(fclose(file) == 0);
}

/* The input taken apart. */
struct parts {
    char *overrides[LIST_MOST];
    size_t override_count;
    char *variables[LIST_MOST + 1];
    size_t variable_count;
};

static void take_apart(struct text input, struct buffer *file, struct parts *parts)
{
    while (input.length > 0) {
        struct text line = text_cut(&input, '\n');
        bool is_special = line.length > 3 && line.data[0] == '!' && line.data[2] == ' ';
        if (is_special && line.data[1] == 'X' && parts->override_count < LIST_MOST) {
            parts->overrides[parts->override_count++] = memory_copy_text(line.data + 3, line.length - 3);
        } else if (is_special && line.data[1] == 'E' && parts->variable_count < LIST_MOST) {
            parts->variables[parts->variable_count++] = memory_copy_text(line.data + 3, line.length - 3);
        } else {
            buffer_add(file, line.data, line.length);
            buffer_add_u8(file, '\n');
        }
    }
}

static void forget(struct parts *parts)
{
    for (size_t i = 0; i < parts->override_count; i++)
        memory_free(parts->overrides[i]);
    for (size_t i = 0; i < parts->variable_count; i++)
        memory_free(parts->variables[i]);
}

static void add_list(struct buffer *out, const char *prefix, const struct config_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        buffer_add_format(out, "%s%s=%s\n", prefix, list->pairs[i].key, list->pairs[i].value);
}

/* What is in force, as a file. */
static void write_out(const struct config *config, struct buffer *out)
{
    for (int i = 0; i < CONFIG_SETTINGS; i++)
        buffer_add_format(out, "%s=%s\n", config_rows[i].key, config->source[i].text);
    add_list(out, "view.", &config->views);
    add_list(out, "rules.severity.", &config->severities);
    add_list(out, "kafka.", &config->kafka);
    add_list(out, "kafka.consumer.", &config->kafka_consumer);
    add_list(out, "kafka.producer.", &config->kafka_producer);
}

static void same_list(const struct config_list *a, const struct config_list *b)
{
    CHECK(a->count == b->count);
    for (size_t i = 0; i < a->count; i++) {
        const char *value = config_list_value(b, a->pairs[i].key);
        CHECK_SAY(value && strcmp(value, a->pairs[i].value) == 0, "%s", a->pairs[i].key);
    }
}

/* A text of a line is trimmed, so that what came from elsewhere with a line end or a comment in it has no such file. */
static bool fits_a_line(const struct buffer *file, size_t lines)
{
    size_t ends = 0;
    for (size_t i = 0; i < file->length; i++)
        ends += file->data[i] == '\n';
    return ends == lines;
}

static void check_again(const struct config *config)
{
    static struct buffer file;
    struct config again;
    struct err_info info = {""};
    size_t lines = CONFIG_SETTINGS + config->views.count + config->severities.count + config->kafka.count +
                   config->kafka_consumer.count + config->kafka_producer.count;
    buffer_clear(&file);
    write_out(config, &file);
    if (!fits_a_line(&file, lines))
        return;
    write_file(buffer_bytes(&file));
    config_init(&again);
    CHECK_SAY(config_load(&again, path, NULL, NULL, 0, &info) == OK, "%s", info.text);
    for (int i = 0; i < CONFIG_SETTINGS; i++)
        CHECK_SAY(strcmp(again.source[i].text, config->source[i].text) == 0, "%s", config_rows[i].key);
    same_list(&config->views, &again.views);
    same_list(&config->severities, &again.severities);
    same_list(&config->kafka, &again.kafka);
    same_list(&config->kafka_consumer, &again.kafka_consumer);
    same_list(&config->kafka_producer, &again.kafka_producer);
    config_fini(&again);
}

static void check_views(const struct config *config)
{
    struct view_plan plan;
    struct err_info info = {""};
    if (assemble_views(config, NULL, &plan, &info) != OK) {
        CHECK(info.text[0]);
        return;
    }
    CHECK(plan.count > 0 && plan.count <= VIEWS_MOST);
    for (uint32_t i = 0; i < plan.count; i++) {
        CHECK(plan.views[i].leaf < plan.count && plan.views[plan.views[i].leaf].leaf == plan.views[i].leaf);
        CHECK(view_plan_find(&plan, text_of(plan.views[i].name)) == (int32_t)i);
    }
    CHECK(view_plan_hash(&plan) == view_plan_hash(&plan));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct buffer file;
    struct parts parts = {.override_count = 0};
    struct config config;
    struct err_info info = {""};
    buffer_clear(&file);
    take_apart((struct text){(const char *)data, (uint32_t)size}, &file, &parts);
    write_file(buffer_bytes(&file));
    config_init(&config);
    enum err err =
        config_load(&config, path, parts.variables, (const char *const *)parts.overrides, parts.override_count, &info);
    CHECK(err == OK || (err == ERR_CONFIG && info.text[0]));
    if (err == OK) {
        check_again(&config);
        check_views(&config);
    }
    config_fini(&config);
    forget(&parts);
    return 0;
}
