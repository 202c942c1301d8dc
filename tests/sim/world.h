/*
 * world - hosts, networks, nodes and relays in one process, in virtual time.
 *
 * The real struct node and struct hub run in it. Everything around them is
 * modelled and depends on one seed, so that each run can be repeated. The owner
 * builds a world (segments, relays, hosts), starts it, runs it for spans of
 * time, and in between makes faults of hosts and networks. The checkers
 * (checkers.h) see all that the nodes do; their first complaint stops the
 * world.
 *
 * CURVE is modelled: a connection opens only if the connector names the
 * listener's key. Streams deliver in order until they end. As with TCP, a
 * silent cut stalls a stream, and its data goes on when the cut heals. A stream
 * also stalls if the address of an end is gone, or if a packet is too large for
 * the way: then all data behind that packet waits.
 */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include "edge/core/node.h"
#include "relay/core/hub.h"
#include "tests/sim/rng.h"
#include "tests/sim/udp_sabotage.h"

#include <sodium.h>

enum { HOSTS = 40, SEGMENTS = 10, INTERFACES = 3, INTERNET = 0 };
enum { PIPE_BUCKETS = 1024 };
enum { DISCOVERY_PORT = 9083, GROUPS = 4, GROUP_VERSION_SIZE = 24 };

/* Faults made on purpose, so that each checker is seen to find one. */
enum sabotage {
    SABOTAGE_NONE,
    SABOTAGE_DUPLICATE, /* a message is handed over twice */
    SABOTAGE_DROP,      /* a message is not handed over, yet acknowledged */
    SABOTAGE_REORDER,   /* a message is handed over after the next one */
    SABOTAGE_CORRUPT,   /* a byte of a message changes */
    SABOTAGE_MISROUTE,  /* a message is said to come from another node */
    SABOTAGE_NO_REPORT, /* a report is suppressed */
    SABOTAGE_REPORT_TWICE,
    SABOTAGE_LIE,      /* DELIVERED is reported before the delivery */
    SABOTAGE_DENY,     /* NOT_DELIVERED is reported of a delivered one */
    SABOTAGE_NO_JOIN,  /* a join is suppressed */
    SABOTAGE_NO_LEAVE, /* a leave is suppressed */
    SABOTAGE_JOIN_TWICE,
    SABOTAGE_FALSE_LEAVE, /* a leave that nothing caused */
    SABOTAGE_NO_DONE,     /* a process that leaves never says that it is done */
    SABOTAGE_EARLY_DONE,  /* it says so too early */
    SABOTAGE_NO_DIRECT,   /* direct connections never open */
    SABOTAGE_NO_READY,    /* READY is suppressed */
    SABOTAGE_NO_EVENT,    /* an event is not handed over */
    SABOTAGE_EVENT_TWICE,
    SABOTAGE_EVENT_LATE,     /* after the next one */
    SABOTAGE_EVENT_STRANGER, /* handed over to a node outside the group */
    SABOTAGE_NO_GAP,         /* a gap is suppressed */
    SABOTAGE_GAP_LESS,       /* a gap is reported as one smaller */
    SABOTAGE_GAP_MORE,
    SABOTAGE_STORE, /* a node's store seems to have no limit */
    SABOTAGE_QUEUE, /* a hub's queues seem to have no limit */
    SABOTAGE_CLOCK, /* the trace depends on a real clock */
    SABOTAGE_COUNT
};

struct segment {
    bool multicast;
    bool nat; /* towards the Internet its hosts share the address `outside` */
    struct address outside;
    bool reaches[SEGMENTS]; /* its hosts may open connections to there */
    struct span delay;
    struct span jitter;
    unsigned loss_percent; /* of datagrams */
};

struct host_interface {
    int segment;
    struct address address;
    bool down;
};

struct identity {
    uint8_t secret_key[64];
    struct node_id id;
    struct mesh_id mesh;
    struct mesh_secret secret;
    char name[NAME_MAX_SIZE + 1];
    uint8_t certificate[CERTIFICATE_SIZE];
    size_t certificate_size;
};

/* How a form of a relay's address fares on a host's network. */
enum form_fate {
    FORM_PASSES,
    FORM_IS_REFUSED,   /* a connection is refused at once */
    FORM_IS_SWALLOWED, /* nothing passes, and nobody says so */
    FORM_IS_CUT,       /* a connection is cut a while after it opened */
    FORM_IS_MUTE,      /* a connection opens, and carries nothing */
};
struct form_filter {
    enum form_fate fate;
    struct span after; /* of CUT */
};

