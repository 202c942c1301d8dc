#include "common/wire/first_bytes.h"

#include "common/wire/proxy_header.h"

enum {
    ZMTP_SIGNATURE = 10,
    TLS_HEAD = 6, /* the record's head, and the type of what it holds */
    TLS_HANDSHAKE = 22,
    TLS_MAJOR = 3,
    TLS_MINOR_MOST = 4,
    TLS_RECORD_MOST = 16384,
    TLS_CLIENT_HELLO = 1,
    METHOD_MOST = FIRST_BYTES_MOST - 1,
};

static enum first_protocol tell_zmtp(struct bytes in)
{
    if (in.size < ZMTP_SIGNATURE)
        return FIRST_MORE;
    return in.data[ZMTP_SIGNATURE - 1] == 0x7f ? FIRST_ZMTP : FIRST_UNKNOWN;
}

static enum first_protocol tell_tls(struct bytes in)
{
    if ((in.size > 1 && in.data[1] != TLS_MAJOR) ||
        (in.size > 2 && in.data[2] > TLS_MINOR_MOST))
        return FIRST_UNKNOWN;
    if (in.size < TLS_HEAD)
        return FIRST_MORE;
    int record = in.data[3] << 8 | in.data[4];
    return record > 0 && record <= TLS_RECORD_MOST &&
                   in.data[5] == TLS_CLIENT_HELLO
               ? FIRST_TLS
               : FIRST_UNKNOWN;
}

/* Methods are letters in upper case, some with a hyphen. */
static enum first_protocol tell_http(struct bytes in)
{
    for (size_t i = 0; i < in.size && i <= METHOD_MOST; i++) {
        uint8_t c = in.data[i];
        if (c == ' ' && i > 0)
            return FIRST_HTTP;
        if (!(c >= 'A' && c <= 'Z') && !(c == '-' && i > 0))
            return FIRST_UNKNOWN;
    }
    return in.size <= METHOD_MOST ? FIRST_MORE : FIRST_UNKNOWN;
}

enum first_protocol first_bytes_tell(struct bytes in)
{
    enum proxy_result proxy = proxy_header_begins(in);

    if (in.size == 0)
        return FIRST_MORE;
    /* Before HTTP: "PROXY " looks like a method. */
    if (proxy == PROXY_DONE)
        return FIRST_PROXY;
    if (in.data[0] == '\r')
        return proxy == PROXY_MORE ? FIRST_MORE : FIRST_UNKNOWN;
    if (in.data[0] == 0xff)
        return tell_zmtp(in);
    if (in.data[0] == TLS_HANDSHAKE)
        return tell_tls(in);
    return tell_http(in);
}
