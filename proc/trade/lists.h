/* SPDX-License-Identifier: Apache-2.0
 * lists.h - inside of reference.h for the trade room: struct reference, and the look-ups that the judge does for every
 * declaration.
 *
 * In:      codes as the declaration writes them; a code of the wrong length is in no list
 * Memory:  owned by struct reference; 2 MB with both nomenclatures, of which a stream touches a small part
 * Thread:  any (immutable after reference_load)
 */
#pragma once

#include "trade/codes.h"
#include "trade/declaration.h"
#include "trade/reference.h"

enum {
    LETTERS2 = 26 * 26,
    LETTERS3 = 26 * 26 * 26,
    COUNTRY_WORDS = 65536 / 64, /* of which a few cache lines are ever touched */
    UNITS_MOST = 250,
    STANDARD_UNITS_MOST = 64,
    STANDARD_UNIT_BYTES = 16,
    HS6_CODES = 1000000,
};

#define CODE_NONE UINT32_MAX /* no place in a table */

struct unit {
    char rec20[4];
    uint8_t standard;         /* index of the standard unit it belongs to */
    int64_t factor_numerator; /* factor_to_std = numerator / denominator */
    int64_t factor_denominator;
};

struct standard_unit {
    char name[STANDARD_UNIT_BYTES];
    enum unit_kind kind;
    bool whole;    /* a count that HSC-607 wants whole: u, 2u, 12u, 1000u */
    uint8_t first; /* first unit of units.csv that belongs to it, + 1; 0 = none */
};

enum currency_state {
    CURRENCY_UNKNOWN,
    CURRENCY_CURRENT,
    CURRENCY_WITHDRAWN_LATELY, /* less than 12 months before */
    CURRENCY_WITHDRAWN,
    CURRENCY_FUND, /* fund, metal, test: X.. without a minor unit */
};

enum {
    CURRENCY_MONTH_NEVER = 0xFFFF, /* not withdrawn */
    CURRENCY_MONTH_FUND = 0xFFFE,
    CURRENCY_MINOR_NONE = 0xFF,
};

enum incoterm_state {
    INCOTERM_UNKNOWN,
    INCOTERM_IN_FORCE,
    INCOTERM_WITHDRAWN,
};

enum { INCOTERM_YEAR_NEVER = 0xFFFF };

/* Of one code of regimes.csv; above them its place in the statistics, see lists_place. */
enum {
    REGIME_IMPORT = 1,
    REGIME_EXPORT = 2,
    REGIME_GENERAL_IMPORT = 4,
    REGIME_GENERAL_EXPORT = 8,
    REGIME_PLACE_SHIFT = 4,
};

/* Where the statistics put goods of a regime: the column `statistics` of regimes.csv (docs/REFERENCE.md). */
enum regime_place {
    PLACE_COUNTED,
    PLACE_TEMPORARY, /* STA-801 */
    PLACE_TRANSIT,   /* STA-802 */
    PLACE_OUTSIDE,   /* STA-804 */
    PLACE_WAREHOUSE, /* STA-805: counted in general trade, not in special trade */
    PLACE_REIMPORT,  /* STA-806 */
    PLACE_REEXPORT,  /* STA-807 */
    PLACE_RETURNED,  /* a re-import or re-export, unless the reporter nets returns (STA-809) */
    PLACES,
};

struct period {
    uint32_t from; /* date, 0 = always */
    uint32_t to;   /* last date, UINT32_MAX = open */
    uint32_t next; /* another period of the same code: index + 1, 0 = none */
};

/* What bands.csv says of a code and a flow, in millionths; 0 = nothing. */
struct band {
    int64_t low_e6;
    int64_t median_e6;
    int64_t high_e6;
};

enum band_measure {
    BAND_VALUE_KG,   /* reporting currency per kg */
    BAND_VALUE_UNIT, /* reporting currency per standard unit */
    BAND_KG_UNIT,    /* kg per standard unit */
    BAND_VALUE,      /* reporting currency, of an item: its high is a quantile */
    BAND_MEASURES,
};

/* About a thousand times and a thousandth of the median value per kg: where a unit was taken for another (CRE-304). */
struct band_slip {
    int64_t above_from_e6;
    int64_t above_to_e6;
    int64_t below_from_e6;
    int64_t below_to_e6;
};

struct bands {
    struct band_slip slip;
    struct band of[BAND_MEASURES]; /* after reference_load those of a shorter code stand where the code has none */
};

