/*
 * settings - what relay.yaml says, as the hub, the gate and the log want it.
 */
#ifndef RELAY_SHELL_SETTINGS_H
#define RELAY_SHELL_SETTINGS_H

#include "common/conf/relay_conf.h"
#include "common/io/gate.h"
#include "relay/core/hub.h"

/* What libzmq may hold of all edges' packets together. */
enum { SETTINGS_MEMORY = 512 * 1024 * 1024 };

/* Without what is random. Its meshes are the caller's: hub_conf_free. */
struct hub_conf settings_hub(const struct relay_conf *conf);
void settings_hub_free(struct hub_conf *hub);

/* `files`: how many descriptors the process may open. */
struct gate_conf settings_gate(const struct relay_conf *conf,
                               unsigned long files);
void settings_log(const struct relay_conf *conf);

/* Says which settings this version does not serve, if they are set. */
void settings_tell_unserved(const struct relay_conf *conf);
/* Says which settings changed, and which of them need a restart. */
void settings_tell_changes(const struct relay_conf *before,
                           const struct relay_conf *after);

#endif
