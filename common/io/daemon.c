#include "common/io/daemon.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void on_signal(uv_signal_t *handle, int number)
{
    struct daemon *d = handle->data;

    if (number != SIGHUP)
        d->stop(d->context);
    else if (d->reload != NULL)
        d->reload(d->context);
}

static void watch(struct daemon *d, uv_loop_t *loop, uv_signal_t *handle,
                  int number)
{
    uv_signal_init(loop, handle);
    handle->data = d;
    uv_signal_start(handle, on_signal, number);
    uv_unref((uv_handle_t *)handle);
}

void daemon_open(struct daemon *d, uv_loop_t *loop)
{
    signal(SIGPIPE, SIG_IGN);
    watch(d, loop, &d->term, SIGTERM);
    watch(d, loop, &d->interrupt, SIGINT);
    watch(d, loop, &d->hangup, SIGHUP);
}

void daemon_close(struct daemon *d)
{
    uv_close((uv_handle_t *)&d->term, NULL);
    uv_close((uv_handle_t *)&d->interrupt, NULL);
    uv_close((uv_handle_t *)&d->hangup, NULL);
}

void daemon_tell(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};

    if (path == NULL || (path[0] != '/' && path[0] != '@') ||
        strlen(path) >= sizeof to.sun_path)
        return;
    size_t size = strlen(path);
    memcpy(to.sun_path, path, size);
    if (path[0] == '@')
        to.sun_path[0] = '\0'; /* An abstract name. */

    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    socklen_t to_size =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
    sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to,
           to_size);
    close(fd);
}

unsigned long daemon_raise_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}
