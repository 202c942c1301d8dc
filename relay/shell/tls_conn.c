#include "relay/shell/tls_conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/gnutls.h>

#include "common/base/memory.h"

enum {
    /* Alerts that end nothing. Honest clients send one at most. */
    WARNINGS = 4,
};

struct tls_conn {
    gnutls_session_t session;
    struct tls_pair *pair;
    struct tls_user user;
    struct bytes lent;
    size_t useless; /* bytes since the last plaintext */
    unsigned warnings;
    enum tls_state state;
    bool ended; /* by the other end's close_notify */
    bool said_bye;
    const char *reason;
};

/* ---- What GnuTLS calls ------------------------------------------------- */

/* The other end sends much that says nothing. */
static bool is_enough(const struct tls_conn *c, size_t size)
{
    size_t most = c->state == TLS_SHAKES ? TLS_HANDSHAKE : TLS_USELESS;
    return c->useless + size > most;
}

static ssize_t on_pull(gnutls_transport_ptr_t context, void *to, size_t size)
{
    struct tls_conn *c = context;

    if (c->lent.size == 0) {
        gnutls_transport_set_errno(c->session, EAGAIN);
        return -1;
    }
    if (size > c->lent.size)
        size = c->lent.size;
    if (is_enough(c, size)) {
        gnutls_transport_set_errno(c->session, EIO);
        return -1;
    }
    memcpy(to, c->lent.data, size);
    c->lent = bytes_of(c->lent.data + size, c->lent.size - size);
    c->useless += size;
    return (ssize_t)size;
}

/* Without it GnuTLS would wait on a descriptor. */
static int on_wait(gnutls_transport_ptr_t context, unsigned int ms)
{
    const struct tls_conn *c = context;

    (void)ms;
    return c->lent.size > 0;
}

static ssize_t on_push(gnutls_transport_ptr_t context, const void *data,
                       size_t size)
{
    const struct tls_conn *c = context;

    c->user.send(c->user.context, bytes_of(data, size));
    return (ssize_t)size;
}

/* ---- The beginning and the end ----------------------------------------- */

static bool set_up(struct tls_conn *c)
{
    static unsigned char http[] = "http/1.1";
    const gnutls_datum_t alpn = {http, sizeof http - 1};

    if (gnutls_init(&c->session, GNUTLS_SERVER | GNUTLS_NO_TICKETS) != 0) {
        c->session = NULL;
        return false;
    }
    gnutls_handshake_set_max_packet_length(c->session, TLS_HANDSHAKE);
    gnutls_transport_set_ptr(c->session, c);
    gnutls_transport_set_pull_function(c->session, on_pull);
    gnutls_transport_set_pull_timeout_function(c->session, on_wait);
    gnutls_transport_set_push_function(c->session, on_push);
    return tls_pair_apply(c->pair, c->session) &&
           gnutls_alpn_set_protocols(c->session, &alpn, 1,
                                     GNUTLS_ALPN_MANDATORY) == 0;
}

struct tls_conn *tls_conn_new(struct tls_pair *pair,
                              const struct tls_user *user)
{
    struct tls_conn *c = memory_new(sizeof *c);

    c->pair = tls_pair_share(pair);
    c->user = *user;
    c->reason = "";
    if (!set_up(c))
        tls_conn_free(&c);
    return c;
}

void tls_conn_free(struct tls_conn **self)
{
    struct tls_conn *c = *self;

    if (c == NULL)
        return;
    *self = NULL;
    if (c->session != NULL)
        gnutls_deinit(c->session);
    tls_pair_release(&c->pair);
    free(c);
}

void tls_conn_bye(struct tls_conn *c)
{
    if (c->state != TLS_OPEN || c->said_bye)
        return;
    c->said_bye = true;
    (void)gnutls_bye(c->session, GNUTLS_SHUT_WR);
}

/* ---- Failures ---------------------------------------------------------- */

/* The client does not like the relay's certificate. */
static bool is_about_certificate(gnutls_alert_description_t alert)
{
    return alert == GNUTLS_A_BAD_CERTIFICATE ||
           alert == GNUTLS_A_UNSUPPORTED_CERTIFICATE ||
           alert == GNUTLS_A_CERTIFICATE_REVOKED ||
           alert == GNUTLS_A_CERTIFICATE_EXPIRED ||
           alert == GNUTLS_A_CERTIFICATE_UNKNOWN ||
           alert == GNUTLS_A_UNKNOWN_CA;
}

