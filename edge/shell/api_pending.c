#include "edge/shell/api_internal.h"

#include "common/base/memory.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static bool has_deadline(const struct pending *p)
{
    return p->timer.place != 0;
}

static void on_timer(uv_timer_t *timer)
{
    pending_timer(timer->data);
}

static void arm_timer(struct api *a)
{
    struct instant deadline = heap_deadline(&a->deadlines);

    if (instant_is_never(deadline)) {
        uv_timer_stop(&a->timer);
        return;
    }
    struct span left = instant_between(edge_now(a->edge), deadline);
    uint64_t ms = left.us > 0 ? (uint64_t)left.us / 1000 + 1 : 1;
    uv_update_time(a->loop);
    uv_timer_start(&a->timer, on_timer, ms, 0);
}

static void set_deadline(struct pending *p, struct span timeout)
{
    struct api *a = p->client->api;

    if (timeout.us == 0)
        return;
    p->timer.owner = p;
    heap_set(&a->deadlines, &p->timer,
             instant_after(edge_now(a->edge), timeout));
    if (heap_deadline(&a->deadlines).us == p->timer.at.us)
        arm_timer(a);
}

static void link_to_client(struct pending *p)
{
    struct client *c = p->client;

    p->next = c->pendings;
    if (p->next)
        p->next->previous = p;
    c->pendings = p;
    c->pending_count++;
    c->pending_bytes += p->size;
}

static void unlink_from_client(struct pending *p)
{
    struct client *c = p->client;

    if (p->previous)
        p->previous->next = p->next;
    else
        c->pendings = p->next;
    if (p->next)
        p->next->previous = p->previous;
    c->pending_count--;
    c->pending_bytes -= p->size;
}

static void pending_free(struct pending *p)
{
    struct api *a = p->client->api;

    if (p->submitted)
        map_remove(&a->refs, &p->node_ref.value);
    else
        blocked_remove(p);
    /* A reply that never went leaves its request open. */
    if (p->message.kind == MESSAGE_REPLY && !p->submitted && !p->settled)
        asked_add(a, &p->to, p->message.reference);
    if (p->kind == PENDING_REQUEST)
        map_remove(&a->requests, &p->message.reference);
    if (has_deadline(p))
        heap_remove(&a->deadlines, &p->timer);
    unlink_from_client(p);
    free(p);
}

static void pending_fail(struct pending *p, const char *error,
                         const char *message)
{
    struct client *c = p->client;

    answer_error(c, p->ref, error, message);
    pending_free(p);
    client_review(c);
}

static struct bytes keep(uint8_t **at, struct bytes bytes)
{
    if (bytes.size > 0)
        memcpy(*at, bytes.data, bytes.size);
    struct bytes kept = bytes_of(*at, bytes.size);
    *at += bytes.size;
    return kept;
}

bool base64_decode(struct bytes text, uint8_t *to, size_t *size)
{
    /* Some encoders of JSON escape the slash; nothing else needs an escape. */
    for (size_t i = 0; i + 1 < text.size; i++)
        if (text.data[i] == '\\' && text.data[++i] != '/')
            return false;
    while (text.size > 0 && text.data[text.size - 1] == '=')
        text.size--;
    return sodium_base642bin(to, text.size, (const char *)text.data, text.size,
                             "\\", size, NULL,
                             sodium_base64_VARIANT_ORIGINAL_NO_PADDING) == 0;
}

/* One block holds it all: views into `room`, the data last, as its size is
 * known only when it is decoded. NULL: it is not base64. */
static struct pending *pending_new(struct client *c,
                                   const struct pending_ask *ask)
{
    size_t room = ask->ref.size + ask->message.type.size +
                  ask->message.group.size + ask->data.size;
    struct pending *p = memory_resize(NULL, 1, sizeof(*p) + room);

    *p = (struct pending){.kind = ask->kind,
                          .client = c,
                          .to = ask->to,
                          .wait = ask->wait,
                          .message = ask->message};
    uint8_t *at = p->room;
    p->ref = keep(&at, ask->ref);
    p->message.type = keep(&at, ask->message.type);
    p->message.group = keep(&at, ask->message.group);
    p->size = sizeof(*p) + room;
    if (!ask->base64) {
        p->message.encoding = ENCODING_JSON;
        p->message.data = keep(&at, ask->data);
        return p;
    }
    size_t size = 0;
    if (!base64_decode(ask->data, at, &size)) {
        free(p);
        return NULL;
    }
    p->message.encoding = ENCODING_BYTES;
    p->message.data = bytes_of(at, size);
    return p;
}

