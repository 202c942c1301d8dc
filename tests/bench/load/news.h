/*
 * news - the main thread of a load generator waits here for what a library's
 * own thread tells.
 *
 *     static struct load_news news = LOAD_NEWS;
 *     a callback: load_news_tell(&news);
 *     link_poll: load_news_wait(&news, timeout_ms);
 */
#ifndef TESTS_BENCH_LOAD_NEWS_H
#define TESTS_BENCH_LOAD_NEWS_H

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

struct load_news {
    pthread_mutex_t mutex;
    pthread_cond_t told;
    bool is_there;
};

#define LOAD_NEWS                                                              \
    {                                                                          \
        PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false             \
    }

static inline void load_news_tell(struct load_news *n)
{
    pthread_mutex_lock(&n->mutex);
    n->is_there = true;
    pthread_cond_signal(&n->told);
    pthread_mutex_unlock(&n->mutex);
}

/* Returns once something was told since the last call, or after `timeout_ms`
 * milliseconds; at once if that is 0. */
static inline void load_news_wait(struct load_news *n, int timeout_ms)
{
    struct timespec until;

    if (timeout_ms == 0)
        return;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&n->mutex);
    while (!n->is_there &&
           pthread_cond_timedwait(&n->told, &n->mutex, &until) == 0)
        continue;
    n->is_there = false;
    pthread_mutex_unlock(&n->mutex);
}

#endif
