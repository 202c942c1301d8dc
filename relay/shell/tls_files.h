/*
 * tls_files - the relay's certificate and key for TLS: read at the start, and
 * again when their files change.
 *
 * `tls.certificate` and `tls.key` name PEM files. Without them the relay makes
 * a self-signed pair at its first start and keeps it beside its own key, as
 * FOLDER/relay-tls.pem. That is enough for edges, which know the relay by its
 * CurveZMQ key [P-14.3].
 *
 * The files are looked at every few seconds, through symbolic links, as certbot
 * replaces these. A pair that is no good is logged, and the old one stays.
 */
#ifndef RELAY_SHELL_TLS_FILES_H
#define RELAY_SHELL_TLS_FILES_H

#include "common/conf/relay_conf.h"
#include "relay/shell/tls_pair.h"

#include <uv.h>

struct tls_files;

struct tls_files_user {
    void *context;
    /* There is another pair from now on; see tls_files_pair. */
    void (*changed)(void *context);
};

/* Whether the pair that the settings name can be used, or the one that is kept
 * beside the relay's key; it may be missing there. False with a line on
 * `errors`. Changes no file. */
bool tls_files_check(const struct relay_conf *conf, FILE *errors) MUST_USE;

/* Reads or makes the pair. NULL after it logged why not. `conf` is borrowed
 * until the end. */
struct tls_files *tls_files_open(uv_loop_t *loop, const struct relay_conf *conf,
                                 const struct tls_files_user *user) MUST_USE;
/* The settings may have changed: reads the pair again. */
void tls_files_reload(struct tls_files *f);
/* The pair in use; borrowed. */
struct tls_pair *tls_files_pair(const struct tls_files *f);
/* The loop must run once more, to close the handles. NULL-safe. */
void tls_files_close(struct tls_files **self);

#endif
