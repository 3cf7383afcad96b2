/* SPDX-License-Identifier: Apache-2.0
 * config_variable.h - names of environment variables -> keys of settings.
 *
 * In:      DRYPORT_TOPIC_JOURNAL, DRYPORT_RULES_SEVERITY_STR_004, DRYPORT_KAFKA_SECURITY_PROTOCOL
 * Out:     topic.journal, rules.severity.STR-004, kafka.security.protocol
 * Memory:  none
 * Thread:  any
 * Errors:  ERR_CONFIG for a name that begins with DRYPORT_ and is no setting, with the nearest one
 */
#pragma once

#include "ops/config.h"

/* Is it to be a setting? Not what Kubernetes makes for a service whose name begins with dryport, nor what tests use. */
bool config_variable_is_ours(struct text name, struct text value);

enum err config_variable_key(struct text name, char out[CONFIG_KEY_BYTES], struct err_info *info) MUST_USE;

/* The variable of a key: topic.journal -> DRYPORT_TOPIC_JOURNAL. */
void config_variable_of(const char *key, char out[CONFIG_KEY_BYTES]);
