#include "common/wire/punch.h"

#include "common/wire/fields.h"

#include <sodium.h>

static const char label[] = "zs2 punch";

enum {
    FLAG_EASY_ONLY = 1,
    MAC_SIZE = 16,
    IP_SIZE = 16,
};

_Static_assert(MAC_SIZE == crypto_verify_16_BYTES,
               "the macs are compared in constant time");

/* --- records ----------------------------------------------------------- */

void punch_record_encode(const struct punch_record *r, struct writer *w)
{
    write_u8(w, (uint8_t)r->kind);
    write_u32(w, r->round);
    if (r->kind == PUNCH_ASK)
        return;
    ASSERT(r->candidate_count <= PUNCH_CANDIDATES);
    write_bytes(w, bytes_of(r->secret, sizeof r->secret));
    write_u8(w, (uint8_t)r->mapping);
    write_u8(w, r->easy_only ? FLAG_EASY_ONLY : 0);
    write_u8(w, (uint8_t)r->step);
    write_u16(w, r->delay_ms);
    write_u8(w, r->candidate_count);
    for (size_t i = 0; i < r->candidate_count; i++) {
        ASSERT(r->candidates[i].address.family != ADDRESS_NONE);
        write_u8(w, (uint8_t)r->candidates[i].kind);
        write_address(w, &r->candidates[i].address);
    }
}

/* The scope of a link-local address of IPv6 is not sent. */
static bool is_reachable(const struct address *a)
{
    return address_is_usable(a) && !address_is_loopback(a) &&
           !(a->family == ADDRESS_V6 && address_is_link_local(a));
}

/* A kind that is not known may come with a later version, and is left out like
 * an address that nobody can send to. */
static void read_candidates(struct reader *in, struct punch_record *r)
{
    size_t count = read_u8(in);
    if (count > PUNCH_CANDIDATES)
        reader_fail(in);
    for (size_t i = 0; i < count && reader_ok(in); i++) {
        struct candidate c;
        uint8_t kind = read_u8(in);
        read_address(in, &c.address);
        if (c.address.family == ADDRESS_NONE)
            reader_fail(in);
        if (kind < CANDIDATE_HOST || kind > CANDIDATE_MAPPED ||
            !is_reachable(&c.address))
            continue;
        c.kind = (enum candidate_kind)kind;
        r->candidates[r->candidate_count++] = c;
    }
}

static enum nat_mapping read_mapping(struct reader *in)
{
    uint8_t mapping = read_u8(in);
    return mapping <= MAPPING_DEPENDENT ? (enum nat_mapping)mapping
                                        : MAPPING_UNKNOWN;
}

bool punch_record_decode(struct bytes bytes, struct punch_record *r)
{
    struct reader in = reader_of(bytes);
    uint8_t kind = read_u8(&in);
    *r = (struct punch_record){.round = read_u32(&in)};
    if (kind < PUNCH_OFFER || kind > PUNCH_ASK)
        return false;
    r->kind = (enum punch_kind)kind;
    if (r->kind == PUNCH_ASK)
        return reader_done(&in);
    read_copy(&in, r->secret, sizeof r->secret);
    r->mapping = read_mapping(&in);
    r->easy_only = (read_u8(&in) & FLAG_EASY_ONLY) != 0;
    uint8_t step = read_u8(&in);
    r->step = (int8_t)(step < 128 ? step : step - 256);
    r->delay_ms = read_u16(&in);
    read_candidates(&in, r);
    return reader_done(&in);
}

/* --- keys -------------------------------------------------------------- */

static void derive(const uint8_t base[32], const char *purpose, uint8_t *to,
                   size_t size)
{
    struct bytes text = bytes_of_string(purpose);
    uint8_t key[32];
    crypto_generichash(key, sizeof key, text.data, text.size, base, 32);
    memcpy(to, key, size);
    sodium_memzero(key, sizeof key);
}

