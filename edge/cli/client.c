#include "edge/cli/client.h"

#include "common/base/memory.h"
#include "common/io/clock.h"
#include "edge/cli/command.h"

#include <errno.h>
#include <glob.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { READ_SIZE = 256 * 1024 };

struct edge_client {
    int fd;
    struct sockaddr_un edge;
    struct text in;
    size_t taken;   /* bytes of `in` that client_next returned */
    size_t scanned; /* `in` has no line end between `taken` and this offset */
    struct text out;
    size_t sent; /* bytes of `out` */
    bool ended;
};

/* A connected socket, or -1 with errno set. */
static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

/* A folder of sockets that this user may not read; "" if there is none. An edge
 * may run there unseen. */
static char closed_folder[sizeof(((struct sockaddr_un *)0)->sun_path)];

static int note_closed(const char *path, int reason)
{
    if (reason == EACCES)
        snprintf(closed_folder, sizeof(closed_folder), "%s", path);
    return 0; /* Go on with the other folders. */
}

/* Lists the sockets in the usual folders. */
static void find_sockets(glob_t *found)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    int flags = 0;

    closed_folder[0] = '\0';
    *found = (glob_t){0};
    if (runtime && runtime[0] == '/') {
        struct text pattern = {0};
        text_add_string(&pattern, runtime);
        text_add_string(&pattern, "/zeroservices/*.sock");
        if (glob(text_string(&pattern), flags, note_closed, found) == 0)
            flags = GLOB_APPEND;
        text_close(&pattern);
    }
    glob("/run/zeroservices/*.sock", flags, note_closed, found);
}

static int fail_several(const char *one, const char *other)
{
    command_fail(EXIT_NO_DAEMON,
                 "several edges run on this host (%s and %s): name one with "
                 "--socket PATH or ZS_SOCKET",
                 one, other);
    return -1;
}

/* An edge runs there, or may run there, but not for this user. */
static void fail_denied(const char *what, const char *path)
{
    command_fail(EXIT_NO_DAEMON,
                 "permission denied: %s %s is not accessible to this user: "
                 "run as the user, or a member of the group, that owns it",
                 what, path);
}

static int fail_none(const char *path, int reason)
{
    if (path && reason == EACCES)
        fail_denied("the edge's socket", path);
    else if (path)
        command_fail(EXIT_NO_DAEMON, "no edge is reachable at %s: %s", path,
                     strerror(reason));
    else if (closed_folder[0] != '\0')
        fail_denied("the folder of the edges' sockets,", closed_folder);
    else
        command_fail(EXIT_NO_DAEMON,
                     "no edge runs on this host: start zs-edge, or name its "
                     "socket with --socket PATH or ZS_SOCKET");
    return -1;
}

static int open_named(const char *path)
{
    int fd = connect_to(path);

    return fd < 0 ? fail_none(path, errno) : fd;
}

static int open_only(void)
{
    glob_t found;
    const char *alive = NULL, *dead = NULL;
    int fd = -1, reason = 0;

    find_sockets(&found);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        int next = connect_to(found.gl_pathv[i]);
        if (next < 0) {
            dead = found.gl_pathv[i];
            reason = errno;
        } else if (alive) {
            close(next);
            close(fd);
            fd = fail_several(alive, found.gl_pathv[i]);
            globfree(&found);
            return fd;
        } else {
            alive = found.gl_pathv[i];
            fd = next;
        }
    }
    if (!alive)
        fd = fail_none(dead, reason);
    globfree(&found);
    return fd;
}

/* The path that --socket or ZS_SOCKET names, or NULL. */
static const char *named_socket(const struct options *o)
{
    const char *path = options_text(o, "socket");

    if (!path)
        path = getenv("ZS_SOCKET");
    return path && path[0] != '\0' ? path : NULL;
}

