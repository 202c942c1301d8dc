/*
 * conf_checks - checks of the text values of configuration keys.
 *
 * Each returns NULL if the value is right, or the end of the sentence "`key`
 * ...".
 */
#ifndef COMMON_CONF_CONF_CHECKS_H
#define COMMON_CONF_CONF_CHECKS_H

#include "common/conf/conf.h"

const char *check_name(const char *value);        /* a node, a group [P-2.2] */
const char *check_mesh(const char *value);        /* 64 digits, or "any" */
const char *check_interface(const char *value);   /* a name, or "all" */
const char *check_multicast4(const char *value);  /* 239.255.90.83 */
const char *check_multicast6(const char *value);  /* ff12::5a53 */
const char *check_connect(const char *value);     /* host:port */
const char *check_dial(const char *value);        /* host or host:port */
const char *check_server_name(const char *value); /* a name in DNS */
const char *check_prefix(const char *value);      /* "10.0.0.0/8", "::1" */
const char *check_listen(const char *value);      /* "*:443" */
const char *check_proxy(const char *value);       /* proxy_url.h, or none */
const char *check_relay(const char *value);       /* tcp:// ws:// wss:// */
const char *check_nats(const char *value);        /* nats:// tls:// */

/* True if the word is in the list. */
bool conf_list_has(const struct conf_list *list, const char *word);

extern const char *const conf_log_levels[];
extern const char *const conf_log_formats[];

#endif
