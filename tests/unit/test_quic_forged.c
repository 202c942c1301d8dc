/*
 * A handshake of two honest ends, among packets that others make: those who see
 * what both ends send, and know all but their secret.
 */
#include "edge/shell/quic.h"
#include "tests/unit/kit.h"
#include "tests/unit/quic_kit.h"

#include <openssl/evp.h>
#include <sodium.h>

/* ---- A forger ----------------------------------------------------------- */

struct forger {
    struct quic_side side;
    uint8_t bytes[QUIC_BURST_SIZE]; /* of its datagram */
    size_t size;
};

/* Poses as one of the ends, with the pair's identity and a secret of its own.
 */
static void forger_open(struct forger *f, const struct quic_wire *w, int as)
{
    struct quic_owner owner = {&f->side, side_opened, side_packet,
                               side_released};

    *f = (struct forger){.side.conf = w->sides[as].conf};
    randombytes_buf(f->side.conf.secret, sizeof f->side.conf.secret);
    f->side.q = quic_new(&f->side.conf, &owner, w->now);
    assert_non_null(f->side.q);
}

/* False: it has nothing to say. */
static bool forger_write(struct forger *f, const struct quic_wire *w)
{
    struct quic_burst burst;

    if (!quic_write(f->side.q, w->now, f->bytes, &burst) &&
        !quic_write_close(f->side.q, w->now, f->bytes, &burst))
        return false;
    f->size = burst.segment;
    return true;
}

/* Gives an end a datagram as if the other one had sent it. */
static void inject(struct quic_wire *w, int to, const uint8_t *bytes,
                   size_t size)
{
    struct quic_side *side = &w->sides[to];
    uint8_t copy[2048];

    memcpy(copy, bytes, size);
    side->end = quic_take(side->q, &side->here, &w->sides[1 - to].outside, copy,
                          size, w->now);
    wire_flush(w, to);
}

/* A client's first datagram, of a client that has another secret. */
static void inject_first(struct quic_wire *w)
{
    struct forger f;

    forger_open(&f, w, 0);
    assert_true(forger_write(&f, w));
    inject(w, 1, f.bytes, f.size);
    quic_free(&f.side.q);
}

/* ---- What the client sent ----------------------------------------------- */

static void keep_first(struct quic_wire *w, int from, const uint8_t *bytes,
                       size_t size)
{
    if (from != 0 || w->taped_count > 0)
        return;
    memcpy(w->taped[0], bytes, size);
    w->taped_size[0] = size;
    w->taped_count = 1;
}

enum { SERVER_ID = 6, SERVER_ID_SIZE = 16, CLIENT_ID = 23 };

/* A wire whose client has sent its first datagram, which has not arrived. */
static struct quic_wire *begun(uint64_t seed)
{
    struct quic_wire *w = wire_new(seed);

    w->tap = keep_first;
    wire_open(w);
    wire_run(w, span_ms(1));
    assert_int_equal(w->taped_count, 1);
    assert_int_equal(w->taped[0][SERVER_ID - 1], SERVER_ID_SIZE);
    assert_int_equal(w->taped[0][CLIENT_ID - 1], QUIC_CID_SIZE);
    return w;
}

/* The honest ends are connected, no later than without forged packets. */
static void assert_connects(struct quic_wire *w)
{
    wire_run(w, span_ms(61));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(w->sides[i].end, QUIC_GOES_ON);
        assert_int_equal(w->sides[i].opened, 1);
        w->sides[i].to_send = 12;
    }
    assert_true(wire_run_done(w, span_s(10)));
    wire_free(w);
}

/* ---- To the server ------------------------------------------------------ */

static void first_packets_before_the_client_s(void **state)
{
    struct quic_wire *w = begun(1);
    (void)state;

    for (int i = 0; i < 100; i++)
        inject_first(w);
    assert_int_equal(w->sides[1].end, QUIC_GOES_ON);
    assert_int_equal(w->sides[1].datagrams, 0);
    assert_connects(w);
}

static void first_packets_at_any_time(void **state)
{
    (void)state;
    for (int64_t ms = 0; ms < 65; ms += 3) {
        struct quic_wire *w = begun(1);

        wire_run(w, span_ms(ms));
        inject_first(w);
        inject(w, 1, w->taped[0], w->taped_size[0]);
        inject_first(w);
        assert_connects(w);
    }
}

/* With the ids of the client's own first datagram. */
static void a_changed_copy_of_the_first_packet(void **state)
{
    struct quic_wire *w = begun(1);
    size_t id_end = CLIENT_ID + QUIC_CID_SIZE;
    (void)state;

    for (size_t i = 0; i < w->taped_size[0]; i += i < id_end ? 1 : 41) {
        w->taped[0][i] ^= 1;
        inject(w, 1, w->taped[0], w->taped_size[0]);
        w->taped[0][i] ^= 1;
        assert_int_equal(w->sides[1].end, QUIC_GOES_ON);
        assert_int_equal(w->sides[1].datagrams, 0);
    }
    assert_connects(w);
}

/* ---- To the client ------------------------------------------------------ */

