/* SPDX-License-Identifier: Apache-2.0
 * fuzz_seeds FOLDER - writes what the targets begin with into FOLDER/TARGET/: declarations of our own generator, the journal and the
 * statistics of a small world, files of this repository. The same bytes on every machine; corpus.sh makes the corpora from them.
 */
#include "base/check.h"
#include "cmd/generator.h"
#include "flow/wire.h"
#include "ops/config.h"
#include "sim/host.h"
#include "sim/sample.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <zstd.h>

enum { PARTITIONS = 1, PATH_BYTES = 1024, DECLARATIONS = 60, BATCH = 3 };
#define NOW_MS 1752800000000

static const char *folder;

static void make_folder(const char *path)
{
    mkdir(path, 0777);
}

/* A seed of a target: FOLDER/TARGET/NAME-NUMBER. */
static void put(const char *target, const char *name, int number, struct bytes bytes)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", folder, target);
    make_folder(path);
    snprintf(path, sizeof path, "%s/%s/%s-%03d", folder, target, name, number);
    FILE *file = fopen(path, "wb");
    CHECK_SAY(file, "%s can't be written", path);
    CHECK(bytes.length == 0 || fwrite(bytes.data, 1, bytes.length, file) == bytes.length);
    CHECK(fclose(file) == 0);
}

static struct reference *lists(void)
{
    struct reference *reference;
    struct err_info info;
    CHECK_SAY(reference_load(DRYPORT_SOURCE "/tests/data/reference", DRYPORT_SOURCE "/deploy/reference", &reference,
                             &info) == OK,
              "%s", info.text);
    return reference;
}

static void put_envelopes(int number, struct bytes batch, struct bytes single)
{
    static const uint8_t confluent_batch[] = {0, 0, 0, 0, 7, 2, 4};
    static const uint8_t confluent[] = {0, 0, 0, 0, 7, 0};
    struct buffer out = {0};
    uint8_t packed[1 << 14];
    size_t bytes = ZSTD_compress(packed, sizeof packed, batch.data, batch.length, 1);
    CHECK(!ZSTD_isError(bytes));
    buffer_add_u8(&out, 0); /* options: the first byte of the target's input */
    buffer_add(&out, batch.data, batch.length);
    put("envelope", "batch", number, buffer_bytes(&out));
    buffer_clear(&out);
    buffer_add_u8(&out, 0);
    buffer_add(&out, packed, bytes);
    put("envelope", "zstd", number, buffer_bytes(&out));
    buffer_clear(&out);
    buffer_add_u8(&out, 0);
    buffer_add(&out, confluent_batch, sizeof confluent_batch);
    buffer_add(&out, packed, bytes);
    put("envelope", "confluent_batch", number, buffer_bytes(&out));
    buffer_clear(&out);
    buffer_add_u8(&out, 0);
    buffer_add(&out, confluent, sizeof confluent);
    buffer_add(&out, single.data, single.length);
    put("envelope", "confluent", number, buffer_bytes(&out));
    buffer_fini(&out);
}

static void put_declarations(const struct reference *reference, enum generator_profile profile)
{
    static const char *const names[GENERATOR_PROFILES] = {"cn", "kz", "kr"};
    struct generator_options options = generator_defaults();
    struct generator *generator;
    struct err_info info;
    struct buffer batch = {0};
    options.profile = profile;
    options.amend_ppm = options.cancel_ppm = options.late_ppm = options.apart_ppm = 100000;
    options.bad_ppm = 300000;
    CHECK_SAY(generator_new(&options, reference, &generator, &info) == OK, "%s", info.text);
    for (int i = 0; i < DECLARATIONS; i++) {
        struct generated generated;
        generator_next(generator, &generated);
        put("wire", names[profile], i, generated.value);
        struct buffer rules = {0};
        buffer_add_u64(&rules, 0); /* options: the first bytes of the target's input */
        buffer_add(&rules, generated.value.data, generated.value.length);
        put("rules", names[profile], i, buffer_bytes(&rules));
        buffer_fini(&rules);
        buffer_add_u8(&batch, 0x0A);
        buffer_add_varint(&batch, generated.value.length);
        buffer_add(&batch, generated.value.data, generated.value.length);
        if (i % BATCH == BATCH - 1) {
            if (i < 4 * BATCH)
                put_envelopes((int)profile * 100 + i, buffer_bytes(&batch), generated.value);
            buffer_clear(&batch);
        }
    }
    buffer_fini(&batch);
    generator_free(generator);
}

/* ---- files of this repository ---- */

