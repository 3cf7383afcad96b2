/* SPDX-License-Identifier: Apache-2.0
 * job_j.h - what the programs of job J must agree on: which declarations are valid, rates, cells, and how an update is written.
 *
 * Job J:   decode; drop what is invalid; convert to one currency; per item add count, value and net mass to the cell (commodity
 *          code x hour of acceptance); write the cells that changed to a topic, at most each second. No ledger, no rules, no recovery
 * Valid:   it decodes, has an id, as many items as item_count says (at least one), a currency of the table, and each item a code of 6 to
 *          10 digits, a positive net mass and no negative value
 * Units:   value in hundredths of the minor unit (amount x rate, no division: exact); net mass in mg
 * Record:  key "CODE|HOUR" in decimal; value three little-endian int64: count, value, net mass, whole so far
 */
#pragma once

#include "topic_reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { JOB_J_CURRENCIES = 8, JOB_J_HOUR_MS = 3600000, JOB_J_PUBLISH_MS = 1000 };

struct job_j_rate {
    char currency[4];
    int64_t rate; /* x 1e-2 of the one currency for a unit of this one: small, so that sums stay in 64 bits */
};

static const struct job_j_rate job_j_rates[JOB_J_CURRENCIES] = {{"CNY", 100}, {"USD", 718}, {"EUR", 837}, {"KZT", 1},
                                                                {"RUB", 9},   {"JPY", 5},   {"GBP", 968}, {"HKD", 92}};

/* The rate of a currency, 0 if it is not in the table. */
static inline int64_t job_j_rate(const char *currency, size_t length)
{
    for (int i = 0; length == 3 && i < JOB_J_CURRENCIES; i++) {
        if (memcmp(job_j_rates[i].currency, currency, 3) == 0)
            return job_j_rates[i].rate;
    }
    return 0;
}

/* A code of 6 to 10 digits as a number with its length in front; 0 if it is none. */
static inline uint64_t job_j_code(const char *digits, size_t length)
{
    uint64_t number = length;
    if (length < 6 || length > 10)
        return 0;
    for (size_t i = 0; i < length; i++) {
        if (digits[i] < '0' || digits[i] > '9')
            return 0;
        number = number * 10 + (uint64_t)(digits[i] - '0');
    }
    return number;
}

struct job_j_sums {
    int64_t count;
    int64_t value;
    int64_t mass_mg;
};

static inline void job_j_write(rd_kafka_t *writer, rd_kafka_topic_t *topic, uint64_t code, int64_t hour,
                               const struct job_j_sums *sums)
{
    char key[48];
    char *at = key + sizeof key;
    for (uint64_t n = (uint64_t)hour, i = 0; i == 0 || n; i++, n /= 10)
        *--at = (char)('0' + n % 10);
    *--at = '|';
    for (; code; code /= 10)
        *--at = (char)('0' + code % 10);
    topic_writer_put(writer, topic, at, (size_t)(key + sizeof key - at), sums, sizeof *sums, 0);
}

/* What a program found, as a line of JSON; the driver holds these against each other and against the topic. */
static inline void job_j_print(int64_t messages, int64_t invalid, int64_t cells, int64_t written,
                               const struct job_j_sums *total, double seconds)
{
    printf("{\"messages\": %" PRId64 ", \"invalid\": %" PRId64 ", \"cells\": %" PRId64 ", \"written\": %" PRId64
           ", \"items\": %" PRId64 ", \"value\": %" PRId64 ", \"mass_mg\": %" PRId64 ", ",
           messages, invalid, cells, written, total->count, total->value, total->mass_mg);
    bench_print_costs(seconds);
    printf("}\n");
    fflush(stdout);
}
