/*
 * zap - decides which clients may finish a CURVE handshake with this process
 * (ZeroMQ RFC 27).
 *
 * Open one handler for each libzmq context, before the first listening socket.
 * It accepts CURVE clients only; any key is good unless `permit` refuses it.
 * The key is then the User-Id (64 hexadecimal digits) of each message from that
 * client. A listening socket must set:
 *
 *     ZMQ_CURVE_SERVER 1, ZMQ_CURVE_SECRETKEY,
 *     ZMQ_ZAP_DOMAIN (passed to `permit`), ZAP_ENFORCE_DOMAIN 1
 *
 * The handler is asked at the handshake only: what may change later, such as a
 * revocation, must be checked with each packet.
 */
#ifndef COMMON_IO_ZAP_H
#define COMMON_IO_ZAP_H

#include "common/io/zsocket.h"
#include "common/wire/ids.h"

/* ZMQ_ZAP_ENFORCE_DOMAIN, which zmq.h has only in its drafts. Without it every
 * client is accepted while there is no handler. */
enum { ZAP_ENFORCE_DOMAIN = 93 };

struct zap;

/* `address` is the client's IP address as text. False refuses the client. */
typedef bool zap_permit(void *context, const char *domain,
                        const struct curve_key *key, const char *address);

/* `permit` NULL accepts every CURVE client. NULL with errno. */
struct zap *zap_open(struct zloop *loop, void *zmq_context, zap_permit *permit,
                     void *context) MUST_USE;
void zap_close(struct zap **self);

/* The key of the client that sent this message, from its User-Id; false if it
 * has none. Pass the payload frame: the frame of the routing id has no
 * metadata. */
bool zap_key(zmq_msg_t *m, struct curve_key *key) MUST_USE;

#endif
