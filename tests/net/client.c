#include "tests/net/client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { READ_SIZE = 256 * 1024 };

void fail(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
    exit(3);
}

void *grown(void *memory, size_t count, size_t size)
{
    memory = realloc(memory, count * size);
    if (!memory)
        fail("no memory for %zu", count);
    return memory;
}

uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static volatile sig_atomic_t ended, asked, paused;

static void on_signal(int number)
{
    if (number == SIGUSR1)
        asked = 1;
    else if (number == SIGUSR2)
        paused = !paused;
    else
        ended = 1;
}

void signals_watch(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGUSR2, &action, NULL);
}

bool signal_end(void)
{
    return ended != 0;
}

bool signal_user(void)
{
    return asked != 0;
}

bool signal_pause(void)
{
    return paused != 0;
}

static char *text_room(struct growing_text *t, size_t more)
{
    if (t->size + more + 1 > t->room) {
        t->room = (t->size + more + 1) * 2;
        t->bytes = grown(t->bytes, t->room, 1);
    }
    return t->bytes + t->size;
}

/* Drops the bytes that are done once they are the larger part, so that each
 * byte moves only once. */
static void text_drop(struct growing_text *t)
{
    if (t->done == 0 || t->done < t->size / 2)
        return;
    memmove(t->bytes, t->bytes + t->done, t->size - t->done);
    t->size -= t->done;
    t->done = 0;
}

struct api_connection client_open(const char *socket_path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct api_connection c = {
        .fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};

    snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path);
    if (c.fd < 0 || connect(c.fd, (void *)&address, sizeof address) != 0)
        fail("%s: %s", socket_path, strerror(errno));
    fcntl(c.fd, F_SETFL, O_NONBLOCK);
    return c;
}

void client_add(struct api_connection *c, const char *bytes, size_t size)
{
    memcpy(text_room(&c->out, size), bytes, size);
    c->out.size += size;
}

void client_say(struct api_connection *c, const char *format, ...)
{
    enum { MOST = 1024 };
    va_list list;
    va_start(list, format);
    int size = vsnprintf(text_room(&c->out, MOST), MOST, format, list);
    va_end(list);
    if (size < 0 || size >= MOST)
        fail("a line is too long");
    c->out.size += (size_t)size;
}

size_t client_unsent(const struct api_connection *c)
{
    return c->out.size - c->out.done;
}

static void write_some(struct api_connection *c)
{
    while (client_unsent(c) > 0 && !c->ended) {
        ssize_t wrote = send(c->fd, c->out.bytes + c->out.done,
                             client_unsent(c), MSG_NOSIGNAL);
        if (wrote < 0 && errno == EAGAIN)
            break;
        if (wrote > 0)
            c->out.done += (size_t)wrote;
        else if (errno != EINTR)
            break; /* Read what the edge wrote before it closed. */
    }
    text_drop(&c->out);
}

static void read_some(struct api_connection *c)
{
    text_drop(&c->in);
    ssize_t got = recv(c->fd, text_room(&c->in, READ_SIZE), READ_SIZE, 0);
    if (got > 0)
        c->in.size += (size_t)got;
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        c->ended = true;
}

void client_run(struct api_connection *c, int wait_ms)
{
    write_some(c);
    struct pollfd polled = {.fd = c->fd, .events = POLLIN};
    if (client_unsent(c) > 0)
        polled.events |= POLLOUT;
    if (poll(&polled, 1, wait_ms) > 0 && (polled.revents & ~POLLOUT))
        read_some(c);
}

char *client_line(struct api_connection *c)
{
    char *line = c->in.bytes + c->in.done;
    if (c->in.done == c->in.size)
        return NULL;
    char *end = memchr(line, '\n', c->in.size - c->in.done);
    if (!end)
        return NULL;
    *end = '\0';
    c->in.done += (size_t)(end - line) + 1;
    return line;
}

const char *member(const char *line, const char *key)
{
    char wanted[40];
    int size = snprintf(wanted, sizeof wanted, "\"%s\":", key);
    const char *found = strstr(line, wanted);
    return found ? found + size : NULL;
}

uint64_t member_number(const char *line, const char *key)
{
    const char *value = member(line, key);
    return value ? strtoull(value, NULL, 10) : 0;
}

bool member_is(const char *line, const char *key, const char *value)
{
    const char *found = member(line, key);
    size_t size = strlen(value);
    return found && *found == '"' && strncmp(found + 1, value, size) == 0 &&
           found[size + 1] == '"';
}
