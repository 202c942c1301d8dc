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
struct keeper {
    struct keeper_calls calls;
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

static void keeper_free(struct keeper *k)
{
    struct job *job;

    while ((job = jobs_take(&k->waiting)) != NULL ||
           (job = jobs_take(&k->done)) != NULL)
        job_free(job);
    pthread_mutex_destroy(&k->mutex);
    pthread_cond_destroy(&k->more);
    pthread_cond_destroy(&k->idle);
    free(k);
}

/* ---- The thread */

static void work(const struct keeper *k, struct job *job)
{
    size_t size;
    struct reserve *reserve = reserve_new(RESERVE_OF_CALL);
    struct reserve *before = memory_use(reserve);
    FILE *errors = NULL;

    if (reserve != NULL)
        errors = open_memstream(&job->errors, &size);
    if (errors != NULL) {
        job->good =
            k->calls.write(job->path, bytes_of(job->data, job->size), errors);
        fclose(errors);
    }
    memory_use(before);
    reserve_free(&reserve);
}

static void work_one(struct keeper *k)
{
    struct job *job = jobs_take(&k->waiting);

    ASSERT(job != NULL);
    k->count--;
    k->working = true;
    pthread_mutex_unlock(&k->mutex);
    work(k, job);
    pthread_mutex_lock(&k->mutex);
    k->working = false;
    jobs_add(&k->done, job);
    if (!k->closing)
        uv_async_send(&k->async);
}

static void *run(void *context)
{
    struct keeper *k = context;

    pthread_mutex_lock(&k->mutex);
    while (!k->closing || (k->waiting.first != NULL && !k->loop_left)) {
        if (k->waiting.first != NULL) {
            work_one(k);
            continue;
        }
        pthread_cond_wait(&k->more, &k->mutex);
    }
    pthread_cond_signal(&k->idle);
    k->has_thread = false;
    bool last = k->loop_left;
    pthread_mutex_unlock(&k->mutex);
    if (last)
        keeper_free(k);
    return NULL;
}

static bool start(struct keeper *k)
{
    sigset_t all, before;
    pthread_t thread;

    if (k->has_thread)
        return true;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    k->has_thread = pthread_create(&thread, NULL, run, k) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (k->has_thread)
        pthread_detach(thread);
    return k->has_thread;
}

/* ---- The loop */

static void tell_done(struct keeper *k)
{
    static char none[1];
    struct job *job;

    for (;;) {
        pthread_mutex_lock(&k->mutex);
        job = jobs_take(&k->done);
        pthread_mutex_unlock(&k->mutex);
        if (job == NULL)
            return;
        k->calls.done(k->calls.context, job->path, job->good,
                      job->errors != NULL ? job->errors : none);
        job_free(job);
    }
}

static void on_async(uv_async_t *async)
{
    tell_done(async->data);
}

struct keeper *keeper_open(uv_loop_t *loop, const struct keeper_calls *calls)
{
    struct keeper *k = memory_new(sizeof *k);
    pthread_condattr_t monotonic;

    if (uv_async_init(loop, &k->async, on_async) != 0) {
        free(k);
        return NULL;
    }
    uv_unref((uv_handle_t *)&k->async);
    k->async.data = k;
    k->calls = *calls;
    jobs_init(&k->waiting);
    jobs_init(&k->done);
    pthread_mutex_init(&k->mutex, NULL);
    pthread_cond_init(&k->more, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&k->idle, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return k;
}

/* The queued job for this file, or a new one. */
static struct job *job_for(struct keeper *k, const char *path)
{
    for (struct job *job = k->waiting.first; job != NULL; job = job->next)
        if (strcmp(job->path, path) == 0) {
            free(job->data);
            return job;
        }
    if (k->count == KEEPER_WAITING)
        return NULL;
    struct job *job = memory_new(sizeof *job);
    job->path = memory_string(path);
    jobs_add(&k->waiting, job);
    k->count++;
    return job;
}

bool keeper_put(struct keeper *k, const char *path, struct bytes content)
{
    pthread_mutex_lock(&k->mutex);
    struct job *job = start(k) ? job_for(k, path) : NULL;
    if (job != NULL) {
        job->data = memory_copy(content.data, content.size);
        job->size = content.size;
        pthread_cond_signal(&k->more);
    }
    pthread_mutex_unlock(&k->mutex);
    return job != NULL;
}

static struct timespec close_time(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += KEEPER_CLOSE_MS * 1000000L;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

static void on_closed(uv_handle_t *handle)
{
    struct keeper *k = handle->data;

    pthread_mutex_lock(&k->mutex);
    k->loop_left = true;
    bool last = !k->has_thread;
    pthread_mutex_unlock(&k->mutex);
    if (last)
        keeper_free(k);
}

void keeper_close(struct keeper **self)
{
    struct keeper *k = *self;
    struct timespec until = close_time();
    int result = 0;

    if (k == NULL)
        return;
    *self = NULL;
    pthread_mutex_lock(&k->mutex);
    k->closing = true;
    pthread_cond_signal(&k->more);
    while (k->has_thread && result == 0)
        result = pthread_cond_timedwait(&k->idle, &k->mutex, &until);
    pthread_mutex_unlock(&k->mutex);
    tell_done(k);
    uv_close((uv_handle_t *)&k->async, on_closed);
}