struct process; /* a node that runs on a host */
struct hub_process;
struct event;

struct host {
    int index;
    bool is_relay;
    struct host_interface interfaces[INTERFACES];
    size_t interface_count;
    bool refuses_incoming; /* a firewall: connections cannot be opened to it */
    bool only_relays;      /* a firewall: none can be opened but to relays */
    bool frozen;
    bool asleep;    /* frozen with its kernel: no packet gets in or out */
    bool off;       /* without power */
    bool stays;     /* others have its address configured */
    uint8_t leases; /* how often its address changed */
    struct event *held, **held_end; /* events that came while it was frozen */
    struct process *process;        /* NULL: none runs */
    struct hub_process *hub;
    uint32_t starts; /* processes started so far */
    struct instant disturbed_until;
    struct instant down_since; /* the process ended */

    /* Of an edge; set before it starts. */
    struct identity identity;
    bool outcast; /* the others must refuse it */
    bool multicast, tcp, relay;
    int relays[NODE_RELAYS];
    size_t relay_count;
    /* See forms.h. */
    uint8_t forms; /* 0: plain CURVE only */
    struct form_filter filters[RELAY_FORMS];
    int8_t worked[SEGMENTS][NODE_RELAYS]; /* the form that did there */
    int tried[RELAY_FORMS];
    int peers[HOSTS]; /* hosts in its discovery.peers */
    size_t peer_count;
    uint32_t groups;      /* that its next process joins: a bit for each */
    uint64_t unix_offset; /* by which its wall clock is ahead */
    size_t peer_limit;    /* 0: more than there are */
    struct bytes revocations;

    /* Of a relay. */
    struct curve_key relay_key;
    struct mesh_id meshes[4];
    size_t mesh_count;
};

struct process {
    int host;
    uint32_t serial; /* which start in the world this is */
    uint64_t epoch;
    struct node *node;
    uint16_t tcp_port, udp_port;
    uint32_t next_incoming;
    struct instant tick_at; /* of the tick in the queue */
    bool leaving;           /* until the node says that it is done */
    struct instant leaving_since;
    bool was_frozen; /* at some time since it started */
    struct instant started;
    uint32_t groups; /* that it is a member of: a bit for each */
    uint32_t accounts_version;
    uint32_t member_since[GROUPS]; /* a version */
    uint64_t published[GROUPS];    /* accepted publications to each */
    bool waits_to_publish;         /* the node said BUSY, and not yet READY */
    struct instant waits_since;
};

struct hub_process {
    int host;
    uint32_t serial;
    struct hub *hub;
    struct instant tick_at;
};

struct world_limits {
    size_t window, message, links, hub_queue;
    struct span lost_after, probe, beacon_interval;
};

struct checkers;
struct application;
struct hostile;
struct pipe;
struct story;
struct udp_hosts;
struct udp_world;

struct world {
    struct rng rng;
    struct instant now;
    uint64_t unix_start;
    struct event **queue; /* a heap */
    size_t queue_count, queue_capacity;
    struct event *free_events;
    uint64_t next_order;
    struct segment segments[SEGMENTS];
    int segment_count;
    struct host hosts[HOSTS];
    int host_count;
    bool cut[HOSTS][HOSTS];      /* no packet passes from [a] to [b] */
    size_t narrow[HOSTS][HOSTS]; /* no larger packet does; 0: no limit */
    /* When [a] last sent [b] a datagram: the answer passes any firewall. */
    struct instant flows[HOSTS][HOSTS];
    struct pipe *pipes; /* newest first */
    struct pipe_end *pipe_ends[PIPE_BUCKETS];
    uint64_t next_pipe;
    uint32_t next_serial;
    bool healed;          /* faults that repeat themselves end */
    bool closes_incoming; /* a listener closes connections; else it can only
                             forget them */
    size_t high_water;    /* a stream with more unsent bytes blocks */
    size_t backlog;       /* with so many more, it breaks */
    uint64_t rate;        /* bytes a second on each stream; 0: no limit */
    struct world_limits limits;
    struct identity mesh; /* the mesh's key and secret */
    uint8_t mesh_secret_key[64];
    struct todo todo;
    struct hub_todos hub_todos;
    struct checkers *checkers;
    struct application *application;
    struct hostile *hostile;     /* NULL: no host is hostile */
    struct story *story;         /* NULL: no story is written */
    struct udp_world *udp;       /* NULL: the world has no UDP network */
    struct udp_hosts *udp_hosts; /* NULL: no node has UDP */
    uint64_t trace;              /* a running hash of all that happened */
    bool verbose;
    enum sabotage sabotage;
    enum udp_sabotage udp_sabotage;
    bool failed;
    char failure[512]; /* "checker: what is wrong" */
    uint64_t events, steps;
};

