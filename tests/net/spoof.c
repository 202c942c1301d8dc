/*
 * spoof - sends many UDP datagrams over IPv4 that nobody asked for, with the
 * sources that it is told.
 *
 *     spoof KIND COUNT ADDRESS:PORT SOURCE:PORT [--rate N] [--capture FILE]
 *
 * The datagrams go to ADDRESS:PORT, at N a second (20,000). SOURCE is the
 * sender's address; `198.51.100.0` stands for a random one of that /24, and a
 * port 0 for a random one. KIND:
 *
 *     garbage   random bytes, 0 to 1,400, with any first byte
 *     requests  Binding requests of STUN
 *     answers   Binding responses of STUN to nobody's question
 *     probes    what looks like a probe between edges
 *     initial   the beginning of a QUIC connection, version 1 and others
 *     short     what looks like a packet of a QUIC connection
 *     replay    the UDP datagrams in FILE (of `tcpdump -w`), over and over
 *
 * The random numbers have a fixed seed. Prints how many were sent.
 */
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum {
    DATAGRAM_MOST = 1400,
    REPLAYED_MOST = 4096, /* datagrams of a capture */
    BURST_US = 2000,
};

struct datagram {
    size_t size;
    uint8_t bytes[DATAGRAM_MOST];
};

struct flood {
    const char *kind;
    uint64_t count, rate;
    struct sockaddr_in to, from;
    struct datagram *replayed;
    size_t replayed_count;
};

static void fail(const char *what)
{
    fprintf(stderr, "spoof: %s\n", what);
    exit(1);
}

static uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static uint64_t random64(void)
{
    static uint64_t state = 0x9e3779b97f4a7c15U;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void random_bytes(uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(random64() >> 24);
}

/* --- What is sent -----------------------------------------------------------
 */

static void make_stun(struct datagram *d, uint8_t type_high)
{
    static const uint8_t cookie[] = {0x21, 0x12, 0xa4, 0x42};
    bool is_response = type_high == 1;
    d->size = is_response ? 32 : 20;
    random_bytes(d->bytes, d->size);
    d->bytes[0] = type_high;
    d->bytes[1] = 1;
    d->bytes[2] = 0;
    d->bytes[3] = (uint8_t)(d->size - 20);
    memcpy(d->bytes + 4, cookie, sizeof cookie);
    if (is_response) /* XOR-MAPPED-ADDRESS, IPv4 */
        memcpy(d->bytes + 20, (uint8_t[]){0, 0x20, 0, 8, 0, 1}, 6);
}

static void make_probe(struct datagram *d)
{
    d->size = 48;
    random_bytes(d->bytes, d->size);
    d->bytes[0] = (uint8_t)(0x10 + random64() % 4);
    memset(d->bytes + 9, 0, 3); /* a low sequence number */
    d->bytes[13] = 4;           /* IPv4 */
}

static void make_initial(struct datagram *d)
{
    d->size = 1200;
    random_bytes(d->bytes, d->size);
    d->bytes[0] = (uint8_t)(0xc0 | d->bytes[0]);
    uint32_t version = htonl(random64() % 2 ? 1 : (uint32_t)random64());
    memcpy(d->bytes + 1, &version, 4);
    d->bytes[5] = 8;  /* the destination's connection id */
    d->bytes[14] = 8; /* the source's */
    d->bytes[23] = 0; /* no token */
    d->bytes[24] = 0x44;
    d->bytes[25] = 0x96; /* the rest: 1,174 bytes */
}

static void make(struct flood *f, struct datagram *d, uint64_t number)
{
    if (f->replayed_count > 0) {
        *d = f->replayed[number % f->replayed_count];
    } else if (strcmp(f->kind, "requests") == 0) {
        make_stun(d, 0);
    } else if (strcmp(f->kind, "answers") == 0) {
        make_stun(d, 1);
    } else if (strcmp(f->kind, "probes") == 0) {
        make_probe(d);
    } else if (strcmp(f->kind, "initial") == 0) {
        make_initial(d);
    } else if (strcmp(f->kind, "short") == 0) {
        d->size = 21 + random64() % (DATAGRAM_MOST - 20);
        random_bytes(d->bytes, d->size);
        d->bytes[0] = (uint8_t)(0x40 | (d->bytes[0] & 0x3f));
    } else if (strcmp(f->kind, "garbage") == 0) {
        d->size = random64() % (DATAGRAM_MOST + 1);
        random_bytes(d->bytes, d->size);
    } else {
        fail("no such kind");
    }
}

/* --- A capture --------------------------------------------------------------
 */

static uint32_t le32(const uint8_t *b)
{
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 |
           (uint32_t)b[3] << 24;
}

/* Takes the payload of an Ethernet frame with UDP over IPv4; else nothing. */
static void take_frame(struct flood *f, const uint8_t *frame, size_t size)
{
    enum { ETHERNET = 14, UDP = 8 };
    size_t ip_size = size > ETHERNET ? (size_t)(frame[ETHERNET] & 15) * 4 : 0;
    size_t head = ETHERNET + ip_size + UDP;
    if (size <= head || frame[12] != 8 || frame[13] != 0 ||
        frame[ETHERNET + 9] != IPPROTO_UDP || size - head > DATAGRAM_MOST ||
        f->replayed_count == REPLAYED_MOST)
        return;
    struct datagram *d = &f->replayed[f->replayed_count++];
    d->size = size - head;
    memcpy(d->bytes, frame + head, d->size);
}

static void read_capture(struct flood *f, const char *name)
{
    static uint8_t frame[1 << 16];
    uint8_t head[24], record[16];
    FILE *file = fopen(name, "rb");
    if (!file || fread(head, sizeof head, 1, file) != 1 ||
        le32(head) != 0xa1b2c3d4)
        fail("no capture that can be read");
    f->replayed = calloc(REPLAYED_MOST, sizeof *f->replayed);
    while (fread(record, sizeof record, 1, file) == 1) {
        size_t size = le32(record + 8);
        if (size > sizeof frame || fread(frame, 1, size, file) != size)
            break;
        take_frame(f, frame, size);
    }
    fclose(file);
    if (f->replayed_count == 0)
        fail("nothing to replay");
}

/* --- Sending ----------------------------------------------------------------
 */

static struct sockaddr_in parse(const char *text)
{
    char address[32];
    unsigned port;
    struct sockaddr_in a = {.sin_family = AF_INET};
    if (sscanf(text, "%31[0-9.]:%u", address, &port) != 2 || port > 65535 ||
        inet_pton(AF_INET, address, &a.sin_addr) != 1)
        fail("wanted: ADDRESS:PORT");
    a.sin_port = htons((uint16_t)port);
    return a;
}

static void send_one(const struct flood *f, int socket,
                     const struct datagram *d)
{
    struct {
        struct iphdr ip;
        struct udphdr udp;
        uint8_t data[DATAGRAM_MOST];
    } p;
    size_t size = sizeof p.ip + sizeof p.udp + d->size;
    uint16_t port = f->from.sin_port;
    uint32_t source = ntohl(f->from.sin_addr.s_addr);
    if ((source & 0xff) == 0)
        source |= (uint32_t)(1 + random64() % 254);
    if (port == 0)
        port = htons((uint16_t)(1024 + random64() % 64000));
    p.ip = (struct iphdr){.version = 4,
                          .ihl = 5,
                          .ttl = 64,
                          .protocol = IPPROTO_UDP,
                          .tot_len = htons((uint16_t)size),
                          .saddr = htonl(source),
                          .daddr = f->to.sin_addr.s_addr};
    p.udp = (struct udphdr){.source = port,
                            .dest = f->to.sin_port,
                            .len = htons((uint16_t)(sizeof p.udp + d->size))};
    memcpy(p.data, d->bytes, d->size); /* No checksum: IPv4 does not ask. */
    sendto(socket, &p, size, 0, (const struct sockaddr *)&f->to, sizeof f->to);
}

int main(int argc, char **argv)
{
    if (argc < 5)
        fail("KIND COUNT ADDRESS:PORT SOURCE:PORT [--rate N] "
             "[--capture FILE]");
    struct flood f = {.kind = argv[1],
                      .count = strtoull(argv[2], NULL, 10),
                      .rate = 20000,
                      .to = parse(argv[3]),
                      .from = parse(argv[4])};
    for (int i = 5; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--rate") == 0)
            f.rate = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--capture") == 0)
            read_capture(&f, argv[i + 1]);
    }
    int raw = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
    if (raw < 0)
        fail("no raw socket");
    uint64_t begin = now_us();
    static struct datagram d;
    for (uint64_t n = 0; n < f.count; n++) {
        while (n > (now_us() - begin) * f.rate / 1000000)
            nanosleep(&(struct timespec){.tv_nsec = BURST_US * 1000L}, NULL);
        make(&f, &d, n);
        send_one(&f, raw, &d);
    }
    printf("%llu %s sent\n", (unsigned long long)f.count, f.kind);
    return 0;
}
