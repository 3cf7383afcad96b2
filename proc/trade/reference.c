/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/reference.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/i128.h"
#include "base/memory.h"
#include "trade/lists.h"
#include "trade/reference_read.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

enum { PATH_BYTES = 4096 };

static const struct text specials[] = {{"ZZ", 2}, {"XK", 2}}; /* of COD-105 */

static enum err check_dir(const char *dir, struct err_info *info)
{
    struct stat status;
    if (stat(dir, &status) != 0)
        return err_set(info, ERR_CONFIG, "reference.dir: %s: %s", dir, strerror(errno));
    if (!S_ISDIR(status.st_mode))
        return err_set(info, ERR_CONFIG, "reference.dir: %s is no folder; name the folder that holds the lists", dir);
    return OK;
}

/* Writes the path of a list's file in dir. *out_there: whether there is such a file. */
static enum err find_file(const char *dir, enum reference_list list, char *path, bool *out_there, struct err_info *info)
{
    struct stat status;
    int length = snprintf(path, PATH_BYTES, "%s/%s", dir, reference_read_file(list));
    if (length < 0 || length >= PATH_BYTES)
        return err_set(info, ERR_CONFIG, "reference.dir: the path is longer than %d bytes", (int)PATH_BYTES);
    *out_there = stat(path, &status) == 0;
    if (!*out_there && errno != ENOENT)
        return err_set(info, ERR_CONFIG, "%s: %s", path, strerror(errno));
    return OK;
}

static enum err read_list(struct reference *reference, enum reference_list list, const char *const dirs[2],
                          struct err_info *info)
{
    char path[PATH_BYTES];
    for (int i = 0; i < 2; i++) {
        bool there = false;
        if (!dirs[i])
            continue;
        TRY(find_file(dirs[i], list, path, &there, info));
        if (there)
            return reference_read(reference, list, path, info);
    }
    return OK;
}

/* 1000 x and 1 / 1000 x the median, each give or take 0.3 decade. */
static struct band_slip slip_of(int64_t median_e6)
{
    enum { NEAR = 501187, FAR = 1995262, THOUSANDTHS = 1000 };
    i128 median = (i128)median_e6;
    return (struct band_slip){.above_from_e6 = (int64_t)(median * NEAR / THOUSANDTHS),
                              .above_to_e6 = (int64_t)(median * FAR / THOUSANDTHS),
                              .below_from_e6 = (int64_t)(median * THOUSANDTHS / FAR),
                              .below_to_e6 = (int64_t)(median * THOUSANDTHS / NEAR)};
}

/* What a code has no band for, a shorter one may have. */
static void inherit(const struct reference *reference, struct bands *to, uint32_t code, uint32_t digits, bool export)
{
    uint32_t index;
    if (!codes_find(&reference->bands_of, lists_band_key(code, digits, export), &index))
        return;
    for (int measure = 0; measure < BAND_MEASURES; measure++) {
        if (to->of[measure].high_e6 == 0)
            to->of[measure] = reference->bands[index].of[measure];
    }
}

/* Subheadings have what their heading has, and all what their chapter has, so that one look-up finds all measures. */
static void inherit_bands(const struct reference *reference)
{
    const struct codes *codes = &reference->bands_of;
    for (uint32_t slot = 0; codes->count && slot <= codes->mask; slot++) {
        uint32_t code, digits;
        bool export;
        if (!lists_band_of_key(codes->keys[slot], &code, &digits, &export))
            continue;
        struct bands *to = &reference->bands[codes->values[slot]];
        if (digits == 6)
            inherit(reference, to, code / 100, 4, export);
        if (digits >= 4)
            inherit(reference, to, digits == 6 ? code / 10000 : code / 100, 2, export);
        to->slip = slip_of(to->of[BAND_VALUE_KG].median_e6);
    }
}

enum err reference_load(const char *dir, const char *fallback_dir, struct reference **out, struct err_info *info)
{
    const char *const dirs[2] = {dir && *dir ? dir : NULL, fallback_dir && *fallback_dir ? fallback_dir : NULL};
    for (int i = 0; i < 2; i++) {
        if (dirs[i])
            TRY(check_dir(dirs[i], info));
    }
    struct reference *reference = memory_new(1, sizeof *reference);
    for (int edition = 0; edition < 2; edition++)
        reference->hs[edition] = memory_new(HS6_CODES, sizeof *reference->hs[edition]);
    memset(reference->currency_minor, CURRENCY_MINOR_NONE, sizeof reference->currency_minor);
    reference->standard_units[UNIT_INDEX_KG] = (struct standard_unit){.name = "kg", .kind = UNIT_MASS};
    reference->standard_units_count = UNIT_INDEX_KG + 1;
    for (int list = 0; list < REFERENCE_LISTS; list++) {
        enum err err = read_list(reference, (enum reference_list)list, dirs, info);
        if (err != OK) {
            reference_free(reference);
            return err;
        }
    }
    inherit_bands(reference);
    for (size_t i = 0; i < sizeof specials / sizeof specials[0]; i++)
        reference->country[codes_country(specials[i]) / 64] |= 1ull << (codes_country(specials[i]) % 64);
    *out = reference;
    return OK;
}

