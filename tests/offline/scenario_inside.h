/* SPDX-License-Identifier: Apache-2.0
 * scenario_inside.h - what scenario.c (steps), scenario_input.c (records) and scenario_expect.c (expectations) share.
 *
 * Thread:  one thread in all
 */
#pragma once

#include "cmd/options.h"
#include "offline/draft.h"
#include "offline/published.h"
#include "offline/script.h"
#include "offline/stage.h"

#define SCENARIO_NO_TIME INT64_MIN

/* A record of the input, or one that is held back. */
struct scenario_record {
    size_t at; /* in scenario.bytes: the key, then the value */
    size_t key_bytes;
    size_t value_bytes;
    int64_t timestamp_ms;
    int32_t partition;
};

/* What the scenario last said of an id. */
struct scenario_memo {
    struct draft draft;
    size_t record; /* its last one, in scenario.records */
};

struct scenario {
    struct options *options;
    struct script script;
    struct script_line line;
    struct assembly assembly;
    bool is_assembled;
    struct stage stage;
    bool is_open; /* the stage is */
    struct published published;
    int64_t now_ms; /* the clock as the scenario has set it; that of the stage may be some seconds ahead */
    int64_t snapshot_bytes;
    struct scenario_memo **memos;
    size_t memo_count;
    struct buffer bytes;
    struct scenario_record *records; /* in the order in which they were put, for replays */
    size_t record_count;
    size_t record_capacity;
    bool is_held[STAGE_PARTITIONS_MOST]; /* by partition: what comes for it waits */
    struct scenario_record *held;
    size_t held_count;
    size_t held_capacity;
    int failures;
};

/* The words of a line behind the verb. */
struct scenario_words {
    const struct text *words;
    int count;
};

enum err scenario_error(struct scenario *scenario, struct err_info *info, const char *format, ...) PRINTF_LIKE(3, 4);

/* An expectation that does not hold: says so and goes on. */
void scenario_fail(struct scenario *scenario, const char *format, ...) PRINTF_LIKE(2, 3);

/* 2025-07-14T12:00 in the configured zone, 12:00 of the clock's day, +40d after the clock, 2025-07-14T04:00Z. */
enum err scenario_time(struct scenario *scenario, struct text text, int64_t *out_ms, struct err_info *info) MUST_USE;

/* "90s" "5m" "1h" "40d" -> ms. False: it is none. */
bool scenario_duration(struct text text, int64_t *out_ms);

enum { SCENARIO_TIME_BYTES = 32 };
/* A moment as text in the configured zone. */
const char *scenario_time_text(int64_t ms, char out[static SCENARIO_TIME_BYTES]);

/* "p3" -> 3. ERR_CONFIG: none of the topic's. */
enum err scenario_partition(struct scenario *scenario, struct text word, int32_t *out, struct err_info *info) MUST_USE;

/* Lets everything be counted and published, and reads it. */
enum err scenario_settle(struct scenario *scenario, struct err_info *info) MUST_USE;

/* ---- scenario_input.c ---- */

/* declare, amend, cancel, again, garbage. partition -1: that of the id. */
enum err scenario_declare(struct scenario *scenario, struct text verb, struct scenario_words words, int32_t partition,
                          struct err_info *info) MUST_USE;
/* load FILE [map=FILE] [shuffle=SEED] [arrival=FROM..TO] */
enum err scenario_load(struct scenario *scenario, struct scenario_words words, struct err_info *info) MUST_USE;
/* Everything that waits for a partition is put now. */
void scenario_release(struct scenario *scenario, int32_t partition);
/* Puts all records of the input again, into a new stage. */
void scenario_put_again(const struct scenario *scenario, struct stage *stage);
void scenario_input_fini(struct scenario *scenario);

/* ---- scenario_replay.c ---- */

/* Journals, statistics and rejects are thrown away; another process, by the same clock, counts the input anew. */
enum err scenario_replay(struct scenario *scenario, struct scenario_words words, struct err_info *info) MUST_USE;
/* Two processes that count the input anew publish the same bytes; a third that does it a month later, the same but for as_of and as_of_ms. */
enum err scenario_replays_equal(struct scenario *scenario, struct scenario_words words, struct err_info *info) MUST_USE;

/* ---- scenario_expect.c ---- */

enum err scenario_expect(struct scenario *scenario, struct scenario_words words, struct err_info *info) MUST_USE;
