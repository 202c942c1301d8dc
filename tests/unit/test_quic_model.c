#include "kit.h"

#include "tests/sim/quic_model.h"

#include <stdlib.h>

enum { FLIGHTS = 4096, DELAY_MS = 10 };

/* Two ends and the way between, which loses and reorders as it is told. */
struct end {
    struct quic_model *q;
    struct address address; /* as the other end sees it */
    bool open, failed, ended;
    uint32_t next_number; /* of the packets that came */
    size_t sent, largest; /* datagrams */
};

struct flight {
    bool used;
    struct instant at;
    int to;
    struct address from;
    uint8_t bytes[QUIC_MODEL_MOST];
    size_t size;
};

struct model_pair {
    struct end ends[2]; /* the client first */
    struct instant now;
    struct rng rng;
    unsigned loss_percent;
    size_t mtu;
    bool down;
    struct flight flights[FLIGHTS];
    size_t flying;
};

static struct address address_at(uint16_t port)
{
    return (struct address){
        .family = ADDRESS_V4, .ip = {192, 0, 2, 1}, .port = port};
}

static struct model_pair *make_pair(uint8_t other_secret)
{
    struct model_pair *p = calloc(1, sizeof(*p));

    assert_non_null(p);
    p->now = (struct instant){1000000};
    p->rng.state = 7;
    p->mtu = 1472;
    for (int i = 0; i < 2; i++) {
        struct quic_model_conf conf = {.client = i == 0,
                                       .secret = {i == 0 ? 1 : other_secret},
                                       .remote = address_at(i == 0 ? 2 : 1),
                                       .rng = {(uint64_t)i}};

        p->ends[i].address = address_at(i == 0 ? 1 : 2);
        p->ends[i].q = quic_model_new(&conf, p->now);
    }
    return p;
}

static void free_pair(struct model_pair *p)
{
    quic_model_free(&p->ends[0].q);
    quic_model_free(&p->ends[1].q);
    free(p);
}

static void fly(struct model_pair *p, int from,
                const struct quic_model_do *todo)
{
    size_t i = 0;
    struct end *end = &p->ends[from];

    end->sent++;
    if (todo->bytes.size > end->largest)
        end->largest = todo->bytes.size;
    if (p->down || todo->bytes.size > p->mtu ||
        rng_chance(&p->rng, p->loss_percent) ||
        !address_equal(&todo->to, &p->ends[1 - from].address))
        return;
    while (p->flights[i].used)
        assert_true(++i < FLIGHTS);
    p->flying++;
    p->flights[i] = (struct flight){.used = true, .to = 1 - from};
    p->flights[i].at =
        instant_after(p->now, span_ms(DELAY_MS + rng_between(&p->rng, 0, 3)));
    p->flights[i].from = end->address;
    p->flights[i].size = todo->bytes.size;
    memcpy(p->flights[i].bytes, todo->bytes.data, todo->bytes.size);
}

/* Packets are numbered, and hold their number in each word. */
static void check_packet(struct end *end, struct bytes bytes)
{
    struct reader r = reader_of(bytes);

    while (reader_left(&r) >= 4)
        assert_int_equal(read_u32(&r), end->next_number);
    end->next_number++;
}

static void act(struct model_pair *p, int side)
{
    struct end *end = &p->ends[side];
    struct quic_model_do todo;

    while (quic_model_next(end->q, &todo, p->now))
        switch (todo.action) {
        case QUIC_MODEL_OPENED:
            end->open = true;
            break;
        case QUIC_MODEL_PACKET:
            check_packet(end, todo.bytes);
            break;
        case QUIC_MODEL_DATAGRAM:
            fly(p, side, &todo);
            break;
        case QUIC_MODEL_FAILED:
            end->failed = true;
            break;
        case QUIC_MODEL_ENDED:
            end->ended = true;
            break;
        }
}

