/*
 * session_private - shared by the two halves of a session: session.c makes its
 * keys, session_data.c moves its records.
 */
#ifndef COMMON_CORE_SESSION_PRIVATE_H
#define COMMON_CORE_SESSION_PRIVATE_H

#include "common/core/session.h"

/* The new keys are proved at both ends: use them. `k` is moved from and may be
 * the pending. */
void session_put_in_force(struct session *s, struct keyset *k,
                          struct instant now, const struct session_sink *sink);

#endif
