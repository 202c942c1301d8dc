#include "edge/shell/api_internal.h"

#include "common/base/memory.h"
#include "edge/shell/node_lock.h"

#include <errno.h>
#include <fcntl.h>
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

/* Makes the missing folders of the path, with access for the owner only. */
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

static const char taken[] = "another process listens there already";

/* Connects, to see whether a process listens. Returns 0 or the error. */
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

/* With the lock held: removes a socket on which no process listens. */
static bool clear(const char *path, char error[API_ERROR_SIZE])
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat st;

    if (lstat(path, &st) != 0)
        return errno == ENOENT || fail(error, path, strerror(errno));
    if (!S_ISSOCK(st.st_mode))
        return fail(error, path, "exists and is not a socket");

    memcpy(address.sun_path, path, strlen(path));
    int reason = try_connect(&address);
    if (reason == 0 || reason == EAGAIN)
        return fail(error, path, taken);
    if (reason != ECONNREFUSED)
        return fail(error, path, strerror(reason));
    if (unlink(path) != 0 && errno != ENOENT)
        return fail(error, path, strerror(errno));
    return true;
}

static char *lock_path(const char *path)
{
    struct text name = {0};

    text_add_string(&name, path);
    text_add_string(&name, ".lock");
    text_string(&name);
    return name.data;
}

/* Whether the path still names the locked file: the process that held the lock
 * before may have removed it. */
static bool is_there(int fd, const char *name)
{
    struct stat open_one, named;

    return fstat(fd, &open_one) == 0 && lstat(name, &named) == 0 &&
           open_one.st_dev == named.st_dev && open_one.st_ino == named.st_ino;
}

static int take_lock(const char *path, char error[API_ERROR_SIZE])
{
    char *name = lock_path(path);
    int fd;

    for (;;) {
        fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0) {
            (void)fail(error, name, strerror(errno));
            break;
        }
        if (!file_lock_take(fd)) {
            (void)fail(error, path, taken);
            close(fd);
            fd = -1;
            break;
        }
        if (is_there(fd, name))
            break;
        close(fd);
    }
    free(name);
    return fd;
}

int api_socket_claim(const char *path, char error[API_ERROR_SIZE])
{
    struct sockaddr_un address;

    if (strlen(path) >= sizeof(address.sun_path)) {
        (void)fail(error, path, "the path is too long for a Unix socket");
        return -1;
    }
    if (!make_folders(path)) {
        (void)fail(error, path, strerror(errno));
        return -1;
    }
    int lock = take_lock(path, error);
    if (lock >= 0 && !clear(path, error)) {
        close(lock);
        return -1;
    }
    return lock;
}

void api_socket_release(const char *path, int lock)
{
    if (lock < 0)
        return;
    char *name = lock_path(path);
    unlink(name);
    free(name);
    close(lock);
}
