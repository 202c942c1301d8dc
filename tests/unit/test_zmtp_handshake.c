/* Each message of the handshake cut short, changed, repeated, out of order and
 * replayed: the machine ends with the failure that says so [P-12]. */
#include "tests/unit/zmtp_kit.h"

#include <sodium.h>

static struct zmtp_two t;

/* The end that reads at a step. */
static struct zmtp_end *reader_at(enum zmtp_step step)
{
    return step == STEP_WELCOME || step == STEP_READY ? &t.client : &t.server;
}

/* Goes to a step; returns the frame that is to be read, to be changed. */
static uint8_t *frame_at(enum zmtp_step step, size_t *size)
{
    zmtp_kit_go(&t, step);
    struct zmtp_end *e = reader_at(step);
    *size = e->in_size - e->in_read;
    return e->in + e->in_read;
}

static size_t head_of(const uint8_t *frame)
{
    return frame[0] & FRAME_LONG ? FRAME_HEAD_SIZE : FRAME_SHORT_HEAD_SIZE;
}

/* Reads at a step, a HELLO at once; nothing may be replied to what is bad. */
static enum zmtp_failure read_at(enum zmtp_step step)
{
    struct zmtp_end *e = reader_at(step);
    enum zmtp_kind kind = zmtp_kit_read(e, NULL);

    if (kind == ZMTP_HELLO) {
        zmtp_take_hello(&e->z);
        kind = zmtp_kit_read(e, NULL);
    }
    if (kind == ZMTP_FAILED)
        assert_int_equal(e->reply.size, 0);
    return kind == ZMTP_FAILED ? e->z.failure : ZMTP_NO_FAILURE;
}

#define assert_fails(failure, step)                                            \
    assert_string_equal(zmtp_failure_name(failure),                            \
                        zmtp_failure_name(read_at(step)))

/* ---- Greetings -------------------------------------------------------- */

static enum zmtp_failure greeting_failure(size_t i)
{
    if (i == 0 || i == 9)
        return ZMTP_BAD_SIGNATURE;
    if (i == 10)
        return ZMTP_BAD_VERSION;
    if (i >= 12 && i < 32)
        return ZMTP_BAD_MECHANISM;
    return ZMTP_NO_FAILURE; /* padding, minor version, role, filler */
}

static void a_changed_greeting_is_told_by_its_first_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < GREETING_SIZE; i++) {
        enum zmtp_failure failure = greeting_failure(i);
        zmtp_kit_go(&t, STEP_GREETINGS);
        t.server.in[i] ^= 1;
        /* As much as the judgement needs, and no more: the whole mechanism. */
        if (failure == ZMTP_BAD_MECHANISM)
            t.server.in_size = 32;
        else if (failure != ZMTP_NO_FAILURE)
            t.server.in_size = i + 1;
        assert_fails(failure, STEP_GREETINGS);
    }
}

static void later_versions_are_welcome(void **state)
{
    (void)state;
    zmtp_kit_go(&t, STEP_GREETINGS);
    t.server.in[10] = 4;
    t.server.in[11] = 0;
    assert_fails(ZMTP_NO_FAILURE, STEP_GREETINGS);
}

static void other_protocols_are_told_apart(void **state)
{
    static const char *const others[] = {"GET / HTTP/1.1\r\n", "\x16\x03\x01",
                                         "PROXY TCP4 ", "\x01\x00"};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(others); i++) {
        zmtp_kit_go(&t, STEP_GREETINGS);
        t.server.in_size = 0;
        zmtp_kit_put(&t.server, others[i], strlen(others[i]) + 1);
        assert_fails(ZMTP_BAD_SIGNATURE, STEP_GREETINGS);
    }
}

/* ---- Commands --------------------------------------------------------- */

