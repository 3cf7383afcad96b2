/* SPDX-License-Identifier: Apache-2.0
 * assemble.h - all that an engine needs, made from the configuration: lists, rules, views, Kafka options.
 *
 * Memory:  owns what it made; the configuration must outlive it
 * Errors:  ERR_CONFIG with the key or file
 * Thread:  startup
 */
#pragma once

#include "cmd/setup.h"
#include "engine.h"

struct assembly {
    const struct config *config;
    uint64_t stamp; /* of the lists' files, before they were read */
    struct reference *reference;
    struct zone *zone;
    struct rules *rules;
    struct view_plan plan;
    struct kafka_options kafka;
};

/* demo: the lists may be the demo's own. assembly_fini in either case. */
enum err assemble(struct assembly *out, const struct config *config, bool demo, struct err_info *info) MUST_USE;
void assemble_fini(struct assembly *assembly);

/* The views of the configuration, or the nine defaults. reference NULL: the groups of countries that they name are not looked up. */
enum err assemble_views(const struct config *config, const struct reference *reference, struct view_plan *out,
                        struct err_info *info) MUST_USE;

struct engine_options assemble_options(const struct assembly *assembly);

/* The same for a process that reads the lists again when they change, or at a SIGHUP (stop_hold_hangup). */
struct engine_options assemble_options_with_reload(const struct assembly *assembly);

/* Sends the log of librdkafka and of the port to ops/log. */
void assemble_kafka_log(void *context, enum kafka_severity severity, const char *event, const char *text);
