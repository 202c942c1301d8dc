/*
 * The door by TLS: HTTP and ZMTP inside, the certificate that the owner hears
 * of, and clients that end or fail on the way.
 *
 * A tunnel stands between a client's socket and the door: it seals what the
 * client writes, and opens what the door writes.
 */
#include "relay/shell/door_wrap.h"
#include "tests/unit/door_kit.h"
#include "tests/unit/tls_kit.h"

enum { TUNNELS = 8, PIECE = 16 * 1024, HELD = 256 * 1024 };

static struct tunnel {
    struct tls_client *tls;  /* NULL: free */
    int outer;               /* to the door; -1 once that is closed */
    int inner;               /* to the client */
    bool opened;             /* the handshake is over */
    bool ended;              /* the door said close_notify */
    size_t at_most;          /* bytes that go to the door in a turn */
    struct byte_queue plain; /* for the client */
} tunnels[TUNNELS];

static struct tls_pair *pair;

/* ---- The tunnel -----------------------------------------------------------
 */

static void to_door(struct tunnel *t)
{
    struct bytes out = byte_queue_bytes(&t->tls->out);
    size_t size = out.size < t->at_most ? out.size : t->at_most;
    if (size == 0)
        return;
    ssize_t n = send(t->outer, out.data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0)
        byte_queue_took(&t->tls->out, (size_t)n);
}

static void from_door(struct tunnel *t)
{
    uint8_t room[PIECE];
    if (t->outer < 0 || byte_queue_size(&t->tls->in) > HELD)
        return;
    ssize_t n = recv(t->outer, room, sizeof room, MSG_DONTWAIT);
    if (n > 0)
        tls_kit_add(&t->tls->in, room, (size_t)n);
    else if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) {
        close(t->outer);
        t->outer = -1;
    }
}

static void from_client(struct tunnel *t)
{
    uint8_t room[PIECE];
    if (byte_queue_size(&t->tls->out) > HELD)
        return;
    ssize_t n = recv(t->inner, room, sizeof room, MSG_DONTWAIT);
    if (n > 0)
        tls_kit_write(t->tls, room, (size_t)n);
}

/* As many bytes as the client's socket takes; the rest waits. */
static void to_client(struct tunnel *t)
{
    uint8_t room[PIECE];
    struct bytes rest = byte_queue_bytes(&t->plain);
    if (rest.size > 0) {
        ssize_t sent =
            send(t->inner, rest.data, rest.size, MSG_DONTWAIT | MSG_NOSIGNAL);
        byte_queue_took(&t->plain, sent > 0 ? (size_t)sent : 0);
        return;
    }
    ssize_t n = gnutls_record_recv(t->tls->session, room, sizeof room);
    t->ended |= n == 0;
    if (n > 0)
        tls_kit_add(&t->plain, room, (size_t)n);
    else if (n == 0 || gnutls_error_is_fatal((int)n))
        t->tls->error = n == 0 ? GNUTLS_E_SESSION_EOF : (int)n;
}

static void pump(struct tunnel *t)
{
    if (t->outer >= 0)
        to_door(t);
    from_door(t);
    if (!t->opened) {
        tls_kit_shake(t->tls);
        t->opened = t->tls->shook;
    } else {
        if (t->tls->error == 0)
            from_client(t);
        if (t->tls->error == 0 || byte_queue_size(&t->plain) > 0)
            to_client(t);
    }
    bool is_over = t->outer < 0 && byte_queue_size(&t->tls->in) == 0;
    if ((t->tls->error != 0 || is_over) && byte_queue_size(&t->plain) == 0)
        shutdown(t->inner, SHUT_WR);
}

static void pump_all(void)
{
    for (size_t i = 0; i < TUNNELS; i++) {
        if (tunnels[i].tls != NULL)
            pump(&tunnels[i]);
    }
}

