/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/board.h"

#include "base/hash.h"
#include "base/memory.h"
#include "base/table.h"

#include "customs/v1/statistic.pb-c.h"

#include <inttypes.h>
#include <stdlib.h>

enum { HEADINGS = 10000 };

/* What the newest record of a key says. */
struct held {
    uint64_t as_of;
    uint32_t heading;
    int64_t value_minor;
    int64_t net_mass_g;
    uint64_t declarations;
};

struct sum {
    uint32_t heading;
    int64_t value_minor;
    int64_t net_mass_g;
    uint64_t declarations;
};

struct board {
    struct table *keys;
    struct held *held;
    size_t capacity;
    struct sum sums[HEADINGS];
};

struct board *board_new(void)
{
    struct board *board = memory_new(1, sizeof *board);
    board->keys = table_new(1024);
    board->capacity = 1024;
    board->held = memory_new(board->capacity, sizeof board->held[0]);
    for (uint32_t i = 0; i < HEADINGS; i++)
        board->sums[i].heading = i;
    return board;
}

void board_free(struct board *board)
{
    if (!board)
        return;
    table_free(board->keys);
    memory_free(board->held);
    memory_free(board);
}

static struct held *held_of(struct board *board, struct bytes key)
{
    static const struct hash_key fixed = {{0x0123456789ABCDEF, 0xFEDCBA9876543210}};
    struct hash128 hash = hash_sip128(key.data, key.length, &fixed);
    struct table_key table_key = {{hash.word[0], hash.word[1], key.length, 0}};
    bool added;
    uint32_t index = table_put(board->keys, &table_key, table_hash(&table_key), &added);
    if (index == board->capacity) {
        board->capacity *= 2;
        board->held = memory_resize(board->held, board->capacity, sizeof board->held[0]);
    }
    if (added)
        board->held[index] = (struct held){0};
    return &board->held[index];
}

/* A heading's declarations are distinct within the month, and a declaration has one: those of all flows together add up. */
static void replace(struct board *board, struct held *held, const Customs__V1__Statistic *statistic)
{
    struct sum *sum = &board->sums[held->heading];
    sum->value_minor += statistic->value_minor - held->value_minor;
    sum->net_mass_g += statistic->net_mass_g - held->net_mass_g;
    sum->declarations += statistic->declarations - held->declarations;
    held->as_of = statistic->as_of;
    held->value_minor = statistic->value_minor;
    held->net_mass_g = statistic->net_mass_g;
    held->declarations = statistic->declarations;
}

void board_take(struct board *board, const struct port_record *record)
{
    static const char view[] = "heading|MONTH|";
    if (record->key.length < sizeof view || memcmp(record->key.data, view, sizeof view - 1) != 0)
        return;
    if (record->is_null) {
        struct held *held = held_of(board, record->key);
        if ((uint64_t)record->as_of > held->as_of)
            replace(board, held, &(const Customs__V1__Statistic){.as_of = (uint64_t)record->as_of});
        return;
    }
    Customs__V1__Statistic *statistic = customs__v1__statistic__unpack(NULL, record->value.length, record->value.data);
    if (!statistic)
        return;
    struct held *held = held_of(board, record->key);
    int64_t heading = -1;
    bool is_total = statistic->flow == CUSTOMS__V1__FLOW__FLOW_T; /* each flow stands beside it */
    if (is_total && statistic->as_of > held->as_of && text_to_int64(text_of(statistic->commodity_code), &heading) &&
        heading >= 0 && heading < HEADINGS) {
        held->heading = (uint32_t)heading;
        replace(board, held, statistic);
    }
    customs__v1__statistic__free_unpacked(statistic, NULL);
}

bool board_has_rows(const struct board *board)
{
    return table_count(board->keys) > 0;
}

static int by_value(const void *a, const void *b)
{
    const struct sum *left = a;
    const struct sum *right = b;
    return (left->value_minor < right->value_minor) - (left->value_minor > right->value_minor);
}

int board_draw(const struct board *board, const char *currency, FILE *out)
{
    struct sum *sorted = memory_new(HEADINGS, sizeof sorted[0]);
    memcpy(sorted, board->sums, sizeof board->sums);
    qsort(sorted, HEADINGS, sizeof sorted[0], by_value);
    fprintf(out, "  %-8s %20s %16s %14s\n", "heading", currency, "tonnes net", "declarations");
    int lines = 1;
    for (int i = 0; i < BOARD_ROWS && sorted[i].declarations > 0; i++, lines++)
        fprintf(out, "  %04" PRIu32 "     %17" PRId64 ".%02d %16.1f %14" PRIu64 "\n", sorted[i].heading,
                sorted[i].value_minor / 100, (int)(sorted[i].value_minor % 100), (double)sorted[i].net_mass_g / 1e6,
                sorted[i].declarations);
    memory_free(sorted);
    return lines;
}
