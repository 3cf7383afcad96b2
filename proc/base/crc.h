/* SPDX-License-Identifier: Apache-2.0
 * crc.h - CRC32C (Castagnoli), the check sum of journal frames.
 *
 * Thread:  any
 * Why:     the same polynomial as Kafka's record batches (RFC 3720, appendix B.4 has the test vectors)
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Continues `crc` (0 to begin) over `bytes` bytes. */
uint32_t crc32c(uint32_t crc, const void *data, size_t bytes);

/* The same by table only: the reference that tests compare with. */
uint32_t crc32c_portable(uint32_t crc, const void *data, size_t bytes);
