/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crc.h"
#include "offline/scenario_inside.h"

#include <stdlib.h>

#define MONTH_MS (30 * 86400000LL)

static enum err check_lists(struct scenario *scenario, struct err_info *info)
{
    return scenario->stage.reload_count == 0
               ? OK
               : scenario_error(scenario, info,
                                "what was judged by lists of before can't be replayed with those of now");
}

enum err scenario_replay(struct scenario *scenario, struct scenario_words words, struct err_info *info)
{
    (void)words;
    TRY(check_lists(scenario, info));
    int64_t seed = scenario->stage.seed + (int64_t)scenario->stage.lives;
    stage_close(&scenario->stage);
    published_fini(&scenario->published);
    stage_open(&scenario->stage, &scenario->assembly, (int32_t)scenario->options->config.topics_partitions,
               scenario->now_ms);
    scenario->stage.snapshot_bytes = scenario->snapshot_bytes;
    scenario->stage.seed = seed;
    published_init(&scenario->published, scenario->stage.partitions);
    scenario_put_again(scenario, &scenario->stage);
    stage_start(&scenario->stage);
    return OK;
}

/* ---- two of them ---- */

struct replay {
    json_t *held; /* without as_of and as_of_ms */
    uint32_t crc; /* of all bytes of topic.statistics */
};

static uint32_t crc_of_statistics(const struct stage *stage)
{
    uint32_t crc = 0;
    for (int32_t p = 0; p < stage->partitions; p++) {
        for (int64_t o = 0; o < world_next(stage->world, PORT_STATISTICS, p); o++) {
            const struct world_record *record = world_at(stage->world, PORT_STATISTICS, p, o);
            crc = crc32c(crc, record->key.data, record->key.length);
            crc = crc32c(crc, record->value.data, record->value.length);
        }
    }
    return crc;
}

static enum err run(struct scenario *scenario, int64_t seed, int64_t now_ms, struct replay *out, struct err_info *info)
{
    struct stage stage;
    struct published published;
    struct err_info why;
    stage_open(&stage, &scenario->assembly, scenario->stage.partitions, now_ms);
    stage.seed = seed;
    stage.snapshot_bytes = scenario->snapshot_bytes;
    published_init(&published, stage.partitions);
    scenario_put_again(scenario, &stage);
    stage_start(&stage);
    enum err err = stage_settle(&stage, &why);
    if (err == OK)
        err = published_read(&published, stage.world, &why);
    *out = (struct replay){json_deep_copy(published.held), crc_of_statistics(&stage)};
    const char *key;
    json_t *value;
    json_object_foreach(out->held, key, value)
    {
        json_object_del(value, "as_of");
        json_object_del(value, "as_of_ms");
    }
    published_fini(&published);
    stage_close(&stage);
    return err == OK ? OK : scenario_error(scenario, info, "%s", why.text);
}

static void compare(struct scenario *scenario, const struct replay *one, const struct replay *other)
{
    const char *key;
    json_t *value;
    json_object_foreach(one->held, key, value)
    {
        const json_t *found = json_object_get(other->held, key);
        if (!found || !json_equal(value, found))
            scenario_fail(scenario, "%s: two replays differ", key);
    }
    if (json_object_size(one->held) != json_object_size(other->held))
        scenario_fail(scenario, "two replays publish %zu and %zu keys", json_object_size(one->held),
                      json_object_size(other->held));
}

enum err scenario_replays_equal(struct scenario *scenario, struct scenario_words words, struct err_info *info)
{
    (void)words;
    struct replay replays[3] = {{0}};
    enum err err = check_lists(scenario, info);
    for (int i = 0; err == OK && i < 3; i++)
        err = run(scenario, i == 2 ? 99 : 7, scenario->now_ms + (i == 2 ? MONTH_MS : 0), &replays[i], info);
    if (err == OK && replays[0].crc != replays[1].crc)
        scenario_fail(scenario, "two replays of one seed publish other bytes");
    if (err == OK)
        compare(scenario, &replays[0], &replays[2]);
    for (int i = 0; i < 3; i++)
        json_decref(replays[i].held);
    return err;
}
