#include "edge/term/chat_view.h"

#include "edge/term/sanitize.h"

/* Joins the lines of a message by " / ", so that no line of it can pass for
 * another user's message. */
static void add_words(struct text *out, const struct chat_entry *entry)
{
    sanitize_add(out, bytes_of_string(entry->text), SANITIZE_LINE);
}

static void add_mark(struct text *out, const struct chat_entry *entry)
{
    if (entry->mark[0] == '\0')
        return;
    text_add_string(out, " (");
    text_add_string(out, entry->mark);
    text_add_char(out, ')');
}

void chat_line(const struct chat_entry *entry, struct text *out)
{
    switch (entry->kind) {
    case CHAT_NOTE:
    case CHAT_HINT:
        text_add_string(out, "* ");
        break;
    case CHAT_HEARD:
        text_add_string(out, entry->who);
        text_add_string(out, ": ");
        break;
    case CHAT_HEARD_PRIVATE:
        text_add_string(out, entry->who);
        text_add_string(out, " (to you): ");
        break;
    case CHAT_SAID:
        text_add_string(out, "you: ");
        break;
    case CHAT_SAID_PRIVATE:
        text_add_string(out, "you (to ");
        text_add_string(out, entry->who);
        text_add_string(out, "): ");
        break;
    }
    add_words(out, entry);
    add_mark(out, entry);
    text_add_char(out, '\n');
}
