/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/statistic_json.h"

#include "base/buffer.h"

#include "customs/v1/statistic.pb-c.h"

enum { FIELDS_BELOW = 64 };

/* Which fields are on the wire. protoc-c knows no `optional`, so the presence of yoy_value_ppm must be seen in the
 * bytes. The value has been unpacked before: what can't be read here can't be there. */
static uint64_t fields_present(struct bytes value)
{
    uint64_t present = 0;
    struct reader reader = reader_of(value);
    while (reader_left(&reader) > 0 && !reader.failed) {
        uint64_t tag = reader_varint(&reader);
        if (tag >> 3 < FIELDS_BELOW)
            present |= 1ULL << (tag >> 3);
        switch (tag & 7) {
        case 0:
            reader_varint(&reader);
            break;
        case 1:
            reader_bytes(&reader, 8);
            break;
        case 2:
            reader_bytes(&reader, (size_t)reader_varint(&reader));
            break;
        case 5:
            reader_bytes(&reader, 4);
            break;
        default:
            return present;
        }
    }
    return present;
}

static bool is_optional(unsigned number)
{
    return number == 43 || number == 44 || number == 46; /* yoy_value_ppm, yoy_net_mass_ppm, share_ppm */
}

static json_t *text_json(const char *data, size_t length)
{
    json_t *text = json_stringn(data, length);
    return text ? text : json_string("\xEF\xBF\xBD"); /* not UTF-8: the replacement character */
}

/* All values of an enum begin with its name in capitals; the zero one tells it: FREQUENCY_UNSPECIFIED. */
static size_t prefix_length(const ProtobufCEnumDescriptor *descriptor)
{
    const ProtobufCEnumValue *zero = protobuf_c_enum_descriptor_get_value(descriptor, 0);
    size_t tail = strlen("UNSPECIFIED");
    size_t length = zero ? strlen(zero->name) : 0;
    return length > tail ? length - tail : 0;
}

static json_t *enum_json(const ProtobufCFieldDescriptor *field, int value)
{
    const ProtobufCEnumDescriptor *descriptor = field->descriptor;
    const ProtobufCEnumValue *found = protobuf_c_enum_descriptor_get_value(descriptor, value);
    return found ? json_string(found->name + prefix_length(descriptor)) : json_integer(value);
}

static json_t *signed_json(const void *member)
{
    int64_t v;
    memcpy(&v, member, sizeof v);
    return json_sprintf("%lld", (long long)v);
}

static json_t *unsigned_json(const void *member)
{
    uint64_t v;
    memcpy(&v, member, sizeof v);
    return json_sprintf("%llu", (unsigned long long)v);
}

static json_t *field_json(const ProtobufCFieldDescriptor *field, const void *message)
{
    const uint8_t *member = (const uint8_t *)message + field->offset;
    uint32_t word;
    const char *text;
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        memcpy(&text, member, sizeof text);
        return text_json(text, strlen(text));
    case PROTOBUF_C_TYPE_ENUM:
        memcpy(&word, member, sizeof word);
        return enum_json(field, (int)word);
    case PROTOBUF_C_TYPE_UINT32:
        memcpy(&word, member, sizeof word);
        return json_integer(word);
    case PROTOBUF_C_TYPE_UINT64:
        return unsigned_json(member);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
        return signed_json(member);
    default:
        return json_null(); /* no other type in statistic.proto */
    }
}

json_t *statistic_json(struct text key, struct bytes value)
{
    Customs__V1__Statistic *statistic = customs__v1__statistic__unpack(NULL, value.length, value.data);
    if (!statistic)
        return NULL;
    json_t *out = json_object();
    if (key.data)
        json_object_set_new(out, "key", text_json(key.data, key.length));
    const ProtobufCMessageDescriptor *descriptor = statistic->base.descriptor;
    uint64_t present = fields_present(value);
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        bool is_absent = is_optional(field->id) && !(present >> field->id & 1);
        json_object_set_new(out, field->name, is_absent ? json_null() : field_json(field, statistic));
    }
    customs__v1__statistic__free_unpacked(statistic, NULL);
    return out;
}

json_t *statistic_json_deleted(struct text key, uint64_t as_of)
{
    return json_pack("{s:o, s:o, s:b}", "key", text_json(key.data ? key.data : "", key.length), "as_of",
                     unsigned_json(&as_of), "deleted", 1);
}
