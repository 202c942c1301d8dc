#include "edge/core/node_private.h"

#include <string.h>

void link_greeting_begin(struct node *n, struct link *link)
{
    if (link->version == 0)
        link->version = PROTOCOL_VERSION;
    size_t size = 4 + n->said_full_size;
    struct writer w = writer_of(arena_take(&n->todo->arena, size), size);
    write_u8(&w, LINK_HELLO);
    write_u8(&w, link->version);
    write_u16(&w, (uint16_t)n->said_full_size);
    write_bytes(&w, announce_greeting(n, link));
    todo_write(n, link, writer_bytes(&w));
}

static void write_refuse(struct node *n, const struct link *link,
                         enum refusal why)
{
    struct writer w = writer_of(arena_take(&n->todo->arena, 10), 10);
    write_u8(&w, LINK_REFUSE);
    write_u8(&w, (uint8_t)why);
    if (link->version != 1)
        write_u64(&w, node_unix_now(n));
    todo_write(n, link, writer_bytes(&w));
}

void link_refuse(struct node *n, struct link *link, enum refusal why,
                 const struct certificate *claimed)
{
    (void)refusal_say(n, false, (uint8_t)why, -1, &claimed->node, claimed->name,
                      &link->address);
    write_refuse(n, link, why);
    link_finish(n, link, LINK_END_REJECTED);
}

/* The node with the larger id closes the link that it opened if the peer's own
 * link is up already [P-5.5]. */
static bool gives_way(const struct node *n, const struct peer *p,
                      const struct link *link)
{
    const struct link *up = peer_dialed_link(p);
    return link->outgoing && up != NULL && !up->outgoing &&
           memcmp(n->certificate.node.key, p->id.key, KEY_SIZE) > 0;
}

static void greeted(struct node *n, struct link *link, struct peer *p)
{
    if (!link->outgoing) {
        link_attach(link, p);
        link_greeting_begin(n, link);
    } else if (gives_way(n, p, link)) {
        link_drop(n, link, true);
        return;
    }
    link_enter(n, link, LINK_UP);
    peer_linked(n, p, link);
}

/* The connector offers a version, the acceptor answers with the one that both
 * speak [P-1.3]. */
static enum refusal read_hello(struct link *link, struct reader *r,
                               struct bytes *announcement)
{
    uint8_t version = read_u8(r);
    uint8_t own = link->outgoing ? link->version : PROTOCOL_VERSION;
    uint8_t agreed = version_agreed(own, version);
    if (!reader_ok(r))
        return REFUSAL_MALFORMED;
    if (agreed == 0 || (link->outgoing && version > own))
        return REFUSAL_VERSION;
    link->version = agreed;
    *announcement = read_bytes(r, read_u16(r));
    bool good = version_is_later(version) ? reader_ok(r) : reader_done(r);
    return good ? REFUSAL_NONE : REFUSAL_MALFORMED;
}

void link_greeting_take(struct node *n, struct link *link, struct reader *r)
{
    struct bytes announcement;
    struct certificate claimed = {0};
    enum refusal bad = read_hello(link, r, &announcement);
    if (bad != REFUSAL_NONE) {
        link_refuse(n, link, bad, &claimed);
        return;
    }
    struct peer *expected = link->peer, *p = NULL;
    enum refusal why;
    uint32_t id = link->id;
    switch (announce_learn(n, announcement, false, &p, &why, &claimed)) {
    case LEARNED_STALE:
    case LEARNED_REFUSED:
        link_refuse(n, link, why, &claimed);
        return;
    case LEARNED_REPLACED:
        link_finish(n, link, LINK_END_REJECTED);
        return;
    case LEARNED_GOOD:
        break;
    }
    link = link_get(n, id); /* Gone if the peer restarted. */
    if (link == NULL)
        return;
    bool right_node = expected == NULL || expected == p;
    if (!right_node || p->said.partial ||
        memcmp(p->said.link_key.key, link->key.key, KEY_SIZE) != 0) {
        link_refuse(n, link, REFUSAL_KEY_MISMATCH, &claimed);
        return;
    }
    if (p->evidence.departed) {
        link_finish(n, link, LINK_END_REJECTED);
        return;
    }
    greeted(n, link, p);
}

/* The other end may speak only the version before: then it refuses this HELLO,
 * and one of that version may succeed. */
static bool may_greet_again(const struct link *link)
{
    return link->peer != NULL && link->outgoing &&
           link->state == LINK_GREETING && link->version == PROTOCOL_VERSION;
}

void link_greeting_refused(struct node *n, struct link *link, struct reader *r)
{
    uint8_t reason = read_u8(r);
    uint64_t unix_seconds = reader_left(r) >= 8 ? read_u64(r) : 0;
    if (!reader_ok(r) ||
        reason == REFUSAL_NONE) { /* Later versions add fields. */
        n->counters.packets_dropped++;
        return;
    }
    if (reason == REFUSAL_VERSION && may_greet_again(link)) {
        link_finish(n, link, LINK_END_VERSION);
        return;
    }
    if (link->peer == NULL)
        (void)refusal_say(n, true, reason, -1, NULL, NULL, &link->address);
    link_finish_refused(n, link, reason, unix_seconds);
}