/* Where the parts of each command begin, and what a change there leads to. */
static const struct part {
    size_t to;
    enum zmtp_failure failure;
} hello[] = {{6, ZMTP_BAD_COMMAND},
             {8, ZMTP_BAD_CURVE_VERSION},
             {80, ZMTP_BAD_FORM},
             {200, ZMTP_BAD_KEY}},
  welcome[] = {{8, ZMTP_BAD_COMMAND}, {168, ZMTP_BAD_KEY}},
  initiate[] = {{9, ZMTP_BAD_COMMAND},
                {105, ZMTP_BAD_COOKIE},
                {SIZE_MAX, ZMTP_BAD_BOX}},
  ready[] = {{6, ZMTP_BAD_COMMAND}, {SIZE_MAX, ZMTP_BAD_BOX}};

static const struct part *parts_of(enum zmtp_step step)
{
    return step == STEP_HELLO      ? hello
           : step == STEP_WELCOME  ? welcome
           : step == STEP_INITIATE ? initiate
                                   : ready;
}

static enum zmtp_failure expected_at(enum zmtp_step step, size_t i)
{
    const struct part *p = parts_of(step);

    while (i >= p->to)
        p++;
    return p->failure;
}

static void every_changed_byte_is_noticed(void **state)
{
    (void)state;
    for (enum zmtp_step step = STEP_HELLO; step < STEP_OPEN; step++) {
        size_t size;
        const uint8_t *frame = frame_at(step, &size);
        size_t body = size - head_of(frame);
        for (size_t i = 0; i < body; i++) {
            uint8_t *at = frame_at(step, &size);
            at[head_of(at) + i] ^= 1;
            assert_fails(expected_at(step, i), step);
        }
    }
}

static void every_flag_of_a_command_is_checked(void **state)
{
    (void)state;
    for (enum zmtp_step step = STEP_HELLO; step < STEP_OPEN; step++)
        for (int bit = 0; bit < 8; bit++) {
            size_t size;
            uint8_t *frame = frame_at(step, &size);
            if (bit == 1)
                continue; /* the form of the length, which follows */
            frame[0] ^= (uint8_t)(1 << bit);
            assert_fails(bit == 0   ? ZMTP_BAD_MORE
                         : bit == 2 ? ZMTP_BAD_COMMAND
                                    : ZMTP_BAD_FLAGS,
                         step);
        }
}

/* A frame that says that it is shorter, or longer, than it should be. */
static void a_command_of_another_size_is_refused(void **state)
{
    (void)state;
    for (enum zmtp_step step = STEP_HELLO; step < STEP_OPEN; step++) {
        size_t size;
        const uint8_t *frame = frame_at(step, &size);
        size_t body = size - head_of(frame);
        for (size_t cut = 0; cut <= body + 1; cut++) {
            uint8_t copy[512];
            if (cut == body)
                continue;
            struct zmtp_end *e = reader_at(step);
            frame_at(step, &size);
            memcpy(copy, e->in + e->in_read + size - body, body);
            copy[body] = 0;
            e->in_size = e->in_read;
            uint8_t head[FRAME_HEAD_SIZE];
            zmtp_kit_put(e, head, frame_head_write(head, FRAME_COMMAND, cut));
            zmtp_kit_put(e, copy, cut);
            enum zmtp_failure failure = read_at(step);
            assert_true(failure == ZMTP_BAD_FORM ||
                        failure == ZMTP_BAD_COMMAND ||
                        (failure == ZMTP_BAD_BOX && step >= STEP_INITIATE));
        }
    }
}

/* ---- Order ------------------------------------------------------------ */

/* Each command at each step but its own, at either end. */
static void commands_out_of_order_are_refused(void **state)
{
    (void)state;
    for (enum zmtp_step of = STEP_HELLO; of < STEP_OPEN; of++) {
        size_t size;
        uint8_t copy[512];
        const uint8_t *frame = frame_at(of, &size);
        size_t copied = size;
        memcpy(copy, frame, copied);
        for (enum zmtp_step at = STEP_HELLO; at <= STEP_OPEN; at++) {
            if (at == of)
                continue;
            frame_at(at, &size);
            struct zmtp_end *e = reader_at(at);
            e->in_size = e->in_read;
            zmtp_kit_put(e, copy, copied);
            assert_fails(ZMTP_BAD_COMMAND, at);
        }
    }
}

