/*
 * conf - YAML configuration files, read and written by one table of keys.
 *
 * A program describes its file by a table: a row for each key, with its path
 * ("limits.window"), its kind, where its value lies in the program's struct,
 * its default as text and a line of help. Keys stand at the top or in one
 * level of sections. Everything follows from the table:
 * the defaults, reading with all mistakes of a file in one run, printing,
 * comparing for a reload, freeing. See edge_conf.c for a table.
 *
 * The struct is the program's own; all that its char * and lists point to is
 * malloc'd and belongs to the struct. No pointer in it is ever NULL between
 * conf_defaults (or a successful conf_load) and conf_free.
 */
#ifndef COMMON_CONF_CONF_H
#define COMMON_CONF_CONF_H

#include "common/base/assert.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum conf_kind {              /* in the struct: */
                 CONF_STRING, /* char * */
                 CONF_PATH,   /* char *; relative ones get the file's folder in
                                 front */
                 CONF_CHOICE, /* char *, one of `choices` */
                 CONF_BOOL,   /* bool */
                 CONF_COUNT,  /* size_t */
                 CONF_PORT,   /* uint16_t */
                 CONF_SIZE,   /* size_t, bytes: 4MiB */
                 CONF_DURATION, /* struct span: 250ms */
                 CONF_LIST,     /* struct conf_list of strings */
                 CONF_PATHS, /* struct conf_list of paths, resolved as CONF_PATH
                              */
                 CONF_MAPPING, /* char *: any YAML mapping, as compact JSON text
                                */
};

struct conf_list {
    char **items;
    size_t count;
};

/* NULL if the value is right, else the end of the sentence "`key` ...". */
typedef const char *conf_check(const char *value);

struct conf_key {
    const char *path; /* "limits.window", or "monitor"; groups side by side */
    enum conf_kind kind;
    size_t offset;
    const char *fallback; /* 4MiB, info; a list or mapping as YAML: [all] */
    const char *help;     /* one line */
    bool live;            /* a reload applies it; else it needs a restart */
    const char *sample;   /* not NULL: a file may not leave it out or empty,
                             and conf_print writes this for an empty one */
    uint64_t min, max;    /* COUNT, PORT, SIZE; DURATION in microseconds;
                             LIST, PATHS: the number of items. max 0: the
                             kind's own limit */
    const char *const *choices; /* CHOICE: ends with NULL */
    conf_check *check;          /* STRING, PATH; LIST, PATHS: of each item */
};

/* What no single key can tell. */
struct conf_rule {
    const char *keys[3]; /* told at the first; skipped if one of them is wrong
                            by itself; fewer than 3 end with NULL */
    /* NULL if all is right, else the end of the sentence "`key` ...". */
    const char *(*check)(const void *conf);
};

enum { CONF_KEYS_MAX = 64 };

struct conf_table {
    const char *title; /* lines that a printed file begins with */
    const struct conf_key *keys;
    size_t count; /* <= CONF_KEYS_MAX */
    size_t size;  /* of the struct */
    const struct conf_rule *rules;
    size_t rule_count;
};

/* The defaults. Anything in `conf` before is overwritten, not freed. */
void conf_defaults(const struct conf_table *table, void *conf);
void conf_free(const struct conf_table *table, void *conf);

/*
 * Reads a file over the defaults. False if it has any mistake: then each is a
 * line on `errors`, "FILE:LINE:COLUMN: what is wrong" (without a place if the
 * file cannot be read), and `conf` holds nothing that must be freed, though it
 * may be. Relative paths become absolute, as seen from the file's folder.
 */
bool conf_load(const struct conf_table *table, const char *path, void *conf,
               FILE *errors) MUST_USE;

/* The same of a text that is called `name` in the mistakes. `folder` goes in
 * front of relative paths; NULL: they stay as they are. */
bool conf_read(const struct conf_table *table, const char *text, size_t size,
               const char *name, const char *folder, void *conf,
               FILE *errors) MUST_USE;

/*
 * Sets one key from an option's text, checked as in the file; a list gets one
 * item more. False with a line on `errors` ("--http: ...", with `option` as it
 * is to be named) if it is wrong; the value is then the old one.
 */
bool conf_set(const struct conf_table *table, void *conf, const char *key,
              const char *text, const char *option, FILE *errors) MUST_USE;

/* Writes a file that gives the same values when it is read, each key with its
 * line of help if told so. */
void conf_print(const struct conf_table *table, const void *conf, bool help,
                FILE *out);

/* Calls `changed` for each key that is not the same in both, in the table's
 * order; `live` is the table's word on whether a reload applies it. */
typedef void conf_changed(void *context, const char *key, bool live);
void conf_diff(const struct conf_table *table, const void *before,
               const void *after, conf_changed *changed, void *context);

#endif
