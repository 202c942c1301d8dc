/*
 * mistakes - collects what is wrong with a configuration file, and prints it in
 * the order of the file.
 */
#ifndef COMMON_CONF_MISTAKES_H
#define COMMON_CONF_MISTAKES_H

#include "common/base/assert.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { MISTAKES_MAX = 100, MISTAKES_VALUE_SIZE = 100 };

/* Line and column, both counted from 1; line 0: no place. */
struct place {
    size_t line;
    size_t column;
};

struct mistake {
    struct place place;
    char *text;
};

/* A zeroed struct is empty and ready. Mistakes beyond MISTAKES_MAX are dropped:
 * once mistakes_full is true, reading may stop. */
struct mistakes {
    struct mistake items[MISTAKES_MAX];
    size_t count;
};

void mistakes_add(struct mistakes *m, struct place place, const char *text, ...)
    __attribute__((format(printf, 3, 4)));
/* True once there are MISTAKES_MAX: reading on is of no use. */
bool mistakes_full(const struct mistakes *m);
/* Prints each as a line "NAME:LINE:COLUMN: text". */
void mistakes_print(struct mistakes *m, const char *name, FILE *out);
void mistakes_close(struct mistakes *m);

/* Makes a value of the file fit for messages and terminals: shortens it and
 * writes bytes that cannot be printed as \xNN. Returns a pointer into `buffer`.
 */
const char *mistakes_value(const char *value, char buffer[MISTAKES_VALUE_SIZE]);

#endif
