/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/reject_print.h"

#include "base/memory.h"
#include "trade/calendar.h"

#include <inttypes.h>
#include <stdio.h>

enum { PLACE_BYTES = 320, TIME_BYTES = 40, DAY_MS = 86400000, SECOND_MS = 1000 };

static const char *or_dash(const char *text)
{
    return text[0] ? text : "-";
}

static char *place_text(const struct reject_read *read, char out[static PLACE_BYTES])
{
    const Customs__V1__Reject *m = read->message;
    int length = snprintf(out, PLACE_BYTES, "%s/%" PRId32 "/%" PRId64, m->topic, m->partition, m->offset);
    if (read->index >= 0 && length < PLACE_BYTES)
        snprintf(out + length, PLACE_BYTES - (size_t)length, "/%" PRId32, read->index);
    return out;
}

/* ISO 8601 in UTC. */
static char *time_text(int64_t ms, char out[static TIME_BYTES])
{
    int32_t day = calendar_day_of_ms(ms);
    uint32_t date = calendar_date(day);
    int64_t rest = ms - (int64_t)day * DAY_MS;
    unsigned seconds = (unsigned)(rest / SECOND_MS);
    snprintf(out, TIME_BYTES, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", date / 10000, date / 100 % 100, date % 100,
             seconds / 3600, seconds / 60 % 60, seconds % 60, (unsigned)(rest % SECOND_MS));
    return out;
}

void reject_print_text(const struct reject_read *read, bool is_void)
{
    const Customs__V1__Reject *m = read->message;
    char place[PLACE_BYTES];
    char time[TIME_BYTES];
    place_text(read, place);
    time_text(m->timestamp_ms, time);
    for (size_t i = 0; i < m->n_findings; i++) {
        const Customs__V1__Finding *finding = m->findings[i];
        printf("%s%s %s %s v%" PRIu32 " %s %s %s %s\n", is_void ? "void " : "", place, time, or_dash(m->declaration_id),
               m->version, finding->code, finding->severity, or_dash(finding->field), finding->text);
    }
    if (m->n_findings == 0)
        printf("%s%s %s %s v%" PRIu32 " - - - the findings were too large for the topic\n", is_void ? "void " : "",
               place, time, or_dash(m->declaration_id), m->version);
}

static void put_quoted(const char *text)
{
    putchar('"');
    for (const char *at = text; *at; at++) {
        if (*at == '"')
            putchar('"');
        putchar(*at);
    }
    putchar('"');
}

void reject_print_csv_head(void)
{
    puts("topic,partition,offset,index,timestamp_ms,declaration_id,version,code,severity,field,text,plan,void");
}

static void print_row(const struct reject_read *read, const Customs__V1__Finding *finding, bool is_void)
{
    const Customs__V1__Reject *m = read->message;
    printf("%s,%" PRId32 ",%" PRId64 ",", m->topic, m->partition, m->offset);
    if (read->index >= 0)
        printf("%" PRId32, read->index);
    printf(",%" PRId64 ",", m->timestamp_ms);
    put_quoted(m->declaration_id);
    printf(",%" PRIu32 ",%s,%s,", m->version, finding ? finding->code : "", finding ? finding->severity : "");
    put_quoted(finding ? finding->field : "");
    putchar(',');
    put_quoted(finding ? finding->text : "");
    printf(",%s,%s\n", m->plan, is_void ? "true" : "false");
}

void reject_print_csv(const struct reject_read *read, bool is_void)
{
    for (size_t i = 0; i < read->message->n_findings; i++)
        print_row(read, read->message->findings[i], is_void);
    if (read->message->n_findings == 0)
        print_row(read, NULL, is_void);
}

/* As proto3 JSON writes bytes. */
static json_t *base64_json(const uint8_t *data, size_t length)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t bytes = (length + 2) / 3 * 4;
    char *out = memory_new(bytes + 1, 1);
    for (size_t i = 0, at = 0; i < length; i += 3) {
        uint32_t three = (uint32_t)data[i] << 16;
        three |= i + 1 < length ? (uint32_t)data[i + 1] << 8 : 0;
        three |= i + 2 < length ? (uint32_t)data[i + 2] : 0;
        out[at++] = digits[three >> 18 & 63];
        out[at++] = digits[three >> 12 & 63];
        out[at++] = i + 1 < length ? digits[three >> 6 & 63] : '=';
        out[at++] = i + 2 < length ? digits[three & 63] : '=';
    }
    json_t *text = json_stringn(out, bytes);
    memory_free(out);
    return text;
}

static json_t *text_json(const char *text)
{
    json_t *out = json_string(text);
    return out ? out : json_string("\xEF\xBF\xBD"); /* not UTF-8: the replacement character */
}

json_t *reject_print_json(const struct reject_read *read)
{
    const Customs__V1__Reject *m = read->message;
    json_t *findings = json_array();
    for (size_t i = 0; i < m->n_findings; i++)
        json_array_append_new(findings,
                              json_pack("{s:o, s:o, s:o, s:o}", "code", text_json(m->findings[i]->code), "severity",
                                        text_json(m->findings[i]->severity), "field", text_json(m->findings[i]->field),
                                        "text", text_json(m->findings[i]->text)));
    return json_pack("{s:o, s:i, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:b}", "topic", text_json(m->topic),
                     "partition", (int)m->partition, "offset", json_sprintf("%" PRId64, m->offset), "index",
                     read->index < 0 ? json_null() : json_integer(read->index), "timestamp_ms",
                     json_sprintf("%" PRId64, m->timestamp_ms), "declaration_id", text_json(m->declaration_id),
                     "version", (json_int_t)m->version, "findings", findings, "payload",
                     base64_json(m->payload.data, m->payload.len), "plan", text_json(m->plan), "payload_omitted",
                     (int)m->payload_omitted);
}
