/* SPDX-License-Identifier: Apache-2.0
 * fuzz_rules.c - the rules over any declaration that decodes, and what becomes of it: any options, any one rule switched off.
 *
 * Input:   8 bytes of options: how to read the rest, options of the rules, which rule is off, the record's time; then a declaration,
 *          or changes to a declaration of our generator
 * Checks:  the same twice; findings in the order of the rules, of rules in force, as many as may be kept; a rule that is off finds
 *          nothing, and the others what they found before; what is known of texts while decoding changes no verdict; the contribution of
 *          what is not rejected survives its bytes
 */
#include "fuzz.h"

#include "cmd/generator.h"
#include "flow/contribution.h"
#include "flow/wire.h"

enum { SETS = 4, BASES = 48, BASE_ITEMS = 8, EDITS_MOST = 24 };

static struct {
    struct reference *reference;
    struct zone *zone;
    struct rules *rules[SETS][RULE_COUNT + 1]; /* by the rule that is off, RULE_COUNT: none; made when needed */
    struct buffer bases[BASES];
    struct arena arena;
} all;

static void setup(void)
{
    struct err_info info;
    wire_init();
    arena_init(&all.arena, (size_t)64 << 20);
    CHECK_SAY(reference_load(DRYPORT_SOURCE "/tests/data/reference", DRYPORT_SOURCE "/deploy/reference", &all.reference,
                             &info) == OK,
              "%s", info.text);
    CHECK_SAY(zone_new("Asia/Shanghai", &all.zone, &info) == OK, "%s", info.text);
    for (int i = 0; i < BASES; i++) {
        static struct generator *generator;
        struct generator_options options = generator_defaults();
        struct generated generated = {.declaration = NULL};
        options.profile = (enum generator_profile)(i * GENERATOR_PROFILES / BASES);
        options.apart_ppm = options.cancel_ppm = 100000;
        if (i * GENERATOR_PROFILES % BASES < GENERATOR_PROFILES) {
            generator_free(generator);
            CHECK_SAY(generator_new(&options, all.reference, &generator, &info) == OK, "%s", info.text);
        }
        while (!generated.declaration)
            generator_next(generator, &generated);
        buffer_add(&all.bases[i], generated.value.data, generated.value.length);
    }
}

static const struct rules *rules_of(uint32_t set, uint32_t off)
{
    static const char *const reporters[SETS][2] = {{"CN", "CNY"}, {"CN", "CNY"}, {"KZ", "KZT"}, {"KR", "KRW"}};
    struct rules **rules = &all.rules[set][off];
    struct err_info info;
    if (*rules)
        return *rules;
    struct rules_options options = rules_default_options(all.zone);
    memcpy(options.reporter, reporters[set][0], sizeof options.reporter);
    memcpy(options.reporting_currency, reporters[set][1], sizeof options.reporting_currency);
    options.lenient = set == 1;
    rules_default_severities(options.lenient, options.severity);
    options.special_trade = set == 2;
    options.nets_returns = set == 1;
    options.leaves_banknotes = set == 3;
    options.late_out = set >= 2;
    options.final_months = 18;
    options.gift_regimes = "0110,3010";
    options.plant_documents = "P1,P2";
    options.unspecified_value = 1000;
    options.new_origin_value = 1000;
    if (off < RULE_COUNT)
        options.severity[off] = SEVERITY_OFF;
    CHECK_SAY(rules_new(&options, all.reference, rules, &info) == OK, "%s", info.text);
    return *rules;
}

/* Verdicts have no severity that could be set; some rules keep the tables sound, and cmd/assemble.c lets nobody switch them off. */
static uint32_t off_of(uint32_t rule)
{
    static const enum rule locked[] = {RULE_STR_004, RULE_STR_006, RULE_STR_009,
                                       RULE_STR_010, RULE_STR_013, RULE_STR_014};
    for (size_t i = 0; i < sizeof locked / sizeof locked[0]; i++) {
        if (rule == locked[i])
            return RULE_COUNT;
    }
    bool is_set =
        rule < RULE_COUNT && (rule_rows[rule].severity == SEVERITY_WARN || rule_rows[rule].severity == SEVERITY_REJECT);
    return is_set ? rule : RULE_COUNT;
}

/* ---- a declaration of ours, changed ---- */

static int64_t some_number(struct choices *choices)
{
    static const int64_t numbers[] = {
        0,          1,         2,    9,    10,       99,         100,           999,
        1000,       INT32_MAX, -1,   5000, 20250131, 20260230,   1752800000000, INT64_MAX,
        UINT32_MAX, 20171231,  1000, 1100, 19700101, 4102444800, INT64_MIN,     1000000000000000};
    uint32_t which = choose(choices, sizeof numbers / sizeof numbers[0] + 8);
    if (which < sizeof numbers / sizeof numbers[0])
        return numbers[which];
    return (int64_t)(choose_u64(choices) >> choose(choices, 64));
}