static const char *word_of(const struct tls_conn *c, int error)
{
    static const struct {
        int error;
        const char *word;
    } words[] = {
        {GNUTLS_E_UNSUPPORTED_VERSION_PACKET, "version"},
        {GNUTLS_E_NO_CIPHER_SUITES, "no_common_cipher"},
        {GNUTLS_E_NO_COMMON_KEY_SHARE, "no_common_cipher"},
        {GNUTLS_E_UNSUPPORTED_SIGNATURE_ALGORITHM, "no_common_cipher"},
        {GNUTLS_E_INSUFFICIENT_CREDENTIALS, "no_common_cipher"},
        {GNUTLS_E_NO_APPLICATION_PROTOCOL, "alpn"},
        {GNUTLS_E_INAPPROPRIATE_FALLBACK, "fallback"},
        {GNUTLS_E_DECRYPTION_FAILED, "changed_bytes"},
        {GNUTLS_E_REHANDSHAKE, "renegotiation"},
        {GNUTLS_E_PULL_ERROR, "useless_bytes"},
        {GNUTLS_E_TOO_MANY_HANDSHAKE_PACKETS, "useless_bytes"},
        {GNUTLS_E_TOO_MANY_EMPTY_PACKETS, "useless_bytes"},
        {GNUTLS_E_WARNING_ALERT_RECEIVED, "useless_bytes"},
        {GNUTLS_E_HANDSHAKE_TOO_LARGE, "too_large"},
        {GNUTLS_E_RECORD_OVERFLOW, "too_large"},
        {GNUTLS_E_MEMORY_ERROR, "no_memory"},
    };

    if (error == GNUTLS_E_FATAL_ALERT_RECEIVED)
        return is_about_certificate(gnutls_alert_get(c->session))
                   ? "certificate_refused"
                   : "alert";
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (words[i].error == error)
            return words[i].word;
    }
    return "malformed";
}

static enum tls_read failed(struct tls_conn *c, int error)
{
    c->state = TLS_FAILED;
    c->reason = word_of(c, error);
    c->lent = bytes_of(NULL, 0);
    if (error != GNUTLS_E_FATAL_ALERT_RECEIVED)
        (void)gnutls_alert_send_appropriate(c->session, error);
    return TLS_ERROR;
}

/* What GnuTLS returns besides bytes and fatal errors: an alert that warns, and
 * whatever else ends nothing. An honest client causes one at most. */
static bool goes_on(struct tls_conn *c, int error)
{
    return error != GNUTLS_E_REHANDSHAKE && !gnutls_error_is_fatal(error) &&
           ++c->warnings <= WARNINGS;
}

/* ---- Reading ------------------------------------------------------------ */

void tls_conn_lend(struct tls_conn *c, struct bytes bytes)
{
    ASSERT(c->lent.size == 0);
    if (c->state != TLS_FAILED && !c->ended)
        c->lent = bytes;
}

/* Bytes of plaintext, 0 at the end, or an error of GnuTLS. */
static int go_on(struct tls_conn *c, uint8_t *room, size_t size)
{
    if (c->state == TLS_SHAKES) {
        int error = gnutls_handshake(c->session);
        if (error != GNUTLS_E_SUCCESS)
            return error;
        c->state = TLS_OPEN;
        c->useless = 0;
    }
    return (int)gnutls_record_recv(c->session, room, size);
}

/* True: there is more to read from what is lent. */
static bool read_once(struct tls_conn *c, uint8_t *room, size_t size,
                      enum tls_read *result, size_t *got)
{
    size_t before = c->lent.size;
    int n = go_on(c, room, size);

    if (n > 0) {
        c->useless = 0;
        *got = (size_t)n;
        *result = TLS_PLAIN;
    } else if (n == 0) {
        c->ended = true;
        c->lent = bytes_of(NULL, 0);
        *result = TLS_END;
    } else if (n == GNUTLS_E_AGAIN && c->lent.size < before) {
        return true;
    } else if (n == GNUTLS_E_AGAIN && c->lent.size == 0) {
        *result = TLS_MORE;
    } else if (n != GNUTLS_E_AGAIN && goes_on(c, n)) {
        return true;
    } else {
        *result = failed(c, n);
    }
    return false;
}

enum tls_read tls_conn_read(struct tls_conn *c, uint8_t *room, size_t size,
                            size_t *got)
{
    enum tls_read result = TLS_MORE;

    *got = 0;
    if (c->state == TLS_FAILED)
        return TLS_ERROR;
    if (c->ended)
        return TLS_END;
    while (read_once(c, room, size, &result, got))
        ;
    return result;
}

/* ---- Writing ------------------------------------------------------------ */

bool tls_conn_write(struct tls_conn *c, struct bytes plain)
{
    while (c->state == TLS_OPEN && !c->said_bye && plain.size > 0) {
        ssize_t n = gnutls_record_send(c->session, plain.data, plain.size);
        if (n > 0)
            plain = bytes_of(plain.data + n, plain.size - (size_t)n);
        else
            (void)failed(c, (int)n);
    }
    return c->state == TLS_OPEN && !c->said_bye;
}

/* ---- Questions ---------------------------------------------------------- */

enum tls_state tls_conn_state(const struct tls_conn *c)
{
    return c->state;
}

const char *tls_conn_reason(const struct tls_conn *c)
{
    return c->reason;
}

size_t tls_conn_memory(const struct tls_conn *c)
{
    if (c->state == TLS_OPEN)
        return TLS_MEMORY_OPEN;
    return TLS_MEMORY_SHAKES +
           (c->useless < TLS_HANDSHAKE ? c->useless : TLS_HANDSHAKE);
}

size_t tls_conn_begun(const struct tls_conn *c)
{
    size_t most = TLS_RECORD + TLS_BEGUN_LEAST;

    if (c->state != TLS_OPEN || c->useless < TLS_BEGUN_LEAST)
        return 0;
    return c->useless < most ? c->useless : most;
}

const struct relay_tls *tls_conn_told(const struct tls_conn *c)
{
    return tls_pair_told(c->pair);
}
