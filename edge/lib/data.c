#include "edge/lib/zeroservices.h"

#include "common/base/jtext.h"
#include "common/base/utf8.h"

#include <string.h>

static struct zs_data data_of(const char *text, enum zs_encoding encoding)
{
    if (text == NULL)
        text = "";
    return (struct zs_data){text, strlen(text), encoding};
}

struct zs_data zs_string(const char *text)
{
    return data_of(text, ZS_STRING);
}

struct zs_data zs_json(const char *text)
{
    return data_of(text, ZS_JSON);
}

struct zs_data zs_bytes(const void *bytes, size_t size)
{
    return (struct zs_data){bytes, size, ZS_BYTES};
}

static void copy_cut(const struct zs_data *data, char *room, size_t size)
{
    size_t length = data->size < size - 1 ? data->size : size - 1;

    if (length > 0)
        memcpy(room, data->bytes, length);
    room[length] = '\0';
}

/* The longest beginning of a JSON string that fits. */
static void string_cut(struct bytes value, char *room, size_t size)
{
    size_t at = 0;
    size_t length = 0;

    for (size_t i = 1; i + 1 < value.size && at + 1 < size;) {
        /* One character or one escape, as a string. */
        uint8_t piece[16] = "\"";
        size_t n = value.data[i] == '\\'
                       ? 2
                       : utf8_length(value.data + i, value.data + value.size);
        if (n == 2 && value.data[i] == '\\' && value.data[i + 1] == 'u')
            n = 6;
        if (n == 6 && (value.data[i + 2] | 0x20) == 'd' &&
            value.data[i + 3] >= '8' && i + 12 < value.size)
            n = 12; /* A pair of surrogates. */
        if (n == 0 || i + n >= value.size)
            break;
        memcpy(piece + 1, value.data + i, n);
        piece[n + 1] = '"';
        if (!jtext_string(bytes_of(piece, n + 2), room + at, size - at,
                          &length))
            break;
        at += length;
        i += n;
    }
    room[at] = '\0';
}

const char *zs_text(const struct zs_message *message, char *room, size_t size)
{
    struct bytes value;
    size_t length;

    if (message == NULL || room == NULL || size == 0)
        return "";
    value = bytes_of(message->data.bytes, message->data.size);
    if (message->data.encoding != ZS_JSON || !jtext_is_string(value))
        copy_cut(&message->data, room, size);
    else if (!jtext_string(value, room, size, &length))
        string_cut(value, room, size);
    return room;
}
