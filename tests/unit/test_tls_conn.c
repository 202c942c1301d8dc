#include "relay/shell/tls_conn.h"
#include "tests/unit/tls_kit.h"

#include <malloc.h>
#include <sodium.h>

enum { ROOM = 4 * TLS_RECORD };

static struct {
    struct tls_pair *pair;
    struct tls_conn *server;
    struct tls_client *client;
    struct byte_queue sent;  /* by the server, not moved yet */
    struct byte_queue plain; /* that the server read */
    enum tls_read last;      /* what it said last */
} w;

/* ---- Both ends ----------------------------------------------------------- */

static void on_send(void *context, struct bytes bytes)
{
    (void)context;
    tls_kit_add(&w.sent, bytes.data, bytes.size);
}

static struct tls_conn *new_server(void)
{
    struct tls_conn *c =
        tls_conn_new(w.pair, &(struct tls_user){.send = on_send});
    assert_non_null(c);
    return c;
}

/* Both ends anew; their pipes are empty. */
static void begin(const char *priorities, const char *alpn)
{
    tls_conn_free(&w.server);
    if (w.client != NULL)
        tls_kit_free(w.client);
    byte_queue_free(&w.sent);
    byte_queue_free(&w.plain);
    w.server = new_server();
    w.client = tls_kit_client(priorities, alpn);
    w.last = TLS_MORE;
}

/* The server gets these bytes, in a block of their own, and reads. */
static void give(const void *data, size_t size)
{
    static uint8_t room[ROOM];
    uint8_t *copy = malloc(size > 0 ? size : 1);
    size_t got = 0;

    assert_non_null(copy);
    memcpy(copy, data, size);
    tls_conn_lend(w.server, bytes_of(copy, size));
    while ((w.last = tls_conn_read(w.server, room, sizeof room, &got)) ==
           TLS_PLAIN) {
        assert_in_range(got, 1, sizeof room);
        tls_kit_add(&w.plain, room, got);
    }
    assert_int_equal(got, 0);
    free(copy);
}

/* Moves what the client sent, in pieces of `size` bytes. */
static void to_server(size_t size)
{
    struct bytes all = byte_queue_bytes(&w.client->out);
    for (size_t at = 0; at < all.size; at += size)
        give(all.data + at, size < all.size - at ? size : all.size - at);
    byte_queue_took(&w.client->out, all.size);
}

static void to_client(void)
{
    struct bytes all = byte_queue_bytes(&w.sent);
    tls_kit_add(&w.client->in, all.data, all.size);
    byte_queue_took(&w.sent, all.size);
}

static bool is_quiet(void)
{
    return byte_queue_size(&w.client->out) == 0 &&
           byte_queue_size(&w.sent) == 0;
}

/* Until neither end says more. */
static void shake(size_t piece)
{
    do {
        tls_kit_shake(w.client);
        to_server(piece);
        to_client();
    } while (!is_quiet() || byte_queue_size(&w.client->in) > 0);
}

static void join(const char *priorities)
{
    begin(priorities, "http/1.1");
    shake(SIZE_MAX);
    assert_true(w.client->shook);
    assert_int_equal(tls_conn_state(w.server), TLS_OPEN);
    assert_int_equal(w.last, TLS_MORE);
}

static void expect_failure(const char *reason)
{
    assert_int_equal(w.last, TLS_ERROR);
    assert_int_equal(tls_conn_state(w.server), TLS_FAILED);
    assert_string_equal(tls_conn_reason(w.server), reason);
    assert_false(tls_conn_write(w.server, bytes_of("x", 1)));
    size_t sent = byte_queue_size(&w.sent);
    give("more", 4);
    tls_conn_bye(w.server);
    assert_int_equal(w.last, TLS_ERROR);
    assert_int_equal(byte_queue_size(&w.sent), sent);
}

static const char *const versions[] = {TLS_KIT_12, TLS_KIT_13};

/* ---- The handshake --------------------------------------------------------
 */

