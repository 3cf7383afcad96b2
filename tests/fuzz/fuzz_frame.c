/* SPDX-License-Identifier: Apache-2.0
 * fuzz_frame.c - journal frames and what stands in their sections: any bytes, and any content of one section.
 *
 * Input:   first byte even: the rest is a frame, read as it is and, if it is long enough, with a header made good; odd: the second
 *          byte is a kind of section, the rest its content
 * Checks:  what parses is written again to the same bytes; what a section is read as is written to what is read as the same
 */
#include "fuzz.h"

#include "flow/frame_cells.h"
#include "flow/reject_list.h"

enum { MANY = 4096 };

static const struct view_plan *plan(void)
{
    static struct view_plan made;
    if (made.count == 0)
        view_plan_default(&made);
    return &made;
}

/* The one section that was written into out. */
static struct bytes content_of(const struct buffer *out, enum frame_section wanted)
{
    struct reader reader = reader_of(buffer_bytes(out));
    enum frame_section section;
    struct bytes content = {0};
    bool broken = false;
    CHECK(frame_next_section(&reader, &section, &content, &broken) && section == wanted);
    CHECK(reader_left(&reader) == 0);
    return content;
}

static void check_codes(struct bytes content)
{
    static struct buffer out;
    struct dictionary ours;
    struct dictionary again;
    dictionary_init(&ours);
    dictionary_init(&again);
    uint32_t first = ours.count;
    if (frame_get_codes(content, &ours)) {
        buffer_clear(&out);
        frame_put_codes(&out, &ours, first);
        CHECK(frame_get_codes(content_of(&out, SECTION_CODES), &again));
        CHECK(again.count == ours.count && memcmp(again.codes, ours.codes, ours.count * sizeof ours.codes[0]) == 0);
        CHECK(frame_get_codes_again(content_of(&out, SECTION_CODES), &again) && again.count == ours.count);
    }
    dictionary_fini(&ours);
    dictionary_fini(&again);
}

static void check_counts(struct bytes content)
{
    static struct buffer out;
    static struct counts ours, again;
    if (!frame_get_counts(content, &ours))
        return;
    buffer_clear(&out);
    frame_put_counts(&out, &ours);
    CHECK(frame_get_counts(content_of(&out, SECTION_COUNTS), &again));
    CHECK(memcmp(&ours, &again, sizeof ours) == 0);
}

static void check_control(struct bytes content)
{
    static struct buffer out;
    struct control ours, again;
    if (!frame_get_control(content, &ours))
        return;
    buffer_clear(&out);
    frame_put_control(&out, &ours);
    CHECK(frame_get_control(content_of(&out, SECTION_CONTROL), &again));
    CHECK(again.tally.value_minor == ours.tally.value_minor && again.tally.net_mass_mg == ours.tally.net_mass_mg &&
          again.tally.items == ours.tally.items && ledger_sums_equal(&again.ledger, &ours.ledger) &&
          again.floor == ours.floor && memcmp(again.verdicts, ours.verdicts, sizeof ours.verdicts) == 0);
    CHECK(ours.floor >= 0 && ours.floor <= LEDGER_MONTH_MOST);
}

static void check_rejects(struct bytes content)
{
    static struct buffer out;
    static struct reject_place places[MANY];
    const int64_t lo = 1000;
    size_t count = 0;
    struct reject_place place;
    struct reader reader = reader_of(content);
    while (count < MANY && frame_next_reject(&reader, lo, &place))
        places[count++] = place;
    if (reader.failed)
        return;
    buffer_clear(&out);
    frame_put_rejects(&out, lo, places, count);
    reader = reader_of(content_of(&out, SECTION_REJECTS));
    for (size_t i = 0; i < count; i++) {
        CHECK(frame_next_reject(&reader, lo, &place));
        CHECK(place.offset == places[i].offset && place.index == places[i].index &&
              place.rule_number == places[i].rule_number);
        CHECK(place.offset >= lo && place.index >= -1 && place.rule_number < RULE_NUMBERS);
    }
    CHECK(!frame_next_reject(&reader, lo, &place) && !reader.failed);
}

static void check_listed(struct bytes content)
{
    static struct buffer out;
    for (uint32_t slice = 0; slice < SLICES; slice += SLICES - 1) {
        struct reject_list ours = {0};
        struct reject_list again = {0};
        size_t index = 0;
        if (reject_list_get(content, &ours, slice)) {
            buffer_clear(&out);
            reject_list_put(&out, &ours, slice, &index, SIZE_MAX);
            CHECK(reject_list_get(content_of(&out, SECTION_LISTED), &again, slice));
            CHECK(again.count[slice] == ours.count[slice]);
            for (size_t i = 0; i < ours.count[slice]; i++) {
                const struct reject_kept *a = &ours.kept[slice][i];
                const struct reject_kept *b = &again.kept[slice][i];
                CHECK(a->offset == b->offset && a->index == b->index && a->rule_number == b->rule_number &&
                      a->day == b->day);
            }
        }
        reject_list_fini(&ours);
        reject_list_fini(&again);
    }
}

