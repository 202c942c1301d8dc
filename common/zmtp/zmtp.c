#include "common/zmtp/zmtp.h"

#include "common/zmtp/frame.h"

#include <sodium.h>

enum {
    MESSAGE_NONCE = 8,
    MESSAGE_BOX = 16,
    MESSAGE_SIZE = MESSAGE_BOX + MESSAGE_BOX_TAG + 1, /* and the packet */
    MESSAGE_FLAGS = MESSAGE_BOX + MESSAGE_BOX_TAG,
    ERROR_REASON = 6,
    ERROR_SIZE = ERROR_REASON + 1, /* and the reason */
    TTL_SIZE = 2,
    COMMAND_SIZE = 5 + TTL_SIZE + ZMTP_CONTEXT_SIZE, /* PING, the longest */
};

/* Inside the box. */
enum { INNER_MORE = 0x01, INNER_COMMAND = 0x02, INNER_RESERVED = 0xfc };

static const char *const message_prefix[] = {
    [ZMTP_AS_SERVER] = "CurveZMQMESSAGES",
    [ZMTP_AS_CLIENT] = "CurveZMQMESSAGEC",
};

/* ---- States ----------------------------------------------------------- */

static void wipe_keys(struct zmtp *z)
{
    sodium_memzero(&z->out, sizeof(z->out));
    sodium_memzero(&z->in, sizeof(z->in));
    sodium_memzero(&z->client, sizeof(z->client));
    sodium_memzero(&z->server, sizeof(z->server));
}

void zmtp_wipe(struct zmtp *z)
{
    wipe_keys(z);
    z->state = ZMTP_OVER;
}

static enum zmtp_kind fail(struct zmtp *z, enum zmtp_failure failure)
{
    zmtp_wipe(z);
    z->failure = failure;
    return ZMTP_FAILED;
}

/* The handshake is over: `shared` seals what follows, in each direction with
 * nonces of its own. What only the handshake needed is erased. */
static void open_boxes(struct zmtp *z, const uint8_t shared[32])
{
    enum zmtp_role self = z->conf.role;
    enum zmtp_role other =
        self == ZMTP_AS_SERVER ? ZMTP_AS_CLIENT : ZMTP_AS_SERVER;

    message_box_init(&z->out, shared, message_prefix[self], z->conf.mac);
    message_box_init(&z->in, shared, message_prefix[other], z->conf.mac);
    z->out.wide = z->in.wide = z->conf.wide;
    sodium_memzero(&z->client, sizeof(z->client));
    sodium_memzero(&z->server, sizeof(z->server));
    z->state = ZMTP_OPEN;
}

/* A command with a body of `size` bytes: returns where the body goes. */
static uint8_t *reply_command(struct zmtp_reply *reply, size_t size)
{
    size_t head = frame_head_write(reply->bytes, FRAME_COMMAND, size);

    reply->size = head + size;
    ASSERT(reply->size <= sizeof(reply->bytes));
    return reply->bytes + head;
}

void zmtp_init(struct zmtp *z, const struct zmtp_conf *conf,
               struct zmtp_reply *reply)
{
    ASSERT(conf->packet_size <= SIZE_MAX / 2);
    *z = (struct zmtp){.conf = *conf};
    reply->size = GREETING_SIZE;
    greeting_write(reply->bytes, conf->role == ZMTP_AS_SERVER);
}

/* ---- The client's handshake ------------------------------------------- */

static enum zmtp_kind send_hello(struct zmtp *z, struct zmtp_reply *reply)
{
    struct client_handshake *h = &z->client;
    uint8_t seed[32];

    h->keys = z->conf.keys;
    h->server = z->conf.server;
    entropy_fill(z->conf.entropy, seed, sizeof(seed));
    curve_pair_generate(&h->transient, seed);
    sodium_memzero(seed, sizeof(seed));
    if (!hello_write(h, ++z->sent, reply_command(reply, HELLO_SIZE))) {
        reply->size = 0;
        return fail(z, ZMTP_BAD_KEY);
    }
    z->state = ZMTP_AWAITS_WELCOME;
    return ZMTP_NEXT;
}

/* A server that refuses us says why [P-12.6]. */
static enum zmtp_kind take_error(struct zmtp *z, struct bytes body,
                                 struct zmtp_item *item)
{
    if (body.size < ERROR_SIZE ||
        body.size != ERROR_SIZE + (size_t)body.data[ERROR_REASON])
        return fail(z, ZMTP_BAD_FORM);
    for (size_t i = ERROR_SIZE; i < body.size; i++)
        if (body.data[i] < '!' || body.data[i] > '~')
            return fail(z, ZMTP_BAD_FORM);
    item->reason = bytes_of(body.data + ERROR_SIZE, body.size - ERROR_SIZE);
    return fail(z, ZMTP_GOT_ERROR);
}

