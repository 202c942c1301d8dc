#include "edge/core/node_private.h"

#include <sodium.h>
#include <string.h>

/*
 * Refusals to log: each one at most once a minute, whatever its cause sends.
 */
static const struct span quiet = {60 * 1000 * 1000};

static uint64_t refusal_key(bool by_peer, uint8_t reason, int relay,
                            const struct node_id *id,
                            const struct address *from)
{
    uint8_t hash[16];
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof hash);
    uint8_t head[3] = {by_peer, reason, (uint8_t)(relay + 1)};
    crypto_generichash_update(&state, head, sizeof head);
    if (id != NULL)
        crypto_generichash_update(&state, id->key, KEY_SIZE);
    else if (from != NULL)
        crypto_generichash_update(&state, from->ip, sizeof from->ip);
    crypto_generichash_final(&state, hash, sizeof hash);
    uint64_t key;
    memcpy(&key, hash, sizeof key);
    return key | 1;
}

/* The slot of this refusal, or the slot to overwrite: the oldest one. */
static struct logged_refusal *remember(struct node *n, uint64_t key)
{
    struct logged_refusal *oldest = &n->refusals[0];
    for (size_t i = 0; i < LOGGED_REFUSALS; i++) {
        struct logged_refusal *r = &n->refusals[i];
        if (r->key == key)
            return r;
        if (oldest->key != 0 && (r->key == 0 || r->at.us < oldest->at.us))
            oldest = r;
    }
    return oldest;
}

bool refusal_say(struct node *n, bool by_peer, uint8_t reason, int relay,
                 const struct node_id *id, const char *name,
                 const struct address *from)
{
    n->counters.refusals++;
    uint64_t key = refusal_key(by_peer, reason, relay, id, from);
    struct logged_refusal *r = remember(n, key);
    if (r->key == key && instant_is_recent(r->at, quiet, n->now))
        return false;
    r->key = key;
    r->at = n->now;

    struct node_todo *item = todo_add(n->todo, NODE_REFUSED);
    item->refused.by_peer = by_peer;
    item->refused.reason = reason;
    item->refused.relay = relay;
    char *room = arena_take(&n->todo->arena, NAME_ROOM);
    name_pad(room, name != NULL ? name : "");
    item->refused.name = room;
    if (from != NULL)
        item->refused.from = *from;
    return true;
}
