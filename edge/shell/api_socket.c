#include "edge/shell/api_internal.h"

#include "common/base/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

char *api_socket_default(const char *name)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    struct text path = {0};

    text_add_string(&path, runtime && runtime[0] == '/' ? runtime : "/run");
    text_add_string(&path, "/zeroservices/");
    text_add_string(&path, name);
    text_add_string(&path, ".sock");
    text_string(&path);
    return path.data;
}

/* Makes the folders of the path that are missing, each for the owner alone. */
static bool make_folders(const char *path)
{
    char *folder = memory_string(path);
    bool made = true;

    for (char *slash = strchr(folder + 1, '/'); slash && made;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        made = mkdir(folder, 0700) == 0 || errno == EEXIST || errno == EROFS;
        *slash = '/';
    }
    int saved = errno;
    free(folder);
    errno = saved;
    return made;
}

/* Connects to see whether somebody listens: 0, or the reason why not. */
static int try_connect(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return errno;

    int reason =
        connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0
            ? 0
            : errno;
    close(fd);
    return reason;
}

static bool fail(char error[API_ERROR_SIZE], const char *path, const char *why)
{
    snprintf(error, API_ERROR_SIZE, "%s: %s", path, why);
    return false;
}

bool api_socket_claim(const char *path, char error[API_ERROR_SIZE])
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat st;

    if (strlen(path) >= sizeof(address.sun_path))
        return fail(error, path, "the path is too long for a Unix socket");
    if (!make_folders(path))
        return fail(error, path, strerror(errno));
    if (lstat(path, &st) != 0)
        return errno == ENOENT || fail(error, path, strerror(errno));
    if (!S_ISSOCK(st.st_mode))
        return fail(error, path, "is there already, and is no socket");

    memcpy(address.sun_path, path, strlen(path));
    int reason = try_connect(&address);
    if (reason == 0 || reason == EAGAIN)
        return fail(error, path, "another process listens there already");
    if (reason != ECONNREFUSED)
        return fail(error, path, strerror(reason));
    if (unlink(path) != 0 && errno != ENOENT)
        return fail(error, path, strerror(errno));
    return true;
}
