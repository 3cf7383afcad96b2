/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/reject_read.h"

#include "flow/settle.h"

#include <string.h>

/* topic/partition/offset[/index]; a topic has no slash in its name. */
static bool read_key(struct bytes key, const Customs__V1__Reject *message, int32_t *out_index)
{
    struct text rest = {(const char *)key.data, (uint32_t)key.length};
    struct text topic = text_cut(&rest, '/');
    struct text partition = text_cut(&rest, '/');
    struct text offset = text_cut(&rest, '/');
    int64_t numbers[3] = {0, 0, -1};
    if (!text_is(topic, message->topic) || !text_to_int64(partition, &numbers[0]) ||
        !text_to_int64(offset, &numbers[1]) || (rest.length > 0 && !text_to_int64(rest, &numbers[2])))
        return false;
    if (numbers[0] != message->partition || numbers[1] != message->offset || numbers[1] < 0)
        return false;
    if (numbers[2] != (rest.length > 0 ? (int64_t)message->index : -1))
        return false;
    *out_index = (int32_t)numbers[2];
    return true;
}

const char *reject_read(const struct port_record *record, struct reject_read *out)
{
    *out = (struct reject_read){NULL, -1};
    if (record->is_null)
        return "a record without a value";
    Customs__V1__Reject *message = customs__v1__reject__unpack(NULL, record->value.length, record->value.data);
    if (!message)
        return "a value that is no customs.v1.Reject";
    if (read_key(record->key, message, &out->index)) {
        out->message = message;
        return NULL;
    }
    customs__v1__reject__free_unpacked(message, NULL);
    return "a key that is not topic/partition/offset[/index] of its value";
}

void reject_read_fini(struct reject_read *read)
{
    if (read->message)
        customs__v1__reject__free_unpacked(read->message, NULL);
    read->message = NULL;
}

uint16_t reject_read_rule(const struct reject_read *read)
{
    for (size_t i = 0; i < read->message->n_findings; i++) {
        const Customs__V1__Finding *finding = read->message->findings[i];
        enum rule rule = rule_by_code(text_of(finding->code));
        if (strcmp(finding->severity, "reject") == 0)
            return rule == RULE_COUNT ? 0 : settle_rule_number(rule);
    }
    return 0;
}