static bool same_measures(const struct measures *a, const struct measures *b)
{
    return a->value_minor == b->value_minor && a->customs_value_minor == b->customs_value_minor &&
           a->net_mass_mg == b->net_mass_mg && a->gross_mass_mg == b->gross_mass_mg &&
           a->supp_quantity_micro == b->supp_quantity_micro && a->estimated_mg == b->estimated_mg &&
           a->declarations == b->declarations && a->items == b->items && a->packages == b->packages &&
           a->warned_items == b->warned_items && a->late_items == b->late_items;
}

static bool is_zero(const struct measures *m)
{
    static const struct measures zero;
    return same_measures(m, &zero);
}

static void check_cells(struct bytes content)
{
    static struct buffer out;
    static struct table_key keys[MANY];
    static struct measures cells[MANY];
    uint32_t view, count, again_view, again_count;
    struct table_key key;
    struct reader reader = reader_of(content);
    if (!frame_cells_begin(&reader, plan(), &view, &count, &key))
        return;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count && kept < MANY; i++) {
        if (!frame_cells_next(&reader, &plan()->views[view], view, &key, &cells[kept]))
            return;
        CHECK(cell_view(&key) == view && cell_is_month(&key) == (plan()->views[view].grain == GRAIN_MONTH));
        keys[kept] = key;
        kept += !is_zero(&cells[kept]);
    }
    buffer_clear(&out);
    struct frame_cells section = frame_cells_open(&out, &plan()->views[view], view);
    for (uint32_t i = 0; i < kept; i++)
        frame_cells_put(&out, &section, &keys[i], &cells[i]);
    frame_cells_close(&out, &section);
    if (kept == 0) {
        CHECK(out.length == 0);
        return;
    }
    reader = reader_of(content_of(&out, SECTION_CELLS));
    CHECK(frame_cells_begin(&reader, plan(), &again_view, &again_count, &key));
    CHECK(again_view == view && again_count == kept);
    for (uint32_t i = 0; i < kept; i++) {
        struct measures cell;
        CHECK(frame_cells_next(&reader, &plan()->views[view], view, &key, &cell));
        CHECK(memcmp(&key, &keys[i], sizeof key) == 0 && same_measures(&cell, &cells[i]));
    }
    CHECK(reader_left(&reader) == 0);
}

/* What is counted and taken back leaves nothing in any cell. */
static void check_tally(const struct contribution *contribution)
{
    static struct tally *tally;
    if (!tally)
        tally = tally_new(plan());
    tally_clear(tally);
    tally_add(tally, contribution, 1);
    tally_add(tally, contribution, -1);
    tally_flush(tally);
    for (uint32_t i = 0; i < tally_count(tally); i++) {
        struct measures cell;
        tally_measures(tally, i, &cell);
        CHECK(is_zero(&cell));
    }
}

static void check_contribution(struct bytes bytes)
{
    static struct contribution ours, again;
    static struct buffer first, second;
    if (!contribution_decode(bytes, &ours))
        return;
    CHECK(contribution_digest(bytes) == ours.digest);
    CHECK(contribution_order(bytes) == contribution_order_of(ours.version, ours.cancel));
    CHECK(contribution_day(bytes) == ours.day);
    buffer_clear(&first);
    contribution_encode(&ours, &first);
    CHECK(contribution_decode(buffer_bytes(&first), &again));
    buffer_clear(&second);
    contribution_encode(&again, &second);
    CHECK(first.length == second.length && memcmp(first.data, second.data, first.length) == 0);
    if (ours.item_count <= MANY)
        check_tally(&ours);
}

static void check_ledger(struct bytes content, enum frame_section section)
{
    static struct buffer out;
    struct reader reader = reader_of(content);
    struct ledger_key key, again;
    struct bytes contribution, again_bytes;
    while (frame_next_entry(&reader, section, &key, &contribution)) {
        check_contribution(contribution);
        buffer_clear(&out);
        frame_put_entry(&out, &key, contribution);
        struct reader written = reader_of(buffer_bytes(&out));
        CHECK(frame_next_entry(&written, SECTION_LEDGER, &again, &again_bytes) && reader_left(&written) == 0);
        CHECK(memcmp(&key, &again, sizeof key) == 0 && again_bytes.length == contribution.length);
    }
}