struct group_row {
    char group[20];
    char country[3];
    uint32_t from;
    uint32_t to_exclusive;
};

/* A code of HS 2022 that has goods of one of HS 2017. */
struct hs_row {
    uint32_t from;
    uint32_t to;
    uint32_t next;    /* row of the same HS 2017 code + 1; 0: the last */
    uint32_t next_to; /* row of the same HS 2022 code + 1; 0: the last */
    bool is_conversion;
};

struct reference {
    bool has[REFERENCE_LISTS];
    uint64_t rows[REFERENCE_LISTS];
    uint64_t hash;
    uint64_t country[COUNTRY_WORDS]; /* a bit for each pair of bytes */
    uint16_t currency[LETTERS3];     /* 0 = unknown; year * 12 + month - 1 of withdrawal; CURRENCY_MONTH_... */
    uint8_t currency_minor[LETTERS3];
    uint16_t incoterm[LETTERS3]; /* 0 = unknown, the last year of its edition, INCOTERM_YEAR_NEVER = in force */
    uint8_t *hs[2];              /* by edition and six digits: 0 = no such code; else index of its standard unit + 1 */
    struct unit units[UNITS_MOST];
    uint32_t units_count;
    struct codes unit_of; /* -> index in units */
    struct standard_unit standard_units[STANDARD_UNITS_MOST];
    uint32_t standard_units_count;
    struct codes offices; /* -> first period */
    struct period *periods;
    uint32_t periods_count;
    struct codes regimes[SCHEME_COUNT];
    struct codes procedure_pairs[SCHEME_COUNT];
    struct codes locodes;
    uint8_t locode_country[LETTERS2];
    struct codes package_types;
    struct codes national_codes;
    struct group_row *groups;
    uint32_t groups_count;
    struct codes fx; /* month and currency -> index of fx_rates */
    int64_t *fx_rates;
    uint32_t fx_count;
    struct codes bands_of; /* lists_band_key -> index in bands */
    struct bands *bands;
    uint32_t bands_count;
    struct codes pilot_zones; /* -> first period */
    struct codes neighbours;  /* two countries */
    uint8_t has_neighbours[LETTERS2];
    struct codes moves_of; /* lists_move_key of an HS 2017 code -> its newest row in moves */
    struct codes moves_to; /* likewise, of an HS 2022 code */
    struct hs_row *moves;
    uint32_t moves_count;
};

static inline uint64_t lists_move_key(uint32_t digits, uint32_t code)
{
    return (uint64_t)digits << 32 | (code + 1);
}

static inline uint32_t lists_letter(char c)
{
    return (uint32_t)(uint8_t)c - 'A';
}

/* Place of a country code in a table of LETTERS2, CODE_NONE if it is not two capital letters. */
static inline uint32_t lists_letters2(struct text code)
{
    if (code.length != 2)
        return CODE_NONE;
    uint32_t a = lists_letter(code.data[0]);
    uint32_t b = lists_letter(code.data[1]);
    return a < 26 && b < 26 ? a * 26 + b : CODE_NONE;
}

static inline uint32_t lists_letters3(struct text code)
{
    if (code.length != 3)
        return CODE_NONE;
    uint32_t a = lists_letter(code.data[0]);
    uint32_t b = lists_letter(code.data[1]);
    uint32_t c = lists_letter(code.data[2]);
    return a < 26 && b < 26 && c < 26 ? (a * 26 + b) * 26 + c : CODE_NONE;
}

/* ZZ (unknown) and XK are no ISO codes but listed specials of COD-105: reference_load enters them. */
static inline bool lists_country(const struct reference *reference, struct text code)
{
    if (code.length != 2)
        return false;
    uint32_t pair = codes_country(code);
    return reference->country[pair / 64] >> (pair % 64) & 1;
}

/* State of a currency on a date (yyyymmdd); 0 = unknown: then nothing counts as withdrawn. */
static inline enum currency_state lists_currency(const struct reference *reference, struct text code, uint32_t date)
{
    uint32_t place = lists_letters3(code);
    uint32_t state = place == CODE_NONE ? 0 : reference->currency[place];
    if (state == CURRENCY_MONTH_NEVER)
        return CURRENCY_CURRENT;
    if (state == 0)
        return CURRENCY_UNKNOWN;
    if (state == CURRENCY_MONTH_FUND)
        return CURRENCY_FUND;
    uint32_t month = date ? date / 10000 * 12 + date / 100 % 100 - 1 : 0;
    if (month < state)
        return CURRENCY_CURRENT;
    return month < state + 12 ? CURRENCY_WITHDRAWN_LATELY : CURRENCY_WITHDRAWN;
}

