/*
 * node_private - a node's parts, as its own files see them.
 *
 *     node.c       the step: events in, due deadlines, the flush
 *     queries.c    what the owner may ask
 *     todo.c       the list of what is to be done
 *     announce.c   what this node says of itself; what others say is checked
 *     beacons.c    datagrams on a LAN
 *     links.h      connections to peers and relays, in six files
 *     relays.c     links to relays, and their rosters
 *     evidence.c   whether a peer is there, until when, and what shows it
 *     peers.c      who is there: join and leave, path
 *     peer_settle.c  what a peer needs at the end of a step
 *     peer_links.c  when a peer is dialled, and what its links mean for it
 *     traffic.c    messages: submit, sessions, packets
 *     traffic_handshake.c  what a peer's INIT and unknown packets get
 *     pings.c      round trips
 *     groups.c     what this node publishes, and to whom
 *     groups_send.c  how it gets there
 *     subscriptions.c  what others publish to it
 *     refusals.c   who was refused, said once
 *     outsiders.c  who was refused, kept and judged again
 *     notices.c    who refuses whom, told over a relay
 *     leave.c      the end: what is queued is delivered, goodbye is said
 */
#ifndef EDGE_CORE_NODE_PRIVATE_H
#define EDGE_CORE_NODE_PRIVATE_H

#include <string.h>

#include "common/base/heap.h"
#include "common/base/map.h"
#include "common/base/pace.h"
#include "common/core/detector.h"
#include "common/core/session.h"
#include "edge/core/deadline.h"
#include "edge/core/dialer.h"
#include "edge/core/evidence.h"
#include "edge/core/groups.h"
#include "edge/core/inflow.h"
#include "edge/core/links.h"
#include "edge/core/node.h"
#include "edge/core/outsiders.h"
#include "edge/core/paths.h"
#include "edge/core/receiver.h"
#include "edge/core/remembered.h"

struct relay {
    uint32_t index;
    enum relay_state state;
    struct link *link; /* NULL: down */
    struct curve_key key;
    struct instant retry_at;
    struct span backoff;
    uint32_t roster; /* its number: one for each time that it came up */
    bool synced;
    struct instant settled_by; /* SYNCED: peers not listed again are gone */
    bool spares_told; /* it knows whom multicasts need not go to by it */
    const char *error;
    uint8_t version; /* that it is greeted with */
    char name[NAME_MAX_SIZE + 1];
    struct address outside;
    uint64_t bytes_sent, bytes_received;
    struct deadline deadline;
};

struct peer {
    struct node_id id;
    uint8_t *blob; /* the announcement, encoded */
    size_t blob_size;
    struct announcement said; /* views into blob */
    struct certificate certificate;
    char name[NAME_MAX_SIZE + 1];  /* NUL-padded: a key of the name map */
    struct curve_key identity_key; /* for Noise; see traffic.c */
    bool identity_key_known;

    bool joined;
    struct instant since;
    struct instant known_since;
    struct evidence evidence;
    uint8_t refuses_us;        /* enum refusal: so it is no peer here [P-7.8] */
    struct instant refused_at; /* when it said so, or was asked again */
    struct skew skew;
    bool relents; /* it was refused, and is to hear that it is not now */
    /* The last ones: of its multicasts, and of its beacons to us. Two, as the
     * two kinds come in by sockets that are not read in the order of sending.
     */
    uint64_t beacon_counters[2];
    uint64_t cookie;
    uint64_t challenge; /* our cookie for it alone; 0: the one for all */
    bool has_beacon_address;
    struct address beacon_address; /* unicast beacons go there */
    struct instant answered_at;    /* our last unicast beacon to it */
    uint64_t answered_cookie;      /* that it echoed */

    struct link *links;
    struct paths paths;
    struct instant pathless_since;  /* NEVER: there is a path */
    struct instant unreached_since; /* the same, but not begun anew at a join */
    bool needs_link;                /* something waits for a path */
    struct dialer dialer;
    struct instant doubt_not_before;
    struct instant doubted_at;
    int doubts;            /* in a row, DOUBTS_MAX at the most */
    uint64_t doubted_base; /* the first record that was missing then */

    struct receiver *receivers;   /* of this node's channels */
    bool owes_start;              /* there was no room to tell it of one */
    uint8_t spared;               /* a bit for each relay that was told so */
    struct subscription *inflows; /* what it publishes */
    struct instant ignorance_told;

