#include "common/wire/first_bytes.h"

#include "tests/fuzz/fuzz.h"

/* What is decided by some bytes stays so with more of them, and a few bytes
 * decide. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum first_protocol before = FIRST_MORE;

    for (size_t part = 0; part <= size; part++) {
        enum first_protocol now = first_bytes_tell(bytes_of(data, part));
        ASSERT(before == FIRST_MORE || now == before);
        ASSERT(now != FIRST_MORE || part < FIRST_BYTES_MOST);
        before = now;
    }
    return 0;
}

size_t fuzz_sample(uint8_t *room, size_t size)
{
    return fuzz_keep(bytes_of_string("PROXY TCP4 192.0.2.1\r\n"), room, size);
}
