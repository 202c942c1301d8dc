/*
 * node_private - the structs of a node and the functions that its files offer
 * each other. Only edge/core and its tests include this header.
 *
 *     node.c               node_step: events, due deadlines, settling of peers
 *     queries.c            the questions of node.h
 *     todo.c               adding items to the todo list
 *     leave.c              the end: deliver the queue, then say goodbye
 *
 *     announce.c           announcements: this node's, and checking others'
 *     beacons.c            discovery by datagrams on a LAN
 *     links.h              connections to peers and relays, in six files
 *     routes.h             which form of a relay's address is tried when
 *     relays.h             relays: their links and rosters, in two files
 *     udp.h                paths over UDP, in three files
 *
 *     evidence.h           whether a peer is there, until when, and why
 *     peers.c              the table of peers; join and leave; the path in use
 *     peer_links.c         when to dial a peer; links that come up or end
 *     peer_settle.c        what a peer needs at the end of a step
 *
 *     traffic.c            messages and session packets of a peer
 *     traffic_handshake.c  INIT, and packets under unknown keys
 *     traffic_packet.c     the frame of a packet on a link
 *     pings.c              pings that the owner asked for
 *     groups.c             publications: the channels and their receivers
 *     groups_send.c        uploads to relays and unicast repairs
 *     subscriptions.c      publications of peers
 *
 *     refusals.c           limits how often a refusal is reported
 *     refused_nodes.c      nodes that this node refused, judged again later
 *     notices.c            refusals told over a relay
 */
#ifndef EDGE_CORE_NODE_PRIVATE_H
#define EDGE_CORE_NODE_PRIVATE_H

#include <string.h>

#include "common/base/heap.h"
#include "common/base/map.h"
#include "common/base/token_bucket.h"
#include "common/core/detector.h"
#include "common/core/session.h"
#include "edge/core/caches.h"
#include "edge/core/deadline.h"
#include "edge/core/dialer.h"
#include "edge/core/evidence.h"
#include "edge/core/groups.h"
#include "edge/core/inflow.h"
#include "edge/core/links.h"
#include "edge/core/node.h"
#include "edge/core/paths.h"
#include "edge/core/receiver.h"
#include "edge/core/refused_nodes.h"
#include "edge/core/relays.h"
#include "edge/core/udp.h"

/* Another node of the mesh whose announcement this node accepted. It need not
 * be there now: see `joined`. */
struct peer {
    struct node_id id;
    uint8_t *blob; /* its latest announcement, encoded */
    size_t blob_size;
    struct announcement said; /* the same, decoded; refers to blob */
    struct certificate certificate;
    char name[NAME_MAX_SIZE + 1];  /* padded with zeros: a key of node.names */
    struct curve_key identity_key; /* derived from the id when first needed */
    bool identity_key_known;

    /* Presence. */
    bool joined;                /* the owner was told JOINED, and not LEFT */
    struct instant since;       /* when it joined */
    struct instant known_since; /* learned, restarted, left or accepted again:
                                   from then on join_grace and removal count */
    struct evidence evidence;
    uint8_t refuses_us; /* enum refusal: why the peer refuses this node, which
                           cannot be its peer then [P-7.8]; or NONE */
    struct instant refused_at; /* of the last refusal, or of this node's last
                                  INIT that asks for another answer */
    struct skew skew;          /* its clock's, as its refusal said */
    bool relents; /* this node refused the peer and does not any more; an INIT
                     has to show the peer that */

    /* Beacons. */
    uint64_t beacon_counters[2]; /* of the last multicast [0] and the last
                                    unicast [1] beacon. They come by two sockets
                                    and so may be read out of order. */
    uint64_t cookie;    /* in its beacons: what this node echoes; 0: unknown */
    uint64_t challenge; /* a cookie of this node for this peer alone; 0: the
                           peer gets node.cookie */
    bool has_beacon_address;
    struct address beacon_address; /* where unicast beacons are sent */
    struct instant answered_at;    /* when this node last sent it one */
    uint64_t answered_cookie;      /* the cookie that this one echoed */

