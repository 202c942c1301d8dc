/* One form of a relay's address: until the relay's key is proved, and no word
 * more; what each failure is called. */
#include "tests/unit/zmtp_kit.h"

#include "edge/shell/form_probe.h"

/* A pipe in memory, with a relay at its other end. */
static struct fake {
    struct byte_pipe base;
    bool made, closed, ended;
    size_t takes; /* so many bytes are taken by one write */
    size_t chunk; /* so many are given by one read */
    uint8_t in[4096];
    size_t in_at, in_size;
    struct zmtp_end relay;
    size_t sent;
    int done;
} fake;

static ssize_t fake_read(struct byte_pipe *p, uint8_t *room, size_t size)
{
    size_t n = fake.in_size - fake.in_at;

    (void)p;
    n = n < size ? n : size;
    n = n < fake.chunk ? n : fake.chunk;
    memcpy(room, fake.in + fake.in_at, n);
    fake.in_at += n;
    return n == 0 && fake.ended ? -1 : (ssize_t)n;
}

static size_t fake_write(struct byte_pipe *p, const uint8_t *data, size_t size)
{
    (void)p;
    size = size < fake.takes ? size : fake.takes;
    zmtp_kit_put(&fake.relay, data, size);
    fake.sent += size;
    return size;
}

static void fake_pause(struct byte_pipe *p, bool paused)
{
    (void)p;
    (void)paused;
}

static void fake_close(struct byte_pipe *p)
{
    (void)p;
    assert_false(fake.closed);
    fake.closed = true;
}

static const struct byte_pipe_ops fake_ops = {fake_read, fake_write, fake_pause,
                                              fake_close};

static struct byte_pipe *fake_open(uv_loop_t *loop, const struct relay_way *way,
                                   const struct byte_pipe_user *user)
{
    (void)loop;
    assert_int_equal(way->form, FORM_WSS);
    fake.base = (struct byte_pipe){.ops = &fake_ops, .user = *user};
    fake.made = true;
    return &fake.base;
}

static struct byte_pipe *no_pipe(uv_loop_t *loop, const struct relay_way *way,
                                 const struct byte_pipe_user *user)
{
    (void)loop;
    (void)way;
    (void)user;
    return NULL;
}

static void on_done(void *context)
{
    assert_ptr_equal(context, &fake);
    fake.done++;
}

struct probing {
    uv_loop_t loop;
    struct form_probe *probe;
    struct form_probe_result result;
};

static void begin(struct probing *w, relay_pipe_maker *make)
{
    struct relay_way way = {.form = FORM_WSS};
    struct curve_key key;

    memset(&fake, 0, sizeof fake);
    fake.takes = fake.chunk = 4096;
    zmtp_kit_keys(&fake.relay, 1);
    zmtp_kit_begin(&fake.relay, ZMTP_AS_SERVER, &fake.relay.keys);
    memcpy(key.key, fake.relay.keys.public_key, sizeof key.key);
    assert_int_equal(uv_loop_init(&w->loop), 0);
    w->probe =
        form_probe_open(&w->loop, make, &way, &key, &w->result, on_done, &fake);
    assert_non_null(w->probe);
}

static void finish(struct probing *w)
{
    form_probe_close(&w->probe);
    assert_null(w->probe);
    form_probe_close(&w->probe);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    assert_int_equal(fake.made, fake.closed);
}

static void answer(const void *data, size_t size)
{
    assert_true(fake.in_size + size <= sizeof fake.in);
    memcpy(fake.in + fake.in_size, data, size);
    fake.in_size += size;
}

/* The relay reads what came, and answers as a door does. */
static enum zmtp_kind relay_reads(struct zmtp_end *relay)
{
    enum zmtp_kind kind;

    while ((kind = zmtp_kit_read(relay, NULL)) == ZMTP_NEXT ||
           kind == ZMTP_HELLO) {
        if (kind == ZMTP_HELLO)
            zmtp_take_hello(&relay->z);
        answer(relay->reply.bytes, relay->reply.size);
    }
    return kind;
}

static void opened(void)
{
    fake.base.user.opened(fake.base.user.context);
}

static void ready(void)
{
    fake.base.user.ready(fake.base.user.context);
}

static void ended(enum link_failure why)
{
    fake.ended = true;
    fake.base.user.ended(fake.base.user.context, why);
}

static void greeted(void)
{
    answer(fake.relay.reply.bytes, fake.relay.reply.size);
}

