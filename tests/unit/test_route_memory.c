/* Which form of a relay's address worked on which network. */
#include "kit.h"

#include "common/base/text.h"
#include "edge/shell/route_memory.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "routes-XXXXXX";
static char path[64];
static struct route_memory memory;
static char told[1024];

static int set_up(void **state)
{
    (void)state;
    memory = (struct route_memory){0};
    strcpy(folder, "routes-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/alice.routes", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static struct route_network network(int number)
{
    return (struct route_network){
        .router = {ADDRESS_V4, {192, 168, 0, 1}, 0, 0},
        .hardware = {2, 0, 0, 0, (uint8_t)(number >> 8), (uint8_t)number}};
}

static struct curve_key relay(int number)
{
    return (struct curve_key){{(uint8_t)number, 7}};
}

static int form(int net, int key)
{
    struct route_network n = network(net);
    struct curve_key k = relay(key);

    return route_memory_form(&memory, &n, &k);
}

static bool learn(int net, int key, enum relay_form f)
{
    struct route_network n = network(net);
    struct curve_key k = relay(key);

    return route_memory_learn(&memory, &n, &k, f);
}

static bool load(void)
{
    FILE *errors = fmemopen(told, sizeof told, "w");

    memory.count = 77;
    bool good = route_memory_load(&memory, path, errors);
    fclose(errors);
    return good;
}

static bool save(void)
{
    return route_memory_save(
        path, bytes_of((const uint8_t *)&memory, sizeof memory), stderr);
}

static void put(const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* ---- What is known */

static void each_network_and_relay_has_its_form(void **state)
{
    (void)state;
    assert_true(learn(1, 1, FORM_WS));
    assert_true(learn(2, 1, FORM_TCP));
    assert_true(learn(1, 2, FORM_WSS_PROXY));
    assert_int_equal(form(1, 1), FORM_WS);
    assert_int_equal(form(2, 1), FORM_TCP);
    assert_int_equal(form(1, 2), FORM_WSS_PROXY);
    assert_int_equal(form(2, 2), -1);
    assert_false(learn(1, 1, FORM_WS)); /* That is no news. */
    assert_true(learn(1, 1, FORM_TCP));
    assert_int_equal(form(1, 1), FORM_TCP);
    assert_int_equal(memory.count, 3);
}

static void the_oldest_makes_room(void **state)
{
    (void)state;
    for (int i = 0; i < ROUTE_MEMORY_MAX; i++)
        assert_true(learn(i, 1, FORM_WS));
    assert_true(learn(0, 1, FORM_WSS)); /* It is the newest now. */
    assert_true(learn(1000, 1, FORM_WS));
    assert_int_equal(memory.count, ROUTE_MEMORY_MAX);
    assert_int_equal(form(0, 1), FORM_WSS);
    assert_int_equal(form(1000, 1), FORM_WS);
    assert_int_equal(form(1, 1), -1);
    assert_int_equal(form(2, 1), FORM_WS);
}

static void a_network_without_a_router_is_not_kept(void **state)
{
    struct route_network none = {.hardware = {1}};
    struct curve_key key = relay(1);

    (void)state;
    assert_false(route_memory_learn(&memory, &none, &key, FORM_TCP));
    assert_int_equal(route_memory_form(&memory, &none, &key), -1);
    assert_int_equal(memory.count, 0);
}

static void without_the_hardware_address_the_newest_counts(void **state)
{
    struct route_network young = network(1);
    struct curve_key key = relay(1);

    (void)state;
    memset(young.hardware, 0, sizeof young.hardware);
    assert_false(route_memory_learn(&memory, &young, &key, FORM_TCP));
    learn(1, 1, FORM_TCP);
    learn(2, 1, FORM_WS);
    assert_int_equal(route_memory_form(&memory, &young, &key), FORM_WS);
    young.router.ip[3]++;
    assert_int_equal(route_memory_form(&memory, &young, &key), -1);
}

static void the_hardware_address_is_in_the_kernels_table(void **state)
{
    static const char arp[] =
        "IP address       HW type     Flags       HW address            Mask  "
        "   Device\n"
        "192.168.0.10     0x1         0x2         02:00:00:00:00:01     *     "
        "   eth0\n"
        "192.168.0.2      0x1         0x0         00:00:00:00:00:00     *     "
        "   eth0\n"
        "192.168.0.1      0x1         0x2         aa:bb:cc:dd:ee:0f     *     "
        "   eth0\n";
    static const uint8_t there[] = {0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0x0f};
    struct address router = {ADDRESS_V4, {192, 168, 0, 1}, 0, 0};
    uint8_t hardware[HARDWARE_SIZE];

    (void)state;
    assert_true(route_network_hardware(arp, &router, hardware));
    assert_memory_equal(hardware, there, sizeof there);
    router.ip[3] = 2; /* Not complete. */
    assert_false(route_network_hardware(arp, &router, hardware));
    router.ip[3] = 3;
    assert_false(route_network_hardware(arp, &router, hardware));
    assert_false(route_network_hardware("", &router, hardware));
    assert_false(route_network_hardware("x\n\n1.2.3.4", &router, hardware));
}

static void this_hosts_network_can_be_asked_for(void **state)
{
    (void)state;
    struct route_network n = route_network_now();
    assert_in_set(n.router.family, ((uintmax_t[]){ADDRESS_NONE, ADDRESS_V4}),
                  2);
}

/* ---- The file */

static void what_is_written_is_read(void **state)
{
    struct stat st;

    (void)state;
    for (int i = 0; i < ROUTE_MEMORY_MAX; i++)
        learn(i, i % 3, (enum relay_form)(i % RELAY_FORMS));
    assert_true(save());
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_true(load());
    assert_int_equal(memory.count, ROUTE_MEMORY_MAX);
    for (int i = 0; i < ROUTE_MEMORY_MAX; i++)
        assert_int_equal(form(i, i % 3), i % RELAY_FORMS);
    memory.count = 0;
    assert_true(save());
    assert_true(load());
    assert_int_equal(memory.count, 0);
}

static void a_file_that_is_missing_is_empty(void **state)
{
    (void)state;
    assert_true(load());
    assert_int_equal(memory.count, 0);
}

#define LINE(router, hardware, form)                                           \
    "kind: routes\nversion: 1\nroutes:\n  - " router " " hardware " "          \
    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff " form   \
    "\n"

static void a_wrong_file_is_empty(void **state)
{
    static const char *const wrong[] = {
        LINE("192.168.0", "020000000001", "tcp"),
        LINE("2001:db8::1", "020000000001", "tcp"),
        LINE("192.168.0.1:80", "020000000001", "tcp"),
        LINE("192.168.0.1", "02000000000", "tcp"),
        LINE("192.168.0.1", "02000000000001", "tcp"),
        LINE("192.168.0.1", "020000000001", "quic"),
        LINE("192.168.0.1", "020000000001", "tcp more"),
        "kind: routes\nversion: 1\nroutes:\n  - \n",
        "kind: routes\nversion: 1\nroutes:\n  - 192.168.0.1\n",
        "kind: identity\nversion: 1\n",
        "",
        "\x01\x02",
    };

    (void)state;
    put(LINE("192.168.0.1", "020000000001", "ws+proxy"));
    assert_true(load());
    assert_int_equal(memory.count, 1);
    assert_int_equal(memory.lines[0].form, FORM_WS_PROXY);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        put(wrong[i]);
        assert_false(load());
        assert_int_equal(memory.count, 0);
        assert_true(strlen(told) > 0);
    }
}

static void too_many_lines_are_wrong(void **state)
{
    struct text t = {0};

    (void)state;
    text_add_string(&t, LINE("192.168.0.1", "020000000001", "tcp"));
    for (int i = 0; i < ROUTE_MEMORY_MAX; i++)
        text_add_string(
            &t, strstr(LINE("10.0.0.1", "020000000001", "tcp"), "  - "));
    put(text_string(&t));
    text_close(&t);
    assert_false(load());
    assert_int_equal(memory.count, 0);
}

static void it_lies_beside_the_identity(void **state)
{
    char place[ROUTE_MEMORY_PATH];

    (void)state;
    route_memory_place("office/alice.zs", place);
    assert_string_equal(place, "office/alice.routes");
    route_memory_place("alice", place);
    assert_string_equal(place, "alice.routes");
    route_memory_place("", place);
    assert_string_equal(place, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_network_and_relay_has_its_form),
        TEST(the_oldest_makes_room),
        TEST(a_network_without_a_router_is_not_kept),
        TEST(without_the_hardware_address_the_newest_counts),
        TEST(the_hardware_address_is_in_the_kernels_table),
        TEST(this_hosts_network_can_be_asked_for),
        TEST(what_is_written_is_read),
        TEST(a_file_that_is_missing_is_empty),
        TEST(a_wrong_file_is_empty),
        TEST(too_many_lines_are_wrong),
        TEST(it_lies_beside_the_identity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
