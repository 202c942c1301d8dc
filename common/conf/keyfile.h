/*
 * keyfile - the small text files that hold keys, certificates and lists.
 *
 *     # A comment.
 *     kind: identity
 *     key: 8f0c...
 *     relays:
 *       - tcp://203.0.113.10:443?key=31e0...
 *
 * The files are YAML, but this module reads only a part of YAML: one `key:
 * value` a line, lists of `- item`, comments, values with or without quotes. It
 * does not use libyaml, because all memory that held a secret must be wiped.
 *
 *     struct keyfile k;
 *     if (!keyfile_open(&k, path, "identity", KEYFILE_SECRET, stderr))
 *         return false;
 *     keyfile_hex(&k, "key", key, sizeof(key));
 *     return keyfile_close(&k, stderr);
 *
 * The last line of a file with `version: 2` is a checksum over all bytes before
 * that line, so a damaged file is noticed. Version 1 needs no checksum, and is
 * still read; if it has one, the checksum must be right.
 *
 * All mistakes of a file are reported together, as "FILE:LINE:COLUMN: message".
 * A message never contains a value of the file.
 */
#ifndef COMMON_CONF_KEYFILE_H
#define COMMON_CONF_KEYFILE_H

#include "common/base/bytes.h"
#include "common/conf/mistakes.h"

#include <stdio.h>

enum {
    KEYFILE_SIZE = 4 * 1024 * 1024,
    KEYFILE_LINES = 32768, /* without empty lines and comments */
};

enum keyfile_secrecy {
    KEYFILE_PUBLIC,
    KEYFILE_SECRET, /* refused if other users may read it */
    /* The same, but if root owns the file, its group may read it: so other
     * programs share keys of TLS. */
    KEYFILE_OF_GROUP,
};

struct keyfile_line {
    const char *key;    /* NULL: an item of the list above it */
    const char *value;  /* "" if a list follows */
    struct place place; /* of the value */
    bool used;
};

struct keyfile {
    const char *path; /* borrowed */
    char *text;       /* the file's content, cut into strings */
    size_t size;
    bool sum_fits; /* the file ends with its right checksum */
    struct keyfile_line *lines;
    size_t count;
    struct mistakes mistakes;
};

/* Reads the file. False, with lines on `errors`, if it cannot be read, if it is
 * secret and other users may read it, or if its `kind` is another one (NULL
 * accepts any); keyfile_close must then not be called. */
bool keyfile_open(struct keyfile *k, const char *path, const char *kind,
                  enum keyfile_secrecy secrecy, FILE *errors) MUST_USE;
/* Reports the mistakes, and the lines that no call asked for, on `errors`;
 * wipes and frees the content. True if there was nothing to report. */
bool keyfile_close(struct keyfile *k, FILE *errors) MUST_USE;

/* Reads only the file's `kind`, shortened to fit. Reports mistakes like
 * keyfile_open. */
bool keyfile_kind(const char *path, char kind[static 16],
                  FILE *errors) MUST_USE;

/* Adds a mistake at the value of a key, or at the start of the file if the key
 * is missing. */
void keyfile_wrong(struct keyfile *k, const char *key, const char *text, ...)
    __attribute__((format(printf, 3, 4)));

/* True if the file has the key, with or without a value. */
bool keyfile_has(const struct keyfile *k, const char *key);
/* The value of a key. If it is missing or empty, adds a mistake and returns
 * NULL. */
const char *keyfile_text(struct keyfile *k, const char *key);
/* Reads exactly `size` bytes in hexadecimal digits. Else adds a mistake, writes
 * zeros and returns false. */
bool keyfile_hex(struct keyfile *k, const char *key, uint8_t *to, size_t size);
/* Reads at most `size` bytes in base64; returns how many, 0 after a mistake. */
size_t keyfile_base64(struct keyfile *k, const char *key, uint8_t *to,
                      size_t size);
/* Walks a list, which may be missing or empty (`key: []` is empty too): the
 * caller sets *cursor = 0 before the first call; NULL marks the end. */
struct keyfile_line *keyfile_item(struct keyfile *k, const char *key,
                                  size_t *cursor);

/* The content of a file to write. A zeroed keytext is empty; keytext_close
 * wipes it. */
struct keytext {
    char *data;
    size_t size;
    size_t capacity;
};

void keytext_add(struct keytext *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void keytext_hex(struct keytext *t, const char *key, const uint8_t *bytes,
                 size_t size);
void keytext_base64(struct keytext *t, const char *key, struct bytes bytes);
/* Ends a text of version 2 with the line `checksum`, over everything before it.
 */
void keytext_sum(struct keytext *t);
void keytext_close(struct keytext *t);

enum keyfile_writing {
    KEYFILE_NEW, /* false if the file exists */
    KEYFILE_REPLACE,
};

/* Writes the file with mode 0600 or 0644: completely or not at all, and synced
 * to the disk. False with a line on `errors`. Several processes may replace one
 * file at the same time: each succeeds, and the last one wins. If the process
 * is killed meanwhile, nothing remains, except perhaps a temporary file
 * .NAME.<16 hexadecimal digits>.tmp, which the next call for that file removes.
 */
bool keyfile_write(const char *path, const struct keytext *t, unsigned mode,
                   enum keyfile_writing writing, FILE *errors) MUST_USE;
/* Removes the temporary files that killed writers of any file left in a folder:
 * they may hold a key. Those of living writers stay. */
void keyfile_sweep(const char *folder);

/* Opens a file for reading and never blocks: named pipes, devices, sockets and
 * directories are refused. Only "-", /dev/stdin and /dev/fd/N may be a pipe.
 * Returns -1 and the reason on failure. */
int keyfile_descriptor(const char *path, const char **wrong) MUST_USE;

/* Reads a whole file, at most KEYFILE_SIZE bytes. Returns its content with a
 * NUL at the end, which the caller must give to keyfile_wipe; NULL with a line
 * on `errors` on failure. */
char *keyfile_read(const char *path, enum keyfile_secrecy secrecy, size_t *size,
                   FILE *errors) MUST_USE;
/* Wipes and frees what keyfile_read returned; NULL is allowed. */
void keyfile_wipe(char *text, size_t size);
/* True if the text ends with the right checksum of everything before that line.
 */
bool keyfile_sum_fits(const char *text, size_t size);

#endif