static struct text some_text(struct choices *choices)
{
    static const char *const texts[] = {"",         "CN",         "KZ",          "ZZ",          "XK",
                                        "KR",       "USD",        "KRW",         "0110",        "3010",
                                        "9407",     "H87",        "KGM",         "847130",      "8471300000",
                                        "99990000", "7208510000", "IM",          "4000",        "0000",
                                        "10",       "FOB",        "DAT",         "MSCU1234566", "\xC3\xA9\xCC\x81",
                                        "\xFF",     " x ",        "CSQU3054383", "EXW",         "1",
                                        "P1",       "000000"};
    uint32_t which = choose(choices, sizeof texts / sizeof texts[0] + 4);
    if (which < sizeof texts / sizeof texts[0])
        return text_of(texts[which]);
    struct bytes bytes = choose_bytes(choices, choose(choices, 48));
    return (struct text){(const char *)bytes.data, (uint32_t)bytes.length};
}

static void edit(struct choices *choices, void *record, const struct field *fields, uint32_t count)
{
    const struct field *field = &fields[choose(choices, count)];
    void *at = (char *)record + field->offset;
    switch (field->kind) {
    case FIELD_TEXT:
        *(struct text *)at = some_text(choices);
        break;
    case FIELD_U32:
        *(uint32_t *)at = (uint32_t)some_number(choices);
        break;
    case FIELD_I64:
        *(int64_t *)at = some_number(choices);
        break;
    case FIELD_U64:
        *(uint64_t *)at = (uint64_t)some_number(choices);
        break;
    case FIELD_ENUM:
        *(int32_t *)at = (int32_t)choose(choices, 10);
        break;
    case FIELD_BOOL:
        *(bool *)at = choose(choices, 2);
        break;
    case FIELD_TEXTS: {
        struct text *texts = arena_alloc(&all.arena, 4 * sizeof *texts);
        uint32_t length = choose(choices, 4);
        for (uint32_t i = 0; i < length; i++)
            texts[i] = some_text(choices);
        *(struct text_list *)at = (struct text_list){texts, length};
        break;
    }
    case FIELD_ITEMS:
        break;
    }
}

/* A changed declaration of ours, through its bytes. */
static bool build(struct choices *choices, struct buffer *out)
{
    struct declaration declaration;
    bool canonical;
    const struct buffer *base = &all.bases[choose(choices, BASES)];
    if (wire_decode(buffer_bytes(base), &all.arena, &declaration, &canonical) != WIRE_OK)
        return false;
    struct item *items = arena_alloc(&all.arena, BASE_ITEMS * sizeof *items);
    uint32_t count = declaration.items.count < BASE_ITEMS ? declaration.items.count : BASE_ITEMS;
    if (count)
        memcpy(items, declaration.items.items, count * sizeof *items);
    declaration.items = (struct item_list){items, count};
    for (int i = 0; i < EDITS_MOST && choices_left(choices) > 0; i++) {
        uint32_t where = choose(choices, 8);
        if (where < 3 || declaration.items.count == 0)
            edit(choices, &declaration, declaration_fields, DECLARATION_FIELDS);
        else if (where < 7)
            edit(choices, &items[choose(choices, declaration.items.count)], item_fields, ITEM_FIELDS);
        else if (declaration.items.count < BASE_ITEMS)
            items[declaration.items.count++] = items[0];
    }
    wire_encode(&declaration, out);
    return true;
}

/* ---- what must hold ---- */

static bool same(const struct finding *a, const struct finding *b)
{
    return a->rule == b->rule && a->severity == b->severity && a->item == b->item &&
           (a->field == b->field || (a->field && b->field && strcmp(a->field, b->field) == 0));
}

static void check_same(const struct findings *a, const struct findings *b)
{
    CHECK(a->count == b->count && a->unkept == b->unkept && a->reject == b->reject &&
          a->warned_items == b->warned_items && a->apart == b->apart && a->not_counted == b->not_counted &&
          a->late == b->late);
    for (uint32_t i = 0; i < a->count; i++)
        CHECK(same(&a->list[i], &b->list[i]));
}