/* State of a delivery term on a date (yyyymmdd); 0 = unknown: then nothing counts as withdrawn. */
static inline enum incoterm_state lists_incoterm(const struct reference *reference, struct text code, uint32_t date)
{
    uint32_t place = lists_letters3(code);
    uint32_t last = place == CODE_NONE ? 0 : reference->incoterm[place];
    if (last == 0)
        return INCOTERM_UNKNOWN;
    return date / 10000 > last ? INCOTERM_WITHDRAWN : INCOTERM_IN_FORCE;
}

/* 0 = no such code, else index of its standard unit + 1. */
static inline uint32_t lists_hs6(const struct reference *reference, enum hs_edition edition, uint32_t hs6)
{
    return hs6 < HS6_CODES ? reference->hs[edition][hs6] : 0;
}

/* The unit of that code, or NULL. */
static inline const struct unit *lists_unit(const struct reference *reference, struct text code)
{
    uint32_t index;
    return codes_find(&reference->unit_of, codes_key(code), &index) ? &reference->units[index] : NULL;
}

/* REGIME_ bits of a code, 0 if it is not listed for the scheme. */
static inline uint32_t lists_regime(const struct reference *reference, int32_t scheme, struct text code)
{
    uint32_t bits = 0;
    if (scheme > 0 && scheme < SCHEME_COUNT)
        codes_find(&reference->regimes[scheme], codes_key(code), &bits);
    return bits;
}

static inline enum regime_place lists_place(uint32_t regime_bits)
{
    return (enum regime_place)(regime_bits >> REGIME_PLACE_SHIFT);
}

/* A code that is listed by periods; on `date`, or on any if date is 0. */
static inline bool lists_period(const struct reference *reference, const struct codes *codes, struct text code,
                                uint32_t date)
{
    uint32_t index;
    if (!codes_find(codes, codes_key(code), &index))
        return false;
    if (date == 0)
        return true;
    for (;;) {
        const struct period *period = &reference->periods[index];
        if (date >= period->from && date <= period->to)
            return true;
        if (period->next == 0)
            return false;
        index = period->next - 1;
    }
}

static inline bool lists_office(const struct reference *reference, struct text code, uint32_t date)
{
    return lists_period(reference, &reference->offices, code, date);
}

/* Code of `digits` (2, 4 or 6) digits in one flow. */
static inline uint64_t lists_band_key(uint32_t code, uint32_t digits, bool export)
{
    return ((uint64_t)code << 8 | digits) << 1 | export;
}

/* The same the other way; false for a free slot. */
static inline bool lists_band_of_key(uint64_t key, uint32_t *code, uint32_t *digits, bool *export)
{
    *export = key & 1;
    *digits = key >> 1 & 0xFF;
    *code = (uint32_t)(key >> 9);
    return key != 0;
}

/* What is known of a commodity: by its six digits, else its four, else its two. NULL: nothing. */
static inline const struct bands *lists_bands(const struct reference *reference, uint32_t hs6, bool export)
{
    uint32_t index;
    if (codes_find(&reference->bands_of, lists_band_key(hs6, 6, export), &index) ||
        codes_find(&reference->bands_of, lists_band_key(hs6 / 100, 4, export), &index) ||
        codes_find(&reference->bands_of, lists_band_key(hs6 / 10000, 2, export), &index))
        return &reference->bands[index];
    return NULL;
}

/* Whether `other` lies at the border of `country`; true where the list has nothing about that country. */
static inline bool lists_neighbour(const struct reference *reference, struct text country, struct text other)
{
    char pair[4];
    uint32_t place = lists_letters2(country);
    if (place == CODE_NONE || !reference->has_neighbours[place] || other.length != 2)
        return true;
    memcpy(pair, country.data, 2);
    memcpy(pair + 2, other.data, 2);
    return codes_has(&reference->neighbours, codes_key((struct text){pair, sizeof pair}));
}

/* Digits of a national code as a number that also tells how many there are. */
static inline uint64_t lists_digits_key(struct text digits)
{
    uint64_t key = 1;
    for (uint32_t i = 0; i < digits.length; i++)
        key = key * 10 + (uint64_t)(digits.data[i] - '0');
    return key;
}

enum { NATIONAL_DIGITS_LEAST = 2, NATIONAL_DIGITS_MOST = 13 };
