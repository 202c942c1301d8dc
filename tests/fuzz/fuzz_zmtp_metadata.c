#include "common/zmtp/metadata.h"

#include "tests/fuzz/fuzz.h"

enum { MOST = 4096 };

/* What is valid stays so with an unknown property more, and no longer is with
 * a byte less, unless nothing is left. */
static void check(struct bytes in, enum metadata_socket socket)
{
    static const uint8_t more[] = "\3X-a\0\0\0\1z";
    uint8_t longer[MOST + sizeof(more)];
    enum zmtp_failure failure = metadata_check(in, socket);

    if (failure == ZMTP_BAD_METADATA)
        return;
    ASSERT(failure == ZMTP_NO_FAILURE || failure == ZMTP_BAD_SOCKET_TYPE);
    if (in.size > 0)
        memcpy(longer, in.data, in.size);
    memcpy(longer + in.size, more, sizeof(more) - 1);
    size_t size = in.size + sizeof(more) - 1;
    enum zmtp_failure same = metadata_check(bytes_of(longer, size), socket);
    enum zmtp_failure cut = metadata_check(bytes_of(longer, size - 1), socket);
    ASSERT(same == failure && cut == ZMTP_BAD_METADATA);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > MOST)
        return 0;
    check(bytes_of(data, size), METADATA_ROUTER);
    check(bytes_of(data, size), METADATA_DEALER);
    return 0;
}

size_t fuzz_sample(uint8_t *room, size_t size)
{
    ASSERT(size >= METADATA_WRITE_SIZE);
    return metadata_write(room, METADATA_DEALER);
}
