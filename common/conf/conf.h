/*
 * conf - reads and writes YAML configuration files by a table of keys.
 *
 * A program describes its file by a table with a row for each key: path
 * ("limits.window"), kind, offset of the value in the program's struct, default
 * as text, a line of help. Keys stand at the top level or in one level of
 * sections. The functions here do the rest by the table: defaults, reading
 * (which reports all mistakes of a file in one run), printing, comparing for a
 * reload, freeing. edge_conf.c has an example of a table.
 *
 * The program defines the struct. All memory that its char * and lists point to
 * is malloc'd and belongs to the struct. Between conf_defaults, or a successful
 * conf_load, and conf_free no char * in the struct is NULL.
 */
#ifndef COMMON_CONF_CONF_H
#define COMMON_CONF_CONF_H

#include "common/base/assert.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The kind of a key; behind each, the type of the struct's member. */
enum conf_kind {
    CONF_STRING,   /* char * */
    CONF_PATH,     /* char *, a relative path below the file's folder */
    CONF_CHOICE,   /* char *, one of `choices`: words, or true and false */
    CONF_BOOL,     /* bool */
    CONF_COUNT,    /* size_t */
    CONF_PORT,     /* uint16_t */
    CONF_SIZE,     /* size_t, bytes: 4MiB */
    CONF_DURATION, /* struct span: 250ms */
    CONF_LIST,     /* struct conf_list of strings */
    CONF_PATHS,    /* struct conf_list of paths, each like CONF_PATH */
    CONF_ENTRIES,  /* struct conf_entries, see `entry` */
    CONF_MAPPING,  /* char *, any YAML mapping as compact JSON text */
};

struct conf_list {
    char **items;
    size_t count;
};

/* A list of structs of a table of their own, see conf_entries.h. */
struct conf_entries {
    void *items;
    size_t count;
};

struct conf_table;

/* Checks a value. NULL if it is right, else the end of the sentence "`key`
 * ...", for example "must be longer than ...". */
typedef const char *conf_check(const char *value);

struct conf_key {
    /* "limits.window" or "monitor"; rows of one section stand together. */
    const char *path;
    enum conf_kind kind;
    size_t offset;
    /* The default: 4MiB, info; a list or mapping as YAML: [all]. */
    const char *fallback;
    const char *help; /* one line */
    bool live;        /* a reload applies a change; else a restart does */
    /* If not NULL, a file must give a value that is not empty, and conf_print
     * writes this text in place of an empty value. */
    const char *sample;
    /* COUNT, PORT, SIZE: limits of the value; DURATION: the same in
     * microseconds; LIST, PATHS, ENTRIES: limits of the number of items. max 0:
     * only the kind's own limit. */
    uint64_t min, max;
    /* CHOICE: the allowed words, then NULL. If the default is "", an empty
     * value is allowed, too. */
    const char *const *choices;
    const struct conf_table *entry; /* ENTRIES: the keys of an item */
    /* STRING, PATH: of the value; LIST, PATHS: of each item. */
    conf_check *check;
    /* STRING: a URL that may hold a password. Mistakes do not show the value,
     * and conf_print writes *** for the password. */
    bool secret;
};

/* A rule that involves several keys. */
struct conf_rule {
    /* The keys; a list of fewer than 3 ends with NULL. The mistake is reported
     * at the first one. If one of them has a mistake of its own, the rule is
     * not checked. */
    const char *keys[3];
    /* NULL if the rule holds, else the end of the sentence "`key` ...". */
    const char *(*check)(const void *conf);
};

enum { CONF_KEYS_MAX = 64 };

struct conf_table {
    const char *title; /* the comment lines at the start of a printed file */
    const struct conf_key *keys;
    size_t count; /* <= CONF_KEYS_MAX */
    size_t size;  /* of the struct, bytes */
    const struct conf_rule *rules;
    size_t rule_count;
};

/* Sets every key to its default. Old content of `conf` is overwritten, not
 * freed. */
void conf_defaults(const struct conf_table *table, void *conf);
/* Frees all values. Allowed for a zeroed struct, and twice. */
void conf_free(const struct conf_table *table, void *conf);

/*
 * Reads a file; keys that it leaves out get their defaults. If the file has
 * mistakes, returns false and prints each as a line "FILE:LINE:COLUMN: message"
 * to `errors` (without line and column if the file cannot be read); `conf` then
 * holds nothing to free, and conf_free is still allowed. Relative paths become
 * absolute, seen from the file's folder.
 */
bool conf_load(const struct conf_table *table, const char *path, void *conf,
               FILE *errors) MUST_USE;

/* The same for a text in memory, which mistakes call `name`. `folder` is put in
 * front of relative paths; NULL leaves them unchanged. */
bool conf_read(const struct conf_table *table, const char *text, size_t size,
               const char *name, const char *folder, void *conf,
               FILE *errors) MUST_USE;

/*
 * Sets one key from the text of a command line option, checked like a value in
 * a file; for a list, adds one item. If the text is wrong, returns false,
 * prints a line such as "--http: ..." to `errors` (`option` is the name for it)
 * and leaves the value unchanged.
 */
bool conf_set(const struct conf_table *table, void *conf, const char *key,
              const char *text, const char *option, FILE *errors) MUST_USE;

/* Writes a file that reads back to the same values; with `help`, each key gets
 * its line of help. */
void conf_print(const struct conf_table *table, const void *conf, bool help,
                FILE *out);

/* conf_diff calls `changed` for each key whose values differ, in the order of
 * the table; `live` is that of the key's row. */
typedef void conf_changed(void *context, const char *key, bool live);
void conf_diff(const struct conf_table *table, const void *before,
               const void *after, conf_changed *changed, void *context);

#endif
