/* SPDX-License-Identifier: Apache-2.0
 * key_text.h - texts in record keys: what would cut a key, or can not be seen, stands as %XX.
 *
 * Escaped: bytes below 0x21 and above 0x7E, '%', '|' and '='; hexadecimal digits are capitals
 * Limits:  a text grows to at most KEY_TEXT_GROWTH times its length
 * Memory:  allocates nothing but in a buffer of the caller
 * Thread:  any
 * Source:  contract.md, section 3, record key
 */
#pragma once

#include "base/buffer.h"
#include "base/span.h"

enum { KEY_TEXT_GROWTH = 3 };

/* Writes a text as keys have it; there must be room for its growth. Returns the end. */
char *key_text_put(char *at, struct text text);

/* The same at the end of a buffer. */
void key_text_add(struct buffer *out, struct text text);

/* Reads a text of a key into `bytes` of room, of which *out_text borrows. False, and *out_text untouched: it is longer, or has
 * a % that no two digits follow. */
bool key_text_read(struct text text, char *room, uint32_t bytes, struct text *out_text);

/* Adds a text of a key to a buffer for people to read: a % that no two digits follow is itself. */
void key_text_add_read(struct buffer *out, struct text text);
