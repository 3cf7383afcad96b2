/* SPDX-License-Identifier: Apache-2.0
 * cell.h - the key and the measures of one statistic cell, as tables and frames hold them.
 *
 * Key:     w0 = view 6 | enum cell_kind 2 | day or first of month, days since 1970, or hour, hours since 1970; + 2^21, 22 bits | commodity 34
 *          w1 = office 32 | border office 32      w2 = zone 32 | trade mode 32      (numbers of a code dictionary)
 *          w3 = partner 16 | consignment 16 | region 20 | flow 3 | mode 9
 *          In the publisher, trade mode is 1 + enum trade_class in a view with trade_class; in the key of a figure of a country group, partner is
 *          1 + the place of the group in the plan (membership.h).
 *          A dimension that the view does not have is 0. A cell of flow T holds corrections of `declarations` alone (tally.h).
 * Commodity: hs number cut to the view's digits, + 1; CELL_NO_HS where the item's code is shorter or no number
 * Units:   mg, minor units, millionths of the standard unit; counts
 * Thread:  any (plain data)
 */
#pragma once

#include "base/i128.h"
#include "base/span.h"
#include "base/table.h"

enum flow {
    FLOW_M = 1,
    FLOW_X = 2,
    FLOW_RM = 3,
    FLOW_RX = 4,
    FLOW_T = 5,
};

enum { FLOWS_MOST = 8 }; /* three bits of a key */

/* The name of a flow, as record keys and people write it; "" of 0, "?" of what is none. */
const char *flow_name(uint32_t flow);
/* The flow of a name. False, and *out untouched: there is none. */
bool flow_of_name(struct text name, enum flow *out);

/* What the time in a key is; 1 is of figures that no cell holds (period.h). */
enum cell_kind {
    CELL_DAY = 0,
    CELL_MONTH = 2,
    CELL_HOUR = 3,
};

enum {
    CELL_KIND_BIT = 56,
    CELL_MODE_MOST = 511,
    CELL_REGION_MOST = (1 << 20) - 1,
    CELL_DAY_BIAS = 1 << 21,
    CELL_DAY_BITS = 22,
};
#define CELL_HS_BITS 34
#define CELL_NO_HS ((1ULL << CELL_HS_BITS) - 1)

struct measures {
    i128 value_minor;
    i128 customs_value_minor;
    i128 net_mass_mg;
    i128 gross_mass_mg;
    i128 supp_quantity_micro;
    i128 estimated_mg;
    int64_t declarations;
    int64_t items;
    int64_t packages;
    int64_t warned_items;
    int64_t late_items;
    int64_t loaded_items; /* of history that was loaded: no journal has them */
};

static inline uint64_t cell_word0_of(uint32_t view, enum cell_kind kind, int32_t time, uint64_t commodity)
{
    return (uint64_t)view << 58 | (uint64_t)kind << CELL_KIND_BIT |
           (uint64_t)(uint32_t)(time + CELL_DAY_BIAS) << CELL_HS_BITS | commodity;
}

static inline uint64_t cell_word0(uint32_t view, bool month, int32_t day, uint64_t commodity)
{
    return cell_word0_of(view, month ? CELL_MONTH : CELL_DAY, day, commodity);
}

static inline uint64_t cell_word3(uint32_t partner, uint32_t consignment, uint32_t region, uint32_t flow, uint32_t mode)
{
    return (uint64_t)partner << 48 | (uint64_t)consignment << 32 | (uint64_t)region << 12 | (uint64_t)flow << 9 | mode;
}

static inline uint32_t cell_view(const struct table_key *key)
{
    return (uint32_t)(key->word[0] >> 58);
}

static inline unsigned cell_kind(const struct table_key *key)
{
    return key->word[0] >> CELL_KIND_BIT & 3;
}

static inline bool cell_is_month(const struct table_key *key)
{
    return cell_kind(key) == CELL_MONTH;
}

static inline bool cell_is_hour(const struct table_key *key)
{
    return cell_kind(key) == CELL_HOUR;
}

/* Whether a key has room for a day: it has for those of the years 1 to 7711. */
static inline bool cell_has_day(int32_t day)
{
    return day >= -CELL_DAY_BIAS && day < CELL_DAY_BIAS;
}