static void both_versions_carry_bytes_both_ways(void **state)
{
    uint8_t room[16];
    (void)state;

    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        join(versions[i]);
        assert_int_equal(gnutls_protocol_get_version(w.client->session),
                         i == 0 ? GNUTLS_TLS1_2 : GNUTLS_TLS1_3);
        assert_false(gnutls_session_is_resumed(w.client->session));
        tls_kit_write(w.client, "hello", 5);
        to_server(SIZE_MAX);
        assert_true(
            bytes_equal(byte_queue_bytes(&w.plain), bytes_of("hello", 5)));
        assert_true(tls_conn_write(w.server, bytes_of("and you", 7)));
        to_client();
        assert_int_equal(tls_kit_read(w.client, room, sizeof room), 7);
        assert_memory_equal(room, "and you", 7);
    }
}

/* With each piece of one byte the beginning of a message waits. */
static void a_handshake_may_come_byte_by_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        begin(versions[i], NULL);
        shake(1);
        assert_true(w.client->shook);
        tls_kit_write(w.client, "hello", 5);
        to_server(1);
        assert_int_equal(byte_queue_size(&w.plain), 5);
    }
}

/* All that the client says in a handshake and after it. */
static size_t record(const char *priorities, uint8_t *room, size_t size)
{
    size_t used = 0;

    begin(priorities, "http/1.1");
    for (int i = 0; i < 4; i++) {
        tls_kit_shake(w.client);
        if (w.client->shook && i > 0)
            tls_kit_write(w.client, "hello", 5);
        struct bytes out = byte_queue_bytes(&w.client->out);
        assert_true(used + out.size <= size);
        memcpy(room + used, out.data, out.size);
        used += out.size;
        to_server(SIZE_MAX);
        to_client();
    }
    return used;
}

static void a_handshake_may_end_at_each_byte(void **state)
{
    static uint8_t room[8192];
    (void)state;

    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        size_t size = record(versions[i], room, sizeof room);
        assert_true(size > 300);
        byte_queue_free(&w.plain);
        for (size_t cut = 0; cut < size; cut += cut < 600 ? 1 : 7) {
            tls_conn_free(&w.server);
            w.server = new_server();
            give(room, cut);
            /* What follows the ClientHello is of another handshake. */
            assert_true(w.last == TLS_MORE || w.last == TLS_ERROR);
            assert_int_equal(byte_queue_size(&w.plain), 0);
        }
    }
}

/* A byte changed on its way, in each flight of a handshake and in a record. */
static void changed_bytes_end_the_connection(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        size_t changed = 0, ended = 0;
        for (size_t at = 0; at < 700; at += 3) {
            size_t seen = 0;
            begin(versions[i], "http/1.1");
            for (int step = 0; step < 3; step++) {
                tls_kit_shake(w.client);
                if (w.client->shook)
                    tls_kit_write(w.client, "hello", 5);
                size_t size = byte_queue_size(&w.client->out);
                if (at >= seen && at - seen < size)
                    w.client->out.data[w.client->out.first + at - seen] ^= 0x55;
                seen += size;
                to_server(SIZE_MAX);
                to_client();
            }
            if (w.last == TLS_ERROR)
                assert_true(*tls_conn_reason(w.server) != '\0');
            /* What is changed is never taken for what the client said. */
            struct bytes plain = byte_queue_bytes(&w.plain);
            for (size_t n = 0; n < plain.size; n++)
                assert_int_equal(plain.data[n], "hello"[n % 5]);
            changed += at < seen;
            ended += at < seen && (w.last == TLS_ERROR || w.client->error != 0);
        }
        /* Some bytes say nothing, such as the version in a record's head. */
        assert_true(changed > 100 && ended > changed - changed / 5);
    }
}

static void garbage_ends_the_connection(void **state)
{
    static const uint8_t alert[] = {0x15, 3, 3, 0, 2, 2, 40};
    static const uint8_t data[] = {0x17, 3, 3, 0, 2, 'h', 'i'};
    static const uint8_t huge[] = {0x16, 3, 1, 0xff, 0xff, 1, 0};
    static const struct {
        struct bytes bytes;
        const char *reason;
    } cases[] = {
        {{(const uint8_t *)"GET / HTTP/1.1\r\n\r\n", 18}, NULL},
        {{alert, sizeof alert}, NULL},
        {{data, sizeof data}, NULL},
        {{huge, sizeof huge}, NULL},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        begin(TLS_KIT_13, NULL);
        give(cases[i].bytes.data, cases[i].bytes.size);
        assert_int_equal(w.last, TLS_ERROR);
        expect_failure(cases[i].reason != NULL ? cases[i].reason
                                               : tls_conn_reason(w.server));
        assert_true(*tls_conn_reason(w.server) != '\0');
    }
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        join(versions[i]);
        give("GET / HTTP/1.1\r\n\r\n", 18);
        assert_int_equal(w.last, TLS_ERROR);
    }
}

