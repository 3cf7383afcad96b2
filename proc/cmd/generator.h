/* SPDX-License-Identifier: Apache-2.0
 * generator.h - an endless, seeded stream of synthetic declarations, encoded, with amendments, cancels, duplicates,
 * late and bad ones.
 *
 * In:      a seed, a profile and reference lists: the same stream on every machine
 * Out:     records in arrival order; event time moves on by `per_day` records a day from `first_date`
 * Units:   shares in millionths of the records; ms since epoch UTC
 * Good:    a record that is not bad breaks no reject rule of the strict profile
 * Bad:     one record in ten of them does not decode, the others break a rule each (one of STR, COD, ARI, HSC)
 * Apart:   a share of the originals is outside the statistics, whole or in one item, or comes back; each amendment of such a one
 *          turns it into an ordinary one or back
 * Limits:  amendments, cancels and duplicates refer to the last GENERATOR_WINDOW declarations
 * Memory:  all at generator_new, about 4 MB; a record is good until the next generator_next
 * Errors:  ERR_CONFIG with the option, or as goods.h
 * Thread:  one owner; wire_init before
 */
#pragma once

#include "cmd/goods.h"

enum { GENERATOR_WINDOW = 1 << 16, GENERATOR_ITEMS_MOST = 8 };

enum generator_profile {
    GENERATOR_CN, /* scheme CN, reporter CN, CNY, Asia/Shanghai */
    GENERATOR_KZ, /* scheme EAEU, reporter KZ, KZT, Asia/Almaty */
    GENERATOR_KR, /* scheme KR, reporter KR, KRW, Asia/Seoul */
    GENERATOR_PROFILES,
};

struct generator_options {
    enum generator_profile profile;
    uint64_t seed;
    uint32_t first_date; /* yyyymmdd */
    /* Of the first original; the others follow. Generators that share a topic need ranges of their own. */
    uint32_t first_number;
    uint32_t per_day; /* records that make a day, > 0 */
    uint32_t amend_ppm;
    uint32_t cancel_ppm;
    uint32_t duplicate_ppm;
    uint32_t late_ppm;
    uint32_t bad_ppm;
    uint32_t apart_ppm; /* of the originals: re-imports, re-exports, what enters for a time, transit, refused ones */
};

enum generated_kind {
    GENERATED_ORIGINAL,
    GENERATED_LATE, /* an original that arrives days after its date */
    GENERATED_AMENDMENT,
    GENERATED_CANCEL,
    GENERATED_DUPLICATE,
    GENERATED_BAD,
    GENERATED_KINDS,
};

struct generated {
    enum generated_kind kind;
    const struct declaration *declaration; /* NULL if the bytes do not decode */
    struct bytes value;
    struct text key; /* the declaration id */
    int64_t timestamp_ms;
};

struct generator;

/* Seed 1, profile cn, 2025-01-01, 50,000 a day, 4 % amended, 1 % cancelled, 0.5 % duplicate, 0.5 % late, 1 % bad,
 * 1 % apart. */
struct generator_options generator_defaults(void);

/* Reads the goods out of reference, which may be freed afterwards. Gives *out. */
enum err generator_new(const struct generator_options *options, const struct reference *reference,
                       struct generator **out, struct err_info *info) MUST_USE;
/* Takes NULL. */
void generator_free(struct generator *generator);

void generator_next(struct generator *generator, struct generated *out);

/* "cn", "kz", "kr"; false if it is none of them. */
bool generator_profile_named(struct text name, enum generator_profile *out);
/* "amendments", ... */
const char *generator_kind_name(enum generated_kind kind);
