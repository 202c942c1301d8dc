#include "edge/term/chat_private.h"

#include "common/base/memory.h"
#include "edge/term/sanitize.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *member(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static void say_op(struct chat *c, struct text *out, const char *op,
                   uint64_t *ref)
{
    *ref = c->next_ref++;
    text_add_string(out, "{\"op\":\"");
    text_add_string(out, op);
    text_add_string(out, "\",\"ref\":");
    text_add_number(out, *ref);
    text_add_string(out, "}\n");
}

/* Asks for the node's name first: the note about the peers contains it. */
void chat_up(struct chat *c, struct text *out)
{
    c->connected = true;
    chat_roster_begin(&c->roster);
    say_op(c, out, "status", &c->status_ref);
    c->subscribe_ref = c->next_ref++;
    text_add_string(out, "{\"op\":\"subscribe\",\"types\":[\"chat\"],\"ref\":");
    text_add_number(out, c->subscribe_ref);
    if (c->group) {
        text_add_string(out, ",\"groups\":[");
        text_add_json(out, bytes_of_string(c->group));
        text_add_char(out, ']');
    }
    text_add_string(out, "}\n");
}

void chat_refresh(struct chat *c, struct text *out)
{
    if (c->synced && c->peers_ref == 0)
        say_op(c, out, "peers", &c->peers_ref);
}

static void settle(struct chat *c, struct chat_entry *e, enum chat_fate fate,
                   const char *mark)
{
    free(e->mark);
    e->mark = memory_string(mark);
    e->fate = fate;
    c->waiting--;
    c->told(c->context, e, false);
}

void chat_down(struct chat *c, time_t now)
{
    for (size_t i = 0; i < c->count; i++) {
        struct chat_entry *e = &c->entries[(c->first + i) % CHAT_KEPT];
        if (e->fate == CHAT_WAITS)
            settle(c, e, CHAT_FAILED,
                   "not known to be delivered: the edge went away");
    }
    if (c->connected)
        chat_note(c, now, CHAT_NOTE, "the edge is away; trying again");
    c->connected = c->synced = false;
    c->status_ref = c->subscribe_ref = c->peers_ref = 0;
}

/* --- Who is there */

static void tell_joined(struct chat *c, time_t now, const struct chat_peer *p)
{
    char room[CHAT_PEER_WAY];

    chat_note(c, now, CHAT_NOTE, "%s joined (%s)", p->name,
              chat_peer_way(p->path, -1, room));
}

/* Takes a peer. After a reconnection the edge tells all peers again; a peer
 * that was in the room before gets no note. */
static void take_peer(struct chat *c, time_t now, const json_t *peer)
{
    const struct chat_peer *before =
        chat_roster_find(&c->roster, member(peer, "id"));
    bool was_in_room = before && before->in_room;
    const struct chat_peer *person = chat_roster_take(&c->roster, peer);

    if (!person || !c->was_synced || person->in_room == was_in_room)
        return;
    if (person->in_room)
        tell_joined(c, now, person);
    else
        chat_note(c, now, CHAT_NOTE, "%s left %s", person->name, c->room);
}

static void take_leave(struct chat *c, time_t now, const char *id,
                       const char *reason)
{
    const struct chat_peer *person = chat_roster_find(&c->roster, id);
    bool named = strcmp(reason, "lost") == 0 ||
                 strcmp(reason, "revoked") == 0 ||
                 strcmp(reason, "refused") == 0;

    if (!person)
        return;
    if (person->in_room && c->was_synced)
        chat_note(c, now, CHAT_NOTE, named ? "%s left (%s)" : "%s left",
                  person->name, reason);
    chat_roster_remove(&c->roster, id);
}

static void take_path(struct chat *c, const json_t *event)
{
    struct chat_peer *person =
        chat_roster_find(&c->roster, member(event, "id"));

    if (!person)
        return;
    snprintf(person->path, sizeof(person->path), "%s", member(event, "path"));
    person->rtt_ms = -1; /* It was the old path's. */
}

/* The edge has told all peers: removes those that left while the connection was
 * down. */
static void take_synced(struct chat *c, time_t now)
{
    struct text names = {0};

    for (size_t i = c->roster.count; i-- > 0;)
        if (!c->roster.all[i].told) {
            char id[CHAT_PEER_ID + 1];
            memcpy(id, c->roster.all[i].id, sizeof(id));
            take_leave(c, now, id, "");
        }
    chat_names(c, false, &names);
    chat_note(c, now, CHAT_NOTE, "%s as %s; here: %s",
              c->was_synced ? "connected again" : "connected", c->name,
              text_string(&names));
    text_close(&names);
    c->synced = c->was_synced = true;
}

/* --- What is said */