static void repeated_commands_are_refused(void **state)
{
    (void)state;
    for (enum zmtp_step step = STEP_HELLO; step < STEP_OPEN; step++) {
        size_t size;
        uint8_t copy[512];
        const uint8_t *frame = frame_at(step, &size);
        memcpy(copy, frame, size);
        struct zmtp_end *e = reader_at(step);
        zmtp_kit_put(e, copy, size);
        assert_int_equal(read_at(step), ZMTP_NO_FAILURE);
        if (step == STEP_INITIATE)
            zmtp_admit(&e->z, &e->reply);
        assert_int_equal(read_at(step), ZMTP_BAD_COMMAND);
    }
}

static void a_packet_before_the_end_of_the_handshake_is_refused(void **state)
{
    static uint8_t packet[64];
    (void)state;

    zmtp_kit_go(&t, STEP_OPEN);
    size_t size = zmtp_seal(&t.client.z, bytes_of("early", 5), packet);
    for (enum zmtp_step step = STEP_HELLO; step < STEP_OPEN; step++) {
        zmtp_kit_go(&t, step);
        struct zmtp_end *e = reader_at(step);
        e->in_size = e->in_read;
        zmtp_kit_put(e, packet, size);
        assert_fails(ZMTP_BAD_COMMAND, step);
    }
}

static void the_number_of_initiate_is_above_that_of_hello(void **state)
{
    (void)state;
    for (uint64_t number = 0; number < 4; number++) {
        zmtp_kit_go(&t, STEP_GREETINGS);
        assert_reads(ZMTP_NEXT, &t.server, &t.client);
        t.client.z.sent = 1; /* HELLO has 2 */
        assert_reads(ZMTP_NEXT, &t.client, &t.server);
        assert_int_equal(read_at(STEP_HELLO), ZMTP_NO_FAILURE);
        zmtp_kit_give(&t.client, &t.server.reply);
        t.client.z.sent = number; /* INITIATE has one more */
        assert_reads(ZMTP_NEXT, &t.client, &t.server);
        assert_fails(number + 1 > 2 ? ZMTP_NO_FAILURE : ZMTP_BAD_NONCE,
                     STEP_INITIATE);
    }
}

static void the_number_of_a_packet_is_above_that_of_initiate(void **state)
{
    (void)state;
    zmtp_kit_go(&t, STEP_OPEN);
    t.client.z.sent = 1; /* HELLO's; INITIATE had 2, as the packet has now */
    zmtp_kit_seal(&t.client, &t.server, bytes_of("p", 1));
    assert_reads(ZMTP_FAILED, &t.server, NULL);
    assert_int_equal(t.server.z.failure, ZMTP_BAD_NONCE);
    zmtp_kit_go(&t, STEP_OPEN);
    t.server.z.sent = 0; /* READY had 1 */
    zmtp_kit_seal(&t.server, &t.client, bytes_of("p", 1));
    assert_reads(ZMTP_FAILED, &t.client, NULL);
    assert_int_equal(t.client.z.failure, ZMTP_BAD_NONCE);
}

/* ---- Keys ------------------------------------------------------------- */

static void a_client_of_another_server_is_refused(void **state)
{
    struct zmtp_end other;
    (void)state;

    zmtp_kit_keys(&other, 9);
    zmtp_kit_start(&t);
    zmtp_kit_keys(&t.client, 2);
    zmtp_kit_begin(&t.client, ZMTP_AS_CLIENT, &other.keys);
    zmtp_kit_give(&t.client, &t.server.reply);
    assert_reads(ZMTP_NEXT, &t.server, NULL);
    assert_reads(ZMTP_NEXT, &t.client, &t.server);
    assert_fails(ZMTP_BAD_KEY, STEP_HELLO);
}