static void check_findings(const struct rules *rules, const struct declaration *declaration,
                           const struct findings *findings)
{
    bool reject = false;
    CHECK(findings->count <= FINDINGS_MOST && (findings->unkept == 0 || findings->count == FINDINGS_MOST));
    for (uint32_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->list[i];
        char path[64];
        CHECK(finding->rule < RULE_COUNT);
        CHECK(i == 0 || finding->rule >= findings->list[i - 1].rule);
        CHECK_SAY(!rules_off_reason(rules, (enum rule)finding->rule), "%s is off", rule_rows[finding->rule].code);
        bool is_lenient = finding->rule == RULE_STR_012 && finding->severity == SEVERITY_WARN; /* some fields of it */
        CHECK_SAY(is_lenient || finding->severity == rules_severity(rules, (enum rule)finding->rule), "%s",
                  rule_rows[finding->rule].code);
        CHECK(finding->severity != SEVERITY_OFF && finding->severity != SEVERITY_VERDICT);
        CHECK(finding->item >= -1 && finding->item < (int32_t)declaration_items_kept(declaration));
        CHECK(strlen(finding_path(finding, path, sizeof path)) > 0);
        reject = reject || finding->severity == SEVERITY_REJECT;
    }
    CHECK(findings->unkept > 0 || findings->reject == reject);
    CHECK(!reject || findings->reject);
}

/* The findings without those of one rule. */
static void check_off(const struct findings *with, const struct findings *without, uint32_t off)
{
    uint32_t kept = 0;
    if (with->unkept || off == RULE_COUNT)
        return;
    for (uint32_t i = 0; i < with->count; i++) {
        if (with->list[i].rule == off)
            continue;
        CHECK_SAY(kept < without->count && same(&with->list[i], &without->list[kept]), "%s off changes %s",
                  rule_rows[off].code, rule_rows[with->list[i].rule].code);
        kept++;
    }
    CHECK_SAY(kept == without->count, "%s off adds %s", rule_rows[off].code, rule_rows[without->list[kept].rule].code);
}

static void check_contribution(const struct rules *rules, const struct declaration *declaration,
                               const struct findings *findings)
{
    static struct contribution ours, again;
    static struct dictionary dictionary;
    static struct buffer first, second;
    struct err_info info;
    if (dictionary.count > DICTIONARY_MOST / 2)
        dictionary_fini(&dictionary);
    if (!dictionary.codes)
        dictionary_init(&dictionary);
    CHECK(contribution_from(declaration, all.reference, &dictionary, 7, findings->warned_items, findings->late, &ours,
                            &info) == OK);
    if (findings->apart)
        contribution_set_apart(&ours, rules, declaration);
    buffer_clear(&first);
    buffer_clear(&second);
    contribution_encode(&ours, &first);
    CHECK(contribution_decode(buffer_bytes(&first), &again));
    contribution_encode(&again, &second);
    CHECK(first.length == second.length && memcmp(first.data, second.data, first.length) == 0);
    CHECK(!findings->not_counted || ours.item_count == 0);
}

static void judge(struct bytes bytes, uint32_t set, uint32_t off, const struct rules_context *context)
{
    static struct findings first, second, less;
    struct declaration declaration;
    bool canonical;
    if (wire_decode(bytes, &all.arena, &declaration, &canonical) != WIRE_OK)
        return;
    const struct rules *rules = rules_of(set, RULE_COUNT);
    memset(&first, 0xA5, sizeof first);
    memset(&second, 0x5A, sizeof second);
    rules_judge(rules, &declaration, context, &first);
    rules_judge(rules, &declaration, context, &second);
    check_same(&first, &second);
    check_findings(rules, &declaration, &first);

    rules_judge(rules_of(set, off), &declaration, context, &less);
    check_findings(rules_of(set, off), &declaration, &less);
    check_off(&first, &less, off);

    bool plain = declaration.plain;
    declaration.plain = false;
    rules_judge(rules, &declaration, context, &second);
    check_same(&first, &second);
    declaration.plain = plain;
    if (!first.reject)
        check_contribution(rules, &declaration, &first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct buffer built;
    struct choices choices = choices_of(data, size);
    if (!all.reference)
        setup();
    arena_reset(&all.arena);
    uint32_t how = choose_byte(&choices);
    uint32_t set = choose(&choices, SETS);
    uint32_t off = off_of(choose(&choices, 65536) % (RULE_COUNT + 1));
    struct rules_context context = {.key = (enum key_check)choose(&choices, KEY_WRONG + 1)};
    context.timestamp_ms = 1735689600000 + (int64_t)choose(&choices, 65536) * 1800000;
    choose_byte(&choices);
    struct bytes bytes = choices_rest(&choices);
    if (how % 2) {
        buffer_clear(&built);
        if (!build(&choices, &built))
            return 0;
        bytes = buffer_bytes(&built);
    }
    judge(bytes, set, off, &context);
    return 0;
}
