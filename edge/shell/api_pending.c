#include "edge/shell/api_internal.h"

#include "common/base/memory.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* ---- The beginning */

bool base64_decode(struct bytes text, uint8_t *to, size_t *size)
{
    /* Some JSON encoders escape the slash; base64 needs no other escape. */
    for (size_t i = 0; i + 1 < text.size; i++)
        if (text.data[i] == '\\' && text.data[++i] != '/')
            return false;
    while (text.size > 0 && text.data[text.size - 1] == '=')
        text.size--;
    return sodium_base642bin(to, text.size, (const char *)text.data, text.size,
                             "\\", size, NULL,
                             sodium_base64_VARIANT_ORIGINAL_NO_PADDING) == 0;
}

/* Decodes the data into `room`, behind the ref. False: it is not base64. */
static bool decode(struct pending *p, struct bytes text)
{
    uint8_t *at = p->room + p->ref.size;
    size_t size = 0;

    if (!base64_decode(text, at, &size))
        return false;
    p->operation.message.encoding = ENCODING_BYTES;
    p->operation.message.data = bytes_of(at, size);
    return true;
}

/* JSON data stays in the client's line, unless the operation has to wait. NULL:
 * the data is not base64. */
static struct pending *pending_new(struct client *c,
                                   const struct pending_ask *ask)
{
    size_t room = ask->ref.size + (ask->base64 ? ask->data.size : 0);
    struct pending *p = memory_resize(NULL, 1, sizeof(*p) + room);

    *p = (struct pending){.client = c,
                          .operation = {.kind = ask->kind,
                                        .wait = ask->wait,
                                        .to = ask->to,
                                        .message = ask->message,
                                        .borrowed = true,
                                        .timeout = ask->timeout,
                                        .size = sizeof(*p) + room}};
    p->operation.message.encoding = ENCODING_JSON;
    p->operation.message.data = ask->data;
    p->ref = bytes_of(p->room, ask->ref.size);
    if (ask->ref.size > 0)
        memcpy(p->room, ask->ref.data, ask->ref.size);
    if (ask->base64 && !decode(p, ask->data)) {
        free(p);
        return NULL;
    }
    return p;
}

void pending_ask(struct client *c, const struct pending_ask *ask)
{
    struct api *a = c->api;
    struct pending *p = pending_new(c, ask);

    if (!p) {
        answer_error(c, ask->ref, "bad_request", "data_b64 is not base64");
    } else if (p->operation.message.data.size > a->message_limit) {
        answer_error(c, ask->ref, "too_large",
                     "the data is larger than limits.message");
        free(p);
    } else {
        operations_start(&a->operations, &c->pending, &p->operation);
    }
}

/* ---- Answers */

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

    if (!node_peer_get(edge_node(a->edge), &p->operation.to, &peer))
        return;
    text_add_string(out, ",\"from\":\"");
    text_add_hex(out, bytes_of(peer.id.key, KEY_SIZE));
    text_add_string(out, "\",\"name\":");
    text_add_json(out, bytes_of_string(peer.name));
    endpoint_write(a, out, &peer);
}

static void add_reply(struct text *out, const struct operation_end *end)
{
    text_add_string(out, ",\"from\":\"");
    text_add_hex(out, bytes_of(end->from->id.key, KEY_SIZE));
    text_add_string(out, "\",\"name\":");
    text_add_json(out, bytes_of_string(end->from->name));
    text_add_string(out, ",\"type\":");
    text_add_json(out, end->reply->type);
    text_add_data(out, end->reply);
}

static void answer_done(const struct pending *p,
                        const struct operation_end *end)
{
    struct text *out = answer_begin(p->client, p->ref);

    switch (p->operation.kind) {
    case OPERATION_SEND:
    case OPERATION_REPLY:
        add_path(out, end->path, end->rtt);
        break;
    case OPERATION_REQUEST:
        add_reply(out, end);
        break;
    case OPERATION_PUBLISH:
        text_add_string(out, ",\"peers\":");
        text_add_number(out, end->peers);
        break;
    case OPERATION_PING:
        add_path(out, end->path, end->rtt);
        add_ping(out, p);
        break;
    }
    answer_end(out);
}

