/*
 * Attacks by members, or with recorded packets of members: HELLOs of other
 * nodes, session handshakes, acknowledgements of packets that nobody sent, new
 * announcements.
 */
#include "tests/adversary/attack.h"
#include "tests/adversary/crowd.h"
#include "tests/adversary/member.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/hex.h"
#include "common/wire/multicast.h"

enum { HANDSHAKE_MS = 1500 };

/* Waits until repetition `n` is due; false if the attack is over. */
static bool is_due(const struct attack *a, uint64_t begun, uint64_t n)
{
    uint64_t due = begun + n * 1000 / a->rate;
    attack_sleep_until(due < a->ends_ms ? due : a->ends_ms);
    return !attack_is_over(a);
}

static _Noreturn void cannot(const char *what)
{
    fprintf(stderr, "attack: cannot %s\n", what);
    exit(3);
}

/* --- what a member learns --------------------------------------------------
 */

static void print_node(void *context, const struct roster_entry *entry,
                       struct bytes said,
                       const struct announcement *announcement)
{
    static char text[2 * ANNOUNCEMENT_SIZE + 1];
    struct certificate c;
    struct tally *t = context;

    (void)entry;
    if (!certificate_decode(announcement->certificate, &c))
        return;
    t->answers++;
    hex_encode(bytes_of(announcement->link_key.key, KEY_SIZE), text);
    printf("node %s %s", c.name, text);
    hex_encode(said, text);
    printf(" %s\n", text);
}

void attack_roster(const struct attack *a, struct tally *t)
{
    struct forged_member *m = member_new(a);
    if (!member_meets(m, print_node, t))
        cannot("read the relay's roster");
    member_free(m);
}

/* --- recorded greetings ----------------------------------------------------
 */

/* Connects with a new key, sends the recorded HELLO and waits for the refusal.
 */
static void greet_once(const struct attack *a, struct bytes hello,
                       struct curve *c, unsigned number, struct tally *t)
{
    uint64_t deadline = attack_now_ms() + HANDSHAKE_MS;
    struct curve_pair self;
    bool gone = false;

    curve_pair_random(&self);
    c->out_size = c->out_done = 0;
    c->fd = socket_open(&a->target, number, HANDSHAKE_MS);
    if (c->fd < 0) {
        t->refused++;
        return;
    }
    t->opened++;
    if (curve_connect(c, &a->key, &self, deadline) &&
        curve_say(c, hello, deadline)) {
        t->sent++;
        struct bytes answer = curve_hear(c, deadline, &gone);
        bool refused = answer.size > 0 && (answer.data[0] == LINK_REFUSE ||
                                           answer.data[0] == RELAY_REFUSED);
        t->answers += answer.size > 0 && !refused;
        if (refused || gone)
            tally_cut(t);
    }
    socket_abort(c->fd);
}

static void replay(const struct attack *a, struct bytes hello, struct tally *t)
{
    struct curve *c = calloc(1, sizeof *c);
    uint64_t begun = attack_now_ms();

    if (c == NULL)
        abort();
    for (uint64_t n = 0; is_due(a, begun, n); n++)
        greet_once(a, hello, c, (unsigned)n, t);
    free(c);
}

void attack_link_hellos(const struct attack *a, struct tally *t)
{
    uint8_t room[PACKET_SIZE];
    if (a->announcement.size == 0)
        cannot("replay: no --announcement");
    replay(a, link_hello(a->announcement, room), t);
}

void attack_relay_hellos(const struct attack *a, struct tally *t)
{
    uint8_t room[PACKET_SIZE];
    struct forged_member *m = member_new(a);
    replay(a, member_relay_hello(m, room), t);
    member_free(m);
}

/* --- session handshakes ----------------------------------------------------
 */

static struct bytes forward(const struct forged_member *m, struct bytes packet,
                            uint8_t *room)
{
    struct writer w = writer_of(room, PACKET_SIZE);
    write_u8(&w, RELAY_FORWARD);
    write_bytes(&w, bytes_of(m->victim.key, KEY_SIZE));
    write_bytes(&w, packet);
    return writer_bytes(&w);
}

/* Sends one valid INIT through the relay, then the same bytes repeatedly. */
void attack_inits(const struct attack *a, struct tally *t)
{
    struct forged_member *m = member_new(a);
    uint8_t room[SESSION_INIT_SIZE], packet[PACKET_SIZE];
    struct writer w = writer_of(room, sizeof room);
    uint64_t begun = attack_now_ms();
    bool gone = false;

    if (!member_meets(m, NULL, NULL) || !m->found)
        cannot("find the victim by the relay");
    session_prepare(m);
    if (!session_ask(&m->session, &m->entropy,
                     (struct instant){(int64_t)begun * 1000}, &w))
        cannot("ask for a session");
    struct bytes init = forward(m, writer_bytes(&w), packet);
    for (uint64_t n = 0; is_due(a, begun, n) && !gone; n++) {
        if (!curve_say(&m->relay, init, attack_now_ms() + HANDSHAKE_MS))
            break;
        t->sent++;
        while (!gone && socket_wait(m->relay.fd, false, 0)) {
            struct bytes p = curve_hear(&m->relay, attack_now_ms(), &gone);
            t->answers += p.size > FORWARD_HEADER_SIZE &&
                          p.data[0] == RELAY_FORWARDED &&
                          p.data[FORWARD_HEADER_SIZE] == PACKET_ACCEPT;
        }
    }
    if (gone)
        tally_cut(t);
    member_free(m);
}

