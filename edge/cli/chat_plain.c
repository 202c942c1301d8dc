#include "edge/cli/chat_session.h"

#include "common/io/clock.h"
#include "edge/cli/command.h"
#include "edge/term/chat_view.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 16 * 1024, LINE_MOST = 1024 * 1024, WAITING_MOST = 64 };

static const struct span turn_most = {500 * 1000};
/* After the end of stdin the program waits this long for deliveries. */
static const struct span end_within = {10 * 1000 * 1000};

struct plain_chat {
    struct chat_session *session;
    struct text in, out;
    struct instant ended; /* when stdin ended, or never */
};

/* Prints an entry; a message of the user's own once its fate is known. */
static void told(void *context, const struct chat_entry *entry, bool is_new)
{
    struct plain_chat *l = context;

    if (!is_new || entry->fate == CHAT_NO_FATE)
        chat_line(entry, &l->out);
}

static bool may_say(const struct plain_chat *l)
{
    return chat_is_up(l->session->chat) &&
           chat_waiting(l->session->chat) < WAITING_MOST;
}

static bool has_ended(const struct plain_chat *l)
{
    return !instant_is_never(l->ended);
}

static void read_input(struct plain_chat *l)
{
    ssize_t got = read(STDIN_FILENO, text_room(&l->in, CHUNK), CHUNK);

    if (got > 0)
        text_wrote(&l->in, (size_t)got);
    else if (got == 0 || errno != EINTR)
        l->ended = clock_now();
}

/* The next whole line. The last line may lack its line end. */
static bool next_line(struct plain_chat *l, struct text *line)
{
    const char *end = l->in.size ? memchr(l->in.data, '\n', l->in.size) : NULL;
    size_t length = end ? (size_t)(end - l->in.data) : l->in.size;
    bool whole = end || (has_ended(l) && length > 0) || length > LINE_MOST;

    if (!whole)
        return false;
    text_clear(line);
    text_add(line, bytes_of(l->in.data, length));
    text_drop(&l->in, length + (end ? 1 : 0));
    return true;
}

/* Handles the lines read so far; returns true after /quit. */
static bool say_lines(struct plain_chat *l)
{
    enum chat_say said = CHAT_DONE;
    struct text line = {0};

    while (said == CHAT_DONE && may_say(l) && next_line(l, &line)) {
        if (line.size > 0 && line.data[line.size - 1] == '\r')
            line.size--;
        said = chat_session_say(l->session, text_string(&line));
    }
    text_close(&line);
    return said == CHAT_QUIT;
}

static bool write_out(struct plain_chat *l)
{
    bool written = command_write(text_bytes(&l->out));

    text_clear(&l->out);
    return written;
}

/* True once all messages are answered, or end_within has passed. */
static bool is_finished(const struct plain_chat *l)
{
    if (!has_ended(l))
        return false;
    return (l->in.size == 0 && chat_waiting(l->session->chat) == 0) ||
           instant_reached(instant_after(l->ended, end_within), clock_now());
}

static int result(const struct plain_chat *l)
{
    size_t waiting = chat_waiting(l->session->chat);

    if (!has_ended(l) || (waiting == 0 && l->in.size == 0))
        return EXIT_DONE;
    return command_fail(EXIT_NOT_DELIVERED,
                        "some messages may not have been delivered");
}

static int run_lines(struct plain_chat *l)
{
    bool hungry, quit = false;

    while (!quit && !command_stopped()) {
        const char *refused = chat_refused(l->session->chat);
        if (refused)
            return command_fail(EXIT_USAGE, "%s", refused);
        hungry = may_say(l) && !has_ended(l);
        unsigned got = chat_session_turn(l->session, hungry ? STDIN_FILENO : -1,
                                         turn_most);
        if (got & (RECONNECTING_OTHER | RECONNECTING_OTHER_ENDED))
            read_input(l);
        quit = say_lines(l);
        if (!write_out(l))
            return EXIT_FAILED;
        if (is_finished(l))
            return result(l);
    }
    chat_session_finish(l->session, span_s(1));
    return write_out(l) ? EXIT_DONE : EXIT_FAILED;
}

int chat_plain(struct chat_session *t, const char *group)
{
    struct plain_chat l = {.session = t, .ended = INSTANT_NEVER};

    t->chat = chat_new(group, told, &l);
    chat_up(t->chat, client_out(t->edge.client));
    int code = run_lines(&l);
    chat_free(t->chat);
    text_close(&l.in);
    text_close(&l.out);
    return code;
}
