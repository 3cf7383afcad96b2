/* SPDX-License-Identifier: Apache-2.0
 * golden make FILE · golden fold FILE
 *
 * make: runs the engine in memory through misfortunes and writes the journal that it leaves: u32 partition, u32 bytes, the
 *       frame, again and again. Done once for each format version, by make.sh; the file stays as it is from then on.
 * fold: reads such a file as every reader does and prints all that it folds to. The test compares that with the text beside
 *       the file: a change of the format that does not raise FRAME_VERSION, or a reader that forgets an older one, fails it.
 */
#include "base/check.h"
#include "base/memory.h"
#include "flow/cube.h"
#include "flow/state.h"
#include "flow/statistic.h"
#include "sim/host.h"
#include "sim/sample.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { PARTITIONS = 2, IDS = 24, FILE_MOST = 16 << 20, PLAN_ID = 0x601D };
#define NOW_MS 1752800000000

/* ---- make ---- */

struct maker {
    struct reference *reference;
    struct zone *zone;
    struct rules *rules;
    struct view_plan plan;
    struct world *world;
    struct host_options options;
    unsigned seed;
};

static int fail(const char *what)
{
    fprintf(stderr, "golden: %s\n", what);
    return 1;
}

static void put(struct maker *maker, int32_t partition, const struct sample *sample)
{
    struct buffer bytes = {0};
    sample_encode(sample, &bytes);
    struct world_record record = {.key = {(const uint8_t *)sample->id, strlen(sample->id)},
                                  .value = buffer_bytes(&bytes),
                                  .timestamp_ms = NOW_MS};
    world_put(maker->world, PORT_DECLARATIONS, partition, &record);
    buffer_fini(&bytes);
}

static unsigned draw(struct maker *maker, unsigned below)
{
    return (unsigned)rand_r(&maker->seed) % below;
}

/* Originals, amendments, cancels, rejects; ids that fit the exact key and ids that do not. */
static void fill(struct maker *maker, int count)
{
    static const char *const codes[] = {"720851", "847130", "851713", "270900"};
    static const char *const offices[] = {"9407", "55301", "020"};
    for (int i = 0; i < count; i++) {
        unsigned which = draw(maker, IDS);
        struct sample sample;
        char id[DECLARATION_ID_BYTES + 1];
        snprintf(id, sizeof id, which % 5 == 0 ? "A-LONG-ID-OF-MANY-CHARACTERS/%05u" : "ID%05u", which);
        sample_init(&sample, id);
        sample.declaration.office_code = text_of(offices[draw(maker, 3)]);
        sample.declaration.reference_date = 20250620 + draw(maker, 11);
        sample.items[0].statistical_value_minor = 1000 + draw(maker, 100000);
        for (unsigned extra = draw(maker, 3); extra > 0; extra--) {
            struct item *item = sample_add_item(&sample, codes[draw(maker, 4)], 500 + draw(maker, 500));
            item->mass_estimated = draw(maker, 4) == 0;
            if (!text_is(item->hs_code, "270900") && !text_is(item->hs_code, "720851")) {
                item->supp_quantity_micro = 2000000;
                item->supp_unit = TEXT("H87");
            }
        }
        unsigned luck = draw(maker, 12);
        if (luck < 4)
            sample_replace(&sample, 2 + draw(maker, 2));
        else if (luck == 4)
            sample_cancel(&sample, 1 + draw(maker, 3));
        else if (luck == 5)
            sample.declaration.office_code = TEXT("NOWHERE");
        put(maker, (int32_t)which % PARTITIONS, &sample);
    }
}

static struct host *begin(struct maker *maker)
{
    maker->options.seed++;
    return host_new(maker->world, &maker->options);
}

static void steps(struct maker *maker, struct host *host, int count)
{
    for (int i = 0; i < count; i++) {
        host_step(host);
        host_deliver(host, 1);
        world_set_now(maker->world, world_now(maker->world) + 20);
    }
}

