#include "common/wire/stun.h"

#include <string.h>

enum {
    HEADER_SIZE = 20,
    BINDING_REQUEST = 0x0001,
    BINDING_SUCCESS = 0x0101,
    COOKIE = 0x2112a442,
    COOKIE_SIZE = 4,
    FAMILY_V4 = 1,
    FAMILY_V6 = 2,
};

enum attribute {
    ATTRIBUTE_MAPPED_ADDRESS = 0x0001,
    ATTRIBUTE_CHANGE_REQUEST = 0x0003,
    ATTRIBUTE_XOR_MAPPED_ADDRESS = 0x0020,
    /* From here on a receiver may ignore what it does not know. */
    ATTRIBUTE_OPTIONAL = 0x8000,
    ATTRIBUTE_TWO_PORTS = 0xda5a, /* [P-10.4]; no other use is registered */
};

enum { ATTRIBUTE_HEADER_SIZE = 4 };

/* STUN counts from the high byte, other than our own messages. */
static uint16_t read_be16(struct reader *r)
{
    unsigned high = read_u8(r);
    return (uint16_t)(high << 8 | read_u8(r));
}

static uint32_t read_be32(struct reader *r)
{
    uint32_t high = read_be16(r);
    return high << 16 | read_be16(r);
}

static void write_be16(struct writer *w, unsigned value)
{
    write_u8(w, (uint8_t)(value >> 8));
    write_u8(w, (uint8_t)value);
}

static bool has_cookie(const struct stun_id *id)
{
    struct reader r = reader_of(bytes_of(id->bytes, COOKIE_SIZE));
    return read_be32(&r) == COOKIE;
}

/* RFC 8489 section 5: u16 type | u16 size of what follows | id. */
static bool read_header(struct reader *r, uint16_t type, struct stun_id *id)
{
    bool right_type = read_be16(r) == type;
    size_t size = read_be16(r);
    read_copy(r, id->bytes, sizeof id->bytes);
    return reader_ok(r) && right_type && size % 4 == 0 &&
           size == reader_left(r);
}

/* Section 14: u16 type | u16 size | value | zeros to a multiple of 4. */
static bool next_attribute(struct reader *r, uint16_t *type,
                           struct bytes *value)
{
    if (reader_left(r) == 0)
        return false;
    *type = read_be16(r);
    size_t size = read_be16(r);
    *value = read_bytes(r, size);
    (void)read_bytes(r, (4 - size % 4) % 4);
    return reader_ok(r);
}

/* RFC 3489 section 11.2.4; classic clients send it with all flags off. */
static bool changes_nothing(struct bytes change_request)
{
    struct reader r = reader_of(change_request);
    uint32_t flags = read_be32(&r);
    return reader_done(&r) && flags == 0;
}

bool stun_read_request(struct bytes datagram, struct stun_id *id)
{
    struct reader r = reader_of(datagram);
    uint16_t type;
    struct bytes value;
    if (!read_header(&r, BINDING_REQUEST, id))
        return false;
    while (next_attribute(&r, &type, &value))
        if (type < ATTRIBUTE_OPTIONAL &&
            (type != ATTRIBUTE_CHANGE_REQUEST || !changes_nothing(value)))
            return false;
    return reader_done(&r);
}

/* The value of a whole message's attribute; false: it has none of this type. */
static bool find_attribute(struct bytes message, uint16_t wanted,
                           struct bytes *value)
{
    struct reader r = reader_of(message);
    uint16_t type;

    (void)read_bytes(&r, HEADER_SIZE);
    while (next_attribute(&r, &type, value))
        if (type == wanted)
            return true;
    return false;
}

static size_t response_size(const struct address *source)
{
    return source->family == ADDRESS_V4 ? HEADER_SIZE + 12 : HEADER_SIZE + 24;
}

bool stun_asks_two_ports(struct bytes request, const struct address *source)
{
    size_t two =
        2 * (response_size(source) + ATTRIBUTE_HEADER_SIZE + sizeof(uint32_t));
    struct bytes value;

    return request.size >= two &&
           find_attribute(request, ATTRIBUTE_TWO_PORTS, &value);
}

/* The port and address under XOR-MAPPED-ADDRESS's mask: the cookie's first half
 * and the id. Done twice it changes nothing. Section 14.2. */
static void mask(struct address *a, const struct stun_id *id)
{
    size_t size = a->family == ADDRESS_V4 ? 4 : 16;
    a->port ^= COOKIE >> 16;
    for (size_t i = 0; i < size; i++)
        a->ip[i] ^= id->bytes[i];
}

