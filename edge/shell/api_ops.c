#include "edge/shell/api_internal.h"

#include "common/base/hex.h"
#include "common/base/jtext.h"
#include "common/base/memory.h"
#include "common/conf/mistakes.h"
#include "common/conf/nearest.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct text *answer_begin(struct client *c, struct bytes ref)
{
    struct text *out = client_out(c);

    text_add_char(out, '{');
    if (ref.size > 0) {
        text_add_string(out, "\"ref\":");
        text_add(out, ref);
        text_add_char(out, ',');
    }
    text_add_string(out, "\"ok\":true");
    return out;
}

void answer_end(struct text *out)
{
    text_add_string(out, "}\n");
}

void answer_error(struct client *c, struct bytes ref, const char *error,
                  const char *message)
{
    struct text *out = client_out(c);

    text_add_char(out, '{');
    if (ref.size > 0) {
        text_add_string(out, "\"ref\":");
        text_add(out, ref);
        text_add_char(out, ',');
    }
    text_add_string(out, "\"ok\":false,\"error\":\"");
    text_add_string(out, error);
    text_add_string(out, "\",\"message\":");
    text_add_json(out, bytes_of_string(message));
    answer_end(out);
}

static void refuse(struct client *c, const struct request *r,
                   const char *message)
{
    answer_error(c, r->ref, "bad_request", message);
}

static void done(struct client *c, const struct request *r)
{
    answer_end(answer_begin(c, r->ref));
}

/* By its name, or the first digits of its id. */
static bool is_self(const struct node *node, const char *to)
{
    struct node_id self = node_self(node);
    char id[2 * KEY_SIZE + 1];
    size_t length = strlen(to);

    if (strcmp(to, node_name(node)) == 0)
        return true;
    hex_encode(bytes_of(self.key, KEY_SIZE), id);
    return length >= API_ID_DIGITS && length < sizeof(id) &&
           strncasecmp(id, to, length) == 0;
}

static void answer_unknown(struct client *c, struct bytes ref, const char *name)
{
    struct node_refusal refusal;
    struct text why = {0};

    bool self = is_self(edge_node(c->api->edge), name);
    text_add_string(&why,
                    self ? "that is this node itself: only peers can be reached"
                         : "no peer of that name is present");
    if (!self && refusal_of_peer(c->api, name, NULL, &refusal)) {
        text_add_string(&why, ". ");
        refusal_say_it(&why, &refusal);
    }
    answer_error(c, ref, "unknown_peer", text_string(&why));
    text_close(&why);
}

/* Finds the peer that the request names. False: the client got an error. */
static bool find_peer(struct client *c, const struct request *r,
                      struct node_id *id)
{
    struct api *a = c->api;
    char to[API_NAME_SIZE];
    struct node_peer peer;
    size_t length;

    if (!jtext_is_string(r->to)) {
        refuse(c, r, "to names a peer: a name, or an id of 8 digits or more");
        return false;
    }
    bool named =
        jtext_string(r->to, to, sizeof(to), &length) && strlen(to) == length;
    if (named && c->to_generation == a->generation && strcmp(to, c->to) == 0) {
        *id = c->to_id;
        return true;
    }
    if (!named || !node_peer_find(edge_node(a->edge), to, &peer)) {
        answer_unknown(c, r->ref, named ? to : "");
        return false;
    }
    strcpy(c->to, to);
    c->to_id = *id = peer.id;
    c->to_generation = a->generation;
    return true;
}

/* Reads the type, a text of at least one byte without a NUL, into `room`. */
static bool find_type(struct client *c, const struct request *r,
                      const char *fallback, char room[API_TYPE_SIZE + 1],
                      struct bytes *type)
{
    size_t length;

    if (r->type.size == 0 && fallback) {
        *type = bytes_of_string(fallback);
        return true;
    }
    if (!jtext_string(r->type, room, API_TYPE_SIZE + 1, &length) ||
        length == 0 || strlen(room) != length) {
        refuse(c, r, "type is a text of 1 to 255 bytes");
        return false;
    }
    *type = bytes_of(room, length);
    return true;
}

