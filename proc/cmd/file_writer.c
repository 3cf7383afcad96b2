/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/file_writer.h"

#include "base/buffer.h"
#include "base/memory.h"

#include <zstd.h>

#include <errno.h>
#include <stdio.h>

enum { PLAIN_BYTES = 256 * 1024, OUT_BYTES = 256 * 1024, LEVEL = 3 };

struct file_writer {
    const char *path;
    FILE *file;
    ZSTD_CCtx *zstd; /* NULL: plain */
    struct buffer plain;
    uint8_t out[OUT_BYTES];
};

enum err file_writer_open(const char *path, struct file_writer **out, struct err_info *info)
{
    FILE *file = strcmp(path, "-") == 0 ? stdout : fopen(path, "wb");
    if (!file)
        return err_set(info, ERR_CONFIG, "%s: %s", path, strerror(errno));
    struct file_writer *writer = memory_new(1, sizeof *writer);
    writer->path = path;
    writer->file = file;
    size_t length = strlen(path);
    if (length > 4 && strcmp(path + length - 4, ".zst") == 0) {
        writer->zstd = ZSTD_createCCtx();
        ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_compressionLevel, LEVEL);
        ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_checksumFlag, 1);
    }
    *out = writer;
    return OK;
}

static enum err put(struct file_writer *writer, const void *data, size_t bytes, struct err_info *info)
{
    if (bytes > 0 && fwrite(data, 1, bytes, writer->file) != bytes)
        return err_set(info, ERR_FATAL, "%s: %s", writer->path, strerror(errno));
    return OK;
}

static enum err compress(struct file_writer *writer, ZSTD_EndDirective how, struct err_info *info)
{
    ZSTD_inBuffer in = {writer->plain.data, writer->plain.length, 0};
    for (;;) {
        ZSTD_outBuffer to = {writer->out, sizeof writer->out, 0};
        size_t left = ZSTD_compressStream2(writer->zstd, &to, &in, how);
        if (ZSTD_isError(left))
            return err_set(info, ERR_FATAL, "%s: zstd: %s", writer->path, ZSTD_getErrorName(left));
        TRY(put(writer, writer->out, to.pos, info));
        if (how == ZSTD_e_end ? left == 0 : in.pos == in.size)
            return OK;
    }
}

static enum err flush(struct file_writer *writer, ZSTD_EndDirective how, struct err_info *info)
{
    enum err err =
        writer->zstd ? compress(writer, how, info) : put(writer, writer->plain.data, writer->plain.length, info);
    buffer_clear(&writer->plain);
    return err;
}

enum err file_writer_add(struct file_writer *writer, struct bytes record, struct err_info *info)
{
    buffer_add_varint(&writer->plain, record.length);
    buffer_add(&writer->plain, record.data, record.length);
    return writer->plain.length < PLAIN_BYTES ? OK : flush(writer, ZSTD_e_continue, info);
}

enum err file_writer_finish(struct file_writer *writer, struct err_info *info)
{
    TRY(flush(writer, ZSTD_e_end, info));
    if (fflush(writer->file) != 0)
        return err_set(info, ERR_FATAL, "%s: %s", writer->path, strerror(errno));
    return OK;
}

void file_writer_close(struct file_writer *writer)
{
    if (!writer)
        return;
    ZSTD_freeCCtx(writer->zstd);
    if (writer->file != stdout)
        fclose(writer->file);
    buffer_fini(&writer->plain);
    memory_free(writer);
}
