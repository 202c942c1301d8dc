/*
 * settings - reads zs-edge's options, its settings file and its identity.
 */
#ifndef EDGE_DAEMON_SETTINGS_H
#define EDGE_DAEMON_SETTINGS_H

#include "common/conf/edge_conf.h"
#include "common/conf/identity.h"
#include "common/conf/options.h"
#include "common/conf/revoked.h"

extern const struct options_spec settings_spec;

/* Checks that the options name exactly one identity; else prints a line on
 * stderr and returns false. */
bool settings_usage(const struct options *o) MUST_USE;

/* Reads the settings file, lets the options override it, and sets up the log.
 * The caller frees `conf` by edge_conf_free. On failure prints the mistakes on
 * stderr and returns false. */
bool settings_conf(const struct options *o, struct edge_conf *conf) MUST_USE;
void settings_log(const struct edge_conf *conf);

/* Loads the identity that options or settings name. On failure prints the
 * mistakes on stderr and returns false. */
bool settings_identity(const struct options *o, const struct edge_conf *conf,
                       struct edge_identity *identity) MUST_USE;

#endif
