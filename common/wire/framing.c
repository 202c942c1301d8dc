#include "common/wire/framing.h"

static struct bytes take(struct bytes *input, size_t most)
{
    struct bytes taken = bytes_of(input->data, input->size);

    if (taken.size > most)
        taken.size = most;
    if (taken.size > 0)
        *input = bytes_of(input->data + taken.size, input->size - taken.size);
    return taken;
}

void framing_header(uint8_t header[static FRAMING_HEADER_SIZE], size_t size)
{
    struct writer w = writer_of(header, FRAMING_HEADER_SIZE);

    ASSERT(size <= UINT32_MAX);
    write_u32(&w, (uint32_t)size);
}

/* False: the header is not complete. */
static bool read_header(struct framing *f, struct bytes *input)
{
    struct bytes more = take(input, (size_t)(FRAMING_HEADER_SIZE - f->have));
    struct reader r = reader_of(bytes_of(f->header, FRAMING_HEADER_SIZE));

    if (more.size > 0)
        memcpy(f->header + f->have, more.data, more.size);
    f->have = (uint8_t)(f->have + more.size);
    if (f->have < FRAMING_HEADER_SIZE)
        return false;
    f->left = read_u32(&r);
    return true;
}

enum framing_step framing_next(struct framing *f, struct bytes *input,
                               size_t most, struct framing_piece *piece)
{
    *piece = (struct framing_piece){.first = !f->within};
    if (!f->within) {
        if (!read_header(f, input))
            return FRAMING_EMPTY;
        if (f->left > most)
            return FRAMING_TOO_LARGE;
        f->within = true;
        piece->size = f->left;
    } else if (input->size == 0) {
        return FRAMING_EMPTY;
    }
    piece->bytes = take(input, f->left);
    f->left -= (uint32_t)piece->bytes.size;
    piece->last = f->left == 0;
    if (piece->last) {
        f->within = false;
        f->have = 0;
    }
    return FRAMING_PIECE;
}