/* HELLO's box must hold zeros. */
static void a_hello_with_something_in_its_box_is_malformed(void **state)
{
    uint8_t text[64] = {0}, nonce[24] = "CurveZMQHELLO---\0\0\0\0\0\0\0\1";
    size_t size;
    (void)state;

    uint8_t *body = frame_at(STEP_HELLO, &size) + 2;
    text[63] = 1;
    assert_int_equal(crypto_box_easy(body + 120, text, sizeof(text), nonce,
                                     t.server.keys.public_key,
                                     t.client.z.client.transient.secret_key),
                     0);
    assert_fails(ZMTP_BAD_FORM, STEP_HELLO);
}

/* A server without the secret key that the client expects. */
static void a_false_server_is_refused(void **state)
{
    (void)state;
    zmtp_kit_go(&t, STEP_HELLO);
    struct curve_pair keys;
    const uint8_t seed[32] = {0, 9};
    curve_pair_generate(&keys, seed);
    struct server_hello h = {.nonce = 1};
    memcpy(h.client_transient, t.client.z.client.transient.public_key, 32);
    assert_int_equal(
        crypto_box_beforenm(h.shared, h.client_transient, keys.secret_key), 0);
    uint8_t cookie_key[32], frame[2 + WELCOME_SIZE];
    frame_head_write(frame, FRAME_COMMAND, WELCOME_SIZE);
    welcome_write(&h, &t.server.entropy, cookie_key, frame + 2);
    zmtp_kit_put(&t.client, frame, sizeof(frame));
    assert_fails(ZMTP_BAD_KEY, STEP_WELCOME);
}

/* A client that claims a key whose secret half it does not have. */
static void a_claimed_key_needs_its_secret(void **state)
{
    struct curve_pair claimed;
    (void)state;

    zmtp_kit_go(&t, STEP_WELCOME);
    claimed = t.server.keys; /* some other public key */
    memcpy(claimed.secret_key, t.client.keys.secret_key, 32);
    t.client.z.client.keys = &claimed;
    assert_reads(ZMTP_NEXT, &t.client, &t.server);
    assert_fails(ZMTP_BAD_VOUCH, STEP_INITIATE);
}

/* INITIATE with a vouch in which a byte of a key is another one. */
static void vouch_is_refused(uint8_t *key)
{
    struct zmtp_end *e = &t.client;
    uint8_t out[FRAME_HEAD_SIZE + INITIATE_WRITE_SIZE];

    key[0] ^= 1;
    size_t size =
        initiate_write(&e->z.client, 2, &e->entropy, out + FRAME_HEAD_SIZE);
    frame_head_write(out, FRAME_COMMAND, size);
    zmtp_kit_put(&t.server, out, FRAME_HEAD_SIZE + size);
    assert_fails(ZMTP_BAD_VOUCH, STEP_INITIATE);
}

static void read_welcome(void)
{
    zmtp_kit_go(&t, STEP_WELCOME);
    const uint8_t *body = t.client.in + t.client.in_read + 2;
    assert_int_equal(
        welcome_read(&t.client.z.client, bytes_of(body, WELCOME_SIZE)),
        ZMTP_NO_FAILURE);
}

/* Else the other server could pass it on to ours. */
static void a_vouch_is_for_one_server(void **state)
{
    (void)state;
    read_welcome();
    vouch_is_refused(t.client.z.client.server.key);
}

/* Else a thief of a vouch could use it with a transient key of its own. */
static void a_vouch_is_for_one_connection(void **state)
{
    (void)state;
    read_welcome();
    vouch_is_refused(t.client.z.client.transient.public_key);
}

