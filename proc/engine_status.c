/* SPDX-License-Identifier: Apache-2.0 */
#include "engine_inside.h"
#include "flow/restore.h"
#include "trade/calendar.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

/* proto3 JSON: 64-bit numbers are texts. */
static json_t *int64_json(int64_t value)
{
    char text[ENGINE_NUMBER_BYTES];
    snprintf(text, sizeof text, "%" PRId64, value);
    return json_string(text);
}

static const char *role_name(const struct engine *engine)
{
    static const char *const names[] = {"all", "aggregate", "publish"};
    return names[engine->options.config->role];
}

static int64_t epochs_of(const struct partition_status *status)
{
    int64_t sum = 0;
    for (int claim = 0; claim < PARTITION_CLAIMS; claim++)
        sum += counter_read(&status->epochs[claim]);
    return sum;
}

static json_t *partition_json(struct engine *engine, int32_t index)
{
    char plan[ENGINE_NUMBER_BYTES];
    struct partition_status *status = &engine->statuses[index];
    int64_t position = counter_read(&status->position);
    int64_t high = port_kafka_high_watermark(&engine->port, index);
    char reason[ERR_TEXT_BYTES];
    char trouble[ERR_TEXT_BYTES];
    pthread_mutex_lock(&status->lock);
    memcpy(reason, status->reason, sizeof reason);
    memcpy(trouble, status->trim_trouble, sizeof trouble);
    pthread_mutex_unlock(&status->lock);
    json_t *row = json_object();
    json_object_set_new(row, "partition", json_integer(index));
    json_object_set_new(row, "position", int64_json(position));
    json_object_set_new(row, "high_watermark", int64_json(high));
    json_object_set_new(row, "lag", int64_json(high > position ? high - position : 0));
    json_object_set_new(row, "epoch", int64_json(epochs_of(status)));
    json_object_set_new(row, "state",
                        json_string(partition_phase_name((enum partition_phase)counter_read(&status->phase))));
    json_object_set_new(row, "reason", json_string(reason));
    json_object_set_new(row, "journal_trouble", json_string(trouble));
    json_object_set_new(row, "guard", json_string(guard_name((enum guard)counter_read(&status->guard))));
    json_object_set_new(row, "plan", json_string(engine_state_plan(&status->plan_id, plan)));
    json_object_set_new(row, "idle", json_boolean(counter_read(&status->is_idle)));
    if (restore_percent(status) >= 0)
        json_object_set_new(row, "restored_percent", json_integer(restore_percent(status)));
    json_object_set_new(row, "ledger_entries", int64_json(counter_read(&status->ledger_entries)));
    return row;
}

static json_t *verdicts_json(struct engine *engine, int64_t *out_sum)
{
    json_t *verdicts = json_object();
    *out_sum = 0;
    for (int v = 0; v < VERDICTS; v++) {
        int64_t sum = 0;
        for (int32_t i = 0; i < engine->worker_count; i++)
            sum += counter_read(&worker_counters(engine->workers[i].worker)->verdicts[v]);
        json_object_set_new(verdicts, verdict_name((enum verdict)v), int64_json(sum));
        *out_sum += sum;
    }
    return verdicts;
}

/* "2025-07", null before a watermark is known. */
static json_t *month_json(int64_t day)
{
    if (day == INT32_MIN)
        return json_null();
    uint32_t date = calendar_date((int32_t)day);
    return json_sprintf("%04u-%02u", (unsigned)(date / 10000), (unsigned)(date / 100 % 100));
}

static json_t *publisher_json(struct engine *engine)
{
    const struct publisher_counters *counters = publisher_counters(engine->publisher);
    struct err_info why;
    const char *halt = engine_state_halt(engine, &why);
    json_t *publisher = json_object();
    json_object_set_new(publisher, "state", json_string(engine_state_name(engine_state_of_publisher(engine, halt))));
    struct err_info trouble;
    publisher_trouble(engine->publisher, &trouble);
    json_object_set_new(publisher, "reason", json_string(halt[0] ? halt : trouble.text));
    json_object_set_new(publisher, "term", int64_json(counter_read(&counters->term)));
    json_object_set_new(publisher, "as_of", int64_json(counter_read(&counters->as_of)));
    json_object_set_new(publisher, "claims", int64_json(counter_read(&counters->claims)));
    json_object_set_new(publisher, "repairs", int64_json(counter_read(&counters->repairs)));
    json_object_set_new(publisher, "keys_published", int64_json(counter_read(&counters->publish_keys)));
    json_object_set_new(publisher, "tombstones", int64_json(counter_read(&counters->tombstones)));
    json_object_set_new(publisher, "open_from", month_json(counter_read(&counters->open_from)));
    json_object_set_new(publisher, "final_before", month_json(counter_read(&counters->final_before)));
    json_object_set_new(publisher, "dirty", int64_json(counter_read(&counters->dirty)));
    json_object_set_new(publisher, "folded_declarations", int64_json(counter_read(&counters->folded_declarations)));
    json_object_set_new(publisher, "published_declarations",
                        int64_json(counter_read(&counters->published_declarations)));
    return publisher;
}