/* The client's bytes go by TLS from now on. */
static struct tunnel *wrap(struct door_client *c, const char *priorities,
                           const char *alpn)
{
    struct tunnel *t = tunnels;
    int ends[2];

    while (t->tls != NULL)
        t++;
    assert_true(t < tunnels + TUNNELS);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    *t = (struct tunnel){.tls = tls_kit_client(priorities, alpn),
                         .outer = c->fd,
                         .inner = ends[1],
                         .at_most = SIZE_MAX};
    c->fd = ends[0];
    return t;
}

static void tunnel_close(struct tunnel *t)
{
    if (t->outer >= 0)
        close(t->outer);
    close(t->inner);
    tls_kit_free(t->tls);
    byte_queue_free(&t->plain);
    *t = (struct tunnel){0};
}

static void end(struct door_client *c, struct tunnel *t)
{
    kit_free(c);
    tunnel_close(t);
}

static const char *const versions[] = {TLS_KIT_12, TLS_KIT_13};

/* A client whose ZMTP is past its handshake, as a member. */
static struct door_client *join(uint8_t number, const char *priorities,
                                struct tunnel **t)
{
    struct door_client *c = kit_client(number);
    *t = wrap(c, priorities, NULL);
    kit_go(c, KIT_READY);
    kit_say(c, kit_make('e', 0, 0, 10));
    kit_hears(c, kit_make('e', 0, 0, 10));
    door_prove(kit.door, kit.last_conn);
    return c;
}

static void expect_away(const char *text)
{
    assert_string_equal(kit.away, text);
}

/* ---- HTTP inside ------------------------------------------------------------
 */

static const char *all_of(const struct door_client *c)
{
    static char text[8192];
    size_t size = 0;
    ssize_t n = -1;

    kit_until((n = recv(c->fd, text + size, sizeof text - 1 - size,
                        MSG_DONTWAIT)) == 0 ||
              (n > 0 && (size += (size_t)n, false)));
    text[size] = '\0';
    return text;
}

static const char get[] = "GET /healthz HTTP/1.1\r\nHost: relay\r\n\r\n";

static void http_is_answered(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        struct door_client *c = kit_client(1);
        struct tunnel *t = wrap(c, versions[i], "http/1.1");
        kit_send(c, get, sizeof get - 1);
        const char *text = all_of(c);
        assert_int_equal(strncmp(text, "HTTP/1.1 200 OK\r\n", 17), 0);
        assert_non_null(strstr(text, "\r\n\r\nok\n"));
        assert_true(t->ended); /* by close_notify, not by a cut */
        end(c, t);
    }
    kit_until(door_count(kit.door) == 0);
    assert_int_equal(kit.turned_away, 0);
}

static void bytes_may_come_one_by_one(void **state)
{
    (void)state;
    struct door_client *c = kit_client(1);
    struct tunnel *t = wrap(c, TLS_KIT_13, NULL);
    t->at_most = 1;
    kit_send(c, get, sizeof get - 1);
    assert_non_null(strstr(all_of(c), "ok\n"));
    end(c, t);
}

/* It says that it sends nothing more, and waits for the answer. */
static void a_client_may_end_its_half(void **state)
{
    (void)state;
    struct door_client *c = kit_client(1);
    struct tunnel *t = wrap(c, TLS_KIT_13, NULL);
    kit_until(t->opened);
    tls_kit_write(t->tls, get, sizeof get - 1);
    gnutls_bye(t->tls->session, GNUTLS_SHUT_WR);
    assert_non_null(strstr(all_of(c), "ok\n"));
    assert_true(t->ended);
    end(c, t);
}

/* The answer is there, and a message with the greeting of ZMTP after it. */
static bool has_frame(const struct door_client *c, char *text, size_t *size)
{
    ssize_t n = recv(c->fd, text + *size, 1024 - *size, MSG_DONTWAIT);
    *size += n > 0 ? (size_t)n : 0;
    const char *end = memmem(text, *size, "\r\n\r\n", 4);
    return end != NULL && text + *size >= end + 4 + 2 + 64 &&
           memcmp(end + 4, "\x82\x40\xff", 3) == 0;
}

