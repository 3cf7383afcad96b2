/* SPDX-License-Identifier: Apache-2.0
 * judge.h - inside of rules.h for the trade room: what the rules of a group see, and how they report.
 *
 * In:      one declaration, prepared once by rules_judge
 * Out:     findings through judge_find; a rule that is off reports nothing, so predicates need not ask
 * Limits:  without its list a rule is off: its look-ups find nothing then, and judge_find drops what follows from that
 * Thread:  any
 */
#pragma once

#include "base/i128.h"
#include "trade/lists.h"
#include "trade/rules.h"

/* A short list of codes from a setting. */
enum { JUDGE_WORDS_MOST = 32 };

struct judge_words {
    uint64_t keys[JUDGE_WORDS_MOST]; /* as codes_key gives them */
    uint32_t count;
};

static inline bool judge_words_have(const struct judge_words *words, struct text word)
{
    uint64_t key = codes_key(word);
    for (uint32_t i = 0; i < words->count && key; i++) {
        if (words->keys[i] == key)
            return true;
    }
    return false;
}

/* A month of the calendar in the reporter's zone, as far as zone data go. */
struct judge_month {
    int64_t begin_ms; /* first millisecond, if the clocks of its days are not changed; else INT64_MIN */
    int64_t close_ms; /* from here on a declaration for it is late */
    int32_t first_day;
    uint32_t days;
    char year[4]; /* digits */
};

enum { MONTHS_YEAR_FIRST = 1970, MONTHS = (2099 - MONTHS_YEAR_FIRST + 1) * 12 };

struct rules {
    uint8_t severity[RULE_COUNT]; /* in force */
    bool lenient;
    uint64_t reporter_key; /* as codes_key gives them */
    uint64_t reporting_currency_key;
    bool reporter_stands; /* as configured, both pass the lists on any date: what equals them needs no look-up */
    bool reporting_currency_stands;
    bool leaves_banknotes;
    uint16_t apart;                       /* the rules of STA in force, a bit for each from STA-801 */
    uint8_t status_outside[SCHEME_COUNT]; /* STA-808: by scheme, a bit for each status that does not count */
    const struct reference *reference;
    const struct zone *zone;
    int32_t provisional_days;
    uint32_t date_first; /* of TIM-403; 0 = any */
    int64_t future_bound_ms;
    bool late_out;
    int32_t final_months;
    struct judge_month months[MONTHS];
    bool yuan;                /* the reporting currency is CNY: limits in yuan can be compared */
    int64_t minor_per_unit;   /* minor units of the reporting currency, 0 = unknown */
    i128 unspecified_minor;   /* of HSC-611 */
    int64_t new_origin_minor; /* of CRE-308 */
    struct judge_words gift_regimes;
    struct judge_words plant_documents;
    uint64_t hash;
    char *off_reason[RULE_COUNT]; /* owned; NULL = in force */
};

/* Of the items of a declaration together, from one walk over them. */
struct judge_items {
    bool ordinary; /* no figure is negative or has more than ORDINARY_BITS; the rest but `counted` holds only then */
    bool counted;  /* their numbers are 1, 2, 3 and so on */
    bool gross_all;
    bool gross_any;
    bool trifle;       /* some statistical value is 0 or 1 */
    bool net_is_gross; /* of some item */
    int64_t net_mg;
    int64_t gross_mg;
    int64_t value_minor; /* statistical */
};

/* Figures of so many bits are no concern of ARI-219, and those of DECLARATION_ITEMS_HARD items add up in 63 bits. */
enum { ORDINARY_BITS = 46 };

struct judge {
    const struct rules *rules;
    const struct reference *reference;
    const struct declaration *declaration;
    const struct rules_context *context;
    struct findings *findings;
    uint32_t items; /* kept ones */
    struct judge_items all;
    uint32_t date;                   /* reference date, 0 if it is none */
    uint32_t regime;                 /* of the trade mode in regimes.csv; 0 but in CN */
    const struct judge_month *month; /* of it; NULL before 1970, after 2099 and where there is none */
    bool cancel;                     /* then nothing is required but what contract.md section 3 says */
    bool import;
    bool export;
};

