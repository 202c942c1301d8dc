/*
 * relay_form - the forms in which an edge reaches a relay: what its CurveZMQ
 * bytes travel in, and whether a proxy passes them on [P-14.1].
 */
#ifndef COMMON_WIRE_RELAY_FORM_H
#define COMMON_WIRE_RELAY_FORM_H

#include <stdbool.h>

/* The better one first: fewer bytes around a packet, fewer hosts on the way. */
enum relay_form {
    FORM_TCP, /* CurveZMQ in TCP */
    FORM_WSS, /* in a WebSocket in TLS */
    FORM_WS,  /* in a WebSocket in plain HTTP */
    FORM_TCP_PROXY,
    FORM_WSS_PROXY,
    FORM_WS_PROXY,
    RELAY_FORMS,
};

/* "tcp", "wss", "ws", "tcp+proxy", ...: as `zs status` spells them. */
const char *relay_form_name(enum relay_form form);
/* "tcp", "wss", "ws": without the proxy. */
const char *relay_form_transport(enum relay_form form);
bool relay_form_by_proxy(enum relay_form form);

#endif
