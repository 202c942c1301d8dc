#include "common/io/zap.h"

#include "common/base/hex.h"
#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>

/* The frames of a request (RFC 27): version, request id, domain, address,
 * routing id, mechanism, credentials. CURVE's credentials are the client's key.
 */
enum { VERSION, REQUEST, DOMAIN, ADDRESS, ROUTING_ID, MECHANISM, KEY, FRAMES };
enum { TEXT_SIZE = 256, REQUESTS_A_TURN = 64 };

struct zap {
    struct zsocket *socket;
    zap_permit *permit;
    void *context;
};

static bool frame_is(zmq_msg_t *frame, const char *text)
{
    return zmq_msg_size(frame) == strlen(text) &&
           memcmp(zmq_msg_data(frame), text, strlen(text)) == 0;
}

static const char *frame_text(zmq_msg_t *frame, char text[TEXT_SIZE])
{
    size_t size = zmq_msg_size(frame);

    if (size > TEXT_SIZE - 1)
        size = TEXT_SIZE - 1;
    memcpy(text, zmq_msg_data(frame), size);
    text[size] = '\0';
    return text;
}

/* True if the client may connect; `key` is then its key. */
static bool permitted(struct zap *z, zmq_msg_t *frames, struct curve_key *key)
{
    char domain[TEXT_SIZE];
    char address[TEXT_SIZE];

    if (!frame_is(&frames[VERSION], "1.0") ||
        !frame_is(&frames[MECHANISM], "CURVE") ||
        zmq_msg_size(&frames[KEY]) != sizeof key->key)
        return false;
    memcpy(key->key, zmq_msg_data(&frames[KEY]), sizeof key->key);
    if (z->permit == NULL)
        return true;
    return z->permit(z->context, frame_text(&frames[DOMAIN], domain), key,
                     frame_text(&frames[ADDRESS], address));
}

static void send_text(struct zap *z, const char *text, int flags)
{
    zmq_send(zsocket_raw(z->socket), text, strlen(text), ZMQ_DONTWAIT | flags);
}

static void answer(struct zap *z, zmq_msg_t *frames)
{
    struct curve_key key;
    char user[2 * KEY_SIZE + 1] = "";
    bool yes = permitted(z, frames, &key);

    if (yes)
        hex_encode(bytes_of(key.key, sizeof key.key), user);
    send_text(z, "1.0", ZMQ_SNDMORE);
    zmq_msg_send(&frames[REQUEST], zsocket_raw(z->socket),
                 ZMQ_DONTWAIT | ZMQ_SNDMORE);
    send_text(z, yes ? "200" : "400", ZMQ_SNDMORE);
    send_text(z, yes ? "" : "refused", ZMQ_SNDMORE);
    send_text(z, user, ZMQ_SNDMORE);
    send_text(z, "", 0);
    zsocket_touch(z->socket);
}

/* Takes all frames of a request, even if there are too many; false if none
 * waits. */
static bool take_request(struct zap *z, zmq_msg_t *frames)
{
    int count = 0;
    bool more = true;
    zmq_msg_t rest;

    while (more) {
        zmq_msg_t *frame = count < FRAMES ? &frames[count++] : &rest;
        if (frame == &rest)
            zmq_msg_init(frame);
        if (zsocket_recv(z->socket, frame) < 0)
            return false;
        more = zmq_msg_more(frame) != 0;
        if (frame == &rest)
            zmq_msg_close(frame);
    }
    return true;
}

static bool serve_one(struct zap *z)
{
    zmq_msg_t frames[FRAMES];

    for (int i = 0; i < FRAMES; i++)
        zmq_msg_init(&frames[i]);
    bool served = take_request(z, frames);
    if (served)
        answer(z, frames);
    for (int i = 0; i < FRAMES; i++)
        zmq_msg_close(&frames[i]);
    return served;
}

static void on_ready(void *context, int events)
{
    struct zap *z = context;

    (void)events;
    for (int i = 0; i < REQUESTS_A_TURN && serve_one(z); i++)
        ;
}

struct zap *zap_open(struct zloop *loop, void *zmq_context, zap_permit *permit,
                     void *context)
{
    struct zap *z = memory_new(sizeof *z);

    *z = (struct zap){.permit = permit, .context = context};
    z->socket = zsocket_open(loop, zmq_context, ZMQ_REP, on_ready, z);
    if (z->socket == NULL ||
        zmq_bind(zsocket_raw(z->socket), "inproc://zeromq.zap.01") != 0) {
        zap_close(&z);
        return NULL;
    }
    return z;
}

void zap_close(struct zap **self)
{
    struct zap *z = *self;

    if (z == NULL)
        return;
    *self = NULL;
    zsocket_close(&z->socket);
    free(z);
}

bool zap_key(zmq_msg_t *m, struct curve_key *key)
{
    const char *user = zmq_msg_gets(m, "User-Id");

    return user != NULL && hex_decode(user, key->key, sizeof key->key);
}
