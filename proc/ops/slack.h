/* SPDX-License-Identifier: Apache-2.0
 * slack.h - when to give free memory back to the system.
 *
 * Slack:   resident memory that nobody uses: pages of free blocks, and what else is not the allocator's. Only how much it grows tells
 *          something: glibc counts a block as free whether its pages are still there or not
 * Units:   bytes
 * Thread:  one owner (main)
 * Why:     docs/adr/0080-free-memory-goes-back.md
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { SLACK_MOST_BYTES = 48 << 20 };

struct slack {
    size_t least_bytes; /* seen since the last trim */
    bool is_known;
};

/* What a look has found. True: trim now, and tell slack_trimmed what is resident then. */
bool slack_is_much(struct slack *slack, size_t resident_bytes, size_t used_bytes, size_t free_bytes);
void slack_trimmed(struct slack *slack, size_t resident_bytes, size_t used_bytes);
