/*
 * request - with a question: sends it to the first node that joins, and prints
 * the reply. Without one: replies to all requests, until it is stopped.
 *
 *     ./request bob.yaml &   ./request alice.yaml 'what time is it?'
 */
#include <poll.h>
#include <stdio.h>
#include <time.h>
#include <zeroservices.h>

static void on_message(void *context, const struct zs_message *m)
{
    char text[64];

    (void)context;
    snprintf(text, sizeof text, "%lld", (long long)time(NULL));
    if (m->request != NULL)
        zs_reply(m->node, m->request, "answer", zs_string(text), NULL, NULL);
}

static void on_reply(void *node, enum zs_error error,
                     const struct zs_message *reply)
{
    char text[256];

    puts(error ? zs_error_text(error) : zs_text(reply, text, sizeof text));
    zs_node_stop(node);
}

static void on_new_node(void *question, struct zs_node *node,
                        const struct zs_peer *peer)
{
    if (question != NULL)
        zs_request(node, peer->name, "question", zs_string(question), 2000,
                   on_reply, node);
}

int main(int argc, char **argv)
{
    struct zs_callbacks on = {.context = argc > 2 ? argv[2] : NULL,
                              .on_new_node = on_new_node,
                              .on_message = on_message};
    struct zs_options *options = zs_options_new();
    struct zs_node *node;

    if (zs_options_load(options, argc > 1 ? argv[1] : "edge.yaml") != ZS_OK ||
        zs_node_open(&node, options, &on) != ZS_OK)
        return fprintf(stderr, "%s\n", zs_options_error(options));
    struct pollfd fd = {zs_node_fd(node), POLLIN, 0};
    while (zs_node_process(node) == ZS_OK)
        poll(&fd, 1, zs_node_timeout(node));
    zs_node_close(&node);
    zs_options_free(&options);
    return 0;
}
