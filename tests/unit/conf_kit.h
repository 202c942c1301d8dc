/* conf_kit - for tests of the configuration: reads a text, and compares the
 * mistakes that the reader reports. */
#ifndef TESTS_UNIT_CONF_KIT_H
#define TESTS_UNIT_CONF_KIT_H

#include "common/conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Reads the text as a file named "f". Sets *said to the reported mistakes,
 * which the caller frees. */
static inline bool kit_read(const struct conf_table *table, const char *text,
                            size_t size, void *conf, char **said)
{
    size_t said_size;
    FILE *errors = open_memstream(said, &said_size);
    assert_non_null(errors);
    bool good = conf_read(table, text, size, "f", NULL, conf, errors);
    fclose(errors);
    return good;
}

/* Expects the reader to refuse the text with exactly these lines. */
static inline void kit_refused(const struct conf_table *table, void *conf,
                               const char *text, const char *lines)
{
    char *said;
    if (kit_read(table, text, strlen(text), conf, &said))
        fail_msg("was taken:\n%s", text);
    if (strcmp(said, lines) != 0)
        fail_msg("of\n%s\nwas said\n%swhere was expected\n%s", text, said,
                 lines);
    free(said);
}

static inline void kit_taken(const struct conf_table *table, void *conf,
                             const char *text)
{
    char *said;
    if (!kit_read(table, text, strlen(text), conf, &said))
        fail_msg("of\n%s\nwas said\n%s", text, said);
    assert_string_equal(said, "");
    free(said);
}

static inline char *kit_printed(const struct conf_table *table,
                                const void *conf, bool help)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    conf_print(table, conf, help, out);
    fclose(out);
    return text;
}

static inline void kit_count(void *context, const char *key, bool live)
{
    (void)key;
    (void)live;
    ++*(size_t *)context;
}

/* Counts the keys whose values differ. */
static inline size_t kit_differ(const struct conf_table *table, const void *a,
                                const void *b)
{
    size_t count = 0;
    conf_diff(table, a, b, kit_count, &count);
    return count;
}

#endif
