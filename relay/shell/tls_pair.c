#include "relay/shell/tls_pair.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <sodium.h>

#include "common/base/memory.h"
#include "common/conf/keyfile.h"

/* What browsers and middleboxes of this time speak, and nothing that costs much
 * more than it: no RSA and no finite fields for the exchange of keys. */
static const char priorities[] =
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:"
    "-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:"
    "-CIPHER-ALL:+AES-128-GCM:+CHACHA20-POLY1305:+AES-256-GCM:"
    "-MAC-ALL:+AEAD:"
    "-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1";

enum {
    DAY_S = 24 * 60 * 60,
    MADE_DAYS = 3650,
    SERIAL_SIZE = 16,
    CHAIN = 10, /* certificates */
};

struct tls_pair {
    unsigned references;
    gnutls_certificate_credentials_t credentials;
    gnutls_priority_t priority;
    struct relay_tls told;
    int64_t expires;
};

/* ---- Reading ------------------------------------------------------------ */

static bool make_room(struct tls_pair *p)
{
    if (gnutls_certificate_allocate_credentials(&p->credentials) != 0) {
        p->credentials = NULL;
        return false;
    }
    if (gnutls_priority_init(&p->priority, priorities, NULL) == 0)
        return true;
    p->priority = NULL;
    return false;
}

static gnutls_datum_t datum_of(struct bytes bytes)
{
    /* GnuTLS does not write to it. */
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)bytes.data,
                            (unsigned int)bytes.size};
}

/* Keeps what is asked of the relay's own certificate. */
static int look(struct tls_pair *p, gnutls_x509_crt_t leaf)
{
    gnutls_datum_t der;
    int error = gnutls_x509_crt_export2(leaf, GNUTLS_X509_FMT_DER, &der);

    if (error < 0)
        return error;
    p->expires = (int64_t)gnutls_x509_crt_get_expiration_time(leaf);
    p->told.end = RELAY_TLS_HERE;
    crypto_hash_sha256(p->told.hash, der.data, der.size);
    gnutls_free(der.data);
    return 0;
}

static int read_chain(struct bytes text, gnutls_x509_crt_t chain[static CHAIN],
                      unsigned int *count)
{
    gnutls_datum_t pem = datum_of(text);

    *count = CHAIN;
    int error =
        gnutls_x509_crt_list_import(chain, count, &pem, GNUTLS_X509_FMT_PEM,
                                    GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED);
    if (error < 0)
        *count = 0;
    return error < 0 ? error : 0;
}

