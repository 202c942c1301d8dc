/*
 * byte_pipe - a connection that carries bytes both ways, however it was made.
 *
 *     tcp_pipe.h    a plain socket
 *     curl_pipe.h   TLS and proxies, by libcurl
 *     ws_pipe.h     a WebSocket over one of these
 *
 * A pipe is made by the function of its kind, which begins to connect. It tells
 * its user from the loop, never from within a call of the user's; the user may
 * close the pipe then. An implementation embeds struct byte_pipe as its first
 * member.
 */
#ifndef EDGE_SHELL_BYTE_PIPE_H
#define EDGE_SHELL_BYTE_PIPE_H

#include "common/base/address.h"
#include "edge/core/node.h"

#include <sys/types.h>

struct byte_pipe;

/* What a pipe tells the one who made it; all are set. */
struct byte_pipe_user {
    void *context;
    /* Bytes can be read and written from now on. Once at most. */
    void (*opened)(void *context);
    /* There may be bytes to read, or room to write after write took less than
     * it was given. Read until byte_pipe_read returns 0. */
    void (*ready)(void *context);
    /* The pipe could not be opened, or is over; no further call. The user
     * closes it. Bytes that came before can be read until then. */
    void (*ended)(void *context, enum link_failure why);
};

struct byte_pipe_ops {
    ssize_t (*read)(struct byte_pipe *p, uint8_t *room, size_t size);
    size_t (*write)(struct byte_pipe *p, const uint8_t *data, size_t size);
    void (*pause)(struct byte_pipe *p, bool paused);
    void (*close)(struct byte_pipe *p);
};

struct byte_pipe {
    const struct byte_pipe_ops *ops;
    struct byte_pipe_user user;
    struct address peer; /* whom the socket connects to, once it is open */
    /* The SHA-256 of the certificate that the other end of TLS showed. */
    bool has_certificate;
    uint8_t certificate[32];
};

/* > 0: so many bytes; 0: none now, and `ready` follows; -1: the pipe is over,
 * all that came was read. */
static inline ssize_t byte_pipe_read(struct byte_pipe *p, uint8_t *room,
                                     size_t size)
{
    return p->ops->read(p, room, size);
}

/* Takes a first part of the bytes, perhaps none; `ready` follows if not all. */
static inline size_t byte_pipe_write(struct byte_pipe *p, const uint8_t *data,
                                     size_t size)
{
    return p->ops->write(p, data, size);
}

/* While it is paused, the pipe reads nothing and tells nothing of bytes to
 * read. */
static inline void byte_pipe_pause(struct byte_pipe *p, bool paused)
{
    p->ops->pause(p, paused);
}

/* Closes the pipe at once; its memory is freed once the loop ran. */
static inline void byte_pipe_close(struct byte_pipe *p)
{
    p->ops->close(p);
}

#endif
