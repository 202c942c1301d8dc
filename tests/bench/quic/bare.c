/* ngtcp2 with the same settings and the least around it: a ring of bytes to
 * send, and a count of what came. */
#include "tests/bench/quic/load.h"

#include "common/io/sockaddr.h"

#include <gnutls/gnutls.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { SECRET_SIZE = 32, ID_SIZE = 8 };

struct bare_end {
    ngtcp2_conn *conn;
    ngtcp2_crypto_conn_ref ref;
    gnutls_session_t session;
    void *credentials;
    bool client, opened;
    int64_t stream;
    uint64_t written, sent, acked; /* bytes of the stream */
    uint64_t received;
    uint8_t header[4]; /* of the message that comes */
    size_t have, left;
    load_bare_message *message; /* NULL: messages are only counted */
    size_t size;
    uint8_t bytes[64 * 1024]; /* of it, if `message` */
    struct sockaddr_storage here, there;
    ngtcp2_path path;
    struct instant born;
    uint8_t ring[LOAD_HOLD];
};

static ngtcp2_tstamp stamp(struct instant t)
{
    return (ngtcp2_tstamp)t.us * NGTCP2_MICROSECONDS;
}

static ngtcp2_conn *on_conn(ngtcp2_crypto_conn_ref *ref)
{
    return ((struct bare_end *)ref->user_data)->conn;
}

static void on_random(uint8_t *to, size_t size, const ngtcp2_rand_ctx *context)
{
    (void)context;
    randombytes_buf(to, size);
}

static int on_id(ngtcp2_conn *conn, ngtcp2_cid *id, uint8_t *token, size_t size,
                 void *context)
{
    (void)conn;
    (void)context;
    randombytes_buf(id->data, size);
    id->datalen = size;
    randombytes_buf(token, NGTCP2_STATELESS_RESET_TOKENLEN);
    return 0;
}

static int on_done(ngtcp2_conn *conn, void *context)
{
    (void)conn;
    ((struct bare_end *)context)->opened = true;
    return 0;
}

/* The server writes on the client's stream. */
static int on_stream(ngtcp2_conn *conn, int64_t stream, void *context)
{
    (void)conn;
    ((struct bare_end *)context)->stream = stream;
    return 0;
}

static int on_data(ngtcp2_conn *conn, uint32_t flags, int64_t stream,
                   uint64_t offset, const uint8_t *data, size_t size,
                   void *context, void *of_stream)
{
    struct bare_end *e = context;
    size_t at = 0;

    (void)flags;
    (void)offset;
    (void)of_stream;
    while (at < size) {
        if (e->have < sizeof e->header) {
            e->header[e->have++] = data[at++];
            if (e->have < sizeof e->header)
                continue;
            uint32_t length;
            memcpy(&length, e->header, sizeof length);
            e->left = e->size = length;
            if (length > sizeof e->bytes)
                abort();
        }
        size_t now = size - at < e->left ? size - at : e->left;
        if (e->message != NULL)
            memcpy(e->bytes + e->size - e->left, data + at, now);
        at += now;
        e->left -= now;
        if (e->left == 0) {
            e->received++;
            e->have = 0;
            if (e->message != NULL)
                e->message(e->bytes, e->size);
        }
    }
    ngtcp2_conn_extend_max_offset(conn, size);
    return ngtcp2_conn_extend_max_stream_offset(conn, stream, size);
}

static int on_acked(ngtcp2_conn *conn, int64_t stream, uint64_t offset,
                    uint64_t size, void *context, void *of_stream)
{
    (void)conn;
    (void)stream;
    (void)of_stream;
    ((struct bare_end *)context)->acked = offset + size;
    return 0;
}

static const ngtcp2_callbacks callbacks = {
    .client_initial = ngtcp2_crypto_client_initial_cb,
    .recv_client_initial = ngtcp2_crypto_recv_client_initial_cb,
    .recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb,
    .handshake_completed = on_done,
    .encrypt = ngtcp2_crypto_encrypt_cb,
    .decrypt = ngtcp2_crypto_decrypt_cb,
    .hp_mask = ngtcp2_crypto_hp_mask_cb,
    .recv_stream_data = on_data,
    .stream_open = on_stream,
    .acked_stream_data_offset = on_acked,
    .recv_retry = ngtcp2_crypto_recv_retry_cb,
    .rand = on_random,
    .get_new_connection_id = on_id,
    .update_key = ngtcp2_crypto_update_key_cb,
    .delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb,
    .delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb,
    .get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb,
    .version_negotiation = ngtcp2_crypto_version_negotiation_cb,
};

