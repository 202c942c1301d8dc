/*
 * websocket_accept - the proof that a server read a WebSocket's key: the value
 * of Sec-WebSocket-Accept [RFC 6455, 4.2.2].
 */
#ifndef COMMON_CORE_WEBSOCKET_ACCEPT_H
#define COMMON_CORE_WEBSOCKET_ACCEPT_H

#include "common/base/bytes.h"

enum { WEBSOCKET_ACCEPT_SIZE = 28 + 1 }; /* with its NUL */

/* `key` is a valid Sec-WebSocket-Key: see websocket_key_valid. */
void websocket_accept(struct bytes key,
                      char text[static WEBSOCKET_ACCEPT_SIZE]);

#endif