static void a_websocket_begins(void **state)
{
    static const char upgrade[] =
        "GET / HTTP/1.1\r\nHost: relay\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Protocol: zeroservices\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    static char text[1024];
    size_t size = 0;
    (void)state;

    struct door_client *c = kit_client(1);
    struct tunnel *t = wrap(c, TLS_KIT_13, "http/1.1");
    kit_send(c, upgrade, sizeof upgrade - 1);
    kit_until(has_frame(c, text, &size));
    assert_int_equal(strncmp(text, "HTTP/1.1 101 ", 13), 0);
    end(c, t);
}

/* ---- ZMTP inside
 * ------------------------------------------------------------- */

static void zmtp_is_served_without_a_websocket(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        struct tunnel *t;
        struct door_client *c = join((uint8_t)(1 + i), versions[i], &t);
        for (uint32_t n = 0; n < 20; n++) {
            size_t size = n % 2 == 0 ? 10 : PACKET_SIZE;
            kit_say(c, kit_make('e', 0, n, size));
            kit_hears(c, kit_make('e', 0, n, size));
        }
        assert_int_equal(kit.last_tls.end, RELAY_TLS_HERE);
        assert_memory_equal(kit.last_tls.hash, tls_pair_told(pair)->hash,
                            sizeof kit.last_tls.hash);
        kit.later = span_s(100); /* There is no time limit any more. */
        for (int n = 0; n < 50; n++)
            kit_turn();
        kit_say(c, kit_make('e', 0, 7, 100));
        kit_hears(c, kit_make('e', 0, 7, 100));
        kit.later = span_s(0);
        end(c, t);
    }
    kit_until(door_count(kit.door) == 0);
    kit_until(kit.closed == COUNT_OF(versions));
    assert_int_equal(kit.turned_away, 0);
}

static void a_plain_connection_is_told_nothing(void **state)
{
    (void)state;
    struct door_client *c = kit_joined(1);
    kit_say(c, kit_make('e', 0, 1, 100));
    kit_hears(c, kit_make('e', 0, 1, 100));
    assert_int_equal(kit.last_tls.end, RELAY_TLS_UNTOLD);
    kit_free(c);
}

/* Both ends write more than the kernel and the door hold. */
static void much_goes_both_ways(void **state)
{
    enum { PACKETS = 150 };
    uint32_t said = 0, heard = 0;
    (void)state;

    struct tunnel *t;
    struct door_client *c = join(1, TLS_KIT_13, &t);
    while (heard < PACKETS) {
        if (said < PACKETS && said < heard + 100) {
            kit_say(c, kit_make('e', 0, said, PACKET_SIZE));
            said++;
            continue;
        }
        kit_hears(c, kit_make('e', 0, heard, PACKET_SIZE));
        heard++;
    }
    end(c, t);
}

/* A receiver that reads nothing blocks its sender, and holds no more than the
 * credit and what is on its way. */
static void a_slow_receiver_is_blocked(void **state)
{
    (void)state;
    struct tunnel *t;
    struct door_client *slow = join(1, TLS_KIT_13, &t);
    kit_say(slow, kit_make('e', 0, 1, 10));
    kit_hears(slow, kit_make('e', 0, 1, 10));
    uint64_t id = kit.last_conn;
    for (int i = 0; i < 1000 && kit.blocked == 0; i++) {
        struct bytes packet = kit_make('x', 0, (uint32_t)i, PACKET_SIZE);
        door_write(kit.door, id, packet);
        uv_run(&kit.loop, UV_RUN_NOWAIT); /* The tunnel stands still. */
    }
    assert_int_equal(kit.blocked, 1);
    const struct door_conn *conn = kit.door->lists[DOOR_ALL].first;
    assert_in_range(door_conn_unsent(conn), DOOR_CREDIT / 2,
                    DOOR_CREDIT + 3 * (size_t)PACKET_SIZE);
    uint32_t heard = 0;
    while (kit.writable == 0) {
        assert_int_equal(kit_next(slow), ZMTP_PACKET);
        assert_true(bytes_equal(slow->item.packet,
                                kit_make('x', 0, heard, PACKET_SIZE)));
        heard++;
    }
    end(slow, t);
}

