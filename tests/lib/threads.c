/*
 * threads - eight threads send, request and publish through two nodes, in both
 * directions, while other nodes come and go in the same process. One node has a
 * thread of its own, the other a loop here, which sends as a ninth.
 *
 *     threads [MESSAGES]     of each thread; 2000, at most 5000, so that all of
 *                            them fit a queue
 *
 * Each message carries its thread and number. Each accepted message must arrive
 * once, in its thread's order, and its callback must run once. Prints the
 * counts; exits with 1 if anything is wrong. It uses nothing but the library.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zeroservices.h>

enum {
    THREADS = 8,
    SENDERS = THREADS + 1,
    MOST = 5000,
    GUESTS = 6,
    PATIENCE_S = 110,
    SIZE = 200
};

/* A message of a thread; its callback gets a pointer to this. */
struct sent_message {
    atomic_int told;
    atomic_int error;
};

static struct zs_node *nodes[2];
static struct sent_message sent[SENDERS][MOST];
static int each = 2000;
static atomic_bool meeting = true, over;
static atomic_int wrong, delivered, replied, published, heard, missed, joins;
/* The next expected number of each thread. Only the receiver's loop uses it. */
static int next_message[SENDERS], next_event[SENDERS];
static atomic_int messages[SENDERS], events[SENDERS];

static void complain(const char *what, int thread, int number)
{
    if (atomic_fetch_add(&wrong, 1) < 20)
        fprintf(stderr, "thread %d, number %d: %s\n", thread, number, what);
}

/* ---- The kinds of messages: each thread sends them in turn */

enum kind { SEND, REQUEST, PUBLISH };

static enum kind kind_of(int number)
{
    return number % 8 == 3 ? PUBLISH : number % 8 == 6 ? REQUEST : SEND;
}

static bool is_event(int number)
{
    return kind_of(number) == PUBLISH;
}

/* ---- Callbacks */

static void told(struct sent_message *s, enum zs_error error)
{
    atomic_store(&s->error, (int)error);
    atomic_fetch_add(&s->told, 1);
}

static void on_delivered(void *context, const struct zs_delivery *d)
{
    atomic_fetch_add(&delivered, d->error == ZS_OK);
    told(context, d->error);
}

static void on_published(void *context, const struct zs_delivery *d)
{
    atomic_fetch_add(&published, d->error == ZS_OK);
    told(context, d->error);
}

static void on_replied(void *context, enum zs_error error,
                       const struct zs_message *reply)
{
    if ((reply != NULL) != (error == ZS_OK))
        complain("a reply without its message", -1, -1);
    atomic_fetch_add(&replied, error == ZS_OK);
    told(context, error);
}

/* Checks the number of a message. `next` holds the expected numbers of
 * messages, or of publications (`of_events`). */
static void take(const struct zs_message *m, int *next, bool of_events,
                 atomic_int *count)
{
    char text[SIZE], *space, *end;
    long thread = strtol(zs_text(m, text, sizeof text), &space, 10);
    int number = (int)strtol(space, &end, 10);

    if (*space != ' ' || end == space || thread < 0 || thread >= SENDERS) {
        complain("a message that nobody sent", -1, -1);
        return;
    }
    while (next[thread] < each && is_event(next[thread]) != of_events)
        next[thread]++;
    bool jumps = of_events &&
                 atomic_load(&missed) > 0; /* numbers may jump after a gap */
    if (number < next[thread] || (number > next[thread] && !jumps))
        complain("not in order", (int)thread, number);
    next[thread] = number + 1;
    atomic_fetch_add(&count[thread], 1);
}

static void on_message(void *context, const struct zs_message *m)
{
    (void)context;
    atomic_fetch_add(&heard, 1);
    if (strcmp(m->type, "guest") == 0)
        return;
    take(m, next_message, false, messages);
    if (m->request != NULL &&
        zs_reply(m->node, m->request, "reply", m->data, NULL, NULL) != ZS_OK)
        complain("a reply was refused", -1, -1);
}

static void on_event(void *context, const struct zs_message *m)
{
    (void)context;
    take(m, next_event, true, events);
}