/* The text of a message; the caller frees it. */
static char *words_of(const json_t *event)
{
    const json_t *data = json_object_get(event, "data");
    const json_t *text = json_object_get(data, "text");
    char *words, *dump;

    if (!text)
        text = data;
    if (json_is_string(text))
        return sanitize_string(
            bytes_of(json_string_value(text), json_string_length(text)),
            SANITIZE_LINES, CHAT_TEXT);
    dump = data ? json_dumps(data, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    words = sanitize_string(bytes_of_string(dump ? dump : "(bytes)"),
                            SANITIZE_LINES, CHAT_TEXT);
    free(dump);
    return words;
}

static void take_message(struct chat *c, time_t now, const json_t *event,
                         enum chat_kind kind)
{
    const char *group = member(event, "group");
    struct text who = {0};
    char *words = words_of(event);

    text_add_string(&who, member(event, "name"));
    if (group[0] != '\0' && !c->group) {
        text_add_string(&who, " #");
        text_add_string(&who, group);
    }
    chat_add(c, now, kind, text_string(&who), words);
    text_close(&who);
    free(words);
}

static void take_event(struct chat *c, time_t now, const char *kind,
                       const json_t *event)
{
    if (strcmp(kind, "join") == 0)
        take_peer(c, now, event);
    else if (strcmp(kind, "leave") == 0)
        take_leave(c, now, member(event, "id"), member(event, "reason"));
    else if (strcmp(kind, "synced") == 0)
        take_synced(c, now);
    else if (strcmp(kind, "path") == 0)
        take_path(c, event);
    else if (strcmp(kind, "message") == 0)
        take_message(c, now, event, CHAT_HEARD_PRIVATE);
    else if (strcmp(kind, "event") == 0)
        take_message(c, now, event, CHAT_HEARD);
    else if (strcmp(kind, "gap") == 0)
        chat_note(
            c, now, CHAT_NOTE, "%lld messages of %s's did not get here",
            (long long)json_integer_value(json_object_get(event, "missed")),
            member(event, "name"));
    else if (strcmp(kind, "closed") == 0)
        chat_note(c, now, CHAT_NOTE,
                  "too much came in at once: the edge ended the connection");
}

/* --- What became of what was asked */

static void take_status(struct chat *c, const json_t *answer)
{
    const char *name = member(json_object_get(answer, "node"), "name");
    char *shown = sanitize_string(bytes_of_string(name), SANITIZE_LINE,
                                  CHAT_PEER_NAME / 2);

    snprintf(c->name, sizeof(c->name), "%s", shown);
    free(shown);
    c->status_ref = 0;
}

static void take_peers(struct chat *c, time_t now, const json_t *answer)
{
    json_t *peer;
    size_t i;

    /* The answer updates groups and round trips only: joins and leaves have
     * their own events, and this must not bring back a peer that just left. */
    json_array_foreach(
        json_object_get(answer, "peers"), i,
        peer) if (chat_roster_find(&c->roster, member(peer, "id")))
        take_peer(c, now, peer);
    c->peers_ref = 0;
}

static const char *reason_of(const json_t *answer)
{
    const char *message = member(answer, "message");

    return message[0] ? message : member(answer, "error");
}

static void take_subscribed(struct chat *c, const json_t *answer)
{
    c->subscribe_ref = 0;
    if (json_is_true(json_object_get(answer, "ok")))
        return;
    free(c->refused);
    c->refused = memory_string(reason_of(answer));
}

static void take_delivery(struct chat *c, struct chat_entry *e,
                          const json_t *answer)
{
    const json_t *rtt = json_object_get(answer, "rtt_ms");
    json_int_t peers = json_integer_value(json_object_get(answer, "peers"));
    char way[CHAT_PEER_WAY], mark[256];

    if (!json_is_true(json_object_get(answer, "ok"))) {
        snprintf(mark, sizeof(mark), "not delivered: %.200s",
                 reason_of(answer));
        settle(c, e, CHAT_FAILED, mark);
        return;
    }
    if (e->kind == CHAT_SAID && peers == 0)
        snprintf(mark, sizeof(mark), "sent, but nobody is here");
    else if (e->kind == CHAT_SAID)
        snprintf(mark, sizeof(mark), "sent to %lld", (long long)peers);
    else
        snprintf(mark, sizeof(mark), "delivered, %s",
                 chat_peer_way(
                     member(answer, "path"),
                     json_is_number(rtt) ? json_number_value(rtt) : -1, way));
    settle(c, e, CHAT_DELIVERED, mark);
}

static void take_answer(struct chat *c, time_t now, uint64_t ref,
                        const json_t *answer)
{
    if (ref == c->status_ref) {
        take_status(c, answer);
        return;
    }
    if (ref == c->subscribe_ref) {
        take_subscribed(c, answer);
        return;
    }
    if (ref == c->peers_ref) {
        take_peers(c, now, answer);
        return;
    }
    for (size_t i = c->count; i-- > 0;) {
        struct chat_entry *e = &c->entries[(c->first + i) % CHAT_KEPT];
        if (e->fate == CHAT_WAITS && e->ref == ref) {
            take_delivery(c, e, answer);
            return;
        }
    }
}

void chat_take(struct chat *c, time_t now, struct bytes line)
{
    json_t *told =
        json_loadb((const char *)line.data, line.size, JSON_ALLOW_NUL, NULL);
    const char *kind = member(told, "event");
    json_int_t ref = json_integer_value(json_object_get(told, "ref"));

    if (kind[0] != '\0')
        take_event(c, now, kind, told);
    else if (ref > 0)
        take_answer(c, now, (uint64_t)ref, told);
    json_decref(told);
}