    struct session *session;
    uint64_t taken_counter; /* of its process's INITs */
    uint8_t version;        /* that it is spoken to; 0: not known */
    uint32_t ack_via; /* the link that brought what is to be acknowledged */
    uint64_t took_in; /* the step in which it did */
    bool ack_put_off; /* once, to the next step */
    struct pace init_pace, reset_pace; /* what it gets answered */
    bool wants_ready;                  /* a submit was BUSY: READY is owed */
    struct node_traffic traffic;
    struct instant session_until; /* not joined: kept so long */

    struct deadline deadline;
    struct peer *next_dirty;
    bool dirty;
    bool changed; /* more of it than what it is to be sent */
    struct peer *next_waiting;
    bool waiting;
};

struct ping {
    uint64_t token;
    struct node_ref ref;
    struct node_id peer;
    struct instant asked;
    struct deadline deadline;
};

struct outflow { /* a channel, with its clock */
    struct channel *channel;
    struct deadline deadline;
};

struct subscription { /* an inflow, with whose it is */
    struct inflow inflow;
    const char *group; /* the node's; NULL: it left it */
    struct peer *peer;
    uint32_t via; /* the link that its last packet came by */
    struct subscription *next;
    struct deadline deadline;
};

struct node {
    /* What it is. */
    uint8_t secret_key[64];
    uint8_t *certificate_blob;
    size_t certificate_size;
    struct certificate certificate;
    struct mesh_keys keys;
    struct curve_pair identity;
    struct curve_pair link_pair;
    struct epoch epoch;
    struct entropy entropy;
    uint64_t cookie;
    bool multicast, tcp, use_relays, aes;
    struct span beacon_interval;
    struct detector_conf detector;
    struct evidence_relays evidence;
    struct session_limits session_limits;
    size_t peer_limit, link_limit;
    uint8_t *info;
    size_t info_size;
    uint8_t group_count;
    char groups[ANNOUNCEMENT_GROUPS][NAME_MAX_SIZE + 1];

    /* What it says of itself. */
    uint32_t serial;
    uint8_t *said_full; /* signed announcements, encoded */
    size_t said_full_size;
    uint8_t *said_partial; /* for beacons, if the full one is too large */
    size_t said_partial_size;
    struct address addresses[NODE_ADDRESSES];
    size_t address_count;
    uint64_t beacon_counter;
    struct deadline beacon_deadline;
    bool beacon_repeated;                        /* soon after the first one */
    struct address configured[DIALER_ADDRESSES]; /* discovery.peers */
    size_t configured_count;

    uint8_t *revocation_blob; /* NULL: none */
    size_t revocation_size;
    struct revocation revocation;

    uint64_t unix_base; /* the wall clock's seconds at unix_at; 0: unknown */
    struct instant unix_at;

    /* Whom it knows. */
    struct map peers;    /* by id */
    struct peer *recent; /* got last: one mostly talks to one; or NULL */
    struct map names;    /* by padded name */
    size_t joined_count;
    struct map links;         /* by id */
    struct link *recent_link; /* as `recent` */
    size_t direct_links;
    uint32_t next_link;
    struct relay relays[NODE_RELAYS];
    size_t relay_count;

    struct map pings; /* by token */
    uint64_t next_token;
    struct outflow *outflows[GROUP_TAGS];
    size_t outflow_count;
    struct group_tag tags[GROUP_TAGS]; /* of its groups; the last one's: all */
    uint64_t next_start;
    bool uploads_wait; /* for the next step */
    uint64_t ask_counter;

    struct map outsiders; /* by id */
    struct outsider *oldest_outsider, *newest_outsider;
    size_t outsider_bytes;
    struct deadline outsider_deadline;
    struct instant outsiders_looked;
    struct pace notices_pace;
    struct instant replaced_at; /* a later process of this node was heard */
    struct instant room_looked; /* no peer could be forgotten then */

    struct heap heap;
    uint64_t steps;
    struct link *spent; /* links that go on in the next step */
    struct peer *dirty;
    struct peer *later; /* those that are dirty in the next step */
    struct instant now;
    struct todo *todo;            /* of the step under way */
    const struct peer *viewed;    /* whom todo_peer saw last in it */
    const struct node_peer *view; /* and what it made of it */
    bool leaving; /* nothing new is taken, what is queued is delivered */
    bool left;    /* goodbye is said */
    struct instant leave_by;
    struct deadline leave_deadline;
    struct instant expected_at; /* the deadline when the last step ended */