/* A ClientHello that claims to have 16 MiB. */
static void a_large_handshake_message_is_refused(void **state)
{
    static uint8_t record[5 + 1000] = {0x16, 3, 1, 3, 0xe8};
    size_t given = 0;
    (void)state;

    begin(TLS_KIT_13, NULL);
    record[5] = 1;
    memset(record + 6, 0xff, 3);
    while (w.last != TLS_ERROR && given < 2 * (size_t)TLS_HANDSHAKE) {
        give(record, sizeof record);
        given += sizeof record;
    }
    expect_failure("useless_bytes");
    assert_true(given <= TLS_HANDSHAKE + sizeof record);
}

static void older_versions_are_refused(void **state)
{
    (void)state;
    begin("NORMAL:-VERS-ALL:+VERS-TLS1.1:+VERS-TLS1.0", NULL);
    shake(SIZE_MAX);
    expect_failure("version");
    assert_int_equal(w.client->error, GNUTLS_E_FATAL_ALERT_RECEIVED);
    assert_int_equal(gnutls_alert_get(w.client->session),
                     GNUTLS_A_PROTOCOL_VERSION);
}

static void weak_ciphers_are_refused(void **state)
{
    static const char *const weak[] = {
        TLS_KIT_12 ":-CIPHER-ALL:+AES-128-CBC",
        TLS_KIT_12 ":-KX-ALL:+RSA",
        TLS_KIT_12 ":-KX-ALL:+DHE-RSA",
        TLS_KIT_12 ":-GROUP-ALL:+GROUP-SECP521R1",
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(weak); i++) {
        begin(weak[i], NULL);
        shake(SIZE_MAX);
        expect_failure("no_common_cipher");
    }
    begin(TLS_KIT_13 ":-GROUP-ALL:+GROUP-FFDHE2048", NULL);
    shake(SIZE_MAX);
    assert_int_equal(tls_conn_state(w.server), TLS_FAILED);
    assert_false(w.client->shook);
}

/* As nginx does. */
static void alpn_is_http_or_nothing(void **state)
{
    gnutls_datum_t chosen;
    (void)state;

    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        begin(versions[i], "http/1.1");
        shake(SIZE_MAX);
        assert_true(w.client->shook);
        assert_int_equal(
            gnutls_alpn_get_selected_protocol(w.client->session, &chosen), 0);
        assert_int_equal(chosen.size, 8);
        assert_memory_equal(chosen.data, "http/1.1", 8);

        begin(versions[i], NULL);
        shake(SIZE_MAX);
        assert_true(w.client->shook);
        assert_int_not_equal(
            gnutls_alpn_get_selected_protocol(w.client->session, &chosen), 0);

        begin(versions[i], "h2");
        shake(SIZE_MAX);
        expect_failure("alpn");
        assert_int_equal(gnutls_alert_get(w.client->session),
                         GNUTLS_A_NO_APPLICATION_PROTOCOL);
    }
}

static void a_client_may_refuse_the_certificate(void **state)
{
    (void)state;
    begin(TLS_KIT_12, NULL);
    tls_kit_shake(w.client);
    to_server(SIZE_MAX);
    gnutls_alert_send(w.client->session, GNUTLS_AL_FATAL, GNUTLS_A_UNKNOWN_CA);
    to_server(SIZE_MAX);
    expect_failure("certificate_refused");
}

/* ---- Data ------------------------------------------------------------------
 */

static void fill(uint8_t *to, size_t size, uint32_t seed)
{
    for (size_t i = 0; i < size; i++) {
        seed = seed * 1664525 + 1013904223;
        to[i] = (uint8_t)(seed >> 24);
    }
}

