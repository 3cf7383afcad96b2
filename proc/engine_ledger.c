/* SPDX-License-Identifier: Apache-2.0 */
#include "engine_inside.h"

#include "ops/log.h"
#include "trade/calendar.h"

/* All ledgers together against what they may have. If that is too much, those that have as much as the average give something up. */
static void share_memory(struct engine *engine)
{
    int64_t bytes = 0;
    int64_t ledgers = 0;
    for (int32_t i = 0; i < engine->partitions; i++) {
        int64_t own = counter_read(&engine->statuses[i].ledger_bytes);
        bytes += own;
        ledgers += own > 0;
    }
    bool is_too_much = bytes > engine->ledger_bytes_most;
    counter_set(&engine->ledger_share, is_too_much ? bytes / ledgers : 0);
}

static void tell_floor(struct engine *engine, int32_t partition)
{
    const struct partition_status *status = &engine->statuses[partition];
    int64_t raised = counter_read(&status->floor_raised);
    if (raised == engine->floors_told[partition])
        return;
    engine->floors_told[partition] = raised;
    uint32_t month = calendar_date(calendar_month_day((int32_t)counter_read(&status->floor_month))) / 100;
    log_event(
        LOG_LEVEL_WARN, "ledger_floor_raised",
        LOG_FIELDS(log_int("partition", partition), log_int("month", (int64_t)month),
                   log_int("ledger_bytes", counter_read(&status->ledger_bytes))),
        "the ledgers reached ledger.max.bytes: declarations of partition %d from before %u-%02u can't be replaced or "
        "cancelled any more (LED-901)",
        (int)partition, month / 100, month % 100);
}

void engine_ledger_step(struct engine *engine)
{
    if (engine->ledger_bytes_most == 0) /* the memory limit is looked up once */
        engine->ledger_bytes_most = config_ledger_max_bytes(engine->options.config);
    share_memory(engine);
    for (int32_t i = 0; i < engine->partitions; i++)
        tell_floor(engine, i);
}
