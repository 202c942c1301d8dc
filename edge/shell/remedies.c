#include "edge/shell/remedies.h"

#include <string.h>

#define WARNING "warning"
#define ERROR "error"

static const struct remedy failures[RELAY_ERRORS] = {
    [RELAY_ERROR_LOST] = {WARNING, "The relay was restarted, or a firewall on "
                                   "the way ended the connection. It is "
                                   "dialled again."},
    [RELAY_ERROR_SILENT] = {WARNING,
                            "Nothing came from it for a while: look at the "
                            "network between, and whether zs-relay hangs. It "
                            "is dialled again."},
    [RELAY_ERROR_UNREACHABLE] = {WARNING,
                                 "Check that zs-relay runs there, and that its "
                                 "host and port can be reached from here."},
    [RELAY_ERROR_DNS] = {WARNING,
                         "The name of its host is not resolved, or not in "
                         "time: check the host in the URL, and the DNS here "
                         "(getent hosts NAME); an address in place of the "
                         "name does without."},
    [RELAY_ERROR_HANDSHAKE] = {ERROR,
                               "Something answers there, but no relay with the "
                               "URL's key: compare it with `zs id relay.key` "
                               "on the server, and see that no other program "
                               "has the port."},
    [RELAY_ERROR_TIMEOUT] = {WARNING,
                             "It has the right key, but does not let this node "
                             "in: look at the relay's log, and at its load."},
};

/* A table by the reason; what cannot come from a relay, or from a peer, has the
 * words of a broken program. */