static int on_key(gnutls_session_t session, const char *name,
                  gnutls_datum_t *key)
{
    (void)session;
    (void)name;
    key->data = gnutls_calloc(1, SECRET_SIZE);
    key->size = SECRET_SIZE;
    return key->data != NULL ? 0 : -1;
}

static void secure(struct bare_end *e)
{
    static unsigned char protocol[] = "bench", secret[SECRET_SIZE];
    const gnutls_datum_t alpn = {protocol, 5}, key = {secret, SECRET_SIZE};
    int rc =
        gnutls_init(&e->session, e->client ? GNUTLS_CLIENT : GNUTLS_SERVER);

    e->ref = (ngtcp2_crypto_conn_ref){on_conn, e};
    gnutls_session_set_ptr(e->session, &e->ref);
    rc |= gnutls_priority_set_direct(
        e->session,
        "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:"
        "+CHACHA20-POLY1305:-GROUP-ALL:+GROUP-X25519:-KX-ALL:+ECDHE-PSK:"
        "%DISABLE_TLS13_COMPAT_MODE",
        NULL);
    rc |=
        gnutls_alpn_set_protocols(e->session, &alpn, 1, GNUTLS_ALPN_MANDATORY);
    if (e->client) {
        gnutls_psk_client_credentials_t c;
        rc |= ngtcp2_crypto_gnutls_configure_client_session(e->session);
        rc |= gnutls_psk_allocate_client_credentials(&c);
        rc |= gnutls_psk_set_client_credentials(c, "bench", &key,
                                                GNUTLS_PSK_KEY_RAW);
        rc |= gnutls_credentials_set(e->session, GNUTLS_CRD_PSK, c);
        e->credentials = c;
    } else {
        gnutls_psk_server_credentials_t c;
        rc |= ngtcp2_crypto_gnutls_configure_server_session(e->session);
        rc |= gnutls_psk_allocate_server_credentials(&c);
        gnutls_psk_set_server_credentials_function(c, on_key);
        rc |= gnutls_credentials_set(e->session, GNUTLS_CRD_PSK, c);
        e->credentials = c;
    }
    if (rc != 0)
        abort();
    ngtcp2_conn_set_tls_native_handle(e->conn, e->session);
}

static void settings_of(const struct bare_end *e, ngtcp2_settings *s,
                        ngtcp2_transport_params *p)
{
    ngtcp2_settings_default(s);
    s->cc_algo = NGTCP2_CC_ALGO_BBR;
    s->initial_ts = stamp(e->born);
    s->max_tx_udp_payload_size = LOAD_PAYLOAD;
    s->max_window = s->max_stream_window = LOAD_WINDOW;
    ngtcp2_transport_params_default(p);
    p->initial_max_streams_bidi = 1;
    p->initial_max_data = LOAD_WINDOW;
    p->initial_max_stream_data_bidi_local = LOAD_WINDOW;
    p->initial_max_stream_data_bidi_remote = LOAD_WINDOW;
    p->max_idle_timeout = 60 * NGTCP2_SECONDS;
}

static void *open_end(bool client, struct instant now)
{
    struct bare_end *e = calloc(1, sizeof *e);
    ngtcp2_cid server = {.datalen = 16}, own = {.datalen = ID_SIZE};
    ngtcp2_transport_params params;
    ngtcp2_settings settings;

    if (e == NULL)
        abort();
    e->client = client;
    e->stream = -1;
    e->born = now;
    e->path.local.addrlen =
        sockaddr_of_address(&load_addresses[!client], &e->here);
    e->path.remote.addrlen =
        sockaddr_of_address(&load_addresses[client], &e->there);
    e->path.local.addr = (ngtcp2_sockaddr *)&e->here;
    e->path.remote.addr = (ngtcp2_sockaddr *)&e->there;
    if (!client)
        return e;
    settings_of(e, &settings, &params);
    randombytes_buf(server.data, server.datalen);
    randombytes_buf(own.data, own.datalen);
    if (ngtcp2_conn_client_new(&e->conn, &server, &own, &e->path,
                               NGTCP2_PROTO_VER_V1, &callbacks, &settings,
                               &params, NULL, e) != 0)
        abort();
    secure(e);
    return e;
}

static void serve(struct bare_end *e, const uint8_t *bytes, size_t size)
{
    ngtcp2_cid own = {.datalen = ID_SIZE};
    ngtcp2_transport_params params;
    ngtcp2_settings settings;
    ngtcp2_pkt_hd first;

    if (ngtcp2_accept(&first, bytes, size) != 0)
        abort();
    settings_of(e, &settings, &params);
    params.original_dcid = first.dcid;
    randombytes_buf(own.data, own.datalen);
    if (ngtcp2_conn_server_new(&e->conn, &first.scid, &own, &e->path,
                               first.version, &callbacks, &settings, &params,
                               NULL, e) != 0)
        abort();
    secure(e);
}

