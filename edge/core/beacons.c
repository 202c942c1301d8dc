#include "edge/core/node_private.h"

#include <string.h>

/* The shortest time between two unicast beacons to one peer. */
static const struct span answer_pause = {100 * 1000};

/* A peer that is asked gets this time to answer, or an eighth of lost_after if
 * that is longer. */
static const struct span ask_pause = {200 * 1000};

/* After its answer to a stranger this node ignores the stranger's multicasts
 * for so long. */
static const struct span stranger_pause = {500 * 1000};

/* The rate of answers to strangers. The burst allows a whole mesh to start at
 * once. */
static const struct span stranger_each = {1000};
enum { STRANGER_BURST = 4096 };

/* This node tells a node that it refuses so once in told_apart. It does not
 * ask a peer that refuses it within refused_pause of the refusal. */
static const struct span told_apart = {60 * 1000 * 1000};
static const struct span refused_pause = {5 * 1000 * 1000};

/* The `reason` of a HERE by unicast [P-4.5]. */
enum { HERE_TELLS = 0, HERE_ASKS = 1 };

static struct bytes seal(struct node *n, struct beacon *b)
{
    uint8_t nonce[24];
    entropy_fill(&n->entropy, nonce, sizeof nonce);
    b->counter = ++n->beacon_counter;
    if (b->cookie == 0)
        b->cookie = n->cookie;
    if (b->version == 0)
        b->version = PROTOCOL_VERSION;
    b->unix_seconds = node_unix_now(n);
    b->announcement = announce_for_beacon(n);
    uint8_t *room = arena_take(&n->todo->arena, BEACON_SIZE);
    n->counters.beacons_sent++;
    return beacon_seal(b, &n->certificate.mesh, n->keys.beacon, nonce,
                       n->secret_key, room);
}

void beacons_multicast(struct node *n, enum beacon_kind kind)
{
    if (!n->multicast)
        return;
    struct beacon b = {.kind = kind};
    struct bytes bytes = seal(n, &b);
    if (bytes.size > 0)
        todo_add(n->todo, NODE_MULTICAST)->bytes = bytes;
}

static void send_to(struct node *n, const struct address *to, struct beacon *b)
{
    struct bytes bytes = seal(n, b);
    if (bytes.size == 0)
        return;
    struct node_todo *item = todo_add(n->todo, NODE_SEND_TO);
    item->link.address = *to;
    item->link.bytes = bytes;
}

/* A HERE for one node. The echo shows the node that this one hears it; `asks`
 * wants an answer. */
static struct beacon here_to(const struct node_id *whom, const struct peer *p,
                             uint64_t echo, bool asks, uint8_t version)
{
    return (struct beacon){
        .version = version,
        .kind = BEACON_HERE,
        .cookie = p != NULL ? p->challenge : 0,
        .echo = echo,
        .whom = *whom,
        .reason = asks ? HERE_ASKS : HERE_TELLS,
    };
}

void beacons_tell(struct node *n, struct peer *p, bool asks)
{
    bool paused = instant_is_recent(p->answered_at, answer_pause, n->now);
    /* A peer with a new cookie waits for an answer that echoes that one. */
    if (!p->has_beacon_address || (paused && p->answered_cookie == p->cookie))
        return;
    p->answered_at = n->now;
    p->answered_cookie = p->cookie;
    struct beacon b = here_to(&p->id, p, p->cookie, asks, p->version);
    send_to(n, &p->beacon_address, &b);
}

void beacons_refuse(struct node *n, const struct address *to,
                    const struct node_id *whom, enum refusal why,
                    uint64_t cookie, uint8_t version)
{
    struct beacon b = {
        .version = version,
        .kind = BEACON_REFUSE,
        .echo = cookie,
        .whom = *whom,
        .reason = (uint8_t)why,
    };
    send_to(n, to, &b);
}

/* Configured addresses, which multicast may not reach, get the same beacons by
 * unicast and as often, in each version that the node there may speak [P-4.6].
 */
void beacons_to_configured(struct node *n)
{
    for (size_t i = 0; i < n->configured_count; i++)
        for (int v = PROTOCOL_BEFORE; v <= PROTOCOL_VERSION; v++) {
            struct beacon b = {.version = (uint8_t)v,
                               .kind = BEACON_HERE,
                               .reason = HERE_ASKS};
            send_to(n, &n->configured[i], &b);
        }
}

static bool is_to_us(const struct node *n, const struct beacon *b)
{
    return node_id_equal(&b->whom, &n->certificate.node);
}

static uint64_t expected_echo(const struct node *n, const struct peer *p)
{
    return p->challenge != 0 ? p->challenge : n->cookie;
}

/* The peer's process is alive now, so multicasts older than this beacon must
 * not count as evidence any more. */
static void take_answer(struct node *n, struct peer *p, uint64_t counter)
{
    peer_takes_us(n, p);
    if (p->beacon_counters[0] < counter)
        p->beacon_counters[0] = counter;
}

