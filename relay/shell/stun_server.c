#include "relay/shell/stun_server.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/base/memory.h"
#include "common/base/source_pace.h"
#include "common/conf/endpoint.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "common/io/sockaddr.h"
#include "common/io/udp.h"
#include "common/wire/stun.h"

/* [P-10.3]. An edge asks two ports some times a minute, and hundreds of edges
 * may share a NAT's address. */
static const struct span network_each = {30 * 1000};
static const struct span all_each = {100};
enum { NETWORK_BURST = 64, ALL_BURST = 2000 };

/* Of one endpoint an address of each family, of a name perhaps more. */
enum { SOCKETS = 64 };

struct stun_socket {
    struct stun_server *server;
    struct udp *udp;
    struct address here; /* its endpoint; zeros: all addresses of the family */
};

struct stun_server {
    uv_loop_t *loop;
    size_t count;
    struct stun_socket sockets[SOCKETS];
    struct token_bucket all;
    struct source_pace networks;
};

static bool may_answer(struct stun_server *s, const struct address *source)
{
    struct instant now = clock_now();
    return source_pace_takes(&s->networks, source, now) &&
           token_bucket_takes(&s->all, now, all_each, ALL_BURST);
}

/* Whether the socket also receives what is sent to this address. */
static bool hears(const struct stun_socket *socket, const struct address *to)
{
    static const uint8_t all[sizeof to->ip];

    return socket->here.family == to->family &&
           (memcmp(socket->here.ip, all, sizeof all) == 0 ||
            address_same_ip(&socket->here, to));
}

/* A socket at the same address and another port; NULL: there is none. */
static struct stun_socket *second_of(struct stun_server *s,
                                     const struct stun_socket *first,
                                     const struct address *to)
{
    for (size_t i = 0; i < s->count; i++)
        if (hears(&s->sockets[i], to) &&
            udp_port(s->sockets[i].udp) != udp_port(first->udp))
            return &s->sockets[i];
    return NULL;
}

/* Answers a request for two answers with two [P-10.4]. */
static bool answer_twice(struct stun_socket *socket, const struct stun_id *id,
                         const struct udp_datagram *d)
{
    uint8_t room[STUN_TWO_RESPONSE_SIZE];
    struct stun_socket *second;

    if (!stun_asks_two_ports(d->bytes, &d->from) ||
        (second = second_of(socket->server, socket, &d->to)) == NULL ||
        !may_answer(socket->server, &d->from))
        return false;
    struct bytes response =
        stun_write_two_response(id, &d->from, udp_port(second->udp), room);
    (void)udp_send(socket->udp, &d->from, response, 0, &d->to);
    (void)udp_send(second->udp, &d->from, response, 0, &d->to);
    return true;
}

/* A client takes an answer only from the address that it asked [P-10.1]. */
static void on_datagram(void *context, const struct udp_datagram *d)
{
    struct stun_socket *socket = context;
    uint8_t response[STUN_RESPONSE_SIZE];
    struct stun_id id;
    if (!stun_read_request(d->bytes, &id) || d->from.port == 0 ||
        !may_answer(socket->server, &d->from) || answer_twice(socket, &id, d))
        return;
    (void)udp_send(socket->udp, &d->from,
                   stun_write_response(&id, &d->from, response), 0, &d->to);
}

/* False with errno. */
static bool listen_on(struct stun_server *s, const struct address *here)
{
    struct stun_socket *socket = &s->sockets[s->count];
    if (s->count == SOCKETS) {
        errno = ENOBUFS;
        return false;
    }
    *socket = (struct stun_socket){.server = s, .here = *here};
    socket->udp = udp_open(s->loop, here, false, on_datagram, socket);
    s->count += socket->udp != NULL;
    return socket->udp != NULL;
}

static void tell_failed(const char *endpoint, const char *error)
{
    log_warn("stun_listen_failed", "endpoint=%s error=\"%s\"", endpoint, error);
}

/* A host may lack one family. */
static void listen_all(struct stun_server *s, const char *endpoint,
                       const struct addrinfo *found)
{
    size_t before = s->count;
    for (const struct addrinfo *a = found; a != NULL; a = a->ai_next) {
        struct address here = address_of_sockaddr(a->ai_addr);
        if (!listen_on(s, &here) && errno != EAFNOSUPPORT)
            tell_failed(endpoint, strerror(errno));
    }
    if (s->count > before)
        log_info("stun_listening", "endpoint=%s sockets=%zu", endpoint,
                 s->count - before);
}

static void open_endpoint(struct stun_server *s, const char *endpoint)
{
    const struct addrinfo hints = {.ai_flags = AI_PASSIVE,
                                   .ai_socktype = SOCK_DGRAM};
    struct addrinfo *found = NULL;
    struct endpoint e;
    char port[8];
    const char *wrong = endpoint_parse(endpoint, ENDPOINT_LISTEN, &e);
    if (wrong != NULL) {
        tell_failed(endpoint, wrong);
        return;
    }
    snprintf(port, sizeof port, "%u", e.port);
    int error = getaddrinfo(strcmp(e.host, "*") == 0 ? NULL : e.host, port,
                            &hints, &found);
    if (error != 0)
        tell_failed(endpoint, gai_strerror(error));
    else
        listen_all(s, endpoint, found);
    if (found != NULL)
        freeaddrinfo(found);
}

struct stun_server *stun_server_open(uv_loop_t *loop,
                                     const struct conf_list *endpoints)
{
    struct stun_server *s = memory_new(sizeof *s);
    uint8_t key[SOURCE_PACE_KEY_SIZE];
    s->loop = loop;
    randombytes_buf(key, sizeof key);
    source_pace_init(&s->networks, network_each, NETWORK_BURST, key);
    for (size_t i = 0; i < endpoints->count; i++)
        open_endpoint(s, endpoints->items[i]);
    return s;
}

uint16_t stun_server_port(const struct stun_server *s)
{
    return s->count > 0 ? udp_port(s->sockets[0].udp) : 0;
}

void stun_server_close(struct stun_server **self)
{
    struct stun_server *s = *self;
    if (s == NULL)
        return;
    *self = NULL;
    for (size_t i = 0; i < s->count; i++)
        udp_close(&s->sockets[i].udp);
    free(s);
}
