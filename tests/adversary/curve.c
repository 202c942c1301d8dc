#include "tests/adversary/curve.h"

#include <sodium.h>
#include <string.h>

#include "tests/adversary/sockets.h"

enum { FRAME_COMMAND = 4, FRAME_LONG = 2, FLAG_MORE = 1, FLAG_COMMAND = 2 };

enum {
    WELCOME_SIZE = 168,
    COOKIE_SIZE = 96,
    METADATA_SIZE = 128,
};

static void greeting(bool server, uint8_t text[CURVE_GREETING_SIZE])
{
    memset(text, 0, CURVE_GREETING_SIZE);
    text[0] = 0xff;
    text[9] = 0x7f;
    text[10] = 3;
    text[11] = 1;
    memcpy(text + 12, "CURVE", 5);
    text[32] = server;
}

void curve_pair_random(struct curve_pair *pair)
{
    crypto_box_keypair(pair->public_key, pair->secret_key);
}

/* A nonce of 16 bytes of text and a number. */
static void nonce_of(const char *label, uint64_t number, uint8_t nonce[24])
{
    memcpy(nonce, label, 16);
    for (int i = 0; i < 8; i++)
        nonce[16 + i] = (uint8_t)(number >> (56 - 8 * i));
}

/* Writes a box for a public key, by the sender's secret key. */
static void write_box(struct writer *w, struct bytes plain,
                      const uint8_t nonce[24], const uint8_t to[32],
                      const uint8_t from[32])
{
    uint8_t *box = write_room(w, plain.size + crypto_box_MACBYTES);
    bool sealed = box != NULL && crypto_box_easy(box, plain.data, plain.size,
                                                 nonce, to, from) == 0;
    ASSERT(sealed);
}

static struct writer command_of(uint8_t *room, size_t room_size, size_t size)
{
    struct writer w = writer_of(room, room_size);
    if (size < 256) {
        write_u8(&w, FRAME_COMMAND);
        write_u8(&w, (uint8_t)size);
    } else {
        write_u8(&w, FRAME_COMMAND | FRAME_LONG);
        for (int shift = 56; shift >= 0; shift -= 8)
            write_u8(&w, (uint8_t)((uint64_t)size >> shift));
    }
    return w;
}

void curve_opening(const struct curve_key *server,
                   const struct curve_pair *connection,
                   uint8_t opening[CURVE_OPENING_SIZE])
{
    static const uint8_t zeros[72];
    uint8_t nonce[24];

    greeting(false, opening);
    struct writer w = command_of(opening + CURVE_GREETING_SIZE, 202, 200);
    write_bytes(&w, bytes_of("\5HELLO\1\0", 8));
    write_bytes(&w, bytes_of(zeros, 72));
    write_bytes(&w, bytes_of(connection->public_key, 32));
    nonce_of("CurveZMQHELLO---", 1, nonce);
    write_bytes(&w, bytes_of(nonce + 16, 8));
    write_box(&w, bytes_of(zeros, 64), nonce, server->key,
              connection->secret_key);
}

/* --- reading and writing with a deadline ---------------------------------- */

static bool write_all(struct curve *c, const uint8_t *bytes, size_t size,
                      uint64_t deadline)
{
    while (size > 0) {
        ssize_t n = socket_write(c->fd, bytes, size);
        if (n < 0 || (n == 0 && !socket_wait(c->fd, true, deadline)))
            return false;
        bytes += n;
        size -= (size_t)n;
    }
    return true;
}

/* Reads exactly `size` bytes. False at the deadline, or if the connection is
 * closed, which sets *gone. The bytes read until then are lost, so the caller
 * gives the connection up. */
static bool read_all(struct curve *c, uint8_t *bytes, size_t size,
                     uint64_t deadline, bool *gone)
{
    while (size > 0) {
        ssize_t n = socket_read(c->fd, bytes, size);
        if (n < 0)
            *gone = true;
        if (n < 0 || (n == 0 && !socket_wait(c->fd, false, deadline)))
            return false;
        bytes += n;
        size -= (size_t)n;
    }
    return true;
}

/* Reads a frame's content into c->in; returns its size, or 0. */
static size_t read_frame(struct curve *c, uint64_t deadline, bool *gone)
{
    uint8_t head[9];
    uint64_t size = 0;

    if (!read_all(c, head, 2, deadline, gone))
        return 0;
    if (head[0] & FRAME_LONG) {
        if (!read_all(c, head + 2, 7, deadline, gone))
            return 0;
        for (int i = 1; i < 9; i++)
            size = size << 8 | head[i];
    } else {
        size = head[1];
    }
    if (size > sizeof c->in || !read_all(c, c->in, size, deadline, gone)) {
        *gone = true; /* Nothing can follow half a frame. */
        return 0;
    }
    return size;
}

static bool read_command(struct curve *c, const char *name, size_t size,
                         uint64_t deadline)
{
    bool gone = false;
    size_t got = read_frame(c, deadline, &gone);
    return got >= size && memcmp(c->in, name, strlen(name)) == 0;
}

