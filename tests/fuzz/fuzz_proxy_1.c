#include "tests/fuzz/proxy_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_proxy_header(data, size);
    return 0;
}

size_t fuzz_sample(uint8_t *room, size_t size)
{
    return fuzz_keep(
        bytes_of_string("PROXY TCP6 2001:db8::1 ::1 4124 443\r\nGET"), room,
        size);
}
