/*
 * processor - what the processor can do.
 */
#ifndef COMMON_IO_PROCESSOR_H
#define COMMON_IO_PROCESSOR_H

#include <stdbool.h>

/* It has AVX-512F, and does not slow down much while it uses it: the first ones
 * that had it did. */
bool processor_is_wide(void);

#endif
