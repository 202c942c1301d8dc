/*
 * middlebox - stands in the way of TCP connections: a firewall that looks at
 * what a connection begins with, or a proxy that makes tunnels and mistreats
 * them.
 *
 *     middlebox PORT tls|http|any|connect [options]
 *         tls      passes what begins with a ClientHello that names a host
 *         http     passes what begins with the head of an HTTP request
 *         any      passes everything
 *         connect  is an HTTP proxy that knows the method CONNECT alone
 *         --silent MS     resets who has not shown enough by then; default 3000
 *         --cut MS        resets each connection that long after it began
 *         --idle MS       resets a connection on which nothing passed that long
 *         --hold MS       keeps back less than 1,400 bytes for that long
 *
 * For tls, http and any, a rule of nftables redirects connections to PORT; they
 * are passed on to where they were meant to go. What may not pass is reset, and
 * nothing of it leaves. USR1 resets all connections of this moment. A line on
 * stdout for each decision:
 *
 *     pass 203.0.113.10:443 relay.lab      the host that a ClientHello or a
 *     reset 203.0.113.10:443 ff00000000    request names; the first bytes
 *     cut 203.0.113.10:443
 */
#include "tests/net/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CONNECTIONS = 256,
    ROOM = 1 << 16,
    SEGMENT = 1400,
    TO_ORIGINAL = 80, /* SO_ORIGINAL_DST and IP6T_SO_ORIGINAL_DST */
    NAME_MOST = 256,
};

/* --- What a connection begins with ------------------------------------------
 */

enum verdict { MORE, GOOD, BAD };

/* Bytes that are read in order; `bad` once one was missing. */
struct hello_part {
    const uint8_t *at, *end;
    bool bad;
};

static size_t number(struct hello_part *r, size_t bytes)
{
    size_t value = 0;
    if ((size_t)(r->end - r->at) < bytes)
        r->bad = true;
    for (; !r->bad && bytes > 0; bytes--)
        value = value << 8 | *r->at++;
    return value;
}

/* A part that begins with its length, a number of so many bytes. */
static struct hello_part part(struct hello_part *r, size_t bytes)
{
    size_t size = number(r, bytes);
    if (r->bad || (size_t)(r->end - r->at) < size)
        return r->bad = true, (struct hello_part){.bad = true};
    struct hello_part inner = {r->at, r->at + size, false};
    r->at += size;
    return inner;
}

static enum verdict name_of(struct hello_part extension, char name[NAME_MOST])
{
    struct hello_part list = part(&extension, 2);
    size_t type = number(&list, 1);
    struct hello_part host = part(&list, 2);
    size_t size = (size_t)(host.end - host.at);
    if (host.bad || type != 0 || size == 0 || size >= NAME_MOST)
        return BAD;
    memcpy(name, host.at, size);
    name[size] = '\0';
    return GOOD;
}

static enum verdict judge_hello(struct hello_part hello, char name[NAME_MOST])
{
    number(&hello, 2 + 16); /* version and half of the random bytes */
    number(&hello, 16);
    part(&hello, 1); /* session */
    part(&hello, 2); /* ciphers */
    part(&hello, 1); /* compression */
    struct hello_part extensions = part(&hello, 2);
    while (!extensions.bad && extensions.at < extensions.end) {
        size_t type = number(&extensions, 2);
        struct hello_part extension = part(&extensions, 2);
        if (type == 0 && !extension.bad)
            return name_of(extension, name);
    }
    return BAD;
}

static enum verdict judge_tls(const uint8_t *bytes, size_t size,
                              char name[NAME_MOST])
{
    if (size > 0 && bytes[0] != 22)
        return BAD;
    if (size < 5)
        return MORE;
    size_t record = (size_t)bytes[3] << 8 | bytes[4];
    if (bytes[1] != 3 || record > 1 << 14)
        return BAD;
    if (size < 5 + record)
        return MORE;
    struct hello_part r = {bytes + 5, bytes + 5 + record, false};
    if (number(&r, 1) != 1)
        return BAD;
    struct hello_part hello = part(&r, 3);
    return hello.bad ? BAD : judge_hello(hello, name);
}