/* The day of a cell by day, the first day of one by month. */
static inline int32_t cell_day(const struct table_key *key)
{
    return (int32_t)(key->word[0] >> CELL_HS_BITS & ((1u << CELL_DAY_BITS) - 1)) - CELL_DAY_BIAS;
}

/* The hour of a cell by hour: hours of UTC since 1970. */
static inline int32_t cell_hour(const struct table_key *key)
{
    return cell_day(key);
}

static inline uint64_t cell_commodity(const struct table_key *key)
{
    return key->word[0] & CELL_NO_HS;
}

static inline uint32_t cell_office(const struct table_key *key)
{
    return (uint32_t)(key->word[1] >> 32);
}

static inline uint32_t cell_border_office(const struct table_key *key)
{
    return (uint32_t)key->word[1];
}

static inline uint32_t cell_zone(const struct table_key *key)
{
    return (uint32_t)(key->word[2] >> 32);
}

/* Or a class: see Key. */
static inline uint32_t cell_trade_mode(const struct table_key *key)
{
    return (uint32_t)key->word[2];
}

static inline uint32_t cell_partner(const struct table_key *key)
{
    return (uint32_t)(key->word[3] >> 48);
}

static inline uint32_t cell_consignment(const struct table_key *key)
{
    return key->word[3] >> 32 & 0xFFFF;
}

static inline uint32_t cell_region(const struct table_key *key)
{
    return key->word[3] >> 12 & CELL_REGION_MOST;
}

/* The key of a figure of a country group: no country has a first letter 0. */
static inline bool cell_is_of_group(const struct table_key *key)
{
    return cell_partner(key) > 0 && cell_partner(key) < 0x100;
}

static inline uint32_t cell_flow(const struct table_key *key)
{
    return key->word[3] >> 9 & 7;
}

/* Mode of transport. */
static inline uint32_t cell_mode(const struct table_key *key)
{
    return key->word[3] & CELL_MODE_MOST;
}

static inline bool cell_is_correction(const struct table_key *key)
{
    return cell_flow(key) == FLOW_T;
}

static inline void measures_add(struct measures *to, const struct measures *from)
{
    to->value_minor += from->value_minor;
    to->customs_value_minor += from->customs_value_minor;
    to->net_mass_mg += from->net_mass_mg;
    to->gross_mass_mg += from->gross_mass_mg;
    to->supp_quantity_micro += from->supp_quantity_micro;
    to->estimated_mg += from->estimated_mg;
    to->declarations += from->declarations;
    to->items += from->items;
    to->packages += from->packages;
    to->warned_items += from->warned_items;
    to->late_items += from->late_items;
    to->loaded_items += from->loaded_items;
}

static inline struct measures measures_opposite(const struct measures *m)
{
    return (struct measures){
        .value_minor = -m->value_minor,
        .customs_value_minor = -m->customs_value_minor,
        .net_mass_mg = -m->net_mass_mg,
        .gross_mass_mg = -m->gross_mass_mg,
        .supp_quantity_micro = -m->supp_quantity_micro,
        .estimated_mg = -m->estimated_mg,
        .declarations = -m->declarations,
        .items = -m->items,
        .packages = -m->packages,
        .warned_items = -m->warned_items,
        .late_items = -m->late_items,
        .loaded_items = -m->loaded_items,
    };
}

static inline bool measures_are_equal(const struct measures *a, const struct measures *b)
{
    return a->value_minor == b->value_minor && a->customs_value_minor == b->customs_value_minor &&
           a->net_mass_mg == b->net_mass_mg && a->gross_mass_mg == b->gross_mass_mg &&
           a->supp_quantity_micro == b->supp_quantity_micro && a->estimated_mg == b->estimated_mg &&
           a->declarations == b->declarations && a->items == b->items && a->packages == b->packages &&
           a->warned_items == b->warned_items && a->late_items == b->late_items && a->loaded_items == b->loaded_items;
}

static inline bool measures_are_none(const struct measures *m)
{
    static const struct measures none;
    return measures_are_equal(m, &none);
}