/* ---- Behind a load balancer ---- */

static void trust_all(void)
{
    struct address_prefix *p = &kit.conf.proxies[kit.conf.proxy_count++];
    assert_true(address_prefix_parse("127.0.0.0/8", p));
    door_reconfigure(kit.door, &kit.conf);
}

/* It passes TLS on, and says for whom [P-13.2]. */
static void a_header_may_come_before_tls(void **state)
{
    static const char header[] =
        "PROXY TCP4 203.0.113.7 192.0.2.1 56324 443\r\n";
    char text[ADDRESS_TEXT_SIZE];
    (void)state;

    trust_all();
    struct door_client *c = kit_client(1);
    kit_send(c, header, sizeof header - 1);
    struct tunnel *t = wrap(c, TLS_KIT_13, NULL);
    kit_go(c, KIT_READY);
    kit_say(c, kit_make('e', 0, 1, 100));
    kit_hears(c, kit_make('e', 0, 1, 100));
    assert_string_equal(address_format_ip(&kit.last_address, text),
                        "203.0.113.7");
    assert_int_equal(kit.last_tls.end, RELAY_TLS_HERE);
    end(c, t);
}

/* It speaks TLS itself: HTTP can name the client, ZMTP cannot. */
static void a_load_balancer_itself_may_only_speak_http(void **state)
{
    (void)state;
    trust_all();
    struct door_client *c = kit_client(1);
    struct tunnel *t = wrap(c, TLS_KIT_13, NULL);
    kit_send(c, get, sizeof get - 1);
    assert_non_null(strstr(all_of(c), "ok\n"));
    end(c, t);

    c = kit_client(1);
    t = wrap(c, TLS_KIT_13, NULL);
    kit_reply(c);
    kit_until(kit.turned_away == 1);
    expect_away("handshake_failed no_proxy_header 127.0.0.1");
    end(c, t);
}

/* ---- Certificates
 * --------------------------------------------------------------- */

static void new_connections_get_the_new_certificate(void **state)
{
    uint8_t old[CERTIFICATE_HASH_SIZE];
    (void)state;

    struct tunnel *ta;
    struct door_client *a = join(1, TLS_KIT_13, &ta);
    memcpy(old, tls_pair_told(pair)->hash, sizeof old);
    tls_pair_release(&pair);
    pair = tls_kit_pair("newer");
    door_serve_tls(kit.door, pair);

    kit_say(a, kit_make('e', 0, 1, 100));
    kit_hears(a, kit_make('e', 0, 1, 100));
    assert_memory_equal(kit.last_tls.hash, old, sizeof old);
    struct tunnel *tb;
    struct door_client *b = join(2, TLS_KIT_13, &tb);
    kit_say(b, kit_make('e', 0, 2, 100));
    kit_hears(b, kit_make('e', 0, 2, 100));
    assert_memory_equal(kit.last_tls.hash, tls_pair_told(pair)->hash,
                        sizeof old);
    kit_say(a, kit_make('e', 0, 3, 100));
    kit_hears(a, kit_make('e', 0, 3, 100));
    end(a, ta);
    end(b, tb);
}

static void without_a_certificate_tls_is_unknown(void **state)
{
    (void)state;
    tls_pair_release(&kit.door->tls);
    struct door_client *c = kit_client(1);
    struct tunnel *t = wrap(c, TLS_KIT_13, NULL);
    kit_until(kit.turned_away == 1);
    expect_away("handshake_failed unknown_protocol 127.0.0.1");
    end(c, t);
}

