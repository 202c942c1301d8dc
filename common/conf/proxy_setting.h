/*
 * proxy_setting - which proxy a connection to a relay takes: from the setting
 * `proxy`, else from the environment, as curl reads it.
 *
 *     proxy: http://proxy:3128   only through this proxy
 *     proxy: none                only without
 *     proxy: ""                  https_proxy, HTTPS_PROXY, all_proxy, ALL_PROXY
 *                                unless no_proxy names the host: with and
 *                                without race
 *
 * For plain HTTP http_proxy comes first (not HTTP_PROXY, which is a header of
 * a request where programs run for a web server).
 */
#ifndef COMMON_CONF_PROXY_SETTING_H
#define COMMON_CONF_PROXY_SETTING_H

#include "common/conf/proxy_url.h"

enum proxy_use {
    PROXY_WITHOUT_ONLY,
    PROXY_BOTH,
    PROXY_WITH_ONLY,
};

enum proxy_source { PROXY_FROM_NOWHERE, PROXY_FROM_FILE, PROXY_FROM_VARIABLE };

struct proxy_setting {
    enum proxy_use use;
    enum proxy_source source;
    struct proxy_url url; /* unless WITHOUT_ONLY */
    /* FROM_VARIABLE: its name. With `wrong` it is not used, and `wrong` says
     * why, as the end of a sentence. */
    const char *variable;
    const char *wrong;
};

/* A variable of the environment, or NULL. */
typedef const char *proxy_variable(void *context, const char *name);

/* A value of the key `proxy` that is not "". NULL, or what is wrong with it, as
 * the end of a sentence. The caller wipes `found`, which may have a password,
 * also that of the functions below. */
const char *proxy_setting_parse(const char *setting,
                                struct proxy_setting *found) MUST_USE;

/* What counts for a connection to `host`; `plain_http`: for the form ws.
 * `setting` is the value of the key `proxy`, which was checked. */
void proxy_setting_find(const char *setting, const char *host, bool plain_http,
                        proxy_variable *variable, void *context,
                        struct proxy_setting *found);
/* The same with this process's environment. */
void proxy_setting_read(const char *setting, const char *host, bool plain_http,
                        struct proxy_setting *found);

/* Whether a no_proxy list has the host: names and all below them, addresses,
 * 192.0.2.0/24, or * for every host. */
bool proxy_list_has(const char *list, const char *host) MUST_USE;

#endif
