/*
 * http_answer - writes the head of an HTTP/1.1 answer [RFC 9112], with the
 * fields that keep a browser strict: nothing is stored, guessed, framed or
 * shown to another site.
 */
#ifndef COMMON_WIRE_HTTP_ANSWER_H
#define COMMON_WIRE_HTTP_ANSWER_H

#include "common/base/text.h"

struct http_answer {
    int status;
    bool keep;          /* the connection stays open after the answer */
    bool body;          /* false: HEAD, only the length is sent */
    const char *type;   /* Content-Type */
    const char *policy; /* Content-Security-Policy: what the page may load */
    const char *more;   /* further fields, each with CR LF, or "" */
};

/* Appends the answer. `unix_seconds` is its date. */
void http_answer_write(struct text *t, const struct http_answer *a,
                       uint64_t unix_seconds, struct bytes content);
/* What a person reads of a request that is refused by this status of
 * http_head_read, or by 408: a sentence and a newline. */
const char *http_answer_refusal(int status);
/* Appends the answer that makes the connection a WebSocket [RFC 6455, 4.2.2].
 * `accept` is of websocket_accept; `protocol` is the chosen subprotocol, or
 * NULL. */
void http_answer_upgrade(struct text *t, const char *accept,
                         const char *protocol);

/* "Sun, 06 Nov 1994 08:49:37 GMT"; for times from 1970 to 9999. */
enum { HTTP_DATE_SIZE = 32 };
void http_date(uint64_t unix_seconds, char text[static HTTP_DATE_SIZE]);

#endif
