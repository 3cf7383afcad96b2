/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/reject_list.h"

#include "base/memory.h"

enum { KEPT_FIRST = 16, DAY_MOST = UINT16_MAX };

void reject_list_fini(struct reject_list *list)
{
    for (int i = 0; i < SLICES; i++)
        memory_free(list->kept[i]);
    *list = (struct reject_list){0};
}

static void add(struct reject_list *list, uint32_t slice, const struct reject_kept *kept)
{
    if (list->count[slice] == list->capacity[slice]) {
        list->capacity[slice] = list->capacity[slice] ? list->capacity[slice] * 2 : KEPT_FIRST;
        list->kept[slice] = memory_resize(list->kept[slice], list->capacity[slice], sizeof list->kept[slice][0]);
    }
    list->kept[slice][list->count[slice]++] = *kept;
}

void reject_list_add(struct reject_list *list, const struct reject_place *place, int32_t day)
{
    uint16_t bounded = (uint16_t)(day < 0 ? 0 : day > DAY_MOST ? DAY_MOST : day);
    struct reject_kept kept = {place->offset, place->index, place->rule_number, bounded};
    add(list, slice_of_offset(place->offset), &kept);
}

void reject_list_expire(struct reject_list *list, uint32_t slice, int32_t day)
{
    struct reject_kept *kept = list->kept[slice];
    size_t left = 0;
    for (size_t i = 0; i < list->count[slice]; i++) {
        if (kept[i].day >= day)
            kept[left++] = kept[i];
    }
    list->count[slice] = left;
}

void reject_list_put(struct buffer *out, const struct reject_list *list, uint32_t slice, size_t *index, size_t most)
{
    struct buffer content = {0};
    int64_t offset = 0;
    int64_t day = 0;
    size_t end = list->count[slice] - *index < most ? list->count[slice] : *index + most;
    for (; *index < end; ++*index) {
        const struct reject_kept *kept = &list->kept[slice][*index];
        buffer_add_zigzag(&content, kept->offset - offset);
        buffer_add_zigzag(&content, kept->index);
        buffer_add_varint(&content, kept->rule_number);
        buffer_add_zigzag(&content, kept->day - day);
        offset = kept->offset;
        day = kept->day;
    }
    frame_put_bytes(out, SECTION_LISTED, buffer_bytes(&content));
    buffer_fini(&content);
}

bool reject_list_get(struct bytes bytes, struct reject_list *list, uint32_t slice)
{
    struct reader reader = reader_of(bytes);
    int64_t offset = 0;
    int64_t day = 0;
    while (reader_left(&reader) > 0) {
        offset += reader_zigzag(&reader);
        int64_t index = reader_zigzag(&reader);
        uint64_t rule_number = reader_varint(&reader);
        day += reader_zigzag(&reader);
        if (reader.failed || offset < 0 || slice_of_offset(offset) != slice || rule_number >= RULE_NUMBERS || day < 0 ||
            day > DAY_MOST || index < -1 || index > INT32_MAX)
            return false;
        struct reject_kept kept = {offset, (int32_t)index, (uint16_t)rule_number, (uint16_t)day};
        add(list, slice, &kept);
    }
    return true;
}