static enum zmtp_kind take_welcome(struct zmtp *z, struct bytes body,
                                   struct zmtp_reply *reply)
{
    if (!command_is(body, "\7WELCOME"))
        return fail(z, ZMTP_BAD_COMMAND);
    enum zmtp_failure failure = welcome_read(&z->client, body);
    if (failure != ZMTP_NO_FAILURE)
        return fail(z, failure);
    uint8_t initiate[INITIATE_WRITE_SIZE];
    size_t size =
        initiate_write(&z->client, ++z->sent, z->conf.entropy, initiate);
    memcpy(reply_command(reply, size), initiate, size);
    z->state = ZMTP_AWAITS_READY;
    return ZMTP_NEXT;
}

static enum zmtp_kind take_ready(struct zmtp *z, uint8_t *body, size_t size)
{
    if (!command_is(bytes_of(body, size), "\5READY"))
        return fail(z, ZMTP_BAD_COMMAND);
    enum zmtp_failure failure =
        ready_read(z->client.shared, body, size, &z->received);
    if (failure != ZMTP_NO_FAILURE)
        return fail(z, failure);
    open_boxes(z, z->client.shared);
    return ZMTP_READY;
}

/* ---- The server's handshake ------------------------------------------- */

void zmtp_take_hello(struct zmtp *z)
{
    ASSERT(z->state == ZMTP_AWAITS_HELLO);
    z->state = ZMTP_TAKES_HELLO;
}

static enum zmtp_kind take_hello(struct zmtp *z, struct bytes body,
                                 struct zmtp_reply *reply)
{
    struct server_hello hello;
    enum zmtp_failure failure = hello_read(z->conf.keys, body, &hello);

    if (failure == ZMTP_NO_FAILURE) {
        z->received = hello.nonce;
        welcome_write(&hello, z->conf.entropy, z->server.cookie_key,
                      reply_command(reply, WELCOME_SIZE));
        z->state = ZMTP_AWAITS_INITIATE;
    }
    sodium_memzero(&hello, sizeof(hello));
    return failure == ZMTP_NO_FAILURE ? ZMTP_NEXT : fail(z, failure);
}

static enum zmtp_kind take_initiate(struct zmtp *z, uint8_t *body, size_t size,
                                    struct zmtp_item *item)
{
    struct server_initiate initiate;

    if (!command_is(bytes_of(body, size), "\10INITIATE"))
        return fail(z, ZMTP_BAD_COMMAND);
    enum zmtp_failure failure = initiate_read(
        z->conf.keys, z->server.cookie_key, z->received, body, size, &initiate);
    if (failure == ZMTP_NO_FAILURE) {
        z->received = initiate.nonce;
        item->client = initiate.client;
        memcpy(z->server.shared, initiate.shared, sizeof(initiate.shared));
        z->state = ZMTP_AWAITS_VERDICT;
    }
    sodium_memzero(&initiate, sizeof(initiate));
    return failure == ZMTP_NO_FAILURE ? ZMTP_CLIENT : fail(z, failure);
}

void zmtp_admit(struct zmtp *z, struct zmtp_reply *reply)
{
    uint8_t ready[READY_WRITE_SIZE];

    ASSERT(z->state == ZMTP_AWAITS_VERDICT);
    size_t size = ready_write(z->server.shared, ++z->sent, ready);
    memcpy(reply_command(reply, size), ready, size);
    open_boxes(z, z->server.shared);
}

void zmtp_refuse(struct zmtp *z, const char *reason, struct zmtp_reply *reply)
{
    size_t size = strlen(reason);

    ASSERT(z->state == ZMTP_AWAITS_VERDICT && size <= ZMTP_REASON_SIZE);
    uint8_t *body = reply_command(reply, ERROR_SIZE + size);
    memcpy(body, "\5ERROR", ERROR_REASON);
    body[ERROR_REASON] = (uint8_t)size;
    memcpy(body + ERROR_SIZE, reason, size);
    (void)fail(z, ZMTP_REFUSED);
}

/* ---- Messages --------------------------------------------------------- */

size_t zmtp_sealed_size(size_t packet_size)
{
    return frame_head_size(MESSAGE_SIZE + packet_size) + MESSAGE_SIZE +
           packet_size;
}

