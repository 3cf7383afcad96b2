/* SPDX-License-Identifier: Apache-2.0
 *
 * What main does with the decisions of the group: the roster gives partitions to workers; here is who publishes.
 */
#include "engine_inside.h"
#include "ops/log.h"

static void set_lead(struct engine *engine, bool on)
{
    if (on == (counter_read(&engine->leads) != 0))
        return;
    counter_set(&engine->leads, on);
    roster_lead(engine->roster, on);
    log_event(LOG_LEVEL_INFO, on ? "lease_taken" : "lease_let_go", LOG_NONE,
              on ? "this process publishes the statistics" : "another process may publish the statistics");
}

static void take_change(struct engine *engine, const struct port_membership *change)
{
    static const char *const events[] = {"partition_assigned", "partition_revoked", "partition_lost"};
    log_event(LOG_LEVEL_INFO, events[change->change], LOG_FIELDS(log_int("partition", change->partition)),
              "partition %d", change->partition);
    bool moved = roster_take(engine->roster, change);
    if (moved && change->partition == 0 && engine->options.config->role == CONFIG_ROLE_ALL)
        set_lead(engine, change->change == PORT_ASSIGNED); /* the owner of input partition 0 publishes */
}

void engine_group_step(struct engine *engine)
{
    struct port_membership change;
    while (engine->port.membership(engine->port.self, &change))
        take_change(engine, &change);
    roster_take_released(engine->roster);
    if (engine->options.config->role == CONFIG_ROLE_PUBLISH)
        set_lead(engine, port_kafka_holds_lease(&engine->port));
}
