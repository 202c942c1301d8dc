/*
 * http_head - the head of a request in HTTP/1.x, taken apart [RFC 9112].
 *
 * Strict: what proxies and servers are known to read in different ways (a bare
 * LF, a folded line, space before a colon, two lengths, two hosts) is refused.
 * All that is handed out are views into the bytes that were read.
 */
#ifndef COMMON_WIRE_HTTP_HEAD_H
#define COMMON_WIRE_HTTP_HEAD_H

#include "common/base/bytes.h"

enum {
    HTTP_HEAD_SIZE = 8 * 1024, /* a longer one is refused */
    HTTP_FIELDS = 100,
};

struct http_field {
    struct bytes name, value; /* without the space around it */
};

struct http_head {
    bool body; /* the method is GET, not HEAD: its answer has a body */
    bool keep; /* the connection stays after the answer */
    bool http_1_1;
    struct bytes path;  /* begins with a slash; as it came, no %41 resolved */
    struct bytes query; /* what follows the question mark */
    struct bytes host;  /* of the target, else of Host; empty if it has none */
    size_t count;
    struct http_field fields[HTTP_FIELDS];
};

/*
 * Reads the head at the begin of `in`; `size` is its length. Returns 0, or
 * HTTP_MORE while its end is missing, or the status to refuse it with, as 400;
 * then the connection is of no use any more.
 */
enum { HTTP_MORE = -1 };
int http_head_read(struct bytes in, struct http_head *h, size_t *size) MUST_USE;

/* "Bad Request" */
const char *http_status_text(int status);

/* The first field of that name, in any case; NULL if there is none. */
const struct http_field *http_head_field(const struct http_head *h,
                                         const char *name);
/* True if one of the fields of that name, each a list with commas, has `word`
 * in any case. */
bool http_head_lists(const struct http_head *h, const char *name,
                     const char *word);
/* The value of a parameter of the query; false if it has none. */
bool http_head_parameter(const struct http_head *h, const char *name,
                         struct bytes *value);
/* True if it says that it came by a proxy. */
bool http_head_forwarded(const struct http_head *h);

/* True if these are the letters of `text`, in any case. */
bool http_same(struct bytes bytes, const char *text);

#endif