static void close_end(void *end)
{
    struct bare_end *e = end;
    ngtcp2_conn_del(e->conn);
    gnutls_deinit(e->session);
    if (e->client)
        gnutls_psk_free_client_credentials(e->credentials);
    else
        gnutls_psk_free_server_credentials(e->credentials);
    free(e);
}

static bool is_open(const void *end)
{
    const struct bare_end *e = end;
    return e->opened;
}

static void put(struct bare_end *e, const void *bytes, size_t size)
{
    size_t at = e->written % LOAD_HOLD, whole = LOAD_HOLD - at;

    if (whole > size)
        whole = size;
    memcpy(e->ring + at, bytes, whole);
    memcpy(e->ring, (const uint8_t *)bytes + whole, size - whole);
    e->written += size;
}

static bool send_message(void *end, const void *data, size_t size)
{
    struct bare_end *e = end;
    uint32_t length = (uint32_t)size;

    if (e->written - e->acked + sizeof length + size > LOAD_HOLD)
        return false;
    put(e, &length, sizeof length);
    put(e, data, size);
    return true;
}

static uint64_t received(const void *end)
{
    const struct bare_end *e = end;
    return e->received;
}

static void take(void *end, uint8_t *bytes, size_t size, struct instant now)
{
    struct bare_end *e = end;
    if (e->conn == NULL)
        serve(e, bytes, size);
    if (ngtcp2_conn_read_pkt(e->conn, &e->path, NULL, bytes, size,
                             stamp(now)) != 0)
        abort();
}

static void due(void *end, struct instant now)
{
    struct bare_end *e = end;
    if (ngtcp2_conn_handle_expiry(e->conn, stamp(now)) != 0)
        abort();
}

static struct instant deadline(const void *end)
{
    const struct bare_end *e = end;
    ngtcp2_tstamp t =
        e->conn != NULL ? ngtcp2_conn_get_expiry(e->conn) : UINT64_MAX;

    return t == UINT64_MAX
               ? INSTANT_NEVER
               : (struct instant){(int64_t)((t + 999) / NGTCP2_MICROSECONDS)};
}

static size_t write_one(struct bare_end *e, struct instant now, uint8_t *to,
                        size_t room)
{
    size_t at = e->sent % LOAD_HOLD, size = (size_t)(e->written - e->sent);
    size_t whole = LOAD_HOLD - at < size ? LOAD_HOLD - at : size;
    ngtcp2_vec data[2] = {{e->ring + at, whole}, {e->ring, size - whole}};
    ngtcp2_ssize taken = -1, rc;

    if (e->opened && e->client && e->stream < 0)
        (void)ngtcp2_conn_open_bidi_stream(e->conn, &e->stream, NULL);
    bool sends = e->stream >= 0 && size > 0;
    rc = ngtcp2_conn_writev_stream(e->conn, NULL, NULL, to, room, &taken, 0,
                                   sends ? e->stream : -1, data,
                                   sends ? 1 + (size > whole) : 0, stamp(now));
    if (rc == NGTCP2_ERR_STREAM_DATA_BLOCKED)
        rc = ngtcp2_conn_writev_stream(e->conn, NULL, NULL, to, room, NULL, 0,
                                       -1, NULL, 0, stamp(now));
    if (rc < 0)
        abort();
    if (taken > 0)
        e->sent += (uint64_t)taken;
    return (size_t)rc;
}

static size_t write_burst(void *end, struct instant now, uint8_t *buffer,
                          size_t *segment)
{
    struct bare_end *e = end;
    size_t used = 0, room = LOAD_PAYLOAD;
    size_t most = e->conn != NULL ? ngtcp2_conn_get_send_quantum(e->conn) : 0;

    while (e->conn != NULL && (used == 0 || used + room <= most) &&
           used + room <= QUIC_BURST_SIZE) {
        size_t size = write_one(e, now, buffer + used, room);

        if (size == 0)
            break;
        if (used == 0)
            *segment = room = size;
        used += size;
        if (size < *segment || size < QUIC_PAYLOAD_LEAST)
            break;
    }
    if (used > 0)
        ngtcp2_conn_update_pkt_tx_time(e->conn, stamp(now));
    return used;
}

void load_bare_on_message(void *end, load_bare_message *message)
{
    ((struct bare_end *)end)->message = message;
}

const struct load_stack load_bare = {
    "bare",   open_end, close_end, is_open,  send_message,
    received, take,     due,       deadline, write_burst};