static bool add_file(struct buffer *out, const char *path)
{
    char full[PATH_BYTES];
    snprintf(full, sizeof full, "%s/%s", DRYPORT_SOURCE, path);
    FILE *file = fopen(full, "rb");
    if (!file)
        return false;
    for (int c = getc(file); c != EOF; c = getc(file))
        buffer_add_u8(out, (uint8_t)c);
    CHECK(fclose(file) == 0);
    return true;
}

static void put_lists(void)
{
    static const char *const folders[] = {"reference", "reference/bands", "editions"};
    for (int list = 0; list < REFERENCE_LISTS; list++) {
        char path[PATH_BYTES];
        struct buffer out = {0};
        buffer_add_u8(&out, (uint8_t)list);
        bool is_there = false;
        for (size_t i = 0; i < sizeof folders / sizeof folders[0] && !is_there; i++) {
            snprintf(path, sizeof path, "tests/data/%s/%s", folders[i], reference_file((enum reference_list)list));
            is_there = add_file(&out, path);
        }
        CHECK_SAY(is_there, "no folder of tests/data has %s", reference_file((enum reference_list)list));
        put("reference", "list", list, buffer_bytes(&out));
        buffer_fini(&out);
    }
}

/* One for each setting with its default, one for each way to write a thing down. */
static void put_configurations(void)
{
    static const char *const more[] = {
        "kafka.security.protocol=SASL_SSL\nkafka.consumer.fetch.wait.max.ms=50\nkafka.producer.linger.ms=5\n",
        "view.mine=hs6,partner,flow@month\nview.mine.publish=day,month\nview.other=office,zone@day\n",
        "rules.severity.STR-015=warn\nrules.severity.CRE-301=off\n",
        "!X role=publish\n!X topic.journal=other\n!E DRYPORT_TOPIC_REJECTS=r\n!E DRYPORT_RULES_SEVERITY_STR_015=off\n",
        "!E DRYPORT_PORT_9464_TCP=tcp://1.2.3.4:9464\n!E DRYPORT_VIEW_FLOW=flow@day\n",
        "# a comment\n\n  role = aggregate  \nledger.max.bytes=512M\ntimezone=Europe/Berlin\n",
    };
    struct buffer out = {0};
    for (int i = 0; i < CONFIG_SETTINGS; i++) {
        buffer_clear(&out);
        buffer_add_format(&out, "%s=%s\n", config_rows[i].key, config_rows[i].standard);
        put("config", "setting", i, buffer_bytes(&out));
    }
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++)
        put("config", "more", (int)i, (struct bytes){(const uint8_t *)more[i], strlen(more[i])});
    buffer_fini(&out);
}

static void put_maps(void)
{
    static const char small[] =
        "declaration_id = $id | prefix(A) | append(B)\nversion = 1\nfunction = ORIGINAL\ndirection = $flow | "
        "table(I:IMPORT,E:EXPORT)\n"
        "reference_date = $day | date\naccepted_at_ms = $time | millis(Asia/Seoul)\nitems.0.net_mass_mg = $mass | kg\n"
        "items.0.gross_mass_mg = $mass | g\nitems.0.statistical_value_minor = $value | money(KRW)\n"
        "items.0.supp_quantity_micro = $mass | number(6)\nitems.0.hs_code = $hs\nitems.1.hs_code = 847130\n===\n"
        "id,flow,day,time,mass,value,hs\n1,I,2025-07-01,2025-07-01 10:00:00,1.5,1000,847130\n"
        "2,E,20250702,2025-07-02T10:00:00Z,\"2,5\",-7,7208\n";
    struct buffer out = {0};
    CHECK(add_file(&out, "deploy/examples/krd.map"));
    buffer_add_text(&out, "\n===\n");
    CHECK(add_file(&out, "deploy/examples/sample.csv"));
    put("map", "example", 0, buffer_bytes(&out));
    put("map", "small", 0, (struct bytes){(const uint8_t *)small, sizeof small - 1});
    buffer_fini(&out);
}

static void put_requests(void)
{
    static const char *const requests[] = {
        "\x01GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        ("\x02GET /status?view=flow&period_from=20250101&a=%41%zz&limit=10 HTTP/1.1\r\nHost: a\r\nAccept: "
         "text/html\r\n\r\n"),
        "\x03HEAD / HTTP/1.0\r\n\r\n",
        "\x01POST /status HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
        "\x01GET /a%00b HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\x01POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "\005127.0.0.1:9464",
        "\005[::1]:80",
        "\005localhost:0",
        "\004view=partner&period=2025&by=partner,flow&where=flow=M&limit=5&share=1",
        "\004view=office&period_from=20250101&period_to=20250731&office=9407&format=csv&sort=value",
        "\004view=commodity&period=2025-07&hs6=847130&composition=hs2&count=3",
    };
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
        put("http", "request", (int)i, (struct bytes){(const uint8_t *)requests[i], strlen(requests[i])});
}

