/*
 * keyfile - the small text files that hold keys, certificates and lists.
 *
 *     # A comment.
 *     kind: identity
 *     key: 8f0c...
 *     relays:
 *       - tcp://203.0.113.10:443?key=31e0...
 *
 * They are YAML, of which only this much is read: one `key: value` a line,
 * lists of `- item`, comments, values with or without quotes. It is read here
 * and not by libyaml because what was read must be wiped.
 *
 *     struct keyfile k;
 *     if (!keyfile_open(&k, path, "identity", KEYFILE_SECRET, stderr))
 *         return false;
 *     keyfile_hex(&k, "key", key, sizeof(key));
 *     return keyfile_close(&k, stderr);
 *
 * A file that says `version: 2` ends with the checksum of all its bytes before
 * that line, so that no bit of it changes unseen. Version 1 has none, and is
 * still read; a `checksum` in it counts as well.
 *
 * All mistakes of a file are told at once: "FILE:LINE:COLUMN: what is wrong".
 * The values of a file never stand in a message.
 */
#ifndef COMMON_CONF_KEYFILE_H
#define COMMON_CONF_KEYFILE_H

#include "common/base/bytes.h"
#include "common/conf/mistakes.h"

#include <stdio.h>

enum {
    KEYFILE_SIZE = 4 * 1024 * 1024,
    KEYFILE_LINES = 32768, /* that say something */
};

enum keyfile_secrecy {
    KEYFILE_PUBLIC,
    KEYFILE_SECRET, /* refused if others than its owner may read it */
};

struct keyfile_line {
    const char *key;    /* NULL: an item of the list above */
    const char *value;  /* "" where a list follows */
    struct place place; /* of the value */
    bool used;
};

struct keyfile {
    const char *path; /* borrowed */
    char *text;       /* cut into the lines */
    size_t size;
    bool sum_fits; /* the last line is the checksum, and right */
    struct keyfile_line *lines;
    size_t count;
    struct mistakes mistakes;
};

/* Reads the file. False, with a line on `errors`, if it cannot be read, others
 * may read it, or its `kind` is not this one (NULL: any); then there is nothing
 * to close. */
bool keyfile_open(struct keyfile *k, const char *path, const char *kind,
                  enum keyfile_secrecy secrecy, FILE *errors) MUST_USE;
/* Tells the mistakes, and the lines that nobody asked for, on `errors`; wipes
 * and frees. True if there were none. */
bool keyfile_close(struct keyfile *k, FILE *errors) MUST_USE;

/* Only tells what kind of file it is: its `kind`, cut to fit; the mistakes, if
 * it is none, as keyfile_open. */
bool keyfile_kind(const char *path, char kind[static 16],
                  FILE *errors) MUST_USE;

/* Adds a mistake at the value of a key, or at the start. */
void keyfile_wrong(struct keyfile *k, const char *key, const char *text, ...)
    __attribute__((format(printf, 3, 4)));

bool keyfile_has(const struct keyfile *k, const char *key);
/* The value; missing or empty is a mistake, and then it is NULL. */
const char *keyfile_text(struct keyfile *k, const char *key);
/* Exactly `size` bytes in hexadecimal digits; else a mistake, and zeros. */
bool keyfile_hex(struct keyfile *k, const char *key, uint8_t *to, size_t size);
/* At most `size` bytes in base64; returns how many, 0 after a mistake. */
size_t keyfile_base64(struct keyfile *k, const char *key, uint8_t *to,
                      size_t size);
/* Walks a list, which may be missing or empty: *cursor = 0 at first; NULL at
 * the end. `key: []` is an empty list too. */
struct keyfile_line *keyfile_item(struct keyfile *k, const char *key,
                                  size_t *cursor);

/* What is to be written; wiped when closed. Zero-init is empty. */
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
/* Ends a text of version 2: the line `checksum`, over all of it. */
void keytext_sum(struct keytext *t);
void keytext_close(struct keytext *t);

enum keyfile_writing {
    KEYFILE_NEW, /* a file that exists stays as it is: false */
    KEYFILE_REPLACE,
};

/* Writes the file whole or not at all, synced to the disk. False with a line
 * on `errors`. `mode` is 0600 or 0644. A process that is killed meanwhile
 * leaves nothing; between two system calls of a KEYFILE_REPLACE it may leave
 * .NAME.tmp, which the next one takes away. */
bool keyfile_write(const char *path, const struct keytext *t, unsigned mode,
                   enum keyfile_writing writing, FILE *errors) MUST_USE;

/* Opens a file to be read, without ever waiting for it: a named pipe, device,
 * socket or directory is refused. "-", /dev/stdin and /dev/fd/N may be a pipe.
 * -1, and what is wrong. */
int keyfile_descriptor(const char *path, const char **wrong) MUST_USE;

/* Reads a whole file as KEYFILE_SIZE allows, NUL-terminated, to be wiped and
 * freed; NULL with a line on `errors`. */
char *keyfile_read(const char *path, enum keyfile_secrecy secrecy, size_t *size,
                   FILE *errors) MUST_USE;
void keyfile_wipe(char *text, size_t size);
/* True if the text ends with the checksum of what stands before it. */
bool keyfile_sum_fits(const char *text, size_t size);

#endif
