/* SPDX-License-Identifier: Apache-2.0
 * ring.h - hand-over of fixed-size messages from one thread to one other (single producer, single consumer).
 *
 * Memory:  the ring owns capacity x message bytes, taken at ring_new
 * Limits:  capacity is rounded up to a power of two
 * Thread:  ring_put by one thread, ring_take by one thread; which ones is the owner's business
 * Progress: wait-free, both sides
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct ring;

struct ring *ring_new(size_t capacity, size_t message_bytes);
void ring_free(struct ring *ring);

/* Copies the message in. False if the ring is full.           Thread: producer */
bool ring_put(struct ring *ring, const void *message);

/* Copies the oldest message out. False if the ring is empty.  Thread: consumer */
bool ring_take(struct ring *ring, void *message);
