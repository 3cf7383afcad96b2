/* SPDX-License-Identifier: Apache-2.0
 * zstd_size.h - librdkafka decompresses a zstd batch once, not twice.
 *
 * librdkafka asks ZSTD_getFrameContentSize how much room a batch needs. Producers stream, so their frames don't say; librdkafka then
 * tries twice the compressed bytes, throws away what it has decompressed when that is too little, and begins anew with three times as
 * much. Customs declarations compress better than 2:1, so that is every batch. This room defines the function itself, as a program may do with
 * any function of a shared library: it says what libzstd's says, and where the frame does not tell, what its blocks can hold at most.
 * In:      the bytes of a zstd frame        Out: bytes; ZSTD_CONTENTSIZE_ERROR if it is none
 * Limits:  above ZSTD_SIZE_MOST it stays ZSTD_CONTENTSIZE_UNKNOWN, and librdkafka does what it always did: blocks that pretend much get no
 *          memory for it. Whoever sets receive.message.max.bytes (64 MiB) below that can't read batches within 128 KiB of it
 * Memory:  none of its own; librdkafka's buffers are smaller by it
 * Thread:  any
 * Why:     docs/adr/0090-zstd-once.md, with what it saves; CMakeLists.txt names the symbol, so that every program with this room has it
 */
#pragma once

#include <zstd.h>

enum { ZSTD_SIZE_MOST = 32 << 20 };
