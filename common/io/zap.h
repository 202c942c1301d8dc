/*
 * zap - who may finish a CURVE handshake with this process (RFC 27).
 *
 * One handler for each libzmq context, opened before the first socket that
 * accepts. It lets in CURVE clients only, whatever their key unless `permit`
 * refuses it; the key is then the User-Id (64 hexadecimal digits) of each
 * message that the client sends. Listening sockets set:
 *
 *     ZMQ_CURVE_SERVER 1, ZMQ_CURVE_SECRETKEY,
 *     ZMQ_ZAP_DOMAIN (what `permit` is told), ZAP_ENFORCE_DOMAIN 1
 *
 * It runs at the handshake only: what may change later (a revocation) is to be
 * checked for each packet.
 */
#ifndef COMMON_IO_ZAP_H
#define COMMON_IO_ZAP_H

#include "common/io/zsocket.h"
#include "common/wire/ids.h"

/* ZMQ_ZAP_ENFORCE_DOMAIN, which zmq.h keeps among its drafts: without it
 * everyone comes in as long as there is no handler. */
enum { ZAP_ENFORCE_DOMAIN = 93 };

struct zap;

/* `address`: the client's IP address as text. False refuses. */
typedef bool zap_permit(void *context, const char *domain,
                        const struct curve_key *key, const char *address);

/* `permit` NULL: every CURVE client. NULL with errno. */
struct zap *zap_open(struct zloop *loop, void *zmq_context, zap_permit *permit,
                     void *context) MUST_USE;
void zap_close(struct zap **self);

/* The key of the client that sent this message, from its User-Id; false if it
 * has none. Ask the payload frame: the routing id's has no metadata. */
bool zap_key(zmq_msg_t *m, struct curve_key *key) MUST_USE;

#endif