static void large_transfers_arrive_both_ways(void **state)
{
    enum { SIZE = 2 * 1024 * 1024, CHUNK = 100 * 1000 };
    uint8_t *data = malloc(SIZE);
    uint8_t *back = malloc(SIZE);
    (void)state;

    assert_non_null(data);
    assert_non_null(back);
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        size_t got = 0;
        join(versions[i]);
        fill(data, SIZE, (uint32_t)i);
        for (size_t at = 0; at < SIZE; at += CHUNK) {
            size_t size = SIZE - at < CHUNK ? SIZE - at : CHUNK;
            tls_kit_write(w.client, data + at, size);
            to_server(1000 + at % 777);
            /* The writer stops while much waits; the sealing adds little. */
            assert_true(tls_conn_write(w.server, bytes_of(data + at, size)));
            assert_in_range(byte_queue_size(&w.sent), size,
                            size + (size / TLS_RECORD + 1) * TLS_OVERHEAD);
            to_client();
            got += tls_kit_read(w.client, back + got, SIZE - got);
        }
        assert_true(
            bytes_equal(byte_queue_bytes(&w.plain), bytes_of(data, SIZE)));
        assert_true(bytes_equal(bytes_of(back, got), bytes_of(data, SIZE)));
    }
    free(data);
    free(back);
}

/* The caller may have less room than a record holds. */
static void a_small_room_gets_all(void **state)
{
    uint8_t data[3000], room[7];
    size_t got, all = 0;
    (void)state;

    join(TLS_KIT_13);
    fill(data, sizeof data, 9);
    tls_kit_write(w.client, data, sizeof data);
    tls_conn_lend(w.server, byte_queue_bytes(&w.client->out));
    while (tls_conn_read(w.server, room, sizeof room, &got) == TLS_PLAIN) {
        assert_memory_equal(room, data + all, got);
        all += got;
    }
    assert_int_equal(all, sizeof data);
}

static void nothing_is_written_before_the_handshake_is_over(void **state)
{
    (void)state;
    begin(TLS_KIT_13, NULL);
    assert_false(tls_conn_write(w.server, bytes_of("x", 1)));
    tls_conn_bye(w.server);
    assert_int_equal(byte_queue_size(&w.sent), 0);
}

/* ---- The end ----------------------------------------------------------------
 */

static void each_end_may_say_goodbye(void **state)
{
    uint8_t room[16];
    (void)state;

    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        join(versions[i]);
        tls_kit_write(w.client, "bye", 3);
        gnutls_bye(w.client->session, GNUTLS_SHUT_WR);
        to_server(SIZE_MAX);
        assert_int_equal(w.last, TLS_END);
        assert_int_equal(byte_queue_size(&w.plain), 3);
        give("ignored", 7);
        assert_int_equal(w.last, TLS_END);

        /* The other direction still works. */
        assert_true(tls_conn_write(w.server, bytes_of("bye", 3)));
        tls_conn_bye(w.server);
        assert_false(tls_conn_write(w.server, bytes_of("x", 1)));
        size_t sent = byte_queue_size(&w.sent);
        tls_conn_bye(w.server); /* once */
        assert_int_equal(byte_queue_size(&w.sent), sent);
        to_client();
        assert_int_equal(tls_kit_read(w.client, room, sizeof room), 3);
        assert_int_equal(w.client->error, GNUTLS_E_SESSION_EOF);
    }
}

/* ---- Those who waste time
 * ---------------------------------------------------- */

static void a_renegotiation_ends_the_connection(void **state)
{
    (void)state;
    join(TLS_KIT_12);
    (void)gnutls_handshake(w.client->session);
    assert_true(byte_queue_size(&w.client->out) > 0);
    to_server(SIZE_MAX);
    expect_failure("renegotiation");
}

static void endless_key_updates_end_the_connection(void **state)
{
    (void)state;
    join(TLS_KIT_13);
    for (int i = 0; i < 5000 && w.last != TLS_ERROR; i++) {
        assert_int_equal(
            gnutls_session_key_update(w.client->session, GNUTLS_KU_PEER), 0);
        to_server(SIZE_MAX);
        byte_queue_took(&w.sent, byte_queue_size(&w.sent));
    }
    expect_failure("useless_bytes");
}

static void a_key_update_now_and_then_is_fine(void **state)
{
    uint8_t room[16];
    (void)state;

    join(TLS_KIT_13);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(
            gnutls_session_key_update(w.client->session, GNUTLS_KU_PEER), 0);
        tls_kit_write(w.client, "hello", 5);
        to_server(SIZE_MAX);
        assert_true(tls_conn_write(w.server, bytes_of("you", 3)));
        to_client();
        assert_int_equal(tls_kit_read(w.client, room, sizeof room), 3);
    }
    assert_int_equal(byte_queue_size(&w.plain), 15);
}

