/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/declaration.h"

#include "base/buffer.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const char *const proto_types[] = {
    [FIELD_TEXT] = "string",           [FIELD_U32] = "uint32",          [FIELD_I64] = "int64",
    [FIELD_U64] = "fixed64",           [FIELD_BOOL] = "bool",           [FIELD_ENUM] = NULL,
    [FIELD_TEXTS] = "repeated string", [FIELD_ITEMS] = "repeated Item",
};

static void read_proto(struct buffer *out)
{
    FILE *file = fopen(DRYPORT_SOURCE "/proto/customs/v1/declaration.proto", "rb");
    cr_assert(file, "proto/customs/v1/declaration.proto can't be opened");
    char part[4096];
    size_t bytes;
    while ((bytes = fread(part, 1, sizeof part, file)) > 0)
        buffer_add(out, part, bytes);
    fclose(file);
}

/* Lines of `message NAME {` to its `}` at the same depth, comments cut off. */
static struct text message_body(struct text proto, const char *name)
{
    char head[64];
    snprintf(head, sizeof head, "message %s {", name);
    struct text rest = proto;
    while (rest.length) {
        struct text line = text_trim(text_cut(&rest, '\n'));
        if (!text_is(line, head))
            continue;
        struct text body = {rest.data, 0};
        while (rest.length) {
            line = text_trim(text_cut(&rest, '\n'));
            if (text_is(line, "}"))
                return body;
            body.length = (uint32_t)(line.data + line.length - body.data);
        }
    }
    cr_assert_fail("the proto lacks message %s", name);
    return (struct text){NULL, 0};
}

static bool is_type(struct text type, const struct field *field)
{
    if (field->kind == FIELD_ENUM)
        return type.length && type.data[0] >= 'A' && type.data[0] <= 'Z';
    return text_is(type, proto_types[field->kind]);
}

/* Takes `TYPE name = N;` apart and compares it with the row of number N. */
static void compare_line(struct text line, const struct field *fields, uint32_t count, bool *seen)
{
    struct text code = text_trim(text_cut(&line, ';'));
    struct text number_text = code;
    struct text left = text_trim(text_cut(&number_text, '='));
    int64_t number = 0;
    if (left.length == code.length || !text_to_int64(text_trim(number_text), &number))
        return;
    uint32_t blank = left.length;
    while (blank > 0 && left.data[blank - 1] != ' ')
        blank--;
    struct text name = {left.data + blank, left.length - blank};
    struct text type = text_trim((struct text){left.data, blank});
    cr_assert(number >= 1 && number <= count, "%.*s: number %d is not in declaration.def", TEXT_ARGS(name),
              (int)number);
    const struct field *field = &fields[number - 1];
    cr_expect_eq(field->number, number);
    cr_expect(text_is(name, field->name), "%.*s is %s in declaration.def", TEXT_ARGS(name), field->name);
    cr_expect(is_type(type, field), "%s: %.*s", field->name, TEXT_ARGS(type));
    seen[number - 1] = true;
}

static void compare(const char *message, const struct field *fields, uint32_t count)
{
    struct buffer proto = {0};
    bool seen[DECLARATION_FIELDS] = {false};
    read_proto(&proto);
    struct text body = message_body((struct text){(const char *)proto.data, (uint32_t)proto.length}, message);
    while (body.length) {
        struct text line = text_trim(text_cut(&body, '\n'));
        if (line.length >= 2 && line.data[0] == '/')
            continue;
        compare_line(line, fields, count, seen);
    }
    for (uint32_t i = 0; i < count; i++)
        cr_expect(seen[i], "the proto lacks %s", fields[i].name);
    buffer_fini(&proto);
}

Test(declaration, the_header_rows_are_those_of_the_proto)
{
    compare("Declaration", declaration_fields, DECLARATION_FIELDS);
}

Test(declaration, the_item_rows_are_those_of_the_proto)
{
    compare("Item", item_fields, ITEM_FIELDS);
}

Test(declaration, rows_stand_at_their_number)
{
    for (uint32_t i = 0; i < DECLARATION_FIELDS; i++)
        cr_expect_eq(declaration_fields[i].number, i + 1);
    for (uint32_t i = 0; i < ITEM_FIELDS; i++)
        cr_expect_eq(item_fields[i].number, i + 1);
}

Test(declaration, texts_and_only_texts_have_a_cap)
{
    for (uint32_t i = 0; i < DECLARATION_FIELDS; i++) {
        bool text = declaration_fields[i].kind == FIELD_TEXT || declaration_fields[i].kind == FIELD_TEXTS;
        cr_expect_eq(declaration_fields[i].cap > 0, text, "%s", declaration_fields[i].name);
    }
}

Test(declaration, an_unknown_name_is_not_found)
{
    cr_expect_null(declaration_field_named(TEXT("hs_code")));
    cr_expect_null(item_field_named(TEXT("office_code")));
    cr_expect_eq(declaration_enum_value("direction", TEXT("import")), -1);
    cr_expect_eq(declaration_enum_value("nothing", TEXT("IMPORT")), -1);
    cr_expect_null(declaration_enum_name("status", 0));
}

Test(declaration, a_known_name_is_found)
{
    cr_expect_eq(declaration_field_named(TEXT("office_code"))->number, 6);
    cr_expect_eq(item_field_named(TEXT("hs_code"))->number, 2);
    cr_expect_eq(declaration_enum_value("scheme", TEXT("EAEU")), SCHEME_EAEU);
    cr_expect_str_eq(declaration_enum_name("function", 5), "REPLACE");
}

Test(declaration, items_beyond_the_hard_limit_are_not_kept)
{
    struct declaration declaration = {0};
    declaration.items.count = DECLARATION_ITEMS_HARD + 1;

    cr_expect_eq(declaration_items_kept(&declaration), (uint32_t)DECLARATION_ITEMS_HARD);
}
