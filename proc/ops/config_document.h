/* SPDX-License-Identifier: Apache-2.0
 * config_document.h - settings as people read them: effective values, the manual, the sample file.
 *
 * Thread:  any (struct config is immutable after config_load)
 */
#pragma once

#include "ops/config.h"

#include <stdio.h>

/* Effective values as a properties file, those that are not defaults with their origin; secrets masked. */
void config_document_print(const struct config *config, FILE *out);

/* docs/CONFIGURATION.md and deploy/dryport.conf. */
void config_document_manual(FILE *out);
void config_document_sample(FILE *out);
