/*
 * http_reply - parses an HTTP/1.x response of a simple device [RFC 9112].
 *
 * Home routers write sloppy heads, so the parser is lenient: a line may end in
 * a bare LF, and fields of no interest are not looked at. What it takes is
 * bounded by the caller's bytes.
 */
#ifndef COMMON_WIRE_HTTP_REPLY_H
#define COMMON_WIRE_HTTP_REPLY_H

#include "common/base/bytes.h"

enum http_reply_part {
    HTTP_REPLY_MORE, /* the end is missing */
    HTTP_REPLY_WHOLE,
    HTTP_REPLY_WRONG, /* this is no response, whatever follows */
};

/* Views into the caller's bytes. */
struct http_reply {
    int status;        /* 100 to 599 */
    struct bytes head; /* the fields' lines */
    struct bytes body;
};

/*
 * Reads the response at the start of `size` bytes; `ended`: no more will come.
 * If it is whole, `r` is set, and the chunks of a chunked body were moved
 * together in place; otherwise the bytes are unchanged.
 */
enum http_reply_part http_reply_read(uint8_t *bytes, size_t size, bool ended,
                                     struct http_reply *r) MUST_USE;

/* True if the line is a field of that name (case does not matter): its value,
 * without the space around it. */
bool http_field_value(struct bytes line, const char *name,
                      struct bytes *value) MUST_USE;
/* The value of the first field of that name, without the space around it. Case
 * does not matter. False if there is none. */
bool http_reply_field(const struct http_reply *r, const char *name,
                      struct bytes *value) MUST_USE;

#endif
