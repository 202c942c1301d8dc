#include "edge/shell/http_token.h"

#include "common/base/hex.h"
#include "common/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TOKEN_BYTES = (HTTP_TOKEN_SIZE - 1) / 2 };

char *http_token_path(const char *socket)
{
    struct text path = {0};
    size_t size = strlen(socket);

    if (size > 5 && strcmp(socket + size - 5, ".sock") == 0)
        size -= 5;
    text_add(&path, bytes_of(socket, size));
    text_add_string(&path, ".token");
    text_string(&path);
    return path.data;
}

static bool fail(char error[API_ERROR_SIZE], const char *path, const char *why)
{
    snprintf(error, API_ERROR_SIZE, "%s: %s", path, why);
    return false;
}

/* False as well for a file that is empty or truncated, as after a crash. */
static bool read_token(int fd, char token[HTTP_TOKEN_SIZE])
{
    uint8_t bytes[TOKEN_BYTES];
    ssize_t got = read(fd, token, HTTP_TOKEN_SIZE - 1);

    token[got > 0 ? got : 0] = '\0';
    return hex_decode(token, bytes, sizeof bytes);
}

static bool write_token(int fd, char token[HTTP_TOKEN_SIZE])
{
    uint8_t bytes[TOKEN_BYTES];
    char line[HTTP_TOKEN_SIZE + 1];

    randombytes_buf(bytes, sizeof bytes);
    hex_encode(bytes_of(bytes, sizeof bytes), token);
    snprintf(line, sizeof line, "%s\n", token);
    return ftruncate(fd, 0) == 0 &&
           pwrite(fd, line, HTTP_TOKEN_SIZE, 0) == HTTP_TOKEN_SIZE;
}

static bool is_private(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
           st.st_uid == geteuid() && (st.st_mode & 077) == 0;
}

bool http_token_load(const char *path, char token[HTTP_TOKEN_SIZE],
                     char error[API_ERROR_SIZE])
{
    int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
    int fd = open(path, flags, 0600);

    if (fd < 0)
        return fail(error, path, strerror(errno));
    bool own = is_private(fd);
    bool loaded = own && (read_token(fd, token) || write_token(fd, token));
    int reason = errno;
    close(fd);
    if (!own)
        return fail(error, path,
                    "holds the token, and must be a file that only its owner "
                    "may read: chmod 600, or remove it");
    return loaded || fail(error, path, strerror(reason));
}