/* The peer's present state tells why the message did not arrive. */
static const char *not_delivered_text(const struct pending *p)
{
    const struct api *a = p->client->api;
    struct node_refusal refusal;
    struct node_peer peer;

    if (p->operation.kind == OPERATION_PUBLISH)
        return "the node is ending";
    if (refusal_of_peer(a, NULL, &p->operation.to, &refusal))
        return refusal.by_peer ? "the peer refuses this node: see zs status"
                               : "this node refuses the peer: see zs status";
    if (!node_peer_get(edge_node(a->edge), &p->operation.to, &peer))
        return "the peer left before its node had the message";
    if (peer.path == PATH_NONE)
        return "the peer is present, but no path to it was found in time";
    return p->operation.kind == OPERATION_PING
               ? "the peer is present, but did not answer in time"
               : "the peer is present, but nobody can say whether it has the "
                 "message";
}

static const char *busy_text(const struct pending *p)
{
    return p->operation.kind == OPERATION_PUBLISH
               ? "publications wait for nodes that lag behind"
               : "the peer's window is full";
}

static const char *timeout_text(const struct pending *p)
{
    return p->operation.kind == OPERATION_REQUEST ? "no reply came in time"
                                                  : "no answer came in time";
}

static void answer_failure(const struct pending *p,
                           enum operation_result result)
{
    static const struct {
        const char *word;
        const char *text;
        const char *(*tell)(const struct pending *p); /* in place of text */
    } failures[] = {
        [OPERATION_UNKNOWN_PEER] = {"unknown_peer", "the peer is not present",
                                    NULL},
        [OPERATION_UNKNOWN_REQUEST] =
            {"unknown_request",
             "the peer has no such request open here: it was answered already, "
             "or is none of this process's",
             NULL},
        [OPERATION_NOT_DELIVERED] = {"not_delivered", NULL, not_delivered_text},
        [OPERATION_PEER_RESTARTED] =
            {"peer_restarted",
             "the peer's process restarted before it acknowledged", NULL},
        [OPERATION_BUSY] = {"busy", NULL, busy_text},
        [OPERATION_TOO_LARGE] = {"too_large",
                                 "the message is larger than limits.message",
                                 NULL},
        [OPERATION_TIMEOUT] = {"timeout", NULL, timeout_text},
        [OPERATION_NO_REPLY] = {"timeout", "the peer left without a reply",
                                NULL},
        [OPERATION_CANCELLED] = {"cancelled", "it was cancelled", NULL},
        [OPERATION_CLOSED] = {"not_delivered", "the node is ending", NULL},
        [OPERATION_NO_MEMORY] = {"not_delivered", "there is no memory", NULL},
    };

    answer_error(p->client, p->ref, failures[result].word,
                 failures[result].tell ? failures[result].tell(p)
                                       : failures[result].text);
}

void pending_ended(void *context, struct operation *op,
                   const struct operation_end *end)
{
    struct pending *p = (struct pending *)op;
    struct client *c = p->client;

    (void)context;
    if (end->result == OPERATION_DONE)
        answer_done(p, end);
    else
        answer_failure(p, end->result);
    free(p);
    client_review(c);
}

/* ---- Before its end */

static bool may_be_cancelled(const struct operation *op)
{
    return op->state != OPERATION_SUBMITTED || op->kind == OPERATION_REQUEST ||
           op->kind == OPERATION_PING;
}

enum pending_cancelled pending_cancel(struct client *c, struct bytes ref)
{
    enum pending_cancelled found = PENDING_UNKNOWN;

    for (struct operation *op = c->pending.last; op; op = op->older) {
        const struct pending *p = (struct pending *)op;
        if (!bytes_equal(p->ref, ref))
            continue;
        if (may_be_cancelled(op)) {
            operations_end(&c->api->operations, op, OPERATION_CANCELLED);
            return PENDING_CANCELLED;
        }
        found = PENDING_TOO_LATE;
    }
    return found;
}

void pending_drop(struct client *c)
{
    struct operation *op;

    while ((op = c->pending.first)) {
        /* The analyzer does not see that each leaves the list:
         * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
        operations_forget(&c->api->operations, op);
        free(op);
    }
}
