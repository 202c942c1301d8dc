#include "edge/shell/packet_stream.h"

#include "common/base/memory.h"
#include "common/wire/packet.h"

#include <stdlib.h>

enum {
    BLOCK_SIZE = 8 * 1024,
    LARGE_LEAST = 16, /* room for so many references at first */
};

struct stream_block {
    struct stream_block *next;
    size_t used;
    uint8_t bytes[BLOCK_SIZE];
};

struct stream_large {
    struct packet_ref packet;
    const struct stream_block *block; /* where its header is, */
    size_t header_end;                /* and ends */
};

/* ---- Out ---------------------------------------------------------------- */

static struct stream_large *large_of(const struct stream_out *s,
                                     uint64_t number)
{
    ASSERT(s->large_room > 0);
    return &s->large[number % s->large_room];
}

static void free_blocks(struct stream_block **list)
{
    while (*list != NULL) {
        struct stream_block *block = *list;

        *list = block->next;
        free(block);
    }
}

void stream_out_close(struct stream_out *s)
{
    for (uint64_t i = s->large_first; i < s->large_end; i++)
        packet_ref_release(&large_of(s, i)->packet);
    free(s->large);
    free_blocks(&s->first);
    free_blocks(&s->spare);
    *s = (struct stream_out){.first = NULL};
}

/* Makes sure that the last block has room for `size` bytes more. */
static bool make_room(struct stream_out *s, size_t size)
{
    struct stream_block *block = s->last;

    if (block != NULL && BLOCK_SIZE - block->used >= size)
        return true;
    block = s->spare;
    if (block != NULL)
        s->spare = block->next;
    else
        block = memory_try(NULL, 1, sizeof *block);
    if (block == NULL)
        return false;
    block->next = NULL;
    block->used = 0;
    if (s->last != NULL)
        s->last->next = block;
    else
        s->first = s->next.block = block;
    s->last = block;
    return true;
}

/* Makes sure that the ring has room for one more large packet. */
static bool make_large_room(struct stream_out *s)
{
    size_t room = s->large_room > 0 ? 2 * s->large_room : LARGE_LEAST;
    struct stream_large *large;

    if (s->large_end - s->large_first < s->large_room)
        return true;
    large = memory_try(NULL, room, sizeof *large);
    if (large == NULL)
        return false;
    for (uint64_t i = s->large_first; i < s->large_end; i++)
        large[i % room] = *large_of(s, i);
    free(s->large);
    s->large = large;
    s->large_room = room;
    return true;
}

bool stream_out_push(struct stream_out *s, struct packet_ref *packet)
{
    size_t size = packet_ref_size(packet);
    bool is_large = size >= STREAM_LARGE;
    struct stream_block *block;

    if (!make_room(s, FRAMING_HEADER_SIZE + (is_large ? 0 : size)) ||
        (is_large && !make_large_room(s)))
        return false;
    block = s->last;
    framing_header(block->bytes + block->used, size);
    block->used += FRAMING_HEADER_SIZE;
    if (is_large) {
        struct stream_large *large = large_of(s, s->large_end++);

        packet_ref_move(&large->packet, packet);
        large->block = block;
        large->header_end = block->used;
    } else {
        if (size > 0)
            memcpy(block->bytes + block->used, packet_ref_data(packet), size);
        block->used += size;
        packet_ref_release(packet);
    }
    s->unsent += FRAMING_HEADER_SIZE + size;
    s->held += FRAMING_HEADER_SIZE + size;
    return true;
}

/* The bytes at the place, as many as lie together; none at the end. */
static struct bytes bytes_at(const struct stream_out *s,
                             struct stream_place *place)
{
    while (place->block != NULL) {
        struct stream_block *block = place->block;
        struct stream_large *large =
            place->large < s->large_end ? large_of(s, place->large) : NULL;
        size_t end = block->used;

        if (large != NULL && large->block == block) {
            end = large->header_end;
            size_t size = packet_ref_size(&large->packet);
            if (place->at == end && place->done < size)
                return bytes_of(packet_ref_data(&large->packet) + place->done,
                                size - place->done);
        }
        if (place->at < end)
            return bytes_of(block->bytes + place->at, end - place->at);
        if (large != NULL && large->block == block) {
            place->large++;
            place->done = 0;
        } else if (block->next != NULL) {
            place->block = block->next;
            place->at = 0;
        } else {
            break;
        }
    }
    return bytes_of(NULL, 0);
}