/* --- building ---------------------------------------------------------- */

struct world *world_new(uint64_t seed);
void world_free(struct world *w);
int world_add_segment(struct world *w, bool multicast);
/* A segment whose hosts reach the Internet through a NAT of its own. */
int world_add_nat(struct world *w);
int world_add_relay(struct world *w);
int world_add_edge(struct world *w, int segment);
void world_plug(struct world *w, int host, int segment);
void world_uses_relay(struct world *w, int edge, int relay);
/* Signs the edge's certificate anew, from now minus `age` for `life`. */
void world_certify(struct world *w, int edge, const char *name, int64_t from_s,
                   int64_t until_s);

/* --- running ----------------------------------------------------------- */

void world_run(struct world *w, struct span span);
/* Runs until `done` returns true, at most for `limit`; false: it did not. */
bool world_run_until(struct world *w, bool (*done)(struct world *w),
                     struct span limit);
/* Calls a function after a span of virtual time. */
typedef void world_call(struct world *w, int host, uint64_t argument);
void world_at(struct world *w, struct span after, world_call *call, int host,
              uint64_t argument);

/* --- hosts ------------------------------------------------------------- */

void host_start(struct world *w, int host);
void host_start_all(struct world *w);
/* kill -9: the kernel closes the connections. */
void host_kill(struct world *w, int host);
/* The host loses power: no connection is closed. */
void host_power_off(struct world *w, int host);
/* A clean end: the node sends what is queued and says bye, then the process
 * ends. */
void host_leave(struct world *w, int host);
void host_left(struct world *w, int host, uint64_t serial);
/* SIGSTOP: the kernel goes on. */
void host_freeze(struct world *w, int host);
/* The kernel sleeps as well; datagrams to the host are lost. */
void host_sleep(struct world *w, int host);
/* The host goes on or wakes: late, and handles all that came meanwhile. */
void host_thaw(struct world *w, int host);
/* Sets the groups of its node: a bit for each; group 0 is always set. */
void host_set_groups(struct world *w, int host, uint32_t groups);
/* Tells the node the host's addresses (again). */
void host_tell_addresses(struct world *w, int host);
/* The node handles the event as soon as the host runs. */
void host_event(struct world *w, int host, const struct node_event *event);
/* Its node gets the message at once and then takes a step. A refusal is checked
 * like a report. Nothing happens if the host does not run. */
void host_send(struct world *w, int host, struct node_ref ref,
               const struct node_id *to, const struct message *m);
void host_publish(struct world *w, int host, struct node_ref ref,
                  const struct message *m);
bool host_runs(const struct world *w, int host);
uint64_t host_unix_now(const struct world *w, int host);
void hub_revoke(struct world *w, int relay, struct bytes list);

/* --- networks ---------------------------------------------------------- */

struct route {
    int host;                      /* that has the address; -1: none */
    struct address seen_from;      /* the connector's address as seen there */
    struct span delay;             /* with jitter, for this packet */
    const struct segment *first;   /* which the packet leaves first */
    struct host_interface ends[2]; /* of the sender and of the receiver */
};
/* The way from a host to an address, without regard to firewalls and cuts. */
struct route network_route(struct world *w, int from, const struct address *to);
/* Whether the host has the interface's address on its segment, and the
 * interface is up. */
bool network_has(const struct world *w, int host,
                 const struct host_interface *i);
/* Whether a packet of the size passes from a to b. */
bool network_passes(const struct world *w, int a, int b, size_t size);
/* Whether firewalls let a open connections to b. */
bool network_may_open(const struct world *w, int a, int b);
/* Whether a can open a direct connection to b, at one of its addresses. */
bool network_reaches(struct world *w, int a, int b);
void network_multicast(struct world *w, int from, struct bytes bytes);
void network_datagram(struct world *w, int from, const struct address *to,
                      struct bytes bytes);

/* --- faults ------------------------------------------------------------ */

/* No packet passes from a to b until network_heal. */
void network_cut(struct world *w, int a, int b);
/* No packet larger than `most` passes from a to b until network_heal. */
void network_narrow(struct world *w, int a, int b, size_t most);
/* Ends cut and limit. Streams between the hosts go on, or end if `breaks`. */
void network_heal(struct world *w, int a, int b, bool breaks);
void network_heal_all(struct world *w, bool breaks);
bool network_is_ill(const struct world *w, int a, int b);
/* Ends all streams between the two hosts at once; both ends see it. */
void network_reset(struct world *w, int a, int b);

