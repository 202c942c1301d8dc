#include "edge/lib/lib_node.h"

/*
 * Count and bytes of the queue are one number, so that one atomic addition
 * takes room for a message: the count in the upper bits, the bytes in the
 * lower.
 */
enum { BYTES_BITS = 40 };
#define ONE_OP (UINT64_C(1) << BYTES_BITS)

static uint64_t ops_of(uint64_t taken)
{
    return taken >> BYTES_BITS;
}

static uint64_t bytes_in(uint64_t taken)
{
    return taken & (ONE_OP - 1);
}

/* An empty queue takes a message of any size. */
static bool try_take(struct zs_node *n, size_t size)
{
    uint64_t taken = atomic_load(&n->taken);

    do {
        if (ops_of(taken) > 0 && (ops_of(taken) >= QUEUE_OPS ||
                                  bytes_in(taken) + size > QUEUE_BYTES))
            return false;
    } while (!atomic_compare_exchange_weak(&n->taken, &taken,
                                           taken + ONE_OP + size));
    return true;
}

/* With the mutex held. A thread that gives room back after `crowded` was set
 * wakes the waiting threads; room that was given back before is found by the
 * second try. */
static enum zs_error await_room(struct zs_node *n, size_t size)
{
    bool may_wait = n->options->wait && n->threaded && !node_is_mine(n);

    while (!n->stopping) {
        n->crowded = true;
        if (try_take(n, size))
            return ZS_OK;
        if (!may_wait) {
            n->refused = true;
            return ZS_BUSY;
        }
        pthread_cond_wait(&n->room, &n->mutex);
    }
    return node_ending(n);
}

enum zs_error queue_quota_take(struct zs_node *n, size_t size)
{
    if (n->stopping)
        return node_ending(n);
    if (try_take(n, size))
        return ZS_OK;
    pthread_mutex_lock(&n->mutex);
    enum zs_error error = await_room(n, size);
    pthread_mutex_unlock(&n->mutex);
    return error;
}

bool queue_quota_give_back(struct zs_node *n, size_t size)
{
    uint64_t left = atomic_fetch_sub(&n->taken, ONE_OP + size) - ONE_OP - size;

    if (!n->crowded || ops_of(left) > QUEUE_OPS / 2 ||
        bytes_in(left) > QUEUE_BYTES / 2)
        return false;
    pthread_mutex_lock(&n->mutex);
    bool tell = n->refused && !n->stopping;
    n->crowded = false;
    n->refused = false;
    pthread_cond_broadcast(&n->room);
    pthread_mutex_unlock(&n->mutex);
    return tell;
}
