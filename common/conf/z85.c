#include "common/conf/z85.h"

#include <string.h>

static const char digits[] =
    "0123456789abcdefghijklmnopqrstuvwxyz"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

const char *z85_encode(const uint8_t key[KEY_SIZE], char text[Z85_KEY_SIZE + 1])
{
    char *at = text;

    for (size_t i = 0; i < KEY_SIZE; i += 4) {
        uint32_t value = (uint32_t)key[i] << 24 | (uint32_t)key[i + 1] << 16 |
                         (uint32_t)key[i + 2] << 8 | key[i + 3];

        for (uint32_t power = 85 * 85 * 85 * 85; power > 0; power /= 85)
            *at++ = digits[value / power % 85];
    }
    *at = '\0';
    return text;
}

bool z85_decode(const char *text, size_t size, uint8_t key[KEY_SIZE])
{
    if (size != Z85_KEY_SIZE)
        return false;
    for (size_t i = 0; i < Z85_KEY_SIZE; i += 5) {
        uint64_t value = 0;

        for (size_t j = i; j < i + 5; j++) {
            const char *digit =
                text[j] == '\0' ? NULL : strchr(digits, text[j]);

            if (digit == NULL)
                return false;
            value = value * 85 + (uint64_t)(digit - digits);
        }
        if (value > UINT32_MAX)
            return false;
        for (size_t j = 0; j < 4; j++)
            key[i / 5 * 4 + j] = (uint8_t)(value >> (24 - 8 * j));
    }
    return true;
}
