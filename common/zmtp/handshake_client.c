#include "common/zmtp/handshake_private.h"

#include "common/zmtp/frame.h"

bool hello_write(const struct client_handshake *h, uint64_t nonce,
                 uint8_t out[HELLO_SIZE])
{
    static const uint8_t zeros[HELLO_TEXT];
    uint8_t full[NONCE];

    memset(out, 0, HELLO_SIZE);
    memcpy(out, "\5HELLO\1\0", HELLO_PADDING);
    memcpy(out + HELLO_CLIENT, h->transient.public_key, 32);
    put_be64(out + HELLO_NONCE, nonce);
    short_nonce(full, "CurveZMQHELLO---", out + HELLO_NONCE);
    return crypto_box_easy(out + HELLO_BOX, zeros, sizeof(zeros), full,
                           h->server.key, h->transient.secret_key) == 0;
}

enum zmtp_failure welcome_read(struct client_handshake *h, struct bytes body)
{
    uint8_t text[WELCOME_TEXT], full[NONCE];

    if (body.size != WELCOME_SIZE)
        return ZMTP_BAD_FORM;
    long_nonce(full, "WELCOME-", body.data + WELCOME_NONCE);
    if (crypto_box_open_easy(text, body.data + WELCOME_BOX, WELCOME_TEXT + TAG,
                             full, h->server.key, h->transient.secret_key) != 0)
        return ZMTP_BAD_KEY;
    memcpy(h->server_transient, text, 32);
    memcpy(h->cookie, text + 32, COOKIE_SIZE);
    return crypto_box_beforenm(h->shared, h->server_transient,
                               h->transient.secret_key) == 0
               ? ZMTP_NO_FAILURE
               : ZMTP_BAD_KEY;
}

/* Proves that the owner of the long-term key made the transient one, for this
 * server: Box [C' + S] from C to S'. */
static void write_vouch(const struct client_handshake *h,
                        struct entropy *entropy, uint8_t *text)
{
    uint8_t vouch[VOUCH_TEXT], full[NONCE];

    entropy_fill(entropy, text + VOUCH_NONCE, LONG_NONCE);
    long_nonce(full, "VOUCH---", text + VOUCH_NONCE);
    memcpy(vouch, h->transient.public_key, 32);
    memcpy(vouch + 32, h->server.key, 32);
    bool sealed =
        crypto_box_easy(text + VOUCH_BOX, vouch, sizeof(vouch), full,
                        h->server_transient, h->keys->secret_key) == 0;
    ASSERT(sealed); /* welcome_read found that the key is valid. */
}

size_t initiate_write(const struct client_handshake *h, uint64_t nonce,
                      struct entropy *entropy, uint8_t out[INITIATE_WRITE_SIZE])
{
    uint8_t text[INITIATE_METADATA + METADATA_WRITE_SIZE], full[NONCE];
    size_t size = INITIATE_METADATA;

    memcpy(text, h->keys->public_key, 32);
    write_vouch(h, entropy, text);
    size += metadata_write(text + INITIATE_METADATA, METADATA_DEALER);
    memcpy(out, "\10INITIATE", INITIATE_COOKIE);
    memcpy(out + INITIATE_COOKIE, h->cookie, COOKIE_SIZE);
    put_be64(out + INITIATE_NONCE, nonce);
    short_nonce(full, "CurveZMQINITIATE", out + INITIATE_NONCE);
    (void)crypto_box_easy_afternm(out + INITIATE_BOX, text, size, full,
                                  h->shared);
    return INITIATE_BOX + TAG + size;
}

enum zmtp_failure ready_read(const uint8_t shared[32], uint8_t *body,
                             size_t size, uint64_t *nonce)
{
    uint8_t full[NONCE];
    uint8_t *text = body + READY_BOX + TAG;

    if (size < READY_SIZE)
        return ZMTP_BAD_FORM;
    *nonce = get_be64(body + READY_NONCE);
    short_nonce(full, "CurveZMQREADY---", body + READY_NONCE);
    if (crypto_box_open_detached_afternm(text, text, body + READY_BOX,
                                         size - READY_SIZE, full, shared) != 0)
        return ZMTP_BAD_BOX;
    return metadata_check(bytes_of(text, size - READY_SIZE), METADATA_DEALER);
}
