#include "edge/shell/quic_private.h"

#include "common/base/memory.h"
#include "common/io/sockaddr.h"

#include <sodium.h>
#include <stdlib.h>

enum {
    CLIENT_CID_SIZE = 16, /* of the id that a client invents for the server */
    /* How much a peer may send ahead, at first and when the path is long. */
    WINDOW = 2 * 1024 * 1024,
    WINDOW_MOST = 16 * 1024 * 1024,
    /* When the head of the stream was not acknowledged for so many PTOs, or
     * when nothing was for as many in a row, large datagrams are given up. */
    STALL_PTOS = 8,
    PTOS_IN_A_ROW = 2,
};

static const struct span handshake_time = {5 * 1000 * 1000};
/* Before the first sample; a lost first datagram is repeated after 3 of it. */
static const struct span first_rtt = {150 * 1000};
/* How long small datagrams are sent before large ones are tried again. */
static const struct span narrow_time = {60 * 1000 * 1000};
enum { NARROW_DOUBLINGS = 4 };
/* How long a new address of the peer is on trial. */
static const struct span path_trial = {5 * 1000 * 1000};

bool quic_is_available(void)
{
    return true;
}

static ngtcp2_duration duration(struct span s)
{
    return (ngtcp2_duration)s.us * NGTCP2_MICROSECONDS;
}

static struct instant instant_of(ngtcp2_tstamp t)
{
    if (t == UINT64_MAX)
        return INSTANT_NEVER;
    /* Rounded up, so that the deadline is reached then. */
    return (struct instant){
        (int64_t)(t / NGTCP2_MICROSECONDS + (t % NGTCP2_MICROSECONDS != 0))};
}

/* ---- How it ends -------------------------------------------------------- */

static enum quic_end end_of_close(struct quic *q)
{
    ngtcp2_connection_close_error why;

    ngtcp2_conn_get_connection_close_error(q->conn, &why);
    return !q->opened &&
                   why.type ==
                       NGTCP2_CONNECTION_CLOSE_ERROR_CODE_TYPE_TRANSPORT &&
                   why.error_code >= NGTCP2_CRYPTO_ERROR &&
                   why.error_code <= NGTCP2_CRYPTO_ERROR + UINT8_MAX
               ? QUIC_REFUSED
               : QUIC_CLOSED;
}

static enum quic_end end_of(struct quic *q, int error)
{
    switch (error) {
    case NGTCP2_ERR_DRAINING:
    case NGTCP2_ERR_CLOSING:
        return end_of_close(q);
    case NGTCP2_ERR_HANDSHAKE_TIMEOUT:
    case NGTCP2_ERR_IDLE_CLOSE:
    case NGTCP2_ERR_NO_VIABLE_PATH:
        return QUIC_SILENT;
    case NGTCP2_ERR_CRYPTO:
        return q->opened ? QUIC_VIOLATED : QUIC_REFUSED;
    case NGTCP2_ERR_NOMEM:
    case NGTCP2_ERR_INTERNAL:
    case NGTCP2_ERR_AEAD_LIMIT_REACHED:
    case NGTCP2_ERR_PKT_NUM_EXHAUSTED:
        return QUIC_CLOSED;
    default:
        return QUIC_VIOLATED;
    }
}

/* The first end counts. */
void quic_fail(struct quic *q, int error)
{
    if (q->end != QUIC_GOES_ON)
        return;
    q->end = end_of(q, error);
    q->error = error;
}

/* ---- A path as ngtcp2 has it -------------------------------------------- */

static void set_address(ngtcp2_addr *to, struct sockaddr_storage *room,
                        const struct address *a)
{
    to->addrlen = sockaddr_of_address(a, room);
    to->addr = (ngtcp2_sockaddr *)room;
}

static void set_path(struct quic_path *p, const struct address *local,
                     const struct address *remote)
{
    p->local = *local;
    p->remote = *remote;
    set_address(&p->path.local, &p->raw_local, local);
    set_address(&p->path.remote, &p->raw_remote, remote);
}

void quic_look_at_path(struct quic *q)
{
    const ngtcp2_addr *remote = &ngtcp2_conn_get_path(q->conn)->remote;

    if (memcmp(&q->remote_raw, remote->addr, remote->addrlen) == 0)
        return;
    q->remote_raw = (struct sockaddr_storage){.ss_family = AF_UNSPEC};
    memcpy(&q->remote_raw, remote->addr, remote->addrlen);
    q->remote = address_of_sockaddr((const struct sockaddr *)&q->remote_raw);
    q->trial_until = instant_after(q->now, path_trial);
}