/* The last number stays unused, so that none comes twice [P-12.7]. */
static size_t seal(struct zmtp *z, uint8_t flags, struct bytes packet,
                   uint8_t *out)
{
    if (z->state != ZMTP_OPEN || z->sent == UINT64_MAX)
        return 0;
    uint8_t *body = out + frame_head_write(out, 0, MESSAGE_SIZE + packet.size);
    z->sent++;
    memcpy(body, "\7MESSAGE", MESSAGE_NONCE);
    put_be64(body + MESSAGE_NONCE, z->sent);
    message_box_seal(&z->out, z->sent, flags, packet, body + MESSAGE_BOX);
    return (size_t)(body - out) + MESSAGE_SIZE + packet.size;
}

size_t zmtp_seal(struct zmtp *z, struct bytes packet, uint8_t *out)
{
    return seal(z, 0, packet, out);
}

static void seal_command(struct zmtp *z, struct writer *command,
                         struct zmtp_reply *reply)
{
    ASSERT(writer_ok(command));
    reply->size = seal(z, INNER_COMMAND, writer_bytes(command), reply->bytes);
}

void zmtp_ping(struct zmtp *z, uint16_t ttl, struct bytes context,
               struct zmtp_reply *reply)
{
    uint8_t room[COMMAND_SIZE];
    struct writer w = writer_of(room, sizeof(room));

    write_bytes(&w, bytes_of("\4PING", 5));
    write_u8(&w, (uint8_t)(ttl >> 8));
    write_u8(&w, (uint8_t)ttl);
    write_bytes(&w, context);
    seal_command(z, &w, reply);
}

static enum zmtp_kind take_ping(struct zmtp *z, struct bytes data,
                                struct zmtp_item *item,
                                struct zmtp_reply *reply)
{
    uint8_t room[COMMAND_SIZE];
    struct writer w = writer_of(room, sizeof(room));

    if (data.size < TTL_SIZE || data.size > TTL_SIZE + ZMTP_CONTEXT_SIZE)
        return fail(z, ZMTP_BAD_FORM);
    item->ttl = (uint16_t)(data.data[0] << 8 | data.data[1]);
    item->context = bytes_of(data.data + TTL_SIZE, data.size - TTL_SIZE);
    write_bytes(&w, bytes_of("\4PONG", 5));
    write_bytes(&w, item->context);
    seal_command(z, &w, reply);
    return ZMTP_PINGED;
}

/* A command that came sealed [P-12.9]. */
static enum zmtp_kind take_command(struct zmtp *z, struct bytes command,
                                   struct zmtp_item *item,
                                   struct zmtp_reply *reply)
{
    struct reader r = reader_of(command);
    struct bytes name = read_bytes(&r, read_u8(&r));
    struct bytes data = read_bytes(&r, reader_left(&r));

    if (!reader_ok(&r) || name.size == 0)
        return fail(z, ZMTP_BAD_FORM);
    if (bytes_equal(name, bytes_of("PING", 4)))
        return take_ping(z, data, item, reply);
    if (!bytes_equal(name, bytes_of("PONG", 4)))
        return ZMTP_IGNORED;
    if (data.size > ZMTP_CONTEXT_SIZE)
        return fail(z, ZMTP_BAD_FORM);
    item->context = data;
    return ZMTP_PONGED;
}

static enum zmtp_kind take_message(struct zmtp *z, uint8_t *body, size_t size,
                                   struct zmtp_item *item,
                                   struct zmtp_reply *reply)
{
    if (!command_is(bytes_of(body, size), "\7MESSAGE"))
        return fail(z, ZMTP_BAD_COMMAND);
    if (size < MESSAGE_SIZE)
        return fail(z, ZMTP_BAD_FORM);
    uint64_t nonce = get_be64(body + MESSAGE_NONCE);
    if (nonce <= z->received)
        return fail(z, ZMTP_BAD_NONCE);
    if (!message_box_open(&z->in, nonce, body + MESSAGE_BOX,
                          size - MESSAGE_BOX))
        return fail(z, ZMTP_BAD_BOX);
    z->received = nonce;
    uint8_t flags = body[MESSAGE_FLAGS];
    struct bytes packet = bytes_of(body + MESSAGE_SIZE, size - MESSAGE_SIZE);
    if ((flags & INNER_RESERVED) != 0)
        return fail(z, ZMTP_BAD_FLAGS);
    if ((flags & INNER_MORE) != 0)
        return fail(z, ZMTP_BAD_MORE);
    if ((flags & INNER_COMMAND) != 0)
        return take_command(z, packet, item, reply);
    item->packet = packet;
    return ZMTP_PACKET;
}

