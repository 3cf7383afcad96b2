/* SPDX-License-Identifier: Apache-2.0
 * statistic_json.h - a published statistic as proto3 JSON: one form for `tail`, HTTP and `report`.
 *
 * In:      the protobuf value of a record of topic.statistics, and its key
 * Out:     original field names in field order, 64-bit integers as strings, enums by short name ("MONTH", "UNSPECIFIED"), no field omitted; an
 *          optional field that is not there (yoy_value_ppm) is null
 * Memory:  gives a reference to the caller (json_decref)
 * Thread:  any
 * Source:  contract.md section 5
 */
#pragma once

#include "base/span.h"

#include <jansson.h>

/* {"key": ..., and all fields}; NULL if value is no Statistic. key.data NULL: no "key". */
json_t *statistic_json(struct text key, struct bytes value);

/* {"key": ..., "as_of": ..., "deleted": true}: a tombstone, with the as_of of its header. */
json_t *statistic_json_deleted(struct text key, uint64_t as_of);