static void on_gap(void *context, struct zs_node *node,
                   const struct zs_peer *peer, uint64_t count)
{
    (void)context, (void)node, (void)peer;
    atomic_fetch_add(&missed, (int)count);
}

static void on_new_node(void *context, struct zs_node *node,
                        const struct zs_peer *peer)
{
    (void)context, (void)node;
    if (strcmp(peer->name, "a") == 0 || strcmp(peer->name, "b") == 0)
        atomic_fetch_add(&joins, 1);
}

/* ---- The threads */

static enum zs_error hand_in(struct zs_node *node, const char *to, int thread,
                             int number)
{
    struct sent_message *s = &sent[thread][number];
    char text[SIZE];

    memset(text, '.', sizeof text);
    text[snprintf(text, sizeof text, "%d %d", thread, number)] = ' ';
    struct zs_data data = {text, sizeof text, ZS_STRING};
    switch (kind_of(number)) {
    case PUBLISH:
        return zs_publish(node, "talkers", "n", data, on_published, s);
    case REQUEST:
        return zs_request(node, to, "n", data, PATIENCE_S * 1000, on_replied,
                          s);
    case SEND:
        break;
    }
    return zs_send(node, to, "n", data, on_delivered, s);
}

static void look_around(struct zs_node *node)
{
    struct zs_peers *peers = zs_peers_get(node);
    struct zs_relays *relays = zs_relays_get(node);

    for (size_t i = 0; i < zs_peers_count(peers); i++)
        if (strlen(zs_peers_at(peers, i)->id) != 64)
            complain("a peer without an id", -1, -1);
    zs_peers_free(&peers);
    zs_relays_free(&relays);
}

/* A thread that only reads the node's state. */
static void *watch(void *context)
{
    (void)context;
    while (!atomic_load(&over)) {
        look_around(nodes[0]);
        look_around(nodes[1]);
        usleep(100);
    }
    return NULL;
}

static void *run(void *context)
{
    int thread = *(int *)context;
    struct zs_node *node = nodes[thread % 2];

    for (int i = 0; i < each; i++) {
        enum zs_error error;
        while ((error = hand_in(node, thread % 2 ? "a" : "b", thread, i)) ==
               ZS_BUSY)
            usleep(1000); /* A node without a thread cannot wake a waiter. */
        if (error != ZS_OK)
            complain("refused", thread, i);
        if (i % 64 == 0) {
            zs_ping(node, thread % 2 ? "a" : "b", 0, NULL, NULL);
            zs_join(node, "others");
            zs_leave(node, "others");
        }
    }
    return NULL;
}

/* Runs b by a loop of the program, which sends some messages in each turn. */
static void *run_loop(void *context)
{
    int number = 0;

    (void)context;
    while (!atomic_load(&over)) {
        struct pollfd fd = {.fd = zs_node_fd(nodes[1]), .events = POLLIN};
        int timeout = zs_node_timeout(nodes[1]);
        if (number < each && !atomic_load(&meeting))
            timeout = 0;
        poll(&fd, 1, timeout < 0 || timeout > 20 ? 20 : timeout);
        zs_node_process(nodes[1]);
        for (int i = 0; i < 8 && number < each && !atomic_load(&meeting); i++) {
            enum zs_error error = hand_in(nodes[1], "a", THREADS, number);
            if (error == ZS_BUSY)
                break;
            if (error != ZS_OK)
                complain("refused", THREADS, number);
            number++;
        }
    }
    return NULL;
}

/* ---- Nodes */

static int free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t size = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &size) != 0)
        exit(2);
    close(fd);
    return ntohs(a.sin_port);
}

static void set(struct zs_options *o, const char *key, const char *value)
{
    if (zs_options_set(o, key, value) == ZS_OK)
        return;
    fprintf(stderr, "%s\n", zs_options_error(o));
    exit(2);
}

