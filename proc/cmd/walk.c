/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/walk.h"

#include "base/clock.h"
#include "cmd/stop.h"

#include <inttypes.h>

enum { PATIENCE_MS = 30000, WAIT_MS = 100, WAIT_MOST_MS = 1000, MS_NS = 1000000 };

const char *walk_fault_name(enum port_fault fault)
{
    switch (fault) {
    case PORT_BAD_CRC:
        return "the check sum of its batch is wrong";
    case PORT_BAD_COMPRESSION:
        return "it can't be decompressed";
    case PORT_TOO_LARGE:
        return "it is larger than this client takes";
    case PORT_OFFSET_RESET:
        return "it is not in the log any more";
    case PORT_NONE:
    case PORT_OTHER:
        break;
    }
    return "the broker can't give it";
}

void walk_init(struct walk *walk, const struct port *port, enum port_topic topic, int32_t partition)
{
    *walk = (struct walk){.port = port, .topic = topic, .partition = partition, .patience_ms = PATIENCE_MS};
}

enum err walk_note(struct walk *walk, struct err_info *info)
{
    struct port_bounds bounds;
    TRY(walk->port->bounds(walk->port->self, walk->topic, walk->partition, &bounds, info));
    walk->next = bounds.low;
    walk->end = bounds.high;
    return OK;
}

enum err walk_extend(struct walk *walk, struct err_info *info)
{
    struct port_bounds bounds;
    TRY(walk->port->bounds(walk->port->self, walk->topic, walk->partition, &bounds, info));
    if (bounds.high > walk->end)
        walk->end = bounds.high;
    return OK;
}

static void give_back(struct walk *walk)
{
    if (walk->count)
        walk->port->release(walk->port->self, walk->records, walk->count);
    walk->count = 0;
    walk->at = 0;
}

static enum err fill(struct walk *walk, struct err_info *info)
{
    const struct port *port = walk->port;
    int64_t waited_ms = 0;
    give_back(walk);
    if (!walk->stream)
        walk->stream = port->stream_open(port->self, walk->topic, walk->partition, walk->next);
    if (!walk->stream)
        return err_set(info, ERR_PEER, "partition %" PRId32 " can't be read from offset %" PRId64, walk->partition,
                       walk->next);
    for (;;) {
        if (stop_requested())
            return err_set(info, ERR_RETRY, "stopped before the end");
        walk->count = port->stream_take(port->self, walk->stream, walk->records, WALK_TAKE);
        if (walk->count)
            return OK;
        if (walk->topic == PORT_STATISTICS && port->stream_at_end(port->self, walk->stream)) {
            walk->next = walk->end; /* the last record was a tombstone, and is gone */
            return OK;
        }
        if (waited_ms > walk->patience_ms)
            return err_set(info, ERR_PEER,
                           "partition %" PRId32 ": nothing came for %" PRId64 " s at offset %" PRId64
                           " though the log ends at %" PRId64,
                           walk->partition, walk->patience_ms / 1000, walk->next, walk->end);
        /* a machine that stood still has not waited */
        int64_t begun_ns = clock_steady_ns();
        port->wait(port->self, 0, WAIT_MS);
        int64_t ms = (clock_steady_ns() - begun_ns) / MS_NS;
        waited_ms += ms < WAIT_MOST_MS ? ms : WAIT_MOST_MS;
    }
}

enum err walk_next(struct walk *walk, const struct port_record **out, struct err_info *info)
{
    *out = NULL;
    if (walk->next >= walk->end)
        return OK;
    if (walk->at == walk->count)
        TRY(fill(walk, info));
    if (walk->next >= walk->end)
        return OK;
    const struct port_record *record = &walk->records[walk->at];
    if (record->fault == PORT_NONE && record->offset >= walk->end) { /* what was between is not there any more */
        walk->next = walk->end;
        return OK;
    }
    walk->at++;
    walk->next = record->offset + 1;
    *out = record;
    return OK;
}

void walk_close(struct walk *walk)
{
    give_back(walk);
    if (walk->stream)
        walk->port->stream_close(walk->port->self, walk->stream);
    walk->stream = NULL;
}