/* ---- From beginning to end ---------------------------------------------- */

static void settings_of(const struct quic *q, ngtcp2_settings *s,
                        ngtcp2_transport_params *p)
{
    struct span left =
        instant_between(q->now, instant_after(q->born, handshake_time));

    ngtcp2_settings_default(s);
    s->rand_ctx.native_handle = (void *)(uintptr_t)q;
    s->cc_algo = NGTCP2_CC_ALGO_BBR;
    s->initial_ts = quic_stamp(q->now);
    s->initial_rtt = duration(first_rtt);
    s->handshake_timeout = duration(span_max(left, span_us(0)));
    /* With nothing to search, the search ends at once. settings.no_pmtud must
     * stay off: version 0.12.1 aborts where a peer returns to the address that
     * it had. */
    s->max_tx_udp_payload_size = q->conf.payload_most;
    s->max_window = s->max_stream_window = WINDOW_MOST;

    ngtcp2_transport_params_default(p);
    p->initial_max_data = WINDOW;
    p->initial_max_stream_data_bidi_local = WINDOW;
    p->initial_max_stream_data_bidi_remote = WINDOW;
    p->initial_max_streams_bidi = q->conf.client ? 0 : 1;
    p->max_idle_timeout = duration(q->conf.idle);
}

static bool start_client(struct quic *q)
{
    ngtcp2_transport_params params;
    ngtcp2_settings settings;
    ngtcp2_cid server = {.datalen = CLIENT_CID_SIZE}, client;
    ngtcp2_conn *conn;

    settings_of(q, &settings, &params);
    randombytes_buf(server.data, server.datalen);
    quic_new_cid(q, &client);
    if (ngtcp2_conn_client_new(&conn, &server, &client, &q->came.path,
                               NGTCP2_PROTO_VER_V1, &quic_callbacks, &settings,
                               &params, NULL, q) != 0)
        return false;
    q->conn = conn;
    return true;
}

/* False: the datagram is not a client's first. */
static bool start_server(struct quic *q, const uint8_t *bytes, size_t size)
{
    ngtcp2_transport_params params;
    ngtcp2_settings settings;
    ngtcp2_pkt_hd first;
    ngtcp2_conn *conn;
    ngtcp2_cid server;

    if (ngtcp2_accept(&first, bytes, size) != 0 ||
        first.version != NGTCP2_PROTO_VER_V1)
        return false;
    settings_of(q, &settings, &params);
    params.original_dcid = first.dcid;
    quic_new_cid(q, &server);
    if (ngtcp2_conn_server_new(&conn, &first.scid, &server, &q->came.path,
                               first.version, &quic_callbacks, &settings,
                               &params, NULL, q) != 0)
        return false;
    q->conn = conn;
    return true;
}

/* TLS for the connection, which was just made. */
static bool secure(struct quic *q)
{
    if (!quic_tls_open(&q->tls, &q->conf, quic_get_conn, q))
        return false;
    ngtcp2_conn_set_tls_native_handle(q->conn, q->tls.session);
    quic_look_at_path(q);
    q->trial_until = q->now;
    return true;
}

static void drop_conn(struct quic *q)
{
    ngtcp2_conn_del(q->conn);
    q->conn = NULL;
    quic_tls_close(&q->tls);
}

struct quic *quic_new(const struct quic_conf *conf,
                      const struct quic_owner *owner, struct instant now)
{
    struct quic *q = memory_try(NULL, 1, sizeof *q);

    ASSERT(conf->payload_most >= QUIC_PAYLOAD_LEAST &&
           conf->payload_most <= QUIC_PAYLOAD_MOST);
    if (q == NULL)
        return NULL;
    *q = (struct quic){.conf = *conf,
                       .owner = *owner,
                       .born = now,
                       .now = now,
                       .stream = -1,
                       .remote = conf->remote};
    set_path(&q->came, &conf->local, &conf->remote);
    if (conf->client && (!start_client(q) || !secure(q)))
        quic_free(&q);
    return q;
}

void quic_free(struct quic **self)
{
    struct quic *q = *self;

    if (q == NULL)
        return;
    *self = NULL;
    drop_conn(q);
    stream_in_close(&q->in);
    stream_out_close(&q->out);
    sodium_memzero(&q->conf, sizeof q->conf);
    free(q);
}

/* ---- In ----------------------------------------------------------------- */

