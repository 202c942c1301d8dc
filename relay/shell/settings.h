/*
 * settings - turns relay.yaml's settings into those of the hub, the entrance
 * and the log.
 */
#ifndef RELAY_SHELL_SETTINGS_H
#define RELAY_SHELL_SETTINGS_H

#include "common/conf/relay_conf.h"
#include "relay/core/hub.h"
#include "relay/shell/entrance.h"

/* File descriptors. */
struct settings_files {
    unsigned long limit; /* that the process may have open */
    unsigned long own;   /* that it needs for other things than connections */
};

/* How many edges the descriptors allow. Some are left over for connections that
 * have not sent HELLO yet, so that the relay can tell an edge that it is
 * full. */
size_t settings_edges(const struct settings_files *files);

/* The hub's settings, with `boot` and `hash_key` zero. The caller frees them by
 * settings_hub_free. */
struct hub_conf settings_hub(const struct relay_conf *conf,
                             const struct settings_files *files);
void settings_hub_free(struct hub_conf *hub);

/* The settings for entrance_open and entrance_reconfigure. */
struct entrance_conf settings_entrance(const struct relay_conf *conf,
                                       const struct settings_files *files);
/* Sets up the log as the settings say. */
void settings_log(const struct relay_conf *conf);

/* Logs a warning for each setting that is set but has no effect in this
 * version. */
void settings_tell_unserved(const struct relay_conf *conf);
/* Logs which settings changed since `before`, and which differ from `started`
 * but need a restart. */
void settings_tell_changes(const struct relay_conf *started,
                           const struct relay_conf *before,
                           const struct relay_conf *after);

#endif