static inline bool judge_on(const struct judge *judge, enum rule rule)
{
    return judge->rules->severity[rule] != SEVERITY_OFF;
}

static inline void judge_find(const struct judge *judge, enum rule rule, int32_t item, const char *field)
{
    rules_add(judge->rules, judge->findings, rule, item, field);
}

/* As judge_find for what the lenient profile only warns of. */
void rules_add_mild(const struct rules *rules, struct findings *findings, enum rule rule, int32_t item,
                    const char *field);

/* The sum of the statistical values. */
static inline i128 judge_value(const struct judge *judge)
{
    if (judge->all.ordinary)
        return judge->all.value_minor;
    i128 sum = 0;
    for (uint32_t i = 0; i < judge->items; i++)
        sum += judge->declaration->items.items[i].statistical_value_minor;
    return sum;
}

/* The groups, each in its own file. */
void judge_structure(const struct judge *judge);
void judge_codes(const struct judge *judge);
void judge_arithmetic(const struct judge *judge);
void judge_hs(const struct judge *judge);
void judge_statistics(const struct judge *judge);

/* Makes of options and severities what judge_statistics looks at. */
void judge_statistics_prepare(struct rules *rules, const struct rules_options *options);

/* ARI-210, 211, 217, 218. */
void judge_rate(const struct judge *judge);
void judge_credible(const struct judge *judge);
void judge_commerce(const struct judge *judge);

/* CRE-301 to 304 and 307 for one item; `cell` as lists_hs6 gives it. Only where there is a bands.csv. */
void judge_bands(const struct judge *judge, const struct item *item, uint32_t hs6, uint32_t cell, int32_t index);

/* Also tells whether the declaration is late. */
bool judge_time(const struct judge *judge);

#define JUDGE_EVERY_BYTE(b) (0x0101010101010101u * (uint64_t)(b))

enum { JUDGE_WORD = 8 };

static inline uint64_t judge_load(const char *data)
{
    uint64_t word;
    memcpy(&word, data, JUDGE_WORD);
    return word;
}

static inline bool judge_wrong(uint64_t high_bits)
{
    return (high_bits & JUDGE_EVERY_BYTE(0x80)) != 0;
}

/* A high bit in some byte if not all eight are 0-9. A carry comes only from a byte that is wrong itself, so the answer for
 * the whole word is right. */
static inline uint64_t judge_not_digits(uint64_t word)
{
    uint64_t digits = word ^ JUDGE_EVERY_BYTE('0');
    return digits | (digits + JUDGE_EVERY_BYTE(0x7F - 9));
}

/* Whether a text is what a key of two or of three bytes was made of. */
static inline bool judge_is_pair(struct text text, uint64_t key)
{
    uint16_t pair = 0;
    if (text.length == sizeof pair)
        memcpy(&pair, text.data, sizeof pair);
    return text.length == sizeof pair && pair == key;
}

static inline bool judge_is_triple(struct text text, uint64_t key)
{
    uint16_t pair;
    if (text.length != 3)
        return false;
    memcpy(&pair, text.data, sizeof pair);
    return (pair | (uint64_t)(uint8_t)text.data[2] << 16) == key;
}

/* True for 1 or more bytes that are all 0-9: eight at a time, the last word overlapping the one before. It is text_is_digits for the hot
 * path; a test compares the two. */
static inline bool judge_is_digits(struct text text)
{
    if (text.length < JUDGE_WORD) /* filled up with zeros as digits */
        return text.length > 0 &&
               !judge_wrong(judge_not_digits(codes_key(text) | JUDGE_EVERY_BYTE('0') << (8 * text.length)));
    uint64_t wrong =
        judge_not_digits(judge_load(text.data)) | judge_not_digits(judge_load(text.data + text.length - JUDGE_WORD));
    for (uint32_t i = JUDGE_WORD; i + JUDGE_WORD < text.length; i += JUDGE_WORD)
        wrong |= judge_not_digits(judge_load(text.data + i));
    return !judge_wrong(wrong);
}

/* True if the text begins with these two characters. */
static inline bool judge_chapter_is(struct text hs_code, char first, char second)
{
    return hs_code.length >= 2 && hs_code.data[0] == first && hs_code.data[1] == second;
}
