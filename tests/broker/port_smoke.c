/* SPDX-License-Identifier: Apache-2.0
 * port_smoke.c - the port against a real broker: what the in-process one can't show (topic settings, DeleteRecords,
 * refusal).
 *
 * usage: port_smoke BOOTSTRAP SASL-BOOTSTRAP; prints one line a claim; ends with 1 at the first that does not hold
 */
#include "base/check.h"
#include "base/clock.h"
#include "kafka/admin.h"
#include "kafka/port_kafka.h"
#include "kafka/producer.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTITIONS = 4, DEADLINE_MS = 60000, RECORDS = 5000 };

static struct err_info info;
static char last_warning[512];

static void claim(bool holds, const char *text)
{
    printf("%s %s\n", holds ? "ok  " : "FAIL", text);
    if (!holds) {
        printf("     %s\n", info.text);
        exit(1);
    }
}

static void on_log(void *context, enum kafka_severity severity, const char *event, const char *text)
{
    (void)context;
    if (severity == KAFKA_WARNING && strcmp(event, "topic_setting") == 0) {
        snprintf(last_warning, sizeof last_warning, "%s", text);
    }
}

static struct kafka_options options_of(const char *brokers)
{
    return (struct kafka_options){
        .brokers = brokers,
        .group = "smoke",
        .topics = {"smoke.declarations", "smoke.journal", "smoke.statistics", "smoke.rejects"},
        .topics_create = true,
        .partitions = PARTITIONS,
        .replication = 1,
        .is_member = true,
        .timeout_ms = 10000,
        .log = on_log,
    };
}

static void tick(int64_t deadline)
{
    CHECK_SAY(clock_steady_ns() < deadline, "waited %d ms", DEADLINE_MS);
    poll(NULL, 0, 5);
}

static int64_t deadline_of(void)
{
    return clock_steady_ns() + (int64_t)DEADLINE_MS * 1000000;
}

static struct bytes bytes_of(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

static void check_topics(const char *brokers)
{
    struct kafka_options options = options_of(brokers);
    struct admin *admin;
    claim(admin_open(&options, NULL, &admin, &info) == OK, "an admin opens");

    int32_t partitions = -1;
    claim(admin_partitions(admin, PORT_JOURNAL, &partitions, &info) == OK && partitions == 0,
          "a missing topic has 0 partitions");
    options.topics_create = false;
    claim(admin_ensure(admin, PORT_DECLARATIONS, NULL, &info) == ERR_CONFIG && strstr(info.text, "topics.create"),
          "a missing topic is refused with topics.create=false");
    options.topics_create = true;
    claim(admin_prepare(admin, &info) == OK, "prepare creates all topics and is content with them");
    bool created = true;
    claim(admin_ensure(admin, PORT_JOURNAL, &created, &info) == OK && !created, "an existing topic is success");

    static const struct {
        enum port_topic topic;
        const char *name;
        const char *value;
    } expected[] = {
        {PORT_DECLARATIONS, "cleanup.policy", "delete"}, {PORT_DECLARATIONS, "retention.ms", "-1"},
        {PORT_JOURNAL, "cleanup.policy", "delete"},      {PORT_JOURNAL, "retention.ms", "-1"},
        {PORT_STATISTICS, "cleanup.policy", "compact"},  {PORT_REJECTS, "retention.ms", "2592000000"},
    };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        char value[ADMIN_SETTING_BYTES] = "";
        claim(admin_setting(admin, expected[i].topic, expected[i].name, value, &info) == OK &&
                  strcmp(value, expected[i].value) == 0,
              expected[i].name);
    }
    options.topics[PORT_JOURNAL] = "smoke.rejects";
    claim(admin_check(admin, &info) == ERR_CONFIG && strstr(info.text, "retention.ms=-1"),
          "a journal that expires is refused");
    options.topics[PORT_JOURNAL] = "smoke.journal";
    options.topics[PORT_DECLARATIONS] = "smoke.rejects";
    claim(admin_check(admin, &info) == OK && strstr(last_warning, "retention.ms"),
          "an input that expires is warned of");
    options.topics[PORT_DECLARATIONS] = "smoke.declarations";
    admin_close(admin);
}

