/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/state.h"

#include <inttypes.h>

void state_init(struct state *state, const struct view_plan *plan, uint64_t seed)
{
    *state = (struct state){.event_ms_most = INT64_MIN};
    state->ledger = ledger_new(seed);
    state->tally = tally_new(plan);
    dictionary_init(&state->dictionary);
}

void state_fini(struct state *state)
{
    ledger_free(state->ledger);
    tally_free(state->tally);
    dictionary_fini(&state->dictionary);
    *state = (struct state){0};
}

bool state_take_open(struct state *state, const struct frame *open)
{
    if (state->has_id_key)
        return true;
    struct reader reader = reader_of(open->payload);
    enum frame_section section;
    struct bytes bytes;
    bool broken = false;
    while (frame_next_section(&reader, &section, &bytes, &broken)) {
        if (section == SECTION_ID_KEY && bytes.length == sizeof state->id_key) {
            memcpy(&state->id_key, bytes.data, sizeof state->id_key);
            state->has_id_key = true;
        }
    }
    return state->has_id_key;
}

struct control state_control(const struct state *state)
{
    struct control control = {
        .tally = tally_control(state->tally),
        .ledger = ledger_control(state->ledger),
        .ledger_count = ledger_count(state->ledger),
    };
    memcpy(control.verdicts, state->verdicts, sizeof control.verdicts);
    return control;
}

static bool fold_ledger(struct state *state, struct bytes bytes)
{
    struct reader reader = reader_of(bytes);
    struct contribution head = {0};
    struct ledger_key key;
    struct bytes contribution;
    bool good = true;
    while (good && frame_next_entry(&reader, &key, &contribution)) {
        good = contribution_decode(contribution, &head);
        good = good && head.version <= LEDGER_VERSION_MOST;
        if (good)
            ledger_put(state->ledger, &key, head.version, head.cancel, contribution);
    }
    contribution_fini(&head);
    return good && !reader.failed;
}

static enum err check_control(const struct state *state, const struct control *journal, struct err_info *info)
{
    for (int i = 0; i < VERDICTS; i++) {
        if (state->verdicts[i] != journal->verdicts[i])
            return err_set(info, ERR_BROKEN, "control totals: %" PRId64 " declarations %s, the journal says %" PRId64,
                           state->verdicts[i], verdict_name((enum verdict)i), journal->verdicts[i]);
    }
    if (ledger_count(state->ledger) != journal->ledger_count || ledger_control(state->ledger) != journal->ledger)
        return err_set(info, ERR_BROKEN,
                       "control totals: the ledger has %" PRIu64 " entries with sum %016" PRIx64
                       ", the journal says %" PRIu64 " and %016" PRIx64,
                       ledger_count(state->ledger), ledger_control(state->ledger), journal->ledger_count,
                       journal->ledger);
    return OK;
}

/* A section of a kind that the owner does not need (cells, rejects, reason) is stepped over. */
static enum err fold_section(struct state *state, enum frame_section section, struct bytes bytes, struct err_info *info)
{
    bool good = true;
    if (section == SECTION_CODES) {
        good = frame_get_codes(bytes, &state->dictionary);
    } else if (section == SECTION_LEDGER) {
        good = fold_ledger(state, bytes);
    } else if (section == SECTION_COUNTS) {
        struct counts counts;
        good = frame_get_counts(bytes, &counts);
        for (int i = 0; good && i < VERDICTS; i++)
            state->verdicts[i] += counts.verdicts[i];
    } else if (section == SECTION_CONTROL) {
        struct control control;
        good = frame_get_control(bytes, &control);
        if (good) {
            TRY(check_control(state, &control, info));
            tally_set_control(state->tally, &control.tally);
        }
    }
    return good ? OK
                : err_set(info, ERR_BROKEN, "section %d is not what a writer of this version writes", (int)section);
}

enum err state_fold(void *context, const struct frame *frames, uint32_t count, struct err_info *info)
{
    struct state *state = context;
    bool has_control = false;
    for (uint32_t i = 0; i < count; i++) {
        struct reader reader = reader_of(frames[i].payload);
        enum frame_section section;
        struct bytes bytes;
        bool broken = false;
        while (frame_next_section(&reader, &section, &bytes, &broken)) {
            TRY(fold_section(state, section, bytes, info));
            has_control = section == SECTION_CONTROL;
        }
        if (broken)
            return err_set(info, ERR_BROKEN, "a frame whose sections are cut short");
    }
    if (!has_control)
        return err_set(info, ERR_BROKEN, "a group that does not end with control totals");
    const struct frame *last = &frames[count - 1];
    if (last->hi > last->lo)
        state->has_record = last->kind == FRAME_DATA;
    state->hi = last->hi;
    state->event_ms_most = last->event_ms_most;
    state->record_timestamp = last->record_timestamp;
    state->record_crc = last->record_crc;
    return OK;
}
