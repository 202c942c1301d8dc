#include "edge/lib/lib_node.h"

#include "edge/lib/forks.h"

#include "common/io/clock.h"

#include <poll.h>
#include <signal.h>
#include <time.h>

enum { ROUNDS = 64 }; /* of the loop in one call of zs_node_process */

/* ---- On whose thread are we? */

/* The node whose loop runs on this thread now. */
static _Thread_local const struct zs_node *running;

struct node_entered node_enter(const struct zs_node *n)
{
    struct node_entered e = {running, log_divert(&n->sink),
                             memory_use(n->reserve)};

    running = n;
    return e;
}

void node_leave(struct node_entered e)
{
    running = e.before;
    log_divert(e.sink);
    memory_use(e.reserve);
}

bool node_is_parents(const struct zs_node *n)
{
    return n->forks != forks_now();
}

bool node_runs_here(const struct zs_node *n)
{
    return running == n;
}

/* Each thread has its own; its address names the thread. */
static _Thread_local char here;

bool node_is_mine(const struct zs_node *n)
{
    return atomic_load_explicit(&n->owner, memory_order_relaxed) == &here;
}

/* ---- A thread of its own */

static void *run_thread(void *context)
{
    struct zs_node *n = context;
    struct node_entered entered = node_enter(n);

    n->owner = &here;
    uv_run(&n->loop, UV_RUN_DEFAULT);
    node_leave(entered);
    pthread_mutex_lock(&n->mutex);
    n->ended = true;
    bool orphan = n->orphan;
    pthread_cond_signal(&n->finished);
    pthread_mutex_unlock(&n->mutex);
    if (orphan)
        node_destroy(n);
    return NULL;
}

/* Signals go to the program's own threads. */
static bool start_thread(struct zs_node *n, pthread_t *thread)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int result = pthread_create(thread, NULL, run_thread, n);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result == 0;
}

enum zs_error zs_node_start(struct zs_node *node)
{
    if (node == NULL)
        return ZS_BAD_REQUEST;
    if (node_is_parents(node))
        return ZS_CLOSED;
    if (node->threaded || node->processed)
        return ZS_BAD_REQUEST;
    pthread_mutex_lock(&node->mutex);
    bool started = node->threaded = start_thread(node, &node->thread);
    pthread_mutex_unlock(&node->mutex);
    return started ? ZS_OK : ZS_SYSTEM;
}

/* ---- Or the program's loop */

int zs_node_fd(const struct zs_node *node)
{
    return node != NULL && !node_is_parents(node) ? uv_backend_fd(&node->loop)
                                                  : -1;
}

static bool is_busy(const struct zs_node *n)
{
    return n->stage != STAGE_STOPPED && edge_busy(n->edge);
}

int zs_node_timeout(struct zs_node *node)
{
    if (node == NULL || node_is_parents(node) || node->threaded)
        return -1;
    if (!node->processed || is_busy(node))
        return 0;
    uv_update_time(&node->loop);
    return uv_backend_timeout(&node->loop);
}

/* libuv registers new descriptors in its next round, and the edge may have more
 * to do, so one round is not enough. False: the loop has ended. */
static bool run_rounds(struct zs_node *n)
{
    struct node_entered entered = node_enter(n);
    bool alive = true;

    for (int i = 0; i < ROUNDS && alive; i++) {
        alive = uv_run(&n->loop, UV_RUN_NOWAIT) != 0;
        if (!is_busy(n) && n->processed)
            break;
        n->processed = true;
    }
    node_leave(entered);
    return alive;
}

enum zs_error zs_node_process(struct zs_node *node)
{
    if (node == NULL)
        return ZS_BAD_REQUEST;
    if (node_is_parents(node))
        return ZS_CLOSED;
    if (node->threaded || node_runs_here(node))
        return ZS_BAD_REQUEST;
    if (!node_is_mine(node))
        node->owner = &here;
    if (!node->ended)
        node->ended = !run_rounds(node);
    return node->ended ? ZS_CLOSED : ZS_OK;
}

/* ---- Closing */

/* True: the thread has ended. Else it ends by itself later: the name resolver
 * may delay it. */
static bool await_thread(struct zs_node *n)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += CLOSE_MS / 1000;
    pthread_mutex_lock(&n->mutex);
    while (!n->ended &&
           pthread_cond_timedwait(&n->finished, &n->mutex, &until) == 0)
        ;
    n->orphan = !n->ended;
    bool orphan = n->orphan;
    pthread_t thread = n->thread;
    pthread_mutex_unlock(&n->mutex);
    if (orphan)
        pthread_detach(thread);
    else
        pthread_join(thread, NULL);
    return !orphan;
}

/* Runs the loop to its end on the caller's thread. */
static bool run_to_end(struct zs_node *n)
{
    struct instant until = instant_after(clock_now(), span_ms(CLOSE_MS));
    struct instant now;

    while (zs_node_process(n) != ZS_CLOSED) {
        now = clock_now();
        if (instant_reached(until, now))
            break;
        int left = (int)(instant_between(now, until).us / 1000) + 1;
        int timeout = zs_node_timeout(n);
        struct pollfd fd = {.fd = zs_node_fd(n), .events = POLLIN};
        (void)poll(&fd, 1, timeout < 0 || timeout > left ? left : timeout);
    }
    return n->ended;
}

/* A thread waits for the name resolver, which cannot be stopped. Without a
 * thread the node's memory is lost. */
static void leave_behind(struct zs_node *n)
{
    pthread_t thread;

    n->orphan = true;
    if (start_thread(n, &thread))
        pthread_detach(thread);
}

enum zs_error zs_node_close(struct zs_node **self)
{
    struct zs_node *n = self != NULL ? *self : NULL;

    if (n == NULL)
        return ZS_OK;
    if (node_is_parents(n)) {
        *self = NULL; /* Its memory is a copy of what the parent uses. */
        return ZS_CLOSED;
    }
    if (node_runs_here(n))
        return ZS_BAD_REQUEST;
    *self = NULL;
    zs_node_stop(n);
    if (n->threaded) {
        if (await_thread(n))
            node_destroy(n);
    } else if (run_to_end(n)) {
        node_destroy(n);
    } else {
        leave_behind(n);
    }
    return ZS_OK;
}
