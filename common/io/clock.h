/*
 * clock - the time, for the shells only.
 */
#ifndef COMMON_IO_CLOCK_H
#define COMMON_IO_CLOCK_H

#include "common/base/instant.h"

/* Monotonic; goes on while the machine is suspended (CLOCK_BOOTTIME). */
struct instant clock_now(void);
/* Wall-clock time since 1970. */
uint64_t clock_unix_seconds(void);
uint64_t clock_unix_us(void);

#endif
