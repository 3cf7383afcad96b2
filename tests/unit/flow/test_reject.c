/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
#include "flow/reject.h"

#include "customs/v1/reject.pb-c.h"

#include <criterion/criterion.h>

static struct buffer out;

static void setup(void)
{
    buffer_clear(&out);
}

static void teardown(void)
{
    buffer_fini(&out);
}

TestSuite(reject, .init = setup, .fini = teardown);

static struct reject plain(void)
{
    return (struct reject){
        .topic = TEXT("customs.declarations"),
        .partition = 3,
        .offset = 9007199254740993,
        .index = -1,
        .timestamp_ms = 1752800000000,
        .declaration_id = TEXT("ID-1"),
        .version = 7,
        .plan = 0xAB,
    };
}

static Customs__V1__Reject *value_of(const struct reject *reject)
{
    buffer_clear(&out);
    reject_put_value(&out, reject);
    Customs__V1__Reject *message = customs__v1__reject__unpack(NULL, out.length, out.data);
    cr_assert(message);
    return message;
}

static void done(Customs__V1__Reject *message)
{
    customs__v1__reject__free_unpacked(message, NULL);
}

static bool key_is(const struct reject *reject, const char *key)
{
    buffer_clear(&out);
    reject_put_key(&out, reject);
    return out.length == strlen(key) && memcmp(out.data, key, out.length) == 0;
}

Test(reject, a_payload_above_the_limit_is_omitted_and_says_so)
{
    struct reject reject = plain();
    uint8_t *payload = memory_new(REJECT_PAYLOAD_MOST + 1, 1);

    reject.payload = (struct bytes){payload, REJECT_PAYLOAD_MOST + 1};
    Customs__V1__Reject *message = value_of(&reject);
    cr_assert(message->payload_omitted);
    cr_assert_eq(message->payload.len, 0);
    done(message);

    reject.payload.length = REJECT_PAYLOAD_MOST;
    message = value_of(&reject);
    cr_assert(!message->payload_omitted);
    cr_assert_eq(message->payload.len, REJECT_PAYLOAD_MOST);
    done(message);
    memory_free(payload);
}

Test(reject, a_payload_that_is_not_wanted_is_not_called_omitted)
{
    struct reject reject = plain();

    Customs__V1__Reject *message = value_of(&reject);

    cr_assert_eq(message->payload.len, 0);
    cr_assert(!message->payload_omitted);
    done(message);
}

Test(reject, an_id_that_is_no_plain_text_or_too_long_is_left_out)
{
    const struct text bad[] = {TEXT("\xFF\xFE"), TEXT("A\nB"), TEXT("\xC3\x9C"), TEXT("A\0B"),
                               TEXT("123456789012345678901234567890123456")};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct reject reject = plain();
        reject.declaration_id = bad[i];
        Customs__V1__Reject *message = value_of(&reject);
        cr_assert_str_empty(message->declaration_id, "%zu", i);
        done(message);
    }
    struct reject reject = plain();
    reject.declaration_id = TEXT("12345678901234567890123456789012345");
    Customs__V1__Reject *message = value_of(&reject);
    cr_assert_eq(strlen(message->declaration_id), DECLARATION_ID_BYTES);
    done(message);
}

Test(reject, findings_of_sixty_four_all_arrive)
{
    struct findings findings = {.count = FINDINGS_MOST};
    for (uint32_t i = 0; i < FINDINGS_MOST; i++)
        findings.list[i] = (struct finding){RULE_STR_013, SEVERITY_REJECT, (int32_t)i * 1000, "hs_code"};
    struct reject reject = plain();
    reject.findings = &findings;

    Customs__V1__Reject *message = value_of(&reject);

    cr_assert_eq(message->n_findings, FINDINGS_MOST);
    cr_assert_str_eq(message->findings[63]->field, "items[63000].hs_code");
    cr_assert_str_eq(message->findings[63]->code, "STR-013");
    done(message);
}

Test(reject, the_key_names_the_place_with_and_without_an_index)
{
    struct reject reject = plain();
    cr_assert(key_is(&reject, "customs.declarations/3/9007199254740993"));
    reject.index = 0;
    cr_assert(key_is(&reject, "customs.declarations/3/9007199254740993/0"));
    reject.index = 524287;
    cr_assert(key_is(&reject, "customs.declarations/3/9007199254740993/524287"));
}

Test(reject, every_field_arrives)
{
    struct findings findings = {
        .count = 2,
        .list = {{RULE_STR_008, SEVERITY_REJECT, -1, "office_code"}, {RULE_STR_019, SEVERITY_WARN, -1, NULL}}};
    struct reject reject = plain();
    reject.index = 5;
    reject.findings = &findings;
    reject.payload = (struct bytes){(const uint8_t *)"pay", 3};

    Customs__V1__Reject *message = value_of(&reject);

    cr_assert_str_eq(message->topic, "customs.declarations");
    cr_assert_eq(message->partition, 3);
    cr_assert_eq(message->offset, 9007199254740993);
    cr_assert_eq(message->timestamp_ms, 1752800000000);
    cr_assert_str_eq(message->declaration_id, "ID-1");
    cr_assert_eq(message->version, 7);
    cr_assert_str_eq(message->plan, "00000000000000ab");
    cr_assert_eq(message->index, 5);
    cr_assert_arr_eq(message->payload.data, "pay", 3);
    cr_assert_str_eq(message->findings[0]->code, "STR-008");
    cr_assert_str_eq(message->findings[0]->severity, "reject");
    cr_assert_str_eq(message->findings[0]->field, "office_code");
    cr_assert_str_eq(message->findings[0]->text, rule_rows[RULE_STR_008].text);
    cr_assert_str_eq(message->findings[1]->severity, "warn");
    cr_assert_str_eq(message->findings[1]->field, "-");
    done(message);
}

Test(reject, coordinates_alone_have_neither_findings_nor_payload)
{
    struct findings findings = {.count = 1, .list = {{RULE_STR_008, SEVERITY_REJECT, -1, "office_code"}}};
    struct reject reject = plain();
    reject.findings = &findings;
    reject.payload = (struct bytes){(const uint8_t *)"pay", 3};

    reject_put_coordinates(&out, &reject);

    Customs__V1__Reject *message = customs__v1__reject__unpack(NULL, out.length, out.data);
    cr_assert(message);
    cr_assert_eq(message->n_findings, 0);
    cr_assert_eq(message->payload.len, 0);
    cr_assert(message->payload_omitted);
    cr_assert_eq(message->offset, 9007199254740993);
    cr_assert_str_eq(message->plan, "00000000000000ab");
    done(message);
}