    /* Links and paths. */
    struct link *links; /* direct links, of every state */
    struct paths paths;
    struct instant chosen_at; /* the current path was */
    struct dialer dialer;
    struct udp_peer *udp; /* NULL: no path over UDP was wanted lately */
    struct instant pathless_since;  /* when the last path was lost, or the peer
                                       joined without one, or messages began to
                                       wait; NEVER: there is a path */
    struct instant unreached_since; /* the same, but a join does not reset it:
                                       a peer that comes and goes without a path
                                       must not keep messages waiting */
    bool needs_link;                /* messages wait and there is no path */

    /* Suspicion of the current path, see traffic_suspect_path. */
    struct instant path_suspect_not_before;
    struct instant path_suspected_at;
    /* The first unacknowledged record at that time. */
    uint64_t path_suspected_base;
    int path_suspicions; /* in a row without progress, at most SUSPICIONS_MAX */

    /* Publications. */
    struct receiver *receivers; /* its places in this node's channels */
    bool owes_start; /* the session had no room for a channel's START */
    uint8_t spared;  /* a bit for each relay that need not multicast to it */
    struct subscription *inflows;  /* the peer's streams */
    struct instant ignorance_told; /* when this node last said that it lacks
                                      keys of one of them */

    /* Messages. */
    struct session *session; /* NULL: none is needed yet */
    uint64_t taken_counter;  /* of the newest INIT or notice of its process:
                                older ones are replays */
    uint8_t version;  /* the protocol version to use with it; 0: unknown */
    uint32_t ack_via; /* the link to acknowledge on, as data came by it; or 0 */
    uint64_t took_in; /* the step in which this data came */
    bool ack_put_off; /* the acknowledgement waits for the next step, so that
                         the owner's answer can travel with it */
    struct token_bucket init_pace,
        reset_pace;   /* limit answers to INITs, and RESETs */
    bool wants_ready; /* a message was refused as BUSY: READY has to follow */
    struct node_traffic traffic;
    struct instant session_until; /* after it left: when to give up what is
                                     unacknowledged */

    /* Scheduling. A dirty peer is settled before the step ends, see
     * peer_settle.c. */
    struct deadline deadline;
    struct peer *next_dirty;
    bool dirty;
    bool changed;              /* more than its output changed */
    struct peer *next_waiting; /* of those that wait for the same link */
    bool waiting;              /* for a full link: see link_flow.c */
};

struct ping {
    uint64_t token; /* names it in the session's packets */
    struct node_ref ref;
    struct node_id peer;
    struct instant asked;
    struct deadline deadline; /* then it is reported as not delivered */
};

/* A channel of this node and its deadline. */
struct outflow {
    struct channel *channel;
    struct deadline deadline;
};

/* One stream of a peer's publications. */
struct subscription {
    struct inflow inflow;
    const char *group; /* its name in struct node, or "" for the group of all;
                          NULL: this node left the group */
    struct peer *peer; /* the publisher */
    uint32_t via;      /* the link that its last packet came by */
    struct subscription *next;
    struct deadline deadline;
};

struct node {
    /* Identity and configuration. */
    uint8_t secret_key[64];
    uint8_t *certificate_blob;
    size_t certificate_size;
    struct certificate certificate;
    struct mesh_keys keys;
    struct curve_pair identity;  /* for sessions, and links to relays */
    struct curve_pair link_pair; /* for direct links; made for this process */
    struct epoch epoch;
    struct entropy entropy;
    uint64_t cookie; /* in its beacons: a peer that echoes it heard them */
    bool multicast, tcp, use_relays, aes, share_addresses; /* see node_conf */
    uint8_t offers; /* in the handshakes of its sessions */
    struct span beacon_interval;
    struct detector_conf detector;
    struct evidence_relays evidence;
    struct session_limits session_limits;
    size_t peer_limit, link_limit;
    uint8_t *info;
    size_t info_size;
    uint8_t group_count;
    char groups[ANNOUNCEMENT_GROUPS][NAME_MAX_SIZE + 1];

