#include "common/conf/keyfile.h"

#include "common/base/hex.h"
#include "common/base/memory.h"

#include <sodium.h>

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const struct place start = {1, 1};

static struct keyfile_line *find(const struct keyfile *k, const char *key)
{
    for (size_t i = 0; i < k->count; i++)
        if (k->lines[i].key != NULL && strcmp(k->lines[i].key, key) == 0)
            return &k->lines[i];
    return NULL;
}

/* Removes the quotes from a value, or the comment behind it. */
static char *trim_value(char *text)
{
    size_t size = strlen(text);

    if (*text == '"' || *text == '\'') {
        char *end = strchr(text + 1, *text);

        if (end != NULL)
            *end = '\0';
        return text + 1;
    }
    for (size_t i = 1; i < size; i++)
        if (text[i] == '#' && text[i - 1] == ' ')
            text[size = i] = '\0';
    while (size > 0 && text[size - 1] == ' ')
        text[--size] = '\0';
    return text;
}

static void add(struct keyfile *k, const char *key, char *line, char *value,
                size_t number)
{
    struct keyfile_line *l = &k->lines[k->count++];

    value += strspn(value, " ");
    l->place = (struct place){number, (size_t)(value - line) + 1};
    l->key = key;
    l->value = trim_value(value);
}

/* Adds an item to the list of the key above, which must have no value of its
 * own. */
static void add_item(struct keyfile *k, char *line, char *dash, size_t number)
{
    size_t above = k->count;

    while (above > 0 && k->lines[above - 1].key == NULL)
        above--;
    if (above == 0 || *k->lines[above - 1].value != '\0') {
        mistakes_add(&k->mistakes, (struct place){number, 1},
                     "an item without a list");
        return;
    }
    add(k, NULL, line, dash + 1, number);
}

static void add_pair(struct keyfile *k, char *line, size_t number)
{
    size_t size = strspn(line, "abcdefghijklmnopqrstuvwxyz_0123456789");

    if (size == 0 || line[size] != ':' ||
        (line[size + 1] != ' ' && line[size + 1] != '\0')) {
        mistakes_add(&k->mistakes, (struct place){number, 1},
                     "wants `key: value`, `- item` or a # comment");
        return;
    }
    line[size] = '\0';
    if (find(k, line) != NULL) {
        mistakes_add(&k->mistakes, (struct place){number, 1},
                     "`%s` is here a second time", line);
        return;
    }
    add(k, line, line, line + size + 1, number);
}

static void read_line(struct keyfile *k, char *line, size_t number)
{
    char *word = line + strspn(line, " ");
    char *end = word + strlen(word);

    while (end > word && (end[-1] == ' ' || end[-1] == '\r'))
        *--end = '\0';
    if (*word == '\0' || *word == '#' || strcmp(line, "---") == 0)
        return;
    if (*word == '-' && (word[1] == ' ' || word[1] == '\0'))
        add_item(k, line, word, number);
    else
        add_pair(k, line, number);
}

static bool read_lines(struct keyfile *k)
{
    size_t number = 1;
    char *rest = k->text;

    for (char *at = k->text; (at = strchr(at, '\n')) != NULL; at++)
        number++;
    if (number > KEYFILE_LINES || strlen(k->text) != k->size)
        return false;

    k->lines = memory_array(number, sizeof(*k->lines));
    number = 0;
    while (rest != NULL)
        read_line(k, strsep(&rest, "\n"), ++number);
    return true;
}

static void release(struct keyfile *k)
{
    keyfile_wipe(k->text, k->size);
    free(k->lines);
    mistakes_close(&k->mistakes);
    k->text = NULL;
    k->lines = NULL;
}

/* Version 2 must have a checksum; a checksum must be right in any version. */
static bool is_version(struct keyfile *k)
{
    const char *version =
        keyfile_has(k, "version") ? keyfile_text(k, "version") : "1";
    bool second = version != NULL && strcmp(version, "2") == 0;

    if (version == NULL || (!second && strcmp(version, "1") != 0)) {
        keyfile_wrong(k, "version", "this program knows versions 1 and 2");
        return false;
    }
    if ((second || keyfile_has(k, "checksum")) && !k->sum_fits) {
        keyfile_wrong(k, "checksum",
                      "the checksum does not fit: the file is damaged, or was "
                      "changed by hand; take a copy, or make it anew");
        return false;
    }
    if (keyfile_has(k, "checksum"))
        (void)keyfile_text(k, "checksum");
    return true;
}

