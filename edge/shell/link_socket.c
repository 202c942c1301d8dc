#include "edge/shell/link_socket.h"

#include "common/io/zap.h"
#include "common/wire/packet.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

enum {
    HANDSHAKE_MS = 2000,
    /* Small packets between us and libzmq's thread (of the others see
     * LINK_HELD_BYTES), and LINK_UNSENT bytes in the kernel; more
     * wait in the node, where they go in turns with those of other peers, and
     * can still take another path. Each time half of the packets are out
     * libzmq wakes us. */
    SEND_PACKETS = 64,
    GOODBYE_MS = 200,
    /* What CURVE adds to a packet, which libzmq counts in: the name of its
     * command, a nonce, a tag and the flags. */
    CURVE_OVERHEAD = 8 + 8 + 16 + 1,
};

bool link_socket_setup(struct zsocket *s)
{
    static const struct {
        int option;
        int value;
    } options[] = {
        {ZMQ_IPV6, 1},
        {ZMQ_LINGER, GOODBYE_MS},
        {ZMQ_SNDHWM, SEND_PACKETS},
        {ZMQ_RCVHWM, LINK_PACKETS},
        {ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS},
        {ZMQ_TCP_KEEPALIVE, 1},
        {ZMQ_TCP_KEEPALIVE_IDLE, 15},
        {ZMQ_TCP_KEEPALIVE_INTVL, 5},
        {ZMQ_TCP_KEEPALIVE_CNT, 3},
    };
    int64_t frame = PACKET_SIZE + CURVE_OVERHEAD;

    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (!zsocket_set(s, options[i].option, options[i].value))
            return false;
    return zmq_setsockopt(zsocket_raw(s), ZMQ_MAXMSGSIZE, &frame,
                          sizeof frame) == 0;
}

static bool set_key(struct zsocket *s, int option, const uint8_t *key)
{
    return zmq_setsockopt(zsocket_raw(s), option, key, KEY_SIZE) == 0;
}

bool link_socket_serve(struct zsocket *s, const struct curve_pair *keys)
{
    static const char domain[] = "link";

    return zsocket_set(s, ZMQ_CURVE_SERVER, 1) &&
           set_key(s, ZMQ_CURVE_SECRETKEY, keys->secret_key) &&
           zmq_setsockopt(zsocket_raw(s), ZMQ_ZAP_DOMAIN, domain,
                          sizeof domain - 1) == 0 &&
           zsocket_set(s, ZAP_ENFORCE_DOMAIN, 1);
}

bool link_socket_join(struct zsocket *s, const struct curve_pair *keys,
                      const struct curve_key *server)
{
    return set_key(s, ZMQ_CURVE_SERVERKEY, server->key) &&
           set_key(s, ZMQ_CURVE_PUBLICKEY, keys->public_key) &&
           set_key(s, ZMQ_CURVE_SECRETKEY, keys->secret_key);
}

/* Should libzmq have closed it meanwhile, and another socket have its number,
 * that one is only a little slower for it. */
void link_limit_unsent(int fd)
{
    int bytes = LINK_UNSENT;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &bytes, sizeof bytes);
}

static void release(void *data, void *block)
{
    (void)data;
    block_release(block);
}

void link_message(zmq_msg_t *m, struct bytes bytes, struct block *block)
{
    if (block != NULL && bytes.size >= BLOCK_WORTH) {
        block_hold(block);
        int shared = zmq_msg_init_data(m, (uint8_t *)(uintptr_t)bytes.data,
                                       bytes.size, release, block);
        ASSERT(shared == 0);
        return;
    }
    int status = zmq_msg_init_size(m, bytes.size);

    ASSERT(status == 0); /* It fails only when there is no memory at all. */
    if (bytes.size > 0)
        memcpy(zmq_msg_data(m), bytes.data, bytes.size);
}

void link_skip(struct zsocket *s, zmq_msg_t *m)
{
    while (zmq_msg_more(m) && zsocket_recv(s, m) >= 0)
        ;
}
