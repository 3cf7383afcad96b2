/* SPDX-License-Identifier: Apache-2.0
 * statistic_key.h - the record key of a cell or figure, and what can be read off one.
 *
 * In:      a key (cell.h, period.h) with the numbers of a code dictionary
 * Out:     view|FREQ|FROM|TO|dim=value|... as contract.md section 3 says
 * Memory:  the maker keeps what keys have in common, and the last key: it is good until the next one is made
 * Limits:  STATISTIC_KEY_BYTES
 * Thread:  one owner for a maker; statistic_key_day, statistic_key_hour: any
 */
#pragma once

#include "flow/dictionary.h"
#include "flow/hours.h"
#include "flow/key_text.h"
#include "flow/period.h"
#include "flow/view.h"

enum {
    STATISTIC_KEY_BYTES = 1024,
    STATISTIC_DATE_BYTES = 8,                                      /* 20250703 */
    STATISTIC_PART_BYTES = KEY_TEXT_GROWTH * VIEW_NAME_BYTES + 16, /* a name with every byte escaped, and a frequency */
};

/* What the time in a key is as text: figures in a row mostly have the same. */
struct statistic_key_time {
    uint64_t time; /* in the key */
    enum period period;
    uint32_t length;
    char text[2 * HOURS_KEY_BYTES + 1];
};

/* A piece of record keys that many have in common. */
struct statistic_key_part {
    char text[STATISTIC_PART_BYTES];
    uint32_t length;
};

struct statistic_keys {
    const struct view_plan *plan;   /* shared */
    struct statistic_key_time time; /* of the last key */
    struct statistic_key_part labels[DIMENSIONS];
    struct statistic_key_part heads[VIEWS_MOST][PERIODS];
    char key[STATISTIC_KEY_BYTES];
};

/* Shares the plan, which must outlive it. There is nothing to free. */
void statistic_keys_init(struct statistic_keys *keys, const struct view_plan *plan);

struct text statistic_keys_make(struct statistic_keys *keys, const struct table_key *key,
                                const struct dictionary *codes);

/* A day of the month that a record key's period ends in; of an hour, its day in the zone (NULL: of UTC). False: it names none, as a
 * rolling one. */
bool statistic_key_day(struct text key, const struct zone *zone, int32_t *out_day);

/* The hour that a record key names. False: it names none. */
bool statistic_key_hour(struct text key, int32_t *out_hour);
