/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/generator.h"

#include "base/check.h"
#include "base/memory.h"
#include "cmd/profile.h"
#include "cmd/random.h"
#include "flow/wire.h"
#include "trade/calendar.h"

enum { MODE_AIR = 4, LATE_DAYS_MOST = 40, PARTY_BYTES = 6, DAY_MS = 86400000, MILLION = 1000000 };

/* What makes a declaration again: its content is a function of this and the version. */
struct past {
    uint64_t seed;
    uint32_t number;  /* of originals, from options.first_number: stands in the id */
    uint32_t version; /* newest; 0 = empty place */
    int32_t day;      /* local civil day of acceptance */
    int32_t ms;       /* of that day */
    enum function function;
};

struct generator {
    struct generator_options options;
    const struct profile *profile;
    struct goods *goods;
    struct random random;
    uint64_t records;
    uint32_t originals;
    int32_t first_day;
    uint8_t office_of[64];
    uint8_t partner_of[64];
    uint8_t regime_of[2][64];
    uint8_t items_of[64];
    /* the record given last */
    struct declaration declaration;
    struct item items[GENERATOR_ITEMS_MOST];
    char id[DECLARATION_ID_BYTES];
    char declarant[PARTY_BYTES];
    char trader[PARTY_BYTES];
    struct buffer bytes;
    struct past past[GENERATOR_WINDOW];
};

struct generator_options generator_defaults(void)
{
    return (struct generator_options){.profile = GENERATOR_CN,
                                      .seed = 1,
                                      .first_number = 1,
                                      .first_date = 20250101,
                                      .per_day = 50000,
                                      .amend_ppm = 40000,
                                      .cancel_ppm = 10000,
                                      .duplicate_ppm = 5000,
                                      .late_ppm = 5000,
                                      .bad_ppm = 10000,
                                      .apart_ppm = 10000};
}

static void spread_shares(const struct profile_share *shares, size_t count, uint8_t out[static 64])
{
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        for (uint8_t n = 0; n < shares[i].of_64; n++)
            out[at++] = (uint8_t)i;
    }
    CHECK(at == 64);
}

/* 1.75 items on average: 112 on 64. */
static void spread_items(uint8_t out[static 64])
{
    static const uint8_t of_64[][2] = {{1, 40}, {2, 13}, {3, 5}, {4, 3}, {5, 1}, {6, 1}, {GENERATOR_ITEMS_MOST, 1}};
    size_t at = 0;
    for (size_t i = 0; i < sizeof of_64 / sizeof of_64[0]; i++) {
        for (uint8_t n = 0; n < of_64[i][1]; n++)
            out[at++] = of_64[i][0];
    }
    CHECK(at == 64);
}

enum err generator_new(const struct generator_options *options, const struct reference *reference,
                       struct generator **out, struct err_info *info)
{
    if (!calendar_is_date(options->first_date) || options->per_day == 0)
        return err_set(info, ERR_CONFIG,
                       "the generator needs a calendar date to begin at and at least one record a day");
    uint64_t shares = (uint64_t)options->amend_ppm + options->cancel_ppm + options->duplicate_ppm + options->late_ppm +
                      options->bad_ppm;
    if (shares > MILLION)
        return err_set(info, ERR_CONFIG,
                       "the shares of amendments, cancels, duplicates, late and bad ones make more than 1");
    struct goods *goods;
    TRY(goods_new(reference, &goods, info));
    struct generator *generator = memory_new(1, sizeof *generator);
    generator->options = *options;
    generator->profile = &profile_rows[options->profile];
    generator->goods = goods;
    generator->random = random_of(options->seed);
    generator->first_day = calendar_day(options->first_date);
    size_t at = 0;
    for (size_t i = 0; i < PROFILE_OFFICES; i++) {
        for (uint8_t n = 0; n < generator->profile->offices[i].of_64; n++)
            generator->office_of[at++] = (uint8_t)i;
    }
    CHECK(at == 64);
    spread_shares(generator->profile->partners, PROFILE_PARTNERS, generator->partner_of);
    spread_shares(generator->profile->regimes[0], PROFILE_REGIMES, generator->regime_of[0]);
    spread_shares(generator->profile->regimes[1], PROFILE_REGIMES, generator->regime_of[1]);
    spread_items(generator->items_of);
    *out = generator;
    return OK;
}

void generator_free(struct generator *generator)
{
    if (!generator)
        return;
    goods_free(generator->goods);
    buffer_fini(&generator->bytes);
    memory_free(generator);
}

/* ---- the content of one declaration ---- */

