/*
 * session_private - shared by session.c (handshake and keys) and session_data.c
 * (records, acknowledgements, retransmission).
 */
#ifndef COMMON_CORE_SESSION_PRIVATE_H
#define COMMON_CORE_SESSION_PRIVATE_H

#include "common/core/session.h"

/* Both ends have proved that they have the new keys: makes them current. `k` is
 * moved from and erased; it may be &s->pending. */
void session_put_in_force(struct session *s, struct keyset *k,
                          struct instant now, const struct session_sink *sink);

#endif
