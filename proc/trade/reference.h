/* SPDX-License-Identifier: Apache-2.0
 * reference.h - the dated code lists that rules and statistics need, read from CSV files in one folder.
 *
 * In:      reference.dir: columns as docs/REFERENCE.md says; a file that is not there leaves its rules off
 * Memory:  one immutable object; nothing is allocated after reference_load
 * Errors:  ERR_CONFIG with file, line and mend when a file is there and wrong
 * Thread:  reference_load: startup, and main for a reload; lookups: any
 */
#pragma once

#include "base/err.h"
#include "base/span.h"

struct reference;

enum reference_list {
    REFERENCE_OFFICES,
    REFERENCE_COUNTRIES,
    REFERENCE_CURRENCIES,
    REFERENCE_INCOTERMS,
    REFERENCE_REGIMES,
    REFERENCE_PROCEDURE_PAIRS,
    REFERENCE_UNITS,
    REFERENCE_PACKAGE_TYPES,
    REFERENCE_UNLOCODE,
    REFERENCE_HS2017,
    REFERENCE_HS2022,
    REFERENCE_NATIONAL_CODES,
    REFERENCE_COUNTRY_GROUPS,
    REFERENCE_FX,
    REFERENCE_BANDS,
    REFERENCE_PILOT_ZONES,
    REFERENCE_NEIGHBOURS,
    REFERENCE_HS_MOVES,
    REFERENCE_LISTS,
};

/* Reads every known file of `dir` (and of `fallback_dir` for a file that dir lacks; may be NULL). Gives *out. */
enum err reference_load(const char *dir, const char *fallback_dir, struct reference **out,
                        struct err_info *info) MUST_USE;
void reference_free(struct reference *reference);

/* A number that changes when a file that reference_load would read comes, goes or is written. 0 is none.      Thread: any */
uint64_t reference_stamp(const char *dir, const char *fallback_dir);

/* File name of a list ("countries.csv"), and whether it was found. */
const char *reference_file(enum reference_list list);
bool reference_has(const struct reference *reference, enum reference_list list);

/* Hash of all content that can decide a verdict or a sum: part of the plan. */
uint64_t reference_hash(const struct reference *reference);

/* ---- nomenclature ---- */

enum hs_edition {
    HS_2017,
    HS_2022,
};

/* The edition in force on a date (2022 edition from 2022-01-01), and how statistics name it ("H5", "H6"). */
static inline enum hs_edition reference_edition(uint32_t date)
{
    return date >= 20220101 ? HS_2022 : HS_2017;
}
const char *reference_classification(enum hs_edition edition);

enum unit_kind {
    UNIT_NONE, /* no list, or a code without unit: decides nothing */
    UNIT_MASS,
    UNIT_LENGTH,
    UNIT_AREA,
    UNIT_VOLUME,
    UNIT_COUNT,
    UNIT_ENERGY,
};

enum {
    UNIT_INDEX_NONE = 0, /* no standard unit known */
    UNIT_INDEX_KG = 1,
    /* 2 .. : other standard units, in order of first use in units.csv */
};

/* hs6 as a number of six digits. */
bool reference_hs6_exists(const struct reference *reference, enum hs_edition edition, uint32_t hs6);

/* What became of a code of HS 2017 in HS 2022. */
enum hs_move {
    HS_MOVE_UNKNOWN, /* no list, or the list lacks it */
    HS_MOVE_SAME,    /* nothing */
    HS_MOVE_WHOLE,   /* all of it has another code now, or one that others have joined */
    HS_MOVE_MOSTLY,  /* its conversion is one code, but some of its goods have others */
    HS_MOVE_SPLIT,   /* several codes: figures of it can't be given to any */
};

enum { HS_TARGETS_MOST = 32 };

/* Codes of 2, 4 or 6 digits. out gets the HS 2022 codes that have some of it, its conversion first; *out_count of them. */
enum hs_move reference_hs_move(const struct reference *reference, uint32_t digits, uint32_t code,
                               uint32_t out[static HS_TARGETS_MOST], uint32_t *out_count);

enum { HS_SOURCES_MOST = 8 };

/* The other way: the HS 2017 codes whose goods a code of HS 2022 has. True: it has all goods of each of them, so that their sum is that of
 * the code. False, and none: some of their goods have other codes now. A code that no list knows is its own source. */
bool reference_hs_whole(const struct reference *reference, uint32_t digits, uint32_t code,
                        uint32_t out[static HS_SOURCES_MOST], uint32_t *out_count);

/* Index of the code's standard unit; UNIT_INDEX_NONE where it has none. */
uint8_t reference_standard_unit(const struct reference *reference, enum hs_edition edition, uint32_t hs6);

enum unit_kind reference_unit_kind(const struct reference *reference, uint8_t unit_index);

/* First rec20 code of units.csv for that standard unit ("H87"); empty for none and kg. */
struct text reference_unit_rec20(const struct reference *reference, uint8_t unit_index);

/* Converts a quantity in rec20 to the standard unit, rounded half away from zero. False if it does not belong to it. */
bool reference_unit_convert(const struct reference *reference, struct text rec20, int64_t micro, uint8_t unit_index,
                            int64_t *out_micro);

/* ---- countries, currencies ---- */

/* Decimals of a currency ("KRW" 0, "CNY" 2). False if the list lacks the currency or its decimals. */
bool reference_currency_minor(const struct reference *reference, struct text currency, uint32_t *out_decimals);

/* Whether a country belongs to a group ("SCO_MEMBER") on a date. */
bool reference_in_group(const struct reference *reference, struct text group, struct text alpha2, uint32_t date);

/* Monthly mean rate, units per USD x 10^8. False if the list lacks the month or the currency: then it decides nothing.
 */
bool reference_fx(const struct reference *reference, uint32_t yyyymm, struct text currency, int64_t *out_e8);

/* ---- the rest ---- */

/* Whether the national list (national_codes.csv) holds these digits or their beginning. */
bool reference_national_code(const struct reference *reference, struct text digits);

/* Name of the standard unit that a Rec 20 code belongs to ("u" of H87), as units.csv writes it; empty if it lacks the code. */
struct text reference_unit_name(const struct reference *reference, struct text rec20);