struct instant beacons_ask_at(const struct node *n, const struct peer *p)
{
    struct span pause =
        span_max(span_us(n->detector.lost_after.us / 8), ask_pause);
    struct evidence_verdict v = peer_evidence(n, p);
    if (!p->joined || n->left || !p->has_beacon_address || evidence_is_firm(v))
        return INSTANT_NEVER;
    return instant_max(instant_after(v.until, span_us(-4 * pause.us)),
                       instant_after(p->answered_at, pause));
}

void beacons_challenge(struct node *n, struct peer *p)
{
    evidence_challenge(&p->evidence);
    p->challenge = entropy_u64(&n->entropy) | 1;
}

/* The peer refused this node just now: do not ask it every second. */
static bool is_told_off(const struct node *n, const struct peer *p)
{
    return p->refuses_us != REFUSAL_NONE &&
           instant_is_recent(p->refused_at, refused_pause, n->now);
}

static void take_here(struct node *n, struct peer *p, const struct beacon *b,
                      const struct address *from)
{
    bool new_process = p->cookie == 0;
    p->cookie = b->cookie;
    /* A node of a later version multicasts in both versions. */
    if (p->version < b->version)
        p->version = b->version;
    p->beacon_counters[is_to_us(n, b)] = b->counter;
    p->has_beacon_address = true;
    p->beacon_address = *from;

    bool answers = is_to_us(n, b) && b->echo == expected_echo(n, p);
    if (answers)
        take_answer(n, p, b->counter);
    bool proved = evidence_beacon(&p->evidence, answers, n->now);
    if ((b->reason == HERE_ASKS || !proved) && !is_told_off(n, p))
        beacons_tell(n, p, !proved);
    if (n->tcp && p->said.candidate_count > 0) {
        struct address listener = *from;
        listener.port = p->said.candidates[0].address.port;
        if (dialer_add(&p->dialer, &listener, true) || new_process)
            peer_dial_soon(n, p, false);
    }
    peer_touch(n, p);
}

/* Tells the refused node once a minute; a new process of it at once. */
static void refuse(struct node *n, const struct certificate *claimed,
                   enum refusal why, const struct beacon *b,
                   const struct address *from)
{
    bool tell = refusal_say(n, false, (uint8_t)why, -1, &claimed->node,
                            claimed->name, from);
    struct refused_node *o = refused_node_get(n, &claimed->node);
    if (o != NULL) {
        o->skew = skew_of(n, b->unix_seconds);
        tell = !instant_is_recent(o->told_at, told_apart, n->now);
        o->told_at = tell ? n->now : o->told_at;
    }
    if (tell)
        beacons_refuse(n, from, &claimed->node, why, b->cookie, b->version);
}

/* Only a node that heard this process knows its cookie, so a REFUSE that echoes
 * the cookie is no replay. */
static void take_refuse(struct node *n, const struct beacon *b,
                        struct certificate *claimed, const struct address *from)
{
    enum refusal why;
    struct announcement said;
    struct peer *p = peer_get(n, &claimed->node);
    bool fresh =
        b->echo == n->cookie || (p != NULL && b->echo == expected_echo(n, p));
    if (!is_to_us(n, b) || !fresh || b->reason == REFUSAL_NONE) {
        n->counters.beacons_dropped++;
        return;
    }
    if (announce_learn(n, b->announcement, true, &p, &why, claimed) !=
            LEARNED_GOOD ||
        !announcement_decode(b->announcement, &said) ||
        said.epoch.value != p->said.epoch.value) {
        /* The sender is no peer here, so there is nothing to end. */
        (void)refusal_say(n, true, b->reason, -1, &claimed->node, claimed->name,
                          from);
        return;
    }
    p->beacon_counters[1] = b->counter;
    peer_refuses_us(n, p, b->reason, b->unix_seconds, from);
}

/* A live direct link or a recent beacon shows that the peer is there. */
static bool is_evident(const struct node *n, const struct peer *p)
{
    struct span recent = span_us(n->detector.lost_after.us / 4);
    return path_is_direct(&p->paths.current) ||
           instant_is_recent(p->evidence.beacon_heard, recent, n->now);
}

/*
 * Whether the beacon is a mere repetition from a peer that is evidently there.
 * In a mesh without changes most beacons end here, before this node checks any
 * signature [P-4.7].
 */
static bool brings_nothing(const struct node *n, const struct peer *p,
                           const struct beacon *b)
{
    return b->kind == BEACON_HERE && p->joined && p->evidence.proved &&
           is_evident(n, p) && p->cookie == b->cookie &&
           b->reason != HERE_ASKS &&
           bytes_equal(b->announcement, bytes_of(p->blob, p->blob_size));
}

static bool is_replay(const struct node *n, const struct peer *p,
                      const struct announcement *said, const struct beacon *b)
{
    return (said->epoch.value == p->said.epoch.value &&
            b->counter <= p->beacon_counters[is_to_us(n, b)]);
}