/* Runs until the probe is done, or nothing more comes. */
static void talk(void)
{
    for (int i = 0; i < 2000 && fake.done == 0; i++) {
        assert_int_equal(relay_reads(&fake.relay), ZMTP_MORE);
        ready();
    }
}

static void the_relay_proves_its_key(void **state)
{
    struct probing w;
    (void)state;
    begin(&w, fake_open);
    fake.base.has_certificate = true;
    memset(fake.base.certificate, 7, sizeof fake.base.certificate);
    greeted();
    opened();
    talk();
    assert_int_equal(fake.done, 1);
    assert_int_equal(w.result.failure, 0);
    assert_int_equal(w.result.form, FORM_WSS);
    assert_true(w.result.connect.us >= 0 && w.result.hello.us >= 0);
    assert_true(w.result.has_certificate);
    assert_int_equal(w.result.certificate[31], 7);
    /* The relay has seen no INITIATE, so it knows no client. */
    assert_int_equal(fake.relay.z.state, ZMTP_AWAITS_INITIATE);
    assert_int_equal(zmtp_kit_read(&fake.relay, NULL), ZMTP_MORE);
    assert_true(fake.closed);
    finish(&w);
}

static void bytes_may_come_and_go_one_by_one(void **state)
{
    struct probing w;
    (void)state;
    begin(&w, fake_open);
    fake.takes = fake.chunk = 1;
    greeted();
    opened();
    talk();
    assert_int_equal(fake.done, 1);
    assert_int_equal(w.result.failure, 0);
    finish(&w);
}

static void has_failed(struct probing *w, enum link_failure why)
{
    assert_int_equal(fake.done, 1);
    assert_int_equal(w->result.failure, why);
    assert_true(w->result.hello.us < 0);
    finish(w);
}

static void a_pipe_that_never_opens_says_why(void **state)
{
    static const enum link_failure all[] = {
        LINK_REFUSED,     LINK_TIMEOUT,       LINK_TLS,
        LINK_PROXY_AUTH,  LINK_PROXY_REFUSED, LINK_CAPTIVE_PORTAL,
        LINK_NOT_A_RELAY, LINK_NAMELESS};
    struct probing w;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        begin(&w, fake_open);
        ended(all[i]);
        assert_true(w.result.connect.us < 0);
        assert_int_equal(fake.sent, 0);
        has_failed(&w, all[i]);
    }
    begin(&w, no_pipe);
    assert_int_equal(fake.done, 0); /* Only from the loop. */
    uv_run(&w.loop, UV_RUN_DEFAULT);
    has_failed(&w, LINK_UNREACHABLE);
}

static void another_program_is_no_relay(void **state)
{
    static const char http[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
    struct probing w;
    (void)state;
    begin(&w, fake_open);
    opened();
    answer(http, sizeof http - 1);
    ready();
    has_failed(&w, LINK_NOT_A_RELAY);

    begin(&w, fake_open); /* It closes without a word. */
    opened();
    ended(LINK_BROKEN);
    assert_true(w.result.connect.us >= 0);
    has_failed(&w, LINK_NOT_A_RELAY);

    begin(&w, fake_open); /* Or says it and closes. */
    opened();
    answer(http, sizeof http - 1);
    ended(LINK_BROKEN);
    has_failed(&w, LINK_NOT_A_RELAY);
}

static void a_relay_with_another_key_closes(void **state)
{
    struct probing w;
    (void)state;
    begin(&w, fake_open);
    zmtp_kit_keys(&fake.relay, 3);
    zmtp_kit_begin(&fake.relay, ZMTP_AS_SERVER, &fake.relay.keys);
    greeted();
    opened();
    ready();
    assert_int_equal(relay_reads(&fake.relay), ZMTP_FAILED);
    ended(LINK_BROKEN);
    has_failed(&w, LINK_WRONG_KEY);
}

static void it_may_be_closed_at_any_time(void **state)
{
    struct probing w;
    (void)state;
    begin(&w, fake_open);
    finish(&w);
    begin(&w, fake_open);
    opened();
    finish(&w);
    assert_int_equal(fake.done, 0);
    begin(&w, no_pipe);
    finish(&w);
    assert_int_equal(fake.done, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_relay_proves_its_key),
        cmocka_unit_test(bytes_may_come_and_go_one_by_one),
        cmocka_unit_test(a_pipe_that_never_opens_says_why),
        cmocka_unit_test(another_program_is_no_relay),
        cmocka_unit_test(a_relay_with_another_key_closes),
        cmocka_unit_test(it_may_be_closed_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
