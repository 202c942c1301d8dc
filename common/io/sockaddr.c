#include "common/io/sockaddr.h"

#include <string.h>

static struct address of_v4(const struct sockaddr *from)
{
    struct sockaddr_in in;
    struct address a = {.family = ADDRESS_V4};

    memcpy(&in, from, sizeof in);
    memcpy(a.ip, &in.sin_addr, 4);
    a.port = ntohs(in.sin_port);
    return a;
}

static struct address of_v6(const struct sockaddr *from)
{
    struct sockaddr_in6 in;
    struct address a = {.family = ADDRESS_V6};

    memcpy(&in, from, sizeof in);
    a.port = ntohs(in.sin6_port);
    if (IN6_IS_ADDR_V4MAPPED(&in.sin6_addr)) {
        a.family = ADDRESS_V4;
        memcpy(a.ip, in.sin6_addr.s6_addr + 12, 4);
        return a;
    }
    memcpy(a.ip, &in.sin6_addr, 16);
    if (IN6_IS_ADDR_LINKLOCAL(&in.sin6_addr))
        a.scope = in.sin6_scope_id;
    return a;
}

struct address address_of_sockaddr(const struct sockaddr *from)
{
    if (from->sa_family == AF_INET)
        return of_v4(from);
    if (from->sa_family == AF_INET6)
        return of_v6(from);
    return (struct address){.family = ADDRESS_NONE};
}

socklen_t sockaddr_of_address(const struct address *a,
                              struct sockaddr_storage *to)
{
    memset(to, 0, sizeof *to);
    if (a->family == ADDRESS_V4) {
        struct sockaddr_in in = {.sin_family = AF_INET,
                                 .sin_port = htons(a->port)};
        memcpy(&in.sin_addr, a->ip, 4);
        memcpy(to, &in, sizeof in);
        return sizeof in;
    }
    if (a->family == ADDRESS_V6) {
        struct sockaddr_in6 in = {.sin6_family = AF_INET6,
                                  .sin6_port = htons(a->port),
                                  .sin6_scope_id = a->scope};
        memcpy(&in.sin6_addr, a->ip, 16);
        memcpy(to, &in, sizeof in);
        return sizeof in;
    }
    return 0;
}

struct address address_of_peer(int fd)
{
    struct sockaddr_storage from = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof from;

    if (fd < 0 || getpeername(fd, (struct sockaddr *)&from, &size) != 0)
        return (struct address){.family = ADDRESS_NONE};
    return address_of_sockaddr((const struct sockaddr *)&from);
}
