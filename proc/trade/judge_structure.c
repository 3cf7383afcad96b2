/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/calendar.h"
#include "trade/check_digit.h"
#include "trade/judge.h"

enum {
    VERSION_MOST = 999,
    ITEMS_MOST = 999,
    ITEMS_MOST_CN = 50,
    ID_BYTES_CN = 18,
    ID_BYTES_US = 11,
};

/* ---- texts ---- */

/* A high bit in some byte if one is outside 0x20..0x7E. The subtraction borrows, and the addition carries, only from a
 * byte that is itself outside, so the answer for the whole word is right. */
static inline uint64_t unplain(uint64_t word)
{
    return word | (word - JUDGE_EVERY_BYTE(0x20)) | (word + JUDGE_EVERY_BYTE(0x01));
}

/* High bits as of unplain if not all is printable ASCII: eight bytes at a time, the last word overlapping the one
 * before. `cap` is a constant: countries, currencies and units nearly always have just its length. */
static inline uint64_t text_unplain(struct text text, uint32_t cap)
{
    if ((cap == 2 || cap == 3) && text.length == cap) {
        uint16_t pair;
        memcpy(&pair, text.data, sizeof pair);
        uint64_t third = cap == 3 ? (uint8_t)text.data[2] : 0x20;
        return unplain((JUDGE_EVERY_BYTE(0x20) & ~0xFFFFFFull) | third << 16 | pair);
    }
    if (text.length < JUDGE_WORD)
        return text.length ? unplain(codes_key(text) | JUDGE_EVERY_BYTE(0x20) << (8 * text.length)) : 0;
    uint64_t all = unplain(judge_load(text.data)) | unplain(judge_load(text.data + text.length - JUDGE_WORD));
    if (text.length <= 2 * JUDGE_WORD)
        return all;
    for (uint32_t i = JUDGE_WORD; i + JUDGE_WORD < text.length; i += JUDGE_WORD)
        all |= unplain(judge_load(text.data + i));
    return all;
}

/* Length of the UTF-8 sequence at `at` of which `left` bytes are there; 0 if it is not valid (overlong, surrogate,
 * beyond U+10FFFF, cut off) or a control character (U+0000-1F, U+007F-9F). Source: Unicode 15, table 3-7. */
static uint32_t character_bytes(const uint8_t *at, uint32_t left)
{
    uint8_t first = at[0];
    if (first < 0x80)
        return first >= 0x20 && first != 0x7F;
    uint32_t bytes = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || left < bytes)
        return 0;
    for (uint32_t i = 1; i < bytes; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    }
    bool valid = !(first == 0xC2 && at[1] < 0xA0) && !(first == 0xE0 && at[1] < 0xA0) &&
                 !(first == 0xED && at[1] > 0x9F) && !(first == 0xF0 && at[1] < 0x90) &&
                 !(first == 0xF4 && at[1] > 0x8F);
    return valid ? bytes : 0;
}

static bool is_utf8(struct text text)
{
    const uint8_t *data = (const uint8_t *)text.data;
    for (uint32_t i = 0; i < text.length;) {
        uint32_t bytes = character_bytes(data + i, text.length - i);
        if (bytes == 0)
            return false;
        i += bytes;
    }
    return true;
}

/* STR-013, unrolled from declaration.def: the caps are constants, absent texts cost one comparison. PLAIN_ gathers
 * whether all texts are short and plain ASCII, as they nearly always are; only otherwise SOUND_ looks which one is
 * wrong. */
#define NOTHING(name, cap)
#define PLAIN_TEXT(name, cap)                                                                                          \
    if (of->name.length) {                                                                                             \
        longer |= of->name.length > (cap);                                                                             \
        unplain_all |= text_unplain(of->name, cap);                                                                    \
    }
