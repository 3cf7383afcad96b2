/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/reject.h"

#include "base/memory.h"

#include "customs/v1/reject.pb-c.h"

#include <inttypes.h>
#include <stdio.h>

enum { TOPIC_BYTES_MOST = 250, PATH_BYTES = 64, PLAN_BYTES = 17 };

void reject_put_key(struct buffer *out, const struct reject *reject)
{
    buffer_add(out, reject->topic.data, reject->topic.length);
    buffer_add_format(out, "/%" PRId32 "/%" PRId64, reject->partition, reject->offset);
    if (reject->index >= 0)
        buffer_add_format(out, "/%" PRId32, reject->index);
}

static void pack(struct buffer *out, const Customs__V1__Reject *message)
{
    size_t bytes = customs__v1__reject__get_packed_size(message);
    customs__v1__reject__pack(message, buffer_reserve(out, bytes));
    out->length += bytes;
}

/* proto3 text must be UTF-8: an id that is not (STR-013) is left out. */
static bool is_plain(struct text text)
{
    for (uint32_t i = 0; i < text.length; i++) {
        if (text.data[i] < 0x20 || text.data[i] > 0x7E)
            return false;
    }
    return text.length <= DECLARATION_ID_BYTES;
}

static void copy_text(struct text text, size_t most, char *out)
{
    size_t length = text.length < most ? text.length : most;
    if (length)
        memcpy(out, text.data, length);
    out[length] = '\0';
}

struct texts { /* what protobuf-c wants as zero-terminated, writable text */
    char topic[TOPIC_BYTES_MOST + 1];
    char id[DECLARATION_ID_BYTES + 1];
    char plan[PLAN_BYTES];
};

static void fill_coordinates(Customs__V1__Reject *message, const struct reject *reject, struct texts *texts)
{
    copy_text(reject->topic, TOPIC_BYTES_MOST, texts->topic);
    copy_text(is_plain(reject->declaration_id) ? reject->declaration_id : (struct text){NULL, 0}, DECLARATION_ID_BYTES,
              texts->id);
    snprintf(texts->plan, sizeof texts->plan, "%016" PRIx64, reject->plan);
    message->topic = texts->topic;
    message->partition = reject->partition;
    message->offset = reject->offset;
    message->timestamp_ms = reject->timestamp_ms;
    message->declaration_id = texts->id;
    message->version = reject->version;
    message->plan = texts->plan;
    message->index = reject->index >= 0 ? (uint32_t)reject->index : 0;
}

static char *writable(const char *text)
{
    union {
        const char *constant;
        char *writable;
    } cast = {text}; /* protobuf-c reads it only, its struct lacks the const */
    return cast.writable;
}

void reject_put_value(struct buffer *out, const struct reject *reject)
{
    Customs__V1__Reject message = CUSTOMS__V1__REJECT__INIT;
    struct texts texts;
    fill_coordinates(&message, reject, &texts);
    Customs__V1__Finding findings[FINDINGS_MOST];
    Customs__V1__Finding *list[FINDINGS_MOST];
    char paths[FINDINGS_MOST][PATH_BYTES];
    uint32_t count = 0;
    for (uint32_t i = 0; reject->findings && i < reject->findings->count; i++) {
        const struct finding *finding = &reject->findings->list[i];
        if (finding->severity != SEVERITY_REJECT && finding->severity != SEVERITY_WARN)
            continue; /* STA: what was found before the ledger refused it */
        customs__v1__finding__init(&findings[count]);
        findings[count].code = writable(rule_rows[finding->rule].code);
        findings[count].severity = writable(severity_name((enum severity)finding->severity));
        findings[count].field = writable(finding_path(finding, paths[count], PATH_BYTES));
        findings[count].text = writable(rule_rows[finding->rule].text);
        list[count] = &findings[count];
        count++;
    }
    message.n_findings = count;
    message.findings = list;
    if (reject->payload.length > REJECT_PAYLOAD_MOST) {
        message.payload_omitted = 1;
    } else if (reject->payload.length) {
        union {
            const uint8_t *constant;
            uint8_t *writable;
        } cast = {reject->payload.data};
        message.payload.data = cast.writable;
        message.payload.len = reject->payload.length;
    }
    pack(out, &message);
}

void reject_put_coordinates(struct buffer *out, const struct reject *reject)
{
    Customs__V1__Reject message = CUSTOMS__V1__REJECT__INIT;
    struct texts texts;
    fill_coordinates(&message, reject, &texts);
    message.payload_omitted = 1;
    pack(out, &message);
}
