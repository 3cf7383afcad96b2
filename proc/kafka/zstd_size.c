/* SPDX-License-Identifier: Apache-2.0 */
#define ZSTD_STATIC_LINKING_ONLY /* ZSTD_getFrameHeader, ZSTD_decompressBound: exported by every libzstd since 1.4 */
#include "kafka/zstd_size.h"

unsigned long long ZSTD_getFrameContentSize(const void *source, size_t bytes)
{
    ZSTD_frameHeader header;
    if (ZSTD_getFrameHeader(&header, source, bytes) != 0)
        return ZSTD_CONTENTSIZE_ERROR;
    if (header.frameType == ZSTD_skippableFrame)
        return 0;
    if (header.frameContentSize != ZSTD_CONTENTSIZE_UNKNOWN)
        return header.frameContentSize;
    unsigned long long most = ZSTD_decompressBound(source, bytes);
    return most == ZSTD_CONTENTSIZE_ERROR || most > ZSTD_SIZE_MOST ? ZSTD_CONTENTSIZE_UNKNOWN : most;
}
