#include "edge/shell/timed_io.h"

#include "common/io/clock.h"
#include "common/io/sockaddr.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

struct io_limit io_limit_within(const struct io_limit *l, struct span most)
{
    return (struct io_limit){
        .until = instant_min(l->until, instant_after(clock_now(), most)),
        .cancel = l->cancel};
}

bool io_is_over(const struct io_limit *l)
{
    struct pollfd cancel = {.fd = l->cancel, .events = POLLIN};

    return instant_reached(l->until, clock_now()) || poll(&cancel, 1, 0) != 0;
}

bool io_wait(const struct io_limit *l, int fd, short events)
{
    struct pollfd both[2] = {{.fd = fd, .events = events},
                             {.fd = l->cancel, .events = POLLIN}};

    for (;;) {
        struct span left = span_min(instant_between(clock_now(), l->until),
                                    span_s(60)); /* poll takes an int */
        if (left.us <= 0)
            return false;
        int count = poll(both, 2, (int)((left.us + 999) / 1000));
        if (count < 0 && errno != EINTR)
            return false;
        if (count > 0 && both[1].revents != 0)
            return false;
        if (count > 0)
            return true;
    }
}

static bool is_connected(const struct io_limit *l, int fd)
{
    int error = 0;
    socklen_t size = sizeof error;

    return io_wait(l, fd, POLLOUT) &&
           getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 &&
           error == 0;
}

int io_connect(const struct io_limit *l, const struct address *to)
{
    struct sockaddr_storage address;
    socklen_t size = sockaddr_of_address(to, &address);
    int fd = socket(address.ss_family,
                    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&address, size) == 0 ||
        (errno == EINPROGRESS && is_connected(l, fd)))
        return fd;
    close(fd);
    return -1;
}

static bool is_for_later(ssize_t result)
{
    return result < 0 && (errno == EAGAIN || errno == EINTR);
}

bool io_send(const struct io_limit *l, int fd, struct bytes bytes)
{
    while (bytes.size > 0) {
        ssize_t sent = send(fd, bytes.data, bytes.size, MSG_NOSIGNAL);
        if (sent > 0)
            bytes = bytes_of(bytes.data + sent, bytes.size - (size_t)sent);
        else if (!is_for_later(sent) || !io_wait(l, fd, POLLOUT))
            return false;
    }
    return true;
}

ssize_t io_receive(const struct io_limit *l, int fd, void *to, size_t size)
{
    for (;;) {
        if (!io_wait(l, fd, POLLIN))
            return -1;
        ssize_t received = recv(fd, to, size, MSG_DONTWAIT);
        if (!is_for_later(received))
            return received;
    }
}