static bool is_there(const char *path)
{
    if (!path) {
        glob_t found;
        find_sockets(&found);
        bool some = found.gl_pathc > 0;
        globfree(&found);
        return some;
    }
    int fd = connect_to(path);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

void client_await(const struct options *o, struct span most)
{
    const char *path = named_socket(o);
    struct instant until = instant_after(clock_now(), most);

    while (!is_there(path) && !instant_reached(until, clock_now()))
        poll(NULL, 0, 20);
}

/* Makes a client of a connected socket. NULL if `fd` is -1. */
static struct edge_client *client_of(int fd)
{
    if (fd < 0)
        return NULL;
    struct edge_client *c = memory_new(sizeof(*c));
    socklen_t size = sizeof(c->edge) - 1; /* The path keeps its last NUL. */
    c->fd = fd;
    (void)!getpeername(fd, (struct sockaddr *)&c->edge, &size);
    return c;
}

struct edge_client *client_open(const struct options *o)
{
    const char *path = named_socket(o);

    return client_of(path ? open_named(path) : open_only());
}

struct edge_client *client_reopen(const char *path)
{
    return client_of(connect_to(path));
}

const char *client_path(const struct edge_client *c)
{
    return c->edge.sun_path;
}

void client_free(struct edge_client *c)
{
    if (!c)
        return;
    close(c->fd);
    text_close(&c->in);
    text_close(&c->out);
    free(c);
}

struct text *client_out(struct edge_client *c)
{
    return &c->out;
}

size_t client_unsent(const struct edge_client *c)
{
    return c->out.size - c->sent;
}

int client_fd(const struct edge_client *c)
{
    return c->fd;
}

/* Drops the sent bytes from time to time, so that `out` does not grow without
 * end if it is never empty. */
static void drop_sent(struct edge_client *c)
{
    if (c->sent < c->out.size / 2)
        return;
    text_drop(&c->out, c->sent);
    c->sent = 0;
}

bool client_push(struct edge_client *c)
{
    while (client_unsent(c) > 0) {
        ssize_t sent = send(c->fd, c->out.data + c->sent, client_unsent(c),
                            MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        if (sent < 0) {
            drop_sent(c);
            return true;
        }
        c->sent += (size_t)sent;
    }
    text_clear(&c->out);
    c->sent = 0;
    return true;
}

bool client_pull(struct edge_client *c)
{
    if (c->taken > 0) {
        text_drop(&c->in, c->taken);
        c->scanned -= c->taken;
        c->taken = 0;
    }
    ssize_t got =
        recv(c->fd, text_room(&c->in, READ_SIZE), READ_SIZE, MSG_DONTWAIT);
    if (got > 0)
        text_wrote(&c->in, (size_t)got);
    c->ended = got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
    return !c->ended;
}

bool client_next(struct edge_client *c, struct bytes *line)
{
    size_t left = c->in.size - c->scanned;

    if (left == 0)
        return false;
    const char *start = c->in.data + c->taken;
    const char *end = memchr(c->in.data + c->scanned, '\n', left);
    if (!end) {
        c->scanned = c->in.size;
        return false;
    }
    *line = bytes_of(start, (size_t)(end - start));
    c->taken += line->size + 1;
    c->scanned = c->taken;
    return true;
}

/* Milliseconds until the deadline, for poll. */
static int time_left(struct instant deadline)
{
    if (instant_is_never(deadline))
        return -1;
    struct span left = instant_between(clock_now(), deadline);
    if (left.us <= 0)
        return 0;
    return left.us / 1000 >= 1000000 ? 1000000 : (int)(left.us / 1000) + 1;
}

enum client_got client_line(struct edge_client *c, struct instant deadline,
                            struct bytes *line)
{
    for (;;) {
        if (client_next(c, line))
            return CLIENT_LINE;
        bool pushed = client_push(c);
        struct pollfd poll_fd = {.fd = c->fd, .events = POLLIN};
        if (client_unsent(c) > 0 && pushed)
            poll_fd.events |= POLLOUT;
        int wait = time_left(deadline);
        int ready = poll(&poll_fd, 1, wait);
        if (command_stopped())
            return CLIENT_STOPPED;
        if (ready > 0 && (poll_fd.revents & ~POLLOUT) && !client_pull(c)) {
            if (client_next(c, line))
                return CLIENT_LINE;
            command_fail(EXIT_NO_DAEMON, "the edge ended the connection");
            return CLIENT_ENDED;
        }
        if (wait == 0 && ready <= 0)
            return CLIENT_LATE;
    }
}

int client_error_code(const char *error)
{
    static const struct {
        const char *error;
        int code;
    } codes[] = {
        {"unknown_peer", EXIT_NO_PEER},
        {"not_delivered", EXIT_NOT_DELIVERED},
        {"peer_restarted", EXIT_NOT_DELIVERED},
        {"timeout", EXIT_NOT_DELIVERED},
        {"busy", EXIT_NOT_DELIVERED},
        {"full", EXIT_NO_DAEMON},
        {"bad_request", EXIT_USAGE},
    };

    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (strcmp(error, codes[i].error) == 0)
            return codes[i].code;
    return EXIT_FAILED;
}

json_t *client_ask(struct edge_client *c, int *code)
{
    struct bytes line;

    *code = EXIT_NO_DAEMON;
    enum client_got got = client_line(c, INSTANT_NEVER, &line);
    if (got == CLIENT_STOPPED)
        *code = EXIT_FAILED;
    if (got != CLIENT_LINE)
        return NULL;

    json_t *answer = json_loadb((const char *)line.data, line.size, 0, NULL);
    if (json_is_true(json_object_get(answer, "ok")))
        return answer;
    const char *error = json_string_value(json_object_get(answer, "error"));
    const char *message = json_string_value(json_object_get(answer, "message"));
    *code = client_error_code(error ? error : "");
    command_fail(*code, "%s: %s", error ? error : "the answer is no JSON",
                 message ? message : "");
    json_decref(answer);
    return NULL;
}