static char *put_digits(char *at, uint64_t v, int digits)
{
    for (int i = digits - 1; i >= 0; i--, v /= 10)
        at[i] = (char)('0' + v % 10);
    return at + digits;
}

static char *put_text(char *at, struct text text)
{
    memcpy(at, text.data, text.length);
    return at + text.length;
}

static struct text make_id(struct generator *generator, const struct past *past, const struct profile_office *office,
                           enum direction direction)
{
    uint32_t date = calendar_date(past->day);
    char *at = put_text(generator->id, office->code);
    switch (generator->profile->scheme) {
    case SCHEME_CN: /* office4 year4 flag1 seq9 */
        at = put_digits(at, date / 10000, 4);
        *at++ = direction == DIRECTION_IMPORT ? '1' : '0';
        at = put_digits(at, past->number, 9);
        break;
    case SCHEME_EAEU: /* office/DDMMYY/7 digits: numbers run anew each day */
        *at++ = '/';
        at = put_digits(at, (uint64_t)(date % 100) * 10000 + date / 100 % 100 * 100 + date / 10000 % 100, 6);
        *at++ = '/';
        at = put_digits(at, past->number % 10000000, 7);
        break;
    default:
        at = put_digits(at, date / 10000 % 100, 2);
        at = put_digits(at, past->number, 9);
        *at++ = 'M';
        break;
    }
    return (struct text){generator->id, (uint32_t)(at - generator->id)};
}

/* Small numbers are common: a few traders make most declarations. */
static struct text make_party(char out[static PARTY_BYTES], char prefix, struct random *random)
{
    uint64_t bits = random_next(random);
    out[0] = prefix;
    put_digits(out + 1, (bits & 0xFFFF) >> (bits >> 16 & 7), PARTY_BYTES - 1);
    return (struct text){out, PARTY_BYTES};
}

struct load {
    bool is_parcel; /* e-commerce and small trade: light goods, small values */
    bool is_air;
    uint32_t scale_percent; /* an amendment states other masses and values */
    enum direction direction;
    struct text partner;
};

static bool is_parcel_mode(struct text mode)
{
    static const char *const modes[] = {"9610", "1210", "9710", "9810", "1039"};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (text_is(mode, modes[i]))
            return true;
    }
    return false;
}

/* Mass in grams: 1 to 100 kg for parcels, up to 100 t for freight, 10 t of it by air, log-uniform in steps. */
static uint64_t draw_grams(struct random *random, bool is_parcel, bool is_air)
{
    static const uint32_t tens[2][4] = {{1, 10, 100, 1000}, {1, 10, 100, 100}};
    uint64_t bits = random_next(random);
    uint64_t grams = 1000 + (bits >> 32) % 99000;
    return is_parcel ? grams : grams * tens[is_air][bits & 3];
}

static void fill_quantity(struct item *item, const struct commodity *commodity, uint64_t *grams)
{
    if (commodity->rec20.length == 0)
        return;
    uint64_t quantity_milli = *grams * 1000 / commodity->unit_grams;
    if (commodity->is_count) {
        uint64_t pieces = quantity_milli / 1000 + 1;
        quantity_milli = pieces * 1000;
        *grams = pieces * commodity->unit_grams;
    }
    item->supp_quantity_micro = (int64_t)(quantity_milli + (quantity_milli == 0)) * 1000;
    item->supp_unit = commodity->rec20;
}

static void fill_item(struct generator *generator, struct random *random, const struct load *load, uint32_t index)
{
    const struct profile *profile = generator->profile;
    struct item *item = &generator->items[index];
    const struct commodity *commodity = goods_at(generator->goods, load->direction, random_below(random, GOODS_SLOTS));
    if (load->is_parcel && !commodity->is_light)
        commodity = goods_lightest(generator->goods, load->direction);
    uint64_t grams = draw_grams(random, load->is_parcel, load->is_air) * load->scale_percent / 100 + 1;
    *item = (struct item){.item_no = index + 1,
                          .hs_code = {commodity->code, profile->code_digits},
                          .description = commodity->description};
    fill_quantity(item, commodity, &grams);
    uint64_t bits = random_next(random);
    uint64_t percent = 70 + (bits & 0xFFFF) % 81;
    uint64_t cents = grams * commodity->price_cents / 1000 * percent / 100 + 100;
    item->net_mass_mg = (int64_t)(grams * 1000);
    item->package_count = (uint32_t)(grams / 25000) + 1;
    item->gross_mass_mg =
        item->net_mass_mg + item->net_mass_mg / 16 / 1000 * 1000 + (int64_t)item->package_count * 200000;
    item->statistical_value_minor = (int64_t)(cents * profile->price_percent / 100) + 1;
    if (load->direction == DIRECTION_IMPORT) {
        item->origin_country = load->partner;
        item->customs_value_minor = item->statistical_value_minor;
    } else {
        item->destination_country = load->partner;
    }
}