/* ---- Those who fail
 * ---------------------------------------------------------------- */

static void a_failure_is_told_by_an_alert(void **state)
{
    static const struct {
        const char *priorities, *alpn, *away;
        gnutls_alert_description_t alert;
    } rows[] = {
        {"NORMAL:-VERS-ALL:+VERS-TLS1.1", NULL, "tls_failed version 127.0.0.1",
         GNUTLS_A_PROTOCOL_VERSION},
        {TLS_KIT_13, "h2", "tls_failed alpn 127.0.0.1",
         GNUTLS_A_NO_APPLICATION_PROTOCOL},
        {TLS_KIT_12 ":-KX-ALL:+RSA", NULL,
         "tls_failed no_common_cipher 127.0.0.1", GNUTLS_A_HANDSHAKE_FAILURE},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct door_client *c = kit_client(1);
        struct tunnel *t = wrap(c, rows[i].priorities, rows[i].alpn);
        kit_until(t->tls->error != 0);
        assert_int_equal(t->tls->error, GNUTLS_E_FATAL_ALERT_RECEIVED);
        assert_int_equal(gnutls_alert_get(t->tls->session), rows[i].alert);
        expect_away(rows[i].away);
        end(c, t);
        kit_until(door_count(kit.door) == 0);
    }
}

/* The alert comes before the end, and the end comes soon. */
static void a_member_that_breaks_tls_is_cut(void **state)
{
    uint8_t junk[100] = {23, 3, 3, 0, 95};
    (void)state;

    struct tunnel *t;
    struct door_client *c = join(1, TLS_KIT_13, &t);
    kit_say(c, kit_make('e', 0, 1, 100));
    kit_hears(c, kit_make('e', 0, 1, 100));
    assert_int_equal(send(t->outer, junk, sizeof junk, MSG_NOSIGNAL), 100);
    kit_until(kit.closed == 1);
    expect_away("tls_failed changed_bytes 127.0.0.1");
    kit_until(t->tls->error == GNUTLS_E_FATAL_ALERT_RECEIVED);
    kit.later = span_s(DOOR_LINGER_S + 1);
    kit_until(door_count(kit.door) == 0);
    end(c, t);
}

static void silence_within_tls_has_a_limit(void **state)
{
    (void)state;
    for (int opened = 0; opened < 2; opened++) {
        struct door_client *c = kit_client(1);
        struct tunnel *t = wrap(c, TLS_KIT_13, NULL);
        t->at_most = opened ? SIZE_MAX : 50; /* not the whole ClientHello */
        pump(t);
        t->at_most = opened ? SIZE_MAX : 0;
        if (opened)
            kit_until(t->opened);
        for (int i = 0; i < 50; i++)
            kit_turn();
        assert_int_equal(door_count(kit.door), 1);
        kit.later = span_s(DOOR_HTTP_S + 1);
        kit_until(door_count(kit.door) == 0);
        expect_away("handshake_failed timeout 127.0.0.1");
        kit.later = span_s(0);
        end(c, t);
    }
}

static void garbage_inside_tls_is_ended(void **state)
{
    static const char *const rows[] = {"\x01\x02garbage and more of it",
                                       "\x16\x03\x01\x01\x00\x01\x00\x00\xfc",
                                       "PROXY TCP4 192.0.2.1 192.0.2.2 1 2"};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct door_client *c = kit_client(1);
        struct tunnel *t = wrap(c, TLS_KIT_13, NULL);
        kit_send(c, rows[i], i == 1 ? 9 : strlen(rows[i]));
        kit_until(kit.turned_away == i + 1);
        expect_away("handshake_failed unknown_protocol 127.0.0.1");
        end(c, t);
    }
}

