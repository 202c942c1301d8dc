/*
 * http_gate - decides which HTTP requests the edge serves. No I/O.
 *
 * Every user of the host can connect to a TCP port on loopback, a browser sends
 * requests for any web page, and a proxy may forward requests from the
 * Internet. So the API always requires the token, or a cookie that the edge
 * derived from the token for a browser. The first line that applies decides:
 *
 *   the right token         allowed
 *   a wrong token           refused
 *   the edge's cookie       allowed, if Origin is the edge's own page
 *   forwarded by a proxy    refused: it may come from anywhere
 *   not on loopback         refused
 *   Host: another name      refused: an attacker's DNS name may resolve to this
 *                           address (DNS rebinding); addresses of this host,
 *                           and localhost, are allowed
 *   Origin: another page    refused
 *   the API                 refused
 *   all else                allowed: the static pages, and metrics
 *
 * A browser sends a cookie to every port of the host. So the cookie's name
 * contains the port, and its value is a hash of token, host and port. A page
 * from another port can make the browser send the cookie, but its Origin gives
 * it away.
 */
#ifndef EDGE_SHELL_HTTP_GATE_H
#define EDGE_SHELL_HTTP_GATE_H

#include "common/base/address.h"
#include "common/wire/http_head.h"

enum {
    HTTP_TOKEN_SIZE = 2 * 32 + 1, /* hexadecimal digits and a NUL */
    HTTP_COOKIE_SIZE = 32,
};

struct http_gate {
    char token[HTTP_TOKEN_SIZE];
    struct address listen; /* where the server listens, with its port */
};

enum http_verdict {
    HTTP_PASS,
    HTTP_WRONG_TOKEN,
    HTTP_NO_TOKEN,
    HTTP_FORWARDED,
    HTTP_FOREIGN_HOST,
    HTTP_FOREIGN_ORIGIN,
};

/* `api`: the request is for the API. Sets *by_query if the token came in the
 * URL, from which the caller should redirect. */
enum http_verdict http_gate_judge(const struct http_gate *gate,
                                  const struct http_head *head, bool api,
                                  bool *by_query) MUST_USE;

/* The cookie's name, and its value for a browser that used this Host. The value
 * is as long as a token. */
void http_gate_cookie_name(const struct http_gate *gate,
                           char name[HTTP_COOKIE_SIZE]);
void http_gate_cookie_value(const struct http_gate *gate, struct bytes host,
                            char value[HTTP_TOKEN_SIZE]);

/* "wrong_token", for the log. */
const char *http_verdict_name(enum http_verdict verdict);

#endif
