#include "common/io/syn_filter.h"

#include <linux/if_ether.h>
#include <sys/socket.h>

#include "common/base/assert.h"

enum {
    /* Offsets in a TCP header. */
    FLAGS_AT = 13,
    FLAG_SYN = 0x02,
    FLAG_ACK = 0x10,
    /* Offsets of the sender's address in an IP header. */
    V4_FROM_AT = 12,
    V6_FROM_AT = 8,
    DROP = 0,
    TAKE = -1,
    TO_BE_SET = 0,
};

struct program {
    struct sock_filter *code;
    size_t count;
};

static size_t add(struct program *p, struct sock_filter instruction)
{
    ASSERT(p->count < SYN_FILTER_MAX);
    p->code[p->count] = instruction;
    return p->count++;
}

static void load_word(struct program *p, int at)
{
    add(p,
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)at));
}

static void end(struct program *p, int verdict)
{
    add(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, (uint32_t)verdict));
}

/* Skips the next `skip` instructions unless the loaded word equals `value`. */
static void unless_equal(struct program *p, uint32_t value, uint8_t skip)
{
    add(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0,
                                        skip));
}

static uint32_t word(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
           (uint32_t)at[2] << 8 | at[3];
}

/* Returns `verdict` for packets of the network; the address is loaded already.
 */
static void match_v4(struct program *p, const struct address *network,
                     int verdict)
{
    unless_equal(p, word(network->ip), 1);
    end(p, verdict);
}

static void match_v6(struct program *p, const struct address *network,
                     int verdict)
{
    load_word(p, SKF_NET_OFF + V6_FROM_AT);
    unless_equal(p, word(network->ip), 3);
    load_word(p, SKF_NET_OFF + V6_FROM_AT + 4);
    unless_equal(p, word(network->ip + 4), 1);
    end(p, verdict);
}

static void match_all(struct program *p, enum address_family family,
                      const struct address *networks, size_t count, int verdict)
{
    for (size_t i = 0; i < count; i++) {
        if (networks[i].family != family)
            continue;
        if (family == ADDRESS_V4)
            match_v4(p, &networks[i], verdict);
        else
            match_v6(p, &networks[i], verdict);
    }
}

static void judge(struct program *p, const struct bars *bars,
                  enum address_family family)
{
    if (!bars->everyone) {
        match_all(p, family, bars->barred, bars->barred_count, DROP);
        if (bars->strangers)
            match_all(p, family, bars->members, bars->member_count, TAKE);
    }
    end(p, bars->everyone || bars->strangers ? DROP : TAKE);
}

size_t syn_filter_make(const struct bars *bars,
                       struct sock_filter program[static SYN_FILTER_MAX])
{
    struct program p = {.code = program};
    /* Other packets than SYN pass. */
    add(&p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FLAGS_AT));
    add(&p, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K,
                                         FLAG_SYN | FLAG_ACK));
    add(&p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FLAG_SYN, 1,
                                         0));
    end(&p, TAKE);
    load_word(&p, SKF_AD_OFF + SKF_AD_PROTOCOL);
    unless_equal(&p, ETH_P_IP, 1);
    size_t to_v4 =
        add(&p, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, TO_BE_SET));
    judge(&p, bars, ADDRESS_V6);
    p.code[to_v4].k = (uint32_t)(p.count - to_v4 - 1);
    load_word(&p, SKF_NET_OFF + V4_FROM_AT);
    judge(&p, bars, ADDRESS_V4);
    return p.count;
}

bool syn_filter_set(int listener, const struct bars *bars)
{
    struct sock_filter code[SYN_FILTER_MAX];
    struct sock_fprog program = {.filter = code};
    program.len = (unsigned short)syn_filter_make(bars, code);
    return setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &program,
                      sizeof program) == 0;
}

void syn_filter_clear(int fd)
{
    int unused = 0;
    setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof unused);
}