static void check_refusal(const char *sasl)
{
    static const struct kafka_setting wrong[] = {{KAFKA_BOTH, "security.protocol", "sasl_plaintext", NULL},
                                                 {KAFKA_BOTH, "sasl.mechanism", "PLAIN", NULL},
                                                 {KAFKA_BOTH, "sasl.username", "dryport", NULL},
                                                 {KAFKA_BOTH, "sasl.password", "wrong", NULL}};
    struct kafka_setting right[4];
    memcpy(right, wrong, sizeof wrong);
    right[3].value = "right";
    struct kafka_options options = options_of(sasl);
    options.settings = wrong;
    options.setting_count = 4;
    options.timeout_ms = 3000;
    struct admin *admin;
    int32_t partitions;
    claim(admin_open(&options, NULL, &admin, &info) == OK, "a client with wrong credentials is made");
    claim(admin_partitions(admin, PORT_JOURNAL, &partitions, &info) == ERR_PEER && strstr(info.text, "sasl.password"),
          "and refused with what to check");
    printf("     %s\n", info.text);
    admin_close(admin);
    options.settings = right;
    options.timeout_ms = 10000;
    claim(admin_open(&options, NULL, &admin, &info) == OK &&
              admin_partitions(admin, PORT_JOURNAL, &partitions, &info) == OK && partitions == PARTITIONS,
          "right credentials pass");
    admin_close(admin);
}

static void produce(const char *brokers)
{
    struct kafka_options options = options_of(brokers);
    struct producer *producer;
    claim(producer_open(&options, NULL, &producer, &info) == OK, "a producer opens");
    int64_t acked = 0;
    int64_t deadline = deadline_of();
    for (int64_t i = 0; i < RECORDS; i++) {
        char value[32];
        snprintf(value, sizeof value, "%lld", (long long)i);
        struct producer_record record = {.topic = PORT_DECLARATIONS,
                                         .partition = (int32_t)(i % PARTITIONS),
                                         .key = bytes_of(value),
                                         .value = bytes_of(value),
                                         .timestamp_ms = 1000000 + i};
        CHECK_SAY(producer_append(producer, &record, &info) == OK, "%s", info.text);
    }
    while (acked < RECORDS) {
        struct port_ack acks[100];
        size_t n = producer_acks(producer, acks, 100);
        for (size_t i = 0; i < n; i++) {
            acked += acks[i].result == OK;
        }
        if (n == 0) {
            tick(deadline);
        }
    }
    claim(producer_pending(producer) == 0, "all records are acked");
    producer_close(producer);
}

/* Lets two members share, and gives how many partitions each has in the end. */
static void settle(struct port *ports[2], int held[2], int wanted0, int wanted1)
{
    int64_t deadline = deadline_of();
    while (held[0] != wanted0 || held[1] != wanted1) {
        for (int m = 0; m < 2; m++) {
            struct port_membership change;
            while (ports[m] != NULL && ports[m]->membership(ports[m]->self, &change)) {
                held[m] += change.change == PORT_ASSIGNED ? 1 : -1;
                ports[m]->release_partition(ports[m]->self, change.partition);
            }
        }
        tick(deadline);
    }
}

static void check_input(struct port *port)
{
    struct port_bounds bounds;
    claim(port->bounds(port->self, PORT_DECLARATIONS, 3, &bounds, &info) == OK && bounds.high == RECORDS / PARTITIONS,
          "bounds of the input");
    claim(port->input_start(port->self, 0, 3, 100, &info) == OK, "the input starts");
    int64_t next = 100;
    bool is_exact = true;
    while (next < bounds.high) {
        struct port_record records[64];
        size_t n = port->input_take(port->self, 3, records, 64);
        for (size_t i = 0; i < n; i++) {
            is_exact = is_exact && records[i].offset == next && records[i].partition == 3 &&
                       records[i].timestamp_ms == 1000000 + next * PARTITIONS + 3;
            next++;
        }
        port->release(port->self, records, n);
        if (n == 0) {
            port->wait(port->self, 0, 1000);
        }
    }
    claim(is_exact, "every record from offset 100 on comes once, in order, with its timestamp");
    claim(port_kafka_high_watermark(port, 3) == bounds.high, "the high watermark is known");
    port->input_stop(port->self, 3);
}

