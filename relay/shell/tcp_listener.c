#include "relay/shell/tcp_listener.h"

#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/conf/endpoint.h"
#include "common/io/sockaddr.h"

/* Connections in the kernel's accept queue: their handshakes all begin at once.
 * Clients beyond these wait and try again. */
enum { BACKLOG = 256 };

static bool address_of_interface(const char *name, uint16_t port,
                                 struct address *address)
{
    struct ifaddrs *all = NULL;
    address->family = ADDRESS_NONE;
    if (getifaddrs(&all) != 0)
        return false;
    for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
        if (address->family == ADDRESS_NONE && i->ifa_addr != NULL &&
            strcmp(i->ifa_name, name) == 0)
            *address = address_of_sockaddr(i->ifa_addr);
    }
    freeifaddrs(all);
    address->port = port;
    return address->family != ADDRESS_NONE;
}

/* False with errno. */
static bool resolve(const struct endpoint *e, struct address *address)
{
    const char *host = strcmp(e->host, "*") == 0 ? "::" : e->host;
    if (address_of_ip(host, e->port, address) ||
        address_of_interface(host, e->port, address))
        return true;
    errno = ENODEV;
    return false;
}

/* -1 with errno. */
static int open_socket(const struct address *here)
{
    struct sockaddr_storage at;
    socklen_t size = sockaddr_of_address(here, &at);
    int yes = 1;
    int no = 0;
    int fd =
        socket(at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (here->family == ADDRESS_V6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
    if (bind(fd, (struct sockaddr *)&at, size) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* "*" means both families, or IPv4 where the system has no IPv6. */
static int open_endpoint(const struct endpoint *e)
{
    struct address here;
    if (!resolve(e, &here))
        return -1;
    bool all = strcmp(e->host, "*") == 0;
    int fd = open_socket(&here);
    if (fd >= 0 || !all || errno != EAFNOSUPPORT)
        return fd;
    here = (struct address){.family = ADDRESS_V4, .port = e->port};
    return open_socket(&here);
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage at;
    socklen_t size = sizeof at;
    if (getsockname(fd, (struct sockaddr *)&at, &size) != 0)
        return 0;
    return address_of_sockaddr((struct sockaddr *)&at).port;
}

int tcp_listener_open(const char *endpoint,
                      char bound[static LISTENER_TEXT_SIZE])
{
    struct endpoint e;
    if (endpoint_parse(endpoint, ENDPOINT_LISTEN, &e) != NULL) {
        errno = EINVAL;
        return -1;
    }
    int fd = open_endpoint(&e);
    if (fd >= 0)
        snprintf(bound, LISTENER_TEXT_SIZE,
                 strchr(e.host, ':') ? "tcp://[%s]:%u" : "tcp://%s:%u", e.host,
                 port_of(fd));
    return fd;
}