static bool exchange_greetings(struct curve *c, uint64_t deadline)
{
    uint8_t text[CURVE_GREETING_SIZE];
    bool gone = false;

    greeting(true, text);
    if (c->server && !write_all(c, text, sizeof text, deadline))
        return false;
    return read_all(c, text, sizeof text, deadline, &gone);
}

/* --- the client ------------------------------------------------------------
 */

static bool take_welcome(struct curve *c, const struct curve_key *server,
                         const struct curve_pair *mine,
                         uint8_t server_connection[32],
                         uint8_t cookie[COOKIE_SIZE], uint64_t deadline)
{
    uint8_t nonce[24], open[32 + COOKIE_SIZE];

    if (!read_command(c, "\7WELCOME", WELCOME_SIZE, deadline))
        return false;
    memcpy(nonce, "WELCOME-", 8);
    memcpy(nonce + 8, c->in + 8, 16);
    if (crypto_box_open_easy(open, c->in + 24, 144, nonce, server->key,
                             mine->secret_key) != 0)
        return false;
    memcpy(server_connection, open, 32);
    memcpy(cookie, open + 32, COOKIE_SIZE);
    return true;
}

static void write_metadata(struct writer *w, const char *type)
{
    write_bytes(w, bytes_of("\13Socket-Type\0\0\0\6", 16));
    write_bytes(w, bytes_of(type, 6));
}

/* Writes the vouch: the client's long-term key, and the proof that its owner
 * also has the key of this connection. */
static void write_vouch(struct writer *w, const struct curve_pair *self,
                        const struct curve_key *server,
                        const uint8_t client_connection[32],
                        const uint8_t server_connection[32])
{
    uint8_t nonce[24], keys[64];

    write_bytes(w, bytes_of(self->public_key, 32));
    memcpy(nonce, "VOUCH---", 8);
    randombytes_buf(nonce + 8, 16);
    write_bytes(w, bytes_of(nonce + 8, 16));
    memcpy(keys, client_connection, 32);
    memcpy(keys + 32, server->key, 32);
    write_box(w, bytes_of(keys, sizeof keys), nonce, server_connection,
              self->secret_key);
}

/* Completes a command with the short nonce and the boxed content, and sends
 * it. */
static bool write_boxed(struct curve *c, struct writer *w,
                        const uint8_t nonce[24], struct bytes content,
                        uint64_t deadline)
{
    write_bytes(w, bytes_of(nonce + 16, 8));
    uint8_t *box = write_room(w, content.size + 16);
    ASSERT(box != NULL);
    (void)crypto_box_easy_afternm(box, content.data, content.size, nonce,
                                  c->key);
    struct bytes all = writer_bytes(w);
    return write_all(c, all.data, all.size, deadline);
}

static bool send_initiate(struct curve *c, const uint8_t cookie[COOKIE_SIZE],
                          struct bytes content, uint64_t deadline)
{
    enum { HEAD = 9 + COOKIE_SIZE + 8, MOST = 256 };
    uint8_t room[9 + HEAD + 16 + MOST], nonce[24];
    struct writer w = command_of(room, sizeof room, HEAD + 16 + content.size);

    write_bytes(&w, bytes_of("\10INITIATE", 9));
    write_bytes(&w, bytes_of(cookie, COOKIE_SIZE));
    nonce_of("CurveZMQINITIATE", 2, nonce);
    return write_boxed(c, &w, nonce, content, deadline);
}

bool curve_connect(struct curve *c, const struct curve_key *server,
                   const struct curve_pair *self, uint64_t deadline)
{
    uint8_t opening[CURVE_OPENING_SIZE], there[32], cookie[COOKIE_SIZE];
    uint8_t content[256];
    struct curve_pair mine;

    c->server = false;
    c->sent = 2;
    curve_pair_random(&mine);
    curve_opening(server, &mine, opening);
    if (!write_all(c, opening, sizeof opening, deadline) ||
        !exchange_greetings(c, deadline) ||
        !take_welcome(c, server, &mine, there, cookie, deadline) ||
        crypto_box_beforenm(c->key, there, mine.secret_key) != 0)
        return false;
    struct writer w = writer_of(content, sizeof content);
    write_vouch(&w, self, server, mine.public_key, there);
    write_metadata(&w, "DEALER");
    return send_initiate(c, cookie, writer_bytes(&w), deadline) &&
           read_command(c, "\5READY", 14 + 16, deadline);
}

/* --- the server ------------------------------------------------------------
 */

static bool send_welcome(struct curve *c, const struct curve_pair *self,
                         const struct curve_pair *mine,
                         const uint8_t client[32], uint64_t deadline)
{
    uint8_t room[2 + WELCOME_SIZE], nonce[24], plain[32 + COOKIE_SIZE];
    struct writer w = command_of(room, sizeof room, WELCOME_SIZE);

    write_bytes(&w, bytes_of("\7WELCOME", 8));
    memcpy(nonce, "WELCOME-", 8);
    randombytes_buf(nonce + 8, 16);
    write_bytes(&w, bytes_of(nonce + 8, 16));
    memcpy(plain, mine->public_key, 32);
    memset(plain + 32, 0, COOKIE_SIZE); /* This server needs no cookie. */
    write_box(&w, bytes_of(plain, sizeof plain), nonce, client,
              self->secret_key);
    return write_all(c, room, sizeof room, deadline);
}

