#include "common/core/session.h"

#include "tests/fuzz/fuzz.h"

/* What a member can say under the right keys. The input: which of the two ends
 * has AES, the payload of an INIT, that of an ACCEPT, the records of a packet.
 * One of the three is taken, as the sum of all bytes tells. */
enum { AS_INIT, AS_ACCEPT, AS_RECORDS, KINDS };

static const uint8_t psk[32] = {3};
static const struct instant now = {1};

struct fuzz_end {
    struct session session;
    struct curve_pair pair;
    struct entropy entropy;
    struct session_counters counters;
    uint64_t ask_counter, taken_counter;
};

struct fuzz_pair {
    struct fuzz_end a, b;
    struct slabs slabs;
};

static void ignore_message(void *owner, struct bytes message)
{
    struct message m;
    (void)owner;
    if (message_decode(message, &m))
        ASSERT(message_size(&m) == message.size);
}

static void ignore_settled(void *owner, uint64_t ref, enum session_settled how)
{
    (void)owner, (void)ref, (void)how;
}

static void ignore_token(void *owner, uint64_t token)
{
    (void)owner, (void)token;
}

static void ignore_ack(void *owner, const struct group_ack *ack)
{
    (void)owner, (void)ack;
}

static void ignore_punch(void *owner, struct bytes punch)
{
    (void)owner;
    ASSERT(punch.size <= PUNCH_SIZE);
}

static const struct session_sink sink = {NULL,           ignore_message,
                                         ignore_settled, ignore_token,
                                         ignore_ack,     ignore_punch};

static void make_keys(struct fuzz_end *e, uint8_t number)
{
    const uint8_t seed[32] = {number};

    *e = (struct fuzz_end){0};
    entropy_init(&e->entropy, seed);
    curve_pair_generate(&e->pair, seed);
}

static void open_end(struct fuzz_pair *t, struct fuzz_end *e,
                     const struct fuzz_end *peer, uint8_t self_id,
                     uint8_t peer_id, bool aes)
{
    struct session_keys keys = {
        .self = &e->pair,
        .psk = psk,
        .self_id = {{self_id}},
        .peer_id = {{peer_id}},
        .self_epoch = {self_id},
        .peer_epoch = {peer_id},
        .ask_counter = &e->ask_counter,
        .taken_counter = &e->taken_counter,
        .offers = aes ? SESSION_AES : 0,
    };
    const struct session_limits limits = {.window = 4096, .message = 4096};

    memcpy(keys.peer_key.key, peer->pair.public_key, KEY_SIZE);
    session_init(&e->session, &keys, &limits, &e->entropy, &e->counters,
                 &t->slabs);
}

/* An offer of this version and the one before. */
enum { OFFER_SIZE = 1 + 7 * 8 + 1 };

static struct bytes prologue(uint8_t room[3 + 2 * KEY_SIZE])
{
    memset(room, 0, 3 + 2 * KEY_SIZE);
    memcpy(room, "zs1", 3);
    room[3] = 1;
    room[3 + KEY_SIZE] = 2;
    return bytes_of(room, 3 + 2 * KEY_SIZE);
}

/* By the end that takes the offer, and the offer. */
static enum cipher cipher_of(const struct fuzz_end *e, uint8_t offer)
{
    return (e->session.keys.offers & offer & SESSION_AES) != 0 ? CIPHER_AES
                                                               : CIPHER_CHACHA;
}

/* The input comes from a, and goes to b. */
static void take_init(struct fuzz_pair *t, struct bytes payload)
{
    static const uint8_t ephemeral[32] = {9};
    uint8_t room[512], reply[512], names[3 + 2 * KEY_SIZE];
    struct writer w = writer_of(room, sizeof(room));
    struct writer answer = writer_of(reply, sizeof(reply));
    struct curve_key peer;
    struct noise noise;

    memcpy(peer.key, t->b.pair.public_key, KEY_SIZE);
    noise_start_initiator(&noise, &t->a.pair, &peer, psk, prologue(names),
                          ephemeral);
    write_u8(&w, PACKET_INIT);
    write_u32(&w, 1);
    if (!noise_write_1(&noise, payload, &w) ||
        session_take_init(&t->b.session, writer_bytes(&w), &t->b.entropy, now,
                          &answer) != SESSION_ACCEPTED)
        return;
    ASSERT(t->b.session.version ==
           version_agreed(PROTOCOL_VERSION, payload.data[0]));
    ASSERT(payload.size >= OFFER_SIZE);
    ASSERT(t->b.session.pending.seal.send.cipher ==
           cipher_of(&t->b, payload.data[OFFER_SIZE - 1]));
}

