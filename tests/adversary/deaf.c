/*
 * A member that makes the relay queue packets: it sends to itself, requests
 * answers, and reads nothing.
 */
#include "tests/adversary/attack.h"
#include "tests/adversary/member.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { PING_MS = 500, TRY_MS = 10 };

struct deaf {
    struct forged_member *member;
    uint64_t ping_ms;
    uint64_t pings;
};

static bool put_forward(struct deaf *d, const struct attack *a)
{
    static uint8_t packet[PACKET_SIZE];

    packet[0] = RELAY_FORWARD;
    memcpy(packet + 1, a->self.said.node.key, KEY_SIZE);
    return curve_put(&d->member->relay, bytes_of(packet, a->size), false);
}

/* Sends a ping, so that the relay does not take the member for lost. */
static void put_ping(struct deaf *d)
{
    uint8_t ping[9] = {RELAY_PING};

    if (attack_now_ms() < d->ping_ms)
        return;
    d->ping_ms = attack_now_ms() + PING_MS;
    curve_put(&d->member->relay, bytes_of(ping, sizeof ping), false);
}

static void be_deaf(struct deaf *d, const struct attack *a, struct tally *t)
{
    while (!attack_is_over(a)) {
        while (t->sent < a->count && put_forward(d, a)) {
            t->sent++;
            t->bytes += a->size;
        }
        put_ping(d);
        if (!curve_flush(&d->member->relay)) {
            tally_cut(t);
            return;
        }
        attack_sleep_until(attack_now_ms() + TRY_MS);
    }
}

void attack_deaf(const struct attack *a, struct tally *t)
{
    struct deaf d = {.member = member_new(a)};
    int little = 4096;

    if (a->size < FORWARD_HEADER_SIZE + 1 || a->size > PACKET_SIZE)
        abort();
    if (member_meets(d.member, NULL, NULL)) {
        t->opened++;
        setsockopt(d.member->relay.fd, SOL_SOCKET, SO_RCVBUF, &little,
                   sizeof little);
        be_deaf(&d, a, t);
    } else {
        t->refused++;
    }
    member_free(d.member);
}
