/*
 * units - durations, sizes and numbers as people write them, and back.
 *
 * Used for the configuration files and for the options of the programs.
 */
#ifndef COMMON_CONF_UNITS_H
#define COMMON_CONF_UNITS_H

#include "common/base/assert.h"
#include "common/base/instant.h"

#include <stdbool.h>
#include <stdint.h>

enum { UNITS_TEXT_SIZE = 32 };

/*
 * "250ms" "1s" "1.5s" "5m" "1h" "90d" "100us"; "0" needs no unit. Never
 * negative, at most 100 years. False if it is anything else.
 */
bool units_duration(const char *text, struct span *value) MUST_USE;
/* "1500" (bytes) "64KiB" "4MiB" "1GiB" "1TiB", also "64kB" "4MB" "1GB" in
 * thousands. False if it is anything else or does not fit. */
bool units_size(const char *text, uint64_t *value) MUST_USE;
/* Decimal digits with an optional minus. False if it is anything else. */
bool units_integer(const char *text, int64_t *value) MUST_USE;

/* The shortest exact text, in the largest unit that divides the value. */
const char *units_print_duration(struct span value, char text[UNITS_TEXT_SIZE]);
const char *units_print_size(uint64_t value, char text[UNITS_TEXT_SIZE]);

#endif