static uint64_t stamp_file(enum reference_list list, const char *const dirs[2])
{
    char path[PATH_BYTES];
    for (int i = 0; i < 2; i++) {
        struct stat status;
        int length = dirs[i] ? snprintf(path, PATH_BYTES, "%s/%s", dirs[i], reference_read_file(list)) : -1;
        if (length < 0 || length >= PATH_BYTES || stat(path, &status) != 0)
            continue;
        uint64_t place = hash_words2((uint64_t)status.st_dev, (uint64_t)status.st_ino, (uint64_t)status.st_size);
        return hash_words2((uint64_t)status.st_mtim.tv_sec, (uint64_t)status.st_mtim.tv_nsec, place);
    }
    return 0;
}

uint64_t reference_stamp(const char *dir, const char *fallback_dir)
{
    const char *const dirs[2] = {dir && *dir ? dir : NULL, fallback_dir && *fallback_dir ? fallback_dir : NULL};
    uint64_t stamp = 1;
    for (int list = 0; list < REFERENCE_LISTS; list++)
        stamp = hash_mix(stamp ^ HASH_P0, stamp_file((enum reference_list)list, dirs) ^ HASH_P1);
    return stamp ? stamp : 1;
}

void reference_free(struct reference *reference)
{
    if (!reference)
        return;
    for (int edition = 0; edition < 2; edition++)
        memory_free(reference->hs[edition]);
    codes_fini(&reference->unit_of);
    codes_fini(&reference->offices);
    memory_free(reference->periods);
    for (int scheme = 0; scheme < SCHEME_COUNT; scheme++) {
        codes_fini(&reference->regimes[scheme]);
        codes_fini(&reference->procedure_pairs[scheme]);
    }
    codes_fini(&reference->locodes);
    codes_fini(&reference->package_types);
    codes_fini(&reference->national_codes);
    memory_free(reference->groups);
    codes_fini(&reference->fx);
    memory_free(reference->fx_rates);
    codes_fini(&reference->bands_of);
    memory_free(reference->bands);
    codes_fini(&reference->pilot_zones);
    codes_fini(&reference->neighbours);
    codes_fini(&reference->moves_of);
    codes_fini(&reference->moves_to);
    memory_free(reference->moves);
    memory_free(reference);
}

const char *reference_file(enum reference_list list)
{
    return reference_read_file(list);
}

bool reference_has(const struct reference *reference, enum reference_list list)
{
    CHECK(list < REFERENCE_LISTS);
    return reference->has[list];
}

uint64_t reference_hash(const struct reference *reference)
{
    return reference->hash;
}

const char *reference_classification(enum hs_edition edition)
{
    return edition == HS_2022 ? "H6" : "H5";
}

bool reference_hs6_exists(const struct reference *reference, enum hs_edition edition, uint32_t hs6)
{
    return lists_hs6(reference, edition, hs6) != 0;
}

uint8_t reference_standard_unit(const struct reference *reference, enum hs_edition edition, uint32_t hs6)
{
    uint32_t cell = lists_hs6(reference, edition, hs6);
    return cell ? (uint8_t)(cell - 1) : UNIT_INDEX_NONE;
}

/* The rows of a code, conversions before others. Returns how many conversions there are. */
static uint32_t targets_of(const struct reference *reference, uint32_t first, uint32_t out[static HS_TARGETS_MOST],
                           uint32_t *out_count)
{
    uint32_t conversions = 0;
    uint32_t count = 0;
    for (int pass = 1; pass >= 0; pass--) {
        for (uint32_t row = first + 1; row; row = reference->moves[row - 1].next) {
            if (reference->moves[row - 1].is_conversion != pass || count == HS_TARGETS_MOST)
                continue;
            out[count++] = reference->moves[row - 1].to;
            conversions += (uint32_t)pass;
        }
    }
    *out_count = count;
    return conversions;
}

