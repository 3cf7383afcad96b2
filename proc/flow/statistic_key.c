/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/statistic_key.h"

#include "base/check.h"
#include "flow/dimension_text.h"
#include "trade/calendar.h"

enum { TIME_BITS = 24 }; /* of word 0 of a key, above the commodity */

static char *put_raw(char *at, const char *text)
{
    size_t length = strlen(text);
    memcpy(at, text, length);
    return at + length;
}

static char *put_number(char *at, uint32_t number)
{
    char digits[10];
    uint32_t count = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    while (count)
        *at++ = digits[--count];
    return at;
}

static void put_date(char at[static STATISTIC_DATE_BYTES], uint32_t date)
{
    for (int i = STATISTIC_DATE_BYTES - 1; i >= 0; i--, date /= 10)
        at[i] = (char)('0' + date % 10);
}

static uint64_t time_of(const struct table_key *key)
{
    return key->word[0] >> CELL_HS_BITS & ((1ULL << TIME_BITS) - 1);
}

static const struct statistic_key_time *time_text_of(struct statistic_keys *keys, const struct table_key *key)
{
    struct statistic_key_time *out = &keys->time;
    uint64_t time = time_of(key);
    if (time == out->time)
        return out;
    out->time = time;
    out->period = period_of(key);
    if (period_is_rolling(out->period)) {
        const char *name = period_roll_name(out->period);
        out->length = (uint32_t)strlen(name) + 1;
        memcpy(out->text, name, out->length - 1);
        out->text[out->length - 1] = '|';
        return out;
    }
    if (out->period == PERIOD_HOUR) {
        out->length = 2 * HOURS_KEY_BYTES + 1;
        hours_key(cell_hour(key), out->text);
        out->text[HOURS_KEY_BYTES] = '|';
        hours_key(cell_hour(key), out->text + HOURS_KEY_BYTES + 1);
        return out;
    }
    struct days days = period_days(key, 0);
    out->length = 2 * STATISTIC_DATE_BYTES + 1;
    put_date(out->text, calendar_date(days.from));
    out->text[STATISTIC_DATE_BYTES] = '|';
    put_date(out->text + STATISTIC_DATE_BYTES + 1, calendar_date(days.to));
    return out;
}

static char *put_dimension(char *at, const struct view *view, enum dimension dimension, const struct table_key *key,
                           const struct dictionary *codes)
{
    char text[16];
    uint32_t length = 0;
    switch (dimension) {
    case DIMENSION_FLOW:
        return put_raw(at, flow_name(cell_flow(key)));
    case DIMENSION_MODE:
        return put_number(at, cell_mode(key));
    case DIMENSION_OFFICE:
        length = dimension_code(codes, cell_office(key), text);
        break;
    case DIMENSION_BORDER_OFFICE:
        length = dimension_code(codes, cell_border_office(key), text);
        break;
    case DIMENSION_ZONE:
        length = dimension_code(codes, cell_zone(key), text);
        break;
    case DIMENSION_TRADE_MODE:
        length = dimension_code(codes, cell_trade_mode(key), text);
        break;
    case DIMENSION_TRADE_CLASS:
        return key_text_put(at, text_of(dimension_class(key)));
    case DIMENSION_REGION:
        length = dimension_code(codes, cell_region(key), text);
        break;
    case DIMENSION_PARTNER:
    case DIMENSION_PARTNER_GROUP:
        length = dimension_country(cell_partner(key), text);
        break;
    case DIMENSION_PARTNER_CONSIGNMENT:
        length = dimension_country(cell_consignment(key), text);
        break;
    case DIMENSION_HS2:
    case DIMENSION_HS4:
    case DIMENSION_HS6:
    case DIMENSION_HS8:
    case DIMENSION_HS10:
        length = dimension_commodity(cell_commodity(key), view->hs_digits, text);
        break;
    case DIMENSIONS:
        break;
    }
    return key_text_put(at, (struct text){text, length});
}

static char *put_part(char *at, const struct statistic_key_part *part)
{
    memcpy(at, part->text, part->length);
    return at + part->length;
}

static void end_part(struct statistic_key_part *part, const char *end)
{
    part->length = (uint32_t)(end - part->text);
    CHECK(part->length <= STATISTIC_PART_BYTES);
}

/* What all keys of a view, and all values of a dimension, begin with. */
void statistic_keys_init(struct statistic_keys *keys, const struct view_plan *plan)
{
    keys->plan = plan;
    for (uint32_t view = 0; view < keys->plan->count; view++) {
        const char *name = keys->plan->views[view].name;
        for (enum period period = PERIOD_HOUR; period < PERIODS; period++) {
            struct statistic_key_part *head = &keys->heads[view][period];
            char *end = put_raw(key_text_put(head->text, text_of(name)), "|");
            end_part(head, put_raw(put_raw(end, period_key_name(period)), "|"));
        }
    }
    for (int dimension = 0; dimension < DIMENSIONS; dimension++) {
        struct statistic_key_part *label = &keys->labels[dimension];
        end_part(label,
                 put_raw(put_raw(put_raw(label->text, "|"), view_dimension_name((enum dimension)dimension)), "="));
    }
    keys->time.time = UINT64_MAX;
}

struct text statistic_keys_make(struct statistic_keys *keys, const struct table_key *key,
                                const struct dictionary *codes)
{
    uint32_t index = cell_view(key);
    const struct view *view = &keys->plan->views[index];
    const struct statistic_key_time *time = time_text_of(keys, key);
    char *at = put_part(keys->key, &keys->heads[index][time->period]);
    memcpy(at, time->text, time->length);
    at += time->length;
    for (uint32_t i = 0; i < view->dimension_count; i++) {
        enum dimension dimension = view->dimensions[i];
        bool is_group = dimension == DIMENSION_PARTNER_GROUP && cell_is_of_group(key);
        if (dimension == DIMENSION_PARTNER_GROUP && !is_group) /* a country, of which groups are made */
            dimension = DIMENSION_PARTNER;
        at = put_part(at, &keys->labels[dimension]);
        at = is_group ? key_text_put(at, text_of(dimension_group(keys->plan, key)))
                      : put_dimension(at, view, dimension, key, codes);
    }
    CHECK(at <= keys->key + STATISTIC_KEY_BYTES);
    return (struct text){keys->key, (uint32_t)(at - keys->key)};
}

static struct text last_time(struct text key)
{
    struct text to = {NULL, 0};
    for (int part = 0; part < 4; part++) /* view, frequency, from, to */
        to = text_cut(&key, '|');
    return to;
}

bool statistic_key_hour(struct text key, int32_t *out_hour)
{
    return hours_read_key(last_time(key), out_hour);
}

bool statistic_key_day(struct text key, const struct zone *zone, int32_t *out_day)
{
    struct text to = last_time(key);
    int64_t date;
    int32_t hour;
    if (hours_read_key(to, &hour)) {
        *out_day = hours_day(zone, hour);
        return true;
    }
    if (to.length != STATISTIC_DATE_BYTES || !text_to_int64(to, &date) || date < 0 || !calendar_is_date((uint32_t)date))
        return false;
    *out_day = calendar_day((uint32_t)date);
    return true;
}
