#include "common/conf/keyfile.h"

#include "common/base/memory.h"

#include <sodium.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool failed(FILE *errors, const char *path)
{
    fprintf(errors, "%s: %s\n", path, strerror(errno));
    return false;
}

void keyfile_wipe(char *text, size_t size)
{
    if (text != NULL)
        sodium_memzero(text, size);
    free(text);
}

/* As realloc, but what is left behind is wiped. */
static char *grow(char *old, size_t size, size_t capacity)
{
    char *text = memory_new(capacity);

    if (size > 0)
        memcpy(text, old, size);
    keyfile_wipe(old, size);
    return text;
}

static bool is_private(int file, const char *path, FILE *errors)
{
    struct stat status;

    if (fstat(file, &status) != 0)
        return failed(errors, path);
    if (!S_ISREG(status.st_mode) || (status.st_mode & 077) == 0)
        return true;
    fprintf(errors, "%s: secrets readable by others; chmod 600 %s\n", path,
            path);
    return false;
}

static char *read_all(int file, const char *path, size_t *size, FILE *errors)
{
    size_t capacity = 4096;
    char *text = memory_new(capacity);

    *size = 0;
    for (;;) {
        ssize_t n = read(file, text + *size, capacity - *size - 1);

        if (n == 0)
            return text;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            failed(errors, path);
            break;
        }
        *size += (size_t)n;
        if (*size > KEYFILE_SIZE) {
            fprintf(errors, "%s: too large to be what is wanted here\n", path);
            break;
        }
        if (*size + 1 == capacity)
            text = grow(text, *size, capacity *= 2);
    }
    keyfile_wipe(text, *size);
    return NULL;
}

char *keyfile_read(const char *path, enum keyfile_secrecy secrecy, size_t *size,
                   FILE *errors)
{
    char *text = NULL;
    int file = strcmp(path, "-") == 0 ? dup(STDIN_FILENO)
                                      : open(path, O_RDONLY | O_CLOEXEC);

    if (file < 0) {
        failed(errors, path);
        return NULL;
    }
    if (secrecy == KEYFILE_PUBLIC || is_private(file, path, errors))
        text = read_all(file, path, size, errors);
    close(file);
    return text;
}

void keytext_add(struct keytext *t, const char *format, ...)
{
    va_list list;
    int size;

    va_start(list, format);
    size = vsnprintf(NULL, 0, format, list);
    va_end(list);
    ASSERT(size >= 0);
    if (t->size + (size_t)size + 1 > t->capacity) {
        t->capacity = 2 * (t->size + (size_t)size + 1);
        t->data = grow(t->data, t->size, t->capacity);
    }
    va_start(list, format);
    vsnprintf(t->data + t->size, (size_t)size + 1, format, list);
    va_end(list);
    t->size += (size_t)size;
}

void keytext_hex(struct keytext *t, const char *key, const uint8_t *bytes,
                 size_t size)
{
    char *text = memory_new(2 * size + 1);

    sodium_bin2hex(text, 2 * size + 1, bytes, size);
    keytext_add(t, "%s: %s\n", key, text);
    keyfile_wipe(text, 2 * size);
}

void keytext_base64(struct keytext *t, const char *key, struct bytes bytes)
{
    size_t size =
        sodium_base64_encoded_len(bytes.size, sodium_base64_VARIANT_ORIGINAL);
    char *text = memory_new(size);

    sodium_bin2base64(text, size, bytes.data, bytes.size,
                      sodium_base64_VARIANT_ORIGINAL);
    keytext_add(t, "%s: %s\n", key, text);
    free(text);
}

void keytext_close(struct keytext *t)
{
    keyfile_wipe(t->data, t->size);
    *t = (struct keytext){0};
}

static bool write_all(int file, const struct keytext *t)
{
    for (size_t at = 0; at < t->size;) {
        ssize_t n = write(file, t->data + at, t->size - at);

        if (n < 0 && errno != EINTR)
            return false;
        at += n > 0 ? (size_t)n : 0;
    }
    return fsync(file) == 0;
}

/* Gives the finished file its name. False with errno. */
static bool put_in_place(const char *from, const char *path,
                         enum keyfile_writing writing)
{
    if (writing == KEYFILE_REPLACE)
        return rename(from, path) == 0;
    if (renameat2(AT_FDCWD, from, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
        return true;
    /* A file system without it: a link is not made over a file either. */
    return errno != EEXIST && link(from, path) == 0 && unlink(from) == 0;
}

/* That the name is there after a power cut too; some file systems refuse, and
 * then it is as well as it can be. */
static void sync_folder(const char *path)
{
    char *folder = memory_string(path);
    char *slash = strrchr(folder, '/');
    int file;

    if (slash != NULL)
        slash[slash == folder ? 1 : 0] = '\0';
    file =
        open(slash != NULL ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file >= 0) {
        (void)fsync(file);
        close(file);
    }
    free(folder);
}

bool keyfile_write(const char *path, const struct keytext *t, unsigned mode,
                   enum keyfile_writing writing, FILE *errors)
{
    size_t size = strlen(path) + sizeof(".XXXXXX");
    char *temporary = memory_new(size);
    bool done;
    int file;

    snprintf(temporary, size, "%s.XXXXXX", path);
    file = mkostemp(temporary, O_CLOEXEC);
    if (file < 0) {
        failed(errors, path);
        free(temporary);
        return false;
    }
    done = fchmod(file, mode) == 0 && write_all(file, t);
    done = close(file) == 0 && done;
    done = done && put_in_place(temporary, path, writing);
    if (!done) {
        if (errno == EEXIST)
            fprintf(errors, "%s: exists, and is not overwritten\n", path);
        else
            failed(errors, path);
        unlink(temporary);
    }
    sync_folder(path);
    free(temporary);
    return done;
}
