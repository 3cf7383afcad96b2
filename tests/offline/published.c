/* SPDX-License-Identifier: Apache-2.0 */
#include "offline/published.h"

#include "base/memory.h"
#include "ops/statistic_json.h"

#include <inttypes.h>

void published_init(struct published *published, int32_t partitions)
{
    *published = (struct published){
        .held = json_object(),
        .as_of = json_object(),
        .emitted = json_object(),
        .next = memory_new((size_t)partitions, sizeof(int64_t)),
        .partitions = partitions,
    };
}

void published_fini(struct published *published)
{
    json_decref(published->held);
    json_decref(published->as_of);
    json_decref(published->emitted);
    memory_free(published->next);
    *published = (struct published){0};
}

static enum err take(struct published *published, struct text key, const struct world_record *record,
                     struct err_info *info)
{
    json_t *value =
        record->is_null ? statistic_json_deleted(key, (uint64_t)record->as_of) : statistic_json(key, record->value);
    if (!value)
        return err_set(info, ERR_BROKEN, "%.*s: the value is no statistic", TEXT_ARGS(key));
    json_int_t seen = json_integer_value(json_object_getn(published->as_of, key.data, key.length));
    json_int_t times = json_integer_value(json_object_getn(published->emitted, key.data, key.length));
    json_object_setn_new(published->emitted, key.data, key.length, json_integer(times + 1));
    if (record->as_of <= seen) {
        json_decref(value);
        return OK;
    }
    json_object_setn_new(published->as_of, key.data, key.length, json_integer(record->as_of));
    json_object_setn_new(published->held, key.data, key.length, value);
    return OK;
}

enum err published_read(struct published *published, const struct world *world, struct err_info *info)
{
    for (int32_t p = 0; p < published->partitions; p++) {
        for (; published->next[p] < world_next(world, PORT_STATISTICS, p); published->next[p]++) {
            const struct world_record *record = world_at(world, PORT_STATISTICS, p, published->next[p]);
            struct text key = {(const char *)record->key.data, (uint32_t)record->key.length};
            if (key.length > 0 && key.data[0] != '#')
                TRY(take(published, key, record, info));
        }
    }
    return OK;
}

const json_t *published_find(const struct published *published, struct text key)
{
    const json_t *found = json_object_getn(published->held, key.data, key.length);
    return found && !json_object_get(found, "deleted") ? found : NULL;
}

bool published_is_tombstone(const struct published *published, struct text key)
{
    const json_t *found = json_object_getn(published->held, key.data, key.length);
    return found && json_object_get(found, "deleted");
}

void published_look(struct published *published)
{
    json_object_clear(published->emitted);
}
