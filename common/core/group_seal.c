#include "common/core/group_seal.h"

#include "common/core/digest.h"
#include "common/core/seal.h"

#include <sodium.h>

static const char label[] = "zs1 multicast";

enum { LABEL_SIZE = sizeof label - 1 };

struct group_tag group_tag_of(const uint8_t mesh_group_key[32],
                              struct bytes name)
{
    struct group_tag tag;

    crypto_generichash(tag.bytes, sizeof(tag.bytes), name.data, name.size,
                       mesh_group_key, 32);
    return tag;
}

void group_seal(const struct multicast_packet *header, const struct aead *key,
                struct bytes content, struct writer *w)
{
    uint8_t nonce[SEAL_NONCE_SIZE];
    const uint8_t *start = w->at;

    multicast_header_encode(header, w);
    uint8_t *sealed = write_room(w, content.size + MULTICAST_SEAL_SIZE);
    ASSERT(sealed != NULL);
    seal_nonce(header->number, nonce);
    aead_seal(key, nonce, bytes_of(start, MULTICAST_HEADER_SIZE), content,
              sealed);
}

bool group_open(const struct multicast_packet *m, const struct aead *key,
                uint8_t *content)
{
    uint8_t nonce[SEAL_NONCE_SIZE];

    seal_nonce(m->number, nonce);
    return aead_open(key, nonce, m->header, m->sealed, content);
}

/* The signed bytes: a label and the packet's digest. Ed25519 reads its input
 * twice, so signing the digest saves a pass over the packet. */
static void to_sign(struct bytes packet, uint8_t text[LABEL_SIZE + DIGEST_SIZE])
{
    memcpy(text, label, LABEL_SIZE);
    digest_of(packet, text + LABEL_SIZE);
}

void group_sign(struct bytes packet, const uint8_t node_secret_key[64],
                uint8_t signature[SIGNATURE_SIZE])
{
    uint8_t text[LABEL_SIZE + DIGEST_SIZE];

    to_sign(packet, text);
    crypto_sign_detached(signature, NULL, text, sizeof(text), node_secret_key);
}

bool group_signed_by(const struct multicast_packet *m,
                     const struct node_id *node)
{
    uint8_t text[LABEL_SIZE + DIGEST_SIZE];

    if (m->signature == NULL)
        return false;
    to_sign(m->signed_part, text);
    return crypto_sign_verify_detached(m->signature, text, sizeof(text),
                                       node->key) == 0;
}