static void keys_of_low_order_are_refused(void **state)
{
    size_t size;
    (void)state;

    uint8_t *frame = frame_at(STEP_HELLO, &size);
    memset(frame + 2 + 80, 0, 32);
    assert_fails(ZMTP_BAD_KEY, STEP_HELLO);

    static const struct curve_pair zero;
    zmtp_kit_start(&t);
    zmtp_kit_begin(&t.client, ZMTP_AS_CLIENT, &zero);
    zmtp_kit_give(&t.client, &t.server.reply);
    assert_reads(ZMTP_FAILED, &t.client, NULL);
    assert_int_equal(t.client.z.failure, ZMTP_BAD_KEY);
    assert_int_equal(t.client.reply.size, 0);
}

/* ---- Replays ---------------------------------------------------------- */

/* All that a client said in a good connection, said again to the same server.
 */
static void a_recorded_connection_is_refused(void **state)
{
    static uint8_t recorded[1024];
    (void)state;

    zmtp_kit_go(&t, STEP_OPEN);
    zmtp_kit_seal(&t.client, &t.server, bytes_of("again", 5));
    size_t size = t.server.in_size;
    memcpy(recorded, t.server.in, size);
    zmtp_kit_begin(&t.server, ZMTP_AS_SERVER, &t.server.keys);
    zmtp_kit_put(&t.server, recorded, size);
    assert_reads(ZMTP_NEXT, &t.server, NULL);
    assert_int_equal(read_at(STEP_HELLO), ZMTP_NO_FAILURE);
    assert_fails(ZMTP_BAD_COOKIE, STEP_INITIATE);
}

/* The same with a server's part. */
static void a_recorded_server_is_refused(void **state)
{
    static uint8_t recorded[1024];
    (void)state;

    zmtp_kit_go(&t, STEP_OPEN);
    size_t size = t.client.in_size;
    memcpy(recorded, t.client.in, size);
    zmtp_kit_begin(&t.client, ZMTP_AS_CLIENT, &t.server.keys);
    zmtp_kit_put(&t.client, recorded, size);
    assert_reads(ZMTP_NEXT, &t.client, NULL);
    assert_fails(ZMTP_BAD_KEY, STEP_WELCOME);
}

/* Packets of one connection mean nothing in another between the same two. */
static void a_recorded_packet_is_refused(void **state)
{
    static uint8_t recorded[64];
    (void)state;

    zmtp_kit_go(&t, STEP_OPEN);
    size_t size = zmtp_seal(&t.client.z, bytes_of("again", 5), recorded);
    zmtp_kit_go(&t, STEP_HELLO);
    entropy_fill(&t.server.entropy, (uint8_t[1]){0}, 1); /* other numbers */
    assert_int_equal(read_at(STEP_HELLO), ZMTP_NO_FAILURE);
    zmtp_kit_give(&t.client, &t.server.reply);
    assert_reads(ZMTP_NEXT, &t.client, &t.server);
    assert_reads(ZMTP_CLIENT, &t.server, NULL);
    zmtp_admit(&t.server.z, &t.server.reply);
    zmtp_kit_put(&t.server, recorded, size);
    assert_reads(ZMTP_FAILED, &t.server, NULL);
    assert_int_equal(t.server.z.failure, ZMTP_BAD_BOX);
}

/* ---- ERROR ------------------------------------------------------------ */

static void an_error_is_heard_by_clients_only(void **state)
{
    static const uint8_t error[] = "\4\12\5ERROR\003"
                                   "400";
    (void)state;

    for (enum zmtp_step step = STEP_HELLO; step <= STEP_OPEN; step++) {
        zmtp_kit_go(&t, step);
        struct zmtp_end *e = reader_at(step);
        bool hears = e == &t.client && step != STEP_OPEN;
        e->in_size = e->in_read;
        zmtp_kit_put(e, error, sizeof(error) - 1);
        assert_fails(hears ? ZMTP_GOT_ERROR : ZMTP_BAD_COMMAND, step);
        assert_int_equal(e->item.reason.size, hears ? 3 : 0);
    }
}

