/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/progress.h"

#include "base/clock.h"

#include <stdio.h>
#include <unistd.h>

enum { BAR = 30, REDRAW_NS = 100000000 };

struct progress progress_begin(const char *label)
{
    int64_t now = clock_steady_ns();
    return (struct progress){.label = label, .is_on = isatty(STDERR_FILENO) == 1, .begun_ns = now, .shown_ns = now};
}

void progress_show(struct progress *progress, uint64_t done, uint64_t total, uint64_t records)
{
    if (!progress->is_on)
        return;
    int64_t now = clock_steady_ns();
    if (now - progress->shown_ns < REDRAW_NS)
        return;
    progress->shown_ns = now;
    progress->is_shown = true;
    double seconds = (double)(now - progress->begun_ns) / 1e9;
    double rate = (double)records / seconds;
    if (total == 0) {
        fprintf(stderr, "\r\033[K%s: %llu records, %.0f/s", progress->label, (unsigned long long)records, rate);
        return;
    }
    double share = done < total ? (double)done / (double)total : 1;
    int filled = (int)(share * BAR);
    char bar[BAR + 1];
    for (int i = 0; i < BAR; i++)
        bar[i] = i < filled ? '#' : '.';
    bar[BAR] = 0;
    fprintf(stderr, "\r\033[K%s [%s] %3.0f %%, %llu records, %.0f/s", progress->label, bar, share * 100,
            (unsigned long long)records, rate);
}

void progress_end(struct progress *progress)
{
    if (progress->is_shown)
        fputs("\r\033[K", stderr);
    progress->is_shown = false;
}