/* True if it can be asked; else it is answered. */
static bool check(struct client *c, const struct pending *p, struct bytes ref)
{
    struct api *a = c->api;

    if (!p)
        answer_error(c, ref, "bad_request", "data_b64 is not base64");
    else if (p->message.data.size > a->message_limit)
        answer_error(c, ref, "too_large",
                     "the data is larger than limits.message");
    else if (p->message.kind == MESSAGE_REPLY &&
             !asked_take(a, &p->to, p->message.reference))
        answer_error(c, ref, "unknown_request",
                     "the peer has no such request open here: it was answered "
                     "already, or is none of this process's");
    else
        return true;
    return false;
}

static const char *busy_text(enum pending_kind kind)
{
    return kind == PENDING_PUBLISH
               ? "publications wait for nodes that lag behind"
               : "the peer's window is full";
}

/* `behind`: others of the client's that are busy. */
static void pending_busy(struct pending *p, bool behind)
{
    struct client *c = p->client;

    if (!p->wait) {
        pending_fail(p, "busy", busy_text(p->kind));
        return;
    }
    blocked_add(p, behind);
    client_review(c);
}

static void add_path(struct text *out, enum node_path path, struct span rtt)
{
    text_add_string(out, ",\"path\":\"");
    text_add_string(out, node_path_name(path));
    text_add_string(out, "\",\"rtt_ms\":");
    if (rtt.us >= 0)
        text_add_ms(out, rtt.us);
    else
        text_add_string(out, "null");
}

static void add_ping(struct text *out, const struct pending *p)
{
    const struct api *a = p->client->api;
    struct node_peer peer;

    if (!node_peer_get(edge_node(a->edge), &p->to, &peer))
        return;
    text_add_string(out, ",\"from\":\"");
    text_add_hex(out, bytes_of(peer.id.key, KEY_SIZE));
    text_add_string(out, "\",\"name\":");
    text_add_json(out, bytes_of_string(peer.name));
    endpoint_write(a, out, &peer);
}

static void delivered(struct pending *p, enum node_path path, struct span rtt)
{
    struct client *c = p->client;
    struct text *out = answer_begin(c, p->ref);

    add_path(out, path, rtt);
    if (p->kind == PENDING_PING)
        add_ping(out, p);
    answer_end(out);
    pending_free(p);
    client_review(c);
}

static void published(struct pending *p, uint32_t peers)
{
    struct client *c = p->client;
    struct text *out = answer_begin(c, p->ref);

    text_add_string(out, ",\"peers\":");
    text_add_number(out, peers);
    answer_end(out);
    pending_free(p);
    client_review(c);
}

static const char *outcome_text(enum node_outcome outcome)
{
    switch (outcome) {
    case OUTCOME_DELIVERED:
        return "delivered";
    case OUTCOME_UNKNOWN_PEER:
        return "the peer is not present";
    case OUTCOME_NOT_DELIVERED:
        return "its node does not have the message"; /* and see below why */
    case OUTCOME_PEER_RESTARTED:
        return "the peer's process restarted before it acknowledged";
    case OUTCOME_BUSY:
        return "the peer's window is full";
    case OUTCOME_TOO_LARGE:
        return "the message is larger than limits.message";
    }
    return "";
}

/* What is known of the peer now tells why a message did not get there. */
static const char *not_delivered_text(const struct pending *p)
{
    const struct api *a = p->client->api;
    struct node_refusal refusal;
    struct node_peer peer;

    if (p->kind == PENDING_PUBLISH)
        return "the node is ending";
    if (refusal_of_peer(a, NULL, &p->to, &refusal))
        return refusal.by_peer ? "the peer refuses this node: see zs status"
                               : "this node refuses the peer: see zs status";
    if (!node_peer_get(edge_node(a->edge), &p->to, &peer))
        return "the peer left before its node had the message";
    if (peer.path == PATH_NONE)
        return "the peer is present, but no path to it was found in time";
    return p->kind == PENDING_PING
               ? "the peer is present, but did not answer in time"
               : "the peer is present, but nobody can say whether it has the "
                 "message";
}

void pending_outcome(struct pending *p, enum node_outcome outcome)
{
    pending_fail(p, node_outcome_name(outcome),
                 outcome == OUTCOME_NOT_DELIVERED ? not_delivered_text(p)
                                                  : outcome_text(outcome));
}

void pending_report(struct api *a, struct node_ref ref,
                    enum node_outcome outcome, enum node_path path,
                    struct span rtt)
{
    struct pending *p = map_remove(&a->refs, &ref.value);

    if (!p)
        return; /* Its client went, or its time was up. */
    p->submitted = false;
    p->settled = outcome != OUTCOME_BUSY && outcome != OUTCOME_TOO_LARGE;
    if (outcome == OUTCOME_BUSY)
        pending_busy(p, false);
    else if (outcome != OUTCOME_DELIVERED)
        pending_outcome(p, outcome);
    else if (p->kind == PENDING_REQUEST)
        p->delivered = true;
    else
        delivered(p, path, rtt);
}