    /* Its announcement and its beacons. */
    uint32_t serial; /* of the announcement: counts its changes */
    /* The same announcement is sealed with the same nonce each time, so that a
     * relay sees that a HELLO on a new link brings nothing new. */
    uint32_t sealed_serial;
    uint8_t sealed_nonce[24];
    uint8_t *said_full; /* encoded and signed */
    size_t said_full_size;
    uint8_t *said_partial; /* without groups and info: for beacons, if the full
                              one is too large for them; else its size is 0 */
    size_t said_partial_size;
    struct address addresses[NODE_ADDRESSES]; /* of the TCP listener */
    size_t address_count;
    uint64_t beacon_counter; /* in the last beacon */
    struct deadline beacon_deadline;
    bool beacon_repeated; /* the first beacon was sent twice, as it may be lost
                           */
    struct address configured[DIALER_ADDRESSES]; /* discovery.peers */
    size_t configured_count;

    uint8_t *revocation_blob; /* the newest list; NULL: none */
    size_t revocation_size;
    struct revocation revocation; /* the same, decoded; refers to the blob */

    uint64_t unix_base; /* wall-clock seconds at unix_at; 0: unknown */
    struct instant unix_at;

    /* Peers, links, relays. */
    struct map peers;    /* struct peer, by id */
    struct peer *recent; /* the last one that was looked up, or NULL: most
                            look-ups in a row are for the same */
    struct map names;    /* struct peer, by padded name; those that joined, and
                            absent ones until another takes the name */
    size_t joined_count;
    struct map links;         /* struct link, by id */
    struct link *recent_link; /* as `recent` */
    size_t direct_links;
    uint32_t next_link; /* the id of the next outgoing link */
    struct relay relays[NODE_RELAYS];
    size_t relay_count;
    struct udp_paths udp;

    /* Requests and publications. */
    struct map pings; /* struct ping, by token */
    uint64_t next_token;
    struct outflow *outflows[GROUP_TAGS];
    size_t outflow_count;
    struct group_tag tags[GROUP_TAGS]; /* of its groups, and at the end of the
                                          group of all */
    uint64_t next_start;               /* numbers the STARTs, see START_MARK */
    bool uploads_wait;    /* multicasts are left for the next step */
    uint64_t ask_counter; /* in the last INIT or notice of this process */

    /* Nodes that this node refused. */
    struct map refused_nodes; /* struct refused_node, by id */
    struct refused_node *oldest_refused, *newest_refused;
    size_t refused_bytes;
    struct deadline refused_deadline;
    struct instant refused_looked_at; /* when all were last judged again */
    struct token_bucket notices_pace;
    struct instant
        replaced_at; /* when a later process of this node was heard */
    struct instant room_looked; /* when no peer could be removed for another */

    /* The step. */
    struct heap heap;   /* of all deadlines */
    uint64_t steps;     /* so many began */
    struct link *spent; /* links that are full until the next step */
    struct peer *dirty; /* to be settled before the step ends */
    struct peer *later; /* to be settled in the next step */
    struct instant now;
    struct todo *todo;         /* the list of this step; NULL between steps */
    const struct peer *viewed; /* the peer of todo_peer's last call, ... */
    const struct node_peer *view; /* ... and the view that was made of it */
    bool leaving; /* LEAVE came: nothing is accepted, the queue is delivered */
    bool left;    /* goodbye was said */
    struct instant leave_by;
    struct deadline leave_deadline;
    struct instant expected_at; /* the earliest deadline after the last step: if
                                   this step is much later, the host slept */

    /* Limits, tables of fixed size, counters. */
    struct token_bucket stranger_pace, revocation_pace;
    struct stranger strangers[STRANGERS]; /* by the first byte of the id */
    struct removed_peer removed_peers[REMOVED_PEERS]; /* likewise */
    struct stream_position positions[STREAM_POSITIONS];
    struct logged_refusal refusals[LOGGED_REFUSALS];
    struct session_counters session_counters;
    struct slabs slabs; /* memory for the records of all sessions */
    struct node_counters counters;
};

/* A session names each message by a number. With this bit the message is a
 * START of a channel, and the rest is from next_start; without it a node_ref.
 */
#define START_MARK ((uint64_t)1 << 63)

enum { NAME_ROOM = NAME_MAX_SIZE + 1 };

/* Pads the name with zeros, as keys of node.names are. */
static inline void name_pad(char room[NAME_ROOM], const char *name)
{
    memset(room, 0, NAME_ROOM);
    memcpy(room, name, strnlen(name, NAME_MAX_SIZE));
}

