/*
 * packet_ref - a reference to the bytes of one packet.
 *
 * A packet that was received, waits to be sent, or is being sent is held by
 * reference: several holders share the bytes, and the last one frees them. The
 * bytes lie in memory of the packet's own, in a block that somebody lends, or
 * where a transport received them. A reference that is initialized holds a
 * packet, which may be empty, and is released in the end.
 *
 * A libzmq message counts the references. The transports that use libzmq send
 * and receive it as it is; everything else treats it as private.
 */
#ifndef COMMON_IO_PACKET_REF_H
#define COMMON_IO_PACKET_REF_H

#include "common/base/block.h"
#include "common/base/bytes.h"

#include <zmq.h>

struct packet_ref {
    zmq_msg_t message;
};

/* Initializes `p` with a packet of so many bytes, which are not set yet. */
void packet_ref_room(struct packet_ref *p, size_t size);
/* Initializes `p` with a copy of the bytes. */
void packet_ref_copy(struct packet_ref *p, struct bytes bytes);
/* Initializes `p` with the bytes themselves, which lie in `block` and stay
 * unchanged until the last reference is gone. Few bytes are copied, and so are
 * all if `block` is NULL. */
void packet_ref_lend(struct packet_ref *p, struct bytes bytes,
                     struct block *block);

/* Initializes `p` with bytes that the caller keeps where they are until `p` is
 * released. A second reference would not keep them. */
static inline void packet_ref_borrow(struct packet_ref *p, struct bytes bytes)
{
    zmq_msg_init_data(&p->message, (uint8_t *)(uintptr_t)bytes.data, bytes.size,
                      NULL, NULL);
}

/* Refers to an empty packet. */
static inline void packet_ref_init(struct packet_ref *p)
{
    zmq_msg_init(&p->message);
}

/* Initializes `p` with a second reference to the bytes of `other`, which must
 * not change any more. */
static inline void packet_ref_share(struct packet_ref *p,
                                    struct packet_ref *other)
{
    zmq_msg_init(&p->message);
    zmq_msg_copy(&p->message, &other->message);
}

/* Initializes `p` with the packet of `from`, which is empty afterwards. */
static inline void packet_ref_move(struct packet_ref *p,
                                   struct packet_ref *from)
{
    zmq_msg_init(&p->message);
    zmq_msg_move(&p->message, &from->message);
}

/* Leaves an empty packet, which needs no release. */
static inline void packet_ref_release(struct packet_ref *p)
{
    zmq_msg_close(&p->message);
    zmq_msg_init(&p->message);
}

/* The bytes, valid as long as `p` is neither moved nor released. */
static inline uint8_t *packet_ref_data(struct packet_ref *p)
{
    return zmq_msg_data(&p->message);
}

static inline size_t packet_ref_size(const struct packet_ref *p)
{
    return zmq_msg_size(&p->message);
}

#endif
