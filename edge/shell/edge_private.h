/*
 * edge_private - the struct behind edge.h, for edge.c and edge_*.c only.
 */
#ifndef EDGE_SHELL_EDGE_PRIVATE_H
#define EDGE_SHELL_EDGE_PRIVATE_H

#include "common/conf/edge_conf.h"
#include "common/conf/identity.h"
#include "common/io/file_writer.h"
#include "common/io/zap.h"
#include "edge/shell/discovery.h"
#include "edge/shell/edge.h"
#include "edge/shell/edge_relay.h"
#include "edge/shell/event_log.h"
#include "edge/shell/incoming.h"
#include "edge/shell/network.h"
#include "edge/shell/open_files.h"
#include "edge/shell/outgoing.h"
#include "edge/shell/port_mapping.h"
#include "edge/shell/relay_links.h"
#include "edge/shell/resume.h"
#include "edge/shell/route_memory.h"
#include "edge/shell/static_peers.h"
#include "edge/shell/stun_servers.h"
#include "edge/shell/udp_path.h"

enum { OBSERVERS = 16 };

/* More than OBSERVERS at once are a bug. */
struct observers {
    struct {
        const struct edge_observer *observer; /* NULL: a free slot */
        uint64_t number; /* the high bits of its refs; never used twice */
    } list[OBSERVERS];
    int used; /* slots up to the last used one */
    uint64_t last_number;
};

struct edge {
    uv_loop_t *loop;
    struct edge_options options;
    const struct edge_conf *conf;
    struct node *node;
    struct todo todo;
    struct event_queue events;
    struct zloop zloop;
    void *zmq_context;
    struct zap *zap;
    struct incoming *incoming; /* NULL: paths.tcp is false */
    struct outgoing *outgoing;
    struct relay_links *relay_links;
    struct udp_path *udp;    /* NULL: paths.udp is false, or no QUIC */
    struct link_table links; /* of these four */
    struct receive_limits receive_limits;
    struct open_files_share share; /* of the limit of open files */
    struct discovery *discovery;
    struct network *network;
    struct resume *resume;
    struct static_peers *static_peers;
    struct stun_servers *stun_servers; /* NULL: paths.udp is false */
    struct port_mapping *port_mapping; /* NULL: off */
    struct mapping_state mapped;       /* zero: off */
    uv_timer_t deadline;               /* node_deadline */
    uv_timer_t clock; /* passes the wall-clock time to the node */
    struct instant armed;
    struct instant handed_at; /* of the first edge_send or edge_publish since
                                 the last turn, or NEVER */
    struct observers observers;
    struct event_log event_log;
    struct edge_relay relays[NODE_RELAYS];
    char *proxy; /* the setting when it was opened: it has no reload */
    char relay_texts[NODE_RELAYS][RELAY_URL_SIZE];
    size_t relay_count;
    struct route_memory route_memory;
    char routes_path[ROUTE_MEMORY_PATH]; /* its file; "": it has none */
    struct file_writer *routes_writer;   /* NULL: nothing is written */
    size_t addresses_left_out;
    bool started;
    char large_lost[NAME_MAX_SIZE + 1]; /* the peer of EDGE_GAP_LARGE */
    int segment; /* TCP segment of incoming links, bytes; 0: the default */
    bool stopping;
    bool stopped;
    void (*tell_stopped)(void *context);
    void *stopped_context;
};

/* edge.c: one step with the events of this turn, then its todo list. */
void edge_turn(struct edge *e);
/* edge_todo.c: carries out the items of the list in their order. */
void edge_do(struct edge *e, const struct todo *todo);
/* edge_observers.c: calls the observers for an item of the kinds JOINED, LEFT,
 * PATH, MESSAGE, READY, GAP. A REPORT goes only to the observer that made its
 * ref. */
void edge_tell_observers(const struct edge *e, const struct node_todo *item);
/* edge_open.c: tells the node this host's addresses. */
void edge_tell_addresses(struct edge *e);
/* edge_routes.c: the forms in which the relay may be reached, a bit for each
 * enum relay_form; never 0. */
uint8_t edge_relay_forms(const struct edge_relay *r);
/* edge_routes.c: the links that all relays may have at a time: one in each
 * form. */
size_t edge_relay_links(const struct edge *e);
/* edge_routes.c: reads what worked on which network. */
void edge_routes_open(struct edge *e);
/* edge_routes.c: tells the node what worked on the network that the host is in
 * now. */
void edge_tell_routes(struct edge *e);
/* edge_routes.c: the state of a relay changed: keeps the form that works. */
void edge_note_route(struct edge *e, uint32_t index);
/* edge_udp.c: whether there are paths over UDP; whether without rounds of many
 * sockets [P-11.7]; how many open files they take. */
bool edge_has_udp(const struct edge *e);
bool edge_is_udp_easy(const struct edge *e);
size_t edge_udp_files(const struct edge *e);
/* edge_udp.c: opens e->udp if there are such paths. False with errno. */
bool edge_open_udp(struct edge *e) MUST_USE;
/* edge_mapping.c: begins to ask the router for ports, unless that is off. */
void edge_map_ports(struct edge *e);
/* Socket 0 has another port than edge_map_ports saw. */
void edge_udp_port_moved(struct edge *e);
/* edge_gaps.c: logs which configured interfaces do not exist. */
void edge_tell_missing(const struct edge *e);
/* edge_open.c: the node has said goodbye: closes all sockets soon. */
void edge_left(struct edge *e);

#endif
