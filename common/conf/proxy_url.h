/*
 * proxy_url - the URL of a proxy, with a user and password where it wants them.
 *
 *     http://[USER:PASSWORD@]HOST:PORT      CONNECT
 *     https://...                           CONNECT, in TLS up to the proxy
 *     socks4:// socks4a:// socks5:// socks5h://
 *
 * socks4a and socks5h have the proxy resolve the name of the relay, as CONNECT
 * does; for socks4 and socks5 this host resolves it. Characters of the user and
 * password that are special in URLs are percent-encoded.
 */
#ifndef COMMON_CONF_PROXY_URL_H
#define COMMON_CONF_PROXY_URL_H

#include "common/base/assert.h"
#include "common/conf/endpoint.h"

enum proxy_scheme {
    PROXY_HTTP,
    PROXY_HTTPS,
    PROXY_SOCKS4,
    PROXY_SOCKS4A,
    PROXY_SOCKS5,
    PROXY_SOCKS5H,
    PROXY_SCHEMES,
};

enum {
    PROXY_WORD_SIZE = 256, /* of a user or password, with the NUL */
    PROXY_URL_SIZE = 280,  /* of the text that proxy_url_print writes */
};

/* The caller wipes it where it is done with the password. */
struct proxy_url {
    enum proxy_scheme scheme;
    struct endpoint at;
    bool has_user;
    char user[PROXY_WORD_SIZE];     /* decoded */
    char password[PROXY_WORD_SIZE]; /* decoded; "": none */
};

enum proxy_url_form {
    PROXY_URL_FILE, /* scheme and port are wanted */
    /* As programs take it from the environment: without a scheme it is http;
     * without a port 80, 443, or 1080 for SOCKS. */
    PROXY_URL_ENVIRONMENT,
};

/* Returns NULL, or what is wrong as the end of a sentence ("wants a port behind
 * the host"), which has no part of the text. */
const char *proxy_url_parse(const char *text, enum proxy_url_form form,
                            struct proxy_url *url) MUST_USE;

/* Writes "http://HOST:PORT": no user, no password. Returns `text`. */
const char *proxy_url_print(const struct proxy_url *url,
                            char text[PROXY_URL_SIZE]);

/* "http", "socks5h". */
const char *proxy_scheme_name(enum proxy_scheme scheme);
/* Whether the proxy is asked by CONNECT; and whether it resolves names. */
bool proxy_scheme_is_http(enum proxy_scheme scheme);
bool proxy_scheme_resolves(enum proxy_scheme scheme);

#endif
