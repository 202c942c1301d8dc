#include "edge/shell/quic_private.h"

#include <sodium.h>

enum {
    LABEL_SIZE = 4,
    KEEP_ALIVE_LEAST_MS = 20 * 1000,
    KEEP_ALIVE_MOST_MS = 26 * 1000,
};

ngtcp2_conn *quic_get_conn(ngtcp2_crypto_conn_ref *ref)
{
    struct quic *q = ref->user_data;

    return q->conn;
}

/* A new connection of ngtcp2 draws one byte, and where that is odd, it clears
 * the fixed bit of all its datagrams, by which they are told from others here.
 * There is no setting for it. */
static void on_random(uint8_t *to, size_t size, const ngtcp2_rand_ctx *context)
{
    const struct quic *q = context->native_handle;

    randombytes_buf(to, size);
    if (q->conn == NULL && size == 1)
        to[0] &= 0xfe;
}

void quic_new_cid(const struct quic *q, ngtcp2_cid *cid)
{
    struct writer w = writer_of(cid->data, LABEL_SIZE);

    write_u32(&w, q->conf.label);
    randombytes_buf(cid->data + LABEL_SIZE, QUIC_CID_SIZE - LABEL_SIZE);
    cid->datalen = QUIC_CID_SIZE;
}

static int on_new_cid(ngtcp2_conn *conn, ngtcp2_cid *cid, uint8_t *token,
                      size_t size, void *context)
{
    struct quic *q = context;

    (void)conn;
    ASSERT(size == QUIC_CID_SIZE);
    quic_new_cid(q, cid);
    /* This end never sends a stateless reset. */
    randombytes_buf(token, NGTCP2_STATELESS_RESET_TOKENLEN);
    return 0;
}

static void choose_keep_alive(struct quic *q)
{
    uint32_t ms = KEEP_ALIVE_LEAST_MS +
                  randombytes_uniform(KEEP_ALIVE_MOST_MS - KEEP_ALIVE_LEAST_MS);

    ngtcp2_conn_set_keep_alive_timeout(q->conn, ms * NGTCP2_MILLISECONDS);
    q->keep_alive_chosen_at = q->now;
}

void quic_vary_keep_alive(struct quic *q)
{
    struct span least = span_ms(KEEP_ALIVE_LEAST_MS);

    if (q->opened && q->conf.client &&
        !instant_is_recent(q->keep_alive_chosen_at, least, q->now))
        choose_keep_alive(q);
}

static int on_handshake_completed(ngtcp2_conn *conn, void *context)
{
    struct quic *q = context;

    (void)conn;
    q->opened = true;
    if (q->conf.client)
        choose_keep_alive(q);
    q->owner.opened(q->owner.context);
    return 0;
}

static int on_stream_open(ngtcp2_conn *conn, int64_t stream, void *context)
{
    struct quic *q = context;

    (void)conn;
    q->stream = stream;
    return 0;
}

/* The stream lasts as long as the connection. */
static int on_stream_close(ngtcp2_conn *conn, uint32_t flags, int64_t stream,
                           uint64_t code, void *context, void *of_stream)
{
    (void)conn;
    (void)flags;
    (void)stream;
    (void)code;
    (void)context;
    (void)of_stream;
    return NGTCP2_ERR_CALLBACK_FAILURE;
}

static int on_stream_reset(ngtcp2_conn *conn, int64_t stream, uint64_t size,
                           uint64_t code, void *context, void *of_stream)
{
    (void)size;
    return on_stream_close(conn, 0, stream, code, context, of_stream);
}

static int on_stop_sending(ngtcp2_conn *conn, int64_t stream, uint64_t code,
                           void *context, void *of_stream)
{
    return on_stream_close(conn, 0, stream, code, context, of_stream);
}

static int on_stream_data(ngtcp2_conn *conn, uint32_t flags, int64_t stream,
                          uint64_t offset, const uint8_t *data, size_t size,
                          void *context, void *of_stream)
{
    struct quic *q = context;

    (void)offset;
    (void)of_stream;
    if ((flags & NGTCP2_STREAM_DATA_FLAG_FIN) ||
        !stream_in_take(&q->in, bytes_of(data, size), q->owner.packet,
                        q->owner.context))
        return NGTCP2_ERR_CALLBACK_FAILURE;
    ngtcp2_conn_extend_max_offset(conn, size);
    return ngtcp2_conn_extend_max_stream_offset(conn, stream, size) == 0
               ? 0
               : NGTCP2_ERR_CALLBACK_FAILURE;
}

static int on_acked(ngtcp2_conn *conn, int64_t stream, uint64_t offset,
                    uint64_t size, void *context, void *of_stream)
{
    struct quic *q = context;
    size_t released = stream_out_acked(&q->out, offset + size);

    (void)conn;
    (void)stream;
    (void)of_stream;
    q->width.at_stake = false;
    if (q->width.narrow)
        q->width.swallows = true;
    if (released > 0)
        q->owner.released(q->owner.context, released);
    return 0;
}

const ngtcp2_callbacks quic_callbacks = {
    .client_initial = quic_on_client_begins,
    .recv_client_initial = quic_on_client_initial,
    .recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb,
    .handshake_completed = on_handshake_completed,
    .encrypt = ngtcp2_crypto_encrypt_cb,
    .decrypt = ngtcp2_crypto_decrypt_cb,
    .hp_mask = ngtcp2_crypto_hp_mask_cb,
    .recv_stream_data = on_stream_data,
    .acked_stream_data_offset = on_acked,
    .stream_open = on_stream_open,
    .stream_close = on_stream_close,
    .stream_reset = on_stream_reset,
    .stream_stop_sending = on_stop_sending,
    .recv_retry = ngtcp2_crypto_recv_retry_cb,
    .rand = on_random,
    .get_new_connection_id = on_new_cid,
    .update_key = ngtcp2_crypto_update_key_cb,
    .delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb,
    .delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb,
    .get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb,
    .version_negotiation = ngtcp2_crypto_version_negotiation_cb,
};
