/*
 * clock - reads the system's clocks; for the shells only, never for a pure
 * module.
 */
#ifndef COMMON_IO_CLOCK_H
#define COMMON_IO_CLOCK_H

#include "common/base/instant.h"

/* Monotonic, and goes on while the machine is suspended (CLOCK_BOOTTIME). */
struct instant clock_now(void);
/* The wall clock, since 1970. */
uint64_t clock_unix_seconds(void);
uint64_t clock_unix_us(void);

#endif
