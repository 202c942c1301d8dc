#include "edge/shell/quic_private.h"

#include <sodium.h>

/*
 * By RFC 9001, whoever sees the id that a client chose for the server knows the
 * keys of Initial packets, and could end or block a handshake by packets of its
 * own. Here that id is replaced by one that only the two ends can compute, so
 * only they know the keys.
 */
static void hide_id(const struct quic *q, const ngtcp2_cid *seen,
                    ngtcp2_cid *hidden)
{
    static const uint8_t purpose[] = "zs/2 initial";
    crypto_generichash_state hash;

    hidden->datalen = NGTCP2_MAX_CIDLEN;
    crypto_generichash_init(&hash, q->conf.secret, sizeof q->conf.secret,
                            hidden->datalen);
    crypto_generichash_update(&hash, purpose, sizeof purpose - 1);
    crypto_generichash_update(&hash, seen->data, seen->datalen);
    crypto_generichash_final(&hash, hidden->data, hidden->datalen);
    sodium_memzero(&hash, sizeof hash);
}

int quic_on_client_initial(ngtcp2_conn *conn, const ngtcp2_cid *id,
                           void *context)
{
    ngtcp2_cid hidden;
    int rc;

    hide_id(context, id, &hidden);
    rc = ngtcp2_crypto_recv_client_initial_cb(conn, &hidden, context);
    sodium_memzero(&hidden, sizeof hidden);
    return rc;
}

/* What ngtcp2_crypto_client_initial_cb does with other keys: it has no
 * parameter for the id, and the keys can be set only once. */
int quic_on_client_begins(ngtcp2_conn *conn, void *context)
{
    int rc = quic_on_client_initial(conn, ngtcp2_conn_get_dcid(conn), context);

    if (rc == 0 && ngtcp2_crypto_read_write_crypto_data(
                       conn, NGTCP2_CRYPTO_LEVEL_INITIAL, NULL, 0) != 0)
        rc = NGTCP2_ERR_CALLBACK_FAILURE;
    return rc;
}

/* Only the first packet can be one. ngtcp2 reads others only behind packets
 * that it could open, and then takes no Version Negotiation and no Retry. */
bool quic_is_foreign(const uint8_t *bytes, size_t size)
{
    ngtcp2_pkt_hd head;

    return (bytes[0] & 0x80) != 0 &&
           (ngtcp2_pkt_decode_hd_long(&head, bytes, size) < 0 ||
            (head.type != NGTCP2_PKT_INITIAL &&
             head.type != NGTCP2_PKT_HANDSHAKE));
}
