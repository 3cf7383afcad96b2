/* SPDX-License-Identifier: Apache-2.0
 * profile.h - whose trade the generator makes: offices, partners and regimes of a reporter, and how often each is
 * drawn.
 *
 * Units:   shares in 64ths; price_percent: minor units of the currency per hundredth of CNY
 * Thread:  any (constant)
 * Source:  office codes are our own, because no published list is reliable; shares are ours, plausible, no statistics
 */
#pragma once

#include "cmd/generator.h"

enum { PROFILE_OFFICES = 8, PROFILE_PARTNERS = 12, PROFILE_REGIMES = 8 };

/* A text and how often it is drawn, in 64ths; the shares of a list make 64. */
struct profile_share {
    struct text text;
    uint8_t of_64;
};

/* Regimes that are left out of the statistics, or counted in RM and RX. */
enum profile_apart { PROFILE_TEMPORARY, PROFILE_TRANSIT, PROFILE_RETURN, PROFILE_APART };

struct profile_office {
    struct text code;
    uint8_t of_64;
    uint8_t mode; /* Rec 19 */
    bool has_zone;
};

struct profile {
    const char *name;
    enum scheme scheme;
    struct text reporter;
    struct text currency;
    int32_t offset_hours;   /* of the office's time to UTC */
    uint32_t price_percent; /* minor units of the currency per hundredth of CNY, in percent */
    uint32_t code_digits;
    bool has_trade_mode;      /* else the regime stands in item.procedure */
    bool has_foreign_invoice; /* a tenth is invoiced in USD */
    struct profile_office offices[PROFILE_OFFICES];
    struct profile_share partners[PROFILE_PARTNERS];
    struct profile_share regimes[2][PROFILE_REGIMES]; /* imports, exports */
    struct text apart[2][PROFILE_APART];              /* likewise: see enum profile_apart; empty: the scheme has none */
};

extern const struct profile profile_rows[GENERATOR_PROFILES];