/* --- acknowledgements ------------------------------------------------------
 */

struct heard {
    bool started;
    struct group_start start;
};

static void take_message(void *owner, struct bytes message)
{
    struct heard *heard = owner;
    struct message m;

    if (message_decode(message, &m) && m.kind == MESSAGE_START)
        heard->started = group_start_decode(m.data, &heard->start);
}

/* Answers the link's probes, and opens the session's packets. */
static void take_packet(struct forged_member *m, struct bytes packet,
                        struct heard *heard)
{
    static uint8_t copy[PACKET_SIZE], room[PACKET_SIZE];
    struct session_sink sink = {.owner = heard, .message = take_message};
    struct instant now = {(int64_t)attack_now_ms() * 1000};
    struct writer w = writer_of(room, sizeof room);

    memcpy(copy, packet.data, packet.size);
    if (copy[0] == LINK_PING || copy[0] == LINK_PROBE) {
        copy[0] = copy[0] == LINK_PING ? LINK_PONG : LINK_PROBED;
        (void)curve_put(&m->direct, bytes_of(copy, packet.size), false);
    }
    if (copy[0] == PACKET_PLAIN &&
        session_take(&m->session, copy, packet.size, now, &sink) ==
            SESSION_TAKEN &&
        session_write(&m->session, false, now, &w))
        (void)curve_put(&m->direct, writer_bytes(&w), false);
}

static struct bytes unknown_packet(const struct forged_member *m,
                                   const struct heard *heard, uint8_t *room)
{
    struct record record = {
        .type = RECORD_GROUP_ACK,
        .group_ack = {.stream = heard->start.stream,
                      .state = GROUP_ACK_UNKNOWN},
    };
    struct writer w = writer_of(room, PACKET_SIZE);

    memcpy(record.group_ack.tag, heard->start.tag.bytes, GROUP_TAG_SIZE);
    write_u8(&w, PACKET_PLAIN);
    write_u32(&w, m->session.current.peer_index);
    while (writer_bytes(&w).size + GROUP_ACK_SIZE < PACKET_RECORDS_SIZE)
        record_encode(&record, &w);
    return writer_bytes(&w);
}

/* Sends as fast as possible, and acknowledges nothing. */
static void flood_unknown(struct forged_member *m, const struct attack *a,
                          struct heard *heard, struct tally *t)
{
    static uint8_t room[PACKET_SIZE];
    struct bytes packet = unknown_packet(m, heard, room);

    while (!attack_is_over(a)) {
        if (t->sent < a->count && curve_put(&m->direct, packet, false)) {
            t->sent++;
            t->bytes += packet.size;
        }
        if (!curve_flush(&m->direct) || socket_is_cut(m->direct.fd)) {
            tally_cut(t);
            return;
        }
        attack_sleep_until(attack_now_ms() + 1);
    }
}

void attack_unknown(const struct attack *a, struct tally *t)
{
    struct forged_member *m = member_new(a);
    struct heard heard = {0};
    bool gone = false;

    if (!member_meets(m, NULL, NULL) || !m->found)
        cannot("find the victim by the relay");
    if (!member_links(m) || !member_opens_session(m))
        cannot("open a session with the victim");
    while (!heard.started && !gone && !attack_is_over(a)) {
        struct bytes packet =
            curve_hear(&m->direct, attack_now_ms() + 200, &gone);
        if (packet.size > 0)
            take_packet(m, packet, &heard);
        gone |= !curve_flush(&m->direct);
    }
    if (!heard.started)
        cannot("hear a publication of the victim's");
    t->answers++;
    /* The packet that take_packet made acknowledges START. */
    flood_unknown(m, a, &heard, t);
    member_free(m);
}

/* --- announcements ---------------------------------------------------------
 */

/* Each announcement is new, with a valid signature. */
void attack_announce(const struct attack *a, struct tally *t)
{
    struct forged_member *m = member_new(a);
    uint8_t room[PACKET_SIZE], said[ANNOUNCEMENT_SIZE];
    uint64_t begun;

    if (!member_meets(m, NULL, NULL) || !m->found || !member_links(m))
        cannot("link to the victim");
    begun = attack_now_ms();
    for (uint64_t n = 0; is_due(a, begun, n); n++) {
        struct writer w = writer_of(room, sizeof room);
        struct bytes announcement = member_announcement(m, said);
        write_u8(&w, LINK_ANNOUNCE);
        write_u16(&w, (uint16_t)announcement.size);
        write_bytes(&w, announcement);
        if (socket_is_cut(m->direct.fd) ||
            !curve_say(&m->direct, writer_bytes(&w),
                       attack_now_ms() + HANDSHAKE_MS)) {
            tally_cut(t);
            break;
        }
        t->sent++;
    }
    member_free(m);
}
