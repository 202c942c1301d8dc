#include "edge/shell/quic_tls.h"

#include <gnutls/gnutls.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>
#include <sodium.h>

/* AES-256 needs SHA-384, which a key for SHA-256 does not serve. The client's
 * first choice counts, unless the server has no AES in its processor. */
#define PRIORITIES(ciphers)                                                    \
    "NONE:+VERS-TLS1.3:+MAC-ALL:+SIGN-ALL:+COMP-NULL:+GROUP-X25519:"           \
    "+ECDHE-PSK:" ciphers ":%DISABLE_TLS13_COMPAT_MODE"
static const char with_aes[] = PRIORITIES("+AES-128-GCM:+CHACHA20-POLY1305");
static const char without_aes[] =
    PRIORITIES("+CHACHA20-POLY1305:+AES-128-GCM") ":%SERVER_PRECEDENCE";

/* GnuTLS frees the key. */
static int on_identity(gnutls_session_t session, const gnutls_datum_t *name,
                       gnutls_datum_t *key)
{
    struct quic_tls *t = gnutls_session_get_ptr(session);

    if (name->size != sizeof t->identity ||
        sodium_memcmp(name->data, t->identity, sizeof t->identity) != 0)
        return -1;
    key->data = gnutls_malloc(sizeof t->secret);
    if (key->data == NULL)
        return -1;
    memcpy(key->data, t->secret, sizeof t->secret);
    key->size = sizeof t->secret;
    return 0;
}

static bool serve(struct quic_tls *t)
{
    gnutls_psk_server_credentials_t credentials;

    if (ngtcp2_crypto_gnutls_configure_server_session(t->session) != 0 ||
        gnutls_psk_allocate_server_credentials(&credentials) != 0)
        return false;
    t->credentials = credentials;
    gnutls_psk_set_server_credentials_function2(credentials, on_identity);
    return gnutls_credentials_set(t->session, GNUTLS_CRD_PSK, credentials) == 0;
}

static bool join(struct quic_tls *t)
{
    gnutls_datum_t name = {t->identity, sizeof t->identity};
    gnutls_datum_t key = {t->secret, sizeof t->secret};
    gnutls_psk_client_credentials_t credentials;

    if (ngtcp2_crypto_gnutls_configure_client_session(t->session) != 0 ||
        gnutls_psk_allocate_client_credentials(&credentials) != 0)
        return false;
    t->credentials = credentials;
    return gnutls_psk_set_client_credentials2(credentials, &name, &key,
                                              GNUTLS_PSK_KEY_RAW) == 0 &&
           gnutls_credentials_set(t->session, GNUTLS_CRD_PSK, credentials) == 0;
}

bool quic_tls_open(struct quic_tls *t, const struct quic_conf *conf,
                   ngtcp2_crypto_get_conn get, void *context)
{
    static unsigned char name[] = "zs/2";
    const gnutls_datum_t alpn = {name, sizeof name - 1};
    bool has_aes = crypto_aead_aes256gcm_is_available() != 0;

    *t = (struct quic_tls){.ref = {.get_conn = get, .user_data = context},
                           .client = conf->client};
    memcpy(t->secret, conf->secret, sizeof t->secret);
    memcpy(t->identity, conf->identity, sizeof t->identity);
    if (gnutls_init(&t->session,
                    (conf->client ? GNUTLS_CLIENT : GNUTLS_SERVER) |
                        GNUTLS_NO_TICKETS) != 0) {
        t->session = NULL;
        return false;
    }
    gnutls_session_set_ptr(t->session, &t->ref);
    return gnutls_priority_set_direct(
               t->session, has_aes ? with_aes : without_aes, NULL) == 0 &&
           (conf->client ? join(t) : serve(t)) &&
           gnutls_alpn_set_protocols(t->session, &alpn, 1,
                                     GNUTLS_ALPN_MANDATORY) == 0;
}

void quic_tls_close(struct quic_tls *t)
{
    if (t->session != NULL)
        gnutls_deinit(t->session);
    if (t->credentials != NULL && t->client)
        gnutls_psk_free_client_credentials(t->credentials);
    else if (t->credentials != NULL)
        gnutls_psk_free_server_credentials(t->credentials);
    sodium_memzero(t, sizeof *t);
}
