#include "edge/cli/show.h"

#include "common/base/jtext.h"

#include <unistd.h>

void show_string(struct text *out, struct bytes value, bool raw)
{
    size_t length;
    char *room = text_room(out, value.size + 1);

    if (!jtext_string(value, room, value.size + 1, &length))
        return;
    for (size_t i = 0; i < length && !raw; i++)
        if ((unsigned char)room[i] < ' ' || room[i] == 0x7f)
            room[i] = '?';
    text_wrote(out, length);
}

void show_data(struct text *out, struct bytes data, struct bytes data_b64)
{
    if (data_b64.size > 0)
        show_string(out, data_b64, false);
    else if (jtext_is_string(data))
        show_string(out, data, !isatty(STDOUT_FILENO));
    else
        text_add(out, data);
}
