/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/composition.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct reference *reference;
static struct composition composition;

static void setup(void)
{
    struct err_info info = {""};
    cr_assert_eq(reference_load(DRYPORT_SOURCE "/deploy/reference", NULL, &reference, &info), OK, "%s", info.text);
    composition.count = 0;
}

static void teardown(void)
{
    reference_free(reference);
}

TestSuite(composition, .init = setup, .fini = teardown);

static const char *countries(void)
{
    static char text[COMPOSITION_MOST * 4];
    text[0] = '\0';
    for (uint32_t i = 0; i < composition.count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? " " : "", composition.countries[i]);
    return text;
}

Test(composition, a_group_has_the_countries_of_the_date)
{
    composition_add(&composition, reference, TEXT("SCO_MEMBER"), 20240703);
    cr_expect_str_eq(countries(), "CN IN IR KG KZ PK RU TJ UZ");
    composition_add(&composition, reference, TEXT("SCO_MEMBER"), 20240704);
    cr_expect_str_eq(countries(), "BY CN IN IR KG KZ PK RU TJ UZ");
}

Test(composition, groups_add_up_and_a_country_counts_once)
{
    composition_add(&composition, reference, TEXT("EAEU"), 20250731);
    cr_expect_str_eq(countries(), "AM BY KG KZ RU");
    composition_add(&composition, reference, TEXT("SCO_MEMBER"), 20250731);
    cr_expect_str_eq(countries(), "AM BY CN IN IR KG KZ PK RU TJ UZ");
}

Test(composition, the_reporter_can_be_taken_out)
{
    composition_add(&composition, reference, TEXT("SCO_MEMBER"), 20250731);
    composition_remove(&composition, TEXT("CN"));
    composition_remove(&composition, TEXT("US"));
    cr_expect_str_eq(countries(), "BY IN IR KG KZ PK RU TJ UZ");
    cr_expect(composition_has(&composition, TEXT("UZ")));
    cr_expect_not(composition_has(&composition, TEXT("CN")));
    cr_expect_not(composition_has(&composition, TEXT("")));
}

Test(composition, names_of_groups_are_known)
{
    cr_expect(composition_known(reference, TEXT("SCO_OBSERVER")));
    cr_expect_not(composition_known(reference, TEXT("SCO")));
    composition_add(&composition, reference, TEXT("SCO"), 20250731);
    cr_expect_eq(composition.count, 0);
}