static bool find_group(struct client *c, const struct request *r,
                       char room[NAME_MAX_SIZE + 1])
{
    size_t length;

    if (!jtext_string(r->group, room, NAME_MAX_SIZE + 1, &length) ||
        !name_is_valid(bytes_of(room, length))) {
        refuse(c, r, "group is a name: 1 to 63 of A-Z a-z 0-9 . _ -");
        return false;
    }
    if (node_group_is_allowed(edge_node(c->api->edge), room))
        return true;
    refuse(c, r, "this node's certificate does not allow the group");
    return false;
}

/* The fields that send, request, reply and publish have in common. */
static bool fill_ask(struct client *c, const struct request *r,
                     struct span timeout, struct pending_ask *ask)
{
    if (r->data.size > 0 && r->data_b64.size > 0) {
        refuse(c, r, "data and data_b64 exclude each other");
        return false;
    }
    if (r->data_b64.size > 0 && !jtext_is_string(r->data_b64)) {
        refuse(c, r, "data_b64 is a text");
        return false;
    }
    if (!timeout_parse(r->timeout, timeout, &ask->timeout)) {
        refuse(c, r, "timeout is a number of milliseconds, or as \"5s\"");
        return false;
    }
    ask->ref = r->ref;
    ask->wait = !jtext_is(r->wait, "false");
    ask->base64 = r->data_b64.size > 0;
    if (ask->base64)
        ask->data = bytes_of(r->data_b64.data + 1, r->data_b64.size - 2);
    else
        ask->data = r->data.size > 0 ? r->data : bytes_of_string("null");
    return true;
}

static void ask_peer(struct client *c, const struct request *r,
                     struct pending_ask ask, const char *type,
                     struct span timeout)
{
    char room[API_TYPE_SIZE + 1];

    if (find_peer(c, r, &ask.to) &&
        find_type(c, r, type, room, &ask.message.type) &&
        fill_ask(c, r, timeout, &ask))
        pending_ask(c, &ask);
}

static void op_send(struct client *c, const struct request *r)
{
    struct pending_ask ask = {.kind = OPERATION_SEND,
                              .message.kind = MESSAGE_SEND};

    ask_peer(c, r, ask, NULL, span_us(0));
}

static void op_request(struct client *c, const struct request *r)
{
    struct pending_ask ask = {.kind = OPERATION_REQUEST,
                              .message.kind = MESSAGE_REQUEST};

    ask_peer(c, r, ask, NULL, span_ms(API_TIMEOUT_MS));
}

static void op_reply(struct client *c, const struct request *r)
{
    struct pending_ask ask = {.kind = OPERATION_REPLY,
                              .message.kind = MESSAGE_REPLY};
    struct bytes token = r->request;

    if (jtext_is_string(token))
        token = bytes_of(token.data + 1, token.size - 2);
    if (!jtext_number(token, &ask.message.reference)) {
        refuse(c, r, "request is what the message's event gave as such");
        return;
    }
    ask_peer(c, r, ask, "reply", span_us(0));
}

static void op_publish(struct client *c, const struct request *r)
{
    struct pending_ask ask = {.kind = OPERATION_PUBLISH,
                              .message.kind = MESSAGE_EVENT};
    char type[API_TYPE_SIZE + 1];
    char group[NAME_MAX_SIZE + 1];

    if (!find_type(c, r, NULL, type, &ask.message.type))
        return;
    if (r->group.size > 0 && !jtext_is(r->group, "null")) {
        if (!find_group(c, r, group))
            return;
        ask.message.group = bytes_of_string(group);
    }
    if (fill_ask(c, r, span_us(0), &ask))
        pending_ask(c, &ask);
}

static void op_ping(struct client *c, const struct request *r)
{
    struct pending_ask ask = {.kind = OPERATION_PING};

    if (!find_peer(c, r, &ask.to) ||
        !fill_ask(c, r, span_ms(API_TIMEOUT_MS), &ask))
        return;
    ask.data = (struct bytes){0};
    ask.base64 = false;
    ask.wait = false;
    pending_ask(c, &ask);
}