/* todo.c */
struct node_todo *todo_add(struct todo *t, enum node_todo_kind kind);
/* A view with the peer's present id and name, in the list's memory. */
const struct node_peer *todo_peer(struct node *n, const struct peer *p);
/* For a packet of up to `size` bytes, in the list's memory. */
struct writer todo_writer(struct node *n, size_t size);
/* The packet u8 type | content, in the list's memory. */
struct bytes todo_packet(struct node *n, enum packet_type type,
                         struct bytes content);
void todo_write(struct node *n, const struct link *link, struct bytes bytes);
/* The same without a copy: the bytes lie in `block`, which the list holds. */
void todo_write_lent(struct node *n, const struct link *link,
                     struct bytes bytes, struct block *block);
/* NODE_CONNECT, or NODE_CONNECT_RELAY for a link to a relay. */
void todo_connect(struct node *n, const struct link *link);
/* NODE_CONNECT_UDP: QUIC with this secret [P-11.8]. */
void todo_connect_udp(struct node *n, const struct link *link, bool client,
                      const uint8_t secret[32]);
void todo_disconnect(struct node *n, const struct link *link);
struct node_todo *todo_report(struct node *n, struct node_ref ref,
                              enum node_outcome outcome, const struct peer *p);

/* announce.c */
/* Something in it changed: signs it, and sends it to all. */
void announce_changed(struct node *n);
/* Only signs it. */
void announce_sign(struct node *n);
struct bytes announce_full(const struct node *n);
/* The same for a relay, sealed with the key of the mesh. */
struct bytes announce_sealed(struct node *n);
/* The same for HELLO. announce_news then sends it again when the link is up, if
 * it changed meanwhile. */
struct bytes announce_greeting(const struct node *n, struct link *link);
void announce_news(struct node *n, struct link *link);
struct bytes announce_for_beacon(const struct node *n);
/* Wall-clock time, seconds; 0: unknown. */
uint64_t node_unix_now(const struct node *n);

enum learned {
    LEARNED_GOOD,  /* it is, or was before, the announcement of *peer */
    LEARNED_STALE, /* an earlier process of the peer made it; *why: REPLACED */
    LEARNED_REFUSED,  /* the node is refused, for *why */
    LEARNED_REPLACED, /* a later process of this very node made it */
};
/* Checks another node's announcement and makes or updates the peer. *peer is
 * set when GOOD; `claimed` gets the certificate, if it could be decoded.
 * `signed_outer`: the announcement came in a packet that the node signed. A
 * node that is refused or stale is kept in refused_nodes. */
enum learned announce_learn(struct node *n, struct bytes announcement,
                            bool signed_outer, struct peer **peer,
                            enum refusal *why, struct certificate *claimed);
/* Checks a certificate, and that the node is not revoked and has no name that
 * another peer uses. `c` gets the certificate. */
enum refusal announce_check_certificate(struct node *n, struct bytes bytes,
                                        struct certificate *c);
struct stranger *stranger_of(struct node *n, const struct node_id *id);
uint64_t certificate_hash(struct bytes certificate);
bool node_is_revoked(const struct node *n, const struct node_id *id);
void revocation_take(struct node *n, struct bytes list, bool by_peer);
/* The newest list as a packet: LINK_REVOCATION or RELAY_REVOCATION. */
struct bytes revocation_packet(struct node *n, enum packet_type type);

/* beacons.c */
void beacons_multicast(struct node *n, enum beacon_kind kind);
/* Sends the peer a beacon. `asks`: the peer has to answer. */
void beacons_tell(struct node *n, struct peer *p, bool asks);
/* The peer's last link ended. While it was up, beacons were not checked, so
 * they may be replayed now: only an echo of a new cookie proves the peer
 * [P-4.7]. */
void beacons_challenge(struct node *n, struct peer *p);
/* Tells a node that it is refused. `cookie`: from its beacon; the echo shows
 * the node that this is no replay. Or 0. */
void beacons_refuse(struct node *n, const struct address *to,
                    const struct node_id *whom, enum refusal why,
                    uint64_t cookie, uint8_t version);
