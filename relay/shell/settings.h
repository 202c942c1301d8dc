/*
 * settings - what relay.yaml says, as the hub, the gate and the log want it.
 */
#ifndef RELAY_SHELL_SETTINGS_H
#define RELAY_SHELL_SETTINGS_H

#include "common/conf/relay_conf.h"
#include "relay/core/hub.h"
#include "relay/shell/front.h"

/* Descriptors that the process may open, and those that are not for edges. */
struct settings_files {
    unsigned long limit;
    unsigned long own;
};

/* How many edges they allow: some are left for those who are about to prove
 * themselves, so that who is too many is told. */
size_t settings_edges(const struct settings_files *files);

/* Without what is random. Its meshes are the caller's: hub_conf_free. */
struct hub_conf settings_hub(const struct relay_conf *conf,
                             const struct settings_files *files);
void settings_hub_free(struct hub_conf *hub);

struct front_conf settings_front(const struct relay_conf *conf,
                                 const struct settings_files *files);
void settings_log(const struct relay_conf *conf);

/* Says which settings this version does not serve, if they are set. */
void settings_tell_unserved(const struct relay_conf *conf);
/* Says which settings changed since the last reload, and which differ from what
 * the relay runs with, as only a restart applies them. */
void settings_tell_changes(const struct relay_conf *started,
                           const struct relay_conf *before,
                           const struct relay_conf *after);

#endif
