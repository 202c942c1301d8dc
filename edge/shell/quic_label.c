#include "edge/shell/quic.h"

#include "common/base/bytes.h"

/* The first byte of a QUIC datagram [RFC 9000, 17]. */
enum { LONG_HEADER = 0x80, FIXED_BIT = 0x40 };

bool quic_label(const uint8_t *bytes, size_t size, uint32_t *label)
{
    struct reader r = reader_of(bytes_of(bytes, size));
    uint8_t first = read_u8(&r);
    uint8_t length = QUIC_CID_SIZE;

    if (first & LONG_HEADER) {
        read_u32(&r); /* version */
        length = read_u8(&r);
    }
    struct reader id = reader_of(read_bytes(&r, length));
    *label = read_u32(&id);
    return (first & FIXED_BIT) != 0 && reader_ok(&r) && reader_ok(&id);
}
