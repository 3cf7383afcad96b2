/* SPDX-License-Identifier: Apache-2.0
 * setup.h - from the configuration to the objects that commands and the engine work with.
 *
 * Memory:  what is made borrows from config, which must outlive it
 * Errors:  ERR_CONFIG with the key or file
 * Thread:  startup
 */
#pragma once

#include "cmd/mapping.h"
#include "kafka/client.h"
#include "ops/config.h"
#include "trade/rules.h"
#include "trade/zone.h"

/* The lists of reference.dir, filled up from the installed ones. Gives *out. */
enum err setup_reference(const struct config *config, struct reference **out, struct err_info *info) MUST_USE;

/* A number that changes when one of their files does (reference.h). */
uint64_t setup_reference_stamp(const struct config *config);

/* The same for the generator and the demo: where these lists have no nomenclature, the demo's own of about 200 codes.
 */
enum err setup_reference_demo(const struct config *config, struct reference **out, struct err_info *info) MUST_USE;

/* The zone of the setting timezone. Gives *out. */
enum err setup_zone(const struct config *config, struct zone **out, struct err_info *info) MUST_USE;

/* Rules with the profile, severities, reporter and currency of config. Gives *out. */
enum err setup_rules(const struct config *config, const struct reference *reference, const struct zone *zone,
                     struct rules **out, struct err_info *info) MUST_USE;

/* Minor units for maps. */
struct mapping_currencies setup_currencies(const struct reference *reference);

/* Options of every Kafka handle: not a member, not a mock, no log. Give *out to setup_kafka_fini. */
void setup_kafka(const struct config *config, int64_t timeout_ms, struct kafka_options *out);
void setup_kafka_fini(struct kafka_options *options);
