/* SPDX-License-Identifier: Apache-2.0
 * holding.h - what topic.statistics holds, as far as a publisher has read it: each cell's place in the registry, and records of no cell.
 *
 * Order:   read after the journals, so that only records of cells that are gone must be kept
 * Errors:  a fault of the topic shuts the gate, and all of it is read again; publisher_trouble says so
 * Thread:  publisher
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct publisher;

/* Gives every cell below `most` its place, and whatever derives from it. */
void holding_link_to(struct publisher *publisher, uint32_t most);

/* The same for some more. True if there were any. */
bool holding_link_some(struct publisher *publisher);

/* A registry entry without a cell is to be published. */
void holding_queue(struct publisher *publisher, uint32_t index);

/* The same, if it has a zero record and its month is FINAL, or its hour is not kept any more: its tombstone is due. */
void holding_bury_later(struct publisher *publisher, uint32_t index);

/* Reads on. True if there was something. */
bool holding_read(struct publisher *publisher, int64_t now_ms);

/* Each partition was read to the end that it had when it was opened. */
bool holding_is_read(const struct publisher *publisher);

void holding_close(struct publisher *publisher);
