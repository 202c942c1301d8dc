/*
 * http_gate - who may use the edge by HTTP: a decision, without any I/O.
 *
 * A browser carries out what any page asks of it, so what a request says of
 * itself decides:
 *
 *   it brings the token     in; with a wrong one it is refused anywhere
 *   the token as cookie     in, if the page that asks is the edge's own
 *   not on loopback         refused, as all else there wants the token
 *   Host: some name         refused: a name of somebody's may be made to point
 *                           here (DNS rebinding); an address here, or
 *                           localhost, is fine
 *   Origin: another page    refused
 *   no Origin               in: no page, but a program of this host
 *
 * One that lies could forge an Origin as well; who does not trust all users of
 * the host keeps to the socket.
 */
#ifndef EDGE_SHELL_HTTP_GATE_H
#define EDGE_SHELL_HTTP_GATE_H

#include "common/base/address.h"

enum { HTTP_TOKEN_SIZE = 2 * 32 + 1 }; /* hexadecimal digits and a NUL */

struct http_gate {
    char token[HTTP_TOKEN_SIZE];
    struct address listen; /* where the server listens, with its port */
};

/* What a request says; NULL: it does not. */
struct http_knock {
    const char *host;
    const char *origin;
    const char *token;  /* of the query, or Authorization: Bearer */
    const char *cookie; /* the token in the edge's own cookie */
};

enum http_verdict {
    HTTP_PASS,
    HTTP_WRONG_TOKEN,
    HTTP_NO_TOKEN,
    HTTP_FOREIGN_HOST,
    HTTP_FOREIGN_ORIGIN,
};

enum http_verdict http_gate_judge(const struct http_gate *gate,
                                  const struct http_knock *knock) MUST_USE;

/* "wrong_token", for the log. */
const char *http_verdict_name(enum http_verdict verdict);

#endif