static int read_key(struct bytes text, gnutls_x509_privkey_t *key)
{
    gnutls_datum_t pem = datum_of(text);
    int error = gnutls_x509_privkey_init(key);

    if (error < 0)
        *key = NULL;
    return error < 0 ? error
                     : gnutls_x509_privkey_import2(
                           *key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
}

/* GnuTLS would only say that base64 was wrong. */
static const char *not_pem(struct bytes text, const char *what,
                           const char *wanted)
{
    if (text.size > TLS_PAIR_SIZE)
        return "too large for a file of this kind";
    return memmem(text.data, text.size, what, strlen(what)) == NULL ? wanted
                                                                    : NULL;
}

static const char *not_key(struct bytes text)
{
    static const char locked[] = "ENCRYPTED";
    const char *wrong =
        not_pem(text, "PRIVATE KEY-----", "no PEM private key in it");

    if (wrong != NULL ||
        memmem(text.data, text.size, locked, strlen(locked)) == NULL)
        return wrong;
    return "the key has a passphrase; the relay wants one without";
}

/* What is being read, and how far that came. */
struct pair_reading {
    gnutls_x509_crt_t chain[CHAIN];
    unsigned int count;
    gnutls_x509_privkey_t key;
    const char *certificate_wrong; /* NULL: nothing is */
    const char *key_wrong;
};

static void read_both(struct tls_pair *p, struct pair_reading *r,
                      struct bytes certificate, struct bytes key)
{
    int error;

    r->certificate_wrong = not_pem(certificate, "-----BEGIN CERTIFICATE-----",
                                   "no PEM certificate in it");
    if (r->certificate_wrong == NULL &&
        ((error = read_chain(certificate, r->chain, &r->count)) < 0 ||
         (error = look(p, r->chain[0])) < 0))
        r->certificate_wrong = gnutls_strerror(error);
    r->key_wrong = not_key(key);
    if (r->key_wrong == NULL && (error = read_key(key, &r->key)) < 0)
        r->key_wrong = gnutls_strerror(error);
    if (r->certificate_wrong != NULL || r->key_wrong != NULL)
        return;
    error = gnutls_certificate_set_x509_key(p->credentials, r->chain,
                                            (int)r->count, r->key);
    if (error == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
        r->key_wrong = "not the key of the first certificate";
    else if (error < 0)
        r->certificate_wrong = gnutls_strerror(error);
}

static void end_reading(struct pair_reading *r)
{
    for (unsigned int i = 0; i < r->count; i++)
        gnutls_x509_crt_deinit(r->chain[i]);
    if (r->key != NULL)
        gnutls_x509_privkey_deinit(r->key);
}

struct tls_pair *tls_pair_parse(struct bytes certificate,
                                const char *certificate_name, struct bytes key,
                                const char *key_name, FILE *errors)
{
    struct tls_pair *p = memory_new(sizeof *p);
    struct pair_reading r = {0};

    p->references = 1;
    if (make_room(p))
        read_both(p, &r, certificate, key);
    else
        r.certificate_wrong = "no memory";
    if (r.certificate_wrong != NULL)
        fprintf(errors, "%s: %s\n", certificate_name, r.certificate_wrong);
    if (r.key_wrong != NULL)
        fprintf(errors, "%s: %s\n", key_name, r.key_wrong);
    if (r.certificate_wrong != NULL || r.key_wrong != NULL)
        tls_pair_release(&p);
    end_reading(&r);
    return p;
}

struct tls_pair *tls_pair_load(const char *certificate, const char *key,
                               FILE *errors)
{
    size_t size = 0, key_size = 0;
    struct tls_pair *p = NULL;
    char *text = keyfile_read(certificate, KEYFILE_PUBLIC, &size, errors);
    char *secret = text != NULL
                       ? keyfile_read(key, KEYFILE_OF_GROUP, &key_size, errors)
                       : NULL;

    if (secret != NULL)
        p = tls_pair_parse(bytes_of(text, size), certificate,
                           bytes_of(secret, key_size), key, errors);
    keyfile_wipe(secret, key_size);
    keyfile_wipe(text, size);
    return p;
}

/* ---- Making ------------------------------------------------------------- */

static bool describe(gnutls_x509_crt_t c, const char *name)
{
    uint8_t serial[SERIAL_SIZE];
    time_t now = time(NULL);

    randombytes_buf(serial, sizeof serial);
    serial[0] = (serial[0] & 0x7f) | 0x40; /* positive, and of full length */
    return gnutls_x509_crt_set_version(c, 3) == 0 &&
           gnutls_x509_crt_set_serial(c, serial, sizeof serial) == 0 &&
           gnutls_x509_crt_set_activation_time(c, now - DAY_S) == 0 &&
           gnutls_x509_crt_set_expiration_time(c, now + (time_t)MADE_DAYS *
                                                            DAY_S) == 0 &&
           gnutls_x509_crt_set_dn_by_oid(c, GNUTLS_OID_X520_COMMON_NAME, 0,
                                         name, (unsigned)strlen(name)) == 0 &&
           gnutls_x509_crt_set_subject_alt_name(
               c, GNUTLS_SAN_DNSNAME, name, (unsigned)strlen(name), 0) == 0 &&
           gnutls_x509_crt_set_basic_constraints(c, 0, -1) == 0 &&
           gnutls_x509_crt_set_key_usage(c, GNUTLS_KEY_DIGITAL_SIGNATURE) ==
               0 &&
           gnutls_x509_crt_set_key_purpose_oid(c, GNUTLS_KP_TLS_WWW_SERVER,
                                               0) == 0;
}

static bool sign(gnutls_x509_crt_t c, gnutls_x509_privkey_t key,
                 const char *name)
{
    return gnutls_x509_privkey_generate(
               key, GNUTLS_PK_ECDSA,
               GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0) == 0 &&
           describe(c, name) && gnutls_x509_crt_set_key(c, key) == 0 &&
           gnutls_x509_crt_sign2(c, c, key, GNUTLS_DIG_SHA256, 0) == 0;
}

/* Both as one text. */
static char *print(gnutls_x509_crt_t c, gnutls_x509_privkey_t key, size_t *size)
{
    gnutls_datum_t pem = {0}, secret = {0};
    char *text = NULL;

    if (gnutls_x509_crt_export2(c, GNUTLS_X509_FMT_PEM, &pem) == 0 &&
        gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, 0,
                                          &secret) == 0) {
        *size = pem.size + secret.size;
        text = memory_new(*size + 1);
        memcpy(text, pem.data, pem.size);
        memcpy(text + pem.size, secret.data, secret.size);
    }
    if (secret.data != NULL)
        sodium_memzero(secret.data, secret.size);
    gnutls_free(secret.data);
    gnutls_free(pem.data);
    return text;
}

char *tls_pair_make(const char *name, size_t *size)
{
    gnutls_x509_crt_t c = NULL;
    gnutls_x509_privkey_t key = NULL;
    char *text = NULL;

    if (gnutls_x509_crt_init(&c) == 0 && gnutls_x509_privkey_init(&key) == 0 &&
        sign(c, key, name))
        text = print(c, key, size);
    if (c != NULL)
        gnutls_x509_crt_deinit(c);
    if (key != NULL)
        gnutls_x509_privkey_deinit(key);
    return text;
}

/* ---- Sharing ------------------------------------------------------------ */

struct tls_pair *tls_pair_share(struct tls_pair *p)
{
    p->references++;
    return p;
}

void tls_pair_release(struct tls_pair **self)
{
    struct tls_pair *p = *self;

    *self = NULL;
    if (p == NULL || --p->references > 0)
        return;
    if (p->priority != NULL)
        gnutls_priority_deinit(p->priority);
    if (p->credentials != NULL)
        gnutls_certificate_free_credentials(p->credentials);
    free(p);
}

/* ---- Questions ---------------------------------------------------------- */

const struct relay_tls *tls_pair_told(const struct tls_pair *p)
{
    return &p->told;
}

int64_t tls_pair_expires(const struct tls_pair *p)
{
    return p->expires;
}

bool tls_pair_apply(const struct tls_pair *p,
                    struct gnutls_session_int *session)
{
    return gnutls_priority_set(session, p->priority) == 0 &&
           gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE,
                                  p->credentials) == 0;
}
