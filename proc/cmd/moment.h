/* SPDX-License-Identifier: Apache-2.0
 * moment.h - ISO 8601 dates and local times as text -> yyyymmdd, ms UTC.
 *
 * Zones:   IANA names of the system's zone data, through the C library, which knows one zone per process: moment_zone may be called again only
 *          with the same name
 * Accepts: YYYY-MM-DD, and behind it T or a blank and HH:MM[:SS[.fff]], and behind that Z or +HH:MM or -HH:MM
 * Errors:  a sentence without place: the caller knows the column
 * Thread:  startup, then main
 */
#pragma once

#include "base/err.h"
#include "base/span.h"

/* Sets the process's zone. ERR_CONFIG: no such zone, or another one is set. */
enum err moment_zone(struct text name, struct err_info *info) MUST_USE;

/* yyyymmdd of the date part. ERR_DATA if it is none. */
enum err moment_date(struct text iso, uint32_t *out_date, struct err_info *info) MUST_USE;

/* Milliseconds UTC; without an offset in the text: local time in the zone of moment_zone, a bare date being its first
 * instant. */
enum err moment_ms(struct text iso, int64_t *out_ms, struct err_info *info) MUST_USE;
