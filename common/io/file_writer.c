#include "common/io/file_writer.h"

#include "common/base/assert.h"
#include "common/base/memory.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct job {
    struct job *next;
    char *path;
    uint8_t *data;
    size_t size;
    bool good;
    char *errors;
};

struct jobs {
    struct job *first, **end;
};

/* The loop and the thread share it; the one that leaves last frees it. */
struct file_writer {
    struct file_writer_calls calls;
    uv_async_t async;      /* belongs to the loop */
    pthread_mutex_t mutex; /* of the members below */
    pthread_cond_t more;
    pthread_cond_t idle;
    struct jobs waiting;
    struct jobs done;
    size_t count; /* queued files */
    bool working;
    bool has_thread;
    bool closing;
    bool loop_left; /* the async handle is closed */
};

static void jobs_init(struct jobs *j)
{
    j->first = NULL;
    j->end = &j->first;
}

static void jobs_add(struct jobs *j, struct job *job)
{
    job->next = NULL;
    *j->end = job;
    j->end = &job->next;
}

static struct job *jobs_take(struct jobs *j)
{
    struct job *job = j->first;

    if (job == NULL)
        return NULL;
    j->first = job->next;
    if (j->first == NULL)
        j->end = &j->first;
    return job;
}

static void job_free(struct job *job)
{
    free(job->path);
    free(job->data);
    free(job->errors);
    free(job);
}

static void file_writer_free(struct file_writer *w)
{
    struct job *job;

    while ((job = jobs_take(&w->waiting)) != NULL ||
           (job = jobs_take(&w->done)) != NULL)
        job_free(job);
    pthread_mutex_destroy(&w->mutex);
    pthread_cond_destroy(&w->more);
    pthread_cond_destroy(&w->idle);
    free(w);
}

/* ---- The thread */

static void work(const struct file_writer *w, struct job *job)
{
    size_t size;
    struct reserve *reserve = reserve_new(RESERVE_OF_CALL);
    struct reserve *before = memory_use(reserve);
    FILE *errors = NULL;

    if (reserve != NULL)
        errors = open_memstream(&job->errors, &size);
    if (errors != NULL) {
        job->good =
            w->calls.write(job->path, bytes_of(job->data, job->size), errors);
        fclose(errors);
    }
    memory_use(before);
    reserve_free(&reserve);
}

static void work_one(struct file_writer *w)
{
    struct job *job = jobs_take(&w->waiting);

    ASSERT(job != NULL);
    w->count--;
    w->working = true;
    pthread_mutex_unlock(&w->mutex);
    work(w, job);
    pthread_mutex_lock(&w->mutex);
    w->working = false;
    jobs_add(&w->done, job);
    if (!w->closing)
        uv_async_send(&w->async);
}

static void *run(void *context)
{
    struct file_writer *w = context;

    pthread_mutex_lock(&w->mutex);
    while (!w->closing || (w->waiting.first != NULL && !w->loop_left)) {
        if (w->waiting.first != NULL) {
            work_one(w);
            continue;
        }
        pthread_cond_wait(&w->more, &w->mutex);
    }
    pthread_cond_signal(&w->idle);
    w->has_thread = false;
    bool last = w->loop_left;
    pthread_mutex_unlock(&w->mutex);
    if (last)
        file_writer_free(w);
    return NULL;
}

static bool start(struct file_writer *w)
{
    sigset_t all, before;
    pthread_t thread;

    if (w->has_thread)
        return true;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    w->has_thread = pthread_create(&thread, NULL, run, w) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (w->has_thread)
        pthread_detach(thread);
    return w->has_thread;
}

/* ---- The loop */

static void tell_done(struct file_writer *w)
{
    static char none[1];
    struct job *job;

    for (;;) {
        pthread_mutex_lock(&w->mutex);
        job = jobs_take(&w->done);
        pthread_mutex_unlock(&w->mutex);
        if (job == NULL)
            return;
        w->calls.done(w->calls.context, job->path, job->good,
                      job->errors != NULL ? job->errors : none);
        job_free(job);
    }
}

static void on_async(uv_async_t *async)
{
    tell_done(async->data);
}

struct file_writer *file_writer_open(uv_loop_t *loop,
                                     const struct file_writer_calls *calls)
{
    struct file_writer *w = memory_new(sizeof *w);
    pthread_condattr_t monotonic;

    if (uv_async_init(loop, &w->async, on_async) != 0) {
        free(w);
        return NULL;
    }
    uv_unref((uv_handle_t *)&w->async);
    w->async.data = w;
    w->calls = *calls;
    jobs_init(&w->waiting);
    jobs_init(&w->done);
    pthread_mutex_init(&w->mutex, NULL);
    pthread_cond_init(&w->more, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&w->idle, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return w;
}

/* The queued job for this file, or a new one. */
static struct job *job_for(struct file_writer *w, const char *path)
{
    for (struct job *job = w->waiting.first; job != NULL; job = job->next)
        if (strcmp(job->path, path) == 0) {
            free(job->data);
            return job;
        }
    if (w->count == FILE_WRITER_WAITING)
        return NULL;
    struct job *job = memory_new(sizeof *job);
    job->path = memory_string(path);
    jobs_add(&w->waiting, job);
    w->count++;
    return job;
}

bool file_writer_put(struct file_writer *w, const char *path,
                     struct bytes content)
{
    pthread_mutex_lock(&w->mutex);
    struct job *job = start(w) ? job_for(w, path) : NULL;
    if (job != NULL) {
        job->data = memory_copy(content.data, content.size);
        job->size = content.size;
        pthread_cond_signal(&w->more);
    }
    pthread_mutex_unlock(&w->mutex);
    return job != NULL;
}

static struct timespec close_time(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += FILE_WRITER_CLOSE_MS * 1000000L;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

static void on_closed(uv_handle_t *handle)
{
    struct file_writer *w = handle->data;

    pthread_mutex_lock(&w->mutex);
    w->loop_left = true;
    bool last = !w->has_thread;
    pthread_mutex_unlock(&w->mutex);
    if (last)
        file_writer_free(w);
}

void file_writer_close(struct file_writer **self)
{
    struct file_writer *w = *self;
    struct timespec until = close_time();
    int result = 0;

    if (w == NULL)
        return;
    *self = NULL;
    pthread_mutex_lock(&w->mutex);
    w->closing = true;
    pthread_cond_signal(&w->more);
    while (w->has_thread && result == 0)
        result = pthread_cond_timedwait(&w->idle, &w->mutex, &until);
    pthread_mutex_unlock(&w->mutex);
    tell_done(w);
    uv_close((uv_handle_t *)&w->async, on_closed);
}
