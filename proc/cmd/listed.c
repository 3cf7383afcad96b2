/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/listed.h"

#include "base/memory.h"
#include "base/table.h"
#include "cmd/progress.h"
#include "cmd/walk.h"
#include "flow/reject_list.h"

#include <inttypes.h>

enum { EXPECTED = 1 << 10, SHOW_EACH = 1024 };

struct listed {
    struct table *table;
    struct listed_entry *entries;
    uint32_t capacity;
};

struct listed *listed_new(void)
{
    struct listed *listed = memory_new(1, sizeof *listed);
    listed->table = table_new(EXPECTED);
    return listed;
}

void listed_free(struct listed *listed)
{
    if (!listed)
        return;
    table_free(listed->table);
    memory_free(listed->entries);
    memory_free(listed);
}

static struct table_key place_of(int32_t partition, int64_t offset, int32_t index)
{
    return (struct table_key){{(uint64_t)(uint32_t)partition, (uint64_t)offset, (uint64_t)(int64_t)index, 0}};
}

static void add(struct listed *listed, int32_t partition, const struct reject_place *place)
{
    struct table_key key = place_of(partition, place->offset, place->index);
    bool added;
    uint32_t number = table_put(listed->table, &key, table_hash(&key), &added);
    if (number >= listed->capacity) {
        listed->capacity = listed->capacity ? listed->capacity * 2 : EXPECTED;
        listed->entries = memory_resize(listed->entries, listed->capacity, sizeof listed->entries[0]);
    }
    if (added)
        listed->entries[number] = (struct listed_entry){
            .partition = partition, .rule_number = place->rule_number, .offset = place->offset, .index = place->index};
}

static enum err take_section(struct listed *listed, int32_t partition, const struct frame *frame, struct bytes bytes,
                             uint64_t *count, struct err_info *info)
{
    struct reader reader = reader_of(bytes);
    struct reject_place place;
    while (frame_next_reject(&reader, frame->lo, &place)) {
        if (place.offset < frame->lo || place.offset >= frame->hi || place.index < -1)
            return err_set(info, ERR_BROKEN, "a reject list with input offset %" PRId64 " outside of its group",
                           place.offset);
        add(listed, partition, &place);
        ++*count;
    }
    return reader.failed ? err_set(info, ERR_BROKEN, "a reject list that is cut short") : OK;
}

bool listed_of_slice(const struct frame *first, struct bytes bytes,
                     void (*take)(void *context, const struct reject_place *place), void *context)
{
    struct slice_head head;
    struct reject_list list = {0};
    bool good = slice_get_head(first->payload, &head) && reject_list_get(bytes, &list, head.slice);
    for (size_t i = 0; good && i < list.count[head.slice]; i++) {
        const struct reject_kept *kept = &list.kept[head.slice][i];
        take(context, &(struct reject_place){kept->offset, kept->index, kept->rule_number});
    }
    reject_list_fini(&list);
    return good;
}

struct taking {
    struct listed *listed;
    int32_t partition;
};

static void take_place(void *context, const struct reject_place *place)
{
    const struct taking *taking = context;
    add(taking->listed, taking->partition, place);
}

static enum err take_snapshot(struct listed *listed, int32_t partition, const struct frame *first, struct bytes bytes,
                              struct err_info *info)
{
    struct taking taking = {listed, partition};
    return listed_of_slice(first, bytes, take_place, &taking)
               ? OK
               : err_set(info, ERR_BROKEN, "a reject list of a snapshot that is broken");
}

enum err listed_take(struct listed *listed, int32_t partition, const struct frame *frames, uint32_t count,
                     uint64_t *out_count, struct err_info *info)
{
    uint64_t found = 0;
    struct frame_walk walk = frame_walk_of(frames, count);
    while (frame_walk_next(&walk)) {
        if (walk.section == SECTION_REJECTS)
            TRY(take_section(listed, partition, walk.frame, walk.bytes, &found, info));
        if (walk.section == SECTION_LISTED)
            TRY(take_snapshot(listed, partition, &frames[0], walk.bytes, info));
    }
    if (walk.is_broken)
        return err_set(info, ERR_BROKEN, "a frame whose sections are cut short");
    if (out_count)
        *out_count = found;
    return OK;
}

/* ---- all journals ---- */

struct journal {
    struct listed *listed; /* of this journal alone: a rebase may void what was listed so far */
    int32_t partition;
    struct reader_rule *rule;
    struct walk walk;
};

static enum err fold(void *context, const struct frame *frames, uint32_t count, struct err_info *info)
{
    struct journal *journal = context;
    return listed_take(journal->listed, journal->partition, frames, count, NULL, info);
}

static void take_frame(struct journal *journal, const struct port_record *record)
{
    enum reader_branch branch =
        record->fault != PORT_NONE
            ? reader_rule_fault(journal->rule, record->offset, walk_fault_name(record->fault))
            : reader_rule_feed(journal->rule, record->offset, record->value, fold, journal, NULL);
    if (branch != READER_REBASED)
        return;
    reader_rule_begin_again(journal->rule);
    walk_close(&journal->walk);
    journal->walk.next = journal->rule->position;
    listed_free(journal->listed);
    journal->listed = listed_new();
}

static enum err read_journal(struct journal *journal, struct progress *progress, struct err_info *info)
{
    const struct port_record *record;
    TRY(walk_note(&journal->walk, info));
    int64_t low = journal->walk.next;
    for (uint64_t count = 1;; count++) {
        TRY(walk_next(&journal->walk, &record, info));
        if (!record)
            break;
        take_frame(journal, record);
        if (count % SHOW_EACH == 0)
            progress_show(progress, (uint64_t)(journal->walk.next - low), (uint64_t)(journal->walk.end - low), count);
    }
    return journal->rule->halted ? err_set(info, ERR_BROKEN, "journal %" PRId32 ": %s; see `dryport verify`",
                                           journal->partition, journal->rule->why.text)
                                 : OK;
}

static void add_all(struct listed *to, const struct listed *from)
{
    for (uint32_t i = 0; i < listed_count(from); i++) {
        const struct listed_entry *entry = &from->entries[i];
        add(to, entry->partition, &(struct reject_place){entry->offset, entry->index, entry->rule_number});
    }
}

enum err listed_read(struct listed *listed, const struct port *port, int64_t patience_ms, struct err_info *info)
{
    struct progress progress = progress_begin("journals");
    int32_t partitions = port->partitions(port->self, PORT_JOURNAL);
    struct journal *journal = memory_new(1, sizeof *journal);
    enum err err = OK;
    for (int32_t i = 0; i < partitions && err == OK; i++) {
        *journal = (struct journal){.listed = listed_new(), .partition = i, .rule = reader_rule_new()};
        walk_init(&journal->walk, port, PORT_JOURNAL, i);
        journal->walk.patience_ms = patience_ms;
        err = read_journal(journal, &progress, info);
        add_all(listed, journal->listed);
        listed_free(journal->listed);
        walk_close(&journal->walk);
        reader_rule_free(journal->rule);
    }
    memory_free(journal);
    progress_end(&progress);
    return err;
}

struct listed_entry *listed_find(const struct listed *listed, int32_t partition, int64_t offset, int32_t index)
{
    struct table_key key = place_of(partition, offset, index);
    uint32_t number = table_find(listed->table, &key, table_hash(&key));
    return number == TABLE_NONE ? NULL : &listed->entries[number];
}

uint32_t listed_count(const struct listed *listed)
{
    return table_count(listed->table);
}

struct listed_entry *listed_at(const struct listed *listed, uint32_t number)
{
    return &listed->entries[number];
}
