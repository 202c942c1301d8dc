#include "common/conf/keyfile.h"

#include "common/base/memory.h"

#include <sodium.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
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

/* Like realloc, but wipes the old memory. */
static char *grow(char *old, size_t size, size_t capacity)
{
    char *text = memory_new(capacity);

    if (size > 0)
        memcpy(text, old, size);
    keyfile_wipe(old, size);
    return text;
}

/* The rights that nobody but the owner may have. */
static mode_t forbidden(enum keyfile_secrecy secrecy, const struct stat *status)
{
    return secrecy == KEYFILE_OF_GROUP && status->st_uid == 0 ? 037 : 077;
}

static bool is_private(int file, enum keyfile_secrecy secrecy, const char *path,
                       FILE *errors)
{
    struct stat status;

    if (fstat(file, &status) != 0)
        return failed(errors, path);
    if (!S_ISREG(status.st_mode) ||
        (status.st_mode & forbidden(secrecy, &status)) == 0)
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
            fprintf(errors, "%s: too large for a file of this kind\n", path);
            break;
        }
        if (*size + 1 == capacity)
            text = grow(text, *size, capacity *= 2);
    }
    keyfile_wipe(text, *size);
    return NULL;
}

/* True for a descriptor that the caller opened, like "-" or a shell's <(...):
 * it may be a pipe, because the user knows that another program writes to it.
 */
static bool is_handed_over(const char *path)
{
    return strcmp(path, "/dev/stdin") == 0 ||
           strncmp(path, "/dev/fd/", 8) == 0 ||
           strncmp(path, "/proc/self/fd/", 14) == 0;
}

static const char *wrong_kind(mode_t mode)
{
    return S_ISDIR(mode)    ? "Is a directory"
           : S_ISFIFO(mode) ? "is a named pipe, not a file"
           : S_ISSOCK(mode) ? "is a socket, not a file"
                            : "is a device, not a file";
}

/* True for /dev/null, which counts as an empty file. */
static bool is_null(const struct stat *status)
{
    return S_ISCHR(status->st_mode) && status->st_rdev == makedev(1, 3);
}

int keyfile_descriptor(const char *path, const char **wrong)
{
    /* O_NONBLOCK opens a named pipe without waiting for a writer. */
    bool handed_over = strcmp(path, "-") == 0 || is_handed_over(path);
    int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY;
    int file = strcmp(path, "-") == 0
                   ? dup(STDIN_FILENO)
                   : open(path, handed_over ? flags : flags | O_NONBLOCK);
    struct stat status;

    *wrong = NULL;
    if (file < 0 && errno == ENXIO)
        *wrong = wrong_kind(S_IFSOCK);
    else if (file < 0 || fstat(file, &status) != 0)
        *wrong = strerror(errno);
    else if (!handed_over && !S_ISREG(status.st_mode) && !is_null(&status))
        *wrong = wrong_kind(status.st_mode);
    if (*wrong == NULL)
        return file;
    if (file >= 0)
        close(file);
    return -1;
}

