#include "common/base/address.h"

#include "tests/fuzz/fuzz.h"

/* An address that parses is formatted to a text that parses to the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[200], formatted[ADDRESS_TEXT_SIZE], again[ADDRESS_TEXT_SIZE];
    struct address a, b;

    if (size >= sizeof(text))
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (!address_parse(text, &a))
        return 0;
    ASSERT(address_parse(address_format(&a, formatted), &b));
    ASSERT(address_equal(&a, &b));
    ASSERT(strcmp(address_format(&b, again), formatted) == 0);
    return 0;
}

size_t fuzz_sample(uint8_t *room, size_t size)
{
    return fuzz_keep(bytes_of_string("[fe80::1:ab%3]:443"), room, size);
}