void probe_keys_derive(struct probe_keys *k,
                       const uint8_t leader_secret[PUNCH_SECRET_SIZE],
                       const uint8_t other_secret[PUNCH_SECRET_SIZE],
                       const struct node_id *leader,
                       const struct node_id *other, uint32_t round)
{
    uint8_t input[sizeof label + 2 * PUNCH_SECRET_SIZE + 2 * KEY_SIZE + 4];
    uint8_t base[32];
    struct writer w = writer_of(input, sizeof input);
    write_bytes(&w, bytes_of(label, sizeof label));
    write_bytes(&w, bytes_of(leader_secret, PUNCH_SECRET_SIZE));
    write_bytes(&w, bytes_of(other_secret, PUNCH_SECRET_SIZE));
    write_bytes(&w, bytes_of(leader->key, KEY_SIZE));
    write_bytes(&w, bytes_of(other->key, KEY_SIZE));
    write_u32(&w, round);
    ASSERT(writer_ok(&w));
    crypto_generichash(base, sizeof base, input, sizeof input, NULL, 0);
    derive(base, "leader key", k->of[0].key, sizeof k->of[0].key);
    derive(base, "leader tag", k->of[0].tag, sizeof k->of[0].tag);
    derive(base, "other key", k->of[1].key, sizeof k->of[1].key);
    derive(base, "other tag", k->of[1].tag, sizeof k->of[1].tag);
    derive(base, "quic", k->quic, sizeof k->quic);
    sodium_memzero(input, sizeof input);
    sodium_memzero(base, sizeof base);
}

/* --- probes ------------------------------------------------------------ */

static bool is_answer(enum probe_type type)
{
    return type == PROBE_ANSWERS || type == PROBE_AGREES;
}

static void make_mac(const uint8_t *datagram, const uint8_t key[32],
                     uint8_t mac[MAC_SIZE])
{
    crypto_generichash(mac, MAC_SIZE, datagram, PROBE_SIZE - MAC_SIZE, key, 32);
}

void probe_encode(const struct probe *p, const uint8_t key[32],
                  uint8_t datagram[static PROBE_SIZE])
{
    struct address seen = {.family = ADDRESS_NONE};
    struct writer w = writer_of(datagram, PROBE_SIZE);
    if (is_answer(p->type))
        seen = p->seen;
    write_u8(&w, (uint8_t)p->type);
    write_bytes(&w, bytes_of(p->tag, sizeof p->tag));
    write_u32(&w, p->sequence);
    write_u8(&w, (uint8_t)seen.family);
    write_bytes(&w, bytes_of(seen.ip, IP_SIZE));
    write_u16(&w, seen.port);
    uint8_t *mac = write_room(&w, MAC_SIZE);
    ASSERT(writer_ok(&w) && mac != NULL);
    make_mac(datagram, key, mac);
}

bool probe_peek(struct bytes datagram, uint8_t tag[static 8])
{
    struct reader r = reader_of(datagram);
    uint8_t type = read_u8(&r);
    read_copy(&r, tag, 8);
    return datagram.size == PROBE_SIZE && type >= PROBE_ASKS &&
           type <= PROBE_AGREES;
}

/* Questions have no address, answers have one. */
static bool read_seen(struct reader *r, bool answer, struct address *seen)
{
    uint8_t family = read_u8(r);
    read_copy(r, seen->ip, IP_SIZE);
    seen->port = read_u16(r);
    if (!answer)
        return family == 0 && seen->port == 0 &&
               sodium_is_zero(seen->ip, IP_SIZE);
    if (family == ADDRESS_V4 && !sodium_is_zero(seen->ip + 4, IP_SIZE - 4))
        return false;
    if (family != ADDRESS_V4 && family != ADDRESS_V6)
        return false;
    seen->family = (enum address_family)family;
    return address_is_usable(seen);
}

bool probe_decode(struct bytes datagram, const uint8_t key[32], struct probe *p)
{
    uint8_t mac[MAC_SIZE];
    *p = (struct probe){.seen.family = ADDRESS_NONE};
    if (!probe_peek(datagram, p->tag))
        return false;
    make_mac(datagram.data, key, mac);
    if (crypto_verify_16(mac, datagram.data + PROBE_SIZE - MAC_SIZE) != 0)
        return false;
    struct reader r = reader_of(datagram);
    p->type = (enum probe_type)read_u8(&r);
    (void)read_bytes(&r, sizeof p->tag);
    p->sequence = read_u32(&r);
    return p->sequence < PROBE_SEQUENCES &&
           read_seen(&r, is_answer(p->type), &p->seen);
}
