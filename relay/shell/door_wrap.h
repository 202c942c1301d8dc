/*
 * door_wrap - a connection of the door whose ZMTP is inside other protocols.
 *
 *     in    socket -> door_wrap_read -> door_wrap_take -> [TLS]
 *                  -> door_web_take: HTTP, then frames of a WebSocket
 *                  -> door_conn_take: ZMTP
 *     out   ZMTP sealed in c->out -> door_wrap_pack: frames of a WebSocket
 *                  -> door_wrap_put -> [TLS] -> wire -> socket
 *
 * TLS is a layer of door_wrap.c alone: door_wrap_take is where the bytes of the
 * socket come in, and hands on plaintext; door_wrap_put takes plaintext, and
 * leaves bytes for the socket in `wire`. HTTP sees no difference.
 *
 * c->out keeps ZMTP's bytes as on any connection; a piece of them moves to
 * `wire` whenever `wire` is empty. What waits in both counts towards the
 * connection's credit. An incomplete request is kept as an incomplete frame is,
 * in c->partial, and counts as one.
 */
#ifndef RELAY_SHELL_DOOR_WRAP_H
#define RELAY_SHELL_DOOR_WRAP_H

#include "common/wire/websocket.h"
#include "relay/shell/door_private.h"

enum {
    DOOR_HTTP_S = 10,  /* from accept to the end of the request */
    DOOR_LINGER_S = 2, /* for the other end to read the last bytes */
    DOOR_PING_S = 20,  /* nothing was written for so long: PING [P-14.5] */
    DOOR_SILENT_S = 5, /* and nothing came back */
};

enum door_web_state {
    WEB_HEAD, /* waits for the request */
    WEB_LINK, /* is a WebSocket with ZMTP inside */
    WEB_LAST, /* sends what is queued, and ignores what comes */
};

struct door_wrap {
    struct byte_queue wire; /* bytes for the socket */
    enum door_web_state state;
    struct websocket_reader reader;
    struct instant written; /* when bytes left last */
    bool asked;             /* a PING left, and nothing has come since */
    bool shut;              /* the sending half is closed */
    size_t wasted;          /* bytes that were ignored */
};

/* ---- door_wrap.c ------------------------------------------------------ */

/* The connection is DOOR_WRAPPED from now on. */
void door_wrap_begin(struct door_conn *c);
void door_wrap_free(struct door_conn *c);
/* Reads from the socket. */
void door_wrap_read(struct door_conn *c);
/* Takes bytes that came from the socket; changes them. */
void door_wrap_take(struct door_conn *c, uint8_t *data, size_t size);
/* Writes bytes that belong together. */
void door_wrap_put(struct door_conn *c, struct bytes head, struct bytes data);
/* Moves a piece of c->out to `wire`, if that is empty. */
void door_wrap_pack(struct door_conn *c);
/* The kernel took all that was in `wire`. */
void door_wrap_sent(struct door_conn *c);

/* ---- door_web.c ------------------------------------------------------- */

/* Takes bytes of HTTP, or of the WebSocket; changes them. */
void door_web_take(struct door_conn *c, uint8_t *data, size_t size);
/* The handshake inside is over. */
void door_web_shaken(struct door_conn *c);
void door_web_due(struct door_conn *c, struct instant now);
/* The door closes: says so, if the kernel takes it at once. */
void door_web_bye(struct door_conn *c);

#endif