static void op_cancel(struct client *c, const struct request *r)
{
    if (r->request.size == 0 || !jtext_is_scalar(r->request)) {
        refuse(c, r, "request is the ref of what is to be cancelled");
        return;
    }
    switch (pending_cancel(c, r->request)) {
    case PENDING_CANCELLED:
        done(c, r);
        return;
    case PENDING_TOO_LATE:
        answer_error(c, r->ref, "too_late",
                     "the node has it already: its answer will come");
        return;
    case PENDING_UNKNOWN:
        answer_error(c, r->ref, "unknown_request",
                     "nothing of that ref is under way");
        return;
    }
}

static void op_join(struct client *c, const struct request *r)
{
    char group[NAME_MAX_SIZE + 1];

    if (!find_group(c, r, group))
        return;
    if (!groups_add(&c->api->groups, group)) {
        refuse(c, r, "the node is in 64 groups already");
        return;
    }
    groups_tell(c->api);
    done(c, r);
}

static void op_leave(struct client *c, const struct request *r)
{
    char group[NAME_MAX_SIZE + 1];

    if (!find_group(c, r, group))
        return;
    groups_remove(&c->api->groups, group);
    groups_tell(c->api);
    done(c, r);
}

static void op_subscribe(struct client *c, const struct request *r)
{
    struct client_subscription s;
    const char *wrong;

    if (!subscription_parse(r, &s, &wrong)) {
        refuse(c, r, wrong);
        return;
    }
    bool groups = s.groups.count > 0 || s.member_of.count > 0 ||
                  c->subscription.groups.count > 0 ||
                  c->subscription.member_of.count > 0;
    subscription_close(&c->subscription);
    c->subscription = s;
    if (groups)
        groups_tell(c->api);
    done(c, r);
    events_snapshot(c);
}

static void op_unsubscribe(struct client *c, const struct request *r)
{
    client_unsubscribe(c);
    done(c, r);
}

static void op_status(struct client *c, const struct request *r)
{
    struct text *out = answer_begin(c, r->ref);

    status_write(c->api, out, c->attached);
    answer_end(out);
}

static void op_peers(struct client *c, const struct request *r)
{
    struct text *out = answer_begin(c, r->ref);

    text_add_string(out, ",\"version\":1");
    peers_write(c->api, out);
    answer_end(out);
}

static void op_netcheck(struct client *c, const struct request *r)
{
    netcheck_ask(c, r->ref);
}

static void take_list(struct client *c, const struct request *r,
                      struct bytes encoded)
{
    struct revocation list;

    if (!revocation_check(encoded, &list)) {
        refuse(c, r, "data_b64 is no revocation list, or it is not signed");
        return;
    }
    if (!mesh_id_equal(&list.mesh, &c->api->mesh)) {
        refuse(c, r, "the revocation list is another mesh's");
        return;
    }
    revoke_given(c, r->ref, &list, encoded);
}

static void op_revoke(struct client *c, const struct request *r)
{
    size_t size = 0;

    if (r->data_b64.size < 2 || !jtext_is_string(r->data_b64) ||
        r->data_b64.size > 2 * REVOCATION_SIZE) {
        refuse(c, r, "data_b64 is a revocation list in base64");
        return;
    }
    uint8_t *list = memory_new(r->data_b64.size);
    if (base64_decode(bytes_of(r->data_b64.data + 1, r->data_b64.size - 2),
                      list, &size))
        take_list(c, r, bytes_of(list, size));
    else
        refuse(c, r, "data_b64 is not base64");
    free(list);
}

/* Of send, request, reply and publish. */
enum {
    FIELDS_MESSAGE =
        FIELD_TYPE | FIELD_DATA | FIELD_DATA_B64 | FIELD_TIMEOUT | FIELD_WAIT,
};

