/*
 * tls_kit - a TLS client by GnuTLS in memory, for tests of tls_conn; and pairs
 * of a certificate and its key.
 *
 * What each end sends waits in a pipe until the test moves it.
 */
#ifndef TESTS_UNIT_TLS_KIT_H
#define TESTS_UNIT_TLS_KIT_H

#include "common/conf/keyfile.h"
#include "common/io/byte_queue.h"
#include "relay/shell/tls_conn.h"
#include "tests/unit/kit.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>

#define TLS_KIT_13 "NORMAL:-VERS-ALL:+VERS-TLS1.3"
#define TLS_KIT_12 "NORMAL:-VERS-ALL:+VERS-TLS1.2"

struct tls_client {
    gnutls_session_t session;
    gnutls_certificate_credentials_t credentials;
    struct byte_queue in;  /* from the server */
    struct byte_queue out; /* to the server */
    bool shook;
    int error; /* of the handshake, or of reading */
};

static inline void tls_kit_add(struct byte_queue *q, const void *data,
                               size_t size)
{
    if (size > 0)
        memcpy(byte_queue_reserve(q, size), data, size);
    byte_queue_added(q, size);
}

/* ---- Pairs --------------------------------------------------------------- */

static inline struct tls_pair *tls_kit_pair(const char *name)
{
    size_t size = 0;
    char *text = tls_pair_make(name, &size);
    assert_non_null(text);
    struct tls_pair *p = tls_pair_parse(bytes_of(text, size), "a certificate",
                                        bytes_of(text, size), "a key", stderr);
    keyfile_wipe(text, size);
    assert_non_null(p);
    return p;
}

/* ---- The client -----------------------------------------------------------
 */

static inline ssize_t tls_kit_pull(gnutls_transport_ptr_t context, void *to,
                                   size_t size)
{
    struct tls_client *c = context;
    size_t there = byte_queue_size(&c->in);

    if (there == 0) {
        gnutls_transport_set_errno(c->session, EAGAIN);
        return -1;
    }
    size = size < there ? size : there;
    memcpy(to, byte_queue_bytes(&c->in).data, size);
    byte_queue_took(&c->in, size);
    return (ssize_t)size;
}

static inline int tls_kit_wait(gnutls_transport_ptr_t context, unsigned int ms)
{
    const struct tls_client *c = context;
    (void)ms;
    return byte_queue_size(&c->in) > 0;
}

static inline ssize_t tls_kit_push(gnutls_transport_ptr_t context,
                                   const void *data, size_t size)
{
    struct tls_client *c = context;
    tls_kit_add(&c->out, data, size);
    return (ssize_t)size;
}

/* A client that accepts any certificate. `alpn` may be NULL. */
static inline struct tls_client *tls_kit_client(const char *priorities,
                                                const char *alpn)
{
    struct tls_client *c = calloc(1, sizeof *c);

    assert_non_null(c);
    assert_int_equal(gnutls_init(&c->session, GNUTLS_CLIENT), 0);
    assert_int_equal(gnutls_certificate_allocate_credentials(&c->credentials),
                     0);
    assert_int_equal(gnutls_priority_set_direct(c->session, priorities, NULL),
                     0);
    assert_int_equal(gnutls_credentials_set(c->session, GNUTLS_CRD_CERTIFICATE,
                                            c->credentials),
                     0);
    if (alpn != NULL) {
        gnutls_datum_t name = {(unsigned char *)(uintptr_t)alpn,
                               (unsigned int)strlen(alpn)};
        assert_int_equal(gnutls_alpn_set_protocols(c->session, &name, 1, 0), 0);
    }
    gnutls_transport_set_ptr(c->session, c);
    gnutls_transport_set_pull_function(c->session, tls_kit_pull);
    gnutls_transport_set_pull_timeout_function(c->session, tls_kit_wait);
    gnutls_transport_set_push_function(c->session, tls_kit_push);
    return c;
}

static inline void tls_kit_free(struct tls_client *c)
{
    gnutls_deinit(c->session);
    gnutls_certificate_free_credentials(c->credentials);
    byte_queue_free(&c->in);
    byte_queue_free(&c->out);
    free(c);
}

/* Goes on with the handshake as far as what came allows. */
static inline void tls_kit_shake(struct tls_client *c)
{
    while (!c->shook && c->error == 0) {
        int n = gnutls_handshake(c->session);
        if (n == 0)
            c->shook = true;
        else if (gnutls_error_is_fatal(n))
            c->error = n;
        else if (byte_queue_size(&c->in) == 0)
            return;
    }
}

/* Reads what is there; returns how many bytes of plaintext. */
static inline size_t tls_kit_read(struct tls_client *c, uint8_t *room,
                                  size_t size)
{
    size_t got = 0;
    while (got < size && c->error == 0) {
        ssize_t n = gnutls_record_recv(c->session, room + got, size - got);
        if (n > 0)
            got += (size_t)n;
        else if (n == 0)
            c->error = GNUTLS_E_SESSION_EOF;
        else if (gnutls_error_is_fatal((int)n))
            c->error = (int)n;
        else if (byte_queue_size(&c->in) == 0)
            break;
    }
    return got;
}

static inline void tls_kit_write(struct tls_client *c, const void *data,
                                 size_t size)
{
    const uint8_t *at = data;
    while (size > 0) {
        ssize_t n = gnutls_record_send(c->session, at, size);
        assert_true(n > 0);
        at += n;
        size -= (size_t)n;
    }
}

#endif
