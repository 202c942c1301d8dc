#include "edge/shell/findings_private.h"

#include <string.h>

/* What stands between this host and its relays: proxies, and hosts that open
 * TLS. */

static bool some_relay_is_up(const struct net_facts *f)
{
    for (size_t i = 0; i < f->relay_count; i++)
        if (f->relays[i].up)
            return true;
    return false;
}

static void add_wrong_proxy(const struct net_facts *f, struct findings *out)
{
    if (f->proxy_wrong[0] == '\0')
        return;
    findings_add(
        out, WARNING, "proxy_wrong",
        "Correct it where the edge is started (with systemd: "
        "/etc/default/zs-edge) and restart the edge, or set proxy: in the "
        "edge's file. `proxy: none` ignores the variable.",
        "The variable %s of the environment is no URL of a proxy: it %s.",
        f->proxy_from, f->proxy_wrong);
}

/* It matters where no proxy is set and no relay is reached. */
static void add_pac(const struct net_facts *f, struct findings *out)
{
    bool matters = f->relay_count > 0 && !some_relay_is_up(f);

    if (!f->pac || f->proxy[0] != '\0')
        return;
    findings_add(
        out, matters ? WARNING : INFO, "proxy_pac",
        matters ? "Ask for the proxy's host and port, or read them in the file "
                  "(behind PROXY), and set proxy: in the edge's file."
                : "Nothing needs to be done.",
        "This network seems to name its proxy by a PAC file (%s). The edge "
        "does not read such files.",
        f->pac_from);
}

static void add_inspected(const struct net_facts *f, struct findings *out)
{
    for (size_t i = 0; i < f->relay_count; i++)
        if (f->relays[i].inspected)
            findings_add(
                out, INFO, "tls_inspected",
                "Nothing needs to be done: the relay's key is proved inside "
                "TLS, and messages are sealed from end to end.",
                "Something on the way to the relay %s:%u opens TLS: the "
                "certificate that arrives here is not the relay's own.",
                f->relays[i].host, f->relays[i].port);
}

void findings_add_way(const struct net_facts *f, struct findings *out)
{
    add_wrong_proxy(f, out);
    add_pac(f, out);
    add_inspected(f, out);
}
