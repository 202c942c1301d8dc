#include "tests/fuzz/proxy_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_proxy_header(data, size);
    return 0;
}

size_t fuzz_sample(uint8_t *room, size_t size)
{
    static const char sample[] =
        "\r\n\r\n\0\r\nQUIT\n\x21\x21\0\50 \1\r\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
        " \1\r\xb8\0\0\0\0\0\0\0\0\0\0\0\2\0\1\1\xbb\x20\0\1zGET";

    return fuzz_keep(bytes_of(sample, sizeof(sample) - 1), room, size);
}
