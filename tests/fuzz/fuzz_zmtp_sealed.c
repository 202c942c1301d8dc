/* What a member may say sealed to our ZMTP server. */
#include "tests/fuzz/zmtp_talk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return talk_input(ZMTP_AS_SERVER, data, size);
}

size_t fuzz_sample(uint8_t *room, size_t size)
{
    static const char records[] = "\1\0\6packet\2\x0e\4PING\0\1context\2\x0c"
                                  "\4PONGcontext\2\x0c\x09SUBSCRIBEab"
                                  "\x0bSocket-Type\0\0\0\6DEALER";

    return fuzz_keep(bytes_of(records, sizeof(records) - 1), room, size);
}
