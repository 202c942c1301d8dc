#include "edge/shell/link_table.h"

#include "common/io/log.h"

enum {
    /* Bytes that a transport may hold for one link. Further data waits in the
     * node, where the peers take turns. */
    CREDIT = 512 * 1024,
    /* The node stops writing to a blocked link, so a queue holds the packets of
     * one step. This limit is reached only if the node does not stop. */
    QUEUE = 16 * 1024 * 1024,
};

static void on_opened(void *context, struct carrier *c)
{
    struct link_table *l = context;

    event_queue_add(l->events, &(struct node_event){
                                   .kind = NODE_LINK_OPENED,
                                   .link = {.id = (uint32_t)c->id,
                                            .incoming = c->transport->incoming,
                                            .key = c->key,
                                            .address = c->address}});
}

static void on_packet(void *context, struct carrier *c,
                      struct packet_ref *packet)
{
    struct link_table *l = context;

    event_queue_add_packet(l->events, (uint32_t)c->id, packet);
}

static void on_blocked(void *context, struct carrier *c)
{
    struct link_table *l = context;

    event_queue_add_link(l->events, NODE_LINK_BLOCKED, (uint32_t)c->id);
}

static void on_writable(void *context, struct carrier *c)
{
    struct link_table *l = context;

    event_queue_add_link(l->events, NODE_LINK_WRITABLE, (uint32_t)c->id);
}

static void on_closed(void *context, struct carrier *c, enum carrier_end why)
{
    static const enum link_failure failures[] = {
        [CARRIER_UNREACHABLE] = LINK_UNREACHABLE,
        [CARRIER_HANDSHAKE] = LINK_HANDSHAKE,
        [CARRIER_BROKEN] = LINK_BROKEN,
        [CARRIER_OVERFULL] = LINK_BROKEN,
    };
    struct link_table *l = context;
    enum link_failure failure =
        why == CARRIER_NAMED ? (enum link_failure)c->failure : failures[why];

    log_debug("link_closed", "link=%u open=%d failure=%d", (uint32_t)c->id,
              c->open, (int)failure);
    if (why == CARRIER_OVERFULL &&
        event_queue_may_log(l->events, LOG_BY_MEMBERS, "link_overfull", NULL))
        log_warn("link_overfull", "link=%u", (uint32_t)c->id);
    event_queue_add_closed(l->events, (uint32_t)c->id, failure);
}

/* A transport has released half of some link's credit. */
static void on_wakeup(void *context)
{
    struct link_table *l = context;

    carriers_retry(&l->carriers, SIZE_MAX);
}

bool link_table_open(struct link_table *l, struct event_queue *events)
{
    *l = (struct link_table){.events = events};
    l->wakeup = wakeup_open(events->zloop->loop, on_wakeup, l);
    if (l->wakeup == NULL)
        return false;
    carriers_init(&l->carriers,
                  &(struct carriers_conf){
                      .credit = CREDIT, .queue = QUEUE, .wakeup = l->wakeup},
                  &(struct carrier_owner){.context = l,
                                          .opened = on_opened,
                                          .packet = on_packet,
                                          .blocked = on_blocked,
                                          .writable = on_writable,
                                          .closed = on_closed});
    return true;
}

void link_table_close(struct link_table *l)
{
    if (l->wakeup == NULL)
        return;
    carriers_close_all(&l->carriers);
    wakeup_close(&l->wakeup);
}

void link_table_write(struct link_table *l, uint32_t id, struct bytes bytes,
                      struct block *block)
{
    struct packet_ref packet;

    packet_ref_lend(&packet, bytes, block);
    carriers_write(&l->carriers, id, &packet);
}

void link_table_drop(struct link_table *l, uint32_t id)
{
    carriers_close(&l->carriers, id);
}