static void check_journal(struct port *port)
{
    struct port_stream *stream = port->stream_open(port->self, PORT_JOURNAL, 1, 0);
    int64_t acked = 0;
    int64_t echoed = 0;
    int64_t slowest_ns = 0;
    for (uint64_t i = 0; i < 200; i++) {
        CHECK_SAY(port->append(port->self, 1, PORT_JOURNAL, 1, (struct bytes){NULL, 0}, bytes_of("frame"),
                               PORT_NO_AS_OF, i, &info) == OK,
                  "%s", info.text);
        int64_t begin = clock_steady_ns();
        while (acked <= (int64_t)i || echoed <= (int64_t)i) {
            struct port_ack ack;
            struct port_record record;
            if (port->acks(port->self, 1, &ack, 1) == 1) {
                CHECK(ack.result == OK && ack.token == i && ack.offset == (int64_t)i);
                acked++;
            } else if (port->stream_take(port->self, stream, &record, 1) == 1) {
                CHECK(record.offset == (int64_t)i);
                port->release(port->self, &record, 1);
                echoed++;
            } else {
                port->wait(port->self, 1, 10000);
            }
        }
        int64_t took = clock_steady_ns() - begin;
        slowest_ns = took > slowest_ns ? took : slowest_ns;
    }
    printf("     slowest append to echo: %lld ms\n", (long long)(slowest_ns / 1000000));
    claim(acked == 200 && echoed == 200, "each frame is acked and echoed once");
    port->stream_close(port->self, stream);

    struct port_bounds bounds;
    claim(port->trim(port->self, 1, 150, &info) == OK, "DeleteRecords works");
    claim(port->bounds(port->self, PORT_JOURNAL, 1, &bounds, &info) == OK && bounds.low == 150 && bounds.high == 200,
          "and moves the log's start");
    stream = port->stream_open(port->self, PORT_JOURNAL, 1, 10);
    struct port_record record;
    while (port->stream_take(port->self, stream, &record, 1) == 0) {
        port->wait(port->self, 1, 1000);
    }
    claim(record.fault == PORT_OFFSET_RESET, "reading below it is a fault");
    port->release(port->self, &record, 1);
    port->stream_close(port->self, stream);
}

int main(int count, char **arguments)
{
    if (count != 3) {
        fprintf(stderr, "usage: %s BOOTSTRAP SASL-BOOTSTRAP\n", arguments[0]);
        return 64;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    check_topics(arguments[1]);
    check_refusal(arguments[2]);
    produce(arguments[1]);

    struct kafka_options options = options_of(arguments[1]);
    struct port first;
    struct port second;
    struct port *ports[2] = {&first, NULL};
    int held[2] = {0, 0};
    claim(port_kafka_open(&options, 1, &first, &info) == OK, "a port opens");
    settle(ports, held, PARTITIONS, 0);
    claim(port_kafka_is_joined(&first), "the only member has all partitions");
    claim(port_kafka_open(&options, 1, &second, &info) == OK, "a second port opens");
    ports[1] = &second;
    settle(ports, held, PARTITIONS / 2, PARTITIONS / 2);
    claim(true, "two members share evenly");
    check_input(&first);
    check_journal(&first);
    port_kafka_close(&second, 5000);
    ports[1] = NULL;
    held[1] = 0;
    settle(ports, held, PARTITIONS, 0);
    claim(true, "the rest gets back what a member leaves");
    first.commit(first.self, 2, 321);
    int64_t begin = clock_steady_ns();
    port_kafka_close(&first, 5000);
    printf("     closing took %lld ms\n", (long long)((clock_steady_ns() - begin) / 1000000));

    struct port third;
    int64_t committed = -1;
    claim(port_kafka_open(&options, 1, &third, &info) == OK &&
              third.committed(third.self, 2, &committed, &info) == OK && committed == 321,
          "the offset committed at the end is found");
    port_kafka_close(&third, 5000);
    printf("all claims hold\n");
    return 0;
}
