/*
 * edge_relay - a relay of this edge: its URL, and what the settings say about
 * the way to it.
 */
#ifndef EDGE_SHELL_EDGE_RELAY_H
#define EDGE_SHELL_EDGE_RELAY_H

#include "common/conf/edge_conf.h"
#include "common/conf/proxy_setting.h"
#include "common/conf/relay_url.h"
#include "common/wire/relay_form.h"

struct edge_relay {
    struct relay_url url;
    /* The host to look up and dial: connect_to, or the URL's. Its port is 0 if
     * that of the form is to be used: edge_relay_port says which. */
    struct endpoint connect_to;
    char server_name[ENDPOINT_HOST_SIZE]; /* for TLS; "": the URL has an
                                             address, and none is sent */
    bool verify;       /* check the certificate, too [P-14.3] */
    const char *proxy; /* the setting, see proxy_setting.h; borrowed */
};

/* A relay of which only the URL is known. `verify`: tls.verify. Its proxy is
 * the environment's, until the caller sets another one. */
void edge_relay_init(struct edge_relay *r, const struct relay_url *url,
                     bool verify);
/* The same with what an item of `relays` says. NULL, or what is wrong with the
 * item, as the end of a sentence. */
const char *edge_relay_of_entry(const struct relay_entry *entry, bool verify,
                                struct edge_relay *r) MUST_USE;

/* Whether the URL allows a form, proxies aside [P-14.1]. */
bool edge_relay_allows(const struct edge_relay *r, enum relay_form form);
/* The proxy for a form, whether that form takes it or not: what the setting
 * `proxy` or the environment says for this relay's host. */
void edge_relay_proxy(const struct edge_relay *r, enum relay_form form,
                      struct proxy_setting *found);
/* The port to dial for a form. */
uint16_t edge_relay_port(const struct edge_relay *r, enum relay_form form);

#endif