/* When to ask a peer that only beacons show: four times before it counts as
 * lost, as any beacon may be dropped on its way. */
struct instant beacons_ask_at(const struct node *n, const struct peer *p);
void beacons_take(struct node *n, const struct node_event *event);
void beacons_to_configured(struct node *n);

/* peers.c */
struct peer *peer_get(struct node *n, const struct node_id *id);
struct peer *peer_new(struct node *n, const struct node_id *id);
void peer_free(struct node *n, struct peer *p);
/* False: all places of the table are taken, by peers that are there or may come
 * back. */
bool peers_make_room(struct node *n) MUST_USE;

/* Something about the peer may have changed: it is settled in this step. */
void peer_touch(struct node *n, struct peer *p);
/* Only its output changed: this is written in this step. */
void peer_wants_write(struct node *n, struct peer *p);
/* It is settled in the next step, which follows at once. */
void peer_put_off(struct node *n, struct peer *p);
void peers_go_on(struct node *n); /* the next step begins */

/* What shows that the peer is there, and until when. */
struct evidence_verdict peer_evidence(const struct node *n,
                                      const struct peer *p);
/* Something shows it now. */
bool peer_is_evident(const struct node *n, const struct peer *p);
/* The same, and the peer does not refuse this node: so it may join. */
bool peer_is_present(const struct node *n, const struct peer *p);
/* A direct link is up. */
static inline bool peer_is_linked(const struct peer *p)
{
    return p->evidence.links > 0;
}
/* The peer said goodbye, or this node excluded it, and no later process of it
 * is known. */
bool peer_has_departed(const struct peer *p);

/* Lets the peer join if the evidence suffices. True if it is joined. */
bool peer_try_join(struct node *n, struct peer *p);
/* When a peer that is present joins although it has no path yet. */
struct instant peer_join_at(const struct peer *p);
/* The owner is told LEFT; the session is kept for a while. */
void peer_leave(struct node *n, struct peer *p, enum departure reason);
/* The peer said goodbye, or is excluded: no evidence of its process counts any
 * more, and everything open with it ends. */
void peer_departed(struct node *n, struct peer *p, enum departure reason);
/* A beacon of the peer said goodbye [P-4.9]. */
void peer_said_bye(struct node *n, struct peer *p);
/* The two have no version in common. Both ends report it, and the peer is
 * excluded until it restarts [P-1.3]. */
void peer_unspoken(struct node *n, struct peer *p, struct link *link);
/* Another process of the peer announced itself. */
void peer_restarted(struct node *n, struct peer *p);

static inline bool peer_has_path(const struct peer *p)
{
    return path_exists(&p->paths.current);
}
/* Uses the best path, and tells the owner of a change. */
void peer_choose_path(struct node *n, struct peer *p);
/* The link that packets to the peer are written to, or NULL. */
struct link *peer_link(struct node *n, const struct peer *p);
/* Messages wait for the peer, and none did before: the time limit starts. */
void peer_begins_to_wait(struct node *n, struct peer *p);
/* There is no room for a link to the peer. For a minute that is no reason to
 * give up its messages. */
void peer_awaits_place(struct node *n, struct peer *p);
/* When unacknowledged messages are given up and the session ends, or NEVER. */
struct instant peer_session_end_at(const struct peer *p);
void peer_view(const struct node *n, const struct peer *p,
               struct node_peer *view);

/* peer_links.c */
/* On a LAN with more nodes than this, links are dialled one after the other:
 * all at once they would keep the processors from discovery. */
enum { CROWD = 16 };
/* Dials the peer, unless a direct link is up. `at_once`: a link was lost.
 * Otherwise the node with the larger id waits for the other to dial, and in a
 * crowd the dials are spread. */
void peer_dial_soon(struct node *n, struct peer *p, bool at_once);
void peer_drop_links(struct node *n, struct peer *p);
/* The first dialed link that is up, or NULL. */
struct link *peer_dialed_link(const struct peer *p);
/* A direct link came up. */
void peer_linked(struct node *n, struct peer *p, struct link *link);
/* A direct link ended; end->peer is set. */
void peer_link_ended(struct node *n, const struct link_end *end);
/* A connection of the peer closed. If nothing else shows that the peer is
 * there, it is lost unless new evidence comes soon; then true. */
