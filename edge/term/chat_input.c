#include "edge/term/chat_private.h"

#include "common/base/utf8.h"
#include "common/conf/nearest.h"
#include "edge/term/glyph.h"

#include <string.h>

#define BLANKS " \t"

/* Requests a message and adds its entry. `to` is the peer's id, or NULL for
 * all. */
static void say(struct chat *c, time_t now, const char *to, const char *who,
                const char *words, struct text *out)
{
    struct chat_entry *e =
        chat_add(c, now, to ? CHAT_SAID_PRIVATE : CHAT_SAID, who, words);

    e->ref = c->next_ref++;
    text_add_string(out,
                    to ? "{\"op\":\"send\",\"to\":" : "{\"op\":\"publish\"");
    if (to)
        text_add_json(out, bytes_of_string(to));
    if (!to && c->group) {
        text_add_string(out, ",\"group\":");
        text_add_json(out, bytes_of_string(c->group));
    }
    text_add_string(out, ",\"ref\":");
    text_add_number(out, e->ref);
    text_add_string(out, ",\"type\":\"chat\",\"data\":");
    text_add_json(out, bytes_of_string(words));
    text_add_string(out, "}\n");
}

/* `rest` is "NAME TEXT", with at least one space between. */
static enum chat_say say_private(struct chat *c, time_t now, const char *rest,
                                 struct text *out)
{
    size_t length = strcspn(rest, BLANKS);
    char name[CHAT_PEER_NAME];
    const struct chat_peer *person = NULL;
    const char *words = rest + length + strspn(rest + length, BLANKS);

    if (length == 0 || length >= sizeof(name) || words[0] == '\0') {
        chat_note(c, now, CHAT_HINT,
                  "a message to one is @NAME TEXT, or /msg NAME TEXT");
        return CHAT_DONE;
    }
    if (!c->synced)
        return CHAT_AWAY;
    memcpy(name, rest, length);
    name[length] = '\0';
    if (chat_roster_named(&c->roster, name, &person) == CHAT_ROSTER_SEVERAL) {
        chat_note(c, now, CHAT_HINT,
                  "several are called %s; name one by 8 digits of its id, or "
                  "more: see zs peers",
                  name);
        return CHAT_DONE;
    }
    /* If the name is unknown here, the edge decides: it may know the peer by
     * now. */
    say(c, now, person ? person->id : name, person ? person->name : name, words,
        out);
    return CHAT_DONE;
}

static enum chat_say say_who(struct chat *c, time_t now, const char *rest,
                             struct text *out)
{
    struct text names = {0};

    (void)rest;
    (void)out;
    text_add_string(&names, "here: ");
    chat_names(c, true, &names);
    chat_add(c, now, CHAT_NOTE, "", text_string(&names));
    text_close(&names);
    return CHAT_DONE;
}

static enum chat_say say_quit(struct chat *c, time_t now, const char *rest,
                              struct text *out)
{
    (void)c;
    (void)now;
    (void)rest;
    (void)out;
    return CHAT_QUIT;
}

static enum chat_say say_help(struct chat *c, time_t now, const char *rest,
                              struct text *out);

static const struct {
    const char *name, *arguments, *help;
    enum chat_say (*run)(struct chat *c, time_t now, const char *rest,
                         struct text *out);
} commands[] = {
    {"msg", " NAME TEXT", "to one alone; @NAME TEXT is the same", say_private},
    {"who", "", "who is here, and by which path", say_who},
    {"help", "", "this", say_help},
    {"quit", "", "leaves; so do Ctrl-D and Ctrl-C", say_quit},
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static enum chat_say say_help(struct chat *c, time_t now, const char *rest,
                              struct text *out)
{
    (void)rest;
    (void)out;
    chat_note(c, now, CHAT_NOTE,
              "a line is a message to %s; //... is a line "
              "that begins with /, @@... one that begins with @",
              c->room);
    for (size_t i = 0; i < COMMANDS; i++)
        chat_note(c, now, CHAT_NOTE, "/%s%s: %s", commands[i].name,
                  commands[i].arguments, commands[i].help);
    return CHAT_DONE;
}

static enum chat_say command(struct chat *c, time_t now, const char *line,
                             struct text *out)
{
    char name[16] = "";
    size_t length = strcspn(line, BLANKS);
    const char *rest = line + length + strspn(line + length, BLANKS);
    struct nearest near = {0};

    if (length < sizeof(name))
        memcpy(name, line, length);
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return commands[i].run(c, now, rest, out);
        nearest_offer(&near, name, commands[i].name);
    }
    if (near.word)
        chat_note(c, now, CHAT_HINT, "unknown command /%.*s: did you mean /%s?",
                  (int)length, line, near.word);
    else
        chat_note(c, now, CHAT_HINT, "unknown command /%.*s; /help names all",
                  (int)length, line);
    return CHAT_DONE;
}

/* Tells whether the character is invisible; a pasted line may begin with
 * such. */
static bool is_blank(uint32_t c)
{
    return c == ' ' || (c >= 0x9 && c <= 0xd) || c == 0x85 || c == 0xa0 ||
           c == 0xad || c == 0x1680 || (c >= 0x2000 && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202f) || (c >= 0x205f && c <= 0x2064) ||
           c == 0x3000 || c == 0xfeff;
}

static const char *skip_blanks(const char *line)
{
    size_t size;

    while (*line != '\0' &&
           is_blank(glyph_decode(bytes_of_string(line), &size)))
        line += size;
    return line;
}

enum chat_say chat_say(struct chat *c, time_t now, const char *line,
                       struct text *out)
{
    const char *begun = skip_blanks(line);

    if (*begun == '\0')
        return CHAT_DONE;
    if (!utf8_valid(bytes_of_string(line))) {
        chat_note(c, now, CHAT_HINT, "not sent: the line is not UTF-8");
        return CHAT_DONE;
    }
    bool marked = *begun == '/' || *begun == '@';
    bool escaped = marked && begun[1] == *begun;
    if (*begun == '/' && !escaped)
        return command(c, now, begun + 1, out);
    if (*begun == '@' && !escaped)
        return say_private(c, now, begun + 1, out);
    if (!c->synced)
        return CHAT_AWAY;
    say(c, now, NULL, "", escaped ? begun + 1 : line, out);
    return CHAT_DONE;
}

/* --- Completion */

/* The completions found so far. `common` counts them; `word` is the last. */
struct completion {
    const char *word;
    size_t count;
};

static void offer(struct completion *f, struct bytes begun, const char *word)
{
    if (strlen(word) < begun.size || memcmp(word, begun.data, begun.size) != 0)
        return;
    f->word = word;
    f->count++;
}

static bool drop_front(struct bytes *line, const char *front)
{
    size_t length = strlen(front);

    if (line->size < length || memcmp(line->data, front, length) != 0)
        return false;
    *line = bytes_of(line->data + length, line->size - length);
    return true;
}

void chat_complete(const struct chat *c, struct bytes line, struct text *out)
{
    const struct chat_peer *person;
    struct completion found = {0};
    size_t cursor = 0;

    if (drop_front(&line, "@") || drop_front(&line, "/msg ")) {
        while ((person = chat_roster_next(&c->roster, &cursor)))
            offer(&found, line, person->name);
    } else if (drop_front(&line, "/")) {
        for (size_t i = 0; i < COMMANDS; i++)
            offer(&found, line, commands[i].name);
    }
    if (found.count != 1)
        return;
    text_add_string(out, found.word + line.size);
    text_add_char(out, ' ');
}