/* Checks the file's kind; a mistake says which kind of file it is. */
static bool is_kind(struct keyfile *k, const char *kind)
{
    const char *found = keyfile_text(k, "kind");

    if (found == NULL)
        return false;
    if (kind != NULL && strcmp(found, kind) != 0) {
        char buffer[MISTAKES_VALUE_SIZE];

        keyfile_wrong(k, "kind", "wants a file of the kind `%s`, this is `%s`",
                      kind, mistakes_value(found, buffer));
        return false;
    }
    return is_version(k);
}

bool keyfile_open(struct keyfile *k, const char *path, const char *kind,
                  enum keyfile_secrecy secrecy, FILE *errors)
{
    memset(k, 0, sizeof(*k));
    k->path = path;
    k->text = keyfile_read(path, secrecy, &k->size, errors);
    if (k->text == NULL)
        return false;
    k->sum_fits = keyfile_sum_fits(k->text, k->size);
    if (!read_lines(k)) {
        fprintf(errors, "%s: not a text file that holds keys\n", path);
        release(k);
        return false;
    }
    if (!is_kind(k, kind)) {
        /* The other mistakes mean nothing if this is another kind of file. */
        if (!keyfile_has(k, "kind"))
            fprintf(errors,
                    "%s:1:1: `kind` is missing: not a file that holds keys\n",
                    path);
        else
            mistakes_print(&k->mistakes, path, errors);
        release(k);
        return false;
    }
    return true;
}

bool keyfile_kind(const char *path, char kind[static 16], FILE *errors)
{
    struct keyfile k;

    if (!keyfile_open(&k, path, NULL, KEYFILE_PUBLIC, errors))
        return false;
    snprintf(kind, 16, "%s", keyfile_text(&k, "kind"));
    release(&k);
    return true;
}

bool keyfile_close(struct keyfile *k, FILE *errors)
{
    bool right;

    for (size_t i = 0; i < k->count; i++) {
        struct keyfile_line *l = &k->lines[i];
        char buffer[MISTAKES_VALUE_SIZE];

        if (!l->used && l->key != NULL)
            mistakes_add(&k->mistakes, (struct place){l->place.line, 1},
                         "unknown key `%s`", mistakes_value(l->key, buffer));
    }
    right = k->mistakes.count == 0;
    mistakes_print(&k->mistakes, k->path, errors);
    release(k);
    return right;
}

void keyfile_wrong(struct keyfile *k, const char *key, const char *text, ...)
{
    const struct keyfile_line *l = find(k, key);
    char buffer[300];
    va_list list;

    va_start(list, text);
    vsnprintf(buffer, sizeof(buffer), text, list);
    va_end(list);
    mistakes_add(&k->mistakes, l != NULL ? l->place : start, "%s", buffer);
}

bool keyfile_has(const struct keyfile *k, const char *key)
{
    return find(k, key) != NULL;
}

const char *keyfile_text(struct keyfile *k, const char *key)
{
    struct keyfile_line *l = find(k, key);

    if (l == NULL) {
        mistakes_add(&k->mistakes, start, "`%s` is missing", key);
        return NULL;
    }
    l->used = true;
    if (*l->value == '\0') {
        keyfile_wrong(k, key, "`%s` wants a value", key);
        return NULL;
    }
    return l->value;
}

bool keyfile_hex(struct keyfile *k, const char *key, uint8_t *to, size_t size)
{
    const char *text = keyfile_text(k, key);

    if (text != NULL && hex_decode(text, to, size))
        return true;
    if (text != NULL)
        keyfile_wrong(k, key, "`%s` wants %zu hexadecimal digits", key,
                      2 * size);
    memset(to, 0, size);
    return false;
}

size_t keyfile_base64(struct keyfile *k, const char *key, uint8_t *to,
                      size_t size)
{
    const char *text = keyfile_text(k, key);
    size_t read = 0;

    if (text == NULL)
        return 0;
    if (sodium_base642bin(to, size, text, strlen(text), NULL, &read, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        read == 0) {
        keyfile_wrong(k, key, "`%s` wants base64", key);
        return 0;
    }
    return read;
}

struct keyfile_line *keyfile_item(struct keyfile *k, const char *key,
                                  size_t *cursor)
{
    if (*cursor == 0) {
        struct keyfile_line *l = find(k, key);

        if (l == NULL)
            return NULL;
        l->used = true;
        if (*l->value != '\0' && strcmp(l->value, "[]") != 0)
            keyfile_wrong(k, key, "`%s` wants a list, one `- item` a line",
                          key);
        *cursor = (size_t)(l - k->lines);
    }
    if (++*cursor >= k->count || k->lines[*cursor].key != NULL) {
        --*cursor;
        return NULL;
    }
    k->lines[*cursor].used = true;
    return &k->lines[*cursor];
}
