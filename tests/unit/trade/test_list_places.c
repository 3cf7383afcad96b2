/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/trade/list_fixture.h"

Test(list_places, wrong_offices_are_refused)
{
    refused(REFERENCE_OFFICES, "code,valid_from,valid_to\n,,\n", ":2:", "\"code\"", "1 to 8");
    refused(REFERENCE_OFFICES, "code,valid_from,valid_to\n123456789,,\n", ":2:", "\"code\"", "1 to 8");
    refused(REFERENCE_OFFICES, "code,valid_from,valid_to\n1,2025-02-30,\n", ":2:", "\"valid_from\"", "2025-02-30");
    refused(REFERENCE_OFFICES, "code,valid_from,valid_to\n1,,20250101\n", ":2:", "\"valid_to\"", "yyyy-mm-dd");
    refused(REFERENCE_OFFICES, "code,valid_from,valid_to\n1,2025-01-02,2025-01-01\n", ":2:", "\"valid_to\"", "before");
}

Test(list_places, wrong_countries_are_refused)
{
    refused(REFERENCE_COUNTRIES, "alpha2\nCHN\n", ":2:", "\"alpha2\"", "two capital letters");
    refused(REFERENCE_COUNTRIES, "alpha2\ncn\n", ":2:", "\"alpha2\"", "two capital letters");
    refused(REFERENCE_COUNTRIES, "alpha2\nCN\nCN\n", ":3:", "\"alpha2\"", "twice");
}

Test(list_places, a_wrong_zone_or_neighbour_is_refused)
{
    refused(REFERENCE_PILOT_ZONES, "code,valid_from,valid_to\nZONE1,2025-02-30,\n", ":2:", "valid_from", "no date");
    refused(REFERENCE_NEIGHBOURS, "country,neighbour\nCN,kz\n", ":2:", "neighbour", "capital letters");
    refused(REFERENCE_NEIGHBOURS, "country,neighbour\nCN,KZ\nCN,KZ\n", ":3:", "neighbour", "twice");
}

Test(list_places, wrong_codes_of_places_are_refused)
{
    refused(REFERENCE_UNLOCODE, "locode\nCN\n", ":2:", "\"locode\"", "five");
    refused(REFERENCE_UNLOCODE, "locode\n12345\n", ":2:", "\"locode\"", "five");
    refused(REFERENCE_UNLOCODE, "locode\n\"\"\n", ":2:", "\"locode\"", "five");
    refused(REFERENCE_UNLOCODE, "locode\nCNHRS\nCNHRS\n", ":3:", "\"locode\"", "twice");
}

Test(list_places, wrong_groups_are_refused)
{
    refused(REFERENCE_COUNTRY_GROUPS, "group,alpha2,from,to_exclusive\n,CN,,\n", ":2:", "\"group\"", "name");
    refused(REFERENCE_COUNTRY_GROUPS, "group,alpha2,from,to_exclusive\nG,China,,\n", ":2:", "\"alpha2\"", "capital");
    refused(REFERENCE_COUNTRY_GROUPS, "group,alpha2,from,to_exclusive\nG,CN,2025,\n", ":2:", "\"from\"", "yyyy-mm-dd");
    refused(REFERENCE_COUNTRY_GROUPS, "group,alpha2,from,to_exclusive\nG,CN,2025-01-01,2025-01-01\n",
            ":2:", "\"to_exclusive\"", "after");
}