/* Goes on by so many of the bytes that bytes_at told. */
static void go_on(const struct stream_out *s, struct stream_place *place,
                  size_t bytes)
{
    const struct stream_large *large =
        place->large < s->large_end ? large_of(s, place->large) : NULL;

    if (large != NULL && large->block == place->block &&
        large->header_end == place->at)
        place->done += bytes;
    else
        place->at += bytes;
}

size_t stream_out_peek(const struct stream_out *s, size_t least,
                       struct bytes parts[static STREAM_PARTS])
{
    struct stream_place place = s->next;
    size_t count = 0, told = 0;

    while (count < STREAM_PARTS && told < least) {
        struct bytes part = bytes_at(s, &place);

        if (part.size == 0)
            break;
        parts[count++] = part;
        told += part.size;
        go_on(s, &place, part.size);
    }
    return count;
}

void stream_out_sent(struct stream_out *s, size_t bytes)
{
    ASSERT(bytes <= s->unsent);
    s->unsent -= bytes;
    while (bytes > 0) {
        struct bytes part = bytes_at(s, &s->next);
        size_t now = part.size < bytes ? part.size : bytes;

        go_on(s, &s->next, now);
        bytes -= now;
    }
}

/* The packet at `acked_at` is acknowledged. */
static void drop_packet(struct stream_out *s, size_t size)
{
    s->acked_at += FRAMING_HEADER_SIZE;
    s->held -= FRAMING_HEADER_SIZE + size;
    if (size < STREAM_LARGE) {
        s->acked_at += size;
        return;
    }
    (void)bytes_at(s, &s->next); /* It may stand at the packet's end. */
    packet_ref_release(&large_of(s, s->large_first)->packet);
    s->large_first++;
}

/* Drops the first block if all of it is acknowledged. The last one begins
 * again, and while it is empty, no other is kept. */
static void drop_block(struct stream_out *s)
{
    struct stream_block *block = s->first;

    if (s->acked_at < block->used)
        return;
    s->acked_at = 0;
    if (s->next.block == block) {
        s->next.block = block->next != NULL ? block->next : block;
        s->next.at = 0;
    }
    if (block->next == NULL) {
        block->used = 0;
        free_blocks(&s->spare);
        return;
    }
    s->first = block->next;
    block->next = s->spare;
    s->spare = block;
}

size_t stream_out_acked(struct stream_out *s, uint64_t to)
{
    size_t released = 0;

    while (s->acked < to) {
        struct reader header = reader_of(
            bytes_of(s->first->bytes + s->acked_at, FRAMING_HEADER_SIZE));
        size_t size = read_u32(&header);
        size_t left = FRAMING_HEADER_SIZE + size - s->acked_part;

        if (to - s->acked < left) {
            s->acked_part += (size_t)(to - s->acked);
            s->acked = to;
            break;
        }
        s->acked += left;
        s->acked_part = 0;
        released += size;
        drop_packet(s, size);
        drop_block(s);
    }
    return released;
}

/* ---- In ----------------------------------------------------------------- */

void stream_in_close(struct stream_in *s)
{
    if (s->partial)
        packet_ref_release(&s->packet);
    *s = (struct stream_in){.partial = false};
}

/* Adds a piece to the packet, which becomes whole with the last one. */
static void add(struct stream_in *s, const struct framing_piece *piece)
{
    if (piece->first) {
        packet_ref_room(&s->packet, piece->size);
        s->partial = true;
        s->have = 0;
    }
    if (piece->bytes.size > 0)
        memcpy(packet_ref_data(&s->packet) + s->have, piece->bytes.data,
               piece->bytes.size);
    s->have += piece->bytes.size;
}

bool stream_in_take(struct stream_in *s, struct bytes bytes,
                    stream_packet *packet, void *context)
{
    struct framing_piece piece;

    for (;;) {
        switch (framing_next(&s->framing, &bytes, PACKET_SIZE, &piece)) {
        case FRAMING_EMPTY:
            return true;
        case FRAMING_TOO_LARGE:
            return false;
        case FRAMING_PIECE:
            break;
        }
        add(s, &piece);
        if (!piece.last)
            continue;
        if (packet_ref_size(&s->packet) > 0)
            packet(context, &s->packet);
        packet_ref_release(&s->packet);
        s->partial = false;
    }
}
