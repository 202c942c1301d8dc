#include "common/zmtp/handshake_private.h"

#include "common/zmtp/frame.h"

/* ---- HELLO and WELCOME ------------------------------------------------ */

static enum zmtp_failure check_hello(struct bytes body)
{
    if (body.size != HELLO_SIZE)
        return ZMTP_BAD_FORM;
    if (body.data[HELLO_VERSION] != 1 || body.data[HELLO_VERSION + 1] != 0)
        return ZMTP_BAD_CURVE_VERSION;
    return sodium_is_zero(body.data + HELLO_PADDING, HELLO_PADDING_SIZE)
               ? ZMTP_NO_FAILURE
               : ZMTP_BAD_FORM;
}

enum zmtp_failure hello_read(const struct curve_pair *keys, struct bytes body,
                             struct server_hello *h)
{
    uint8_t text[HELLO_TEXT], full[NONCE];
    enum zmtp_failure failure = check_hello(body);

    if (failure != ZMTP_NO_FAILURE)
        return failure;
    h->nonce = get_be64(body.data + HELLO_NONCE);
    memcpy(h->client_transient, body.data + HELLO_CLIENT, 32);
    short_nonce(full, "CurveZMQHELLO---", body.data + HELLO_NONCE);
    if (crypto_box_beforenm(h->shared, h->client_transient, keys->secret_key) !=
            0 ||
        crypto_box_open_easy_afternm(text, body.data + HELLO_BOX,
                                     sizeof(text) + TAG, full, h->shared) != 0)
        return ZMTP_BAD_KEY;
    return sodium_is_zero(text, sizeof(text)) ? ZMTP_NO_FAILURE : ZMTP_BAD_FORM;
}

/* Nonce, and Box [C' + s'] under the cookie's key. */
static void write_cookie(const struct server_hello *h, const uint8_t secret[32],
                         struct entropy *entropy, const uint8_t cookie_key[32],
                         uint8_t cookie[COOKIE_SIZE])
{
    uint8_t text[COOKIE_TEXT], full[NONCE];

    memcpy(text, h->client_transient, 32);
    memcpy(text + 32, secret, 32);
    entropy_fill(entropy, cookie, LONG_NONCE);
    long_nonce(full, "COOKIE--", cookie);
    (void)crypto_secretbox_easy(cookie + LONG_NONCE, text, sizeof(text), full,
                                cookie_key);
    sodium_memzero(text, sizeof(text));
}

void welcome_write(const struct server_hello *h, struct entropy *entropy,
                   uint8_t cookie_key[32], uint8_t out[WELCOME_SIZE])
{
    uint8_t text[WELCOME_TEXT], full[NONCE], seed[32];
    struct curve_pair transient;

    entropy_fill(entropy, seed, sizeof(seed));
    curve_pair_generate(&transient, seed);
    entropy_fill(entropy, cookie_key, 32);
    memcpy(text, transient.public_key, 32);
    write_cookie(h, transient.secret_key, entropy, cookie_key, text + 32);
    memcpy(out, "\7WELCOME", WELCOME_NONCE);
    entropy_fill(entropy, out + WELCOME_NONCE, LONG_NONCE);
    long_nonce(full, "WELCOME-", out + WELCOME_NONCE);
    (void)crypto_box_easy_afternm(out + WELCOME_BOX, text, sizeof(text), full,
                                  h->shared);
    sodium_memzero(seed, sizeof(seed));
    sodium_memzero(&transient, sizeof(transient));
}

/* ---- INITIATE and READY ----------------------------------------------- */

static bool open_cookie(const uint8_t cookie_key[32], const uint8_t *cookie,
                        uint8_t text[COOKIE_TEXT])
{
    uint8_t full[NONCE];

    long_nonce(full, "COOKIE--", cookie);
    return crypto_secretbox_open_easy(text, cookie + LONG_NONCE,
                                      COOKIE_SIZE - LONG_NONCE, full,
                                      cookie_key) == 0;
}

/* `text` is that of INITIATE's box, and `transient` that of the cookie. */
static bool check_vouch(const struct curve_pair *keys, const uint8_t *text,
                        const uint8_t transient[COOKIE_TEXT])
{
    uint8_t vouch[VOUCH_TEXT], full[NONCE];

    long_nonce(full, "VOUCH---", text + VOUCH_NONCE);
    return crypto_box_open_easy(vouch, text + VOUCH_BOX, sizeof(vouch) + TAG,
                                full, text, transient + 32) == 0 &&
           sodium_memcmp(vouch, transient, 32) == 0 &&
           sodium_memcmp(vouch + 32, keys->public_key, 32) == 0;
}

/* Opens the box with the keys that came back in the cookie. */
static enum zmtp_failure open_initiate(const struct curve_pair *keys,
                                       const uint8_t transient[COOKIE_TEXT],
                                       uint8_t *body, size_t size,
                                       struct server_initiate *i)
{
    uint8_t full[NONCE];
    uint8_t *text = body + INITIATE_BOX + TAG;

    short_nonce(full, "CurveZMQINITIATE", body + INITIATE_NONCE);
    size -= INITIATE_BOX + TAG;
    if (crypto_box_beforenm(i->shared, transient, transient + 32) != 0 ||
        crypto_box_open_detached_afternm(text, text, body + INITIATE_BOX, size,
                                         full, i->shared) != 0)
        return ZMTP_BAD_BOX;
    if (!check_vouch(keys, text, transient))
        return ZMTP_BAD_VOUCH;
    memcpy(i->client.key, text, 32);
    return metadata_check(
        bytes_of(text + INITIATE_METADATA, size - INITIATE_METADATA),
        METADATA_ROUTER);
}

enum zmtp_failure initiate_read(const struct curve_pair *keys,
                                const uint8_t cookie_key[32],
                                uint64_t hello_nonce, uint8_t *body,
                                size_t size, struct server_initiate *i)
{
    uint8_t transient[COOKIE_TEXT];

    if (size < INITIATE_SIZE)
        return ZMTP_BAD_FORM;
    i->nonce = get_be64(body + INITIATE_NONCE);
    if (i->nonce <= hello_nonce)
        return ZMTP_BAD_NONCE;
    if (!open_cookie(cookie_key, body + INITIATE_COOKIE, transient))
        return ZMTP_BAD_COOKIE;
    enum zmtp_failure failure = open_initiate(keys, transient, body, size, i);
    sodium_memzero(transient, sizeof(transient));
    return failure;
}

size_t ready_write(const uint8_t shared[32], uint64_t nonce,
                   uint8_t out[READY_WRITE_SIZE])
{
    uint8_t text[METADATA_WRITE_SIZE], full[NONCE];
    size_t size = metadata_write(text, METADATA_ROUTER);

    memcpy(out, "\5READY", READY_NONCE);
    put_be64(out + READY_NONCE, nonce);
    short_nonce(full, "CurveZMQREADY---", out + READY_NONCE);
    (void)crypto_box_easy_afternm(out + READY_BOX, text, size, full, shared);
    return READY_BOX + TAG + size;
}
