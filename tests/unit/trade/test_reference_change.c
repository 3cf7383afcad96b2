/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/reference_change.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The lists of tests/data/reference, with another text for one of them. NULL: as they are. */
static struct reference *lists_with(enum reference_list list, const char *text, const char *fallback)
{
    char folder[] = "/tmp/reference_change.XXXXXX";
    char path[128];
    struct err_info info = {""};
    struct reference *reference = NULL;
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/%s", folder, reference_file(list));
    FILE *file = text ? fopen(path, "wb") : NULL;
    if (file) {
        fputs(text, file);
        fclose(file);
    }
    cr_assert_eq(reference_load(folder, fallback, &reference, &info), OK, "%s", info.text);
    unlink(path);
    rmdir(folder);
    return reference;
}

static const char all[] = DRYPORT_SOURCE "/tests/data/reference";

static enum err follows(struct reference *now, struct reference *next, struct err_info *info)
{
    *info = (struct err_info){""};
    enum err err = reference_may_follow(now, next, info);
    reference_free(now);
    reference_free(next);
    return err;
}

Test(reference_change, lists_with_more_rows_other_rows_and_fewer_may_follow)
{
    struct err_info info;

    cr_expect_eq(follows(lists_with(REFERENCE_OFFICES, NULL, all),
                         lists_with(REFERENCE_OFFICES, "code,valid_from,valid_to\n9999,,\n", all), &info),
                 OK, "%s", info.text);
    cr_expect_eq(follows(lists_with(REFERENCE_OFFICES, NULL, NULL), lists_with(REFERENCE_OFFICES, NULL, all), &info),
                 OK, "lists where there were none: %s", info.text);
}

Test(reference_change, a_list_that_is_gone_is_refused)
{
    struct err_info info;

    cr_expect_eq(follows(lists_with(REFERENCE_OFFICES, "code,valid_from,valid_to\n1,,\n", NULL),
                         lists_with(REFERENCE_OFFICES, NULL, NULL), &info),
                 ERR_CONFIG);
    cr_expect(strstr(info.text, "offices.csv is gone: put it back"), "%s", info.text);
}

Test(reference_change, a_list_that_lost_all_its_rows_is_refused)
{
    struct err_info info;

    cr_expect_eq(follows(lists_with(REFERENCE_OFFICES, "code,valid_from,valid_to\n1,,\n2,,\n", NULL),
                         lists_with(REFERENCE_OFFICES, "code,valid_from,valid_to\n", NULL), &info),
                 ERR_CONFIG);
    cr_expect(strstr(info.text, "offices.csv has no rows any more, it had 2"), "%s", info.text);
}

static struct reference *with_unit(const char *unit)
{
    char text[128];
    snprintf(text, sizeof text, "code,digits,std_unit\n847130,6,%s\n720851,6,kg\n", unit);
    return lists_with(REFERENCE_HS2022, text, all);
}

Test(reference_change, another_standard_unit_of_a_code_is_refused)
{
    struct err_info info;

    cr_expect_eq(follows(with_unit("u"), with_unit("kg"), &info), ERR_CONFIG);
    cr_expect(strstr(info.text, "hs2022.csv: the standard unit of 847130 was u and is kg now"), "%s", info.text);
}

Test(reference_change, a_unit_where_there_was_none_and_none_where_there_was_one_may_follow)
{
    struct err_info info;

    cr_expect_eq(follows(with_unit(""), with_unit("u"), &info), OK, "%s", info.text);
    cr_expect_eq(follows(with_unit("u"), with_unit(""), &info), OK, "%s", info.text);
}

/* The index of a standard unit is its place in units.csv; what counts is which unit it is. */
Test(reference_change, the_same_unit_in_another_row_of_units_may_follow)
{
    struct err_info info;
    const char *other = "rec20,std_unit,kind,factor_to_std\nH87,u,count,1\nMTR,m,length,1\nKGM,kg,mass,1\n"
                        "MWH,1000kWh,energy,1\nLTR,l,volume,1\nMIL,1000u,count,1\nNPR,2u,count,1\n";

    cr_expect_eq(follows(lists_with(REFERENCE_UNITS, NULL, all), lists_with(REFERENCE_UNITS, other, all), &info), OK,
                 "%s", info.text);
}
