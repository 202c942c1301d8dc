#include "edge/shell/api_ref.h"

#include "common/base/jtext.h"

static const char name[] = "ref";

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static void begin_key(struct ref_scan *s)
{
    s->value = s->is_ref = false;
    s->key_size = 0;
}

static void begin_value(struct ref_scan *s)
{
    s->is_ref = s->key_size == sizeof name - 1;
    s->value = true;
    s->text_size = 0;
}

/* A value counts only with its end: the rest of an incomplete number is
 * unknown. Of two refs JSON means the last. */
static void end_value(struct ref_scan *s)
{
    struct bytes text = bytes_of(s->text, s->text_size);

    if (!s->value || !s->is_ref || text.size > API_REF_SIZE)
        return;
    while (text.size > 0 && is_blank(text.data[text.size - 1]))
        text.size--;
    if (jtext_is_scalar(text) && jtext_valid(text)) {
        memcpy(s->found, text.data, text.size);
        s->found_size = text.size;
    }
}

/* Takes a byte of a key, or of the ref's value. */
static void keep(struct ref_scan *s, uint8_t c)
{
    if (!s->value) {
        bool fits =
            s->key_size < sizeof name - 1 && c == (uint8_t)name[s->key_size];
        s->key_size = fits ? s->key_size + 1 : SIZE_MAX;
    } else if (s->is_ref) {
        if (s->text_size == 0 && is_blank(c))
            return;
        if (s->text_size < API_REF_SIZE)
            s->text[s->text_size++] = c;
        else
            s->text_size = SIZE_MAX;
    }
}

static void take_in_string(struct ref_scan *s, uint8_t c)
{
    bool ends = c == '"' && !s->escaped;

    if (s->depth == 1 && (s->value || !ends))
        keep(s, c);
    s->escaped = c == '\\' && !s->escaped;
    s->in_string = !ends;
}

static void take_between(struct ref_scan *s, uint8_t c)
{
    if (s->depth == 1 && (c == ',' || c == '}'))
        end_value(s);
    if (s->depth == 1 && c == ',')
        begin_key(s);
    else if (s->depth == 1 && c == ':' && !s->value)
        begin_value(s);
    else if (s->depth == 1 && (s->value || c == '"')) {
        if (s->value)
            keep(s, c);
        else
            s->key_size = 0;
    }
    if (c == '"') {
        s->in_string = true;
        s->escaped = false;
    } else if (c == '{' || c == '[') {
        if (s->depth++ == 0)
            begin_key(s);
    } else if ((c == '}' || c == ']') && s->depth > 0) {
        s->depth--;
    }
}

void ref_scan_take(struct ref_scan *s, struct bytes piece)
{
    for (size_t i = 0; i < piece.size; i++) {
        if (s->in_string)
            take_in_string(s, piece.data[i]);
        else
            take_between(s, piece.data[i]);
    }
}

struct bytes ref_scan_found(const struct ref_scan *s)
{
    return bytes_of(s->found, s->found_size);
}
