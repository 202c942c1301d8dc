#include "common/zmtp/metadata.h"

enum { IDENTITY_SIZE = 255, TYPES = 3 };

static const char *const own_type[] = {
    [METADATA_ROUTER] = "ROUTER",
    [METADATA_DEALER] = "DEALER",
};

/* The types that may talk to ours. */
static const char *const peer_types[][TYPES] = {
    [METADATA_ROUTER] = {"DEALER", "ROUTER", "REQ"},
    [METADATA_DEALER] = {"ROUTER", "DEALER", "REP"},
};

/* ---- Writing ---------------------------------------------------------- */

static void write_be32(struct writer *w, size_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        write_u8(w, (uint8_t)(value >> shift));
}

static void write_property(struct writer *w, const char *name,
                           const char *value)
{
    write_u8(w, (uint8_t)strlen(name));
    write_bytes(w, bytes_of_string(name));
    write_be32(w, strlen(value));
    write_bytes(w, bytes_of_string(value));
}

size_t metadata_write(uint8_t out[METADATA_WRITE_SIZE],
                      enum metadata_socket socket)
{
    struct writer w = writer_of(out, METADATA_WRITE_SIZE);

    write_property(&w, "Socket-Type", own_type[socket]);
    write_property(&w, "Identity", "");
    ASSERT(writer_ok(&w));
    return writer_bytes(&w).size;
}

/* ---- Checking --------------------------------------------------------- */

static uint32_t read_be32(struct reader *r)
{
    uint32_t value = 0;

    for (int i = 0; i < 4; i++)
        value = value << 8 | read_u8(r);
    return value;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c;
}

/* The case of names does not matter; `name` is in lower case. */
static bool is_named(struct bytes property, const char *name)
{
    if (property.size != strlen(name))
        return false;
    for (size_t i = 0; i < property.size; i++)
        if (lower(property.data[i]) != (uint8_t)name[i])
            return false;
    return true;
}

static bool is_name(struct bytes name)
{
    for (size_t i = 0; i < name.size; i++) {
        uint8_t c = lower(name.data[i]);
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
            (c == '\0' || !strchr("-_.+", c)))
            return false;
    }
    return name.size > 0;
}

struct known_properties {
    struct bytes type;
    bool has_type, has_identity;
};

/* False for a known property that comes twice or has a value too long. */
static bool take_property(struct known_properties *k, struct bytes name,
                          struct bytes value)
{
    if (is_named(name, "socket-type")) {
        bool first = !k->has_type;
        k->has_type = true;
        k->type = value;
        return first;
    }
    if (is_named(name, "identity")) {
        bool first = !k->has_identity;
        k->has_identity = true;
        return first && value.size <= IDENTITY_SIZE;
    }
    return true;
}

static bool talks_to(struct bytes type, enum metadata_socket socket)
{
    for (size_t i = 0; i < TYPES; i++)
        if (bytes_equal(type, bytes_of_string(peer_types[socket][i])))
            return true;
    return false;
}

enum zmtp_failure metadata_check(struct bytes metadata,
                                 enum metadata_socket socket)
{
    struct reader r = reader_of(metadata);
    struct known_properties known = {0};

    while (reader_left(&r) > 0) {
        struct bytes name = read_bytes(&r, read_u8(&r));
        struct bytes value = read_bytes(&r, read_be32(&r));
        if (!reader_ok(&r) || !is_name(name) ||
            !take_property(&known, name, value))
            return ZMTP_BAD_METADATA;
    }
    return known.has_type && talks_to(known.type, socket)
               ? ZMTP_NO_FAILURE
               : ZMTP_BAD_SOCKET_TYPE;
}
