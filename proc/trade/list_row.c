/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/list_row.h"

#include "trade/calendar.h"

/* yyyy-mm-dd as yyyymmdd; false if it is not a day of the calendar. */
static bool date_of(struct text text, uint32_t *out)
{
    if (text.length != 10 || text.data[4] != '-' || text.data[7] != '-' ||
        !text_is_digits((struct text){text.data, 4}) || !text_is_digits((struct text){text.data + 5, 2}) ||
        !text_is_digits((struct text){text.data + 8, 2}))
        return false;
    *out = list_row_digits(text.data, 4) * 10000 + list_row_digits(text.data + 5, 2) * 100 +
           list_row_digits(text.data + 8, 2);
    return calendar_is_date(*out);
}

enum err list_row_date(struct list_row *row, uint32_t column, uint32_t when_empty, uint32_t *out)
{
    struct text text = row->field[column];
    *out = when_empty;
    if (text.length == 0 || date_of(text, out))
        return OK;
    return ROW_WRONG(row, column, "\"%.*s\" is no date; write yyyy-mm-dd, or nothing", TEXT_ARGS(text));
}

bool list_row_decimal(struct text text, int64_t *out_numerator, int64_t *out_denominator)
{
    int64_t numerator = 0;
    int64_t denominator = 1;
    bool point = false;
    uint32_t digits = 0;
    for (uint32_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9' || ++digits > 15)
            return false;
        numerator = numerator * 10 + (c - '0');
        denominator *= point ? 10 : 1;
    }
    *out_numerator = numerator;
    *out_denominator = denominator;
    return numerator > 0;
}

enum err list_row_letters2(struct list_row *row, uint32_t column, uint32_t *out_place)
{
    struct text text = row->field[column];
    *out_place = lists_letters2(text);
    if (*out_place != CODE_NONE)
        return OK;
    return ROW_WRONG(row, column, "\"%.*s\" is no country code; write two capital letters", TEXT_ARGS(text));
}

enum err list_row_letters3(struct list_row *row, uint32_t column, uint32_t *out_place)
{
    struct text text = row->field[column];
    *out_place = lists_letters3(text);
    if (*out_place != CODE_NONE)
        return OK;
    return ROW_WRONG(row, column, "\"%.*s\" is no code of three capital letters", TEXT_ARGS(text));
}

enum err list_row_key(struct list_row *row, uint32_t column, uint64_t *out_key)
{
    struct text text = row->field[column];
    *out_key = codes_key(text);
    if (*out_key)
        return OK;
    return ROW_WRONG(row, column, "\"%.*s\": a code has 1 to 8 bytes", TEXT_ARGS(text));
}

enum err list_row_twice(struct list_row *row, uint32_t column)
{
    return ROW_WRONG(row, column, "\"%.*s\" is listed twice; remove one of the rows", TEXT_ARGS(row->field[column]));
}
