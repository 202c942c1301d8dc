/*
 * http_head - parses the head of an HTTP/1.x request [RFC 9112].
 *
 * The parser is strict: it refuses everything that proxies and servers are
 * known to read in different ways (a bare LF, a folded line, a space before a
 * colon, two lengths, two hosts). All results are views into the caller's
 * bytes.
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
    bool body; /* the method is GET: the answer has a body; HEAD: none */
    bool keep; /* the connection stays open after the answer */
    bool http_1_1;
    /* Begins with a slash; percent escapes are not decoded. */
    struct bytes path;
    struct bytes query; /* the part after the question mark */
    struct bytes host;  /* from the target, else from Host; may be empty */
    size_t count;
    struct http_field fields[HTTP_FIELDS];
};

/*
 * Reads the head at the start of `in`; `*size` gets its length. Returns 0,
 * HTTP_MORE while the end of the head is missing, or the status code of a
 * refusal, such as 400; after a refusal the connection must be closed.
 */
enum { HTTP_MORE = -1 };
int http_head_read(struct bytes in, struct http_head *h, size_t *size) MUST_USE;

/* "Bad Request" */
const char *http_status_text(int status);

/* The first field of that name (case does not matter); NULL if there is none.
 */
const struct http_field *http_head_field(const struct http_head *h,
                                         const char *name);
/* True if `word` is an item of the comma-separated lists in the fields of that
 * name. Case does not matter. */
bool http_head_lists(const struct http_head *h, const char *name,
                     const char *word);
/* The item number `n` from the end, 0 being the last one, of the
 * comma-separated lists in the fields of that name, all in one. False if there
 * are not so many. */
bool http_head_last(const struct http_head *h, const char *name, size_t n,
                    struct bytes *item);
/* The value of a parameter of the query; false if the query does not have it.
 */
bool http_head_parameter(const struct http_head *h, const char *name,
                         struct bytes *value);
/* True if a field says that a proxy forwarded the request. */
bool http_head_forwarded(const struct http_head *h);

/* Without the spaces and tabs around. */
struct bytes http_trimmed(struct bytes bytes);

/* True if the bytes equal `text`; case does not matter. */
bool http_same(struct bytes bytes, const char *text);

#endif
