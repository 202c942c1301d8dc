/*
 * door_wrap - a connection of the door whose ZMTP is inside other protocols.
 *
 *     in    socket -> door_wrap_read -> door_wrap_take -> [TLS]
 *                  -> door_web_take: HTTP, then frames of a WebSocket
 *                  -> door_conn_take: ZMTP
 *     out   ZMTP sealed in c->out -> door_wrap_pack: frames of a WebSocket
 *                  -> door_wrap_put -> [TLS] -> wire -> socket
 *
 * TLS is a layer of door_wrap.c and door_tls.c alone: door_wrap_take is where
 * the bytes of the socket come in, and hands on plaintext; door_wrap_put takes
 * plaintext, and leaves bytes for the socket in `wire`. HTTP sees no
 * difference. Inside TLS the first bytes tell again what it is: HTTP, or ZMTP
 * without a WebSocket.
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
#include "relay/shell/tls_conn.h"

enum {
    DOOR_HTTP_S = 10,  /* from accept to the end of the request */
    DOOR_LINGER_S = 2, /* for the other end to read the last bytes */
    DOOR_PING_S = 20,  /* nothing was written for so long: PING [P-14.5] */
    DOOR_SILENT_S = 5, /* and nothing came back */
};

enum door_web_state {
    WEB_HEAD,  /* waits for the request */
    WEB_FIRST, /* TLS waits for the first bytes inside [P-13.1] */
    WEB_LINK,  /* is a WebSocket with ZMTP inside */
    WEB_BARE,  /* is TLS with ZMTP inside, without a WebSocket */
    WEB_LAST,  /* sends what is queued, and ignores what comes */
};

struct door_wrap {
    struct byte_queue wire; /* bytes for the socket */
    struct tls_conn *tls;   /* NULL: there is no TLS */
    size_t tls_bytes;       /* what of the door's tls_bytes it is */
    size_t begun;           /* what of the door's partial_bytes TLS is */
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
/* Adds bytes to `wire` as they are. */
void door_wrap_wire(struct door_conn *c, struct bytes bytes);
/* What to tell the edge of the connection's TLS [P-14.4]. */
const struct relay_tls *door_wrap_told(const struct door_conn *c);
/* Moves a piece of c->out to `wire`, if that is empty. */
void door_wrap_pack(struct door_conn *c);
/* The kernel took all that was in `wire`. */
void door_wrap_sent(struct door_conn *c);

/* ---- door_tls.c ------------------------------------------------------- */

/* TLS begins, after door_wrap_begin. May end the connection. */
void door_tls_begin(struct door_conn *c);
/* Takes bytes that came from the socket. */
void door_tls_take(struct door_conn *c, const uint8_t *data, size_t size);
/* Seals what door_wrap_put writes. */
void door_tls_put(struct door_conn *c, struct bytes head, struct bytes data);
/* Frees it; it counts no more. NULL-safe. */
void door_tls_free(struct door_conn *c);
/* Says close_notify, if there is TLS. */
void door_tls_bye(struct door_conn *c);

/* ---- door_web.c ------------------------------------------------------- */

/* Takes bytes of HTTP, or of the WebSocket; changes them. */
void door_web_take(struct door_conn *c, uint8_t *data, size_t size);
/* Lets the last bytes leave, and ends the connection soon. */
void door_web_finish(struct door_conn *c);
/* The handshake inside is over. */
void door_web_shaken(struct door_conn *c);
void door_web_due(struct door_conn *c, struct instant now);
/* The door closes: says so, if the kernel takes it at once. */
void door_web_bye(struct door_conn *c);

#endif