static bool is_request_line(const char *head)
{
    size_t method = strspn(head, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    size_t line = strcspn(head, "\r");
    return method >= 3 && method <= 16 && head[method] == ' ' &&
           line >= method + 11 && strncmp(head + line - 9, " HTTP/1.", 8) == 0;
}

static enum verdict judge_http(const char *head, size_t size,
                               char name[NAME_MOST])
{
    if (size > 0 && (head[0] < 'A' || head[0] > 'Z'))
        return BAD;
    if (!strstr(head, "\r\n\r\n"))
        return size > 8192 ? BAD : MORE;
    const char *host = strcasestr(head, "\r\nHost: ");
    if (host)
        snprintf(name, NAME_MOST, "%.*s", (int)strcspn(host + 8, "\r"),
                 host + 8);
    return is_request_line(head) ? GOOD : BAD;
}

/* --- Connections ------------------------------------------------------------
 */

struct half {
    int fd;
    char *bytes; /* ROOM and a NUL: read here, not written to the other half */
    size_t size;
    uint64_t since_us; /* when the first of these came */
    bool ended;        /* nothing more comes */
    bool told;         /* and the other half was told */
};

struct passage {
    enum { FREE, LOOKING, CONNECTING, PASSING } state;
    struct half client, server;
    uint64_t begun_us, last_us;
    struct sockaddr_storage original; /* where it was meant to go */
    socklen_t size;                   /* 0: nothing redirected it */
    char to[INET6_ADDRSTRLEN + 8], name[NAME_MOST];
};

static struct {
    enum { TLS, HTTP, ANY, CONNECT } mode;
    uint64_t silent_us, cut_us, idle_us, hold_us;
    struct passage passages[CONNECTIONS];
} box = {.silent_us = 3000000};

static void say(const struct passage *p, const char *what, const char *more)
{
    printf("%s %s %s\n", what, p->to, more);
    fflush(stdout);
}

static void half_close(struct half *h, bool reset)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    if (h->fd < 0)
        return;
    if (reset)
        setsockopt(h->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    close(h->fd);
    free(h->bytes);
    *h = (struct half){.fd = -1};
}

static void passage_close(struct passage *p, bool reset)
{
    half_close(&p->client, reset);
    half_close(&p->server, reset);
    p->state = FREE;
}

static void passage_refuse(struct passage *p)
{
    char hex[2 * 16 + 1] = "";
    for (size_t i = 0; i < p->client.size && i < 16; i++)
        sprintf(hex + 2 * i, "%02x", (unsigned)(uint8_t)p->client.bytes[i]);
    say(p, "reset", hex);
    passage_close(p, true);
}

static struct half half_of(int fd)
{
    int yes = 1;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return (struct half){.fd = fd, .bytes = calloc(1, ROOM + 1)};
}

/* --- Where a connection goes ------------------------------------------------
 */

static void passage_name(struct passage *p, const struct sockaddr *to,
                         socklen_t size)
{
    char host[INET6_ADDRSTRLEN], port[8];
    getnameinfo(to, size, host, sizeof host, port, sizeof port,
                NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(p->to, sizeof p->to,
             to->sa_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

static void find_original(struct passage *p)
{
    p->size = sizeof p->original;
    int fd = p->client.fd;
    if (getsockopt(fd, SOL_IP, TO_ORIGINAL, &p->original, &p->size) != 0 &&
        getsockopt(fd, SOL_IPV6, TO_ORIGINAL, &p->original, &p->size) != 0)
        p->size = 0;
    else
        passage_name(p, (struct sockaddr *)&p->original, p->size);
}

static bool passage_connect(struct passage *p, const struct sockaddr *to,
                            socklen_t size)
{
    int fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    p->server = half_of(fd);
    p->state = CONNECTING;
    passage_name(p, to, size);
    return connect(fd, to, size) == 0 || errno == EINPROGRESS;
}

static bool connect_to_original(struct passage *p)
{
    return p->size > 0 &&
           passage_connect(p, (struct sockaddr *)&p->original, p->size);
}

/* Of a request `CONNECT HOST:PORT HTTP/1.1`. */
static bool connect_to_requested(struct passage *p)
{
    char host[NAME_MOST], port[8];
    struct addrinfo *found, hints = {.ai_socktype = SOCK_STREAM};
    const char *head = p->client.bytes;
    if (sscanf(head, "CONNECT [%255[^]]]:%7[0-9] ", host, port) != 2 &&
        sscanf(head, "CONNECT %255[^: ]:%7[0-9] ", host, port) != 2)
        return false;
    if (getaddrinfo(host, port, &hints, &found) != 0)
        return false;
    bool begun = passage_connect(p, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return begun;
}

/* --- Looking
 * ------------------------------------------------------------------
 */

static enum verdict judge(struct passage *p)
{
    const struct half *c = &p->client;
    switch (box.mode) {
    case TLS:
        return judge_tls((const uint8_t *)c->bytes, c->size, p->name);
    case HTTP:
    case CONNECT:
        return judge_http(c->bytes, c->size, p->name);
    case ANY:
        return GOOD;
    }
    return BAD;
}

/* Takes the request out of what the client sent, and answers. */
static void answer_connect(struct passage *p)
{
    static const char answer[] = "HTTP/1.1 200 Connection established\r\n\r\n";
    struct half *c = &p->client;
    size_t head = (size_t)(strstr(c->bytes, "\r\n\r\n") + 4 - c->bytes);
    c->size -= head;
    memmove(c->bytes, c->bytes + head, c->size + 1);
    if (write(c->fd, answer, sizeof answer - 1) < 0)
        c->ended = true;
}

static void passage_look(struct passage *p)
{
    enum verdict verdict = judge(p);
    if (verdict == MORE && !p->client.ended)
        return;
    bool begun =
        verdict == GOOD && (box.mode == CONNECT ? connect_to_requested(p)
                                                : connect_to_original(p));
    if (!begun)
        passage_refuse(p);
}

static void passage_connected(struct passage *p)
{
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(p->server.fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
        say(p, "unreachable", strerror(error));
        passage_close(p, true);
        return;
    }
    say(p, "pass", p->name);
    if (box.mode == CONNECT)
        answer_connect(p);
    p->state = PASSING;
}

/* --- Passing
 * ------------------------------------------------------------------
 */

static void half_read(struct passage *p, struct half *h)
{
    ssize_t got = read(h->fd, h->bytes + h->size, ROOM - h->size);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got < 0) {
        passage_close(p, true);
        return;
    }
    p->last_us = now_us();
    if (h->size == 0)
        h->since_us = p->last_us;
    h->ended = got == 0;
    h->size += (size_t)got;
    h->bytes[h->size] = '\0';
}

static bool is_held(const struct half *from)
{
    return box.hold_us > 0 && from->size < SEGMENT && !from->ended &&
           now_us() < from->since_us + box.hold_us;
}

static void half_write(struct passage *p, struct half *from, struct half *to)
{
    ssize_t put = write(to->fd, from->bytes, from->size);
    if (put < 0 && errno == EAGAIN)
        return;
    if (put < 0) {
        passage_close(p, true);
        return;
    }
    from->size -= (size_t)put;
    memmove(from->bytes, from->bytes + put, from->size);
    from->since_us = now_us();
}

static void half_tell_end(struct half *from, struct half *to)
{
    if (from->ended && from->size == 0 && !from->told) {
        shutdown(to->fd, SHUT_WR);
        from->told = true;
    }
}

static void passage_pass(struct passage *p)
{
    struct half *c = &p->client, *s = &p->server;
    if (c->size > 0 && !is_held(c))
        half_write(p, c, s);
    if (p->state == PASSING && s->size > 0 && !is_held(s))
        half_write(p, s, c);
    if (p->state != PASSING)
        return;
    half_tell_end(c, s);
    half_tell_end(s, c);
    if (c->told && s->told)
        passage_close(p, false);
}

static bool is_over(const struct passage *p, uint64_t now)
{
    if (p->state == LOOKING)
        return now > p->begun_us + box.silent_us;
    return (box.cut_us > 0 && now > p->begun_us + box.cut_us) ||
           (box.idle_us > 0 && now > p->last_us + box.idle_us);
}

static void passage_end_if_over(struct passage *p, bool all)
{
    if (p->state == FREE || (!all && !is_over(p, now_us())))
        return;
    if (p->state == LOOKING) {
        passage_refuse(p);
        return;
    }
    say(p, "cut", "");
    passage_close(p, true);
}

/* --- The loop
 * -----------------------------------------------------------------
 */

static short wanted(const struct passage *p, const struct half *h,
                    const struct half *other)
{
    if (p->state == FREE)
        return 0;
    if (p->state == CONNECTING)
        return h == &p->server ? POLLOUT : 0;
    bool reads = !h->ended && h->size < ROOM;
    bool writes = p->state == PASSING && other->size > 0 && !is_held(other);
    return (short)((reads ? POLLIN : 0) | (writes ? POLLOUT : 0));
}

/* A half of which nothing is wanted is not polled: its hangup would come again
 * and again. */
static struct pollfd half_poll(const struct passage *p, const struct half *h,
                               const struct half *other)
{
    short events = wanted(p, h, other);
    return (struct pollfd){.fd = events != 0 ? h->fd : -1, .events = events};
}

static void passage_turn(struct passage *p, const struct pollfd *polled)
{
    short failed = POLLERR | POLLHUP;
    if (p->state == CONNECTING && (polled[1].revents & (POLLOUT | failed)))
        passage_connected(p);
    if (p->state != FREE && (polled[0].revents & (POLLIN | failed)) &&
        p->client.size < ROOM)
        half_read(p, &p->client);
    if (p->state == PASSING && (polled[1].revents & (POLLIN | failed)) &&
        p->server.size < ROOM)
        half_read(p, &p->server);
    if (p->state == LOOKING)
        passage_look(p);
    if (p->state == PASSING)
        passage_pass(p);
}

static void accept_one(int listener)
{
    struct passage *p = box.passages;
    while (p < box.passages + CONNECTIONS && p->state != FREE)
        p++;
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return;
    if (p == box.passages + CONNECTIONS) {
        close(fd);
        return;
    }
    *p = (struct passage){.state = LOOKING,
                          .client = half_of(fd),
                          .server.fd = -1,
                          .begun_us = now_us(),
                          .last_us = now_us(),
                          .to = "?"};
    find_original(p);
}

static int listener_open(const char *port)
{
    struct sockaddr_in6 any = {.sin6_family = AF_INET6,
                               .sin6_port = htons((uint16_t)atoi(port))};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1, no = 0;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
    if (bind(fd, (void *)&any, sizeof any) != 0 || listen(fd, 64) != 0)
        fail("port %s: %s", port, strerror(errno));
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static void turn(int listener)
{
    struct pollfd polled[1 + 2 * CONNECTIONS] = {{listener, POLLIN, 0}};
    for (size_t i = 0; i < CONNECTIONS; i++) {
        struct passage *p = &box.passages[i];
        struct half *c = &p->client, *s = &p->server;
        polled[1 + 2 * i] = half_poll(p, c, s);
        polled[2 + 2 * i] = half_poll(p, s, c);
    }
    if (poll(polled, 1 + 2 * CONNECTIONS, box.hold_us > 0 ? 5 : 50) < 0)
        return;
    for (size_t i = 0; i < CONNECTIONS; i++)
        if (box.passages[i].state != FREE)
            passage_turn(&box.passages[i], polled + 1 + 2 * i);
    if (polled[0].revents)
        accept_one(listener);
}

static volatile sig_atomic_t cut_all;

static void on_user(int number_of_signal)
{
    (void)number_of_signal;
    cut_all = 1;
}

static void options_parse(char **words)
{
    static const struct {
        const char *name;
        uint64_t *value;
    } known[] = {{"--silent", &box.silent_us},
                 {"--cut", &box.cut_us},
                 {"--idle", &box.idle_us},
                 {"--hold", &box.hold_us}};
    for (; *words; words += 2) {
        size_t i = 0;
        while (i < 4 && strcmp(*words, known[i].name) != 0)
            i++;
        if (i == 4 || !words[1])
            fail("%s: not understood", *words);
        *known[i].value = strtoull(words[1], NULL, 10) * 1000;
    }
}

int main(int argc, char **words)
{
    static const char *const modes[] = {"tls", "http", "any", "connect"};
    if (argc < 3)
        fail("middlebox PORT tls|http|any|connect [options]");
    while (box.mode < 4 && strcmp(words[2], modes[box.mode]) != 0)
        box.mode++;
    if (box.mode == 4)
        fail("%s: not understood", words[2]);
    options_parse(words + 3);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGUSR1, on_user);
    int listener = listener_open(words[1]);
    for (;;) {
        turn(listener);
        bool all = cut_all;
        cut_all = 0;
        for (size_t i = 0; i < CONNECTIONS; i++)
            passage_end_if_over(&box.passages[i], all);
    }
}