/* A life in which each kind of misfortune strikes now and then, and that is killed. */
static void hard_life(struct maker *maker, enum fate fate)
{
    struct host *host = begin(maker);
    steps(maker, host, 12);
    for (int i = 0; i < 10; i++) {
        fill(maker, 4);
        while (process_queued(host_process(host), HOST_WORKER_LANE) < 2 && draw(maker, 40) > 0) {
            host_step(host);
            world_set_now(maker->world, world_now(maker->world) + 20);
        }
        process_misfortune(host_process(host), HOST_WORKER_LANE, fate);
        steps(maker, host, 12);
    }
    host_kill(host);
}

/* The last frame of some journal waits for the rest of its group. */
static bool is_torn(const struct maker *maker)
{
    for (int32_t p = 0; p < PARTITIONS; p++) {
        int64_t next = world_next(maker->world, PORT_JOURNAL, p);
        struct frame frame;
        struct err_info info;
        if (next && frame_parse(world_at(maker->world, PORT_JOURNAL, p, next - 1)->value, &frame, &info) == OK &&
            !frame.last)
            return true;
    }
    return false;
}

/* Lives that are killed within a group. */
static void short_lives(struct maker *maker, int count)
{
    for (int i = 0; i < count; i++) {
        struct host *host = begin(maker);
        fill(maker, 6);
        for (int step = 0; step < 60 && !is_torn(maker); step++)
            steps(maker, host, 1);
        host_kill(host);
    }
}

static void add_frame(struct buffer *out, int32_t partition, struct bytes frame)
{
    buffer_add_u32(out, (uint32_t)partition);
    buffer_add_u32(out, (uint32_t)frame.length);
    buffer_add(out, frame.data, frame.length);
}

/* The journals, with what a network may do to them: frames that come twice, at once or much later. */
static void write_out(const struct maker *maker, struct buffer *out)
{
    for (int32_t p = 0; p < PARTITIONS; p++) {
        for (int64_t o = 0; o < world_next(maker->world, PORT_JOURNAL, p); o++) {
            add_frame(out, p, world_at(maker->world, PORT_JOURNAL, p, o)->value);
            if (o % 4 == 3)
                add_frame(out, p, world_at(maker->world, PORT_JOURNAL, p, o)->value);
            if (o % 16 == 15)
                add_frame(out, p, world_at(maker->world, PORT_JOURNAL, p, o / 2)->value);
        }
    }
}

static int make(const char *path)
{
    static struct maker maker = {.seed = 1};
    struct err_info info;
    if (reference_load(DRYPORT_SOURCE "/tests/data/reference", NULL, &maker.reference, &info) != OK)
        return fail(info.text);
    if (zone_new("Asia/Shanghai", &maker.zone, &info) != OK)
        return fail(info.text);
    struct rules_options rules = rules_default_options(maker.zone);
    if (rules_new(&rules, maker.reference, &maker.rules, &info) != OK)
        return fail(info.text);
    view_plan_default(&maker.plan);
    maker.world = world_new(PARTITIONS, 1);
    world_set_now(maker.world, NOW_MS);
    maker.options = (struct host_options){.rules = maker.rules,
                                          .reference = maker.reference,
                                          .plan = &maker.plan,
                                          .plan_id = PLAN_ID,
                                          .frame_interval_ms = 50,
                                          .key_check = BATCH_KEY_ID,
                                          .partitions = PARTITIONS,
                                          .statistics_partitions = 1,
                                          .reporter = "CN",
                                          .currency = "CNY"};
    fill(&maker, 40);
    world_trim(maker.world, PORT_DECLARATIONS, 0, 3); /* the first start writes SKIP */
    hard_life(&maker, FATE_TWICE);
    hard_life(&maker, FATE_LOST_ACKED);
    hard_life(&maker, FATE_LANDS_ACK_LOST);
    short_lives(&maker, 12);
    struct host *host = begin(&maker);
    fill(&maker, 20);
    bool settled = host_settle(host, 120);
    host_kill(host);
    if (!settled)
        return fail("the last life did not come to rest");
    struct buffer out = {0};
    write_out(&maker, &out);
    FILE *file = fopen(path, "wb");
    bool good = file && fwrite(out.data, 1, out.length, file) == out.length;
    good = file && fclose(file) == 0 && good;
    buffer_fini(&out);
    world_free(maker.world);
    rules_free(maker.rules);
    zone_free(maker.zone);
    reference_free(maker.reference);
    return good ? 0 : fail("the file can't be written");
}