static void arrive(struct model_pair *p)
{
    for (size_t i = 0; p->flying > 0 && i < FLIGHTS; i++) {
        struct flight *f = &p->flights[i];

        if (!f->used || !instant_reached(f->at, p->now))
            continue;
        f->used = false;
        p->flying--;
        quic_model_take(p->ends[f->to].q, &f->from, bytes_of(f->bytes, f->size),
                        p->now);
        act(p, f->to);
    }
}

static void run(struct model_pair *p, int64_t ms)
{
    for (int64_t i = 0; i < ms; i++) {
        p->now = instant_after(p->now, span_ms(1));
        arrive(p);
        for (int side = 0; side < 2; side++) {
            if (instant_reached(quic_model_deadline(p->ends[side].q), p->now))
                quic_model_due(p->ends[side].q, p->now);
            act(p, side);
        }
    }
}

static void send_packet(struct model_pair *p, int side, uint32_t number,
                        size_t words)
{
    uint8_t *bytes = malloc(4 * words);
    struct writer w;

    assert_non_null(bytes);
    w = writer_of(bytes, 4 * words);
    for (size_t i = 0; i < words; i++)
        write_u32(&w, number);
    quic_model_send(p->ends[side].q, writer_bytes(&w));
    act(p, side);
    free(bytes);
}

static struct model_pair *open_pair(void)
{
    struct model_pair *p = make_pair(1);

    run(p, 100);
    assert_true(p->ends[0].open && p->ends[1].open);
    return p;
}

/* --- opening ----------------------------------------------------------- */

static void opens_within_two_round_trips(void **state)
{
    struct model_pair *p = open_pair();

    (void)state;
    free_pair(p);
}

static void another_secret_never_opens(void **state)
{
    struct model_pair *p = make_pair(2);

    (void)state;
    run(p, 4900);
    assert_false(p->ends[0].failed);
    run(p, 200);
    for (int i = 0; i < 2; i++)
        assert_true(p->ends[i].failed && !p->ends[i].open);
    free_pair(p);
}

static void a_way_too_narrow_never_opens(void **state)
{
    struct model_pair *p = make_pair(1);

    (void)state;
    p->mtu = QUIC_MODEL_LEAST - 1;
    run(p, 5100);
    assert_true(p->ends[0].failed && p->ends[1].failed);
    free_pair(p);
}

/* --- packets ----------------------------------------------------------- */

static void packets_arrive_once_and_in_order(void **state)
{
    struct model_pair *p = open_pair();

    (void)state;
    p->loss_percent = 20;
    for (uint32_t i = 0; i < 300; i++)
        for (int side = 0; side < 2; side++)
            send_packet(p, side, i, i % 50 == 0 ? 16000 : 1 + i % 400);
    run(p, 50000);
    for (int side = 0; side < 2; side++) {
        assert_int_equal(p->ends[side].next_number, 300);
        assert_int_equal(quic_model_waiting(p->ends[side].q), 0);
    }
    free_pair(p);
}

static void what_is_not_acknowledged_waits(void **state)
{
    struct model_pair *p = open_pair();

    (void)state;
    p->down = true;
    send_packet(p, 0, 0, 10000);
    assert_int_equal(quic_model_waiting(p->ends[0].q), 40004);
    run(p, 5000);
    assert_int_equal(quic_model_waiting(p->ends[0].q), 40004);
    p->down = false;
    run(p, 8000);
    assert_int_equal(quic_model_waiting(p->ends[0].q), 0);
    assert_int_equal(p->ends[1].next_number, 1);
    free_pair(p);
}

static void larger_datagrams_are_tried_and_kept(void **state)
{
    struct model_pair *p = open_pair();

    (void)state;
    run(p, 1000);
    send_packet(p, 0, 0, 10000);
    run(p, 1000);
    assert_int_equal(p->ends[0].largest, QUIC_MODEL_MOST);
    assert_int_equal(p->ends[1].next_number, 1);
    /* The way becomes narrow: what is large goes on to vanish. */
    p->mtu = QUIC_MODEL_LEAST;
    send_packet(p, 0, 1, 10000);
    run(p, 20000);
    assert_int_equal(p->ends[1].next_number, 1);
    free_pair(p);
}

