#include "edge/shell/remedies.h"

#include <string.h>

#define WARNING "warning"
#define ERROR "error"

static const struct remedy failures[RELAY_ERRORS] = {
    [RELAY_ERROR_LOST] = {WARNING, "The relay restarted, or a firewall cut the "
                                   "connection. This node dials it again."},
    [RELAY_ERROR_SILENT] =
        {WARNING,
         "The relay sent nothing for a while: check the network between, and "
         "whether zs-relay hangs. This node dials it again."},
    [RELAY_ERROR_UNREACHABLE] = {WARNING,
                                 "Check that zs-relay runs there, and that its "
                                 "host and port can be reached from here."},
    [RELAY_ERROR_DNS] =
        {WARNING, "The name of the relay's host was not resolved, or not in "
                  "time: check the host in the URL and the DNS here (getent "
                  "hosts NAME), or use an address instead of the name."},
    [RELAY_ERROR_REFUSED] =
        {WARNING, "The host is up, but nothing listens at that port: start "
                  "zs-relay there, or correct the port in the URL."},
    [RELAY_ERROR_TIMEOUT] =
        {WARNING,
         "No answer came in time: check that the host is up and that firewalls "
         "let TCP to that port pass, then the relay's log and load."},
    [RELAY_ERROR_TLS] =
        {ERROR, "TLS failed: a firewall that opens TLS stands between, or the "
                "certificate is not accepted (tls.verify). Ask who runs this "
                "network, or set tls.verify: false: the relay's key protects."},
    [RELAY_ERROR_PROXY_AUTH] =
        {ERROR, "The proxy wants a user and a password, or others than these: "
                "set proxy: http://USER:PASSWORD@HOST:PORT."},
    [RELAY_ERROR_PROXY_REFUSED] =
        {ERROR, "The proxy does not connect to the relay's host or port: ask "
                "who runs the proxy to let this port pass, or let the relay "
                "listen on 443."},
    [RELAY_ERROR_CAPTIVE_PORTAL] =
        {WARNING, "This network wants somebody to log in first: open any http "
                  "page in a browser. This node tries again by itself."},
    [RELAY_ERROR_NOT_A_RELAY] =
        {ERROR, "A program answers there that is no relay: check host and port "
                "in the URL; `ss -ltnp` on the server shows the program."},
    [RELAY_ERROR_WRONG_KEY] =
        {ERROR, "A program answers there, but no relay with the URL's key: "
                "compare the key with `zs id relay.key` on the server, and "
                "check that no other program has the port."},
};

/* A table by the reason. Some reasons cannot come from a relay, or from a peer;
 * their texts are for a broken program. */
