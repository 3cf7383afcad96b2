/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/replay.h"

#include "base/buffer.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/table.h"
#include "cmd/sender.h"
#include "cmd/setup.h"

enum { EXPECTED = 1 << 10, BATCH_FIELD = 0x0A };

struct replay {
    struct replay_options options;
    struct kafka_options kafka;
    struct sender *sender; /* NULL: dry */
    struct table *sent;    /* by partition and hash of the value */
    struct buffer value;
    struct replay_sums sums;
};

static void tell_failure(void *self, uint64_t token, enum err reason, const char *why)
{
    struct replay *replay = self;
    (void)token;
    (void)reason;
    (void)why;
    replay->sums.failed++;
}

enum err replay_open(const struct replay_options *options, struct replay **out, struct err_info *info)
{
    struct replay *replay = memory_new(1, sizeof *replay);
    replay->options = *options;
    replay->sent = table_new(EXPECTED);
    setup_kafka(&options->options->config, options->options->timeout_ms, &replay->kafka);
    replay->kafka.topics_create = false;
    enum err err = OK;
    if (!options->is_dry)
        err = sender_open(&replay->kafka, (struct sender_failure){tell_failure, replay}, &replay->sender, info);
    if (err != OK) {
        replay_close(replay);
        return err;
    }
    *out = replay;
    return OK;
}

void replay_close(struct replay *replay)
{
    if (!replay)
        return;
    sender_close(replay->sender);
    setup_kafka_fini(&replay->kafka);
    table_free(replay->sent);
    buffer_fini(&replay->value);
    memory_free(replay);
}

/* False: it went already. */
static bool is_new(struct replay *replay, int32_t partition, struct bytes value)
{
    static const struct hash_key seed = {{0x5245504C41594544, 0x4445434C41524154}};
    struct hash128 hash = hash_sip128(value.data, value.length, &seed);
    struct table_key key = {{(uint64_t)(uint32_t)partition, hash.word[0], hash.word[1], 0}};
    bool added;
    table_put(replay->sent, &key, table_hash(&key), &added);
    return added;
}

static struct bytes value_of(struct replay *replay, const struct coordinates_found *found)
{
    if (found->index < 0 || found->has_header)
        return found->record->value;
    buffer_clear(&replay->value);
    buffer_add_u8(&replay->value, BATCH_FIELD);
    buffer_add_varint(&replay->value, found->bytes.length);
    buffer_add(&replay->value, found->bytes.data, found->bytes.length);
    return buffer_bytes(&replay->value);
}

enum err replay_take(struct replay *replay, const struct coordinates_found *found, struct err_info *info)
{
    if (!found->record || found->record->is_null) { /* a null has nothing to produce again */
        replay->sums.gone++;
        return OK;
    }
    struct bytes value = value_of(replay, found);
    if (!is_new(replay, found->partition, value)) {
        replay->sums.same++;
        return OK;
    }
    if (!replay->sender) {
        replay->sums.records++;
        return OK;
    }
    return sender_send_to(replay->sender, found->partition, found->record->key, value,
                          replay->options.at_arrival ? 0 : found->record->timestamp_ms, 0, info);
}

enum err replay_finish(struct replay *replay, struct err_info *info)
{
    if (!replay->sender)
        return OK;
    enum err err = sender_finish(replay->sender, info);
    replay->sums.records = sender_sums(replay->sender).acknowledged;
    return err;
}

struct replay_sums replay_sums(const struct replay *replay)
{
    return replay->sums;
}