static void a_queue_grows_while_datagrams_do(void **state)
{
    struct model_pair *p = open_pair();

    (void)state;
    for (uint32_t i = 0; i < 400; i++) {
        send_packet(p, 0, i, 2000 + i);
        run(p, 1);
    }
    run(p, 5000);
    assert_int_equal(p->ends[0].largest, QUIC_MODEL_MOST);
    assert_int_equal(p->ends[1].next_number, 400);
    free_pair(p);
}

static void a_narrow_way_carries_packets(void **state)
{
    struct model_pair *p = make_pair(1);

    (void)state;
    p->mtu = QUIC_MODEL_LEAST;
    run(p, 5000);
    send_packet(p, 0, 0, 10000);
    run(p, 1000);
    assert_int_equal(p->ends[1].next_number, 1);
    free_pair(p);
}

/* --- ends -------------------------------------------------------------- */

static void silence_ends_it_after_a_minute(void **state)
{
    struct model_pair *p = open_pair();

    (void)state;
    p->down = true;
    run(p, 59000);
    assert_false(p->ends[0].ended || p->ends[1].ended);
    run(p, 1500);
    assert_true(p->ends[0].ended && p->ends[1].ended);
    free_pair(p);
}

static void idle_costs_six_datagrams_a_minute(void **state)
{
    struct model_pair *p = open_pair();
    size_t before;

    (void)state;
    run(p, 10000);
    before = p->ends[0].sent + p->ends[1].sent;
    run(p, 10 * 60000);
    assert_in_range(p->ends[0].sent + p->ends[1].sent - before, 40, 60);
    assert_false(p->ends[0].ended || p->ends[1].ended);
    free_pair(p);
}

static void closing_is_told(void **state)
{
    struct model_pair *p = open_pair();

    (void)state;
    quic_model_close(p->ends[1].q);
    act(p, 1);
    run(p, 20);
    assert_true(p->ends[0].ended);
    assert_false(p->ends[1].ended);
    free_pair(p);
}

static void the_server_follows_the_client(void **state)
{
    struct model_pair *p = open_pair();

    (void)state;
    p->ends[0].address = address_at(77);
    send_packet(p, 0, 0, 100);
    run(p, 100);
    send_packet(p, 1, 0, 100);
    run(p, 100);
    assert_int_equal(p->ends[0].next_number, 1);
    assert_int_equal(p->ends[1].next_number, 1);
    free_pair(p);
}

static void the_client_does_not_follow_the_server(void **state)
{
    struct model_pair *p = open_pair();

    (void)state;
    p->ends[1].address = address_at(77);
    send_packet(p, 1, 0, 100);
    run(p, 10000);
    assert_int_equal(p->ends[0].next_number, 0);
    free_pair(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_within_two_round_trips),
        cmocka_unit_test(another_secret_never_opens),
        cmocka_unit_test(a_way_too_narrow_never_opens),
        cmocka_unit_test(packets_arrive_once_and_in_order),
        cmocka_unit_test(what_is_not_acknowledged_waits),
        cmocka_unit_test(larger_datagrams_are_tried_and_kept),
        cmocka_unit_test(a_queue_grows_while_datagrams_do),
        cmocka_unit_test(a_narrow_way_carries_packets),
        cmocka_unit_test(silence_ends_it_after_a_minute),
        cmocka_unit_test(idle_costs_six_datagrams_a_minute),
        cmocka_unit_test(closing_is_told),
        cmocka_unit_test(the_server_follows_the_client),
        cmocka_unit_test(the_client_does_not_follow_the_server),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
