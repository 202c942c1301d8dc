/*
 * mistakes - what is wrong with a configuration file, gathered and then told
 * in the order of the file.
 */
#ifndef COMMON_CONF_MISTAKES_H
#define COMMON_CONF_MISTAKES_H

#include "common/base/assert.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { MISTAKES_MAX = 100, MISTAKES_VALUE_SIZE = 100 };

/* Both from 1. */
struct place {
    size_t line;
    size_t column;
};

struct mistake {
    struct place place;
    char *text;
};

/* A zeroed one is empty and ready. Beyond MISTAKES_MAX they are only counted;
 * what reads the file may then stop. */
struct mistakes {
    struct mistake items[MISTAKES_MAX];
    size_t count;
};

void mistakes_add(struct mistakes *m, struct place place, const char *text, ...)
    __attribute__((format(printf, 3, 4)));
bool mistakes_full(const struct mistakes *m);
/* A line each: "NAME:LINE:COLUMN: text". */
void mistakes_print(struct mistakes *m, const char *name, FILE *out);
void mistakes_close(struct mistakes *m);

/* A value of the file's as it may stand in a message and on a terminal: cut,
 * and what cannot be printed as \xNN. */
const char *mistakes_value(const char *value, char room[MISTAKES_VALUE_SIZE]);

#endif