/* A tenth is invoiced in USD, on terms whose charges the value holds (import) or lacks (export): ARI-210 can compare
 * them. */
static void fill_invoice(struct declaration *out, struct item *items, uint32_t count, struct random *random)
{
    uint64_t bits = random_next(random);
    if (bits % 10 != 0)
        return;
    const uint64_t rate_e8 = 718000000 + (bits >> 32) % 8000000; /* 7.18 to 7.26 CNY per USD */
    out->invoice_currency = TEXT("USD");
    out->fx_rate_e8 = (int64_t)rate_e8;
    out->incoterm = out->direction == DIRECTION_IMPORT ? TEXT("DAP") : TEXT("FCA");
    for (uint32_t i = 0; i < count; i++) {
        items[i].invoice_value_minor =
            (int64_t)((hash_wide)(uint64_t)items[i].statistical_value_minor * 100000000u / rate_e8) + 1;
        out->invoice_total_minor += items[i].invoice_value_minor;
    }
}

/* Half state the gross mass in the header only, as the form of GACC has it, and no packages. */
static void fill_sums(struct declaration *out, struct item *items, uint32_t count, bool header_only)
{
    for (uint32_t i = 0; i < count; i++) {
        out->total_gross_mass_mg += items[i].gross_mass_mg;
        out->total_packages += items[i].package_count;
        if (header_only) {
            items[i].gross_mass_mg = 0;
            items[i].package_count = 0;
            out->total_packages = 0;
        }
    }
}

/* Orders of at most about 2,000 CNY each. */
static void fill_commerce(struct declaration *out, const struct item *items, uint32_t count)
{
    int64_t total = 0;
    for (uint32_t i = 0; i < count; i++)
        total += items[i].statistical_value_minor;
    out->platform_id = TEXT("P01");
    out->order_count = (uint32_t)(total / 200000) + 1;
}

static int64_t accepted_ms(const struct generator *generator, const struct past *past)
{
    return (int64_t)past->day * DAY_MS + past->ms - (int64_t)generator->profile->offset_hours * 3600000;
}

/* Goods of the reporter's own that come back, or a declaration that does not count yet or never will. */
static void return_or_refuse(struct generator *generator, bool refuse)
{
    struct declaration *out = &generator->declaration;
    if (!refuse && out->direction == DIRECTION_IMPORT)
        generator->items[0].origin_country = generator->profile->reporter;
    else
        out->status = refuse || out->scheme != SCHEME_CN ? STATUS_REFUSED : STATUS_ACCEPTED;
}

/* The trade mode is one of all items; a procedure only of the last. */
static void set_apart(struct generator *generator, uint64_t draw)
{
    struct declaration *out = &generator->declaration;
    const struct profile *profile = generator->profile;
    struct text regime = {NULL, 0};
    if (draw % 4 < PROFILE_APART)
        regime = profile->apart[out->direction == DIRECTION_EXPORT][draw % 4];
    if (regime.length == 0)
        return_or_refuse(generator, draw % 4 == PROFILE_APART);
    else if (profile->has_trade_mode)
        out->trade_mode = regime;
    else
        generator->items[out->item_count - 1].procedure = regime;
}

/* Writes declaration and items: all from the past's seed, so that a later version has the same office, partner and
 * goods. */
