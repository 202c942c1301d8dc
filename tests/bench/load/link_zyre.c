/*
 * link_zyre - the load generator on Zyre: whispers between two nodes, which
 * Zyre does not encrypt. They hear of each other by gossip, as loopback has no
 * broadcast.
 */
#include "tests/bench/load/load.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zyre.h>

enum { AT_ONCE = 256 };

static zyre_t *node;
static zpoller_t *poller;
static char *other; /* its id */
static load_message *took;

static void open_node(void)
{
    node = zyre_new(load_is_left() ? "src" : "dst");
    if (zyre_set_endpoint(node, "%s", load_is_left() ? load.own : load.url) !=
        0)
        load_die("endpoint");
    if (load_is_left())
        zyre_gossip_connect(node, "%s", load.gossip);
    else
        zyre_gossip_bind(node, "%s", load.gossip);
    if (zyre_start(node) != 0)
        load_die("start");
    poller = zpoller_new(zyre_socket(node), NULL);
}

/* From `zyre`: type, id, name, and what more that type has. */
static void take_one(void)
{
    zmsg_t *m = zyre_recv(node);
    if (m == NULL)
        load_die("interrupted");
    char *type = zmsg_popstr(m), *peer = zmsg_popstr(m);
    if (streq(type, "ENTER") && other == NULL)
        other = strdup(peer);
    if (streq(type, "WHISPER")) {
        zframe_t *body = zmsg_last(m);
        took(0, zframe_data(body), zframe_size(body));
    }
    free(type);
    free(peer);
    zmsg_destroy(&m);
}

void link_poll(int timeout_ms)
{
    for (int got = 0; got < AT_ONCE; got++) {
        if (zpoller_wait(poller, got > 0 ? 0 : timeout_ms) == NULL)
            return;
        take_one();
    }
}

void link_open(load_message *on_message)
{
    uint64_t end = load_now_ns() + 15ULL * 1000000000;
    took = on_message;
    open_node();
    while (load_is_left() && other == NULL) {
        if (load_now_ns() > end)
            load_die("nobody there");
        link_poll(20);
    }
}

void link_send(const void *data, size_t size)
{
    zmsg_t *m = zmsg_new();
    zmsg_addmem(m, data, size);
    zyre_whisper(node, other, &m);
}

void link_close(void)
{
    _exit(0);
}

bool link_role(void)
{
    return false;
}
