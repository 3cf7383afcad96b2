/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/guard.h"

#include "base/crc.h"
#include "flow/frame.h"

#include <inttypes.h>

enum { BEGUN_WAIT_MS = 100 };

const char *guard_name(enum guard guard)
{
    static const char *const names[GUARDS] = {
        "none",       "partitions",    "units",           "journal_lost", "input_recreated",
        "input_lost", "input_damaged", "journal_damaged", "topic_limit",  "limit",
    };
    return names[guard];
}

static enum guard closed(enum guard guard, enum err err)
{
    (void)err; /* of err_set: its text is what counts here */
    return guard;
}

enum guard guard_partitions(int32_t input, int32_t journal, int32_t begun_with, struct err_info *why)
{
    if (begun_with && begun_with != input)
        return closed(
            GUARD_PARTITIONS,
            err_set(why, ERR_CONFIG,
                    "the journal was begun when the input had %d partitions, and now it has %d: versions of one "
                    "declaration lie in two partitions, and their sum would be wrong. Count the input again into "
                    "new journal and statistics topics with another group",
                    begun_with, input));
    if (input != journal)
        return closed(GUARD_PARTITIONS,
                      err_set(why, ERR_CONFIG,
                              "the input has %d partitions and the journal %d: partition p of the journal belongs to "
                              "partition p of the input. Start the process again: it says what to do",
                              input, journal));
    return GUARD_NONE;
}

static enum guard check_units(const struct guard_facts *facts, struct err_info *why)
{
    if (facts->begun_units.length == 0 || facts->units.length == 0 || text_equal(facts->begun_units, facts->units))
        return GUARD_NONE;
    return closed(
        GUARD_UNITS,
        err_set(
            why, ERR_CONFIG,
            "the journal was begun with reporter and currency %.*s, this process has %.*s: amounts can't be counted "
            "again in another currency. Start with the configuration of before, or count the input again into "
            "new journal and statistics topics with another group",
            TEXT_ARGS(facts->begun_units), TEXT_ARGS(facts->units)));
}

static enum guard check_journal(const struct guard_facts *facts, struct err_info *why)
{
    if (facts->has_data || facts->committed <= facts->position || facts->committed <= 0)
        return GUARD_NONE;
    return closed(
        GUARD_JOURNAL_LOST,
        err_set(why, ERR_BROKEN,
                "the journal holds nothing that was counted, but the group has counted up to input offset %" PRId64
                ": the journal is empty or was deleted. Restore it, or start with another group and a new "
                "statistics topic",
                facts->committed));
}

static enum guard check_input(const struct guard_facts *facts, struct err_info *why)
{
    int64_t position = facts->position;
    if (position > facts->input.high)
        return closed(GUARD_INPUT_RECREATED,
                      err_set(why, ERR_BROKEN,
                              "the journal has counted up to input offset %" PRId64 ", the input log ends at %" PRId64
                              ": the topic was created anew, or its end was lost with a broker. Use new journal and "
                              "statistics topics with it",
                              position, facts->input.high));
    if (!facts->has_groups || position >= facts->input.low)
        return GUARD_NONE;
    return closed(GUARD_INPUT_LOST,
                  err_set(why, ERR_BROKEN,
                          "input offsets %" PRId64 " to %" PRId64
                          " were deleted by retention before they were counted. Set retention.ms=-1 on the topic, and "
                          "go on without them: dryport skip --partition %d --from %" PRId64 " --to %" PRId64
                          " --reason TEXT",
                          position, facts->input.low - 1, facts->partition, position, facts->input.low));
}

enum guard guard_start(const struct guard_facts *facts, struct err_info *why)
{
    enum guard guard = guard_partitions(facts->partitions, facts->journal, facts->begun_with, why);
    if (guard == GUARD_NONE)
        guard = check_units(facts, why);
    if (guard == GUARD_NONE)
        guard = check_journal(facts, why);
    return guard == GUARD_NONE ? check_input(facts, why) : guard;
}

enum guard guard_record(int64_t offset, struct bytes value, uint32_t counted_crc, struct err_info *why)
{
    if (crc32c(0, value.data, value.length) == counted_crc)
        return GUARD_NONE;
    return closed(GUARD_INPUT_RECREATED,
                  err_set(why, ERR_BROKEN,
                          "the record at input offset %" PRId64 " is not the one that was counted there: the topic was "
                          "created anew. Use new journal and statistics topics with it",
                          offset));
}

