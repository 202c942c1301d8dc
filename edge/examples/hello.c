/*
 * hello - greets each node that joins, and prints the messages that come.
 *
 *     cc hello.c $(pkg-config --cflags --libs zeroservices) -o hello
 *     ./hello alice secret &   ./hello bob secret
 */
#include <stdio.h>
#include <unistd.h>
#include <zeroservices.h>

static void on_new_node(void *context, struct zs_node *node,
                        const struct zs_peer *peer)
{
    (void)context;
    printf("%s is here\n", peer->name);
    zs_send(node, peer->name, "greeting", zs_string("hello"), NULL, NULL);
}

static void on_message(void *context, const struct zs_message *message)
{
    char text[256];

    (void)context;
    printf("%s says %s\n", message->name, zs_text(message, text, sizeof text));
}

int main(int argc, char **argv)
{
    struct zs_callbacks on = {.on_new_node = on_new_node,
                              .on_message = on_message};
    struct zs_options *options = zs_options_new();
    struct zs_node *node = NULL;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc < 3)
        return fprintf(stderr, "usage: hello NAME PASSPHRASE [KEY VALUE]...\n");
    enum zs_error error = zs_options_passphrase(options, argv[1], argv[2]);
    for (int i = 3; i + 1 < argc && error == ZS_OK; i += 2)
        error = zs_options_set(options, argv[i], argv[i + 1]);
    if (error == ZS_OK)
        error = zs_node_open(&node, options, &on);
    if (error == ZS_OK)
        error = zs_node_start(node);
    if (error != ZS_OK)
        return fprintf(stderr, "hello: %s\n", zs_options_error(options));
    sleep(3);
    zs_node_close(&node);
    zs_options_free(&options);
    return 0;
}
