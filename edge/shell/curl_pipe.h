/*
 * curl_pipe - a byte_pipe through TLS, a proxy, or both.
 *
 * tcp_pipe connects to the proxy or the host; a thread of its own has libcurl
 * do the rest (curl_connect); then the loop reads and writes. The pipe keeps at
 * most 64 KiB that were written to it.
 *
 * It ends with one of these if it never opened, 4 s after it began at the
 * latest, and with LINK_BROKEN afterwards:
 *
 *     LINK_NAMELESS        the name of the host or the proxy does not resolve
 *     LINK_REFUSED, LINK_TIMEOUT, LINK_UNREACHABLE
 *     LINK_TLS             TLS failed, or a certificate that is checked
 *     LINK_PROXY_AUTH      the proxy wants a user and password, or others
 *     LINK_PROXY_REFUSED   it does not connect to that host or port
 *     LINK_CAPTIVE_PORTAL  it answers by a redirect or by status 511
 */
#ifndef EDGE_SHELL_CURL_PIPE_H
#define EDGE_SHELL_CURL_PIPE_H

#include "common/conf/proxy_url.h"
#include "edge/shell/byte_pipe.h"

#include <uv.h>

/* All is copied. */
struct curl_pipe_conf {
    const char
        *host; /* to connect to: a name, or an address without brackets */
    uint16_t port;
    bool tls;
    /* The name in TLS, NULL: the host's. An address is not sent [P-14.3]. */
    const char *name;
    bool verify; /* the host's certificate; a proxy's is always checked */
    /* A file of the certificates to trust; NULL: the system's. */
    const char *authorities;
    const struct proxy_url *proxy; /* NULL: none */
};

/* Never NULL. A pipe that is closed while libcurl still connects may keep the
 * loop running until a Kerberos server has answered; else it stops at once. */
struct byte_pipe *curl_pipe_open(uv_loop_t *loop,
                                 const struct curl_pipe_conf *conf,
                                 const struct byte_pipe_user *user);

#endif