static void check_whole(struct bytes content)
{
    static struct buffer out;
    struct slice_whole ours, again;
    if (!slice_get_whole(content, &ours))
        return;
    buffer_clear(&out);
    slice_put_whole(&out, &ours);
    CHECK(slice_get_whole(content_of(&out, SECTION_WHOLE), &again));
    CHECK(ledger_sums_equal(&ours.ledger, &again.ledger) && ours.cells == again.cells &&
          ours.cell_sum == again.cell_sum);
}

static void check_section(enum frame_section section, struct bytes content)
{
    switch ((int)section) {
    case SECTION_CODES:
        check_codes(content);
        break;
    case SECTION_CELLS:
        check_cells(content);
        break;
    case SECTION_COUNTS:
        check_counts(content);
        break;
    case SECTION_REJECTS:
        check_rejects(content);
        break;
    case SECTION_LISTED:
        check_listed(content);
        break;
    case SECTION_LEDGER:
    case SECTION_LEDGER_WIDE:
        check_ledger(content, section);
        break;
    case SECTION_CONTROL:
        check_control(content);
        break;
    case SECTION_WHOLE:
        check_whole(content);
        break;
    default:
        break;
    }
}

static void check_sections(const struct frame *frame)
{
    struct frame_walk walk = frame_walk_of(frame, 1);
    size_t bytes = 0;
    while (frame_walk_next(&walk)) {
        bytes += 5 + walk.bytes.length;
        check_section(walk.section, walk.bytes);
    }
    CHECK(walk.is_broken || bytes == frame->payload.length);
    CHECK(frame_partitions(frame) >= 0);
    struct slice_head head;
    static struct buffer out;
    if (!slice_get_head(frame->payload, &head))
        return;
    struct slice_head again;
    buffer_clear(&out);
    slice_put_head(&out, &head);
    CHECK(head.slice < SLICES && slice_get_head(buffer_bytes(&out), &again));
    CHECK(again.slice == head.slice && again.replan == head.replan && again.rebase == head.rebase &&
          again.has_record == head.has_record && again.window.count == head.window.count);
}

/* The same bytes but for the version and the flags that have no meaning. */
static void check_again(const struct frame *frame, struct bytes bytes)
{
    static struct buffer out;
    buffer_clear(&out);
    frame_write_header(frame, buffer_reserve(&out, FRAME_HEADER_BYTES));
    out.length = FRAME_HEADER_BYTES;
    buffer_add(&out, frame->payload.data, frame->payload.length);
    frame_seal(out.data, out.length, &frame->nonce, frame->seq);
    struct frame again;
    struct err_info info;
    CHECK(frame_parse(buffer_bytes(&out), &again, &info) == OK);
    bool is_plain = bytes.data[4] == FRAME_VERSION && bytes.data[6] <= 1 && bytes.data[7] == 0;
    CHECK(!is_plain || (out.length == bytes.length && memcmp(out.data, bytes.data, bytes.length) == 0));
    CHECK(again.kind == frame->kind && again.last == frame->last && again.seq == frame->seq && again.lo == frame->lo &&
          again.hi == frame->hi && again.plan == frame->plan && frame_nonce_equal(&again.nonce, &frame->nonce));
}

static void check_frame(struct bytes bytes)
{
    struct frame frame;
    struct err_info info = {""};
    if (frame_parse(bytes, &frame, &info) != OK) {
        CHECK(info.text[0]);
        return;
    }
    check_again(&frame, bytes);
    check_sections(&frame);
}

/* Magic, version, kind, length and check sum as they must be; the rest as it is. */
static void mend(struct buffer *frame)
{
    static const struct frame plain = {.kind = FRAME_DATA};
    struct frame_nonce nonce;
    uint64_t seq;
    uint8_t head[FRAME_HEADER_BYTES];
    uint8_t kind = (uint8_t)(frame->data[5] % FRAME_MARK + 1);
    frame_write_header(&plain, head);
    memcpy(frame->data, head, 5);
    frame->data[5] = kind;
    memcpy(&nonce, frame->data + 16, sizeof nonce);
    memcpy(&seq, frame->data + 32, sizeof seq);
    frame_seal(frame->data, frame->length, &nonce, seq);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct buffer mended;
    struct choices choices = choices_of(data, size);
    if (choose(&choices, 2)) {
        enum frame_section section = (enum frame_section)choose_byte(&choices);
        check_section(section, choices_rest(&choices));
        return 0;
    }
    struct bytes bytes = choices_rest(&choices);
    check_frame(bytes);
    if (bytes.length < FRAME_HEADER_BYTES)
        return 0;
    buffer_clear(&mended);
    buffer_add(&mended, bytes.data, bytes.length);
    mend(&mended);
    check_frame(buffer_bytes(&mended));
    return 0;
}
