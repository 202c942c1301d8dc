/* What a stranger may say to our ZMTP client. */
#include "tests/fuzz/zmtp_talk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return talk_input(ZMTP_AS_CLIENT, data, size);
}

size_t fuzz_sample(uint8_t *room, size_t size)
{
    room[0] = 0;
    return 1 + talk_record(ZMTP_AS_CLIENT, room + 1, size - 1);
}
