/*
 * quic_tls - the TLS handshake inside a QUIC connection [P-11.8].
 *
 * An external pre-shared key authenticates both ends; there are no
 * certificates. Part of quic.c, which alone uses it.
 */
#ifndef EDGE_SHELL_QUIC_TLS_H
#define EDGE_SHELL_QUIC_TLS_H

#include "edge/shell/quic.h"

#include <ngtcp2/ngtcp2_crypto.h>

struct quic_tls {
    ngtcp2_crypto_conn_ref ref; /* first: what GnuTLS's callbacks know */
    struct gnutls_session_int *session; /* NULL: closed */
    void *credentials;
    bool client;
    uint8_t secret[QUIC_SECRET_SIZE];
    uint8_t identity[QUIC_IDENTITY_SIZE];
};

/* `get` tells the connection; `t` stays where it is. False if GnuTLS refuses
 * the settings; quic_tls_close is to be called anyhow. */
bool quic_tls_open(struct quic_tls *t, const struct quic_conf *conf,
                   ngtcp2_crypto_get_conn get, void *context) MUST_USE;
/* Wipes the secret. */
void quic_tls_close(struct quic_tls *t);

#endif