static const char *fault_text(enum port_fault fault)
{
    switch (fault) {
    case PORT_BAD_CRC:
        return "its check sum is wrong";
    case PORT_BAD_COMPRESSION:
        return "it can't be decompressed";
    case PORT_TOO_LARGE:
        return "it is larger than the consumer takes (kafka.receive.message.max.bytes)";
    case PORT_OFFSET_RESET:
        return "it is not in the log any more";
    default:
        return "the broker reports an error";
    }
}

enum guard guard_fault(int32_t partition, int64_t expected, int64_t offset, enum port_fault fault, struct err_info *why)
{
    if (fault == PORT_OFFSET_RESET)
        return closed(GUARD_INPUT_LOST,
                      err_set(why, ERR_BROKEN, "input offset %" PRId64 ": %s", expected, fault_text(fault)));
    if (offset < expected) /* read to see whether the input is still the one that was counted */
        return closed(
            GUARD_INPUT_DAMAGED,
            err_set(
                why, ERR_BROKEN,
                "the last counted record, input offset %" PRId64 ": %s. So it can't be shown that this input is the "
                "one that was counted. Mend the topic (another replica may have the record) and start again. If it "
                "is the same topic and the record is lost, go on behind the damage (a damaged batch takes several "
                "offsets; %" PRId64 " is the first that was not counted): dryport skip --partition %d --from %" PRId64
                " --to %" PRId64 " --reason TEXT",
                expected - 1, fault_text(fault), expected, partition, expected, expected + 1));
    int64_t behind = offset + 1;
    return closed(GUARD_INPUT_DAMAGED,
                  err_set(why, ERR_BROKEN,
                          "input offset %" PRId64 ": %s. Mend the topic and start again, or go on behind the damage (a "
                          "damaged batch takes several offsets): dryport skip --partition %d --from %" PRId64
                          " --to %" PRId64 " --reason TEXT",
                          offset, fault_text(fault), partition, expected, behind));
}

enum guard guard_journal(int32_t partition, bool is_whole, bool needs_upgrade, struct err_info *why)
{
    if (needs_upgrade) /* the text says so */
        return GUARD_JOURNAL_DAMAGED;
    if (!is_whole)
        return closed(GUARD_JOURNAL_DAMAGED,
                      err_prefix(why, ERR_BROKEN,
                                 "the journal is corrupt, and nothing whole stands before the break. Restore the topic "
                                 "from a mirror, or count the input again into new journal and statistics topics with "
                                 "another group. What is wrong"));
    return closed(GUARD_JOURNAL_DAMAGED,
                  err_prefix(why, ERR_BROKEN,
                             "the journal is corrupt. Restore the topic from a mirror, or go on from what was accepted "
                             "before the break: dryport skip --partition %d --rebase --reason TEXT. What is wrong",
                             partition));
}

/* ---- the topic as a whole ---- */

/* Takes the first record of a journal; true if it came. A damaged one says nothing: it halts where it is restored. */
static bool look_at_first(const struct port *port, struct port_stream *stream, int32_t *out_begun_with)
{
    struct port_record record;
    if (port->stream_take(port->self, stream, &record, 1) == 0)
        return false;
    struct frame frame;
    struct err_info ignored;
    if (record.fault == PORT_NONE && frame_parse(record.value, &frame, &ignored) == OK)
        *out_begun_with = frame_partitions(&frame);
    port->release(port->self, &record, 1);
    return true;
}

enum err guard_begun(const struct port *port, int32_t lane, int64_t timeout_ms, struct err_info *why)
{
    struct port_bounds bounds;
    TRY(port->bounds(port->self, PORT_JOURNAL, 0, &bounds, why));
    int32_t begun_with = 0;
    if (bounds.low < bounds.high) {
        struct port_stream *stream = port->stream_open(port->self, PORT_JOURNAL, 0, bounds.low);
        int64_t until_ms = port->now_ms(port->self) + timeout_ms;
        bool came = false;
        while (!came && port->now_ms(port->self) < until_ms) {
            port->wait(port->self, lane, BEGUN_WAIT_MS);
            came = look_at_first(port, stream, &begun_with);
        }
        port->stream_close(port->self, stream);
        if (!came)
            return err_set(why, ERR_RETRY, "the first record of the journal of partition 0 does not come");
    }
    bool equal = guard_partitions(port->partitions(port->self, PORT_DECLARATIONS),
                                  port->partitions(port->self, PORT_JOURNAL), begun_with, why) == GUARD_NONE;
    return equal ? OK : ERR_CONFIG;
}