/* From b to a, which asked. */
static void take_accept(struct fuzz_pair *t, struct bytes payload)
{
    static const uint8_t ephemeral[32] = {9};
    uint8_t room[512], reply[512], plain[256], names[3 + 2 * KEY_SIZE];
    struct writer w = writer_of(room, sizeof(room));
    struct writer answer = writer_of(reply, sizeof(reply));
    struct noise noise;
    size_t size;
    bool good = session_ask(&t->a.session, &t->a.entropy, now, &w);

    ASSERT(good);
    noise_start_responder(&noise, &t->b.pair, psk, prologue(names), ephemeral);
    struct bytes init = writer_bytes(&w);
    good = noise_read_1(&noise, bytes_of(init.data + 5, init.size - 5), plain,
                        &size);
    ASSERT(good);
    write_u8(&answer, PACKET_ACCEPT);
    write_u32(&answer, 1);
    write_bytes(&answer, bytes_of(init.data + 1, 4));
    if (!noise_write_2(&noise, payload, &answer) ||
        !session_take_accept(&t->a.session, writer_bytes(&answer), now, &sink))
        return;
    ASSERT(payload.data[0] == PROTOCOL_VERSION ||
           payload.data[0] == PROTOCOL_BEFORE);
    ASSERT(t->a.session.current.seal.send.cipher ==
           cipher_of(&t->a, payload.data[payload.size - 1]));
}

static void shake_hands(struct fuzz_pair *t)
{
    uint8_t room[512], reply[512];
    struct writer w = writer_of(room, sizeof(room));
    struct writer answer = writer_of(reply, sizeof(reply));
    bool good =
        session_ask(&t->a.session, &t->a.entropy, now, &w) &&
        session_take_init(&t->b.session, writer_bytes(&w), &t->b.entropy, now,
                          &answer) == SESSION_ACCEPTED &&
        session_take_accept(&t->a.session, writer_bytes(&answer), now, &sink);

    ASSERT(good);
}

static void take_records(struct fuzz_pair *t, struct bytes records)
{
    static uint8_t packet[PACKET_SIZE];
    struct keyset *keys = &t->a.session.current;
    struct writer w = writer_of(packet, sizeof(packet));

    shake_hands(t);
    write_u8(&w, PACKET_SEALED);
    write_u32(&w, keys->peer_index);
    write_u64(&w, seal_number(&keys->seal));
    struct bytes header = writer_bytes(&w);
    write_bytes(&w, records);
    (void)write_room(&w, SEAL_TAG_SIZE);
    if (!writer_ok(&w))
        return;
    seal_close(&keys->seal, header,
               bytes_of(packet + header.size, records.size),
               packet + header.size);
    size_t size = writer_bytes(&w).size;
    enum session_verdict verdict =
        session_take(&t->b.session, packet, size, now, &sink);
    ASSERT(verdict == SESSION_TAKEN || verdict == SESSION_VIOLATION);
    ASSERT(t->b.session.inbox.capacity <= 4096 + MESSAGE_HEADER_SIZE);
}

static void take_one(struct fuzz_pair *t, struct reader *r, unsigned kind)
{
    struct bytes init = read_bytes(r, read_u8(r));
    struct bytes accept = read_bytes(r, read_u8(r));
    struct bytes records = read_bytes(r, reader_left(r));

    if (!reader_ok(r))
        return;
    if (kind == AS_INIT)
        take_init(t, init);
    else if (kind == AS_ACCEPT)
        take_accept(t, accept);
    else
        take_records(t, records);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz_pair t;
    struct reader r = reader_of(bytes_of(data, size));
    unsigned ends = read_u8(&r);
    unsigned sum = 0;

    if (sodium_init() < 0 || !crypto_aead_aes256gcm_is_available())
        ends = 0;
    for (size_t i = 0; i < size; i++)
        sum += data[i];
    make_keys(&t.a, 1);
    make_keys(&t.b, 2);
    open_end(&t, &t.a, &t.b, 1, 2, (ends & 1) != 0);
    open_end(&t, &t.b, &t.a, 2, 1, (ends & 2) != 0);
    take_one(&t, &r, sum % KINDS);
    session_close(&t.a.session);
    session_close(&t.b.session);
    return 0;
}

static void write_numbers(struct writer *w, const uint64_t *numbers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        write_u64(w, numbers[i]);
}

size_t fuzz_sample(uint8_t *room, size_t size)
{
    /* Epochs, a counter, streams, window, largest message; the same less what
     * an ACCEPT does not say. */
    static const uint64_t init[] = {1, 2, 5, 7, 0, 4096, 4096};
    static const uint64_t accept[] = {2, 9, 4096, 4096};
    static const struct record record = {
        .type = RECORD_DATA,
        .data = {.sequence = 1,
                 .first = true,
                 .last = true,
                 .total = 6,
                 .fragment = {(const uint8_t *)"\1\1aabb", 6}},
    };
    struct writer w = writer_of(room, size);

    write_u8(&w, 3);
    write_u8(&w, 1 + sizeof(init) + 1);
    write_u8(&w, PROTOCOL_VERSION);
    write_numbers(&w, init, 7);
    write_u8(&w, SESSION_AES);
    write_u8(&w, 1 + sizeof(accept) + 1 + 1);
    write_u8(&w, PROTOCOL_VERSION);
    write_numbers(&w, accept, 2);
    write_u8(&w, 1);
    write_numbers(&w, accept + 2, 2);
    write_u8(&w, SESSION_AES);
    record_encode(&record, &w);
    return writer_bytes(&w).size;
}