static bool try_publish(struct pending *p, enum node_outcome *why)
{
    uint32_t peers = 0;

    if (!edge_publish(p->client->api->edge, &p->message, &peers, why))
        return false;
    published(p, peers);
    return true;
}

static void submitted(struct pending *p)
{
    p->submitted = true;
    map_put(&p->client->api->refs, &p->node_ref.value, p);
}

static bool try_send(struct pending *p, enum node_outcome *why)
{
    struct api *a = p->client->api;

    p->node_ref = edge_ref(a->edge, &a->observer);
    if (!edge_send(a->edge, p->node_ref, &p->to, &p->message, why))
        return false;
    submitted(p);
    return true;
}

static void send_ping(struct pending *p)
{
    struct api *a = p->client->api;

    p->node_ref = edge_ref(a->edge, &a->observer);
    submitted(p);
    edge_event(a->edge,
               &(struct node_event){.kind = NODE_PING,
                                    .ping = {.ref = p->node_ref, .to = p->to}});
}

bool pending_try(struct pending *p)
{
    enum node_outcome why = OUTCOME_NOT_DELIVERED;

    if (p->kind == PENDING_PUBLISH ? try_publish(p, &why) : try_send(p, &why))
        return true;
    if (why == OUTCOME_BUSY)
        return false;
    p->settled = why != OUTCOME_TOO_LARGE;
    pending_outcome(p, why);
    return true;
}

void pending_ask(struct client *c, const struct pending_ask *ask)
{
    struct api *a = c->api;
    struct pending *p = pending_new(c, ask);

    if (!check(c, p, ask->ref)) {
        free(p);
        return;
    }
    link_to_client(p);
    if (p->kind == PENDING_REQUEST) {
        p->message.reference = ++a->last_reference;
        map_put(&a->requests, &p->message.reference, p);
    }
    set_deadline(p, ask->timeout);
    bool behind = blocked_has_before(p);
    if (p->kind == PENDING_PING)
        send_ping(p);
    else if (behind || !pending_try(p))
        pending_busy(p, behind);
}

/* What the node took is settled by the node; what is still queued here, and
 * replies that are awaited, end with the peer. */
void pending_peer_left(struct api *a, const struct node_peer *peer)
{
    blocked_peer_left(a, &peer->id);
    for (struct client *c = a->clients; c; c = c->next) {
        struct pending *after;
        for (struct pending *p = c->pendings; p; p = after) {
            after = p->next;
            if (p->delivered && node_id_equal(&p->to, &peer->id))
                pending_fail(p, "timeout", "the peer left without a reply");
        }
    }
}

void pending_replied(struct api *a, const struct node_peer *peer,
                     const struct message *message)
{
    struct pending *p = map_get(&a->requests, &message->reference);

    if (!p || !node_id_equal(&p->to, &peer->id))
        return; /* Too late, or never asked. */

    struct client *c = p->client;
    struct text *out = answer_begin(c, p->ref);
    text_add_string(out, ",\"from\":\"");
    text_add_hex(out, bytes_of(peer->id.key, KEY_SIZE));
    text_add_string(out, "\",\"name\":");
    text_add_json(out, bytes_of_string(peer->name));
    text_add_string(out, ",\"type\":");
    text_add_json(out, message->type);
    text_add_data(out, message);
    answer_end(out);
    pending_free(p);
    client_review(c);
}

enum pending_cancelled pending_cancel(struct client *c, struct bytes ref)
{
    enum pending_cancelled found = PENDING_UNKNOWN;

    for (struct pending *p = c->pendings; p; p = p->next) {
        if (!bytes_equal(p->ref, ref))
            continue;
        if (!p->submitted || p->kind == PENDING_REQUEST ||
            p->kind == PENDING_PING) {
            pending_fail(p, "cancelled", "it was cancelled");
            return PENDING_CANCELLED;
        }
        found = PENDING_TOO_LATE;
    }
    return found;
}

void pending_timer(struct api *a)
{
    struct timer *due;

    while ((due = heap_due(&a->deadlines, edge_now(a->edge)))) {
        struct pending *p = due->owner;
        pending_fail(p, "timeout",
                     p->kind == PENDING_REQUEST ? "no reply came in time"
                                                : "no answer came in time");
    }
    arm_timer(a);
}

void pending_drop(struct client *c)
{
    /* The analyzer does not see that each leaves the list. */
    while (c->pendings)
        pending_free(c->pendings); /* NOLINT(clang-analyzer-unix.Malloc) */
    blocked_clear(c);
}
