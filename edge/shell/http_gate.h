/*
 * http_gate - who may use the edge by HTTP: a decision, without any I/O.
 *
 * Every user of the host reaches a TCP port on loopback, a browser carries out
 * what any page asks of it, and a proxy brings the Internet here. So the API
 * always wants the token, and the pages' browser keeps a proof of it as a
 * cookie:
 *
 *   it brings the token     in; with a wrong one it is refused anywhere
 *   the edge's cookie       in, if the page that asks is the edge's own
 *   it came by a proxy      refused: it may come from anywhere
 *   not on loopback         refused
 *   Host: some name         refused: a name of somebody's may be made to point
 *                           here (DNS rebinding); an address here, or
 *                           localhost, is fine
 *   Origin: another page    refused
 *   the API                 refused
 *   all else                in: pages that are the same everywhere, and figures
 *
 * Browsers send a cookie to every port of its host. So its name has the port,
 * its value is good for one host and port only and does not tell the token, and
 * a page of another port, though it makes the browser send it, is refused by
 * its Origin.
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

/* Of a request for the API, or for something else. `by_query` tells that the
 * token came in the address, where it should not stay. */
enum http_verdict http_gate_judge(const struct http_gate *gate,
                                  const struct http_head *head, bool api,
                                  bool *by_query) MUST_USE;

/* The cookie's name, and its value for who asks this host; the value is as long
 * as a token. */
void http_gate_cookie_name(const struct http_gate *gate,
                           char name[HTTP_COOKIE_SIZE]);
void http_gate_cookie_value(const struct http_gate *gate, struct bytes host,
                            char value[HTTP_TOKEN_SIZE]);

/* "wrong_token", for the log. */
const char *http_verdict_name(enum http_verdict verdict);

#endif