static const struct api_command {
    const char *name;
    void (*run)(struct client *c, const struct request *r);
    unsigned fields; /* beside `op` and `ref`; enum request_field, or-ed */
} operations[] = {
    {"send", op_send, FIELD_TO | FIELDS_MESSAGE},
    {"publish", op_publish, FIELD_GROUP | FIELDS_MESSAGE},
    {"request", op_request, FIELD_TO | FIELDS_MESSAGE},
    {"reply", op_reply, FIELD_TO | FIELD_REQUEST | FIELDS_MESSAGE},
    {"status", op_status, 0},
    {"peers", op_peers, 0},
    {"join", op_join, FIELD_GROUP},
    {"leave", op_leave, FIELD_GROUP},
    {"ping", op_ping, FIELD_TO | FIELD_TIMEOUT},
    {"subscribe", op_subscribe,
     FIELD_EVENTS | FIELD_TYPES | FIELD_GROUPS | FIELD_MEMBER_OF},
    {"revoke", op_revoke, FIELD_DATA_B64},
    {"cancel", op_cancel, FIELD_REQUEST},
    {"unsubscribe", op_unsubscribe, 0},
    {"netcheck", op_netcheck, 0},
};

enum { OPERATIONS = sizeof(operations) / sizeof(operations[0]) };

static const struct api_command *find_operation(const char *name)
{
    for (size_t i = 0; i < OPERATIONS; i++)
        if (strcmp(name, operations[i].name) == 0)
            return &operations[i];
    return NULL;
}

static void refuse_operation(struct client *c, const struct request *r,
                             const char *name)
{
    char shown[MISTAKES_VALUE_SIZE];
    struct nearest near = {0};
    struct text why = {0};

    for (size_t i = 0; i < OPERATIONS; i++)
        nearest_offer(&near, name, operations[i].name);
    if (near.word) {
        text_add_string(&why, "unknown operation `");
        text_add_string(&why, mistakes_value(name, shown));
        text_add_string(&why, "`: did you mean `");
        text_add_string(&why, near.word);
        text_add_string(&why, "`?");
    } else {
        text_add_string(&why,
                        "op is one of status peers send request reply publish "
                        "join leave subscribe unsubscribe ping cancel netcheck "
                        "revoke");
    }
    refuse(c, r, text_string(&why));
    text_close(&why);
}

static void refuse_field(struct client *c, const struct request *r,
                         const struct api_command *o)
{
    struct text why = {0};

    request_tell_unknown(r, o ? o->fields : FIELD_ALL, o ? o->name : NULL,
                         &why);
    refuse(c, r, text_string(&why));
    text_close(&why);
}

static void carry_out(struct client *c, const struct request *r)
{
    char name[16];
    size_t length;

    if (!jtext_string(r->op, name, sizeof(name), &length) ||
        strlen(name) != length)
        name[0] = '\0';
    const struct api_command *o = find_operation(name);
    if (!o && (r->op.size > 0 || !r->has_unknown))
        refuse_operation(c, r, name);
    else if (!o || !request_has_only(r, o->fields))
        refuse_field(c, r, o);
    else
        o->run(c, r);
}

static bool is_blank(struct bytes line)
{
    for (size_t i = 0; i < line.size; i++)
        if (line.data[i] != ' ' && line.data[i] != '\t' && line.data[i] != '\r')
            return false;
    return true;
}

static void refuse_line(struct client *c, struct bytes line)
{
    struct ref_scan scan = {0};

    ref_scan_take(&scan, line);
    answer_error(c, ref_scan_found(&scan), "bad_request",
                 "the line is not a JSON object");
}

void client_line(struct client *c, struct bytes line)
{
    struct request r;

    if (is_blank(line))
        return;
    if (!request_parse(line, &r)) {
        refuse_line(c, line);
        return;
    }
    if (r.ref.size > 0 && !jtext_is_scalar(r.ref)) {
        r.ref = (struct bytes){0};
        refuse(c, &r, "ref is a number, a text, true, false or null");
        return;
    }
    if (r.twice) {
        refuse(c, &r, "a member of the object stands there twice");
        return;
    }
    carry_out(c, &r);
}
