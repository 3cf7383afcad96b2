/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/list_row.h"

static bool month_of(struct text text, uint32_t *out_year, uint32_t *out_month)
{
    if (text.length != 7 || text.data[4] != '-' || !text_is_digits((struct text){text.data, 4}) ||
        !text_is_digits((struct text){text.data + 5, 2}))
        return false;
    *out_year = list_row_digits(text.data, 4);
    *out_month = list_row_digits(text.data + 5, 2);
    return *out_year >= 1 && *out_month >= 1 && *out_month <= 12;
}

/* The month from which a currency is withdrawn: yyyy-mm; yyyy is its December; of a span ("1989 to 1990", "1989-1990",
 * "1990-07 to 1990-09": the list does not know it better) the end. */
static bool withdrawal_of(struct text text, uint32_t *out_year, uint32_t *out_month)
{
    struct text last = text;
    for (uint32_t i = 0; i < text.length; i++) {
        if (text.data[i] == ' ')
            last = (struct text){text.data + i + 1, text.length - i - 1};
    }
    if (last.length == 9 && last.data[4] == '-')
        last = (struct text){last.data + 5, 4};
    if (last.length == 4 && text_is_digits(last)) {
        *out_year = list_row_digits(last.data, 4);
        *out_month = 12;
        return *out_year >= 1;
    }
    return month_of(last, out_year, out_month);
}

enum err list_money_currency(struct list_row *row)
{
    struct reference *reference = row->reference;
    uint32_t place = 0;
    TRY(list_row_letters3(row, 0, &place));
    if (reference->currency[place])
        return list_row_twice(row, 0);
    struct text minor = row->field[1];
    struct text withdrawn = row->field[2];
    if (minor.length > 1 || (minor.length == 1 && (minor.data[0] < '0' || minor.data[0] > '9')))
        return ROW_WRONG(row, 1, "\"%.*s\": write the number of decimals, 0 to 9, or nothing", TEXT_ARGS(minor));
    reference->currency_minor[place] = minor.length ? (uint8_t)(minor.data[0] - '0') : CURRENCY_MINOR_NONE;
    uint32_t year = 0;
    uint32_t month = 0;
    if (withdrawn.length && (!withdrawal_of(withdrawn, &year, &month) || year > 5000))
        return ROW_WRONG(row, 2, "\"%.*s\" is no month; write yyyy-mm, or nothing", TEXT_ARGS(withdrawn));
    reference->currency[place] = CURRENCY_MONTH_NEVER;
    if (withdrawn.length)
        reference->currency[place] = (uint16_t)(year * 12 + month - 1);
    else if (row->field[0].data[0] == 'X' && minor.length == 0)
        reference->currency[place] = CURRENCY_MONTH_FUND;
    return OK;
}

enum err list_money_incoterm(struct list_row *row)
{
    uint32_t place = 0;
    TRY(list_row_letters3(row, 0, &place));
    if (row->reference->incoterm[place])
        return list_row_twice(row, 0);
    if (row->field[1].length && (row->field[1].length != 4 || !text_is_digits(row->field[1])))
        return ROW_WRONG(row, 1, "\"%.*s\" is no year; write yyyy, or nothing for an edition in force",
                         TEXT_ARGS(row->field[1]));
    uint32_t last = row->field[1].length ? list_row_digits(row->field[1].data, 4) : INCOTERM_YEAR_NEVER;
    if (last == 0)
        return ROW_WRONG(row, 1, "0000 is no year; write nothing for an edition in force");
    row->reference->incoterm[place] = (uint16_t)last;
    return OK;
}

enum err list_money_rate(struct list_row *row)
{
    struct reference *reference = row->reference;
    uint32_t year = 0;
    uint32_t month = 0;
    uint32_t place = 0;
    int64_t numerator = 0;
    int64_t denominator = 1;
    if (!month_of(row->field[0], &year, &month))
        return ROW_WRONG(row, 0, "\"%.*s\" is no month; write yyyy-mm", TEXT_ARGS(row->field[0]));
    TRY(list_row_letters3(row, 1, &place));
    if (!list_row_decimal(row->field[2], &numerator, &denominator) || denominator > 100000000 ||
        __builtin_mul_overflow(numerator, 100000000 / denominator, &numerator))
        return ROW_WRONG(row, 2, "\"%.*s\" is no rate; write a decimal number above 0 with up to 8 decimals",
                         TEXT_ARGS(row->field[2]));
    uint32_t count = reference->fx_count;
    uint32_t there = 0;
    if (!codes_put(&reference->fx, (uint64_t)(year * 100 + month) << 32 | (place + 1), count, &there))
        return ROW_WRONG(row, 1, "this month and currency are listed twice; remove one of the rows");
    reference->fx_rates = list_row_room(reference->fx_rates, count, sizeof *reference->fx_rates);
    reference->fx_rates[reference->fx_count++] = numerator;
    return OK;
}