/*
 * Answers a stranger's multicast without checking its signature. The stranger's
 * reply, which echoes this node's cookie, must be checked in any case, so this
 * saves one check for each pair of nodes. True if the answer was sent, or is
 * not due. False if a second multicast comes and no reply did: unicast beacons
 * may not pass between the two, so the caller checks this beacon in full and
 * the stranger becomes a peer to dial.
 */
static bool answer_stranger(struct node *n, const struct peer *p,
                            const struct beacon *b,
                            const struct announcement *said,
                            const struct address *from)
{
    struct certificate c;
    if (b->kind != BEACON_HERE || is_to_us(n, b) ||
        announce_check_certificate(n, said->certificate, &c) != REFUSAL_NONE)
        return false;
    struct stranger *s = stranger_of(n, &c.node);
    uint64_t hash = certificate_hash(said->certificate);
    if (s->certificate == hash && s->cookie == b->cookie)
        return instant_is_recent(s->answered_at, stranger_pause, n->now);
    /* A sender with invented cookies must not cause unlimited answers. */
    if (!token_bucket_takes(&n->stranger_pace, n->now, stranger_each,
                            STRANGER_BURST))
        return true;
    *s = (struct stranger){hash, b->cookie, n->now};
    struct beacon answer = here_to(&c.node, p, b->cookie, true, b->version);
    send_to(n, from, &answer);
    return true;
}

static bool is_stranger(const struct peer *p, const struct announcement *said)
{
    return p == NULL || (!p->joined && !p->evidence.proved) ||
           p->said.epoch.value < said->epoch.value;
}

/* Whether a refused node repeats itself within a second: its signature then
 * need not be checked. */
static bool is_old_news(struct node *n, const struct refused_node *o,
                        const struct beacon *b, const struct announcement *said)
{
    static const struct span looked_apart = {1000 * 1000};
    if (o == NULL || b->kind != BEACON_HERE)
        return false;
    return said->epoch.value < o->epoch.value ||
           (instant_is_recent(o->heard, looked_apart, n->now) &&
            bytes_equal(b->announcement, bytes_of(o->blob, o->blob_size)) &&
            refused_node_stays_out(n, o));
}

static void take_opened(struct node *n, const struct beacon *b,
                        struct bytes opened, const struct address *from)
{
    struct announcement said;
    struct certificate claimed;
    if (b->cookie == n->cookie ||
        !announcement_decode(b->announcement, &said) ||
        !certificate_decode(said.certificate, &claimed)) {
        n->counters.beacons_dropped += b->cookie != n->cookie;
        return;
    }
    struct peer *p = peer_get(n, &claimed.node);
    if (p != NULL && brings_nothing(n, p, b)) {
        evidence_beacon_passed(&p->evidence, n->now);
        return; /* Its counter is not verified, so it must not count. */
    }
    const struct refused_node *o = refused_node_get(n, &claimed.node);
    if (is_old_news(n, o, b, &said)) {
        n->counters.beacons_dropped++;
        return;
    }
    bool stays_out = o != NULL && refused_node_stays_out(n, o);
    if (!stays_out && is_stranger(p, &said) &&
        answer_stranger(n, p, b, &said, from))
        return;
    if ((p != NULL && is_replay(n, p, &said, b)) ||
        !beacon_signed_by(opened, &claimed.node)) {
        n->counters.beacons_dropped++;
        return;
    }
    if (b->kind == BEACON_REFUSE) {
        take_refuse(n, b, &claimed, from);
        return;
    }
    enum refusal why;
    switch (announce_learn(n, b->announcement, true, &p, &why, &claimed)) {
    case LEARNED_STALE:
    case LEARNED_REFUSED:
        if (b->kind == BEACON_BYE)
            refused_nodes_said_bye(n, &claimed.node, said.epoch);
        else
            refuse(n, &claimed, why, b, from);
        return;
    case LEARNED_REPLACED:
        return;
    case LEARNED_GOOD:
        break;
    }
    if (b->kind == BEACON_BYE)
        peer_said_bye(n, p);
    else if (!p->evidence.departed)
        take_here(n, p, b, from);
}

void beacons_take(struct node *n, const struct node_event *event)
{
    uint8_t room[BEACON_SIZE];
    struct beacon b;
    struct bytes opened;
    const struct address *from = &event->datagram.from;
    n->counters.beacons_received++;
    switch (beacon_open(event->datagram.bytes, &n->certificate.mesh,
                        n->keys.beacon, room, &b, &opened)) {
    case BEACON_OPENED:
        take_opened(n, &b, opened, from);
        return;
    case BEACON_OTHER_VERSION:
        n->counters.beacons_dropped++;
        if (version_agreed(PROTOCOL_VERSION, b.version) == 0)
            (void)refusal_say(n, false, REFUSAL_VERSION, -1, NULL, NULL, from);
        return; /* A node of the next version answers this node's beacons. */
    case BEACON_WRONG_MESH:
        (void)refusal_say(n, false, REFUSAL_WRONG_MESH, -1, NULL, NULL, from);
        return;
    case BEACON_NOT_AUTHENTIC:
    case BEACON_NOT_OURS:
        n->counters.beacons_dropped++;
        return;
    }
}