static void endless_warnings_end_the_connection(void **state)
{
    (void)state;
    join(TLS_KIT_12);
    for (int i = 0; i < 50 && w.last != TLS_ERROR; i++) {
        gnutls_alert_send(w.client->session, GNUTLS_AL_WARNING,
                          GNUTLS_A_USER_CANCELED);
        to_server(SIZE_MAX);
    }
    expect_failure("useless_bytes");
}

/* A record of TLS 1.3 that holds `padding` zeros and no data, which GnuTLS
 * would not send: sealed with the client's keys. */
static void send_empty(uint64_t number, size_t padding)
{
    static uint8_t plain[8192], record[8192];
    uint8_t nonce[12];
    size_t size = 1 + padding + 16;
    gnutls_datum_t mac, iv, key;
    uint8_t first[8];
    unsigned long long sealed;

    assert_int_equal(
        gnutls_record_get_state(w.client->session, 0, &mac, &iv, &key, first),
        0);
    assert_int_equal(iv.size, sizeof nonce);
    assert_int_equal(key.size, 32);
    memcpy(nonce, iv.data, sizeof nonce);
    for (size_t i = 0; i < 8; i++)
        nonce[4 + i] ^= (uint8_t)(number >> (56 - 8 * i));
    memset(plain, 0, 1 + padding);
    plain[0] = 23; /* application data */
    memcpy(record, (uint8_t[]){23, 3, 3, (uint8_t)(size >> 8), (uint8_t)size},
           5);
    crypto_aead_chacha20poly1305_ietf_encrypt(record + 5, &sealed, plain,
                                              1 + padding, record, 5, NULL,
                                              nonce, key.data);
    give(record, 5 + size);
}

static void endless_empty_records_end_the_connection(void **state)
{
    (void)state;
    for (size_t padding = 0; padding <= 4000; padding += 2000) {
        uint64_t number = 0;
        join(TLS_KIT_13 ":-CIPHER-ALL:+CHACHA20-POLY1305");
        /* A few are fine. */
        send_empty(number++, padding);
        assert_int_equal(w.last, TLS_MORE);
        while (number < 5000 && w.last != TLS_ERROR)
            send_empty(number++, padding);
        expect_failure("useless_bytes");
        assert_in_range(number, 15, 3500);
    }
}

static void an_endless_handshake_is_ended(void **state)
{
    static const uint8_t empty[] = {0x16, 3, 3, 0, 0};
    static const uint8_t nothing[] = {20, 3, 3, 0, 1, 1}; /* Change Cipher */
    (void)state;

    begin(TLS_KIT_13, NULL);
    for (int i = 0; i < 20000 && w.last != TLS_ERROR; i++)
        give(empty, sizeof empty);
    assert_int_equal(w.last, TLS_ERROR);

    begin(TLS_KIT_13, NULL);
    tls_kit_shake(w.client);
    to_server(SIZE_MAX);
    assert_int_equal(w.last, TLS_MORE);
    for (int i = 0; i < 20000 && w.last != TLS_ERROR; i++)
        give(nothing, sizeof nothing);
    assert_int_equal(w.last, TLS_ERROR);
}

/* ---- Pairs
 * -------------------------------------------------------------------- */

static void a_connection_keeps_its_pair(void **state)
{
    uint8_t room[16];
    struct tls_pair *newer = tls_kit_pair("newer");
    (void)state;

    join(TLS_KIT_13);
    struct relay_tls old = *tls_pair_told(w.pair);
    tls_pair_release(&w.pair);
    w.pair = newer;
    assert_int_equal(old.end, RELAY_TLS_HERE);
    assert_memory_equal(tls_conn_told(w.server)->hash, old.hash,
                        sizeof old.hash);
    assert_true(tls_conn_write(w.server, bytes_of("still", 5)));
    to_client();
    assert_int_equal(tls_kit_read(w.client, room, sizeof room), 5);

    join(TLS_KIT_13);
    assert_memory_not_equal(tls_conn_told(w.server)->hash, old.hash,
                            sizeof old.hash);
}

/* What the client saw is what the relay tells [P-14.4]. */
static void the_hash_is_of_the_certificate_that_was_shown(void **state)
{
    uint8_t hash[32];
    unsigned int count = 0;
    (void)state;

    join(TLS_KIT_13);
    const gnutls_datum_t *shown =
        gnutls_certificate_get_peers(w.client->session, &count);
    assert_int_equal(count, 1);
    crypto_hash_sha256(hash, shown[0].data, shown[0].size);
    assert_memory_equal(tls_conn_told(w.server)->hash, hash, sizeof hash);
}

