/*
 * zmtp - one end of a ZMTP 3.1 connection [RFC 37] with CURVE [RFC 26], as a
 * machine: bytes in, bytes out, packets out [P-12].
 *
 * It talks to libzmq: a server is a ROUTER to its clients, a client a DEALER to
 * its server. It does no I/O, keeps no received byte and allocates nothing; the
 * caller owns the buffers, and the clock if it wants time limits.
 *
 *     zmtp_init(&z, &conf, &reply);         send reply.bytes
 *     for each time that bytes came in, at..end being those not yet read:
 *         while ((kind = zmtp_read(&z, &at, end, &item, &reply)) != ZMTP_MORE)
 *             send reply.bytes, if reply.size > 0
 *             ZMTP_HELLO    server: zmtp_take_hello, or end the connection
 *             ZMTP_CLIENT   server: zmtp_admit or zmtp_refuse, send the reply
 *             ZMTP_READY    client: zmtp_seal works from now on
 *             ZMTP_PACKET   item.packet
 *             ZMTP_FAILED   end the connection; z.failure says why
 *         keep at..end until more bytes have come
 *     send what zmtp_seal and zmtp_ping wrote
 *     zmtp_wipe(&z)
 *
 * Everything that the machine writes has a number that only grows, so it must
 * be sent in the order of the calls. A read adds one reply at most: a caller
 * whose output is full stops reading.
 */
#ifndef COMMON_ZMTP_ZMTP_H
#define COMMON_ZMTP_ZMTP_H

#include "common/zmtp/handshake.h"

enum {
    ZMTP_REPLY_SIZE = 320,
    ZMTP_CONTEXT_SIZE = 16, /* of a PING */
    ZMTP_REASON_SIZE = 255, /* of an ERROR */
    /* What a sealed packet has besides its own bytes: at most so many, with
     * its frame's head. The head of a small one is 7 bytes shorter. */
    ZMTP_OVERHEAD = 9 + 33,
};

enum zmtp_role { ZMTP_AS_SERVER, ZMTP_AS_CLIENT };

struct zmtp_conf {
    enum zmtp_role role;
    const struct curve_pair *keys; /* our long-term keys; borrowed */
    struct curve_key server;       /* the client's: whom it connects to */
    struct entropy *entropy;       /* borrowed */
    /* Makes the tags of large packets faster; borrowed. All connections of a
     * thread may share it. NULL: libsodium makes them. */
    struct one_time_mac *mac;
    bool wide;          /* the processor has AVX-512F: salsa20.h */
    size_t packet_size; /* larger ones are refused */
};

enum zmtp_state {
    ZMTP_GREETING,        /* waits for the other end's greeting */
    ZMTP_AWAITS_HELLO,    /* server */
    ZMTP_TAKES_HELLO,     /* server: the caller spends the work on it */
    ZMTP_AWAITS_INITIATE, /* server */
    ZMTP_AWAITS_VERDICT,  /* server: the caller judges the client's key */
    ZMTP_AWAITS_WELCOME,  /* client */
    ZMTP_AWAITS_READY,    /* client */
    ZMTP_OPEN,
    ZMTP_OVER,
};

/* All fields are the machine's own, except where a comment says otherwise. */
struct zmtp {
    struct zmtp_conf conf;
    enum zmtp_state state;
    enum zmtp_failure failure; /* to read, after ZMTP_FAILED */
    uint64_t sent, received;   /* the last numbers; they only grow */
    struct message_box out, in;
    union {
        struct client_handshake client;
        struct {
            uint8_t cookie_key[32];
            uint8_t shared[32];
        } server;
    };
};

/* What a call wants sent, before anything that is written later. */
struct zmtp_reply {
    size_t size;
    uint8_t bytes[ZMTP_REPLY_SIZE];
};

enum zmtp_kind {
    /* Nothing is left to read. The next call is of use once `item.need` bytes,
     * from `at` on, are there; it is within the limits. */
    ZMTP_MORE,
    ZMTP_NEXT, /* one step of the handshake; read on */
    /* Server: a HELLO is there, and nothing was spent on it so far. Until
     * zmtp_take_hello is called, each read says so again [P-12.4]. */
    ZMTP_HELLO,
    /* Server: the client owns `item.client`. Until zmtp_admit or zmtp_refuse is
     * called, each read says so again, without the key. */
    ZMTP_CLIENT,
    ZMTP_READY, /* client: the handshake is over */
    /* `item.packet` lies decrypted where its frame was, and is valid as long as
     * the caller leaves those bytes alone. */
    ZMTP_PACKET,
    /* The other end wants an answer, which is in the reply; it hints by
     * `item.ttl` how long it will wait at most. */
    ZMTP_PINGED,
    ZMTP_PONGED,  /* `item.context` as it was in zmtp_ping */
    ZMTP_IGNORED, /* an authentic command that we do not know */
    ZMTP_FAILED,  /* said again by all later reads */
};

struct zmtp_item {
    size_t need;
    struct curve_key client;
    struct bytes packet;
    struct bytes context;
    uint16_t ttl; /* tenths of a second; 0: no hint */
    /* With ZMTP_GOT_ERROR: why the server refused us; printable ASCII. */
    struct bytes reason;
};

/* The reply is our greeting, which must leave without waiting for the other's:
 * libzmq sends only a part of its own before it sees ours [P-12.1]. */
void zmtp_init(struct zmtp *z, const struct zmtp_conf *conf,
               struct zmtp_reply *reply);
/* Erases the keys [P-12.10]; the machine is over. */
void zmtp_wipe(struct zmtp *z);

/* Reads the next frame from `*at` on, and moves `*at` behind it. Decrypts in
 * place. A frame's flags are judged by its first byte, its length as soon as
 * its head is there. */
enum zmtp_kind zmtp_read(struct zmtp *z, uint8_t **at, uint8_t *end,
                         struct zmtp_item *item,
                         struct zmtp_reply *reply) MUST_USE;

/* After ZMTP_HELLO: the next read spends the work on it, about two
 * multiplications on the curve, and two more for the INITIATE. */
void zmtp_take_hello(struct zmtp *z);
/* After ZMTP_CLIENT: the client is in; the reply says so. */
void zmtp_admit(struct zmtp *z, struct zmtp_reply *reply);
/* Or it is not: the reply is an ERROR with `reason`, at most ZMTP_REASON_SIZE
 * printable characters, no spaces. libzmq takes "400" for a refusal by ZAP. The
 * machine is over, as after ZMTP_REFUSED. */
void zmtp_refuse(struct zmtp *z, const char *reason, struct zmtp_reply *reply);

/* The size that a packet will have when sealed. */
size_t zmtp_sealed_size(size_t packet_size);
/* Seals a packet as one message: straight from `packet` to `out`, which must
 * not overlap and has room for zmtp_sealed_size bytes. Returns the number of
 * bytes written; 0 if the connection is not open (any more). */
size_t zmtp_seal(struct zmtp *z, struct bytes packet, uint8_t *out);
/* Asks the other end for an answer, ZMTP_PONGED, with the same context of at
 * most ZMTP_CONTEXT_SIZE bytes. The reply is empty if the connection is not
 * open. */
void zmtp_ping(struct zmtp *z, uint16_t ttl, struct bytes context,
               struct zmtp_reply *reply);

#endif
