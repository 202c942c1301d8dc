#include "edge/lib/forks.h"

#include <pthread.h>
#include <stdatomic.h>

static atomic_uint forks;

static void in_child(void)
{
    atomic_fetch_add_explicit(&forks, 1, memory_order_relaxed);
}

static void watch(void)
{
    pthread_atfork(NULL, NULL, in_child);
}

unsigned forks_now(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, watch);
    return atomic_load_explicit(&forks, memory_order_relaxed);
}
