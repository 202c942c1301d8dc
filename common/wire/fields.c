#include "common/wire/fields.h"

#include "common/wire/certificate.h"

#include <sodium.h>

#include <string.h>

enum { LABEL_SIZE = 32 };

void write_name(struct writer *w, const char *name)
{
    struct bytes bytes = bytes_of_string(name);

    if (bytes.size > NAME_MAX_SIZE) {
        w->failed = true;
        return;
    }
    write_u8(w, (uint8_t)bytes.size);
    write_bytes(w, bytes);
}

void read_name(struct reader *r, char name[NAME_MAX_SIZE + 1])
{
    struct bytes bytes = read_bytes(r, read_u8(r));

    memset(name, 0, NAME_MAX_SIZE + 1);
    if (name_is_valid(bytes))
        memcpy(name, bytes.data, bytes.size);
    else
        reader_fail(r);
}

void write_address(struct writer *w, const struct address *a)
{
    write_u8(w, (uint8_t)a->family);
    if (a->family != ADDRESS_NONE)
        write_bytes(w, bytes_of(a->ip, a->family == ADDRESS_V4 ? 4 : 16));
    write_u16(w, a->family == ADDRESS_NONE ? 0 : a->port);
}

void read_address(struct reader *r, struct address *a)
{
    uint8_t family = read_u8(r);

    memset(a, 0, sizeof(*a));
    if (family == ADDRESS_V4)
        read_copy(r, a->ip, 4);
    else if (family == ADDRESS_V6)
        read_copy(r, a->ip, 16);
    else if (family != ADDRESS_NONE)
        reader_fail(r);
    a->port = read_u16(r);
    if (family == ADDRESS_NONE && a->port != 0)
        reader_fail(r);
    if (!r->failed)
        a->family = (enum address_family)family;
}

struct bytes read_bounded(struct reader *r, size_t size, size_t max)
{
    if (size > max)
        reader_fail(r);
    return read_bytes(r, size);
}

/* Copies the label and the bytes into one piece, because Ed25519 needs them so.
 */
static size_t join(const char *label, struct bytes bytes,
                   uint8_t buffer[LABEL_SIZE + SIGNED_SIZE])
{
    size_t size = strlen(label);

    ASSERT(size <= LABEL_SIZE && bytes.size <= SIGNED_SIZE);
    memcpy(buffer, label, size);
    if (bytes.size > 0)
        memcpy(buffer + size, bytes.data, bytes.size);
    return size + bytes.size;
}

void sign_labelled(const char *label, struct bytes bytes,
                   const uint8_t secret_key[64],
                   uint8_t signature[SIGNATURE_SIZE])
{
    uint8_t buffer[LABEL_SIZE + SIGNED_SIZE];
    size_t size = join(label, bytes, buffer);

    crypto_sign_detached(signature, NULL, buffer, size, secret_key);
}

void write_signature(struct writer *w, const char *label,
                     const uint8_t secret_key[64])
{
    struct bytes written = writer_bytes(w);
    uint8_t *signature = write_room(w, SIGNATURE_SIZE);

    if (signature != NULL)
        sign_labelled(label, written, secret_key, signature);
}

bool signed_labelled(const char *label, struct bytes bytes,
                     const uint8_t public_key[KEY_SIZE])
{
    uint8_t buffer[LABEL_SIZE + SIGNED_SIZE];
    size_t size;

    if (bytes.size < SIGNATURE_SIZE ||
        bytes.size > SIGNED_SIZE + SIGNATURE_SIZE)
        return false;
    size = bytes.size - SIGNATURE_SIZE;
    return crypto_sign_verify_detached(
               bytes.data + size, buffer,
               join(label, bytes_of(bytes.data, size), buffer),
               public_key) == 0;
}