static const struct {
    struct remedy relay;
    struct remedy here;  /* a peer refuses this node */
    struct remedy there; /* this node refuses a peer */
} refusals[] = {
    [REFUSAL_NONE] = {{WARNING, "It said no reason: look at the relay's log."},
                      {WARNING, "It said no reason: look at that node's log."},
                      {WARNING, "There is no reason: update this node."}},
    [REFUSAL_WRONG_MESH] =
        {{ERROR, "The certificate is of another mesh than this node says: make "
                 "its identity anew (zs mesh add --replace)."},
         {ERROR, "It is of another mesh: give one of them an identity of the "
                 "other's mesh, or start both with the same passphrase."},
         {WARNING, "It is of another mesh: nothing, if that is as it should "
                   "be; else give it an identity of this mesh, or the same "
                   "passphrase."}},
    [REFUSAL_FORGED] =
        {{ERROR, "A signature is wrong: this identity was damaged, or was not "
                 "made by the mesh's key. Make it anew (zs mesh add "
                 "--replace)."},
         {ERROR, "A signature is wrong: this identity was damaged, or was not "
                 "made by the mesh's key. Make it anew (zs mesh add "
                 "--replace)."},
         {WARNING, "A signature of it is wrong: make that node's identity "
                   "anew; if it goes on, somebody tries to get in."}},
    [REFUSAL_EXPIRED] =
        {{ERROR, "The certificate is past its time by the relay's clock: "
                 "compare the clocks; if they are right, make this node a new "
                 "certificate (zs mesh add NAME --renew)."},
         {ERROR, "The certificate is past its time by that node's clock: "
                 "compare the clocks; if they are right, make this node a new "
                 "certificate (zs mesh add NAME --renew)."},
         {WARNING, "Its certificate is past its time by this node's clock: "
                   "compare the clocks; if they are right, it wants a new "
                   "certificate (zs mesh add NAME --renew)."}},
    [REFUSAL_NOT_YET] =
        {{WARNING, "The certificate is not valid yet by the relay's clock: set "
                   "the clock of the relay, or of where the identity was made. "
                   "No new identity is needed."},
         {WARNING, "The certificate is not valid yet by that node's clock: set "
                   "that node's clock. They meet by themselves then; no new "
                   "identity is needed."},
         {WARNING, "Its certificate is not valid yet by this node's clock: set "
                   "the clock here. They meet by themselves then; no new "
                   "identity is needed."}},
    [REFUSAL_REVOKED] =
        {{ERROR, "zs mesh revoke put this node out: if it shall be in, make it "
                 "a new identity (zs mesh add NAME --replace)."},
         {ERROR, "zs mesh revoke put this node out: if it shall be in, make it "
                 "a new identity (zs mesh add NAME --replace)."},
         {WARNING, "zs mesh revoke put it out: if it shall be in, it wants a "
                   "new identity (zs mesh add NAME --replace)."}},
    [REFUSAL_NAME_TAKEN] =
        {{ERROR, "Another node has this one's name and was there first: `zs "
                 "mesh list` says who was issued what; give one of them "
                 "another name, and revoke its old identity."},
         {ERROR, "Another node has this one's name and was there first: `zs "
                 "mesh list` says who was issued what; give one of them "
                 "another name, and revoke its old identity."},
         {WARNING, "Another node of its name was there first: give one of them "
                   "another name, and revoke its old identity."}},
    [REFUSAL_VERSION] =
        {{ERROR, "It speaks another version of the protocol: update the older "
                 "of the two, the relay or this node."},
         {ERROR, "It speaks another version of the protocol: update the older "
                 "of the two nodes."},
         {WARNING, "It speaks another version of the protocol: update the "
                   "older of the two nodes."}},
    [REFUSAL_MALFORMED] =
        {{ERROR, "The relay cannot read what this node says: update the older "
                 "of the two, and see that no proxy changes what passes."},
         {ERROR, "It cannot read what this node says: update the older of the "
                 "two nodes."},
         {WARNING, "What it says cannot be read: another program has that "
                   "port, or one of the two nodes is to be updated."}},
    [REFUSAL_KEY_MISMATCH] =
        {{ERROR, "The connection proved another key than this node's "
                 "certificate has: make its identity anew (zs mesh add "
                 "--replace)."},
         {ERROR, "The connection proved another key than this node claims: "
                 "restart this node; if it goes on, make its identity anew."},
         {WARNING, "The connection proved another key than it claims: restart "
                   "that node; if it goes on, somebody tries to be it."}},
    [REFUSAL_REPLACED] =
        {{ERROR, "The same identity runs elsewhere too, and was started later: "
                 "end one of the two, and give each node an identity of its "
                 "own."},
         {ERROR, "The same identity runs elsewhere too, and was started later: "
                 "end one of the two, and give each node an identity of its "
                 "own."},
         {WARNING, "Its identity runs twice: end one of the two, and give each "
                   "node an identity of its own."}},
    [REFUSAL_MESH_UNKNOWN] =
        {{ERROR, "The relay runs, and does not serve this mesh: add the "
                 "mesh's id (`zs id` tells it) to meshes: in its relay.yaml, "
                 "and kill -HUP it."},
         {ERROR, "It does not know this mesh: give both an identity of the "
                 "same mesh."},
         {WARNING, "It is of a mesh that is not known here: give it an "
                   "identity of this mesh."}},
    [REFUSAL_FULL] =
        {{WARNING, "The relay takes no more: raise limits.edges, "
                   "limits.edges_per_mesh or limits.edges_per_address in its "
                   "relay.yaml. It is asked again by itself."},
         {WARNING, "It takes no more peers: raise limits.peers in its file, or "
                   "end a node. It looks again by itself."},
         {WARNING, "This node takes no more peers: raise limits.peers in its "
                   "file, or end a node. It looks again by itself."}},
    [REFUSAL_NO_PEER] =
        {{WARNING, "Somebody is not at that relay any more: nothing is to be "
                   "done, what was for him goes another way, or waits."},
         {WARNING, "It does not know this node any more: nothing is to be "
                   "done, they greet each other anew."},
         {WARNING, "It is not known any more: nothing is to be done, they "
                   "greet each other anew."}},
    [REFUSAL_QUEUE_FULL] =
        {{WARNING, "A receiver takes less than is sent to it: nothing is to be "
                   "done, senders slow down; limits.queue is the relay's "
                   "memory for each."},
         {WARNING, "It takes less than is sent to it: nothing is to be done, "
                   "this node slows down."},
         {WARNING, "It sends more than is taken: nothing is to be done, it "
                   "slows down."}},
    [REFUSAL_TOO_LARGE] =
        {{ERROR, "What this node tells of itself does not fit: make node.info "
                 "smaller, and its groups fewer."},
         {ERROR, "What this node tells of itself, or sends at a time, does not "
                 "fit: make node.info smaller, and its groups fewer."},
         {WARNING, "What it tells of itself, or sends at a time, does not fit: "
                   "make its node.info smaller, and its groups fewer."}},
    [REFUSAL_SHUTDOWN] =
        {{WARNING, "The relay is being stopped or restarted: nothing is to be "
                   "done here, it is dialled again."},
         {WARNING, "That node is being stopped: nothing is to be done."},
         {WARNING, "This node is being stopped: nothing is to be done."}},
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
    /* A newer version may send a number that this one has no words for. */
    if ((int)reason >= REFUSALS)
        reason = REFUSAL_VERSION;
    return by_peer ? refusals[reason].here : refusals[reason].there;
}
