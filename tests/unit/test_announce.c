/*
 * When a node sends its announcement: a node, whose relay the test plays
 * [P-7.2].
 */
#include "kit.h"

#include "edge/core/node.h"

#include <sodium.h>

struct announce_world {
    struct node *node;
    struct instant now;
    uint32_t link;
    size_t hellos, announcements;
};

static struct node *make(struct instant now)
{
    uint8_t mesh_secret[64], public_key[32], secret_key[64];
    uint8_t mesh_seed[32] = {7}, seed[32] = {1}, room[CERTIFICATE_SIZE];
    struct certificate c = {.not_after = UINT64_MAX, .name = "alice"};

    crypto_sign_seed_keypair(c.mesh.key, mesh_secret, mesh_seed);
    crypto_sign_seed_keypair(public_key, secret_key, seed);
    memcpy(c.node.key, public_key, 32);
    struct node_conf conf = {
        .certificate = certificate_sign(&c, mesh_secret, room),
        .epoch = {1},
        .relay = true,
        .tcp = true,
        .share_addresses = true,
        .relay_count = 1,
        .beacon_interval = span_s(1),
        .probe = span_s(1),
        .lost_after = span_s(3),
        .limits = {.message = 1 << 20,
                   .window = 1 << 18,
                   .peers = 64,
                   .links = 64},
    };
    memcpy(conf.secret_key, secret_key, 64);
    return node_new(&conf, now);
}

static void step(struct announce_world *w, const struct node_event *event)
{
    struct node_event e = event != NULL ? *event : (struct node_event){0};
    struct todo todo;

    todo_init(&todo);
    node_step(w->node, w->now, &e, event != NULL, &todo);
    for (size_t i = 0; i < todo.count; i++) {
        const struct node_todo *t = &todo.items[i];
        if (t->kind == NODE_CONNECT_RELAY)
            w->link = t->link.id;
        if (t->kind == NODE_WRITE && t->link.bytes.data[0] == RELAY_HELLO)
            w->hellos++;
        if (t->kind == NODE_WRITE && t->link.bytes.data[0] == RELAY_ANNOUNCE)
            w->announcements++;
    }
    todo_close(&todo);
}

static void has_address(struct announce_world *w, uint8_t last)
{
    struct address a = {
        .family = ADDRESS_V4, .ip = {198, 18, 1, last}, .port = 7};

    step(w, &(struct node_event){.kind = NODE_ADDRESSES_ARE,
                                 .addresses = {.list = &a, .count = 1}});
}

static void is_welcome(struct announce_world *w)
{
    uint8_t room[256];
    struct writer out = writer_of(room, sizeof room);

    relay_welcome_encode(
        &(struct relay_welcome){.version = PROTOCOL_VERSION, .name = "relay"},
        &out);
    struct bytes packet = writer_bytes(&out);
    step(w, &(struct node_event){.kind = NODE_LINK_PACKET,
                                 .link = {.id = w->link, .bytes = packet}});
}

/* The node's HELLO is on its way. */
static void greet(struct announce_world *w)
{
    *w = (struct announce_world){.now = {1000000}};
    w->node = make(w->now);
    has_address(w, 1);
    for (int i = 0; i < 10 && w->link == 0; i++) {
        w->now = instant_max(w->now, node_deadline(w->node));
        step(w, NULL);
    }
    assert_int_not_equal(w->link, 0);
    step(w, &(struct node_event){.kind = NODE_LINK_OPENED,
                                 .link = {.id = w->link}});
    assert_int_equal(w->hellos, 1);
}

static void a_change_before_the_welcome_is_sent_after_it(void **state)
{
    struct announce_world w;
    (void)state;

    greet(&w);
    has_address(&w, 2);
    assert_int_equal(w.announcements, 0); /* The relay would not read it yet. */
    is_welcome(&w);
    assert_int_equal(w.announcements, 1);
    has_address(&w, 3);
    assert_int_equal(w.announcements, 2);
    node_free(w.node);
}

static void the_announcement_in_the_hello_is_not_sent_again(void **state)
{
    struct announce_world w;
    (void)state;

    greet(&w);
    is_welcome(&w);
    assert_int_equal(w.announcements, 0);
    node_free(w.node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_before_the_welcome_is_sent_after_it),
        cmocka_unit_test(the_announcement_in_the_hello_is_not_sent_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