static void a_silent_handshake_inside_ends(void **state)
{
    (void)state;
    struct door_client *c = kit_client(1);
    struct tunnel *t = wrap(c, TLS_KIT_13, NULL);
    kit_reply(c); /* the greeting, and nothing more */
    kit_until(kit_read(c) == ZMTP_NEXT);
    kit.later = span_s(3);
    kit_until(kit.turned_away == 1);
    expect_away("handshake_failed timeout 127.0.0.1");
    end(c, t);
}

/* ---- Ends
 * ---------------------------------------------------------------------------
 */

static void a_door_that_closes_says_close_notify(void **state)
{
    (void)state;
    struct tunnel *t;
    struct door_client *c = join(1, TLS_KIT_13, &t);
    door_close(&kit.door);
    kit_until(t->ended);
    end(c, t);
}

static void a_dropped_connection_closes(void **state)
{
    (void)state;
    struct tunnel *t;
    struct door_client *c = join(1, TLS_KIT_12, &t);
    kit_say(c, kit_make('d', 0, 1, 100));
    kit_until(kit.packets == 2);
    kit.later = span_s(1);
    kit_until(door_count(kit.door) == 0);
    assert_int_equal(kit.closed, 0);
    end(c, t);
}

/* ---- Memory ---- */

static void limit_memory(size_t size)
{
    kit.conf.memory_unread = size;
    door_reconfigure(kit.door, &kit.conf);
    zloop_kick(&kit.zloop);
}

static void turn_often(void)
{
    for (int n = 0; n < 20; n++)
        kit_turn();
}

/* A handshake in which nothing more comes takes memory for seconds. */
static void handshakes_that_stand_still_are_limited_in_all(void **state)
{
    enum { MANY = 16, ROOM = 256 * 1024 };
    static const uint8_t begun[] = {22, 3, 1, 0x01, 0, 1, 0, 0, 0xfc, 3, 3};
    struct door_client *c[MANY];
    (void)state;

    limit_memory(ROOM);
    for (uint8_t i = 0; i < MANY; i++) {
        c[i] = kit_client(i);
        kit_send(c[i], begun, sizeof begun);
        turn_often();
        assert_in_range(kit.door->tls_bytes, TLS_MEMORY_SHAKES, ROOM);
    }
    kit_until(door_count(kit.door) <= ROOM / TLS_MEMORY_SHAKES);
    expect_away("connection_cut memory 127.0.0.1");
    assert_true(kit_is_ended(c[0]));
    assert_false(kit_is_ended(c[MANY - 1]));
    for (int i = 0; i < MANY; i++)
        kit_free(c[i]);
    kit_until(door_count(kit.door) == 0);
    assert_int_equal(kit.door->tls_bytes, 0);
}

/* What members say does not wait for all of them. */
static void many_handshakes_at_once_take_turns(void **state)
{
    enum { MANY = 40 };
    static const uint8_t begun[] = {22, 3, 1, 0x01, 0, 1, 0, 0, 0xfc, 3, 3};
    struct door_client *c[MANY];
    (void)state;

    for (uint8_t i = 0; i < MANY; i++) {
        c[i] = kit_client(i);
        kit_send(c[i], begun, sizeof begun);
    }
    while (kit.door->lists[DOOR_TLS].count < MANY) {
        size_t before = kit.door->lists[DOOR_TLS].count;
        kit_turn();
        assert_in_range(kit.door->lists[DOOR_TLS].count, before,
                        before + DOOR_SHAKES);
    }
    for (int i = 0; i < MANY; i++)
        kit_free(c[i]);
    kit_until(door_count(kit.door) == 0);
}