/* With attributes of `more` bytes to follow. */
static void write_response(const struct stun_id *id,
                           const struct address *source, size_t more,
                           struct writer *w)
{
    struct address a = *source;
    bool v4 = a.family == ADDRESS_V4;
    bool masked = has_cookie(id);
    size_t value_size = v4 ? 8 : 20;
    if (masked)
        mask(&a, id);
    write_be16(w, BINDING_SUCCESS);
    write_be16(w, (unsigned)(ATTRIBUTE_HEADER_SIZE + value_size + more));
    write_bytes(w, bytes_of(id->bytes, sizeof id->bytes));
    write_be16(w, masked ? ATTRIBUTE_XOR_MAPPED_ADDRESS
                         : ATTRIBUTE_MAPPED_ADDRESS);
    write_be16(w, (unsigned)value_size);
    write_u8(w, 0);
    write_u8(w, v4 ? FAMILY_V4 : FAMILY_V6);
    write_be16(w, a.port);
    write_bytes(w, bytes_of(a.ip, v4 ? 4 : 16));
}

struct bytes stun_write_response(const struct stun_id *id,
                                 const struct address *source,
                                 uint8_t room[static STUN_RESPONSE_SIZE])
{
    struct writer w = writer_of(room, STUN_RESPONSE_SIZE);

    write_response(id, source, 0, &w);
    ASSERT(writer_ok(&w));
    return writer_bytes(&w);
}

struct bytes
stun_write_two_response(const struct stun_id *id, const struct address *source,
                        uint16_t second_port,
                        uint8_t room[static STUN_TWO_RESPONSE_SIZE])
{
    struct writer w = writer_of(room, STUN_TWO_RESPONSE_SIZE);

    write_response(id, source, STUN_TWO_RESPONSE_SIZE - STUN_RESPONSE_SIZE, &w);
    write_be16(&w, ATTRIBUTE_TWO_PORTS);
    write_be16(&w, sizeof second_port);
    write_be16(&w, second_port);
    write_be16(&w, 0); /* up to a multiple of 4 */
    ASSERT(writer_ok(&w));
    return writer_bytes(&w);
}

/* With attributes of `more` bytes to follow. */
static void write_request(const uint8_t transaction[static 12], size_t more,
                          struct writer *w)
{
    write_be16(w, BINDING_REQUEST);
    write_be16(w, (unsigned)more);
    write_be16(w, COOKIE >> 16);
    write_be16(w, COOKIE);
    write_bytes(w, bytes_of(transaction, 12));
}

void stun_write_request(const uint8_t transaction[static 12],
                        struct stun_id *id,
                        uint8_t request[static STUN_REQUEST_SIZE])
{
    struct writer w = writer_of(request, STUN_REQUEST_SIZE);

    write_request(transaction, 0, &w);
    ASSERT(writer_ok(&w));
    memcpy(id->bytes, request + 4, sizeof id->bytes);
}

/* The attribute's value is zeros: it makes the request long enough. */
void stun_write_two_request(const uint8_t transaction[static 12],
                            struct stun_id *id,
                            uint8_t request[static STUN_TWO_REQUEST_SIZE])
{
    size_t more = STUN_TWO_REQUEST_SIZE - STUN_REQUEST_SIZE;
    size_t value_size = more - ATTRIBUTE_HEADER_SIZE;
    struct writer w = writer_of(request, STUN_TWO_REQUEST_SIZE);

    write_request(transaction, more, &w);
    write_be16(&w, ATTRIBUTE_TWO_PORTS);
    write_be16(&w, (unsigned)value_size);
    uint8_t *value = write_room(&w, value_size);
    ASSERT(writer_ok(&w));
    memset(value, 0, value_size);
    memcpy(id->bytes, request + 4, sizeof id->bytes);
}

/* u8 0 | u8 family | u16 port | address; section 14.1. */
static bool read_mapped(struct bytes value, struct address *a)
{
    struct reader r = reader_of(value);
    *a = (struct address){.family = ADDRESS_NONE};
    (void)read_u8(&r);
    uint8_t family = read_u8(&r);
    a->port = read_be16(&r);
    if (family == FAMILY_V4)
        a->family = ADDRESS_V4;
    else if (family == FAMILY_V6)
        a->family = ADDRESS_V6;
    else
        return false;
    read_copy(&r, a->ip, family == FAMILY_V4 ? 4 : 16);
    return reader_done(&r);
}

bool stun_read_response(struct bytes datagram, const struct stun_id *id,
                        struct address *mapped)
{
    struct reader r = reader_of(datagram);
    struct stun_id answered;
    struct bytes value;
    uint16_t type;
    bool found = false, masked = false;
    if (!read_header(&r, BINDING_SUCCESS, &answered) ||
        memcmp(answered.bytes, id->bytes, sizeof id->bytes) != 0)
        return false;
    while (next_attribute(&r, &type, &value)) {
        /* Some routers rewrite addresses that they find unmasked. */
        bool xored = type == ATTRIBUTE_XOR_MAPPED_ADDRESS;
        if ((!xored && type != ATTRIBUTE_MAPPED_ADDRESS) || masked)
            continue;
        found = read_mapped(value, mapped);
        masked = xored && found;
        if (masked)
            mask(mapped, id);
    }
    return found && reader_done(&r);
}

uint16_t stun_second_port(struct bytes response)
{
    struct bytes value;

    if (!find_attribute(response, ATTRIBUTE_TWO_PORTS, &value))
        return 0;
    struct reader r = reader_of(value);
    uint16_t port = read_be16(&r);
    return reader_done(&r) ? port : 0;
}
