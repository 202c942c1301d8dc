/* chat - a chat in a terminal: a line goes to all, "@bob text" only to bob. The
 * node runs in the program's own loop, without a thread.   ./chat alice.yaml */
#include <poll.h>
#include <stdio.h>
#include <zeroservices.h>

static void said(void *context, const struct zs_message *m)
{
    char text[1024];
    struct zs_message part = *m;
    int at = 0; /* offset of the text in {"text":"..."}, a web page's form */
    (void)context;
    if (m->data.size > 1 && *(const char *)m->data.bytes == '{')
        sscanf(zs_text(m, text, sizeof text), "{ \"text\" : %n", &at);
    part.data.bytes = (const char *)m->data.bytes + at;
    part.data.size -= at > 0 ? (size_t)at + 1 : 0;
    printf("%s: %s\n", m->name, zs_text(&part, text, sizeof text));
}
static void joins(void *context, struct zs_node *n, const struct zs_peer *peer)
{
    (void)context, (void)n;
    printf("* %s joins\n", peer->name);
}
static void leaves(void *context, struct zs_node *n, const struct zs_peer *peer,
                   enum zs_reason reason)
{
    (void)context, (void)n;
    printf("* %s leaves: %s\n", peer->name, zs_reason_name(reason));
}
static void done(void *context, const struct zs_delivery *d)
{
    (void)context;
    if (d->error != ZS_OK)
        printf("* not delivered: %s\n", zs_error_text(d->error));
}
int main(int argc, char **argv)
{
    struct zs_callbacks on = {NULL, joins, leaves, said, .on_event = said};
    struct zs_options *options = zs_options_new();
    struct zs_node *node;
    char line[1024], to[64], text[1024];

    if (zs_options_load(options, argc > 1 ? argv[1] : "edge.yaml") != ZS_OK ||
        zs_node_open(&node, options, &on) != ZS_OK)
        return fprintf(stderr, "%s\n", zs_options_error(options));
    struct pollfd fds[] = {{zs_node_fd(node), POLLIN, 0}, {0, POLLIN, 0}};
    setvbuf(stdin, NULL, _IONBF, 0), setvbuf(stdout, NULL, _IOLBF, 0);
    while (zs_node_process(node) == ZS_OK) {
        poll(fds, 2, zs_node_timeout(node));
        if (!fds[1].revents)
            continue;
        if (!fgets(line, sizeof line, stdin))
            break;
        if (sscanf(line, "@%63s %1023[^\n]", to, text) == 2)
            zs_send(node, to, "chat", zs_string(text), done, NULL);
        else if (sscanf(line, "%1023[^\n]", text) == 1)
            zs_publish(node, NULL, "chat", zs_string(text), done, NULL);
    }
    zs_node_close(&node), zs_options_free(&options);
}
