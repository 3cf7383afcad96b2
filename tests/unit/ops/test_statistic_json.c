/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/statistic_json.h"

#include "customs/v1/statistic.pb-c.h"

#include <criterion/criterion.h>

static json_t *of(const Customs__V1__Statistic *statistic, const char *more, size_t more_bytes)
{
    uint8_t bytes[1024];
    size_t length = customs__v1__statistic__pack(statistic, bytes);
    memcpy(bytes + length, more, more_bytes);
    return statistic_json(TEXT("flow|DAY|20250701|20250701|flow=M"), (struct bytes){bytes, length + more_bytes});
}

static const char *text_of_field(json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));
    return text ? text : "(no text)";
}

Test(statistic_json, bytes_that_are_no_statistic_give_null)
{
    cr_assert_null(statistic_json(TEXT("k"), (struct bytes){(const uint8_t *)"\x0A\x7F", 2}));
}

Test(statistic_json, tombstone_is_deleted)
{
    json_t *json = statistic_json_deleted(TEXT("k|x"), UINT64_MAX);
    cr_assert_str_eq(text_of_field(json, "key"), "k|x");
    cr_assert_str_eq(text_of_field(json, "as_of"), "18446744073709551615");
    cr_assert(json_is_true(json_object_get(json, "deleted")));
    json_decref(json);
}

Test(statistic_json, no_field_is_omitted)
{
    Customs__V1__Statistic statistic = CUSTOMS__V1__STATISTIC__INIT;
    json_t *json = of(&statistic, "", 0);
    cr_assert_eq(json_object_size(json), 1 + customs__v1__statistic__descriptor.n_fields);
    cr_assert_str_eq(text_of_field(json, "view"), "");
    cr_assert_str_eq(text_of_field(json, "value_minor"), "0");
    cr_assert_str_eq(text_of_field(json, "flow"), "UNSPECIFIED");
    cr_assert_eq(json_integer_value(json_object_get(json, "transport_mode")), 0);
    json_decref(json);
}

Test(statistic_json, values_have_their_proto3_form)
{
    char view[] = "flow", currency[] = "CNY";
    Customs__V1__Statistic statistic = CUSTOMS__V1__STATISTIC__INIT;
    statistic.view = view;
    statistic.currency = currency;
    statistic.frequency = CUSTOMS__V1__FREQUENCY__FREQUENCY_YEAR_TO_DATE;
    statistic.flow = CUSTOMS__V1__FLOW__FLOW_RM;
    statistic.period_from = 20250701;
    statistic.value_minor = INT64_MIN;
    statistic.declarations = UINT64_MAX;
    json_t *json = of(&statistic, "", 0);
    cr_assert_str_eq(text_of_field(json, "key"), "flow|DAY|20250701|20250701|flow=M");
    cr_assert_str_eq(text_of_field(json, "view"), "flow");
    cr_assert_str_eq(text_of_field(json, "frequency"), "YEAR_TO_DATE");
    cr_assert_str_eq(text_of_field(json, "flow"), "RM");
    cr_assert_eq(json_integer_value(json_object_get(json, "period_from")), 20250701);
    cr_assert_str_eq(text_of_field(json, "value_minor"), "-9223372036854775808");
    cr_assert_str_eq(text_of_field(json, "declarations"), "18446744073709551615");
    json_decref(json);
}

Test(statistic_json, unknown_enum_value_is_its_number)
{
    Customs__V1__Statistic statistic = CUSTOMS__V1__STATISTIC__INIT;
    json_t *json = of(&statistic, "\x30\x63", 2); /* flow = 99 */
    cr_assert_eq(json_integer_value(json_object_get(json, "flow")), 99);
    json_decref(json);
}

Test(statistic_json, absent_optional_field_is_null_and_a_present_zero_is_zero)
{
    Customs__V1__Statistic statistic = CUSTOMS__V1__STATISTIC__INIT;
    json_t *json = of(&statistic, "", 0);
    cr_assert(json_is_null(json_object_get(json, "yoy_value_ppm")));
    cr_assert(json_is_null(json_object_get(json, "share_ppm")));
    json_decref(json);
    json = of(&statistic, "\xD8\x02\x00\xE0\x02\x03", 6); /* 43: 0, 44: zigzag of -2 */
    cr_assert_str_eq(text_of_field(json, "yoy_value_ppm"), "0");
    cr_assert_str_eq(text_of_field(json, "yoy_net_mass_ppm"), "-2");
    json_decref(json);
}
