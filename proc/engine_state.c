/* SPDX-License-Identifier: Apache-2.0 */
#include "engine_inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool engine_state_is_connected(struct engine *engine, char out_reason[static ERR_TEXT_BYTES])
{
    pthread_mutex_lock(&engine->lock);
    bool connected = engine->connected;
    memcpy(out_reason, engine->reason, ERR_TEXT_BYTES);
    pthread_mutex_unlock(&engine->lock);
    return connected;
}

bool engine_state_publishes(const struct engine *engine)
{
    return counter_read(&engine->leads) != 0;
}

/* A publisher that stands by is ready when it could take over at once. */
static const char *publisher_not_ready(const struct engine *engine)
{
    const struct publisher_counters *counters = publisher_counters(engine->publisher);
    if (engine->options.config->role == CONFIG_ROLE_PUBLISH && !port_kafka_lease_is_joined(&engine->port))
        return "not yet a member of the publishers' group";
    if (engine_state_publishes(engine) && !counter_read(&counters->is_publishing))
        return "the publisher has not caught up";
    if (engine->options.config->role == CONFIG_ROLE_PUBLISH && !counter_read(&counters->is_folded))
        return "the journals are being read";
    return NULL;
}

const char *engine_not_ready(struct engine *engine)
{
    char reason[ERR_TEXT_BYTES];
    if (!engine_state_is_connected(engine, reason))
        return "not connected to the brokers";
    if (counter_read(&engine->phase) != ENGINE_RUNNING)
        return "stopping";
    struct kafka_health health;
    port_kafka_health(&engine->port, &health);
    if (!health.is_reachable)
        return "no broker answers";
    if (engine->options.config->role != CONFIG_ROLE_PUBLISH && !port_kafka_is_joined(&engine->port))
        return "not yet a member of the group";
    for (int32_t i = 0; i < engine->partitions; i++) {
        int64_t phase = counter_read(&engine->statuses[i].phase);
        if (roster_owner(engine->roster, i) != ROSTER_NOBODY && phase != PARTITION_RUNNING && phase != PARTITION_HALTED)
            return "a partition is being restored";
    }
    return publisher_not_ready(engine);
}

const char *engine_state_halt(struct engine *engine, struct err_info *why)
{
    for (int32_t i = 0; i < engine->partitions; i++) {
        int64_t position;
        publisher_health(engine->publisher, i, &position, why);
        if (why->text[0])
            return why->text;
    }
    return "";
}

enum engine_publishing engine_state_of_publisher(struct engine *engine, const char *halt)
{
    if (halt[0])
        return ENGINE_HALTED;
    if (engine->options.config->role == CONFIG_ROLE_AGGREGATE)
        return ENGINE_OFF;
    if (counter_read(&publisher_counters(engine->publisher)->is_publishing))
        return ENGINE_PUBLISHING;
    return engine_state_publishes(engine) ? ENGINE_CATCHING_UP : ENGINE_STANDBY;
}

const char *engine_state_name(enum engine_publishing state)
{
    static const char *const names[ENGINE_PUBLISHINGS] = {"publishing", "catching_up", "standby", "halted", "off"};
    return names[state];
}

const char *engine_state_reload(enum reload reload)
{
    static const char *const names[RELOADS] = {"applied", "unchanged", "refused"};
    return names[reload];
}

char *engine_state_plan(const struct counter *plan_id, char out[static ENGINE_NUMBER_BYTES])
{
    snprintf(out, ENGINE_NUMBER_BYTES, "%016" PRIx64, (uint64_t)counter_read(plan_id));
    return out;
}

/* Alive: every thread makes its steps. */
void engine_livez_handle(void *self, struct http_request *request, struct http_response *response)
{
    struct engine *engine = self;
    (void)request;
    char reason[ERR_TEXT_BYTES];
    const char *stuck = engine_state_is_connected(engine, reason) ? engine_watch_stuck(engine, reason) : NULL;
    if (stuck)
        response->status = 503;
    buffer_add_format(&response->body, "%s\n", stuck ? stuck : "ok");
}

void engine_readyz_handle(void *self, struct http_request *request, struct http_response *response)
{
    struct engine *engine = self;
    (void)request;
    char reason[ERR_TEXT_BYTES];
    const char *why = engine_not_ready(engine);
    if (!why) {
        buffer_add_text(&response->body, "ready\n");
        return;
    }
    response->status = 503;
    bool connected = engine_state_is_connected(engine, reason);
    buffer_add_format(&response->body, "not ready: %s%s%s\n", why, connected ? "" : ": ", connected ? "" : reason);
}
