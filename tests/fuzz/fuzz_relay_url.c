#include "common/conf/relay_url.h"

#include "tests/fuzz/fuzz.h"

/* A URL that parses is printed to a text that parses to the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[1024], printed[RELAY_URL_SIZE], again[RELAY_URL_SIZE];
    struct relay_url url, same;

    if (size >= sizeof(text))
        size = sizeof(text) - 1;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    if (relay_url_parse(text, &url) != NULL)
        return 0;
    ASSERT(url.port != 0 && url.host[0] != '\0');
    ASSERT(relay_url_parse(relay_url_print(&url, printed), &same) == NULL);
    ASSERT(relay_url_equal(&url, &same));
    ASSERT(strcmp(relay_url_print(&same, again), printed) == 0);
    return 0;
}

size_t fuzz_sample(uint8_t *room, size_t size)
{
    static const char text[] =
        "wss://[2001:db8::1]:443/?key=Yne%40%24w-vo%3CfVvi%5Da%3CNY6T1ed%3AM"
        "%24fCG%2A%5BIaLV%7BhID";

    return fuzz_keep(bytes_of(text, sizeof(text) - 1), room, size);
}
