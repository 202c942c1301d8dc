/*
 * tls_pair - a certificate (with its chain) and its key, as GnuTLS uses them.
 *
 * A pair is shared: each connection holds a reference. So a connection that
 * lives keeps its pair while new ones get a newer pair.
 */
#ifndef RELAY_SHELL_TLS_PAIR_H
#define RELAY_SHELL_TLS_PAIR_H

#include "common/base/bytes.h"
#include "common/wire/packet.h"

#include <stdio.h>

/* Bytes of a certificate's file, with its chain. */
enum { TLS_PAIR_SIZE = 128 * 1024 };

struct tls_pair;
struct gnutls_session_int;

/* Reads the pair from two PEM files, which may be one. The first certificate is
 * the relay's own, its issuers follow. NULL with a line on `errors`: a file
 * that cannot be read or is no PEM, a key that others may read, or one that is
 * not the certificate's. Where root owns the key's file, its group may read it,
 * as the key of a web server often is. */
struct tls_pair *tls_pair_load(const char *certificate, const char *key,
                               FILE *errors) MUST_USE;
/* The same from the contents of the files; the names are for the errors. */
struct tls_pair *tls_pair_parse(struct bytes certificate,
                                const char *certificate_name, struct bytes key,
                                const char *key_name, FILE *errors) MUST_USE;
/* Makes a self-signed certificate for `name`, valid for 10 years, and a key on
 * P-256. Returns both as PEM text, which the caller wipes and frees by
 * keyfile_wipe; NULL on failure. */
char *tls_pair_make(const char *name, size_t *size) MUST_USE;

/* Adds a reference, and returns the pair. */
struct tls_pair *tls_pair_share(struct tls_pair *p);
/* Ends a reference. NULL-safe. */
void tls_pair_release(struct tls_pair **self);

/* What to tell an edge of it [P-14.4]. */
const struct relay_tls *tls_pair_told(const struct tls_pair *p);
/* When the certificate ends to be valid, in Unix seconds. */
int64_t tls_pair_expires(const struct tls_pair *p);
/* Has a session of GnuTLS serve the pair, with the relay's choice of versions
 * and ciphers. The session must end before the reference. */
bool tls_pair_apply(const struct tls_pair *p,
                    struct gnutls_session_int *session) MUST_USE;

#endif
