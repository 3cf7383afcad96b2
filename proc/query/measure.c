/* SPDX-License-Identifier: Apache-2.0 */
#include "query/measure.h"

static const char *const names[MEASURES] = {
    [MEASURE_VALUE] = "value", [MEASURE_CUSTOMS] = "customs",   [MEASURE_NET] = "net",
    [MEASURE_GROSS] = "gross", [MEASURE_QUANTITY] = "quantity", [MEASURE_DECLARATIONS] = "declarations",
    [MEASURE_ITEMS] = "items", [MEASURE_PACKAGES] = "packages", [MEASURE_SHARE] = "share",
    [MEASURE_COUNT] = "count", [MEASURE_GROWTH] = "growth",
};

const char *measure_name(enum measure measure)
{
    return names[measure];
}

bool measure_find(struct text name, enum measure *out)
{
    for (int i = 0; i < MEASURES; i++) {
        if (text_is(name, names[i])) {
            *out = (enum measure)i;
            return true;
        }
    }
    return false;
}

void measure_add(struct sums *sums, const struct record *record)
{
    sums->of[MEASURE_VALUE] += record->value_minor;
    sums->of[MEASURE_CUSTOMS] += record->customs_value_minor;
    sums->of[MEASURE_NET] += record->net_mass_g;
    sums->of[MEASURE_GROSS] += record->gross_mass_g;
    sums->of[MEASURE_QUANTITY] += record->quantity_micro;
    sums->of[MEASURE_DECLARATIONS] += (i128)record->declarations;
    sums->of[MEASURE_ITEMS] += (i128)record->items;
    sums->of[MEASURE_PACKAGES] += (i128)record->packages;
}
