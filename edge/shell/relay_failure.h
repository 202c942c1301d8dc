/*
 * relay_failure - what the end of a CurveZMQ handshake with a relay means
 * [P-14.6].
 */
#ifndef EDGE_SHELL_RELAY_FAILURE_H
#define EDGE_SHELL_RELAY_FAILURE_H

#include "common/zmtp/zmtp.h"
#include "edge/core/node.h"

/* The pipe ended while the client's machine was in this state. A relay closes
 * the connection after a HELLO that is made for another key, and so does
 * libzmq. */
enum link_failure relay_failure_of_end(enum zmtp_state state);
/* The machine refused what came. */
enum link_failure relay_failure_of_zmtp(enum zmtp_failure failure);

#endif
