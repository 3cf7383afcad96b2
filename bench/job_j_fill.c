/* SPDX-License-Identifier: Apache-2.0
 * job_j_fill.c - fills the topic of job J: small declarations of about 131 bytes and 1.75 items, 1 % of them invalid in one of five ways.
 *
 * In:      BROKERS TOPIC COUNT [SEED]: the topic exists
 * Out:     COUNT records, zstd, key = id; hours of acceptance rise over a month, so that 10 million make about 2.8 million cells; then one
 *          JSON line: what a program of job J must find
 * Why:     the shape of the topic that other programs of this job were measured on
 */
#include "job_j.h"

#include "base/hash.h"
#include "flow/wire.h"

enum {
    ITEMS_MOST = 4,
    CODES = 5000,
    HOURS = 744,
    INVALID_IN = 100,
    CODE_BYTES = 8,
    ID_BYTES = 18,
    LINGER_MS = 50,
    OFFICES = 42,
    FIRST_HOUR = 484680, /* of 2025-04-17 */
};

struct fill {
    struct job_j_sums total;
    int64_t invalid;
    int64_t bytes;
    uint64_t seed;
    uint64_t draws;
};

static uint64_t draw(struct fill *fill, uint64_t below)
{
    return (uint64_t)(((hash_wide)hash_words2(fill->draws++, 0, fill->seed) * below) >> 64);
}

static void put_digits(char *at, size_t count, uint64_t number)
{
    for (char *to = at + count; to > at; number /= 10)
        *--to = (char)('0' + number % 10);
}

/* Few codes are common, most are rare: the sixth power of an even draw. */
static uint64_t draw_code(struct fill *fill)
{
    double even = (double)draw(fill, 1 << 30) / (double)(1 << 30);
    double cube = even * even * even;
    return 10010000 + (uint64_t)(cube * cube * CODES) * 1000;
}

static uint32_t draw_items(struct fill *fill)
{
    uint64_t percent = draw(fill, 100);
    return percent < 50 ? 1 : percent < 82 ? 2 : percent < 93 ? 3 : ITEMS_MOST;
}

/* One thing is wrong; the last way is for the bytes. */
static bool spoil(struct fill *fill, struct declaration *declaration, struct item *items)
{
    fill->invalid++;
    switch (draw(fill, 5)) {
    case 0:
        declaration->item_count++;
        break;
    case 1:
        declaration->invoice_currency = TEXT("XTS");
        break;
    case 2:
        items[0].hs_code.length = 4;
        break;
    case 3:
        items[0].net_mass_mg = 0;
        break;
    default:
        return true;
    }
    return false;
}

/* Encodes declaration `number` of `count`. */
static int64_t make(struct fill *fill, int64_t number, int64_t count, struct buffer *out, char id[static ID_BYTES])
{
    char office[4];
    char codes[ITEMS_MOST][CODE_BYTES];
    struct item items[ITEMS_MOST] = {{0}};
    const struct job_j_rate *rate = &job_j_rates[draw(fill, JOB_J_CURRENCIES)];
    put_digits(office, sizeof office, 9400 + draw(fill, OFFICES));
    memcpy(id, office, sizeof office);
    put_digits(id + sizeof office, ID_BYTES - sizeof office, 20250000000000ULL + (uint64_t)number);
    int64_t ms = (int64_t)((double)number / (double)count * HOURS * JOB_J_HOUR_MS) + (int64_t)draw(fill, JOB_J_HOUR_MS);
    struct declaration declaration = {.declaration_id = {id, ID_BYTES},
                                      .version = 1,
                                      .function = FUNCTION_ORIGINAL,
                                      .direction = DIRECTION_IMPORT + (int32_t)draw(fill, 2),
                                      .reference_date = 20250417 + (uint32_t)(ms / JOB_J_HOUR_MS / 24 % 14),
                                      .office_code = {office, sizeof office},
                                      .border_office_code = {office, sizeof office},
                                      .border_transport_mode = 2 + (uint32_t)draw(fill, 2),
                                      .trade_mode = TEXT("0110"),
                                      .accepted_at_ms = (int64_t)FIRST_HOUR * JOB_J_HOUR_MS + ms,
                                      .invoice_currency = {rate->currency, 3},
                                      .schema_version = 1,
                                      .scheme = SCHEME_CN,
                                      .reporter = TEXT("CN")};
    struct job_j_sums sums = {0};
    declaration.item_count = draw_items(fill);
    declaration.items = (struct item_list){items, declaration.item_count};
    for (uint32_t i = 0; i < declaration.item_count; i++) {
        put_digits(codes[i], CODE_BYTES, draw_code(fill));
        items[i] = (struct item){.item_no = i + 1,
                                 .hs_code = {codes[i], CODE_BYTES},
                                 .net_mass_mg = 1000 + (int64_t)draw(fill, 50000000),
                                 .origin_country = TEXT("KZ"),
                                 .invoice_value_minor = 100 + (int64_t)draw(fill, 5000000)};
        sums.count++;
        sums.value += items[i].invoice_value_minor * rate->rate;
        sums.mass_mg += items[i].net_mass_mg;
    }
    declaration.total_gross_mass_mg = sums.mass_mg / 10 * 11;
    bool is_invalid = draw(fill, INVALID_IN) == 0;
    bool cut = is_invalid && spoil(fill, &declaration, items);
    buffer_clear(out);
    wire_encode(&declaration, out);
    if (cut)
        out->length -= 10;
    if (!is_invalid) {
        fill->total.count += sums.count;
        fill->total.value += sums.value;
        fill->total.mass_mg += sums.mass_mg;
    }
    return declaration.accepted_at_ms;
}

int main(int argc, char **argv)
{
    int64_t count = 0;
    int64_t seed = 1;
    if (argc < 4 || argc > 5 || !text_to_int64(text_of(argv[3]), &count) || count < 1 ||
        (argc == 5 && !text_to_int64(text_of(argv[4]), &seed))) {
        fprintf(stderr, "usage: job_j_fill BROKERS TOPIC COUNT [SEED]\n");
        return BENCH_EXIT_USAGE;
    }
    struct fill fill = {.seed = (uint64_t)seed};
    struct buffer bytes = {0};
    double started = bench_now_s();
    bench_name("job_j_fill");
    wire_init();
    rd_kafka_t *writer = topic_writer_open(argv[1], LINGER_MS);
    rd_kafka_topic_t *topic = topic_writer_topic(writer, argv[2]);
    for (int64_t i = 0; i < count; i++) {
        char id[ID_BYTES];
        int64_t ms = make(&fill, i, count, &bytes, id);
        topic_writer_put(writer, topic, id, sizeof id, bytes.data, bytes.length, ms);
        fill.bytes += (int64_t)bytes.length;
    }
    topic_writer_finish(writer);
    printf("{\"bytes\": %" PRId64 ", ", fill.bytes);
    fputs("\"expected\": ", stdout);
    job_j_print(count, fill.invalid, 0, 0, &fill.total, bench_now_s() - started);
    printf("}\n");
    buffer_fini(&bytes);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(writer);
    return 0;
}
