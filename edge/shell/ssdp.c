#include "edge/shell/ssdp.h"

#include "common/io/clock.h"
#include "common/io/sockaddr.h"
#include "common/wire/http_head.h"
#include "common/wire/http_reply.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SSDP_PORT = 1900, TTL = 2, ROUNDS = 2 };
static const struct span round_wait = {800 * 1000};
static const uint8_t group_ip[4] = {239, 255, 255, 250};
static const char *const targets[] = {
    "urn:schemas-upnp-org:device:InternetGatewayDevice:1",
    "urn:schemas-upnp-org:device:InternetGatewayDevice:2",
};

/* ---- URLs */

static bool take_number(struct bytes *text, unsigned most, unsigned *value)
{
    size_t at = 0;

    *value = 0;
    for (; at < text->size && text->data[at] >= '0' && text->data[at] <= '9';
         at++) {
        *value = *value * 10 + text->data[at] - (unsigned)'0';
        if (*value > most)
            return false;
    }
    *text = bytes_of(text->data + at, text->size - at);
    return at > 0;
}

static bool take_text(struct bytes *text, const char *what)
{
    size_t size = strlen(what);

    if (text->size < size || !http_same(bytes_of(text->data, size), what))
        return false;
    *text = bytes_of(text->data + size, text->size - size);
    return true;
}

static bool take_ip(struct bytes *text, struct address *a)
{
    unsigned part;

    *a = (struct address){.family = ADDRESS_V4};
    for (int i = 0; i < 4; i++) {
        if ((i > 0 && !take_text(text, ".")) || !take_number(text, 255, &part))
            return false;
        a->ip[i] = (uint8_t)part;
    }
    return true;
}

/* The path becomes part of a request, so nothing may end its line. */
static bool take_path(struct bytes text, char path[ROUTER_PATH_SIZE])
{
    if (text.size == 0)
        text = bytes_of_string("/");
    if (text.size >= ROUTER_PATH_SIZE || text.data[0] != '/')
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] <= ' ' || text.data[i] > '~')
            return false;
    memcpy(path, text.data, text.size);
    path[text.size] = '\0';
    return true;
}

bool router_url_parse(struct bytes text, const struct address *router,
                      struct router_url *url)
{
    unsigned port = 80;

    if (!take_text(&text, "http://") || !take_ip(&text, &url->address) ||
        !address_same_ip(&url->address, router))
        return false;
    if (take_text(&text, ":") && !take_number(&text, 65535, &port))
        return false;
    url->address.port = (uint16_t)port;
    return port != 0 && take_path(text, url->path);
}

const char *router_url_print(const struct router_url *url,
                             char text[ROUTER_URL_SIZE])
{
    char address[ADDRESS_TEXT_SIZE];

    snprintf(text, ROUTER_URL_SIZE, "http://%s%s",
             address_format(&url->address, address), url->path);
    return text;
}

/* ---- The search */

static int open_socket(const struct gateway *g)
{
    struct sockaddr_storage self;
    socklen_t size = sockaddr_of_address(&g->self, &self);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct ip_mreqn out = {.imr_ifindex = (int)g->interface};
    const int ttl = TTL;

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof ttl);
    (void)setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &out, sizeof out);
    if (bind(fd, (struct sockaddr *)&self, size) == 0)
        return fd;
    close(fd);
    return -1;
}

static void send_one(int fd, const uint8_t ip[4], const char *target)
{
    struct address to = {.family = ADDRESS_V4, .port = SSDP_PORT};
    struct sockaddr_storage address;
    char text[300];

    memcpy(to.ip, ip, 4);
    socklen_t size = sockaddr_of_address(&to, &address);
    int length = snprintf(text, sizeof text,
                          "M-SEARCH * HTTP/1.1\r\n"
                          "HOST: 239.255.255.250:1900\r\n"
                          "MAN: \"ssdp:discover\"\r\n"
                          "MX: 1\r\n"
                          "ST: %s\r\n\r\n",
                          target);
    /* One that gets lost is sent again in the next round. */
    (void)sendto(fd, text, (size_t)length, 0, (struct sockaddr *)&address,
                 size);
}

static bool is_from(const struct sockaddr_storage *from,
                    const struct address *router)
{
    struct address a = address_of_sockaddr((const struct sockaddr *)from);

    return address_same_ip(&a, router);
}

static bool read_place(uint8_t *datagram, size_t size, const struct gateway *g,
                       struct router_url *url)
{
    struct http_reply reply;
    struct bytes value;

    return http_reply_read(datagram, size, true, &reply) == HTTP_REPLY_WHOLE &&
           reply.status == 200 && http_reply_field(&reply, "st", &value) &&
           (http_same(value, targets[0]) || http_same(value, targets[1])) &&
           http_reply_field(&reply, "location", &value) &&
           router_url_parse(value, &g->router, url);
}

/* Others may answer as well, and without end: the limit counts for all. */
static bool receive(int fd, const struct gateway *g, const struct io_limit *l,
                    struct router_url *url)
{
    struct sockaddr_storage from;
    uint8_t datagram[2048];

    while (io_wait(l, fd, POLLIN)) {
        socklen_t from_size = sizeof from;
        ssize_t size = recvfrom(fd, datagram, sizeof datagram, 0,
                                (struct sockaddr *)&from, &from_size);
        if (size > 0 && is_from(&from, &g->router) &&
            read_place(datagram, (size_t)size, g, url))
            return true;
    }
    return false;
}

bool ssdp_find(const struct gateway *g, const struct io_limit *l,
               struct router_url *url)
{
    int fd = open_socket(g);
    bool found = false;

    for (int i = 0; i < ROUNDS && fd >= 0 && !found && !io_is_over(l); i++) {
        struct io_limit wait = io_limit_within(l, round_wait);
        for (size_t t = 0; t < sizeof targets / sizeof targets[0]; t++) {
            send_one(fd, group_ip, targets[t]);
            send_one(fd, g->router.ip, targets[t]);
        }
        found = receive(fd, g, &wait, url);
    }
    if (fd >= 0)
        close(fd);
    return found;
}
