/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/source.h"

#include "base/memory.h"

#include <zstd.h>

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

enum { IN_BYTES = 128 * 1024, MAGIC_BYTES = 4 };

struct source {
    const char *path;
    FILE *file;
    ZSTD_DStream *zstd; /* NULL: plain */
    ZSTD_inBuffer in;
    bool frame_open; /* a zstd frame is begun and not ended */
    uint64_t done;
    uint64_t total;
    uint8_t bytes[IN_BYTES];
};

static enum err fill(struct source *source, struct err_info *info)
{
    source->in = (ZSTD_inBuffer){source->bytes, fread(source->bytes, 1, sizeof source->bytes, source->file), 0};
    source->done += source->in.size;
    if (source->in.size == 0 && ferror(source->file))
        return err_set(info, ERR_DATA, "%s: %s", source->path, strerror(errno));
    return OK;
}

enum err source_open(const char *path, struct source **out, struct err_info *info)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "rb");
    if (!file)
        return err_set(info, ERR_CONFIG, "%s: %s", path, strerror(errno));
    struct source *source = memory_new(1, sizeof *source);
    source->path = path;
    source->file = file;
    struct stat status;
    if (fstat(fileno(file), &status) == 0 && S_ISREG(status.st_mode))
        source->total = (uint64_t)status.st_size;
    enum err err = fill(source, info);
    if (err != OK) {
        source_close(source);
        return err;
    }
    if (source->in.size >= MAGIC_BYTES && memcmp(source->bytes, "\x28\xB5\x2F\xFD", MAGIC_BYTES) == 0)
        source->zstd = ZSTD_createDStream();
    *out = source;
    return OK;
}

void source_close(struct source *source)
{
    if (!source)
        return;
    ZSTD_freeDStream(source->zstd);
    if (source->file != stdin)
        fclose(source->file);
    memory_free(source);
}

static enum err read_zstd(struct source *source, void *out, size_t bytes, size_t *out_bytes, struct err_info *info)
{
    ZSTD_outBuffer to = {out, bytes, 0};
    while (to.pos == 0) {
        if (source->in.pos == source->in.size) {
            TRY(fill(source, info));
            if (source->in.size == 0)
                break;
        }
        size_t left = ZSTD_decompressStream(source->zstd, &to, &source->in);
        if (ZSTD_isError(left))
            return err_set(info, ERR_DATA, "%s: near byte %llu: zstd: %s", source->path,
                           (unsigned long long)source->done, ZSTD_getErrorName(left));
        source->frame_open = left != 0;
    }
    if (to.pos == 0 && source->frame_open)
        return err_set(info, ERR_DATA, "%s: the zstd frame is cut off; copy the file again", source->path);
    *out_bytes = to.pos;
    return OK;
}

enum err source_read(struct source *source, void *out, size_t bytes, size_t *out_bytes, struct err_info *info)
{
    if (source->zstd)
        return read_zstd(source, out, bytes, out_bytes, info);
    if (source->in.pos == source->in.size)
        TRY(fill(source, info));
    size_t left = source->in.size - source->in.pos;
    *out_bytes = left < bytes ? left : bytes;
    memcpy(out, source->bytes + source->in.pos, *out_bytes);
    source->in.pos += *out_bytes;
    return OK;
}

static enum err read_for_csv(void *self, void *out, size_t bytes, size_t *out_bytes, struct err_info *info)
{
    return source_read(self, out, bytes, out_bytes, info);
}

struct csv_source source_as_csv(struct source *source)
{
    return (struct csv_source){read_for_csv, source};
}

void source_progress(const struct source *source, uint64_t *out_done, uint64_t *out_total)
{
    *out_done = source->done;
    *out_total = source->total;
}