/* While a new address of the peer is on trial, datagrams from others are
 * dropped: version 0.12.1 of ngtcp2 may abort where a peer returns meanwhile to
 * the address that it had. */
static bool is_untimely(const struct quic *q, const struct address *from)
{
    return !instant_reached(q->trial_until, q->now) &&
           !address_equal(from, &q->remote);
}

enum quic_end quic_take(struct quic *q, const struct address *to,
                        const struct address *from, uint8_t *bytes, size_t size,
                        struct instant now)
{
    int rc;

    q->now = now;
    if (q->end != QUIC_GOES_ON || size == 0 || is_untimely(q, from) ||
        quic_is_foreign(bytes, size))
        return q->end;
    if (q->conf.client)
        to = &q->conf.local; /* ngtcp2 takes no other from a server */
    if (!address_equal(from, &q->came.remote) ||
        !address_equal(to, &q->came.local))
        set_path(&q->came, to, from);
    if (q->conn == NULL && !start_server(q, bytes, size))
        return q->end;
    if (q->tls.session == NULL && !secure(q)) {
        drop_conn(q);
        return q->end;
    }
    rc = ngtcp2_conn_read_pkt(q->conn, &q->came.path, NULL, bytes, size,
                              quic_stamp(now));
    if (rc == NGTCP2_ERR_DROP_CONN || rc == NGTCP2_ERR_RETRY) {
        drop_conn(q);
        return q->end;
    }
    if (rc != 0)
        quic_fail(q, rc);
    quic_look_at_path(q);
    return q->end;
}

/* ---- Time --------------------------------------------------------------- */

/* Gives up large datagrams for a time if they do not seem to arrive. */
static void judge_width(struct quic *q)
{
    struct quic_width *w = &q->width;
    ngtcp2_conn_stat stat;

    if (!w->at_stake)
        return;
    ngtcp2_conn_get_conn_stat(q->conn, &stat);
    if (stat.pto_count < PTOS_IN_A_ROW &&
        !instant_reached(w->stalled_at, q->now))
        return;
    w->narrow = true;
    w->at_stake = false;
    w->widen_at =
        instant_after(q->now, span_times(narrow_time, 1 << w->narrowed));
    if (w->narrowed < NARROW_DOUBLINGS)
        w->narrowed++;
}

void quic_sent_large(struct quic *q)
{
    int64_t pto = (int64_t)(ngtcp2_conn_get_pto(q->conn) / NGTCP2_MICROSECONDS);

    if (q->width.at_stake)
        return;
    q->width.at_stake = true;
    q->width.stalled_at = instant_after(q->now, span_us(STALL_PTOS * pto));
}

enum quic_end quic_due(struct quic *q, struct instant now)
{
    int rc;

    q->now = now;
    if (q->end != QUIC_GOES_ON)
        return q->end;
    if (q->conn == NULL) {
        if (instant_reached(instant_after(q->born, handshake_time), now))
            quic_fail(q, NGTCP2_ERR_HANDSHAKE_TIMEOUT);
        return q->end;
    }
    rc = ngtcp2_conn_handle_expiry(q->conn, quic_stamp(now));
    if (rc != 0)
        quic_fail(q, rc);
    else
        judge_width(q);
    quic_look_at_path(q);
    return q->end;
}

struct instant quic_deadline(const struct quic *q)
{
    struct instant deadline;

    if (q->end != QUIC_GOES_ON)
        return q->now;
    if (q->conn == NULL)
        return instant_after(q->born, handshake_time);
    deadline = instant_of(ngtcp2_conn_get_expiry(q->conn));
    if (q->width.at_stake)
        deadline = instant_min(deadline, q->width.stalled_at);
    return deadline;
}

/* ---- What is asked ------------------------------------------------------ */

bool quic_swallows(const struct quic *q)
{
    return q->width.narrow && q->width.swallows;
}

bool quic_waits(const struct quic *q)
{
    return q->out.unsent > 0;
}

struct span quic_rtt(const struct quic *q)
{
    ngtcp2_conn_stat stat;

    if (q->conn == NULL)
        return span_us(-1);
    ngtcp2_conn_get_conn_stat(q->conn, &stat);
    if (stat.first_rtt_sample_ts == UINT64_MAX)
        return span_us(-1);
    return span_us((int64_t)(stat.smoothed_rtt / NGTCP2_MICROSECONDS));
}

const struct address *quic_remote(const struct quic *q)
{
    return &q->remote;
}
