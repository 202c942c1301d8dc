#include "common/conf/units.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit {
    const char *name;
    uint64_t factor;
};

/* Ascending; the value counts the first one. */
static const struct unit durations[] = {
    {"us", 1},       {"ms", 1000},       {"s", 1000000},
    {"m", 60000000}, {"h", 3600000000u}, {"d", 86400000000u},
};

static const struct unit sizes[] = {
    {"", 1},
    {"KiB", UINT64_C(1) << 10},
    {"MiB", UINT64_C(1) << 20},
    {"GiB", UINT64_C(1) << 30},
    {"TiB", UINT64_C(1) << 40},
};

/* These are read but never printed. */
static const struct unit other_sizes[] = {
    {"B", 1},        {"kB", 1000},        {"KB", 1000},
    {"MB", 1000000}, {"GB", 1000000000u}, {"TB", 1000000000000u},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const uint64_t longest_us = UINT64_C(36500) * 86400000000u;

static const struct unit *find_unit(const struct unit *units, size_t count,
                                    const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(units[i].name, name) == 0)
            return &units[i];
    return NULL;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads the digits at *text and moves *text behind them; false if there are
 * none, or too many. */
static bool take_digits(const char **text, uint64_t *value)
{
    const char *at = *text;
    *value = 0;
    for (; is_digit(*at); at++)
        if (__builtin_mul_overflow(*value, 10u, value) ||
            __builtin_add_overflow(*value, (uint64_t)(*at - '0'), value))
            return false;
    bool any = at != *text;
    *text = at;
    return any;
}

/* Reads a fraction (".25") at *text and multiplies it by the unit; false unless
 * the result is a whole number. */
static bool take_fraction(const char **text, const struct unit *unit,
                          uint64_t *value)
{
    uint64_t place = unit->factor;
    *value = 0;
    for (; is_digit(**text); ++*text) {
        if (place % 10 != 0)
            return false;
        place /= 10;
        *value += place * (uint64_t)(**text - '0');
    }
    return true;
}

bool units_duration(const char *text, struct span *value)
{
    uint64_t whole, us, part = 0;
    if (strcmp(text, "0") == 0) {
        *value = span_us(0);
        return true;
    }
    if (!take_digits(&text, &whole))
        return false;
    const char *fraction = *text == '.' ? text + 1 : NULL;
    const char *name =
        fraction ? fraction + strspn(fraction, "0123456789") : text;
    const struct unit *unit = find_unit(durations, COUNT(durations), name);
    if (unit == NULL || fraction == name)
        return false;
    if (fraction != NULL && !take_fraction(&fraction, unit, &part))
        return false;
    if (__builtin_mul_overflow(whole, unit->factor, &us) ||
        __builtin_add_overflow(us, part, &us) || us > longest_us)
        return false;
    *value = span_us((int64_t)us);
    return true;
}

bool units_size(const char *text, uint64_t *value)
{
    uint64_t whole;
    if (!take_digits(&text, &whole))
        return false;
    const struct unit *unit = find_unit(sizes, COUNT(sizes), text);
    if (unit == NULL)
        unit = find_unit(other_sizes, COUNT(other_sizes), text);
    return unit != NULL && !__builtin_mul_overflow(whole, unit->factor, value);
}

bool units_integer(const char *text, int64_t *value)
{
    bool negative = *text == '-';
    const char *at = text + negative;
    if (!is_digit(*at) || strlen(at) > 20)
        return false;
    char *end;
    errno = 0;
    *value = strtoll(text, &end, 10);
    return errno == 0 && *end == '\0';
}

static const char *print(const struct unit *units, size_t count, uint64_t value,
                         char text[UNITS_TEXT_SIZE])
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        if (value != 0 && value % units[i].factor == 0)
            best = i;
    snprintf(text, UNITS_TEXT_SIZE, "%" PRIu64 "%s", value / units[best].factor,
             units[best].name);
    return text;
}

const char *units_print_duration(struct span value, char text[UNITS_TEXT_SIZE])
{
    ASSERT(value.us >= 0);
    if (value.us == 0)
        return strcpy(text, "0s");
    return print(durations, COUNT(durations), (uint64_t)value.us, text);
}

const char *units_print_size(uint64_t value, char text[UNITS_TEXT_SIZE])
{
    return print(sizes, COUNT(sizes), value, text);
}
