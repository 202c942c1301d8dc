/*
 * tls_conn - one TLS connection from the server's side [P-14.3], as a machine:
 * bytes of the other end in, plaintext out, and the reverse. It has no socket
 * and never waits. GnuTLS does the work.
 *
 *     struct tls_conn *c = tls_conn_new(pair, &user);
 *     for each piece of received bytes:
 *         tls_conn_lend(c, bytes);
 *         while (tls_conn_read(c, room, size, &got) == TLS_PLAIN)
 *             ... got bytes of plaintext are in room ...
 *     tls_conn_write(c, plaintext);     hands sealed bytes to user.send
 *     tls_conn_bye(c), tls_conn_free(&c)
 *
 * The machine keeps nothing but the beginning of a record or of a handshake
 * message. It calls user.send only within a call of the caller's, with the
 * answers to what was read or with what is written: the caller limits what
 * waits by reading and writing no more.
 *
 * TLS 1.2 and 1.3 with forward secrecy and AEAD ciphers only. No compression,
 * no client certificates, no renegotiation, no early data. No session tickets
 * either: a link stays for days and would resume rarely, and who gets the key
 * of the tickets of TLS 1.2 reads the connections that had one.
 *
 * ALPN is http/1.1. A client without ALPN is served; one that offers only
 * others gets the alert no_application_protocol, as from nginx.
 */
#ifndef RELAY_SHELL_TLS_CONN_H
#define RELAY_SHELL_TLS_CONN_H

#include "relay/shell/tls_pair.h"

enum {
    /* Plaintext of a record, and what a record adds to it, at most. */
    TLS_RECORD = 16 * 1024,
    TLS_OVERHEAD = 64,
    /* Bytes of the other end in a handshake. A ClientHello has 2 KiB, with keys
     * against quantum computers, and a client sends two at most. */
    TLS_HANDSHAKE = 16 * 1024,
    /* The same after the handshake, without any plaintext among them. */
    TLS_USELESS = 64 * 1024,
    /*
     * Memory of a connection, in bytes. Measured with GnuTLS 3.7.9: 8.5 KiB at
     * first, 17.9 KiB once the server has answered (TLS 1.3; 14.5 with 1.2),
     * 10.7 KiB once it is open. The beginning of a record comes on top: in a
     * handshake all that came; later what is beyond the smallest part, which
     * the memory of an open connection has room for.
     */
    TLS_MEMORY_SHAKES = 20 * 1024,
    TLS_MEMORY_OPEN = 12 * 1024,
    TLS_BEGUN_LEAST = 1024,
};

struct tls_conn;

struct tls_user {
    void *context;
    /* Bytes for the other end. May not call the machine. */
    void (*send)(void *context, struct bytes bytes);
};

enum tls_state {
    TLS_SHAKES, /* the handshake is not over: nothing can be written yet */
    TLS_OPEN,
    TLS_FAILED, /* see tls_conn_reason; an alert was sent, if one belongs */
};

enum tls_read {
    TLS_MORE,  /* all lent bytes were used, and more must come */
    TLS_PLAIN, /* plaintext came; there may be more */
    TLS_END,   /* the other end said close_notify; the rest is ignored */
    TLS_ERROR, /* the connection failed, now or before */
};

/* Takes a reference of the pair. NULL: no memory. */
struct tls_conn *tls_conn_new(struct tls_pair *pair,
                              const struct tls_user *user) MUST_USE;
/* Erases the keys; sends nothing. NULL-safe. */
void tls_conn_free(struct tls_conn **self);

/* Received bytes, which must stay until tls_conn_read returns anything but
 * PLAIN. What was lent before must be used up. */
void tls_conn_lend(struct tls_conn *c, struct bytes bytes);
/* Writes up to `size` bytes of plaintext to `room`; *got > 0 for PLAIN only. */
enum tls_read tls_conn_read(struct tls_conn *c, uint8_t *room, size_t size,
                            size_t *got);
/* Seals the plaintext in records. False: the connection is not open. */
bool tls_conn_write(struct tls_conn *c, struct bytes plain) MUST_USE;
/* Sends close_notify, once, if the connection is open. */
void tls_conn_bye(struct tls_conn *c);

enum tls_state tls_conn_state(const struct tls_conn *c);
/* Why it failed, a word for logs; "" if it did not. */
const char *tls_conn_reason(const struct tls_conn *c);
/* Bytes of memory that it takes, at most, without those of tls_conn_begun. */
size_t tls_conn_memory(const struct tls_conn *c);
/* Bytes that it keeps of a record whose end has not come, at most. 0 in a
 * handshake, and for less than TLS_BEGUN_LEAST. */
size_t tls_conn_begun(const struct tls_conn *c);
/* What to tell the edge [P-14.4]. Valid as long as `c`. */
const struct relay_tls *tls_conn_told(const struct tls_conn *c);

#endif