/* ---- fold ---- */

struct partition_fold {
    int32_t number;
    struct cube *cube;
    struct reader_rule *rule;
    struct state state;
    int64_t next;
    uint64_t branches[READER_BRANCHES];
    uint64_t kinds[FRAME_MARK + 1];
};

static enum err fold_group(void *context, const struct frame *frames, uint32_t count, struct err_info *info)
{
    struct partition_fold *fold = context;
    fold->kinds[frames[0].kind]++;
    TRY(state_fold(&fold->state, frames, count, info));
    return cube_fold(fold->cube, fold->number, frames, count, info);
}

static void feed(struct partition_fold *fold, struct bytes bytes)
{
    struct frame frame;
    enum reader_branch branch = reader_rule_feed(fold->rule, fold->next++, bytes, fold_group, fold, &frame);
    fold->branches[branch]++;
    if (branch == READER_OPEN || branch == READER_OPEN_DISCARDS)
        CHECK(state_take_open(&fold->state, &frame));
    if (branch == READER_HALTED)
        fprintf(stderr, "golden: partition %" PRId32 " is halted: %s\n", fold->number, fold->rule->why.text);
}

/* Lines in an order that no table decides. */
struct lines {
    char **list;
    size_t count;
    size_t capacity;
};

static void add_line(struct lines *lines, const struct buffer *text)
{
    if (lines->count == lines->capacity) {
        lines->capacity = lines->capacity ? lines->capacity * 2 : 64;
        lines->list = memory_resize(lines->list, lines->capacity, sizeof lines->list[0]);
    }
    lines->list[lines->count++] = memory_copy_text((const char *)text->data, text->length);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void print_lines(struct lines *lines)
{
    if (lines->count)
        qsort(lines->list, lines->count, sizeof lines->list[0], by_text);
    for (size_t i = 0; i < lines->count; i++) {
        puts(lines->list[i]);
        memory_free(lines->list[i]);
    }
    memory_free(lines->list);
}

static void add_entry(void *context, const struct ledger_key *key, struct bytes contribution)
{
    struct contribution c = {0};
    struct buffer line = {0};
    CHECK(contribution_decode(contribution, &c));
    buffer_add_format(&line,
                      "  entry %016" PRIx64 "%016" PRIx64 " version %u cancel %d warned %d late %d digest %016" PRIx64
                      " declarant %08x scheme %u direction %u day %d hour %" PRId64 " mode %u codes %u %u %u %u",
                      key->word[0], key->word[1], c.version, c.cancel, c.warned, c.late, c.digest, c.declarant,
                      c.scheme, c.direction, c.day, c.hour, c.mode, c.office, c.border_office, c.zone, c.trade_mode);
    for (uint32_t i = 0; i < c.item_count; i++) {
        const struct contribution_item *item = &c.items[i];
        buffer_add_format(&line,
                          " | hs %010" PRIu64 "/%u flow %u partner %04x consignment %04x region %u value %" PRId64
                          " customs %" PRId64 " net %" PRId64 " gross %" PRId64 " supp %" PRId64 " packages %u est %d",
                          item->hs, item->hs_digits, item->flow, item->partner, item->consignment, item->region,
                          item->value_minor, item->customs_value_minor, item->net_mass_mg, item->gross_mass_mg,
                          item->supp_quantity_micro, item->packages, item->estimated);
    }
    add_line(context, &line);
    buffer_fini(&line);
    contribution_fini(&c);
}

static void print_partition(const struct partition_fold *fold)
{
    const struct state *state = &fold->state;
    struct control control = state_control(state);
    char value[I128_TEXT_BYTES];
    char mass[I128_TEXT_BYTES];
    printf("partition %" PRId32 ": %" PRId64 " frames\n", fold->number, fold->next);
    for (int i = 0; i < READER_BRANCHES; i++)
        if (fold->branches[i] || (i != READER_REBASE && i != READER_REBASED)) /* the first journals know none */
            printf("  frames: %s %" PRIu64 "\n", reader_branch_name((enum reader_branch)i), fold->branches[i]);
    for (int i = FRAME_OPEN; i <= FRAME_MARK; i++)
        printf("  groups of kind %d: %" PRIu64 "\n", i, fold->kinds[i]);
    printf("  hi %" PRId64 " event %" PRId64 " timestamp %" PRId64 " crc %08x plan %016" PRIx64 " id key %016" PRIx64
           "%016" PRIx64 "\n",
           state->hi, state->event_ms_most, state->record_timestamp, state->record_crc, fold->rule->plan,
           state->id_key.word[0], state->id_key.word[1]);
    printf("  control value %s net %s items %" PRId64 " ledger %" PRIu64 " %016" PRIx64 "\n",
           i128_to_text(control.tally.value_minor, value), i128_to_text(control.tally.net_mass_mg, mass),
           control.tally.items, control.ledger.entries, control.ledger.control);
    for (int i = 0; i < VERDICTS; i++)
        printf("  %s %" PRId64 "\n", verdict_name((enum verdict)i), control.verdicts[i]);
    for (uint32_t i = 0; i < state->dictionary.count; i++) {
        char code[9];
        dictionary_text(state->dictionary.codes[i], code);
        printf("  code %" PRIu32 " \"%s\"\n", i, code);
    }
    struct lines lines = {0};
    for (uint32_t segment = 0; segment < LEDGER_SEGMENTS; segment++)
        ledger_visit(state->ledger, segment, add_entry, &lines);
    print_lines(&lines);
}

static void print_cells(const struct cube *cube, struct statistic_writer *writer)
{
    struct lines lines = {0};
    struct buffer line = {0};
    for (uint32_t i = 0; i < cube_count(cube); i++) {
        const struct measures *m = cube_measures(cube, i);
        struct text key = statistic_key(writer, cube_key(cube, i), cube_codes(cube));
        const i128 sums[] = {m->value_minor,   m->customs_value_minor, m->net_mass_mg,
                             m->gross_mass_mg, m->supp_quantity_micro, m->estimated_mg};
        char text[I128_TEXT_BYTES];
        buffer_clear(&line);
        buffer_add_format(&line, "cell %.*s", TEXT_ARGS(key));
        for (size_t k = 0; k < sizeof sums / sizeof sums[0]; k++)
            buffer_add_format(&line, " %s", i128_to_text(sums[k], text));
        buffer_add_format(&line, " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64, m->declarations, m->items,
                          m->packages, m->warned_items, m->late_items);
        add_line(&lines, &line);
    }
    buffer_fini(&line);
    print_lines(&lines);
}

static int fold(const char *path)
{
    static struct partition_fold folds[PARTITIONS];
    static uint8_t data[FILE_MOST];
    struct view_plan plan;
    FILE *file = fopen(path, "rb");
    size_t length = file ? fread(data, 1, sizeof data, file) : 0;
    if (!file || fclose(file) != 0 || length == 0 || length == sizeof data)
        return fail("the file can't be read");
    view_plan_default(&plan);
    struct cube *cube = cube_new(&plan, PARTITIONS, 0);
    struct statistic_writer *writer = statistic_writer_new(&plan, NULL, "CN", "CNY");
    for (int32_t i = 0; i < PARTITIONS; i++) {
        folds[i] = (struct partition_fold){.number = i, .cube = cube, .rule = reader_rule_new()};
        state_init(&folds[i].state, &plan, 1);
    }
    struct reader reader = reader_of((struct bytes){data, length});
    while (reader_left(&reader) > 0 && !reader.failed) {
        uint32_t partition = reader_u32(&reader);
        struct bytes frame = reader_bytes(&reader, reader_u32(&reader));
        if (!reader.failed && partition < PARTITIONS)
            feed(&folds[partition], frame);
    }
    for (int32_t i = 0; i < PARTITIONS; i++)
        print_partition(&folds[i]);
    print_cells(cube, writer);
    for (int32_t i = 0; i < PARTITIONS; i++) {
        reader_rule_free(folds[i].rule);
        state_fini(&folds[i].state);
    }
    statistic_writer_free(writer);
    cube_free(cube);
    return reader.failed ? fail("the file is cut short") : 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "make") == 0)
        return make(argv[2]);
    if (argc == 3 && strcmp(argv[1], "fold") == 0)
        return fold(argv[2]);
    return fail("golden make FILE, or golden fold FILE");
}