/* Members stay: who comes once they take all is refused. */
static void a_member_does_not_give_way_to_a_handshake(void **state)
{
    enum { MEMBERS = 3 };
    struct door_client *c[MEMBERS], *stranger;
    struct tunnel *t[MEMBERS], *last;
    (void)state;

    limit_memory(64 * 1024); /* 56 KiB for TLS */
    for (uint8_t i = 0; i < MEMBERS; i++)
        c[i] = join((uint8_t)(i + 1), TLS_KIT_13, &t[i]);
    limit_memory(60 * 1024); /* 52.5, of which the members have 36 */
    stranger = kit_client(9);
    last = wrap(stranger, TLS_KIT_13, NULL);
    kit_until(kit.turned_away == 1);
    expect_away("connection_cut memory 127.0.0.1");
    end(stranger, last);
    for (uint8_t i = 0; i < MEMBERS; i++) {
        kit_say(c[i], kit_make('e', 0, 1, 1000));
        kit_hears(c[i], kit_make('e', 0, 1, 1000));
        end(c[i], t[i]);
    }
    kit_until(door_count(kit.door) == 0);
    assert_int_equal(kit.turned_away, 1);
    assert_int_equal(kit.door->tls_bytes + kit.door->partial_bytes, 0);
}

/* A record that a member does not end is as a frame that it does not end. */
static void records_without_end_are_limited_in_all(void **state)
{
    enum { MEMBERS = 3, BEGUN = 16000 };
    static uint8_t record[BEGUN] = {23, 3, 3, 0x40, 0};
    struct door_client *c[MEMBERS];
    struct tunnel *t[MEMBERS];
    (void)state;

    for (uint8_t i = 0; i < MEMBERS; i++) {
        c[i] = join((uint8_t)(i + 1), TLS_KIT_13, &t[i]);
        assert_int_equal(send(t[i]->outer, record, BEGUN, MSG_NOSIGNAL), BEGUN);
        kit_until(kit.door->partial_bytes >= (i + 1u) * BEGUN);
        turn_often();
    }
    assert_int_equal(kit.turned_away, 0);
    limit_memory(72 * 1024); /* 36 KiB are TLS's, and one BEGUN is too many */
    kit_until(kit.closed == 1);
    expect_away("connection_cut memory 127.0.0.1");
    kit_until(t[0]->outer < 0);
    turn_often();
    assert_int_equal(door_count(kit.door), MEMBERS - 1);
    for (int i = 0; i < MEMBERS; i++)
        end(c[i], t[i]);
    kit_until(door_count(kit.door) == 0);
    assert_int_equal(kit.door->tls_bytes + kit.door->partial_bytes, 0);
}

static int setup(void **state)
{
    kit_setup(state);
    memset(tunnels, 0, sizeof tunnels);
    pair = tls_kit_pair("relay-1");
    door_serve_tls(kit.door, pair);
    kit.idle = pump_all;
    return 0;
}

static int teardown(void **state)
{
    kit.idle = NULL;
    for (size_t i = 0; i < TUNNELS; i++) {
        if (tunnels[i].tls != NULL)
            tunnel_close(&tunnels[i]);
    }
    kit_teardown(state);
    tls_pair_release(&pair);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(http_is_answered),
        TEST(bytes_may_come_one_by_one),
        TEST(a_client_may_end_its_half),
        TEST(a_websocket_begins),
        TEST(zmtp_is_served_without_a_websocket),
        TEST(a_plain_connection_is_told_nothing),
        TEST(much_goes_both_ways),
        TEST(a_slow_receiver_is_blocked),
        TEST(a_header_may_come_before_tls),
        TEST(a_load_balancer_itself_may_only_speak_http),
        TEST(new_connections_get_the_new_certificate),
        TEST(without_a_certificate_tls_is_unknown),
        TEST(a_failure_is_told_by_an_alert),
        TEST(a_member_that_breaks_tls_is_cut),
        TEST(silence_within_tls_has_a_limit),
        TEST(garbage_inside_tls_is_ended),
        TEST(a_silent_handshake_inside_ends),
        TEST(a_door_that_closes_says_close_notify),
        TEST(a_dropped_connection_closes),
        TEST(handshakes_that_stand_still_are_limited_in_all),
        TEST(many_handshakes_at_once_take_turns),
        TEST(a_member_does_not_give_way_to_a_handshake),
        TEST(records_without_end_are_limited_in_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