static void build(struct generator *generator, const struct past *past)
{
    struct random random = random_of(past->seed);
    const struct profile *profile = generator->profile;
    uint64_t bits = random_next(&random);
    enum direction direction = (bits & 0xFF) < 154 ? DIRECTION_EXPORT : DIRECTION_IMPORT; /* 60 % exports */
    const struct profile_office *office = &profile->offices[generator->office_of[bits >> 8 & 63]];
    struct text regime = profile
                             ->regimes[direction == DIRECTION_EXPORT]
                                      [generator->regime_of[direction == DIRECTION_EXPORT][bits >> 16 & 63]]
                             .text;
    uint32_t item_count = generator->items_of[bits >> 24 & 63];
    struct declaration *out = &generator->declaration;
    *out = (struct declaration){.version = past->version,
                                .function = past->function,
                                .accepted_at_ms = accepted_ms(generator, past),
                                .schema_version = 1};
    out->declaration_id = make_id(generator, past, office, direction);
    if (past->function == FUNCTION_CANCEL)
        return; /* needs no more */
    struct load load = {.is_parcel = profile->has_trade_mode && is_parcel_mode(regime),
                        .is_air = office->mode == MODE_AIR,
                        .scale_percent = 100,
                        .direction = direction,
                        .partner = profile->partners[generator->partner_of[bits >> 32 & 63]].text};
    if (past->version > 1) {
        uint64_t state = past->seed + past->version;
        load.scale_percent = 80 + (uint32_t)(random_split(&state) % 41);
    }
    out->direction = direction;
    out->reference_date = calendar_date(past->day);
    out->office_code = office->code;
    out->border_transport_mode = office->mode;
    out->item_count = item_count;
    out->items = (struct item_list){generator->items, item_count};
    out->scheme = profile->scheme;
    out->reporter = profile->reporter;
    out->declaration_type = DECLARATION_TYPE_NORMAL;
    out->status = STATUS_RELEASED;
    /* a later version is handed in a while after the one before */
    out->submitted_at_ms = out->accepted_at_ms - 60000 + (int64_t)(past->version - 1) * 3600000;
    out->reporting_currency = profile->currency;
    out->declarant_id = make_party(generator->declarant, 'D', &random);
    out->trader_id = make_party(generator->trader, 'T', &random);
    if ((bits >> 45 & 3) == 0)
        out->border_office_code = office->code;
    if (office->has_zone && (bits >> 41 & 3) == 0) {
        out->zone_code = TEXT("ICBC");
        out->zone_line = bits >> 43 & 1 ? ZONE_LINE_FIRST : ZONE_LINE_SECOND;
    }
    if (profile->has_trade_mode)
        out->trade_mode = regime;
    for (uint32_t i = 0; i < item_count; i++) {
        fill_item(generator, &random, &load, i);
        generator->items[i].procedure = profile->has_trade_mode ? TEXT("101") : regime;
    }
    uint64_t draw = bits >> 48;
    bool is_apart = draw * MILLION < (uint64_t)generator->options.apart_ppm << 16 && past->version % 2 == 1;
    if (is_apart)
        set_apart(generator, draw);
    fill_sums(out, generator->items, item_count, bits >> 40 & 1);
    if (load.is_parcel && !text_is(regime, "1039"))
        fill_commerce(out, generator->items, item_count);
    if (profile->has_foreign_invoice && !load.is_parcel)
        fill_invoice(out, generator->items, item_count, &random);
}

/* ---- bad ones ---- */

enum { BREAKAGES = 20 };

/* Breaks one thing; the comment names the rule that must find it. */
static void break_rule(struct generator *generator, uint32_t which)
{
    struct declaration *declaration = &generator->declaration;
    struct item *item = &generator->items[0];
    switch (which) {
    case 0: /* STR-003 */
        declaration->schema_version = 9;
        break;
    case 1: /* STR-006 */
        declaration->version = 0;
        break;
    case 2: /* STR-009 */
        declaration->reference_date = declaration->reference_date / 100 * 100 + 32;
        break;
    case 3: /* STR-011 */
        item->item_no += 7;
        break;
    case 4: /* STR-012 */
        declaration->trader_id = (struct text){0};
        break;
    case 5: /* STR-014 */
        item->net_mass_mg = -item->net_mass_mg;
        break;
    case 6: /* STR-004 */
        generator->id[declaration->declaration_id.length - 1] = 'x';
        break;
    case 7: /* COD-103 */
        declaration->border_transport_mode = 6;
        break;
    case 8: /* COD-105 */
        declaration->dispatch_country = TEXT("QQ");
        break;
    case 9: /* COD-107 */
        declaration->freight_currency = TEXT("XTS");
        break;
    case 10: /* COD-115 */
        declaration->incoterm_place = TEXT("K10");
        break;
    case 11: /* COD-117 */
        item->valuation_method = 7;
        break;
    case 12: /* COD-120 */
        declaration->reporting_currency = TEXT("EUR");
        break;
    case 13: /* ARI-201 */
        declaration->item_count += 1;
        break;
    case 14: /* ARI-204 */
        item->gross_mass_mg = item->net_mass_mg - 1;
        break;
    case 15: /* ARI-207 */
        item->net_mass_mg = 0;
        break;
    case 16: /* ARI-216 */
        item->package_count += declaration->total_packages + 1;
        break;
    case 17: /* HSC-601 */
        item->hs_code = TEXT("1234567");
        break;
    case 18: /* HSC-602 */
        item->hs_code = TEXT("7700000000");
        break;
    default: /* ARI-213 */
        declaration->insurance_minor = 100;
        break;
    }
}

