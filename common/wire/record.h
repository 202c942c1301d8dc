/*
 * record - the records inside session packets, and the messages that DATA
 * records carry [P-6.4].
 *
 *     DATA  0x80 + flags | [varint sequence, unless NEXT] | [varint total, with
 *                  FIRST and not LAST] | varint n, fragment
 *     ACK   0x02 | varint cumulative | varint window_bytes
 *                | u8 count, (varint gap, varint length)*
 *     PING  0x03 | u64 token
 *     PONG  0x04 | u64 token
 *     CLOSE 0x05 | u8 reason: enum departure
 *     GROUP_ACK 0x06 | tag 16 | u64 stream | varint cumulative | u8 state
 *     PUNCH 0x07 | varint n, a record of wire/punch.h
 *
 * Sequence numbers start at 1 in each direction. A record has the flag NEXT if,
 * and only if, its sequence is one more than that of the DATA record before it
 * in the packet. `cumulative`: every sequence up to it has arrived. A range of
 * an ACK skips `gap` (>= 1) missing numbers behind the previous range, then
 * covers `length` (>= 1) numbers that arrived.
 */
#ifndef COMMON_WIRE_RECORD_H
#define COMMON_WIRE_RECORD_H

#include "common/base/bytes.h"
#include "common/wire/ids.h"

enum record_type {
    RECORD_ACK = 2,
    RECORD_PING = 3,
    RECORD_PONG = 4,
    RECORD_CLOSE = 5,
    RECORD_GROUP_ACK = 6,
    RECORD_PUNCH = 7, /* only to a node that offered UDP [P-6.2] */
    RECORD_DATA = 0x80,
};

/* The flags of DATA. */
enum { RECORD_FIRST = 1, RECORD_LAST = 2, RECORD_NEXT = 4 };

enum {
    ACK_RANGES = 32,
    /* A longer message is cut into fragments of this size. A message with 64
     * KiB of data fits one fragment, whatever its type [P-6.5]. */
    RECORD_FRAGMENT_SIZE = 64 * 1024 + 512,
    RECORD_DATA_OVERHEAD = 1 + 10 + 10 + 3,
};

struct data_record {
    uint64_t sequence;
    bool next;  /* one more than that of the record before [P-6.4] */
    bool first; /* begins a message */
    bool last;  /* ends a message */
    /* The size of the whole message; meaningful with `first`. */
    uint64_t total;
    struct bytes fragment; /* borrowed */
};

struct ack_range {
    uint64_t from; /* inclusive */
    uint64_t to;   /* inclusive */
};

struct ack_record {
    uint64_t cumulative;
    uint64_t window; /* bytes that the receiver accepts beyond cumulative */
    uint8_t range_count;
    struct ack_range ranges[ACK_RANGES]; /* ascending, apart, > cumulative */
};

enum group_ack_state {
    GROUP_ACK_GOOD = 0,
    /* a record after `cumulative` came, and one before it is missing */
    GROUP_ACK_MISSING = 1,
    /* The receiver does not know the stream or its key. */
    GROUP_ACK_UNKNOWN = 2,
};

/* What a receiver has of a stream to a group, told to its sender [P-9.7]. */
struct group_ack {
    uint8_t tag[16];
    uint64_t stream;
    uint64_t cumulative;
    enum group_ack_state state;
};

enum {
    GROUP_ACK_SIZE = 1 + 16 + 8 + 10 + 1,
    PUNCH_SIZE = 512, /* of the bytes in a PUNCH, at most */
};

struct record {
    enum record_type type;
    union {
        struct data_record data;
        struct ack_record ack;
        struct group_ack group_ack;
        struct bytes punch; /* borrowed */
        uint64_t token;
        uint8_t reason;
    };
};

/* Writes one record in its only valid form. */
void record_encode(const struct record *r, struct writer *w);
/* Writes a DATA record up to its fragment, which has `size` bytes and which the
 * caller appends. */
void data_record_begin(const struct data_record *d, size_t size,
                       struct writer *w);
/* For a record that was encoded with NEXT and must now say its number, as the
 * first of a packet does: writes what replaces its first byte. */
void data_record_number(const struct data_record *d, struct writer *w);

/* Reads the records of a packet, one after the other. */
struct record_reader {
    struct reader bytes;
    uint64_t sequence; /* of the last DATA record; 0: none yet */
};

struct record_reader record_reader_of(struct bytes records);
/* Reads the next record; false at the end and at malformed bytes. */
bool record_next(struct record_reader *r, struct record *record) MUST_USE;
/* True if all records were read and none was malformed. */
bool record_reader_done(const struct record_reader *r) MUST_USE;

/*
 * A message as the fragments of DATA records join to it [P-6.5]:
 *
 *     u8 kind + 16 * encoding | [u64 reference, with REQUEST and REPLY]
 *     | u8 n, type | [u8 n, group, with EVENT] | data
 */
enum message_kind {
    MESSAGE_SEND = 1,
    /* `reference` is the requester's; the reply repeats it */
    MESSAGE_REQUEST = 2,
    MESSAGE_REPLY = 3,
    MESSAGE_EVENT = 4, /* published to a group, or to all nodes */
    MESSAGE_START = 5, /* between nodes: the data is START [P-9.4] */
};

enum message_encoding { ENCODING_JSON = 1, ENCODING_BYTES = 2 };

enum {
    MESSAGE_TYPE_SIZE = 255,
    /* The largest size of everything before the data. */
    MESSAGE_HEADER_SIZE = 1 + 1 + MESSAGE_TYPE_SIZE + 1 + NAME_MAX_SIZE,
};

struct message {
    enum message_kind kind;
    enum message_encoding encoding;
    uint64_t reference; /* REQUEST and REPLY only */
    struct bytes type;  /* borrowed; 1 to 255 bytes of UTF-8 */
    struct bytes group; /* borrowed; EVENT only, empty: all nodes */
    struct bytes data;  /* borrowed */
};

size_t message_size(const struct message *m);
void message_encode(const struct message *m, struct writer *w);
/* Writes `size` bytes of the encoded message from byte `from` on, which is 0 or
 * a place behind the header. */
void message_encode_part(const struct message *m, size_t from, size_t size,
                         struct writer *w);
/* Decodes a message; the views point into `bytes`. False if malformed. */
bool message_decode(struct bytes bytes, struct message *m) MUST_USE;

#endif