/* ---- Memory
 * ------------------------------------------------------------------- */

#if defined(__SANITIZE_ADDRESS__)
size_t __sanitizer_get_current_allocated_bytes(void);
#endif

/* Bytes of the heap in use. */
static size_t in_use(void)
{
#if defined(__SANITIZE_ADDRESS__)
    return __sanitizer_get_current_allocated_bytes();
#else
    return mallinfo2().uordblks;
#endif
}

/* How far a connection has come whose memory is measured. */
enum memory_stage { NEW, HELLO, ANSWERED, FINISHED, OPEN, RECORD, STAGES };

/* All but the last byte of a record; it begins a message of the handshake. */
static void begin_record(uint8_t type, size_t size)
{
    static uint8_t record[TLS_RECORD + TLS_OVERHEAD];

    memset(record, 0, sizeof record);
    record[0] = type;
    record[1] = record[2] = 3;
    record[3] = (uint8_t)(size >> 8);
    record[4] = (uint8_t)size;
    record[5] = 1;
    record[7] = 0x3f;
    give(record, 5 + size - 1);
}

static void come_to(const char *priorities, enum memory_stage stage)
{
    enum { HANDSHAKE = 22, DATA = 23 };
    bool is_12 = priorities == versions[0];

    if (stage >= OPEN) {
        join(priorities);
        if (stage == RECORD)
            begin_record(DATA, TLS_RECORD);
        return;
    }
    begin(priorities, NULL);
    tls_kit_shake(w.client);
    if (stage == HELLO)
        begin_record(HANDSHAKE, TLS_HANDSHAKE - 5);
    if (stage < ANSWERED)
        return;
    size_t said = byte_queue_size(&w.client->out);
    to_server(SIZE_MAX);
    if (stage == FINISHED)
        begin_record(is_12 ? HANDSHAKE : DATA, TLS_HANDSHAKE - said - 5);
}

/* What counts in limits.memory is what it takes, in the worst case. */
static void memory_is_not_more_than_is_said(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        for (int stage = NEW; stage < STAGES; stage++) {
            come_to(versions[i], (enum memory_stage)stage);
            assert_int_equal(w.last, TLS_MORE);
            size_t said = tls_conn_memory(w.server) + tls_conn_begun(w.server);
            size_t before = in_use();
            tls_conn_free(&w.server);
            size_t taken = before - in_use();
            print_message("%s, stage %d: %zu bytes, %zu said\n", versions[i],
                          stage, taken, said);
            assert_in_range(taken, 1, said);
        }
    }
}

static int setup(void **state)
{
    (void)state;
    assert_true(sodium_init() >= 0);
    memset(&w, 0, sizeof w);
    w.pair = tls_kit_pair("relay-1");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tls_conn_free(&w.server);
    if (w.client != NULL)
        tls_kit_free(w.client);
    byte_queue_free(&w.sent);
    byte_queue_free(&w.plain);
    tls_pair_release(&w.pair);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(both_versions_carry_bytes_both_ways),
        TEST(a_handshake_may_come_byte_by_byte),
        TEST(a_handshake_may_end_at_each_byte),
        TEST(changed_bytes_end_the_connection),
        TEST(garbage_ends_the_connection),
        TEST(a_large_handshake_message_is_refused),
        TEST(older_versions_are_refused),
        TEST(weak_ciphers_are_refused),
        TEST(alpn_is_http_or_nothing),
        TEST(a_client_may_refuse_the_certificate),
        TEST(large_transfers_arrive_both_ways),
        TEST(a_small_room_gets_all),
        TEST(nothing_is_written_before_the_handshake_is_over),
        TEST(each_end_may_say_goodbye),
        TEST(a_renegotiation_ends_the_connection),
        TEST(endless_key_updates_end_the_connection),
        TEST(a_key_update_now_and_then_is_fine),
        TEST(endless_warnings_end_the_connection),
        TEST(endless_empty_records_end_the_connection),
        TEST(an_endless_handshake_is_ended),
        TEST(a_connection_keeps_its_pair),
        TEST(the_hash_is_of_the_certificate_that_was_shown),
        TEST(memory_is_not_more_than_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