static const struct {
    struct remedy relay;
    struct remedy here;  /* a peer refuses this node */
    struct remedy there; /* this node refuses a peer */
} refusals[] = {
    [REFUSAL_NONE] = {{WARNING,
                       "The relay gave no reason: check the relay's log."},
                      {WARNING, "That node gave no reason: check its log."},
                      {WARNING, "This node gave no reason: update this node."}},
    [REFUSAL_WRONG_MESH] =
        {{ERROR, "This node's certificate is of another mesh than this node "
                 "claims: make its identity anew (zs mesh add --replace)."},
         {ERROR, "That node is of another mesh: give both an identity of the "
                 "same mesh, or start both with the same passphrase."},
         {WARNING,
          "That node is of another mesh: if that is intended, do nothing; else "
          "give it an identity of this mesh, or the same passphrase."}},
    [REFUSAL_FORGED] =
        {{ERROR,
          "A signature is wrong: this identity was damaged, or was not made "
          "with the mesh's key. Make it anew (zs mesh add --replace)."},
         {ERROR,
          "A signature is wrong: this identity was damaged, or was not made "
          "with the mesh's key. Make it anew (zs mesh add --replace)."},
         {WARNING, "A signature of that node is wrong: make its identity anew. "
                   "If the refusals continue, somebody is trying to get in."}},
    [REFUSAL_EXPIRED] =
        {{ERROR, "The certificate has expired by the relay's clock: compare "
                 "the clocks. If they are right, renew this node's certificate "
                 "(zs mesh add NAME --renew)."},
         {ERROR, "The certificate has expired by that node's clock: compare "
                 "the clocks. If they are right, renew this node's certificate "
                 "(zs mesh add NAME --renew)."},
         {WARNING, "That node's certificate has expired by this node's clock: "
                   "compare the clocks. If they are right, renew that node's "
                   "certificate (zs mesh add NAME --renew)."}},
    [REFUSAL_NOT_YET] =
        {{WARNING, "The certificate is not valid yet by the relay's clock: set "
                   "the clock of the relay, or of the machine that made the "
                   "identity. No new identity is needed."},
         {WARNING, "The certificate is not valid yet by that node's clock: set "
                   "that clock. The two nodes then connect by themselves; no "
                   "new identity is needed."},
         {WARNING, "That node's certificate is not valid yet by this node's "
                   "clock: set the clock here. The two nodes then connect by "
                   "themselves; no new identity is needed."}},
    [REFUSAL_REVOKED] =
        {{ERROR, "zs mesh revoke revoked this node: to admit it again, make it "
                 "a new identity (zs mesh add NAME --replace)."},
         {ERROR, "zs mesh revoke revoked this node: to admit it again, make it "
                 "a new identity (zs mesh add NAME --replace)."},
         {WARNING, "zs mesh revoke revoked that node: to admit it again, make "
                   "it a new identity (zs mesh add NAME --replace)."}},
    [REFUSAL_NAME_TAKEN] =
        {{ERROR, "Another node has this node's name and was there first: `zs "
                 "mesh list` shows all issued identities. Give one of the two "
                 "another name, and revoke its old identity."},
         {ERROR, "Another node has this node's name and was there first: `zs "
                 "mesh list` shows all issued identities. Give one of the two "
                 "another name, and revoke its old identity."},
         {WARNING, "Another node of that name was there first: give one of the "
                   "two another name, and revoke its old identity."}},
    [REFUSAL_VERSION] =
        {{ERROR, "The relay speaks another version of the protocol: update the "
                 "older of the two, the relay or this node."},
         {ERROR, "That node speaks another version of the protocol: update the "
                 "older of the two nodes."},
         {WARNING, "That node speaks another version of the protocol: update "
                   "the older of the two nodes."}},
    [REFUSAL_MALFORMED] =
        {{ERROR, "The relay cannot read this node's packets: update the older "
                 "of the two, and check that no proxy changes the traffic."},
         {ERROR, "That node cannot read this node's packets: update the older "
                 "of the two nodes."},
         {WARNING,
          "This node cannot read the packets from there: another program uses "
          "that port, or one of the two nodes needs an update."}},
    [REFUSAL_KEY_MISMATCH] =
        {{ERROR,
          "The connection proved another key than the one in this node's "
          "certificate: make its identity anew (zs mesh add --replace)."},
         {ERROR,
          "The connection proved another key than this node claims: restart "
          "this node. If the refusals continue, make its identity anew."},
         {WARNING, "The connection proved another key than that node claims: "
                   "restart that node. If the refusals continue, somebody is "
                   "trying to impersonate it."}},
    [REFUSAL_REPLACED] =
        {{ERROR,
          "A process with the same identity was started elsewhere later: end "
          "one of the two, and give each node an identity of its own."},
         {ERROR,
          "A process with the same identity was started elsewhere later: end "
          "one of the two, and give each node an identity of its own."},
         {WARNING, "Two processes run with that node's identity: end one of "
                   "the two, and give each node an identity of its own."}},
    [REFUSAL_MESH_UNKNOWN] =
        {{ERROR, "The relay runs, but does not serve this mesh: add the mesh's "
                 "id (`zs id` shows it) to meshes: in its relay.yaml, and send "
                 "it SIGHUP (kill -HUP)."},
         {ERROR, "That node does not know this mesh: give both an identity of "
                 "the same mesh."},
         {WARNING, "That node is of a mesh that this node does not know: give "
                   "it an identity of this mesh."}},
    [REFUSAL_FULL] =
        {{WARNING, "The relay has reached a limit: raise limits.edges, "
                   "limits.edges_per_mesh or limits.edges_per_address in its "
                   "relay.yaml. This node tries again by itself."},
         {WARNING,
          "That node has reached its limit of peers: raise limits.peers in its "
          "file, or end a node. It admits this node by itself when it can."},
         {WARNING,
          "This node has reached its limit of peers: raise limits.peers in its "
          "file, or end a node. It admits that node by itself when it can."}},
    [REFUSAL_NO_PEER] =
        {{WARNING,
          "A receiver is no longer connected to that relay: nothing needs to "
          "be done. Its messages take another path, or wait."},
         {WARNING, "That node no longer knows this node: nothing needs to be "
                   "done. The two connect again."},
         {WARNING, "This node no longer knows that node: nothing needs to be "
                   "done. The two connect again."}},
    [REFUSAL_QUEUE_FULL] =
        {{WARNING, "A receiver reads more slowly than others send: nothing "
                   "needs to be done, the senders slow down. limits.queue is "
                   "the relay's memory for each receiver."},
         {WARNING, "That node reads more slowly than this node sends: nothing "
                   "needs to be done, this node slows down."},
         {WARNING, "That node sends faster than this node reads: nothing needs "
                   "to be done, that node slows down."}},
    [REFUSAL_TOO_LARGE] =
        {{ERROR, "This node's announcement is too large: make node.info "
                 "smaller, or join fewer groups."},
         {ERROR, "This node's announcement, or one of its packets, is too "
                 "large: make node.info smaller, or join fewer groups."},
         {WARNING,
          "That node's announcement, or one of its packets, is too large: make "
          "its node.info smaller, or let it join fewer groups."}},
    [REFUSAL_SHUTDOWN] =
        {{WARNING, "The relay is stopping or restarting: nothing needs to be "
                   "done here. This node dials it again."},
         {WARNING, "That node is stopping: nothing needs to be done."},
         {WARNING, "This node is stopping: nothing needs to be done."}},
};

enum { REFUSALS = sizeof refusals / sizeof *refusals };

struct remedy remedy_of_relay(const char *error)
{
    for (int i = 0; i < RELAY_ERRORS; i++)
        if (strcmp(error, relay_error_name((enum relay_error)i)) == 0)
            return failures[i];
    for (int i = REFUSAL_NONE + 1; i < REFUSALS; i++)
        if (strcmp(error, refusal_name((uint8_t)i)) == 0)
            return refusals[i].relay;
    return failures[RELAY_ERROR_UNREACHABLE];
}

struct remedy remedy_of_refusal(enum refusal reason, bool by_peer)
{
    /* A newer version may send a reason that this table does not have. */
    if ((int)reason >= REFUSALS)
        reason = REFUSAL_VERSION;
    return by_peer ? refusals[reason].here : refusals[reason].there;
}
