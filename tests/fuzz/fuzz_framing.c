#include "common/wire/framing.h"

#include "tests/fuzz/fuzz.h"

#include <string.h>

enum { MOST = 1000 };

/* Joins the pieces of a stream, which comes `step` bytes at a time, to what
 * was framed. Returns the bytes written to `joined`. */
static size_t join(const uint8_t *data, size_t size, size_t step,
                   uint8_t *joined)
{
    struct framing f = {0};
    size_t written = 0, of = 0, got = 0;

    for (size_t at = 0; at < size; at += step) {
        size_t now = size - at < step ? size - at : step;
        struct bytes input = bytes_of(data + at, now);
        struct framing_piece piece;
        enum framing_step what;

        while ((what = framing_next(&f, &input, MOST, &piece)) ==
               FRAMING_PIECE) {
            if (piece.first) {
                ASSERT(piece.size <= MOST);
                of = piece.size;
                got = 0;
                framing_header(joined + written, of);
                written += FRAMING_HEADER_SIZE;
            }
            if (piece.bytes.size > 0)
                memcpy(joined + written, piece.bytes.data, piece.bytes.size);
            written += piece.bytes.size;
            got += piece.bytes.size;
            ASSERT(got <= of);
            ASSERT(piece.last == (got == of));
        }
        if (what == FRAMING_TOO_LARGE)
            return written;
        ASSERT(input.size == 0);
    }
    return written;
}

/* The pieces are what was sent, and do not depend on how it came. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t whole[64 * 1024 + 64], parts[64 * 1024 + 64];
    size_t step = size > 0 ? data[0] % 7 + 1U : 1;
    size_t written;

    if (size > 64 * 1024)
        return 0;
    written = join(data, size, size > 0 ? size : 1, whole);
    ASSERT(written <= size);
    ASSERT(size == 0 || memcmp(whole, data, written) == 0);
    ASSERT(join(data, size, step, parts) == written);
    ASSERT(memcmp(whole, parts, written) == 0);
    return 0;
}

size_t fuzz_sample(uint8_t *room, size_t size)
{
    static const uint8_t stream[] = {3, 0, 0,   0,   'a', 'b', 'c', 0, 0,
                                     0, 0, 1,   0,   0,   0,   'd', 2, 0,
                                     0, 0, 'e', 'f', 0,   4,   0,   0};

    return fuzz_keep(bytes_of(stream, sizeof stream), room, size);
}
