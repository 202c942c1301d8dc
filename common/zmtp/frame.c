#include "common/zmtp/frame.h"

enum {
    SIGNATURE_END = 10,
    VERSION_AT = 10,
    MECHANISM_AT = 12,
    MECHANISM_SIZE = 20,
    AS_SERVER_AT = 32,
    MAJOR = 3,
    MINOR = 1,
};

static const char mechanism[MECHANISM_SIZE] = "CURVE";

struct frame_head frame_head_read(struct bytes in)
{
    struct frame_head h = {.body_size = FRAME_SHORT_HEAD_SIZE};

    if (in.size > 0)
        h.flags = in.data[0];
    if ((h.flags & FRAME_LONG) != 0)
        h.body_size = FRAME_HEAD_SIZE;
    if (in.size < h.body_size)
        return h;
    h.size = (size_t)h.body_size;
    h.body_size =
        h.size == FRAME_HEAD_SIZE ? get_be64(in.data + 1) : in.data[1];
    return h;
}

size_t frame_head_write(uint8_t *out, uint8_t flags, size_t body_size)
{
    if (body_size <= FRAME_SHORT_BODY) {
        out[0] = flags;
        out[1] = (uint8_t)body_size;
        return FRAME_SHORT_HEAD_SIZE;
    }
    out[0] = flags | FRAME_LONG;
    put_be64(out + 1, body_size);
    return FRAME_HEAD_SIZE;
}

void greeting_write(uint8_t out[GREETING_SIZE], bool as_server)
{
    memset(out, 0, GREETING_SIZE);
    out[0] = 0xff;
    out[SIGNATURE_END - 1] = 0x7f;
    out[VERSION_AT] = MAJOR;
    out[VERSION_AT + 1] = MINOR;
    memcpy(out + MECHANISM_AT, mechanism, MECHANISM_SIZE);
    out[AS_SERVER_AT] = as_server;
}

enum zmtp_failure greeting_check(struct bytes in)
{
    if (in.size > 0 && in.data[0] != 0xff)
        return ZMTP_BAD_SIGNATURE;
    if (in.size >= SIGNATURE_END && in.data[SIGNATURE_END - 1] != 0x7f)
        return ZMTP_BAD_SIGNATURE;
    if (in.size > VERSION_AT && in.data[VERSION_AT] < MAJOR)
        return ZMTP_BAD_VERSION;
    if (in.size >= MECHANISM_AT + MECHANISM_SIZE &&
        memcmp(in.data + MECHANISM_AT, mechanism, MECHANISM_SIZE) != 0)
        return ZMTP_BAD_MECHANISM;
    return ZMTP_NO_FAILURE;
}
