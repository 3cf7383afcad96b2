/* SPDX-License-Identifier: Apache-2.0
 * judge.h - inside of rules.h for the trade room: what the rules of a group see, and how they report.
 *
 * In:      one declaration, prepared once by rules_judge
 * Out:     findings through judge_find; a rule that is off reports nothing, so predicates need not ask
 * Limits:  without its list a rule is off: its look-ups find nothing then, and judge_find drops what follows from that
 * Thread:  any
 */
#pragma once

#include "trade/lists.h"
#include "trade/rules.h"

struct rules {
    uint8_t severity[RULE_COUNT]; /* in force */
    bool lenient;
    uint64_t reporter_key; /* as codes_key gives them */
    uint64_t reporting_currency_key;
    const struct reference *reference;
    uint64_t hash;
    char *off_reason[RULE_COUNT]; /* owned; NULL = in force */
};

struct judge {
    const struct rules *rules;
    const struct reference *reference;
    const struct declaration *declaration;
    const struct rules_context *context;
    struct findings *findings;
    uint32_t items; /* kept ones */
    uint32_t date;  /* reference date, 0 if it is none */
    bool cancel;    /* then nothing is required but what contract.md section 3 says */
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

/* The groups, each in its own file. */
void judge_structure(const struct judge *judge);
void judge_codes(const struct judge *judge);
void judge_arithmetic(const struct judge *judge);
void judge_hs(const struct judge *judge);

#define JUDGE_EVERY_BYTE(b) (0x0101010101010101u * (uint64_t)(b))

enum { JUDGE_WORD = 8 };

static inline uint64_t judge_load(const char *data)
{
    uint64_t word;
    memcpy(&word, data, JUDGE_WORD);
    return word;
}

/* Zero if all eight bytes are 0-9: their high half is 3, and stays 3 when 6 is added. */
static inline uint64_t judge_not_digits(uint64_t word)
{
    const uint64_t high = JUDGE_EVERY_BYTE(0xF0);
    const uint64_t three = JUDGE_EVERY_BYTE(0x30);
    return ((word & high) ^ three) | (((word + JUDGE_EVERY_BYTE(0x06)) & high) ^ three);
}

/* True for 1 or more bytes that are all 0-9: eight at a time, the last word overlapping the one before. */
static inline bool judge_is_digits(struct text text)
{
    if (text.length < JUDGE_WORD) /* filled up with zeros as digits */
        return text.length > 0 && judge_not_digits(codes_key(text) | JUDGE_EVERY_BYTE('0') << (8 * text.length)) == 0;
    uint64_t wrong =
        judge_not_digits(judge_load(text.data)) | judge_not_digits(judge_load(text.data + text.length - JUDGE_WORD));
    for (uint32_t i = JUDGE_WORD; i + JUDGE_WORD < text.length; i += JUDGE_WORD)
        wrong |= judge_not_digits(judge_load(text.data + i));
    return wrong == 0;
}

/* True if the text begins with these two characters. */
static inline bool judge_chapter_is(struct text hs_code, char first, char second)
{
    return hs_code.length >= 2 && hs_code.data[0] == first && hs_code.data[1] == second;
}