/* An interface goes down, or comes back with the address that it had. */
void host_unplug(struct world *w, int host, size_t interface);
void host_plug_in(struct world *w, int host, size_t interface);
/* The interface gets another address, in the segment. Streams from the old one
 * stall; with `breaks` the host's own kernel ends them. */
void host_moves(struct world *w, int host, size_t interface, int segment,
                bool breaks);
/* The NAT gets another outside address. */
void segment_renumber(struct world *w, int segment);

/* --- streams ----------------------------------------------------------- */

void pipes_connect(struct world *w, struct process *p, uint32_t link,
                   const struct address *to, const struct curve_key *key);
void pipes_connect_relay(struct world *w, struct process *p, uint32_t link,
                         int relay, enum relay_form form,
                         const struct curve_key *key);
void pipes_write(struct world *w, int host, uint64_t id, struct bytes bytes);
void pipes_close(struct world *w, int host, uint64_t id);
/* The process ended. silent: the other ends are told nothing. */
void pipes_end_all(struct world *w, int host, bool silent);
void pipes_power_on(struct world *w, int host);
/* Streams from and to the host go on, as far as packets pass. */
void pipes_go_on(struct world *w, int host);
void pipes_break(struct world *w, int a, int b);
/* The host's kernel ends the streams whose address the host lost. */
void pipes_end_homeless(struct world *w, int host);
void pipes_handle(struct world *w, struct event *e);
void pipes_free_all(struct world *w);

/* --- inside ------------------------------------------------------------ */

enum event_kind {
    EVENT_TICK, /* a node's deadline */
    EVENT_HUB_TICK,
    EVENT_CLOCK,    /* the node is told the wall clock */
    EVENT_DATAGRAM, /* address: from; flag: multicast */
    EVENT_CONNECT,  /* a connection attempt arrives at the listener */
    EVENT_CONNECTED,
    EVENT_PACKET, /* on a stream */
    EVENT_CLOSE,  /* of a stream, after all its packets */
    EVENT_BLOCKED,
    EVENT_WRITABLE,
    EVENT_CUT, /* of a stream whose form is cut: forms.h */
    EVENT_UDP, /* of a process with UDP: udp_hosts.h */
    EVENT_CALL,
};

struct event {
    struct instant at;
    uint64_t order;
    enum event_kind kind;
    int host;
    uint32_t serial;   /* of the process that it is for; 0: any */
    struct pipe *pipe; /* set with event_pipe */
    int side;          /* of the pipe, that it arrives at */
    bool flag;
    struct address address;
    enum link_failure failure;
    uint8_t *data; /* owned */
    size_t size;
    world_call *call;
    uint64_t argument;
    struct event *next; /* in a list */
};

/* The interface gets the host's next address in the segment. */
void world_readdress(struct world *w, int host, size_t interface, int segment);
struct event *world_event(struct world *w, enum event_kind kind, int host);
void event_data(struct event *e, struct bytes bytes);
void event_pipe(struct event *e, struct pipe *p, int side);
/* Schedules the event, which the world owns from now on. */
void world_post(struct world *w, struct event *e, struct instant at);
void world_release(struct world *w, struct event *e);
/* Whether the host handles the event now. Else the event is kept (frozen) or
 * dropped (no process), and belongs to this function. */
bool host_takes(struct world *w, struct event *e);

void process_step(struct world *w, struct process *p,
                  const struct node_event *events, size_t count);
void hub_process_step(struct world *w, struct hub_process *p,
                      const struct hub_event *event);
void process_handle(struct world *w, struct event *e);
void hub_process_handle(struct world *w, struct event *e);
struct hub_process *hub_process_start(struct world *w, int host);
void hub_process_end(struct world *w, int host);

/* Mixes the item into the trace. */
void world_trace(struct world *w, const char *what, uint64_t a, uint64_t b,
                 struct bytes bytes);
/* Logs a fault of host a, or (b >= 0) of the way from a to b. */
void world_fault(struct world *w, const char *what, int a, int b);
/* Fails the world, which stops; only the first failure is kept. */
__attribute__((format(printf, 3, 4))) void
world_fail(struct world *w, const char *checker, const char *format, ...);
__attribute__((format(printf, 2, 3))) void world_say(struct world *w,
                                                     const char *format, ...);
/* A fault disturbs the host now, and its effects for a while. */
void world_disturb(struct world *w, int host);

#endif
