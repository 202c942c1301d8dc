/*
 * units - reads and prints durations, sizes and numbers as configuration files
 * and options write them.
 */
#ifndef COMMON_CONF_UNITS_H
#define COMMON_CONF_UNITS_H

#include "common/base/assert.h"
#include "common/base/instant.h"

#include <stdbool.h>
#include <stdint.h>

enum { UNITS_TEXT_SIZE = 32 };

/*
 * Reads "250ms" "1s" "1.5s" "5m" "1h" "90d" "100us"; "0" needs no unit.
 * Durations are not negative and at most 100 years. False for any other text.
 */
bool units_duration(const char *text, struct span *value) MUST_USE;
/* Reads "1500" (bytes) "64KiB" "4MiB" "1GiB" "1TiB", and "64kB" "4MB" "1GB" in
 * powers of 1,000. False for any other text, or if the value does not fit. */
bool units_size(const char *text, uint64_t *value) MUST_USE;
/* Reads decimal digits, with or without a minus. False for any other text. */
bool units_integer(const char *text, int64_t *value) MUST_USE;

/* Writes the shortest exact text, in the largest unit that divides the value;
 * returns `text`. */
const char *units_print_duration(struct span value, char text[UNITS_TEXT_SIZE]);
const char *units_print_size(uint64_t value, char text[UNITS_TEXT_SIZE]);

#endif
