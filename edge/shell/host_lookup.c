#include "edge/shell/host_lookup.h"

#include "common/base/memory.h"
#include "common/io/sockaddr.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct host_lookup {
    uv_getaddrinfo_t request;
    struct host_lookup **place; /* the caller's pointer; NULL: cancelled */
    uint16_t port;
    host_lookup_done *done;
    void *context;
};

static size_t collect(const struct addrinfo *found, uint16_t port,
                      struct address *list)
{
    size_t count = 0;

    for (; found != NULL && count < HOST_LOOKUP_ADDRESSES;
         found = found->ai_next) {
        struct address a = address_of_sockaddr(found->ai_addr);
        a.port = port;
        if (a.family != ADDRESS_NONE)
            list[count++] = a;
    }
    return count;
}

static void on_found(uv_getaddrinfo_t *request, int status,
                     struct addrinfo *found)
{
    struct host_lookup *l = request->data;
    struct address list[HOST_LOOKUP_ADDRESSES];
    size_t count = status == 0 ? collect(found, l->port, list) : 0;

    uv_freeaddrinfo(found);
    if (l->place != NULL) {
        *l->place = NULL;
        l->done(l->context, list, count,
                status != 0 ? uv_strerror(status) : "no address");
    }
    free(l);
}

void host_lookup_start(struct host_lookup **lookup, uv_loop_t *loop,
                       const char *host, uint16_t port, host_lookup_done *done,
                       void *context)
{
    struct address number;

    *lookup = NULL;
    if (address_of_ip(host, port, &number)) {
        done(context, &number, 1, "");
        return;
    }

    static const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                          .ai_socktype = SOCK_STREAM,
                                          .ai_flags = AI_ADDRCONFIG};
    struct host_lookup *l = memory_new(sizeof *l);
    *l = (struct host_lookup){
        .place = lookup, .port = port, .done = done, .context = context};
    l->request.data = l;
    int status =
        uv_getaddrinfo(loop, &l->request, on_found, host, NULL, &hints);
    if (status != 0) {
        free(l);
        done(context, NULL, 0, uv_strerror(status));
        return;
    }
    *lookup = l;
}

void host_lookup_cancel(struct host_lookup **lookup)
{
    struct host_lookup *l = *lookup;

    if (l == NULL)
        return;
    *lookup = NULL;
    l->place = NULL;
    uv_cancel((uv_req_t *)&l->request);
}
