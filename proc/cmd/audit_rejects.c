/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/audit_inside.h"

#include "base/hash.h"
#include "base/memory.h"
#include "cmd/reject_read.h"

#include <inttypes.h>

static const char mend_reject[] =
    "a reject is durable before its group: records of topic.rejects were deleted, or acknowledged writes lost; see "
    "retention.ms and min.insync.replicas of the topic, judge the record again with `dryport explain` or `check`";
static const char mend_record[] = "something else than this program writes to the topic: give it a topic of its own";

struct rejects {
    struct audit *audit;
    int32_t partitions; /* of topic.rejects */
    int64_t *low;       /* of each */
    int64_t *first;     /* smallest listed input offset that is there: by partition of the topic, then of the input */
};

static int64_t *first_of(const struct rejects *rejects, int32_t topic_partition, int32_t partition)
{
    return &rejects->first[(size_t)topic_partition * (size_t)rejects->audit->partitions + (size_t)partition];
}

static void take_reject(struct rejects *rejects, const struct port_record *record, const struct reject_read *read)
{
    struct audit *audit = rejects->audit;
    const Customs__V1__Reject *message = read->message;
    if (strcmp(message->topic, audit->options.topic) != 0) {
        audit->sums.rejects_foreign++;
        return;
    }
    audit->sums.rejects++;
    struct listed_entry *entry = listed_find(audit->listed, message->partition, message->offset, read->index);
    if (!entry) {
        audit->sums.rejects_void++;
        return;
    }
    audit->sums.rejects_again += entry->copies++ > 0;
    uint16_t rule = reject_read_rule(read);
    entry->is_found = entry->is_found || rule == 0 || rule == entry->rule_number;
    int64_t *first = first_of(rejects, record->partition, entry->partition);
    if (entry->offset < *first)
        *first = entry->offset;
}

static enum err read_partition(struct rejects *rejects, int32_t partition, struct err_info *info)
{
    struct audit *audit = rejects->audit;
    struct walk walk;
    walk_init(&walk, audit->options.port, PORT_REJECTS, partition);
    walk.patience_ms = audit->options.patience_ms;
    enum err err = walk_note(&walk, info);
    rejects->low[partition] = walk.next;
    audit->total += err == OK ? (uint64_t)(walk.end - walk.next) : 0;
    const struct port_record *record = NULL;
    while (err == OK && (err = walk_next(&walk, &record, info)) == OK && record) {
        struct reject_read read = {NULL, -1};
        const char *wrong = record->fault == PORT_NONE ? reject_read(record, &read) : walk_fault_name(record->fault);
        if (wrong)
            audit_note(audit, PORT_REJECTS, partition, record->offset, mend_record, "%s", wrong);
        else
            take_reject(rejects, record, &read);
        reject_read_fini(&read);
        audit_show(audit, "rejects");
    }
    walk_close(&walk);
    return err;
}

/* The key decides the partition of topic.rejects, as the outbox sends it. */
static int32_t place_of(const struct rejects *rejects, const struct listed_entry *entry)
{
    struct buffer key = {0};
    buffer_add_format(&key, "%s/%" PRId32 "/%" PRId64, rejects->audit->options.topic, entry->partition, entry->offset);
    if (entry->index >= 0)
        buffer_add_format(&key, "/%" PRId32, entry->index);
    int32_t place = hash_partition(key.data, key.length, rejects->partitions);
    buffer_fini(&key);
    return place;
}

/* Records of one partition come in the order of its input, so retention takes the smallest offsets first. */
static bool is_gone(const struct rejects *rejects, const struct listed_entry *entry, int32_t at)
{
    return rejects->low[at] > 0 && entry->offset < *first_of(rejects, at, entry->partition);
}

static void check_entry(struct rejects *rejects, const struct listed_entry *entry)
{
    struct audit *audit = rejects->audit;
    int32_t at = place_of(rejects, entry);
    if (entry->is_found)
        return;
    if (entry->copies) {
        audit_note(audit, PORT_REJECTS, at, AUDIT_NO_OFFSET, mend_reject,
                   "input partition %" PRId32 " offset %" PRId64 " index %" PRId32
                   ": the journal lists it as rejected by rule number %u, its records name another rule",
                   entry->partition, entry->offset, entry->index, entry->rule_number);
        return;
    }
    if (is_gone(rejects, entry, at)) {
        audit->sums.rejects_gone++;
        return;
    }
    audit_note(audit, PORT_REJECTS, at, AUDIT_NO_OFFSET, mend_reject,
               "input partition %" PRId32 " offset %" PRId64 " index %" PRId32
               ": the journal lists it as rejected by rule number %u, its record is missing",
               entry->partition, entry->offset, entry->index, entry->rule_number);
}

enum err audit_rejects(struct audit *audit, struct err_info *info)
{
    const struct port *port = audit->options.port;
    struct rejects rejects = {.audit = audit, .partitions = port->partitions(port->self, PORT_REJECTS)};
    audit->sums.listed = listed_count(audit->listed);
    if (rejects.partitions == 0) {
        if (audit->sums.listed)
            audit_note(audit, PORT_REJECTS, 0, AUDIT_NO_OFFSET, mend_reject,
                       "the topic does not exist, the journals list %" PRIu64 " rejects", audit->sums.listed);
        return OK;
    }
    size_t firsts = (size_t)rejects.partitions * (size_t)audit->partitions;
    rejects.low = memory_new((size_t)rejects.partitions, sizeof rejects.low[0]);
    rejects.first = memory_new(firsts, sizeof rejects.first[0]);
    for (size_t i = 0; i < firsts; i++)
        rejects.first[i] = INT64_MAX;
    enum err err = OK;
    for (int32_t i = 0; i < rejects.partitions && err == OK; i++)
        err = read_partition(&rejects, i, info);
    for (uint32_t i = 0; i < listed_count(audit->listed) && err == OK; i++)
        check_entry(&rejects, listed_at(audit->listed, i));
    memory_free(rejects.low);
    memory_free(rejects.first);
    return err;
}