static bool send_ready(struct curve *c, uint64_t deadline)
{
    uint8_t room[256], plain[METADATA_SIZE], nonce[24];
    struct writer metadata = writer_of(plain, sizeof plain);

    write_metadata(&metadata, "ROUTER");
    struct bytes content = writer_bytes(&metadata);
    struct writer w = command_of(room, sizeof room, 6 + 8 + 16 + content.size);
    write_bytes(&w, bytes_of("\5READY", 6));
    nonce_of("CurveZMQREADY---", 1, nonce);
    return write_boxed(c, &w, nonce, content, deadline);
}

bool curve_accept(struct curve *c, const struct curve_pair *self,
                  uint64_t deadline)
{
    struct curve_pair mine;
    uint8_t client[32];

    c->server = true;
    c->sent = 1;
    curve_pair_random(&mine);
    if (!exchange_greetings(c, deadline) ||
        !read_command(c, "\5HELLO", 200, deadline))
        return false;
    memcpy(client, c->in + 80, 32);
    /* Any client may connect, so INITIATE is not examined. */
    return send_welcome(c, self, &mine, client, deadline) &&
           read_command(c, "\10INITIATE", 9 + COOKIE_SIZE, deadline) &&
           crypto_box_beforenm(c->key, client, mine.secret_key) == 0 &&
           send_ready(c, deadline);
}

/* --- messages --------------------------------------------------------------
 */

static const char *label_of(bool from_server)
{
    return from_server ? "CurveZMQMESSAGES" : "CurveZMQMESSAGEC";
}

static void write_head(struct writer *w, size_t size)
{
    bool is_long = size > 255;
    write_u8(w, is_long ? FRAME_LONG : 0);
    if (is_long)
        for (int shift = 56; shift > 0; shift -= 8)
            write_u8(w, (uint8_t)((uint64_t)size >> shift));
    write_u8(w, (uint8_t)size);
}

bool curve_put(struct curve *c, struct bytes frame, bool more)
{
    static uint8_t plain[1 + PACKET_SIZE];
    size_t size = 16 + 16 + 1 + frame.size;
    uint8_t nonce[24];

    if (frame.size > PACKET_SIZE)
        return false;
    if (curve_is_flushed(c))
        c->out_size = c->out_done = 0;
    struct writer w =
        writer_of(c->out + c->out_size, sizeof c->out - c->out_size);
    if (writer_left(&w) < size + 9)
        return false;
    write_head(&w, size);
    write_bytes(&w, bytes_of("\7MESSAGE", 8));
    nonce_of(label_of(c->server), ++c->sent, nonce);
    write_bytes(&w, bytes_of(nonce + 16, 8));
    plain[0] = more ? FLAG_MORE : 0;
    memcpy(plain + 1, frame.data, frame.size);
    uint8_t *box = write_room(&w, 16 + 1 + frame.size);
    ASSERT(box != NULL);
    (void)crypto_box_easy_afternm(box, plain, 1 + frame.size, nonce, c->key);
    c->out_size += writer_bytes(&w).size;
    return true;
}

bool curve_is_flushed(const struct curve *c)
{
    return c->out_done == c->out_size;
}

bool curve_flush(struct curve *c)
{
    while (!curve_is_flushed(c)) {
        ssize_t n = socket_write(c->fd, c->out + c->out_done,
                                 c->out_size - c->out_done);
        if (n <= 0)
            return n == 0;
        c->out_done += (size_t)n;
    }
    return true;
}

bool curve_say(struct curve *c, struct bytes packet, uint64_t deadline)
{
    while (!curve_put(c, packet, false)) {
        if (!curve_flush(c) || !socket_wait(c->fd, true, deadline))
            return false;
    }
    while (!curve_is_flushed(c)) {
        if (!curve_flush(c))
            return false;
        if (!curve_is_flushed(c) && !socket_wait(c->fd, true, deadline))
            return false;
    }
    return true;
}

struct bytes curve_hear(struct curve *c, uint64_t deadline, bool *gone)
{
    uint8_t nonce[24];

    *gone = false;
    while (socket_wait(c->fd, false, deadline)) {
        size_t size = read_frame(c, deadline + 1000, gone);
        if (*gone || size == 0)
            break;
        if (size < 33 || memcmp(c->in, "\7MESSAGE", 8) != 0)
            continue;
        memcpy(nonce, label_of(!c->server), 16);
        memcpy(nonce + 16, c->in + 8, 8);
        if (crypto_box_open_easy_afternm(c->in + 16, c->in + 16, size - 16,
                                         nonce, c->key) != 0)
            continue;
        if (!(c->in[16] & FLAG_COMMAND))
            return bytes_of(c->in + 17, size - 33);
    }
    return bytes_of(NULL, 0);
}
