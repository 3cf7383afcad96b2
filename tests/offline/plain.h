/* SPDX-License-Identifier: Apache-2.0
 * plain.h - the statistics of a random stream, counted in the plainest way: the newest version of each id stands, each item is added to each
 * of the nine default views, of two of country groups and trade classes, and of two by hour; cells are found by comparing their keys as text.
 *
 * Memory:  owns its cells
 * Thread:  one owner
 */
#pragma once

#include "base/i128.h"
#include "offline/stream.h"

enum { PLAIN_KEY_BYTES = 160 };
#define PLAIN_NO_HOUR INT64_MIN

struct plain_cell {
    char key[PLAIN_KEY_BYTES];
    i128 value;
    i128 customs;
    i128 net_mg;
    i128 gross_mg;
    i128 estimated_mg;
    i128 supp_micro;
    int64_t items;
    int64_t packages;
    int64_t late;
    int64_t declarations;
    const struct stream_version *last; /* that was added: it counts once */
    /* of the same days a year before */
    i128 base_value;
    i128 base_net_mg;
    int64_t base_items;
    int64_t hour; /* hours of UTC since 1970, of one by hour; else PLAIN_NO_HOUR */
    bool is_void; /* nothing falls into it, or it is a year to date of a month without items */
};

/* What a view publishes beside what it does by itself; rolling windows are not counted here. A definition: a view beside the nine. */
struct plain_option {
    const char *view;
    const char *definition;
    const char *publish;
    bool total;
};
enum { PLAIN_OPTIONS = 8 };
extern const struct plain_option plain_options[PLAIN_OPTIONS];

struct plain {
    struct plain_cell *cells;
    size_t count;
    size_t capacity;
    uint32_t *slots; /* twice the capacity: index + 1 of a key, at or behind the place of its hash */
};

/* Cells of all periods but rolling ones; void ones among them, and hours that nobody keeps any more. */
void plain_count(const struct stream *stream, struct plain *out);
void plain_fini(struct plain *plain);
