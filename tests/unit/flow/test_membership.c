/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/membership.h"
#include "trade/calendar.h"
#include "trade/composition.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct reference *reference;
static struct view_plan plan;
static struct membership membership;

static void setup(void)
{
    struct err_info info = {""};
    cr_assert_eq(reference_load(DRYPORT_SOURCE "/deploy/reference", NULL, &reference, &info), OK, "%s", info.text);
    plan = (struct view_plan){0};
    cr_assert_eq(view_plan_add(&plan, TEXT("bloc"), TEXT("partner_group,flow@month"), &info), OK);
    cr_assert_eq(view_plan_groups(&plan, reference, &info), OK, "%s", info.text);
    membership_init(&membership, &plan, reference, "CN");
}

static void teardown(void)
{
    membership_fini(&membership);
    reference_free(reference);
}

TestSuite(membership, .init = setup, .fini = teardown);

static uint32_t number(const char *country)
{
    return (uint32_t)((uint8_t)country[0] << 8 | (uint8_t)country[1]);
}

/* "KG KZ RU ..." */
static void members(uint32_t group, uint32_t date, char out[static 256])
{
    uint32_t place = 0;
    uint32_t country;
    size_t length = 0;
    out[0] = '\0';
    while (membership_next(&membership, group, calendar_day(date), &place, &country))
        length += (size_t)snprintf(out + length, 256 - length, "%s%c%c", length ? " " : "", (int)(country >> 8),
                                   (int)(country & 0xFF));
}

Test(membership, a_group_has_the_countries_of_the_day)
{
    char text[256];
    members(0, 20240703, text);
    cr_assert_str_eq(plan.groups[0], "SCO_MEMBER");
    cr_assert_str_eq(text, "IN IR KG KZ PK RU TJ UZ");
    members(0, 20240704, text);
    cr_assert_str_eq(text, "BY IN IR KG KZ PK RU TJ UZ");
    members(0, 19990101, text);
    cr_assert_str_eq(text, "");
}

Test(membership, the_reporter_is_in_no_group)
{
    cr_assert_eq(membership_ever(&membership, number("CN")), 0);
    cr_assert_neq(membership_ever(&membership, number("KZ")), 0);
    cr_assert_eq(membership_ever(&membership, 0), 0);
}

/* The composition that reports use is another reading of the same list. */
Test(membership, it_is_the_composition_of_reports_on_every_date)
{
    static const uint32_t dates[] = {20010614, 20010615, 20170608, 20170609, 20230703, 20230704,
                                     20240703, 20240704, 20250831, 20250901, 20251231};
    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
        for (uint32_t group = 0; group < plan.group_count; group++) {
            struct composition composition = {.count = 0};
            composition_add(&composition, reference, text_of(plan.groups[group]), dates[i]);
            composition_remove(&composition, TEXT("CN"));
            uint32_t place = 0;
            uint32_t country;
            uint32_t count = 0;
            for (; membership_next(&membership, group, calendar_day(dates[i]), &place, &country); count++) {
                cr_assert_lt(count, composition.count);
                cr_assert_eq(country, number(composition.countries[count]), "%s", composition.countries[count]);
            }
            cr_assert_eq(count, composition.count, "%s on %u", plan.groups[group], dates[i]);
        }
    }
}

Test(membership, without_lists_there_are_no_groups)
{
    struct membership none;
    uint32_t place = 0;
    uint32_t country;
    membership_init(&none, &plan, NULL, "CN");
    cr_assert_eq(membership_ever(&none, number("KZ")), 0);
    cr_assert_not(membership_next(&none, 0, 0, &place, &country));
    membership_fini(&none);
}
