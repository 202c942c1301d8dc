#include "common/io/line_writer.h"

#include "common/base/memory.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct line_writer {
    struct line_writer_calls calls;
    pthread_t thread;
    pthread_mutex_t mutex; /* of the members below */
    pthread_cond_t more;
    pthread_cond_t done;
    uint64_t lost;
    bool busy; /* the thread is writing */
    bool closing;
    size_t begin; /* offsets in a ring */
    size_t size;
    size_t capacity;
    char ring[];
};

static void copy_out(struct line_writer *w, char *to, size_t size)
{
    size_t first =
        w->capacity - w->begin < size ? w->capacity - w->begin : size;

    memcpy(to, w->ring + w->begin, first);
    memcpy(to + first, w->ring, size - first);
    w->begin = (w->begin + size) % w->capacity;
    w->size -= size;
}

static void copy_in(struct line_writer *w, const char *from, size_t size)
{
    size_t at = (w->begin + w->size) % w->capacity;
    size_t first = w->capacity - at < size ? w->capacity - at : size;

    memcpy(w->ring + at, from, first);
    memcpy(w->ring, from + first, size - first);
    w->size += size;
}

static size_t line_size(const struct line_writer *w)
{
    size_t size = 0;

    while (size < w->size && size < LINE_WRITER_LINE)
        if (w->ring[(w->begin + size++) % w->capacity] == '\n')
            break;
    return size;
}

/* Takes the next line, which the caller writes without the mutex. The count of
 * lost lines comes after all lines that were in the full ring. */
static size_t take(struct line_writer *w, char line[LINE_WRITER_LINE],
                   uint64_t *told)
{
    size_t size = line_size(w);

    *told = 0;
    if (size > 0) {
        copy_out(w, line, size);
        return size;
    }
    *told = w->lost;
    w->lost = 0;
    return w->calls.lost != NULL ? w->calls.lost(*told, line) : 0;
}

/* Writes one line or count. False: it was lost, and the thread tries again only
 * with the next line. */
static bool write_one(struct line_writer *w)
{
    char line[LINE_WRITER_LINE];
    uint64_t told;
    size_t size = take(w, line, &told);
    bool written = true;

    w->busy = true;
    pthread_mutex_unlock(&w->mutex);
    if (size > 0)
        written = w->calls.write(w->calls.context, line, size);
    pthread_mutex_lock(&w->mutex);
    w->busy = false;
    if (!written)
        w->lost += told > 0 ? told : 1;
    return written;
}

static void *run(void *context)
{
    struct line_writer *w = context;
    bool written = true;

    pthread_mutex_lock(&w->mutex);
    for (;;) {
        if (w->size > 0 || (w->lost > 0 && written)) {
            written = write_one(w);
            continue;
        }
        pthread_cond_broadcast(&w->done);
        if (w->closing)
            break;
        pthread_cond_wait(&w->more, &w->mutex);
    }
    pthread_mutex_unlock(&w->mutex);
    return NULL;
}

/* The thread blocks all signals: they are for other threads. */
static bool start(struct line_writer *w)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int result = pthread_create(&w->thread, NULL, run, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result == 0;
}

struct line_writer *line_writer_open(size_t capacity,
                                     const struct line_writer_calls *calls)
{
    struct line_writer *w = memory_new(sizeof *w + capacity);
    pthread_condattr_t monotonic;

    w->calls = *calls;
    w->capacity = capacity;
    pthread_mutex_init(&w->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&w->more, NULL);
    pthread_cond_init(&w->done, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (start(w))
        return w;
    free(w);
    return NULL;
}

void line_writer_put(struct line_writer *w, const char *line, size_t size)
{
    pthread_mutex_lock(&w->mutex);
    /* After a lost line, all lines are lost until the count is written, so that
     * the count stands exactly in the gap. */
    if (w->lost > 0 && w->size > 0 && w->calls.lost != NULL)
        w->lost++;
    else if (size <= w->capacity - w->size)
        copy_in(w, line, size);
    else
        w->lost++;
    pthread_cond_signal(&w->more);
    pthread_mutex_unlock(&w->mutex);
}

static struct timespec after_ms(int ms)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += (long)(ms % 1000) * 1000000;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

bool line_writer_flush(struct line_writer *w, int ms)
{
    struct timespec until = after_ms(ms);
    int result = 0;

    pthread_mutex_lock(&w->mutex);
    while ((w->size > 0 || w->busy) && result == 0)
        result = pthread_cond_timedwait(&w->done, &w->mutex, &until);
    bool all = w->size == 0 && !w->busy;
    pthread_mutex_unlock(&w->mutex);
    return all;
}

void line_writer_close(struct line_writer **self)
{
    struct line_writer *w = *self;

    if (w == NULL)
        return;
    *self = NULL;
    pthread_mutex_lock(&w->mutex);
    w->closing = true;
    pthread_cond_signal(&w->more);
    pthread_mutex_unlock(&w->mutex);
    pthread_join(w->thread, NULL);
    pthread_mutex_destroy(&w->mutex);
    pthread_cond_destroy(&w->more);
    pthread_cond_destroy(&w->done);
    free(w);
}
