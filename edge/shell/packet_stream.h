/*
 * packet_stream - packets as the bytes of a stream, and back [P-11.8].
 *
 * stream_out holds packets until their bytes are acknowledged. Small packets
 * are copied, one behind the other; large ones are held by reference. Bytes
 * that were told stay where they are until then. stream_in makes packets of the
 * bytes that come, and holds at most one that is not whole.
 */
#ifndef EDGE_SHELL_PACKET_STREAM_H
#define EDGE_SHELL_PACKET_STREAM_H

#include "common/io/packet_ref.h"
#include "common/wire/framing.h"

enum {
    /* Packets of so many bytes are held by reference. As many bytes of the
     * stream lie in STREAM_PARTS places, rarely in more. */
    STREAM_LARGE = 1452,
    STREAM_PARTS = 3,
};

struct stream_block;
struct stream_large;

/* A zeroed one is empty. */
struct stream_out {
    /* Headers and small packets. Below the first block's `acked_at` everything
     * is acknowledged. */
    struct stream_block *first, *last;
    struct stream_block *spare; /* a list, kept while the stream is not empty */
    size_t acked_at;            /* where the first packet that is not begins */
    size_t acked_part;          /* bytes of that packet's frame */
    /* Large packets: a ring. */
    struct stream_large *large;
    size_t large_room;
    uint64_t large_first, large_end; /* counted from the beginning */
    /* The first byte that was not sent: in a block, or in a large packet whose
     * header ends there. */
    struct stream_place {
        struct stream_block *block;
        size_t at;
        uint64_t large; /* the next one */
        size_t done;    /* bytes of it */
    } next;
    uint64_t unsent; /* bytes */
    uint64_t acked;  /* bytes of the stream */
    size_t held;     /* bytes of memory */
};

void stream_out_close(struct stream_out *s);
/* Takes the packet, which is empty then. False: there is no memory, and the
 * packet is unchanged. */
bool stream_out_push(struct stream_out *s, struct packet_ref *packet) MUST_USE;
/* Tells the next bytes to send: `least` or more, if there are so many in
 * STREAM_PARTS places. Returns the number of parts. */
size_t stream_out_peek(const struct stream_out *s, size_t least,
                       struct bytes parts[static STREAM_PARTS]);
/* So many of the bytes that were told are sent. */
void stream_out_sent(struct stream_out *s, size_t bytes);
/* The stream is acknowledged up to there. Returns the bytes of the packets that
 * were released. */
size_t stream_out_acked(struct stream_out *s, uint64_t to);

/* A zeroed one stands before the first packet. */
struct stream_in {
    struct framing framing;
    struct packet_ref packet; /* if `partial` */
    size_t have;              /* bytes of it */
    bool partial;
};

typedef void stream_packet(void *context, struct packet_ref *packet);

void stream_in_close(struct stream_in *s);
/* The next bytes of the stream came. Calls `packet` for each that is whole;
 * empty ones are left out. False: one is larger than PACKET_SIZE. */
bool stream_in_take(struct stream_in *s, struct bytes bytes,
                    stream_packet *packet, void *context) MUST_USE;

#endif
