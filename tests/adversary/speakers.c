/*
 * Attacks by strangers that speak one of the door's protocols, wrongly or
 * without end, and come again whenever their connection is cut.
 */
#include "tests/adversary/attack.h"
#include "tests/adversary/crowd.h"

#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>

enum {
    TURN_MS = 10,
    CONNECTS = 64, /* in a turn: the others must go on */
    MOST_BYTES = 768 * 1024 * 1024,
    HANDSHAKE_MS = 1500,
};

/* Opens what is not open, a few in a turn. */
static void reopen(struct crowd *c, const struct attack *a, struct tally *t)
{
    static size_t next;

    for (size_t n = 0, opened = 0; n < c->count && opened < CONNECTS; n++) {
        size_t i = next++ % c->count;
        if (c->fds[i] >= 0)
            continue;
        crowd_open_one(c, i, a, t);
        opened++;
    }
}

void attack_returning(const struct attack *a, struct tally *t)
{
    struct crowd c;

    crowd_init(&c, a->count);
    while (!attack_is_over(a)) {
        reopen(&c, a, t);
        for (size_t i = 0; i < c.count; i++)
            crowd_say(&c, i, a->speech.opening, SIZE_MAX, t);
        attack_sleep_until(attack_now_ms() + TURN_MS);
        crowd_look(&c, t);
    }
    crowd_close(&c);
}

/* Says the next bytes of the refrain, which begins where the opening ends. */
static void repeat(struct crowd *c, size_t i, const struct attack *a,
                   struct tally *t)
{
    struct bytes refrain = a->speech.refrain;
    size_t said = c->said[i] - a->speech.opening.size;
    size_t from = said % refrain.size;
    size_t before = c->said[i];

    c->said[i] = from;
    crowd_say(c, i, refrain, SIZE_MAX, t);
    if (c->fds[i] >= 0) {
        t->sent += c->said[i] > from;
        c->said[i] = before + c->said[i] - from;
    }
}

void attack_endless(const struct attack *a, struct tally *t)
{
    struct crowd c;

    if (a->speech.refrain.size == 0)
        abort();
    crowd_init(&c, a->count);
    while (!attack_is_over(a)) {
        reopen(&c, a, t);
        for (size_t i = 0; i < c.count && t->bytes < MOST_BYTES; i++) {
            crowd_say(&c, i, a->speech.opening, SIZE_MAX, t);
            if (c.fds[i] >= 0 && c.said[i] >= a->speech.opening.size)
                repeat(&c, i, a, t);
        }
        attack_sleep_until(attack_now_ms() + TURN_MS);
    }
    crowd_close(&c);
}

/* ---- Keys that change for ever ------------------------------------------ */

struct tls_speaker {
    int fd;
    gnutls_session_t session;
};

static void hang_up(struct tls_speaker *s)
{
    if (s->session != NULL)
        gnutls_deinit(s->session);
    if (s->fd >= 0)
        socket_abort(s->fd);
    *s = (struct tls_speaker){.fd = -1};
}

static bool shake(const struct tls_speaker *s)
{
    uint64_t deadline = attack_now_ms() + HANDSHAKE_MS;
    int result;

    while ((result = gnutls_handshake(s->session)) != 0) {
        bool writes = gnutls_record_get_direction(s->session) == 1;
        if (gnutls_error_is_fatal(result) ||
            !socket_wait(s->fd, writes, deadline))
            return false;
    }
    return true;
}

static bool call(struct tls_speaker *s, const struct attack *a, unsigned number,
                 gnutls_certificate_credentials_t any)
{
    s->fd = socket_open(&a->target, number, HANDSHAKE_MS);
    if (s->fd < 0 ||
        gnutls_init(&s->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK) != 0)
        return false;
    gnutls_set_default_priority(s->session);
    gnutls_credentials_set(s->session, GNUTLS_CRD_CERTIFICATE, any);
    gnutls_transport_set_int(s->session, s->fd);
    return shake(s);
}

/* False if the connection is cut. */
static bool update(const struct tls_speaker *s, struct tally *t)
{
    for (int i = 0; i < 100; i++) {
        int result = gnutls_session_key_update(s->session, GNUTLS_KU_PEER);
        if (result == GNUTLS_E_AGAIN)
            return true;
        if (result != 0)
            return false;
        t->sent++;
    }
    return true;
}

static void go_on(struct tls_speaker *s, const struct attack *a, size_t number,
                  gnutls_certificate_credentials_t any, struct tally *t)
{
    if (s->session != NULL) {
        if (update(s, t))
            return;
        tally_cut(t);
    } else if (call(s, a, (unsigned)number, any)) {
        t->opened++;
        return;
    } else {
        t->refused++;
    }
    hang_up(s);
}

void attack_updates(const struct attack *a, struct tally *t)
{
    struct tls_speaker *speakers = calloc(a->count, sizeof *speakers);
    gnutls_certificate_credentials_t any;

    if (speakers == NULL || gnutls_certificate_allocate_credentials(&any) != 0)
        abort();
    for (size_t i = 0; i < a->count; i++)
        speakers[i].fd = -1;
    while (!attack_is_over(a)) {
        for (size_t i = 0; i < a->count && !attack_is_over(a); i++)
            go_on(&speakers[i], a, i, any, t);
        attack_sleep_until(attack_now_ms() + 1);
    }
    for (size_t i = 0; i < a->count; i++)
        hang_up(&speakers[i]);
    gnutls_certificate_free_credentials(any);
    free(speakers);
}
