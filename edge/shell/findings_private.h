/*
 * findings_private - what the files of findings share.
 */
#ifndef EDGE_SHELL_FINDINGS_PRIVATE_H
#define EDGE_SHELL_FINDINGS_PRIVATE_H

#include "edge/shell/findings.h"

#define INFO "info"
#define WARNING "warning"
#define ERROR "error"

/* The list's limit leaves further ones out. */
void findings_add(struct findings *out, const char *severity, const char *id,
                  const char *remedy, const char *text, ...)
    __attribute__((format(printf, 5, 6)));

/* findings_clock.c: this host's clock, its certificate, and the clocks of its
 * relays. */
void findings_add_clock(const struct net_facts *f, struct findings *out);
/* findings_way.c: proxies, and hosts that open TLS. */
void findings_add_way(const struct net_facts *f, struct findings *out);

#endif