static json_t *lists_json(struct engine *engine)
{
    char trouble[ERR_TEXT_BYTES];
    pthread_mutex_lock(&engine->lock);
    memcpy(trouble, engine->lists_trouble, sizeof trouble);
    pthread_mutex_unlock(&engine->lock);
    json_t *lists = json_object();
    json_object_set_new(lists, "loaded_ms", int64_json(counter_read(&engine->lists_ms)));
    for (int i = 0; i < RELOADS; i++)
        json_object_set_new(lists, engine_state_reload((enum reload)i), int64_json(counter_read(&engine->reloads[i])));
    json_object_set_new(lists, "trouble", json_string(trouble));
    return lists;
}

static void put_running(struct engine *engine, json_t *root)
{
    json_t *partitions = json_array();
    for (int32_t i = 0; i < engine->partitions; i++) {
        if (roster_owner(engine->roster, i) != ROSTER_NOBODY)
            json_array_append_new(partitions, partition_json(engine, i));
    }
    json_object_set_new(root, "partitions", partitions);
    int64_t declarations;
    json_object_set_new(root, "verdicts", verdicts_json(engine, &declarations));
    json_object_set_new(root, "declarations", int64_json(declarations));
    int64_t watermark_ms = counter_read(&publisher_counters(engine->publisher)->watermark_ms);
    json_object_set_new(root, "watermark_ms", watermark_ms == INT64_MIN ? json_null() : int64_json(watermark_ms));
    json_object_set_new(root, "publisher", publisher_json(engine));
    json_t *rates = json_object();
    json_object_set_new(rates, "declarations_per_s", int64_json(counter_read(&engine->rate)));
    json_object_set_new(root, "rates", rates);
    struct kafka_health health;
    port_kafka_health(&engine->port, &health);
    json_t *kafka = json_object();
    json_object_set_new(kafka, "reachable", json_boolean(health.is_reachable));
    json_object_set_new(kafka, "last_error", json_string(health.last_error));
    json_object_set_new(kafka, "errors", int64_json(health.errors));
    json_object_set_new(root, "kafka", kafka);
}

void engine_status_handle(void *self, struct http_request *request, struct http_response *response)
{
    struct engine *engine = self;
    (void)request;
    char reason[ERR_TEXT_BYTES];
    bool connected = engine_state_is_connected(engine, reason);
    const char *not_ready = engine_not_ready(engine);
    int64_t phase = counter_read(&engine->phase);
    json_t *root = json_object();
    json_object_set_new(root, "version", json_string(DRYPORT_VERSION));
    json_object_set_new(root, "role", json_string(role_name(engine)));
    json_object_set_new(root, "state",
                        json_string(!connected                 ? "connecting"
                                    : phase == ENGINE_STOPPING ? "stopping"
                                    : not_ready                ? "starting"
                                                               : "running"));
    json_object_set_new(root, "reason", json_string(!connected ? reason : not_ready ? not_ready : ""));
    char plan[ENGINE_NUMBER_BYTES];
    engine_state_plan(&engine->plan_id, plan);
    json_object_set_new(root, "plan", json_string(plan));
    json_object_set_new(root, "lists", lists_json(engine));
    json_object_set_new(root, "currency", json_string(engine->options.config->reporting_currency));
    if (connected)
        put_running(engine, root);
    char *text = json_dumps(root, JSON_INDENT(2));
    buffer_add_text(&response->body, text);
    buffer_add_u8(&response->body, '\n');
    free(text); /* banned-ok: jansson made it with malloc */
    json_decref(root);
    response->content_type = "application/json";
}