static void an_error_in_the_open_is_refused(void **state)
{
    static const uint8_t error[] = "\4\12\5ERROR\003"
                                   "400";
    (void)state;

    zmtp_kit_go(&t, STEP_OPEN);
    zmtp_kit_put(&t.client, error, sizeof(error) - 1);
    assert_reads(ZMTP_FAILED, &t.client, NULL);
    assert_int_equal(t.client.z.failure, ZMTP_BAD_COMMAND);
}

static void a_malformed_error_is_told(void **state)
{
    static const struct {
        const char *frame;
        size_t size;
    } bad[] = {{"\4\6\5ERROR", 8},
               {"\4\11\5ERROR\3no", 11},
               {"\4\12\5ERROR\002"
                "400",
                12},
               {"\4\11\5ERROR\2a\n", 11},
               {"\4\11\5ERROR\2a\200", 11}};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        zmtp_kit_go(&t, STEP_WELCOME);
        t.client.in_size = t.client.in_read;
        zmtp_kit_put(&t.client, bad[i].frame, bad[i].size);
        assert_fails(ZMTP_BAD_FORM, STEP_WELCOME);
    }
}

/* ---- Metadata --------------------------------------------------------- */

#define IDENTITY "\10Identity"
#define TYPE "\13Socket-Type"

static enum zmtp_failure judge(const char *data, size_t size)
{
    return metadata_check(bytes_of(data, size), METADATA_ROUTER);
}

static void metadata_is_checked(void **state)
{
#define DEALER TYPE "\0\0\0\6DEALER"
    static const struct {
        const char *data;
        size_t size;
        enum zmtp_failure failure;
    } cases[] = {
#define CASE(data, failure) {data, sizeof(data) - 1, failure}
        CASE(DEALER, ZMTP_NO_FAILURE),
        CASE("\13sOCKET-tYPE\0\0\0\3REQ", ZMTP_NO_FAILURE),
        CASE(IDENTITY "\0\0\0\0" DEALER, ZMTP_NO_FAILURE),
        CASE(DEALER IDENTITY "\0\0\0\3abc", ZMTP_NO_FAILURE),
        CASE("\3X-a\0\0\0\1\377" DEALER, ZMTP_NO_FAILURE),
        CASE(TYPE "\0\0\0\3SUB", ZMTP_BAD_SOCKET_TYPE),
        CASE(TYPE "\0\0\0\6dealer", ZMTP_BAD_SOCKET_TYPE),
        CASE(TYPE "\0\0\0\0", ZMTP_BAD_SOCKET_TYPE),
        CASE(IDENTITY "\0\0\0\0", ZMTP_BAD_SOCKET_TYPE),
        CASE("", ZMTP_BAD_SOCKET_TYPE),
        CASE(DEALER DEALER, ZMTP_BAD_METADATA),
        CASE(DEALER IDENTITY "\0\0\0\0" IDENTITY "\0\0\0\0", ZMTP_BAD_METADATA),
        CASE(DEALER "\0\0\0\0\0", ZMTP_BAD_METADATA),
        CASE(DEALER "\3a b\0\0\0\0", ZMTP_BAD_METADATA),
        CASE(DEALER "\1\0\0\0\0\0", ZMTP_BAD_METADATA),
        CASE(DEALER "\1a\377\377\377\377", ZMTP_BAD_METADATA),
        CASE(DEALER "\1a\0\0\0", ZMTP_BAD_METADATA),
        CASE(DEALER "\1", ZMTP_BAD_METADATA),
        CASE(DEALER "a", ZMTP_BAD_METADATA),
    };
    char long_identity[13 + 256] = IDENTITY "\0\0\1";
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(judge(cases[i].data, cases[i].size), cases[i].failure);
    assert_int_equal(judge(long_identity, sizeof(long_identity)),
                     ZMTP_BAD_METADATA);
}

