#include "edge/shell/route_memory.h"

#include "common/base/hex.h"
#include "common/conf/keyfile.h"
#include "edge/shell/gateway.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const uint8_t no_hardware[HARDWARE_SIZE];

/* ---- Networks */

/* "0a:1b:2c:3d:4e:5f" */
static bool read_hardware(const char *text, uint8_t hardware[HARDWARE_SIZE])
{
    if (strlen(text) != 3 * HARDWARE_SIZE - 1)
        return false;
    for (int i = 0; i < HARDWARE_SIZE; i++) {
        const char pair[] = {text[3 * i], text[3 * i + 1], '\0'};
        if (!hex_decode(pair, hardware + i, 1))
            return false;
    }
    return memcmp(hardware, no_hardware, HARDWARE_SIZE) != 0;
}

bool route_network_hardware(const char *arp, const struct address *router,
                            uint8_t hardware[HARDWARE_SIZE])
{
    char wanted[ADDRESS_TEXT_SIZE], ip[64], text[3 * HARDWARE_SIZE];

    address_format_ip(router, wanted);
    for (const char *line = arp; line != NULL && *line != '\0';
         line = strchr(line, '\n'), line += line != NULL)
        if (sscanf(line, "%63s %*s %*s %17s", ip, text) == 2 &&
            strcmp(ip, wanted) == 0 && read_hardware(text, hardware))
            return true;
    memset(hardware, 0, HARDWARE_SIZE);
    return false;
}

struct route_network route_network_now(void)
{
    struct route_network n = {.hardware = {0}};
    struct gateway gateway;
    char arp[16 * 1024] = "";
    int fd;

    if (!gateway_find(&gateway))
        return n;
    n.router = gateway.router;
    fd = open("/proc/net/arp", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return n;
    for (size_t size = 0; size + 1 < sizeof arp;) {
        ssize_t got = read(fd, arp + size, sizeof arp - 1 - size);
        if (got <= 0)
            break;
        size += (size_t)got;
        arp[size] = '\0';
    }
    close(fd);
    (void)route_network_hardware(arp, &n.router, n.hardware);
    return n;
}

static bool knows_hardware(const struct route_network *n)
{
    return memcmp(n->hardware, no_hardware, HARDWARE_SIZE) != 0;
}

static bool is_there(const struct route_network *known,
                     const struct route_network *now)
{
    return address_same_ip(&known->router, &now->router) &&
           (!knows_hardware(now) ||
            memcmp(known->hardware, now->hardware, HARDWARE_SIZE) == 0);
}

/* ---- What is known */

/* The index of the line; `count`: there is none. */
static size_t find(const struct route_memory *m,
                   const struct route_network *network,
                   const struct curve_key *relay)
{
    size_t i = 0;

    if (network->router.family == ADDRESS_NONE)
        return m->count;
    while (i < m->count &&
           (!is_there(&m->lines[i].network, network) ||
            memcmp(m->lines[i].relay.key, relay->key, sizeof relay->key) != 0))
        i++;
    return i;
}

int route_memory_form(const struct route_memory *m,
                      const struct route_network *network,
                      const struct curve_key *relay)
{
    size_t i = find(m, network, relay);

    return i < m->count ? (int)m->lines[i].form : -1;
}

bool route_memory_learn(struct route_memory *m,
                        const struct route_network *network,
                        const struct curve_key *relay, enum relay_form form)
{
    size_t i = find(m, network, relay);
    bool known = i < m->count;

    if (network->router.family == ADDRESS_NONE || !knows_hardware(network) ||
        (known && m->lines[i].form == form))
        return false;
    if (!known && m->count < ROUTE_MEMORY_MAX)
        i = m->count++;
    else if (!known)
        i = ROUTE_MEMORY_MAX - 1;
    memmove(&m->lines[1], &m->lines[0], i * sizeof m->lines[0]);
    m->lines[0] = (struct route_memory_line){*network, *relay, form};
    return true;
}

/* ---- The file */

void route_memory_place(const char *identity, char path[ROUTE_MEMORY_PATH])
{
    size_t size = strlen(identity);
    bool ends = size > 3 && strcmp(identity + size - 3, ".zs") == 0;

    if (size == 0)
        path[0] = '\0';
    else
        snprintf(path, ROUTE_MEMORY_PATH, "%.*s.routes",
                 (int)(ends ? size - 3 : size), identity);
}

static bool form_of(const char *name, enum relay_form *form)
{
    for (int i = 0; i < RELAY_FORMS; i++)
        if (strcmp(name, relay_form_name((enum relay_form)i)) == 0) {
            *form = (enum relay_form)i;
            return true;
        }
    return false;
}

static bool read_line(const char *text, struct route_memory_line *line)
{
    char router[64], hardware[16], relay[80], form[16];
    int end = 0;

    *line = (struct route_memory_line){.form = FORM_TCP};
    return sscanf(text, "%63s %15s %79s %15s%n", router, hardware, relay, form,
                  &end) == 4 &&
           text[end] == '\0' &&
           address_of_ip(router, 0, &line->network.router) &&
           line->network.router.family == ADDRESS_V4 &&
           hex_decode(hardware, line->network.hardware, HARDWARE_SIZE) &&
           hex_decode(relay, line->relay.key, sizeof line->relay.key) &&
           form_of(form, &line->form);
}

static void read_lines(struct keyfile *k, struct route_memory *m)
{
    const struct keyfile_line *item;
    size_t cursor = 0;

    while ((item = keyfile_item(k, "routes", &cursor)) != NULL)
        if (m->count == ROUTE_MEMORY_MAX ||
            !read_line(item->value, &m->lines[m->count++])) {
            keyfile_wrong(k, "routes",
                          "a line is wrong, or there are too many");
            return;
        }
}

bool route_memory_load(struct route_memory *m, const char *path, FILE *errors)
{
    struct keyfile k;

    m->count = 0;
    if (path[0] == '\0' || access(path, F_OK) != 0)
        return true;
    if (!keyfile_open(&k, path, "routes", KEYFILE_PUBLIC, errors))
        return false;
    read_lines(&k, m);
    if (keyfile_close(&k, errors))
        return true;
    m->count = 0;
    return false;
}

static void add_line(struct keytext *text, const struct route_memory_line *l)
{
    char router[ADDRESS_TEXT_SIZE], hardware[2 * HARDWARE_SIZE + 1];
    char relay[2 * sizeof l->relay.key + 1];

    hex_encode(bytes_of(l->network.hardware, HARDWARE_SIZE), hardware);
    hex_encode(bytes_of(l->relay.key, sizeof l->relay.key), relay);
    keytext_add(text, "  - %s %s %s %s\n",
                address_format_ip(&l->network.router, router), hardware, relay,
                relay_form_name(l->form));
}

bool route_memory_save(const char *path, struct bytes memory, FILE *errors)
{
    struct keytext text = {0};
    struct route_memory m;
    bool done;

    if (memory.size != sizeof m)
        return false;
    memcpy(&m, memory.data, sizeof m);
    keytext_add(&text, "# How relays were reached: the router's address and "
                       "hardware address, the relay's key, the form.\n"
                       "kind: routes\n"
                       "version: 1\n");
    keytext_add(&text, "routes:%s\n", m.count == 0 ? " []" : "");
    for (size_t i = 0; i < m.count; i++)
        add_line(&text, &m.lines[i]);
    done = keyfile_write(path, &text, 0600, KEYFILE_REPLACE, errors);
    keytext_close(&text);
    return done;
}
