/*
 * settings - what zs-edge is told by its options, its files and its identity.
 */
#ifndef EDGE_DAEMON_SETTINGS_H
#define EDGE_DAEMON_SETTINGS_H

#include "common/conf/edge_conf.h"
#include "common/conf/identity.h"
#include "common/conf/options.h"
#include "common/conf/revoked.h"

extern const struct options_spec settings_spec;

/* Exactly one way to be someone was named; else it is told on stderr. */
bool settings_usage(const struct options *o) MUST_USE;

/* The file's settings with the options over them; false with the mistakes on
 * stderr. Sets the log up. To be freed by edge_conf_free. */
bool settings_conf(const struct options *o, struct edge_conf *conf) MUST_USE;
void settings_log(const struct edge_conf *conf);

/* The identity that the settings name; false with the mistakes on stderr. */
bool settings_identity(const struct options *o, const struct edge_conf *conf,
                       struct edge_identity *identity) MUST_USE;

#endif
