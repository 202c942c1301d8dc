#include "edge/term/sanitize.h"

#include "common/base/memory.h"
#include "edge/term/glyph.h"

enum { MARKS_MOST = 4 };

static bool is_between(uint32_t c, uint32_t first, uint32_t last)
{
    return c >= first && c <= last;
}

static bool is_harmful(uint32_t c)
{
    return c < 0x20 || is_between(c, 0x7f, 0x9f) || c == 0x61c || c == 0x180e ||
           is_between(c, 0x200e, 0x200f) || is_between(c, 0x2028, 0x202e) ||
           is_between(c, 0x2060, 0x206f) || c == 0xfeff ||
           is_between(c, 0xfff9, 0xfffd) || is_between(c, 0xe0000, 0xe0fff);
}

/* Characters that join, separate or colour the ones beside them: terminals
 * disagree about the width of the result. */
static bool is_left_out(uint32_t c)
{
    return c == 0xad || is_between(c, 0x200b, 0x200d) ||
           is_between(c, 0xfe00, 0xfe0f) || is_between(c, 0x1f3fb, 0x1f3ff);
}

/* Appends the replacement of a character; false if it has none. */
static bool replace(struct text *out, uint32_t c, enum sanitize_form form)
{
    if (c == '\n')
        text_add_string(out, form == SANITIZE_LINES ? "\n" : " / ");
    else if (c == '\t')
        text_add_char(out, ' ');
    else if (is_harmful(c))
        text_add_char(out, '?');
    else
        return false;
    return true;
}

void sanitize_add(struct text *out, struct bytes text, enum sanitize_form form)
{
    size_t size, marks = 0;

    for (size_t at = 0; at < text.size; at += size) {
        uint32_t c =
            glyph_decode(bytes_of(text.data + at, text.size - at), &size);
        bool windows_end =
            c == '\r' && at + 1 < text.size && text.data[at + 1] == '\n';
        marks = glyph_width(c) == 0 ? marks + 1 : 0;
        if (windows_end || is_left_out(c) || replace(out, c, form) ||
            marks > MARKS_MOST)
            continue;
        text_add(out, bytes_of(text.data + at, size));
    }
}

char *sanitize_string(struct bytes text, enum sanitize_form form, size_t most)
{
    struct text out = {0};
    size_t taken = text.size;

    if (taken > most)
        for (taken = most; taken > most - 3; taken--)
            if ((text.data[taken] & 0xc0) != 0x80)
                break; /* Cut between two characters. */
    sanitize_add(&out, bytes_of(text.data, taken), form);
    if (taken < text.size) {
        text_add_string(&out, "... (");
        text_add_number(&out, text.size - taken);
        text_add_string(&out, " bytes more)");
    }
    text_add_char(&out, '\0');
    return out.data;
}