char *keyfile_read(const char *path, enum keyfile_secrecy secrecy, size_t *size,
                   FILE *errors)
{
    char *text = NULL;
    const char *wrong;
    int file = keyfile_descriptor(path, &wrong);

    if (file < 0) {
        fprintf(errors, "%s: %s\n", path, wrong);
        return NULL;
    }
    if (secrecy == KEYFILE_PUBLIC || is_private(file, secrecy, path, errors))
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

/* Makes sure that the name survives a power failure. Some file systems refuse
 * this; nothing more can be done then. */
static void sync_folder(const char *folder)
{
    int file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (file >= 0) {
        (void)fsync(file);
        close(file);
    }
}

/* ---- Temporary files: .NAME.<16 hexadecimal digits>.tmp
 *
 * Several processes may write one file at the same time, like two edges that
 * share a folder and take a list of revocations. Each has a temporary name of
 * its own, because a file without a name that was linked once and unlinked by
 * another can never be linked again. A writer holds a lock on its temporary
 * file, so one without a lock was left by a writer that is dead. */

enum { TEMPORARY_DIGITS = 16 };

/* The folder of a path, "." if it names none. The caller frees it. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL)
        return memory_string(".");
    char *folder = memory_string(path);
    folder[slash == path ? 1 : slash - path] = '\0';
    return folder;
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

/* "a/b" -> "a/.b.0123456789abcdef.tmp", each time another one. */
static char *temporary_of(const char *path)
{
    size_t size = strlen(path) + sizeof("...tmp") + TEMPORARY_DIGITS;
    char *temporary = memory_new(size);
    const char *name = name_of(path);
    uint8_t random[TEMPORARY_DIGITS / 2];
    char digits[TEMPORARY_DIGITS + 1];

    randombytes_buf(random, sizeof(random));
    sodium_bin2hex(digits, sizeof(digits), random, sizeof(random));
    snprintf(temporary, size, "%.*s.%s.%s.tmp", (int)(name - path), path, name,
             digits);
    return temporary;
}

/* True for a temporary name of the file `name`, or of any file if it is NULL.
 */
static bool is_temporary(const char *entry, const char *name)
{
    size_t size = strlen(entry);
    size_t tail = sizeof("..tmp") - 1 + TEMPORARY_DIGITS;

    if (size < tail + 2 || entry[0] != '.' ||
        strcmp(entry + size - 4, ".tmp") != 0 || entry[size - tail] != '.' ||
        strspn(entry + size - tail + 1, "0123456789abcdef") != TEMPORARY_DIGITS)
        return false;
    return name == NULL || (strlen(name) == size - tail - 1 &&
                            memcmp(entry + 1, name, size - tail - 1) == 0);
}

/* Removes a temporary file whose writer is dead. */
static void remove_if_dead(int folder, const char *entry)
{
    int file =
        openat(folder, entry, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (file >= 0 && flock(file, LOCK_EX | LOCK_NB) == 0)
        unlinkat(folder, entry, 0);
    if (file >= 0)
        close(file);
}

static void sweep(const char *folder, const char *name)
{
    DIR *entries = opendir(folder);
    const struct dirent *entry;

    while (entries != NULL && (entry = readdir(entries)) != NULL)
        if (is_temporary(entry->d_name, name))
            remove_if_dead(dirfd(entries), entry->d_name);
    if (entries != NULL)
        closedir(entries);
}

void keyfile_sweep(const char *folder)
{
    sweep(folder, NULL);
}

/* True unless a sweep came between the file's opening and its lock. A file
 * system may have no locks; then sweeps remove nothing. */
static bool lock_new(int file)
{
    struct stat status;

    return (flock(file, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) &&
           fstat(file, &status) == 0 && status.st_nlink > 0;
}

/* Opens the file under its temporary name; -1 with errno on failure. */
static int open_named(const char *temporary)
{
    enum { TRIES = 100 };

    for (int i = 0; i < TRIES; i++) {
        int file =
            open(temporary, O_WRONLY | O_CLOEXEC | O_CREAT | O_EXCL, 0600);
        if (file < 0 || lock_new(file))
            return file;
        close(file);
    }
    errno = EBUSY;
    return -1;
}

/* Opens a file without a name, which disappears with its process; where the
 * file system has no such files, one under the temporary name. -1 with errno on
 * failure. */
static int open_new(const char *path, const char *temporary, bool *named)
{
    char *folder = folder_of(path);
    int file = open(folder, O_WRONLY | O_CLOEXEC | O_TMPFILE, 0600);

    free(folder);
    *named = file < 0 && errno != EACCES && errno != ENOENT &&
             errno != ENOTDIR && errno != EROFS;
    if (*named)
        return open_named(temporary);
    /* Before the file has a name: nobody else can hold the lock. */
    if (file >= 0)
        (void)flock(file, LOCK_EX | LOCK_NB);
    return file;
}

/* Gives a name to the file that has none. */
static bool name_it(int file, const char *path)
{
    char self[64];

    snprintf(self, sizeof(self), "/proc/self/fd/%d", file);
    return linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0;
}

/* Of several that replace one file at the same time, the last one wins. */
static bool replace(int file, bool named, const char *temporary,
                    const char *path)
{
    return (named || name_it(file, temporary)) && rename(temporary, path) == 0;
}

/* Gives the finished file its name, which must be free. False with errno. */
static bool put_new(int file, bool named, const char *temporary,
                    const char *path)
{
    if (!named)
        return name_it(file, path);
    if (renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
        return true;
    /* The file system lacks that call: link() does not overwrite a file either.
     */
    return errno != EEXIST && link(temporary, path) == 0 &&
           unlink(temporary) == 0;
}

static bool write_file(const char *path, const char *temporary,
                       const struct keytext *t, unsigned mode,
                       enum keyfile_writing writing)
{
    bool named;
    int file = open_new(path, temporary, &named);

    if (file < 0)
        return false;
    bool done =
        fchmod(file, mode) == 0 && write_all(file, t) &&
        (writing == KEYFILE_NEW ? put_new(file, named, temporary, path)
                                : replace(file, named, temporary, path));
    int reason = errno;
    if (!done)
        unlink(temporary);
    close(file);
    errno = reason;
    return done;
}

bool keyfile_write(const char *path, const struct keytext *t, unsigned mode,
                   enum keyfile_writing writing, FILE *errors)
{
    char *temporary = temporary_of(path);
    char *folder = folder_of(path);

    sweep(folder, name_of(path));
    bool done = write_file(path, temporary, t, mode, writing);

    if (!done && errno == EEXIST)
        fprintf(errors, "%s: exists and is not overwritten\n", path);
    else if (!done)
        failed(errors, path);
    sync_folder(folder);
    free(folder);
    free(temporary);
    return done;
}

/* ---- The checksum: the last line, over everything above it */

enum { SUM_SIZE = 16, SUM_LINE = sizeof("checksum: \n") - 1 + 2 * SUM_SIZE };

static void sum_line(const char *text, size_t size, char line[SUM_LINE + 1])
{
    uint8_t sum[SUM_SIZE];
    char digits[2 * SUM_SIZE + 1];

    crypto_generichash(sum, sizeof(sum), (const uint8_t *)text, size, NULL, 0);
    sodium_bin2hex(digits, sizeof(digits), sum, sizeof(sum));
    snprintf(line, SUM_LINE + 1, "checksum: %s\n", digits);
}

void keytext_sum(struct keytext *t)
{
    char line[SUM_LINE + 1];

    sum_line(t->data, t->size, line);
    keytext_add(t, "%s", line);
}

bool keyfile_sum_fits(const char *text, size_t size)
{
    char line[SUM_LINE + 1];

    if (size < SUM_LINE)
        return false;
    sum_line(text, size - SUM_LINE, line);
    return memcmp(text + size - SUM_LINE, line, SUM_LINE) == 0;
}
