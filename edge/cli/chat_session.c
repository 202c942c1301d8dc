#include "edge/cli/chat_session.h"

#include "common/io/clock.h"
#include "edge/cli/command.h"

static const struct span refresh_each = {2 * 1000 * 1000};

static void refresh(struct chat_session *t)
{
    struct instant now = clock_now();

    if (!chat_is_up(t->chat) || !instant_reached(t->refresh, now))
        return;
    t->refresh = instant_after(now, refresh_each);
    chat_refresh(t->chat, client_out(t->edge.client));
}

unsigned chat_session_turn(struct chat_session *t, int other, struct span most)
{
    struct bytes line;

    refresh(t);
    unsigned got = reconnecting_client_wait(&t->edge, other, most);
    while (reconnecting_client_line(&t->edge, &line))
        chat_take(t->chat, time(NULL), line);
    if (got & RECONNECTING_LOST)
        chat_down(t->chat, time(NULL));
    if (got & RECONNECTING_BACK)
        chat_up(t->chat, client_out(t->edge.client));
    return got;
}

enum chat_say chat_session_say(struct chat_session *t, const char *line)
{
    struct text nowhere = {0};
    bool there = t->edge.client && !t->edge.ended;
    enum chat_say done =
        chat_say(t->chat, time(NULL), line,
                 there ? client_out(t->edge.client) : &nowhere);

    text_close(&nowhere);
    return done;
}

void chat_session_finish(struct chat_session *t, struct span most)
{
    struct instant until = instant_after(clock_now(), most);

    while (chat_waiting(t->chat) > 0 && t->edge.client && !t->edge.ended &&
           !command_stopped() && !instant_reached(until, clock_now()))
        (void)chat_session_turn(t, -1, span_ms(50));
}
