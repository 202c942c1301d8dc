#include "common/base/bytes.h"

enum { VARINT_MAX_SIZE = 10 };

struct bytes bytes_of_string(const char *text)
{
    return bytes_of(text, strlen(text));
}

bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.size == b.size &&
           (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

void reader_fail(struct reader *r)
{
    r->failed = true;
    r->at = r->end;
}

/* The next `size` bytes, or NULL after a failure. */
static const uint8_t *take(struct reader *r, size_t size)
{
    const uint8_t *at = r->at;

    if (r->failed || size > reader_left(r)) {
        reader_fail(r);
        return NULL;
    }
    r->at += size;
    return at;
}

static uint64_t read_integer(struct reader *r, size_t size)
{
    const uint8_t *at = take(r, size);
    uint64_t value = 0;

    if (at == NULL)
        return 0;
    for (size_t i = size; i > 0; i--)
        value = value << 8 | at[i - 1];
    return value;
}

uint16_t read_u16(struct reader *r)
{
    return (uint16_t)read_integer(r, 2);
}

uint32_t read_u32(struct reader *r)
{
    return (uint32_t)read_integer(r, 4);
}

uint64_t read_u64(struct reader *r)
{
    return read_integer(r, 8);
}

uint64_t read_long_varint(struct reader *r)
{
    uint64_t value = 0;

    /* Most numbers that are not short have two bytes. */
    if (reader_left(r) >= 2 && r->at[1] > 0 && r->at[1] < 0x80) {
        value = (uint64_t)(r->at[0] & 0x7f) | (uint64_t)r->at[1] << 7;
        r->at += 2;
        return value;
    }
    for (unsigned i = 0; i < VARINT_MAX_SIZE; i++) {
        uint8_t byte = read_u8(r);

        if (r->failed)
            return 0;
        /* The tenth byte can hold only the topmost bit. */
        if (i == VARINT_MAX_SIZE - 1 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            if (byte == 0 && i > 0)
                break; /* A shorter form exists. */
            return value;
        }
    }
    reader_fail(r);
    return 0;
}

void read_copy(struct reader *r, void *to, size_t size)
{
    const uint8_t *at = take(r, size);

    if (size == 0)
        return;
    if (at == NULL)
        memset(to, 0, size);
    else
        memcpy(to, at, size);
}

struct writer writer_of(void *buffer, size_t size)
{
    uint8_t *start = buffer;

    return (struct writer){.start = start, .at = start, .end = start + size};
}

static void write_integer(struct writer *w, uint64_t value, size_t size)
{
    uint8_t *at = write_room(w, size);

    if (at == NULL)
        return;
    for (size_t i = 0; i < size; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

void write_u16(struct writer *w, uint16_t value)
{
    write_integer(w, value, 2);
}

void write_u32(struct writer *w, uint32_t value)
{
    write_integer(w, value, 4);
}

void write_u64(struct writer *w, uint64_t value)
{
    write_integer(w, value, 8);
}

size_t varint_size(uint64_t value)
{
    size_t size = 1;

    for (; value >= 0x80; value >>= 7)
        size++;
    return size;
}

void write_long_varint(struct writer *w, uint64_t value)
{
    size_t size = varint_size(value);
    uint8_t *at = write_room(w, size);

    if (at == NULL)
        return;
    while (value >= 0x80) {
        *at++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *at = (uint8_t)value;
}