    struct pace stranger_pace, revocation_pace;
    struct stranger strangers[STRANGERS];  /* by the id's first byte */
    struct forgotten forgotten[FORGOTTEN]; /* the same */
    struct stream_position positions[STREAMS_REMEMBERED];
    struct remembered_refusal refusals[REFUSALS_REMEMBERED];
    struct session_counters session_counters;
    struct slabs slabs; /* of all sessions */
    struct node_counters counters;
};

/* In what a session is given to name a message by: it is a START. */
#define START_MARK ((uint64_t)1 << 63)

enum { NAME_ROOM = NAME_MAX_SIZE + 1 };

/* The name with zeros after it, as the map of names wants its keys. */
static inline void name_pad(char room[NAME_ROOM], const char *name)
{
    memset(room, 0, NAME_ROOM);
    memcpy(room, name, strnlen(name, NAME_MAX_SIZE));
}

/* todo.c */
struct node_todo *todo_add(struct todo *t, enum node_todo_kind kind);
/* Its id and name as they are now, in the list's memory. */
const struct node_peer *todo_peer(struct node *n, const struct peer *p);
void todo_write(struct node *n, const struct link *link, struct bytes bytes);
/* Bytes that lie in a block of somebody else's, and stay while it is held. */
void todo_write_lent(struct node *n, const struct link *link,
                     struct bytes bytes, struct block *block);
/* NODE_CONNECT, or NODE_CONNECT_RELAY for a link to a relay. */
void todo_connect(struct node *n, const struct link *link);
void todo_disconnect(struct node *n, const struct link *link);
struct node_todo *todo_report(struct node *n, struct node_ref ref,
                              enum node_outcome outcome, const struct peer *p);

/* announce.c */
/* Signs anew after a change; the relays, links and LAN are told. */
void announce_changed(struct node *n);
/* Without telling: for the start. */
void announce_sign(struct node *n);
struct bytes announce_full(const struct node *n);
/* The same for a relay, sealed for the mesh. */
struct bytes announce_sealed(struct node *n);
/* The same for our HELLO. If it changes before the link is up, the other end is
 * told by announce_news then. */
struct bytes announce_greeting(const struct node *n, struct link *link);
void announce_news(struct node *n, struct link *link);
struct bytes announce_for_beacon(const struct node *n);
uint64_t node_unix_now(const struct node *n); /* 0: unknown */

enum learned {
    LEARNED_GOOD,     /* *peer says it; it may be what was known already */
    LEARNED_STALE,    /* of an older process than is there; *why: REPLACED */
    LEARNED_REFUSED,  /* for *why */
    LEARNED_REPLACED, /* a later process of this very node said it */
};
/* Checks another node's announcement and takes it up. *peer is set when GOOD;
 * `claimed` gets what the certificate says, if it could be read.
 * `signed_outer`: it came in something that was found signed by the node
 * itself. What is refused or stale is kept as an outsider. */
enum learned announce_learn(struct node *n, struct bytes announcement,
                            bool signed_outer, struct peer **peer,
                            enum refusal *why, struct certificate *claimed);
/* Whether a certificate is good and its node neither revoked nor with a name
 * that is another's; what it says goes to `c`. */
enum refusal announce_check_certificate(struct node *n, struct bytes bytes,
                                        struct certificate *c);
struct stranger *stranger_of(struct node *n, const struct node_id *id);
uint64_t certificate_hash(struct bytes certificate);
bool node_is_revoked(const struct node *n, const struct node_id *id);
void revocation_take(struct node *n, struct bytes list, bool by_peer);
/* The list that is known, for links or relays. */
struct bytes revocation_packet(struct node *n, enum packet_type type);

/* beacons.c */
void beacons_multicast(struct node *n, enum beacon_kind kind);
/* `asks`: the peer shall answer, as a proof that it lives. */
void beacons_tell(struct node *n, struct peer *p, bool asks);
/* Its link is gone: beacons passed over unchecked meanwhile may be replayed
 * now, so only an answer to a new cookie proves it again [P-4.7]. */