/* ---- Reading ---------------------------------------------------------- */

/* The longest frame that the state allows, without its head [P-12.2]. */
static size_t longest_body(const struct zmtp *z)
{
    return z->state == ZMTP_OPEN ? MESSAGE_SIZE + z->conf.packet_size
                                 : INITIATE_SIZE + METADATA_SIZE;
}

static enum zmtp_failure judge_flags(const struct zmtp *z, uint8_t flags)
{
    if ((flags & FRAME_RESERVED) != 0)
        return ZMTP_BAD_FLAGS;
    if ((flags & FRAME_MORE) != 0)
        return ZMTP_BAD_MORE;
    return z->state == ZMTP_OPEN || (flags & FRAME_COMMAND) != 0
               ? ZMTP_NO_FAILURE
               : ZMTP_BAD_COMMAND;
}

static enum zmtp_kind more(struct zmtp_item *item, size_t need)
{
    item->need = need;
    return ZMTP_MORE;
}

static enum zmtp_kind take_greeting(struct zmtp *z, uint8_t **at, size_t left,
                                    struct zmtp_item *item,
                                    struct zmtp_reply *reply)
{
    enum zmtp_failure failure = greeting_check(bytes_of(*at, left));

    if (failure != ZMTP_NO_FAILURE)
        return fail(z, failure);
    if (left < GREETING_SIZE)
        return more(item, GREETING_SIZE);
    *at += GREETING_SIZE;
    if (z->conf.role == ZMTP_AS_CLIENT)
        return send_hello(z, reply);
    z->state = ZMTP_AWAITS_HELLO;
    return ZMTP_NEXT;
}

static enum zmtp_kind take_body(struct zmtp *z, uint8_t *body, size_t size,
                                struct zmtp_item *item,
                                struct zmtp_reply *reply)
{
    struct bytes view = bytes_of(body, size);
    bool as_client = z->conf.role == ZMTP_AS_CLIENT;

    if (as_client && z->state != ZMTP_OPEN && command_is(view, "\5ERROR"))
        return take_error(z, view, item);
    switch (z->state) {
    case ZMTP_TAKES_HELLO:
        return take_hello(z, view, reply);
    case ZMTP_AWAITS_INITIATE:
        return take_initiate(z, body, size, item);
    case ZMTP_AWAITS_WELCOME:
        return take_welcome(z, view, reply);
    case ZMTP_AWAITS_READY:
        return take_ready(z, body, size);
    case ZMTP_OPEN:
        return take_message(z, body, size, item, reply);
    case ZMTP_GREETING:
    case ZMTP_AWAITS_HELLO:
    case ZMTP_AWAITS_VERDICT:
    case ZMTP_OVER:
        break; /* No frame gets here in these states. */
    }
    return fail(z, ZMTP_BAD_COMMAND);
}

static enum zmtp_kind take_frame(struct zmtp *z, uint8_t **at, size_t left,
                                 struct zmtp_item *item,
                                 struct zmtp_reply *reply)
{
    struct frame_head head = frame_head_read(bytes_of(*at, left));

    if (left == 0)
        return more(item, FRAME_SHORT_HEAD_SIZE);
    enum zmtp_failure failure = judge_flags(z, head.flags);
    if (failure != ZMTP_NO_FAILURE)
        return fail(z, failure);
    if (head.size == 0)
        return more(item, (size_t)head.body_size);
    if (head.body_size > longest_body(z))
        return fail(z, ZMTP_TOO_LONG);
    size_t body_size = (size_t)head.body_size;
    if (left - head.size < body_size)
        return more(item, head.size + body_size);
    uint8_t *body = *at + head.size;
    if (z->state == ZMTP_AWAITS_HELLO)
        return command_is(bytes_of(body, body_size), "\5HELLO")
                   ? ZMTP_HELLO
                   : fail(z, ZMTP_BAD_COMMAND);
    *at += head.size + body_size;
    return take_body(z, body, body_size, item, reply);
}

enum zmtp_kind zmtp_read(struct zmtp *z, uint8_t **at, uint8_t *end,
                         struct zmtp_item *item, struct zmtp_reply *reply)
{
    size_t left = (size_t)(end - *at);

    *item = (struct zmtp_item){0};
    reply->size = 0;
    if (z->state == ZMTP_OVER)
        return ZMTP_FAILED;
    if (z->state == ZMTP_AWAITS_VERDICT)
        return ZMTP_CLIENT;
    if (z->state == ZMTP_GREETING)
        return take_greeting(z, at, left, item, reply);
    return take_frame(z, at, left, item, reply);
}