/* Opens a node that connects to the port `other`. */
static struct zs_node *open_node(const char *name, int port, int other,
                                 const struct zs_callbacks *on)
{
    struct zs_options *o = zs_options_new();
    struct zs_node *node = NULL;
    char text[64];

    zs_options_passphrase(o, name, "only for this test");
    zs_options_wait(o, 1);
    set(o, "discovery.multicast", "false");
    set(o, "listen.interfaces", "");
    set(o, "listen.interfaces", "lo");
    set(o, "node.groups", "talkers");
    set(o, "limits.window", "256KiB");
    snprintf(text, sizeof text, "%d", port);
    set(o, "listen.port", text);
    snprintf(text, sizeof text, "127.0.0.1:%d", other);
    set(o, "discovery.peers", text);
    if (zs_node_open(&node, o, on) != ZS_OK)
        complain(zs_options_error(o), -1, -1);
    zs_options_free(&o);
    return node;
}

/* Opens nodes that send a message if they can, and close again: with a thread,
 * by the loop of this thread, or without having run at all. */
static void have_guests(int a)
{
    for (int i = 0; i < GUESTS; i++) {
        struct zs_node *guest = open_node("guest", 0, a, NULL);
        if (i % 3 == 0)
            zs_node_start(guest);
        else if (i % 3 == 1)
            for (int k = 0; k < 40; k++, usleep(5000))
                zs_node_process(guest);
        if (i % 3 == 0)
            usleep(200 * 1000);
        zs_send(guest, "a", "guest", zs_string("hello"), NULL, NULL);
        zs_node_close(&guest);
    }
}

/* ---- The result */

static bool told_all(void)
{
    for (int t = 0; t < SENDERS; t++)
        for (int i = 0; i < each; i++)
            if (atomic_load(&sent[t][i].told) == 0)
                return false;
    return true;
}

/* Counts the messages, or the publications, of one thread. */
static int count_of(bool of_events)
{
    int count = 0;

    for (int i = 0; i < each; i++)
        count += is_event(i) == of_events;
    return count;
}

static bool all_events_came(void)
{
    int lost = 0;

    for (int t = 0; t < SENDERS; t++)
        lost += count_of(true) - atomic_load(&events[t]);
    return lost == atomic_load(&missed);
}

static void judge(void)
{
    for (int t = 0; t < SENDERS; t++) {
        if (atomic_load(&messages[t]) != count_of(false))
            complain("messages were lost", t, atomic_load(&messages[t]));
        for (int i = 0; i < each; i++) {
            if (atomic_load(&sent[t][i].told) != 1)
                complain("not told once", t, i);
            if (atomic_load(&sent[t][i].error) != ZS_OK)
                complain(zs_error_name(
                             (enum zs_error)atomic_load(&sent[t][i].error)),
                         t, i);
        }
    }
    if (!all_events_came())
        complain("publications were lost", -1, -1);
}

int main(int argc, char **argv)
{
    struct zs_callbacks on = {.on_new_node = on_new_node,
                              .on_message = on_message,
                              .on_event = on_event,
                              .on_gap = on_gap};
    pthread_t threads[THREADS], watcher, loop;
    int numbers[THREADS];
    int a = free_port(), b = free_port();

    if (argc > 1)
        each = (int)strtol(argv[1], NULL, 10);
    if (each < 1 || each > MOST)
        return 2;
    alarm(PATIENCE_S); /* Ends what hangs. */
    nodes[0] = open_node("a", a, b, &on);
    nodes[1] = open_node("b", b, a, &on);
    if (zs_node_start(nodes[0]) != ZS_OK)
        return 2;
    pthread_create(&loop, NULL, run_loop, NULL);
    while (atomic_load(&joins) < 2)
        usleep(1000);
    atomic_store(&meeting, false);
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        pthread_create(&threads[i], NULL, run, &numbers[i]);
    }
    pthread_create(&watcher, NULL, watch, NULL);
    have_guests(a);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    while (!told_all() || !all_events_came())
        usleep(1000);
    atomic_store(&over, true);
    pthread_join(watcher, NULL);
    pthread_join(loop, NULL);
    zs_node_close(&nodes[0]);
    zs_node_close(&nodes[1]);
    judge();
    printf("%d delivered, %d replied, %d published, %d missed, %d heard, "
           "%d wrong\n",
           atomic_load(&delivered), atomic_load(&replied),
           atomic_load(&published), atomic_load(&missed), atomic_load(&heard),
           atomic_load(&wrong));
    return atomic_load(&wrong) != 0;
}