static void a_socket_that_does_not_fit_is_refused(void **state)
{
    static const char sub[] = TYPE "\0\0\0\3SUB";
    struct zmtp_reply reply;
    (void)state;

    zmtp_kit_go(&t, STEP_READY);
    t.client.in_size = t.client.in_read;
    uint8_t body[READY_SIZE + sizeof(sub)] = "\5READY\0\0\0\0\0\0\0\1";
    uint8_t nonce[24] = "CurveZMQREADY---\0\0\0\0\0\0\0\1";
    size_t size = READY_SIZE + sizeof(sub) - 1;
    crypto_box_easy_afternm(body + 14, (const uint8_t *)sub, sizeof(sub) - 1,
                            nonce, t.client.z.client.shared);
    reply.size = frame_head_write(reply.bytes, FRAME_COMMAND, size) + size;
    memcpy(reply.bytes + 2, body, size);
    zmtp_kit_give(&t.client, &reply);
    assert_fails(ZMTP_BAD_SOCKET_TYPE, STEP_READY);
}

static void the_server_checks_the_clients_metadata(void **state)
{
    (void)state;
    zmtp_kit_go(&t, STEP_INITIATE);
    size_t size = INITIATE_WRITE_SIZE;
    uint8_t *body = t.server.in + t.server.in_size - size;
    uint8_t nonce[24] = "CurveZMQINITIATE\0\0\0\0\0\0\0\2";
    uint8_t *text = body + 113 + 16;
    const uint8_t *shared = t.client.z.client.shared;
    assert_int_equal(crypto_box_open_easy_afternm(text, body + 113, size - 113,
                                                  nonce, shared),
                     0);
    text[128 + 1]++; /* the name is no longer Socket-Type */
    crypto_box_easy_afternm(body + 113, text, size - 129, nonce, shared);
    assert_fails(ZMTP_BAD_SOCKET_TYPE, STEP_INITIATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_changed_greeting_is_told_by_its_first_bytes),
        cmocka_unit_test(later_versions_are_welcome),
        cmocka_unit_test(other_protocols_are_told_apart),
        cmocka_unit_test(every_changed_byte_is_noticed),
        cmocka_unit_test(every_flag_of_a_command_is_checked),
        cmocka_unit_test(a_command_of_another_size_is_refused),
        cmocka_unit_test(commands_out_of_order_are_refused),
        cmocka_unit_test(repeated_commands_are_refused),
        cmocka_unit_test(a_packet_before_the_end_of_the_handshake_is_refused),
        cmocka_unit_test(the_number_of_initiate_is_above_that_of_hello),
        cmocka_unit_test(the_number_of_a_packet_is_above_that_of_initiate),
        cmocka_unit_test(a_client_of_another_server_is_refused),
        cmocka_unit_test(a_hello_with_something_in_its_box_is_malformed),
        cmocka_unit_test(a_false_server_is_refused),
        cmocka_unit_test(a_claimed_key_needs_its_secret),
        cmocka_unit_test(a_vouch_is_for_one_server),
        cmocka_unit_test(a_vouch_is_for_one_connection),
        cmocka_unit_test(keys_of_low_order_are_refused),
        cmocka_unit_test(a_recorded_connection_is_refused),
        cmocka_unit_test(a_recorded_server_is_refused),
        cmocka_unit_test(a_recorded_packet_is_refused),
        cmocka_unit_test(an_error_is_heard_by_clients_only),
        cmocka_unit_test(an_error_in_the_open_is_refused),
        cmocka_unit_test(a_malformed_error_is_told),
        cmocka_unit_test(metadata_is_checked),
        cmocka_unit_test(a_socket_that_does_not_fit_is_refused),
        cmocka_unit_test(the_server_checks_the_clients_metadata),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
