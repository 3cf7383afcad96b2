/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/files.h"

#include "cmd/progress.h"
#include "cmd/stop.h"

enum { LOOK_EACH = 1024 }; /* records between two looks at the terminal and at signals */

enum err files_each(const char *path, struct mapping *mapping, struct files_taker taker, struct err_info *info)
{
    struct feed *feed;
    TRY(feed_open(path, mapping, &feed, info));
    struct progress progress = progress_begin(path);
    struct feed_record record;
    bool more = true;
    enum err err;
    while ((err = feed_next(feed, &record, &more, info)) == OK && more) {
        err = taker.take(taker.self, path, &record, info);
        if (err != OK)
            break;
        if (record.number % LOOK_EACH != 0)
            continue;
        uint64_t done, total;
        feed_progress(feed, &done, &total);
        progress_show(&progress, done, total, record.number);
        if (stop_requested())
            break;
    }
    progress_end(&progress);
    feed_close(feed);
    return err;
}