enum hs_move reference_hs_move(const struct reference *reference, uint32_t digits, uint32_t code,
                               uint32_t out[static HS_TARGETS_MOST], uint32_t *out_count)
{
    uint32_t first;
    *out_count = 0;
    if (!codes_find(&reference->moves_of, lists_move_key(digits, code), &first))
        return HS_MOVE_UNKNOWN;
    uint32_t conversions = targets_of(reference, first, out, out_count);
    if (*out_count == 1)
        return out[0] == code ? HS_MOVE_SAME : HS_MOVE_WHOLE;
    return conversions == 1 ? HS_MOVE_MOSTLY : HS_MOVE_SPLIT;
}

bool reference_hs_whole(const struct reference *reference, uint32_t digits, uint32_t code,
                        uint32_t out[static HS_SOURCES_MOST], uint32_t *out_count)
{
    uint32_t row;
    uint32_t count = 0;
    *out_count = 0;
    if (!codes_find(&reference->moves_to, lists_move_key(digits, code), &row)) {
        if (!codes_has(&reference->moves_of,
                       lists_move_key(digits, code))) /* no list, or it decides nothing about it */
            out[(*out_count)++] = code;
        return true;
    }
    for (row++; row; row = reference->moves[row - 1].next_to) {
        uint32_t first;
        bool is_there =
            codes_find(&reference->moves_of, lists_move_key(digits, reference->moves[row - 1].from), &first);
        CHECK(is_there);
        if (reference->moves[first].next || count == HS_SOURCES_MOST)
            return false;
        out[count++] = reference->moves[row - 1].from;
    }
    *out_count = count;
    return true;
}

enum unit_kind reference_unit_kind(const struct reference *reference, uint8_t unit_index)
{
    return unit_index < reference->standard_units_count ? reference->standard_units[unit_index].kind : UNIT_NONE;
}

struct text reference_unit_rec20(const struct reference *reference, uint8_t unit_index)
{
    if (unit_index <= UNIT_INDEX_KG || unit_index >= reference->standard_units_count ||
        !reference->standard_units[unit_index].first)
        return (struct text){NULL, 0};
    return text_of(reference->units[reference->standard_units[unit_index].first - 1].rec20);
}

bool reference_unit_convert(const struct reference *reference, struct text rec20, int64_t micro, uint8_t unit_index,
                            int64_t *out_micro)
{
    const struct unit *unit = lists_unit(reference, rec20);
    if (!unit || unit->standard != unit_index)
        return false;
    bool saturated = false;
    if (unit->factor_numerator == unit->factor_denominator)
        *out_micro = micro;
    else
        *out_micro = i128_saturate(i128_divide_round((i128)micro * unit->factor_numerator, unit->factor_denominator),
                                   &saturated);
    return true;
}

bool reference_currency_minor(const struct reference *reference, struct text currency, uint32_t *out_decimals)
{
    uint32_t place = lists_letters3(currency);
    if (place == CODE_NONE || reference->currency_minor[place] == CURRENCY_MINOR_NONE)
        return false;
    *out_decimals = reference->currency_minor[place];
    return true;
}

bool reference_in_group(const struct reference *reference, struct text group, struct text alpha2, uint32_t date)
{
    for (uint32_t i = 0; i < reference->groups_count; i++) {
        const struct group_row *row = &reference->groups[i];
        if (date >= row->from && date < row->to_exclusive && text_is(alpha2, row->country) &&
            text_is(group, row->group))
            return true;
    }
    return false;
}

bool reference_fx(const struct reference *reference, uint32_t yyyymm, struct text currency, int64_t *out_e8)
{
    uint32_t place = lists_letters3(currency);
    uint32_t index;
    if (place == CODE_NONE || !codes_find(&reference->fx, (uint64_t)yyyymm << 32 | (place + 1), &index))
        return false;
    *out_e8 = reference->fx_rates[index];
    return true;
}

bool reference_national_code(const struct reference *reference, struct text digits)
{
    for (uint32_t length = NATIONAL_DIGITS_LEAST; length <= digits.length && length <= NATIONAL_DIGITS_MOST; length++) {
        if (codes_has(&reference->national_codes, lists_digits_key((struct text){digits.data, length})))
            return true;
    }
    return false;
}

struct text reference_unit_name(const struct reference *reference, struct text rec20)
{
    const struct unit *unit = lists_unit(reference, rec20);
    return unit ? text_of(reference->standard_units[unit->standard].name) : TEXT("");
}
