#include "edge/shell/link_socket.h"

#include "common/io/zap.h"
#include "common/wire/packet.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

enum {
    HANDSHAKE_MS = 2000,
    /* Small packets between us and libzmq's thread (the credit limits the
     * others), and LINK_UNSENT bytes in the kernel. Further packets wait in the
     * node, where peers take turns, and can still take another path. libzmq
     * wakes us each time half of the packets are sent. */
    SEND_PACKETS = 64,
    GOODBYE_MS = 200,
    /* What CURVE adds to a packet, and libzmq's limit includes: the name of its
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

/* If libzmq closed it meanwhile and another socket has its number, that socket
 * is only a little slower. */
void link_limit_unsent(int fd)
{
    int bytes = LINK_UNSENT;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &bytes, sizeof bytes);
}