void beacons_challenge(struct node *n, struct peer *p);
/* `cookie`: of its beacon, so that it knows that this is no replay; or 0. */
void beacons_refuse(struct node *n, const struct address *to,
                    const struct node_id *whom, enum refusal why,
                    uint64_t cookie, uint8_t version);
/* When to ask a peer that only beacons show: four times before it is lost, as
 * each beacon may get lost. */
struct instant beacons_ask_at(const struct node *n, const struct peer *p);
void beacons_take(struct node *n, const struct node_event *event);
void beacons_to_configured(struct node *n);

/* relays.c */
void relays_start(struct node *n);
void relays_due(struct node *n, struct relay *relay);
void relays_opened(struct node *n, struct link *link);
void relays_down(struct node *n, struct relay *relay, const char *error);
void relays_take(struct node *n, struct link *link, struct bytes packet);
void relays_tell_all(struct node *n, struct bytes packet);
void relays_retry(struct node *n);

/* peers.c */
/* What shows that the peer is there, and until when. */
struct evidence_verdict peer_evidence(const struct node *n,
                                      const struct peer *p);
/* Something shows it now. */
bool peer_is_evident(const struct node *n, const struct peer *p);
/* The same, and it does not refuse this node: it can join. */
bool peer_is_present(const struct node *n, const struct peer *p);
/* A direct link to it is up. */
static inline bool peer_is_linked(const struct peer *p)
{
    return p->evidence.links > 0;
}
struct peer *peer_get(struct node *n, const struct node_id *id);
struct peer *peer_new(struct node *n, const struct node_id *id);
void peer_free(struct node *n, struct peer *p);
/* Its state may have changed: it is settled before the step ends. */
void peer_touch(struct node *n, struct peer *p);
/* Nothing of it changed but what it is to be sent: that leaves in this step,
 * and nothing else is looked at. */
void peer_wants_write(struct node *n, struct peer *p);
/* It is settled again in the next step, which is at once. */
void peer_put_off(struct node *n, struct peer *p);
void peers_go_on(struct node *n);
/* Joins it now if the evidence suffices. True if it is joined. */
bool peer_try_join(struct node *n, struct peer *p);
void peer_leave(struct node *n, struct peer *p, enum departure reason);
/* It said goodbye, or is revoked: no evidence of this epoch counts any more. */
void peer_departed(struct node *n, struct peer *p, enum departure reason);
/* It speaks no version that this node does: said at both ends, and as long as
 * its process runs it is no peer [P-1.3]. */
void peer_unspoken(struct node *n, struct peer *p, struct link *link);
/* A beacon of its said goodbye [P-4.9]. */
void peer_said_bye(struct node *n, struct peer *p);
/* Nothing waited for a path to it until now. */
void peer_begins_to_wait(struct node *n, struct peer *p);
/* It could be reached, but there is no place for a link: that is no reason to
 * end what is open, for a minute. */
void peer_awaits_place(struct node *n, struct peer *p);
/* The process that is known said goodbye, or was put out. */
bool peer_has_departed(const struct peer *p);
/* False: the table is full of peers that are there, or may come back. */
bool peers_make_room(struct node *n) MUST_USE;
/* Another process of the node is there now. */
void peer_restarted(struct node *n, struct peer *p);
/* When a peer that is there joins although it has no path. */
struct instant peer_join_at(const struct peer *p);
/* Uses the best path; the owner is told of a change. */
void peer_choose_path(struct node *n, struct peer *p);
/* When what is open with the peer is given up, or NEVER. */
struct instant peer_session_end_at(const struct peer *p);

void peer_view(const struct node *n, const struct peer *p,
               struct node_peer *view);
static inline bool peer_has_path(const struct peer *p)
{
    return path_exists(&p->paths.current);
}
/* The link that packets to the peer go over now, or NULL. */
struct link *peer_link(struct node *n, const struct peer *p);

/* peer_settle.c */
/* Evidence, path, session, output, deadlines. True if it is to be settled
 * again in this step. */
bool peer_settle(struct node *n, struct peer *p);

/* peer_links.c */
/* On a LAN with more nodes than this, links are made one after the other: all
 * at once they would take the processors from finding each other. */
enum { CROWD = 16 };
/* Dials the peer unless a direct link is up. `at_once`: a loss is to be mended;
 * else the larger id lets the smaller one dial first, and a crowd spreads. */
