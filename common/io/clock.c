#include "common/io/clock.h"

#include <time.h>

static int64_t microseconds(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

struct instant clock_now(void)
{
    return (struct instant){microseconds(CLOCK_BOOTTIME)};
}

uint64_t clock_unix_us(void)
{
    return (uint64_t)microseconds(CLOCK_REALTIME);
}

uint64_t clock_unix_seconds(void)
{
    return clock_unix_us() / 1000000;
}