/* A server with another secret takes the client's datagram, and answers or
 * refuses before the honest one does. */
static void a_server_that_answers_first(void **state)
{
    struct quic_wire *w = begun(1);
    struct forger f;
    (void)state;

    forger_open(&f, w, 1);
    f.side.end = quic_take(f.side.q, &w->sides[1].here, &w->sides[0].here,
                           w->taped[0], w->taped_size[0], w->now);
    if (forger_write(&f, w))
        inject(w, 0, f.bytes, f.size);
    assert_int_equal(w->sides[0].end, QUIC_GOES_ON);
    quic_free(&f.side.q);
    assert_connects(w);
}

/* A long header from the server to the client, up to the ids. */
static size_t write_head(const struct quic_wire *w, uint8_t first,
                         uint32_t version, uint8_t to[static 64])
{
    const uint8_t *seen = w->taped[0];
    struct writer head = writer_of(to, 64);

    write_u8(&head, first);
    for (int shift = 24; shift >= 0; shift -= 8)
        write_u8(&head, (uint8_t)(version >> shift));
    write_u8(&head, QUIC_CID_SIZE);
    write_bytes(&head, bytes_of(seen + CLIENT_ID, QUIC_CID_SIZE));
    write_u8(&head, SERVER_ID_SIZE);
    write_bytes(&head, bytes_of(seen + SERVER_ID, SERVER_ID_SIZE));
    return writer_bytes(&head).size;
}

/* Version 1 is none of those that the forged server knows. */
static size_t write_versions(const struct quic_wire *w, uint8_t to[static 128])
{
    size_t size = write_head(w, 0xc0, 0, to);

    memcpy(to + size, "\x1a\x2a\x3a\x4a", 4);
    return size + 4;
}

/* The tag that ends a Retry; its key is public [RFC 9001, 5.8]. */
static void seal_retry(const struct quic_wire *w, const uint8_t *retry,
                       size_t size, uint8_t tag[static 16])
{
    static const uint8_t key[] = {0xbe, 0x0c, 0x69, 0x0b, 0x9f, 0x66,
                                  0x57, 0x5a, 0x1d, 0x76, 0x6b, 0x54,
                                  0xe3, 0x68, 0xc8, 0x4e};
    static const uint8_t nonce[] = {0x46, 0x15, 0x99, 0xd3, 0x5d, 0x63,
                                    0x2b, 0xf2, 0x23, 0x98, 0x25, 0xbb};
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int length;

    assert_int_equal(EVP_EncryptInit_ex(c, EVP_aes_128_gcm(), NULL, key, nonce),
                     1);
    EVP_EncryptUpdate(c, NULL, &length, w->taped[0] + SERVER_ID - 1,
                      1 + SERVER_ID_SIZE);
    EVP_EncryptUpdate(c, NULL, &length, retry, (int)size);
    EVP_EncryptFinal_ex(c, tag, &length);
    assert_int_equal(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, 16, tag), 1);
    EVP_CIPHER_CTX_free(c);
}

static size_t write_retry(const struct quic_wire *w, uint8_t to[static 128])
{
    size_t size = write_head(w, 0xf0, 1, to);

    to[size - 1] ^= 1; /* A Retry names another id of the server. */
    to[size++] = 7;    /* the token */
    seal_retry(w, to, size, to + size);
    return size + 16;
}

/* A packet of the handshake that cannot be read yet. */
static size_t write_early(const struct quic_wire *w, uint8_t to[static 128])
{
    size_t size = write_head(w, 0xe0, 1, to);

    to[size++] = 32;
    memset(to + size, 5, 32);
    return size + 32;
}

typedef size_t write_packet(const struct quic_wire *w, uint8_t to[static 128]);

static void packets_that_need_no_key(void **state)
{
    static write_packet *const packets[] = {write_versions, write_retry};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(packets); i++) {
        struct quic_wire *w = begun(1);
        uint8_t bytes[256];
        size_t size = packets[i](w, bytes);

        inject(w, 0, bytes, size);
        assert_int_equal(w->sides[0].end, QUIC_GOES_ON);
        size = write_early(w, bytes);
        size += packets[i](w, bytes + size);
        inject(w, 0, bytes, size);
        assert_int_equal(w->sides[0].end, QUIC_GOES_ON);
        assert_connects(w);
    }
}

/* What waits for its keys is limited, and keeps nothing out. */
static void many_packets_that_cannot_be_read_yet(void **state)
{
    struct quic_wire *w = begun(1);
    uint8_t bytes[128];
    size_t size = write_early(w, bytes);
    (void)state;

    for (int i = 0; i < 2000; i++)
        inject(w, 0, bytes, size);
    assert_connects(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_packets_before_the_client_s),
        cmocka_unit_test(first_packets_at_any_time),
        cmocka_unit_test(a_changed_copy_of_the_first_packet),
        cmocka_unit_test(a_server_that_answers_first),
        cmocka_unit_test(packets_that_need_no_key),
        cmocka_unit_test(many_packets_that_cannot_be_read_yet),
    };
    if (sodium_init() < 0)
        return 1;
    if (!quic_is_available())
        return 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