#define PLAIN_TEXTS(name, cap) longer |= of->name.count > 0;
#define SOUND_TEXT(name, cap)                                                                                          \
    if (of->name.length > (cap) || !is_utf8(of->name))                                                                 \
        judge_find(judge, RULE_STR_013, item, #name);
#define SOUND_TEXTS(name, cap)                                                                                         \
    for (uint32_t k = 0; k < of->name.count; k++) {                                                                    \
        if (of->name.texts[k].length > (cap) || !is_utf8(of->name.texts[k]))                                           \
            judge_find(judge, RULE_STR_013, item, #name);                                                              \
    }
#define PLAIN_U32 NOTHING
#define PLAIN_I64 NOTHING
#define PLAIN_U64 NOTHING
#define PLAIN_ENUM NOTHING
#define PLAIN_BOOL NOTHING
#define PLAIN_ITEMS NOTHING
#define SOUND_U32 NOTHING
#define SOUND_I64 NOTHING
#define SOUND_U64 NOTHING
#define SOUND_ENUM NOTHING
#define SOUND_BOOL NOTHING
#define SOUND_ITEMS NOTHING

__attribute__((noinline)) static void header_unsound(const struct judge *judge, const struct declaration *of,
                                                     int32_t item)
{
#define DECLARATION_FIELD(number, kind, name, cap) SOUND_##kind(name, cap)
#include "trade/declaration.def"
}

__attribute__((noinline)) static void item_unsound(const struct judge *judge, const struct item *of, int32_t item)
{
#define ITEM_FIELD(number, kind, name, cap) SOUND_##kind(name, cap)
#include "trade/declaration.def"
}

static void header_texts(const struct judge *judge, const struct declaration *of)
{
    uint64_t unplain_all = 0;
    uint32_t longer = 0;
#define DECLARATION_FIELD(number, kind, name, cap) PLAIN_##kind(name, cap)
#include "trade/declaration.def"
    if (longer || unplain_all & JUDGE_EVERY_BYTE(0x80))
        header_unsound(judge, of, -1);
}

static void item_texts(const struct judge *judge, const struct item *of, int32_t item)
{
    uint64_t unplain_all = 0;
    uint32_t longer = 0;
#define ITEM_FIELD(number, kind, name, cap) PLAIN_##kind(name, cap)
#include "trade/declaration.def"
    if (longer || unplain_all & JUDGE_EVERY_BYTE(0x80))
        item_unsound(judge, of, item);
}

/* ---- figures ---- */

__attribute__((noinline)) static void header_negative(const struct judge *judge, const struct declaration *d)
{
    const struct {
        int64_t figure;
        const char *field;
    } all[] = {{d->total_gross_mass_mg, "total_gross_mass_mg"},
               {d->invoice_total_minor, "invoice_total_minor"},
               {d->freight_minor, "freight_minor"},
               {d->insurance_minor, "insurance_minor"},
               {d->other_charges_minor, "other_charges_minor"}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (all[i].figure < 0)
            judge_find(judge, RULE_STR_014, -1, all[i].field);
    }
}

__attribute__((noinline)) static void item_negative(const struct judge *judge, const struct item *t, int32_t item)
{
    const struct {
        int64_t figure;
        const char *field;
    } all[] = {{t->net_mass_mg, "net_mass_mg"},
               {t->statistical_value_minor, "statistical_value_minor"},
               {t->customs_value_minor, "customs_value_minor"},
               {t->gross_mass_mg, "gross_mass_mg"},
               {t->supp_quantity_micro, "supp_quantity_micro"},
               {t->invoice_value_minor, "invoice_value_minor"},
               {t->second_quantity_micro, "second_quantity_micro"}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (all[i].figure < 0)
            judge_find(judge, RULE_STR_014, item, all[i].field);
    }
}

/* STR-014 for the header. The sign bits together decide; only a declaration that has a negative figure pays for finding
 * out which. Of the items judge_items knows whether one may be negative. */
static inline void header_signs(const struct judge *judge, const struct declaration *d)
{
    if ((d->total_gross_mass_mg | d->invoice_total_minor | d->freight_minor | d->insurance_minor |
         d->other_charges_minor) < 0)
        header_negative(judge, d);
}

/* ---- identifier ---- */

static bool id_characters(struct text id)
{
    for (uint32_t i = 0; i < id.length; i++) {
        char c = id.data[i];
        bool fits = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '/' || c == '-';
        if (!fits)
            return false;
    }
    return true;
}

static bool is_upper_or_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
}

/* office/DDMMYY/7 digits; the office has 5 digits in KZ, BY and KG, 8 elsewhere (RU, AM). */
static bool eaeu_layout(struct text id, struct text reporter)
{
    struct text rest = id;
    struct text office = text_cut(&rest, '/');
    struct text day = text_cut(&rest, '/');
    bool short_office = text_is(reporter, "KZ") || text_is(reporter, "BY") || text_is(reporter, "KG");
    bool long_office = text_is(reporter, "RU") || text_is(reporter, "AM");
    if (!judge_is_digits(office) || !judge_is_digits(day) || !judge_is_digits(rest) || day.length != 6 ||
        rest.length != 7)
        return false;
    if (!(office.length == 5 && !long_office) && !(office.length == 8 && !short_office))
        return false;
    const char *d = day.data;
    uint32_t date = 20000000u + (uint32_t)((d[4] - '0') * 10 + d[5] - '0') * 10000u +
                    (uint32_t)((d[2] - '0') * 10 + d[3] - '0') * 100u + (uint32_t)((d[0] - '0') * 10 + d[1] - '0');
    return calendar_is_date(date);
}

static bool us_layout(struct text id)
{
    enum { FILER = 3 };
    if (id.length != ID_BYTES_US)
        return false;
    for (uint32_t i = 0; i < FILER; i++) {
        if (!is_upper_or_digit(id.data[i]))
            return false;
    }
    return judge_is_digits((struct text){id.data + FILER, ID_BYTES_US - FILER});
}

/* STR-017 for an id that has the CN layout. */
static void cn_parts(const struct judge *judge)
{
    enum { OFFICE = 4, FLAG = 8 };
    const struct declaration *d = judge->declaration;
    const char *id = d->declaration_id.data;
    if (d->office_code.length && (d->office_code.length != OFFICE || memcmp(d->office_code.data, id, OFFICE) != 0))
        judge_find(judge, RULE_STR_017, -1, "office_code");
    if ((judge->import && id[FLAG] != '1') || (judge->export && id[FLAG] != '0'))
        judge_find(judge, RULE_STR_017, -1, "direction");
}

static void identifier(const struct judge *judge)
{
    const struct declaration *d = judge->declaration;
    struct text id = d->declaration_id;
    bool digits = judge_is_digits(id);
    if (id.length == 0 || id.length > DECLARATION_ID_BYTES || (!digits && !id_characters(id)))
        judge_find(judge, RULE_STR_004, -1, "declaration_id");
    if (id.length == 0)
        return;
    bool layout = true;
    if (d->scheme == SCHEME_CN) {
        layout = digits && id.length == ID_BYTES_CN;
        if (layout)
            cn_parts(judge);
    } else if (d->scheme == SCHEME_EU) {
        enum check_digit mrn = check_digit_mrn(id);
        layout = mrn != CHECK_DIGIT_OTHER;
        if (mrn == CHECK_DIGIT_WRONG)
            judge_find(judge, RULE_STR_016, -1, "declaration_id");
    } else if (d->scheme == SCHEME_EAEU) {
        layout = eaeu_layout(id, d->reporter);
    } else if (d->scheme == SCHEME_US) {
        layout = us_layout(id);
    }
    if (!layout)
        judge_find(judge, RULE_STR_015, -1, "declaration_id");
}

/* ---- header ---- */

static void head(const struct judge *judge)
{
    const struct declaration *d = judge->declaration;
    if (d->schema_version != 1)
        judge_find(judge, RULE_STR_003, -1, "schema_version");
    if (d->function != FUNCTION_ORIGINAL && d->function != FUNCTION_REPLACE && d->function != FUNCTION_CANCEL)
        judge_find(judge, RULE_STR_005, -1, "function");
    if (d->version == 0 || d->version > VERSION_MOST || (d->function == FUNCTION_ORIGINAL && d->version != 1))
        judge_find(judge, RULE_STR_006, -1, "version");
    if (!judge->import && !judge->export && !(judge->cancel && d->direction == DIRECTION_UNSPECIFIED))
        judge_find(judge, RULE_STR_007, -1, "direction");
    if (d->office_code.length == 0 && !judge->cancel)
        judge_find(judge, RULE_STR_008, -1, "office_code");
    if (d->accepted_at_ms <= 0)
        judge_find(judge, RULE_STR_009, -1, "accepted_at_ms");
    if (judge->date == 0 && !(judge->cancel && d->reference_date == 0))
        judge_find(judge, RULE_STR_009, -1, "reference_date");
    uint32_t items_most = d->scheme == SCHEME_CN ? ITEMS_MOST_CN : ITEMS_MOST;
    if ((d->items.count == 0 && !judge->cancel) || d->items.count > items_most)
        judge_find(judge, RULE_STR_010, -1, "items");
    if (judge->context->key == KEY_WRONG)
        judge_find(judge, RULE_STR_018, -1, NULL);
    if (d->unknown_fields)
        judge_find(judge, RULE_STR_019, -1, NULL);
    if (judge->cancel && d->items.count)
        judge_find(judge, RULE_STR_020, -1, "items");
}

/* STR-012: an enum must have one of its values; in a cancel it may be absent. */
static inline void enum_known(const struct judge *judge, int32_t value, int32_t most, const char *field)
{
    if (value < 0 || value > most || (value == 0 && !judge->cancel))
        judge_find(judge, RULE_STR_012, -1, field);
}

static void header_required(const struct judge *judge)
{
    const struct declaration *d = judge->declaration;
    enum_known(judge, d->scheme, SCHEME_OTHER, "scheme");
    enum_known(judge, d->declaration_type, DECLARATION_TYPE_SUMMARY, "declaration_type");
    enum_known(judge, d->status, STATUS_REFUSED, "status");
    if (judge->cancel)
        return;
    if (d->reporter.length == 0)
        judge_find(judge, RULE_STR_012, -1, "reporter");
    if (d->reporting_currency.length == 0)
        judge_find(judge, RULE_STR_012, -1, "reporting_currency");
    if (d->submitted_at_ms == 0)
        rules_add_mild(judge->rules, judge->findings, RULE_STR_012, -1, "submitted_at_ms");
    if (d->declarant_id.length == 0)
        rules_add_mild(judge->rules, judge->findings, RULE_STR_012, -1, "declarant_id");
    if (d->trader_id.length == 0)
        rules_add_mild(judge->rules, judge->findings, RULE_STR_012, -1, "trader_id");
    if (d->scheme == SCHEME_CN && d->trade_mode.length == 0)
        judge_find(judge, RULE_STR_012, -1, "trade_mode");
    if (d->declaration_type == DECLARATION_TYPE_PERIODIC) {
        if (d->period_from == 0)
            judge_find(judge, RULE_STR_012, -1, "period_from");
        if (d->period_to == 0)
            judge_find(judge, RULE_STR_012, -1, "period_to");
    }
    if (d->declaration_type == DECLARATION_TYPE_SUPPLEMENTARY && d->previous_declaration_id.length == 0)
        judge_find(judge, RULE_VER_512, -1, "previous_declaration_id");
}

/* ---- items ---- */

static void item_required(const struct judge *judge, const struct item *t, int32_t item)
{
    if (t->hs_code.length == 0)
        judge_find(judge, RULE_STR_012, item, "hs_code");
    if (t->procedure.length == 0)
        judge_find(judge, RULE_STR_012, item, "procedure");
    if (judge->import) {
        bool consigned = judge->declaration->scheme == SCHEME_EAEU && judge_chapter_is(t->hs_code, '9', '7');
        if (consigned && t->consignment_country.length == 0)
            judge_find(judge, RULE_STR_012, item, "consignment_country");
        if (!consigned && t->origin_country.length == 0)
            judge_find(judge, RULE_STR_012, item, "origin_country");
    }
    if (judge->export && t->destination_country.length == 0)
        judge_find(judge, RULE_STR_012, item, "destination_country");
}

/* Numbers that do not simply count up: a bit per number shows the first that is out of range or comes twice. */
__attribute__((noinline)) static void number_again(const struct judge *judge)
{
    enum { BITS = 64, WORDS = DECLARATION_ITEMS_HARD / BITS + 1 };
    uint64_t seen[WORDS];
    const struct item_list *items = &judge->declaration->items;
    uint32_t most = judge->items;
    memset(seen, 0, (most / BITS + 1) * sizeof seen[0]);
    for (uint32_t i = 0; i < judge->items; i++) {
        uint32_t number = items->items[i].item_no - 1;
        if (number >= most || (seen[number / BITS] >> (number % BITS) & 1)) {
            judge_find(judge, RULE_STR_011, (int32_t)i, "item_no");
            return;
        }
        seen[number / BITS] |= 1ull << (number % BITS);
    }
}

/* STR-011. In a cancel the numbers are needed no more than the items are. */
static void numbers(const struct judge *judge)
{
    const struct item *items = judge->declaration->items.items;
    uint32_t present = 0;
    if (judge->all.counted)
        return;
    for (uint32_t i = 0; i < judge->items; i++)
        present |= items[i].item_no;
    if (present || !judge->cancel)
        number_again(judge);
}

void judge_structure(const struct judge *judge)
{
    const struct item *items = judge->declaration->items.items;
    head(judge);
    identifier(judge);
    header_required(judge);
    if (!judge->declaration->plain)
        header_texts(judge, judge->declaration);
    header_signs(judge, judge->declaration);
    numbers(judge);
    for (uint32_t i = 0; i < judge->items; i++) {
        if (!items[i].plain)
            item_texts(judge, &items[i], (int32_t)i);
        if (!judge->all.ordinary)
            item_negative(judge, &items[i], (int32_t)i);
        if (!judge->cancel)
            item_required(judge, &items[i], (int32_t)i);
    }
}