bool peer_suspect(struct node *n, struct peer *p);

/* peer_settle.c */
/* Brings all about the peer up to date at the end of a step. True if there is
 * more to write: the caller then settles it again in this step. */
bool peer_settle(struct node *n, struct peer *p);

/* traffic.c */
/* Accepts a message for a peer. False: it was refused, and no report follows.
 */
bool traffic_offer(struct node *n, struct node_ref ref,
                   const struct node_id *to, const struct message *m,
                   enum node_outcome *why) MUST_USE;
void traffic_ping(struct node *n, const struct node_event *event);
void traffic_ping_lost(struct node *n, struct ping *ping);
void traffic_take(struct node *n, struct peer *p, struct link *link,
                  uint8_t *packet, size_t size);
bool traffic_accept(struct node *n, struct peer *p,
                    struct bytes packet) MUST_USE;
/* Sends INIT to a peer that refuses this node, to see whether it still does. */
void traffic_ask(struct node *n, struct peer *p, struct link *link);
/* Writes INIT if one is due, then one packet of output. True: there is more. */
bool traffic_write(struct node *n, struct peer *p);
void traffic_path_changed(struct node *n, struct peer *p);
/* Reports every unacknowledged message as `how`, and drops the session. */
void traffic_end(struct node *n, struct peer *p, enum session_settled how);
struct instant traffic_deadline(const struct node *n, const struct peer *p);
/* Called at the end of a step, so that the message that was refused as BUSY can
 * be submitted before newer ones. */
void traffic_tell_ready(struct node *n, struct peer *p);
void traffic_due(struct node *n, struct peer *p);
/* Whether any peer has unacknowledged messages. */
bool traffic_is_open(const struct node *n);

/* The session, made if there is none; NULL: the peer's key is bad. */
struct session *traffic_session(struct node *n, struct peer *p);
/* The round trip time of the current path; negative: unknown. */
struct span traffic_rtt(const struct peer *p);
/* Acknowledgements stall on the current path, so another is tried [P-8.7].
 * `progressed`: something was acknowledged since the last suspicion. */
void traffic_suspect_path(struct node *n, struct peer *p, bool progressed);
/* Whether the peer has yet to get or acknowledge something. */
bool traffic_waits(const struct peer *p);
/* Nothing is unacknowledged in either direction, as far as is known. */
bool traffic_is_idle(const struct peer *p);
/* Messages wait: dials now if the dial was put off. */
void traffic_dial_for(struct node *n, struct peer *p);
/* traffic_packet.c: a packet of at most `size` bytes to the peer begins on this
 * link, with the header for the relay if the link leads to one. The caller
 * writes the packet and calls traffic_end_packet. */
struct writer traffic_begin(struct node *n, const struct peer *p,
                            const struct link *link, size_t size);
void traffic_end_packet(struct node *n, struct peer *p, struct link *link,
                        const struct writer *w);
/* On a link that seals, a large message is sent without a copy. False: that is
 * not possible now, and session_write has to be used. */
bool traffic_lend(struct node *n, struct peer *p, struct link *link);

/* traffic_handshake.c */
void traffic_take_init(struct node *n, struct peer *p, struct link *link,
                       struct bytes packet);
/* The packet is sealed with keys that this node does not know: sends RESET. */
void traffic_reset(struct node *n, struct peer *p, struct link *link,
                   const uint8_t *packet);
/* pings.c: the peer's session ended; the peer answered a ping. */
void pings_end(struct node *n, const struct peer *p);
void pings_answered(struct node *n, const struct peer *p, uint64_t token);

/* leave.c */
void leave_begin(struct node *n);
/* Called at the end of a step: says goodbye when all is delivered, or at the
 * latest after the time that LEAVE allows. */
void leave_go_on(struct node *n);

/* refusals.c */
/* Adds NODE_REFUSED to the todo list, unless the same refusal was reported
 * within the last minute. True if added. id, name and from may be NULL. */
bool refusal_say(struct node *n, bool by_peer, uint8_t reason, int relay,
                 const struct node_id *id, const char *name,
                 const struct address *from);

#endif
