/*
 * failure - why a ZMTP connection ended, by name.
 */
#ifndef COMMON_ZMTP_FAILURE_H
#define COMMON_ZMTP_FAILURE_H

enum zmtp_failure {
    ZMTP_NO_FAILURE,
    /* The greeting. */
    ZMTP_BAD_SIGNATURE, /* the other end does not speak ZMTP */
    ZMTP_BAD_VERSION,   /* it speaks ZMTP before version 3 */
    ZMTP_BAD_MECHANISM, /* it does not use CURVE */
    /* Frames. */
    ZMTP_BAD_FLAGS, /* a flag that has no meaning, or not in this place */
    ZMTP_BAD_MORE,  /* a message of more than one frame */
    ZMTP_TOO_LONG,  /* told as soon as the head of the frame is there */
    /* The handshake. */
    ZMTP_BAD_COMMAND,       /* another command than the one that is due */
    ZMTP_BAD_FORM,          /* a command of a wrong size or form */
    ZMTP_BAD_CURVE_VERSION, /* a CurveZMQ other than 1.0 */
    ZMTP_BAD_KEY,    /* HELLO or WELCOME is not made with the keys expected */
    ZMTP_BAD_COOKIE, /* not the cookie of this connection: a replay */
    ZMTP_BAD_BOX,    /* INITIATE, READY or MESSAGE was changed or forged */
    ZMTP_BAD_VOUCH,  /* the client does not own the key that it claims */
    ZMTP_BAD_NONCE,  /* a command repeated, or out of order */
    ZMTP_BAD_METADATA,
    ZMTP_BAD_SOCKET_TYPE, /* one that does not talk to ours */
    ZMTP_GOT_ERROR,       /* the server refused us by ERROR */
    ZMTP_REFUSED,         /* our caller refused the client */
    ZMTP_FAILURES,
};

/* A word for logs and counters, such as "bad_cookie". Static. */
const char *zmtp_failure_name(enum zmtp_failure failure);

#endif