/* Cut in the middle of the first field's text, or begun with a group, which the schema does not know. */
static void break_bytes(struct buffer *bytes, uint64_t bits)
{
    if (bits & 1)
        bytes->length = 2 + (bits >> 8) % 12;
    else
        bytes->data[0] = 0x0B;
}

/* ---- the stream ---- */

static void give(struct generator *generator, enum generated_kind kind, struct generated *out)
{
    *out = (struct generated){.kind = kind,
                              .declaration = &generator->declaration,
                              .value = buffer_bytes(&generator->bytes),
                              .key = generator->declaration.declaration_id,
                              .timestamp_ms = generator->declaration.accepted_at_ms};
}

static struct past *draw_past(struct generator *generator)
{
    uint32_t kept = generator->originals < GENERATOR_WINDOW ? generator->originals : GENERATOR_WINDOW;
    for (int tries = 0; tries < 4 && kept > 0; tries++) {
        struct past *past = &generator->past[random_below(&generator->random, kept)];
        if (past->version > 0 && past->version < 900 && past->function != FUNCTION_CANCEL)
            return past;
    }
    return NULL;
}

static struct past new_original(struct generator *generator, enum generated_kind kind)
{
    uint32_t per_day = generator->options.per_day;
    uint64_t at = generator->records - 1;
    struct past past = {.seed = random_next(&generator->random),
                        .number = generator->options.first_number + generator->originals++,
                        .version = 1,
                        .day = generator->first_day + (int32_t)(at / per_day),
                        .ms = (int32_t)((at % per_day) * DAY_MS / per_day),
                        .function = FUNCTION_ORIGINAL};
    if (kind == GENERATED_LATE) {
        past.day -= 2 + (int32_t)(past.seed % (LATE_DAYS_MOST - 1));
        past.day = past.day < generator->first_day ? generator->first_day : past.day;
    }
    return past;
}

static enum generated_kind draw_kind(struct generator *generator)
{
    const struct generator_options *options = &generator->options;
    const uint32_t shares[] = {options->amend_ppm, options->cancel_ppm, options->duplicate_ppm, options->late_ppm,
                               options->bad_ppm};
    static const enum generated_kind kinds[] = {GENERATED_AMENDMENT, GENERATED_CANCEL, GENERATED_DUPLICATE,
                                                GENERATED_LATE, GENERATED_BAD};
    uint32_t draw = random_below(&generator->random, MILLION);
    for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++) {
        if (draw < shares[i])
            return kinds[i];
        draw -= shares[i];
    }
    return GENERATED_ORIGINAL;
}

void generator_next(struct generator *generator, struct generated *out)
{
    generator->records++;
    enum generated_kind kind = draw_kind(generator);
    struct past *old = NULL;
    if (kind == GENERATED_AMENDMENT || kind == GENERATED_CANCEL || kind == GENERATED_DUPLICATE)
        old = draw_past(generator);
    if (old && kind != GENERATED_DUPLICATE) {
        old->version++;
        old->function = kind == GENERATED_CANCEL ? FUNCTION_CANCEL : FUNCTION_REPLACE;
    }
    struct past made;
    if (!old) {
        kind = kind == GENERATED_LATE || kind == GENERATED_BAD ? kind : GENERATED_ORIGINAL;
        made = new_original(generator, kind);
        /* what is bad is not in the books: nothing may refer to it */
        struct past *place = &generator->past[(generator->originals - 1) % GENERATOR_WINDOW];
        *place = made;
        if (kind == GENERATED_BAD)
            place->version = 0;
    }
    build(generator, old ? old : &made);
    uint64_t how = kind == GENERATED_BAD ? random_next(&generator->random) : 0;
    bool undecodable = kind == GENERATED_BAD && how % 10 == 0;
    if (kind == GENERATED_BAD && !undecodable)
        break_rule(generator, (uint32_t)(how >> 32) % BREAKAGES);
    buffer_clear(&generator->bytes);
    wire_encode(&generator->declaration, &generator->bytes);
    if (undecodable)
        break_bytes(&generator->bytes, how >> 32);
    give(generator, kind, out);
    if (undecodable)
        out->declaration = NULL;
}

bool generator_profile_named(struct text name, enum generator_profile *out)
{
    for (int i = 0; i < GENERATOR_PROFILES; i++) {
        if (text_is(name, profile_rows[i].name)) {
            *out = (enum generator_profile)i;
            return true;
        }
    }
    return false;
}

const char *generator_kind_name(enum generated_kind kind)
{
    static const char *const names[GENERATED_KINDS] = {"originals", "late",       "amendments",
                                                       "cancels",   "duplicates", "bad"};
    return names[kind];
}