void peer_dial_soon(struct node *n, struct peer *p, bool at_once);
void peer_drop_links(struct node *n, struct peer *p);
/* The first of the peer's direct links that are up, or NULL. */
struct link *peer_first_link(const struct peer *p);
/* The HELLOs were exchanged: the link is up. */
void peer_linked(struct node *n, struct peer *p, struct link *link);
/* A link ended that led to end->peer, or was to. */
void peer_link_ended(struct node *n, const struct link_end *end);
/* A connection of it broke: without fresh evidence it is lost soon. True if
 * nothing else shows that it is there. */
bool peer_suspect(struct node *n, struct peer *p);

/* traffic.c */
/* False: refused, and there is no report of it. */
bool traffic_offer(struct node *n, struct node_ref ref,
                   const struct node_id *to, const struct message *m,
                   enum node_outcome *why) MUST_USE;
void traffic_ping(struct node *n, const struct node_event *event);
void traffic_ping_lost(struct node *n, struct ping *ping);
void traffic_take(struct node *n, struct peer *p, struct link *link,
                  uint8_t *packet, size_t size);
bool traffic_accept(struct node *n, struct peer *p,
                    struct bytes packet) MUST_USE;
/* Asks a peer that refuses this node for a session. */
void traffic_ask(struct node *n, struct peer *p, struct link *link);
/* Handshake if wanted, then one packet if there is output. True: more. */
bool traffic_write(struct node *n, struct peer *p);
void traffic_path_changed(struct node *n, struct peer *p);
/* Settles all that is open with the peer and drops its session. */
void traffic_end(struct node *n, struct peer *p, enum session_settled how);
struct instant traffic_deadline(const struct node *n, const struct peer *p);
/* At the end of a step only: a message that was BUSY goes before those that
 * are submitted after it. */
void traffic_tell_ready(struct node *n, struct peer *p);
void traffic_due(struct node *n, struct peer *p);
/* Whether anything is still to be delivered to anybody. */
bool traffic_is_open(const struct node *n);

/* The session with a peer, made when it is first needed; or NULL. */
struct session *traffic_session(struct node *n, struct peer *p);
/* The round trip of its path; < 0: unknown. */
struct span traffic_rtt(const struct peer *p);
/* The path's acknowledgements stall: another is tried [P-8.7]. `progressed`:
 * something was acknowledged since it was doubted last. */
void traffic_doubt(struct node *n, struct peer *p, bool progressed);
/* Whether something is to be sent to the peer, or acknowledged by it. */
bool traffic_waits(const struct peer *p);
/* Nothing is under way either way, as far as is known. */
bool traffic_is_idle(const struct peer *p);
/* There is something to send: a link that was put off is made now. */
void traffic_dial_for(struct node *n, struct peer *p);
/* traffic_packet.c: room for a packet of up to `size` bytes to this peer on
 * this link; then what was written is sent. */
struct writer traffic_begin(struct node *n, const struct peer *p,
                            const struct link *link, size_t size);
void traffic_end_packet(struct node *n, struct peer *p, struct link *link,
                        const struct writer *w);
/* On a direct link, which seals by itself, many bytes are sent from where they
 * lie. False: there are none, or they are to be written. */
bool traffic_lend(struct node *n, struct peer *p, struct link *link);

/* traffic_handshake.c */
void traffic_take_init(struct node *n, struct peer *p, struct link *link,
                       struct bytes packet);
/* The peer's packet is under keys that are not known here. */
void traffic_reset(struct node *n, struct peer *p, struct link *link,
                   const uint8_t *packet);
/* pings.c: those of a peer; the peer answered one */
void pings_end(struct node *n, const struct peer *p);
void pings_answered(struct node *n, const struct peer *p, uint64_t token);

/* leave.c */
void leave_begin(struct node *n);
/* At the end of a step: says goodbye once nothing is open or time is up. */
void leave_go_on(struct node *n);

/* refusals.c */
/* True if it was not said within the last minute; then NODE_REFUSED is added
 * to the todo list. Any of id, name and from may be NULL. */
bool refusal_say(struct node *n, bool by_peer, uint8_t reason, int relay,
                 const struct node_id *id, const char *name,
                 const struct address *from);

#endif
