#include "tests/adversary/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

uint64_t attack_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void attack_sleep_until(uint64_t ms)
{
    uint64_t now = attack_now_ms();
    if (ms > now)
        (void)poll(NULL, 0, (int)(ms - now));
}

bool target_parse(const char *text, struct target *t)
{
    char host[32];
    const char *colon = strrchr(text, ':');
    struct in_addr ip;

    if (text[0] == '/') {
        t->unix_path = text;
        return true;
    }
    if (colon == NULL || (size_t)(colon - text) >= sizeof host)
        return false;
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = '\0';
    long port = strtol(colon + 1, NULL, 10);
    if (inet_pton(AF_INET, host, &ip) != 1 || port < 1 || port > UINT16_MAX)
        return false;
    t->ip = ntohl(ip.s_addr);
    t->port = (uint16_t)port;
    return true;
}

static struct sockaddr_in address_of(uint32_t ip, uint16_t port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons(port),
                                .sin_addr = {htonl(ip)}};
}

static int open_unix(const struct target *t)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", t->unix_path);
    if (fd >= 0 && connect(fd, (void *)&address, sizeof address) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Binds to 127.1.0.1, 127.1.0.2...: the target takes them for different hosts.
 */
static void bind_to_another(int fd, const struct target *t, unsigned number)
{
    if (t->spread == 0)
        return;
    unsigned n = number % t->spread;
    struct sockaddr_in from =
        address_of(0x7f010001U + n % 250 + (n / 250 << 8), 0);
    int one = 1;
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    (void)bind(fd, (void *)&from, sizeof from);
}

int socket_open(const struct target *t, unsigned number, int within_ms)
{
    if (t->unix_path != NULL)
        return open_unix(t);
    struct sockaddr_in to = address_of(t->ip, t->port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    bind_to_another(fd, t, number);
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    int error = 0;
    socklen_t size = sizeof error;
    if (connect(fd, (void *)&to, sizeof to) == 0)
        return fd;
    if (errno == EINPROGRESS &&
        socket_wait(fd, true, attack_now_ms() + (uint64_t)within_ms) &&
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0)
        return fd;
    close(fd);
    return -1;
}

int socket_listen(const struct target *t)
{
    struct sockaddr_in at = address_of(t->ip, t->port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int one = 1;

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (void *)&at, sizeof at) == 0 && listen(fd, 64) == 0)
        return fd;
    close(fd);
    return -1;
}

int socket_accept(int listener, uint64_t deadline)
{
    if (!socket_wait(listener, false, deadline))
        return -1;
    return accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

ssize_t socket_write(int fd, const void *bytes, size_t size)
{
    ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    return n;
}

ssize_t socket_read(int fd, void *bytes, size_t size)
{
    ssize_t n = recv(fd, bytes, size, MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    return n == 0 ? -1 : n;
}

bool socket_wait(int fd, bool to_write, uint64_t deadline)
{
    struct pollfd polled = {.fd = fd, .events = to_write ? POLLOUT : POLLIN};
    uint64_t now = attack_now_ms();

    return poll(&polled, 1, deadline > now ? (int)(deadline - now) : 0) > 0;
}

bool socket_is_cut(int fd)
{
    static uint8_t away[64 * 1024];
    ssize_t n;

    while ((n = socket_read(fd, away, sizeof away)) > 0)
        ;
    return n < 0;
}

void socket_abort(int fd)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
}
