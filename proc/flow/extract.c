/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/extract.h"

#include "base/check.h"
#include "base/counter.h"
#include "base/memory.h"

#include <pthread.h>
#include <time.h>

enum { STEP_CELLS = 1 << 16, FOUND_FIRST = 1 << 10, MS_NS = 1000000, S_NS = 1000000000 };

struct extractor {
    struct counter asked; /* requests so far; written by the asker under the lock, read by the publisher without it */
    pthread_mutex_t lock;
    pthread_cond_t done;
    /* under the lock */
    struct extract_request request;
    int64_t serial; /* of the request that waits; 0: none */
    bool is_answered;
    enum extract_result result;
    struct extract extract;
    /* owned by publisher */
    int64_t serving; /* the request that it looks for, or looked for last */
    bool is_looking;
    struct extract_request wanted;
    uint32_t next; /* cell to look at */
    uint32_t *found;
    uint32_t count;
    uint32_t capacity;
};

struct extractor *extractor_new(void)
{
    struct extractor *extractor = memory_new(1, sizeof *extractor);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    int failed = pthread_mutex_init(&extractor->lock, NULL) || pthread_cond_init(&extractor->done, &attributes);
    CHECK(!failed);
    pthread_condattr_destroy(&attributes);
    return extractor;
}

void extractor_free(struct extractor *extractor)
{
    if (!extractor)
        return;
    pthread_mutex_destroy(&extractor->lock);
    pthread_cond_destroy(&extractor->done);
    memory_free(extractor->found);
    memory_free(extractor);
}

void extract_fini(struct extract *extract)
{
    memory_free(extract->keys);
    memory_free(extract->measures);
    dictionary_fini(&extract->codes);
    *extract = (struct extract){0};
}

/* ---- the asker ---- */

static struct timespec deadline_in(int64_t ms)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    int64_t ns = at.tv_nsec + ms % 1000 * MS_NS;
    at.tv_sec += ms / 1000 + ns / S_NS;
    at.tv_nsec = ns % S_NS;
    return at;
}

enum extract_result extractor_ask(struct extractor *extractor, const struct extract_request *request, int64_t ms,
                                  void (*wake)(void *context), void *context, struct extract *out)
{
    struct timespec deadline = deadline_in(ms);
    enum extract_result result = EXTRACT_TOO_LATE;
    pthread_mutex_lock(&extractor->lock);
    CHECK(extractor->serial == 0);
    counter_add(&extractor->asked, 1);
    extractor->serial = counter_read(&extractor->asked);
    extractor->request = *request;
    extractor->is_answered = false;
    pthread_mutex_unlock(&extractor->lock);
    if (wake)
        wake(context);
    pthread_mutex_lock(&extractor->lock);
    int failed = 0;
    while (!extractor->is_answered && !failed)
        failed = pthread_cond_timedwait(&extractor->done, &extractor->lock, &deadline);
    extractor->serial = 0;
    if (extractor->is_answered) {
        result = extractor->result;
        if (result == EXTRACT_OK)
            *out = extractor->extract;
    }
    pthread_mutex_unlock(&extractor->lock);
    return result;
}

/* ---- the publisher ---- */

/* Takes the newest request, if it is new. */
static void take_request(struct extractor *extractor)
{
    int64_t asked = counter_read(&extractor->asked);
    if (asked == extractor->serving)
        return;
    pthread_mutex_lock(&extractor->lock);
    extractor->serving = asked;
    extractor->is_looking = extractor->serial != 0; /* else its asker has gone */
    extractor->wanted = extractor->request;
    pthread_mutex_unlock(&extractor->lock);
    extractor->next = 0;
    extractor->count = 0;
}

static void answer(struct extractor *extractor, enum extract_result result, struct extract *extract)
{
    extractor->is_looking = false;
    pthread_mutex_lock(&extractor->lock);
    bool is_waited_for = extractor->serial == extractor->serving;
    if (is_waited_for) {
        extractor->is_answered = true;
        extractor->result = result;
        extractor->extract = *extract;
        pthread_cond_signal(&extractor->done);
    }
    pthread_mutex_unlock(&extractor->lock);
    if (!is_waited_for)
        extract_fini(extract);
}

static void note(struct extractor *extractor, uint32_t cell)
{
    if (extractor->count == extractor->capacity) {
        extractor->capacity = extractor->capacity ? extractor->capacity * 2 : FOUND_FIRST;
        extractor->found = memory_resize(extractor->found, extractor->capacity, sizeof extractor->found[0]);
    }
    extractor->found[extractor->count++] = cell;
}

/* Keys never change, and new cells stand behind the others: looking needs no moment of its own. */
static void look(struct extractor *extractor, const struct cube *cube)
{
    const struct extract_request *wanted = &extractor->wanted;
    uint32_t left = cube_count(cube) - extractor->next;
    uint32_t end = extractor->next + (left < STEP_CELLS ? left : STEP_CELLS);
    for (; extractor->next < end && extractor->count <= EXTRACT_CELLS_MOST; extractor->next++) {
        const struct table_key *key = cube_key(cube, extractor->next);
        if (cell_view(key) == wanted->view && cell_is_month(key) == wanted->months &&
            (days_have(wanted->windows[0], cell_day(key)) || days_have(wanted->windows[1], cell_day(key))))
            note(extractor, extractor->next);
    }
}

static void copy(const struct extractor *extractor, const struct cube *cube, struct extract *out)
{
    const struct dictionary *codes = cube_codes(cube);
    out->keys = memory_new(extractor->count + 1, sizeof out->keys[0]);
    out->measures = memory_new(extractor->count + 1, sizeof out->measures[0]);
    for (uint32_t i = 0; i < extractor->count; i++) {
        const struct measures *measures = cube_measures(cube, extractor->found[i]);
        if (measures->items == 0)
            continue;
        out->keys[out->count] = *cube_key(cube, extractor->found[i]);
        out->measures[out->count++] = *measures;
    }
    dictionary_init(&out->codes);
    for (uint32_t i = 0; i < codes->count; i++)
        dictionary_number_of_code(&out->codes, codes->codes[i]);
}

bool extractor_step(struct extractor *extractor, const struct cube *cube, const struct extract_stamp *stamp)
{
    struct extract extract = {0};
    take_request(extractor);
    if (!extractor->is_looking)
        return false;
    if (!stamp) {
        answer(extractor, EXTRACT_SILENT, &extract);
        return true;
    }
    look(extractor, cube);
    if (extractor->count > EXTRACT_CELLS_MOST) {
        answer(extractor, EXTRACT_TOO_MANY, &extract);
    } else if (extractor->next == cube_count(cube)) {
        extract.stamp = *stamp;
        copy(extractor, cube, &extract);
        answer(extractor, EXTRACT_OK, &extract);
    }
    return true;
}

void extractor_restart(struct extractor *extractor)
{
    extractor->next = 0;
    extractor->count = 0;
}
