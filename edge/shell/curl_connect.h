/*
 * curl_connect - makes a connection that carries bytes, through TLS and
 * proxies, by libcurl.
 *
 * It blocks, so it runs on a thread of its own: a proxy's Negotiate asks a
 * Kerberos server, and reading the host's certificates takes some 30 ms. It
 * resolves no name: the caller gives it the addresses, and a socket that is
 * connected to the first host on the way. The bytes of the connection may then
 * be read and written on another thread.
 */
#ifndef EDGE_SHELL_CURL_CONNECT_H
#define EDGE_SHELL_CURL_CONNECT_H

#include "common/conf/proxy_url.h"
#include "edge/core/node.h"
#include "edge/shell/timed_io.h"

#include <sys/types.h>

enum {
    CURL_NAME_SIZE = ENDPOINT_HOST_SIZE,
    CURL_DETAIL_SIZE = 256, /* CURL_ERROR_SIZE */
};

struct curl_ask {
    char host[CURL_NAME_SIZE]; /* to connect to; without brackets */
    uint16_t port;
    bool tls;
    char name[CURL_NAME_SIZE]; /* in TLS; "": the host's */
    bool verify;               /* the host's certificate; a proxy's always is */
    char authorities[256];     /* a file of certificates; "": the system's */
    bool has_proxy;
    struct proxy_url proxy;
    int fd; /* connected to the proxy, else to the host; taken over */
    struct address first; /* whose address it has */
    /* The host's address, where a proxy does not resolve names; else NONE. */
    struct address target;
    struct io_limit limit;
};

/* Opaque; NULL: closed. */
struct curl_connection;

struct curl_result {
    struct curl_connection *connection; /* NULL: `why` */
    enum link_failure why;
    char detail[CURL_DETAIL_SIZE]; /* libcurl's words, for a log */
    bool has_certificate;          /* the host's */
    uint8_t certificate[32];       /* its SHA-256 */
};

/* From any thread. Wipes the proxy's user and password in `ask`. */
void curl_connect(struct curl_ask *ask, struct curl_result *result);

/* The descriptor to wait for. */
int curl_connection_fd(const struct curl_connection *c);
/* > 0: so many bytes; 0: none now; -1: the connection is over. Bytes may wait
 * inside while the descriptor is silent: read until it returns 0. */
ssize_t curl_connection_read(struct curl_connection *c, uint8_t *room,
                             size_t size);
/* The same for writing. After 0 the next call must have the same bytes at the
 * same place, perhaps more behind them: TLS may have sealed a part. */
ssize_t curl_connection_write(struct curl_connection *c, const uint8_t *data,
                              size_t size);
void curl_connection_close(struct curl_connection **self);

#endif
