#include "edge/shell/api_internal.h"

#include "common/io/log.h"
#include "edge/shell/open_files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    BACKLOG = 128,
    ACCEPTS = 32,      /* in a turn */
    REST_MS = 50,      /* without descriptors, between two tries */
    PATIENCE_MS = 500, /* without descriptors, until it refuses a client */
};

static void on_listener(uv_poll_t *poll, int status, int events);

static void keep_spare(struct api *a)
{
    if (a->spare < 0)
        a->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* The mask makes the socket private from the start. */
static int bind_privately(int fd, const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    mode_t mask = umask(0177);

    strncpy(to.sun_path, path, sizeof to.sun_path - 1);
    int result = bind(fd, (struct sockaddr *)&to, sizeof to);
    umask(mask);
    return result;
}

int api_listen(struct api *a)
{
    int result;

    a->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (a->fd < 0)
        return -errno;
    if (bind_privately(a->fd, a->socket) != 0) {
        result = -errno;
        goto fail;
    }
    result = listen(a->fd, BACKLOG) == 0
                 ? uv_poll_init(a->loop, &a->listener, a->fd)
                 : -errno;
    if (result != 0) {
        unlink(a->socket);
        goto fail;
    }
    a->listener.data = a;
    keep_spare(a);
    return uv_poll_start(&a->listener, UV_READABLE, on_listener);

fail:
    close(a->fd);
    a->fd = -1;
    return result;
}

void api_unlisten(struct api *a)
{
    close(a->fd);
    if (a->spare >= 0)
        close(a->spare);
    a->fd = a->spare = -1;
}

/* ---- Without descriptors */

static void tell_starved(struct api *a)
{
    if (log_limit_passes(edge_log_limit(a->edge), edge_now(a->edge),
                         LOG_BY_STRANGERS, "api_refused", "full",
                         (struct bytes){0}))
        log_warn("api_refused", "reason=full files=%zu", open_files_limit());
}

/* Uses the spare descriptor to answer one client. False: there is none. */
static bool refuse_one(struct api *a)
{
    static const char line[] =
        "{\"ok\":false,\"error\":\"full\",\"message\":\"the edge has no open "
        "file left for another program: raise its LimitNOFILE\"}\n";

    if (a->spare >= 0)
        close(a->spare);
    a->spare = -1;
    int fd = accept4(a->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    bool none = fd < 0;
    if (fd >= 0) {
        (void)!send(fd, line, sizeof line - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        close(fd);
        tell_starved(a);
    }
    keep_spare(a);
    return !none && a->spare >= 0;
}

static void on_rested(uv_timer_t *timer)
{
    struct api *a = timer->data;

    if (!a->closing)
        uv_poll_start(&a->listener, UV_READABLE, on_listener);
}

/* A descriptor may be free soon. If the loop polled the listener meanwhile, it
 * would not sleep. */
static void starve(struct api *a)
{
    struct instant now = edge_now(a->edge);

    if (instant_is_never(a->starved_at))
        a->starved_at = now;
    if (instant_between(a->starved_at, now).us > span_ms(PATIENCE_MS).us)
        for (int i = 0; i < ACCEPTS && refuse_one(a); i++)
            ;
    uv_poll_stop(&a->listener);
    uv_timer_start(&a->rest, on_rested, REST_MS, 0);
}

static bool is_starved(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS ||
           error == ENOMEM;
}

static void on_listener(uv_poll_t *poll, int status, int events)
{
    struct api *a = poll->data;

    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPTS && !a->closing; i++) {
        int fd = accept4(a->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            a->starved_at = INSTANT_NEVER;
            keep_spare(a);
            client_attach(a, fd, NULL);
        } else if (is_starved(errno)) {
            starve(a);
            return;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            a->starved_at = INSTANT_NEVER; /* A descriptor was free. */
            return;
        }
    }
}
