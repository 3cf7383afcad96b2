/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/list_row.h"

#include "base/i128.h"

enum {
    BAND_COUNT_LEAST = 30,
    BAND_SCALE = 1000000,
    BAND_NARROWEST = 1412537, /* 0.15 decade, in millionths */
};

#define BAND_MOST_E6 INT64_C(4000000000000000) /* times 2,000 it has 63 bits */

static const char *const band_names[BAND_MEASURES] = {
    [BAND_VALUE_KG] = "value_kg", [BAND_VALUE_UNIT] = "value_unit", [BAND_KG_UNIT] = "kg_unit", [BAND_VALUE] = "value"};

/* A positive decimal in millionths. */
static enum err read_millionths(struct list_row *row, uint32_t column, int64_t *out)
{
    int64_t numerator = 0;
    int64_t denominator = 1;
    if (!list_row_decimal(row->field[column], &numerator, &denominator) || denominator > BAND_SCALE ||
        __builtin_mul_overflow(numerator, BAND_SCALE / denominator, &numerator) || numerator > BAND_MOST_E6)
        return ROW_WRONG(row, column, "\"%.*s\": write a decimal number above 0, to 4000000000, with up to 6 decimals",
                         TEXT_ARGS(row->field[column]));
    *out = numerator;
    return OK;
}

/* The figures of a band; of item values only the quantile. */
static enum err read_band(struct list_row *row, enum band_measure measure, struct band *out)
{
    TRY(read_millionths(row, 6, &out->high_e6));
    if (measure == BAND_VALUE)
        return OK;
    TRY(read_millionths(row, 4, &out->low_e6));
    TRY(read_millionths(row, 5, &out->median_e6));
    if ((i128)out->high_e6 * BAND_SCALE < (i128)out->median_e6 * BAND_NARROWEST ||
        (i128)out->low_e6 * BAND_NARROWEST > (i128)out->median_e6 * BAND_SCALE)
        return ROW_WRONG(row, 5, "\"%.*s\": a band reaches 0.15 decade (x 1.4125) or more to both sides of its median",
                         TEXT_ARGS(row->field[5]));
    return OK;
}

enum err list_bands_band(struct list_row *row)
{
    struct reference *reference = row->reference;
    struct text code = row->field[0];
    int64_t count = 0;
    uint32_t measure = 0;
    while (measure < BAND_MEASURES && !text_is(row->field[2], band_names[measure]))
        measure++;
    if (measure == BAND_MEASURES)
        return ROW_WRONG(row, 2, "\"%.*s\": write value_kg, value_unit, kg_unit or value", TEXT_ARGS(row->field[2]));
    bool is_heading = code.length == 4;
    if (!text_is_digits(code) || !(is_heading || (measure != BAND_VALUE && (code.length == 2 || code.length == 6))))
        return ROW_WRONG(row, 0, "\"%.*s\": write an HS code of 2, 4 or 6 digits, for value of 4", TEXT_ARGS(code));
    bool export = text_is(row->field[1], "X");
    if (!export && !text_is(row->field[1], "M"))
        return ROW_WRONG(row, 1, "\"%.*s\": write M (import) or X (export)", TEXT_ARGS(row->field[1]));
    if (!text_to_int64(row->field[3], &count) || count < 0)
        return ROW_WRONG(row, 3, "\"%.*s\" is no number of observations", TEXT_ARGS(row->field[3]));
    struct band band = {0};
    TRY(read_band(row, (enum band_measure)measure, &band));
    if (count < BAND_COUNT_LEAST)
        return OK; /* too few to say anything: that of a shorter code stands */
    uint32_t index = reference->bands_count;
    if (codes_put(&reference->bands_of, lists_band_key(list_row_digits(code.data, code.length), code.length, export),
                  index, &index)) {
        reference->bands = list_row_room(reference->bands, index, sizeof *reference->bands);
        reference->bands[reference->bands_count++] = (struct bands){0};
    }
    if (reference->bands[index].of[measure].high_e6)
        return list_row_twice(row, 0);
    reference->bands[index].of[measure] = band;
    return OK;
}