/* ---- a small world ---- */

static void fill(struct world *world)
{
    static const char *const codes[] = {"720851", "847130", "851713", "270900"};
    for (int i = 0; i < 24; i++) {
        struct sample sample;
        char id[DECLARATION_ID_BYTES + 1];
        snprintf(id, sizeof id, i % 4 == 0 ? "A-LONG-ID-OF-MANY-CHARACTERS/%05d" : "ID%05d", i % 14);
        sample_init(&sample, id);
        sample.declaration.reference_date = 20250625 + (unsigned)i % 9;
        if (i % 3 == 0)
            sample_add_item(&sample, codes[i % 4], 500 + i)->mass_estimated = true;
        if (i % 7 == 6)
            sample_replace(&sample, 2 + (unsigned)i % 2);
        if (i % 11 == 10)
            sample_cancel(&sample, 1);
        if (i % 9 == 8)
            sample.declaration.office_code = TEXT("NOWHERE");
        sample_put(&sample, world, 0, NOW_MS);
    }
}

static void put_log(const struct world *world, enum port_topic topic, const char *target, const char *prefix)
{
    struct buffer bytes = {0};
    for (int64_t o = 0; o < world_next(world, topic, 0); o++) {
        const struct world_record *record = world_at_ever(world, topic, 0, o);
        buffer_clear(&bytes);
        buffer_add_text(&bytes, prefix);
        if (!record->is_null)
            buffer_add(&bytes, record->value.data, record->value.length);
        put(target, "record", (int)o, buffer_bytes(&bytes));
        if (topic != PORT_STATISTICS)
            continue;
        buffer_clear(&bytes);
        buffer_add_text(&bytes, "#");
        buffer_add(&bytes, record->key.data, record->key.length);
        put(target, "key", (int)o, buffer_bytes(&bytes));
    }
    buffer_fini(&bytes);
}

/* Each frame, and the content of each of its sections. */
static void put_frames(const struct world *world)
{
    struct buffer bytes = {0};
    int sections = 0;
    for (int64_t o = 0; o < world_next(world, PORT_JOURNAL, 0); o++) {
        const struct world_record *record = world_at_ever(world, PORT_JOURNAL, 0, o);
        struct frame frame;
        struct err_info info;
        CHECK_SAY(frame_parse(record->value, &frame, &info) == OK, "%s", info.text);
        buffer_clear(&bytes);
        buffer_add_u8(&bytes, 0);
        buffer_add(&bytes, record->value.data, record->value.length);
        put("frame", "frame", (int)o, buffer_bytes(&bytes));
        struct frame_walk walk = frame_walk_of(&frame, 1);
        while (frame_walk_next(&walk)) {
            buffer_clear(&bytes);
            buffer_add_u8(&bytes, 1);
            buffer_add_u8(&bytes, (uint8_t)walk.section);
            buffer_add(&bytes, walk.bytes.data, walk.bytes.length);
            put("frame", "section", sections++, buffer_bytes(&bytes));
        }
    }
    buffer_fini(&bytes);
}

static void put_world(const struct reference *reference)
{
    struct zone *zone;
    struct rules *rules;
    struct view_plan plan;
    struct err_info info;
    CHECK_SAY(zone_new("Asia/Shanghai", &zone, &info) == OK, "%s", info.text);
    struct rules_options options = rules_default_options(zone);
    CHECK_SAY(rules_new(&options, reference, &rules, &info) == OK, "%s", info.text);
    view_plan_default(&plan);
    struct world *world = world_new(PARTITIONS, 1);
    world_set_now(world, NOW_MS);
    struct host_options how = {.rules = rules,
                               .reference = reference,
                               .plan = &plan,
                               .plan_id = 0x601D,
                               .frame_interval_ms = 50,
                               .snapshot_bytes = 1,
                               .key_check = BATCH_KEY_ID,
                               .partitions = PARTITIONS,
                               .statistics_partitions = 1,
                               .seed = 1,
                               .reporter = "CN",
                               .currency = "CNY"};
    fill(world);
    struct host *host = host_new(world, &how);
    CHECK(host_settle(host, 60));
    host_kill(host);
    put_log(world, PORT_STATISTICS, "statistic", "");
    put_frames(world);
    world_free(world);
    rules_free(rules);
    zone_free(zone);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: fuzz_seeds FOLDER\n");
        return 64;
    }
    folder = argv[1];
    make_folder(folder);
    wire_init();
    struct reference *reference = lists();
    for (int profile = 0; profile < GENERATOR_PROFILES; profile++)
        put_declarations(reference, (enum generator_profile)profile);
    put_lists();
    put_configurations();
    put_maps();
    put_requests();
    put_world(reference);
    reference_free(reference);
    return 0;
}
