/*
 * relay_conf - the settings of zs-relay: relay.yaml as a struct.
 *
 * The table in relay_conf.c says for each key what it means, its default and
 * its limits; config/relay.yaml shows the same with the help texts. It is used
 * like edge_conf.h.
 */
#ifndef COMMON_CONF_RELAY_CONF_H
#define COMMON_CONF_RELAY_CONF_H

#include "common/base/instant.h"
#include "common/conf/conf.h"
#include "common/wire/ids.h"

/* Entries of listen.proxy_protocol. */
enum { RELAY_PROXIES = 64 };

struct relay_conf {
    struct {
        char *key;                /* a path */
        char *name;               /* at most NAME_MAX_SIZE bytes */
        struct conf_list revoked; /* paths of revocation lists */
    } relay;
    struct {
        struct conf_list tcp;   /* "*:443", see endpoint.h; of these and */
        struct conf_list curve; /* of these at least one */
        struct conf_list udp;
        /* Load balancers: see address_prefix.h. */
        struct conf_list proxy_protocol;
    } listen;
    struct {
        char *certificate; /* paths; both or neither "" */
        char *key;
    } tls;
    struct conf_list meshes; /* 64 hexadecimal digits each, or "any" alone */
    struct {
        size_t edges;
        size_t edges_per_mesh;
        size_t edges_per_address;
        size_t rate;  /* bytes a second from one edge; 0: no limit */
        size_t queue; /* bytes queued for one edge */
        struct span hello;
        size_t memory; /* bytes of memory for all connections */
        /* Begun in a second; 0: as the number of cores allows. */
        size_t handshakes;
    } limits;
    struct {
        char *nats; /* a URL; "": no cluster */
        char *name;
    } cluster;
    char *monitor; /* "ADDRESS:PORT"; "": off */
    struct {
        char *level;  /* error warn info debug */
        char *format; /* text json */
    } log;
};

extern const struct conf_table relay_conf_table;

/* conf.h describes these functions. */
void relay_conf_defaults(struct relay_conf *conf);
bool relay_conf_load(const char *path, struct relay_conf *conf,
                     FILE *errors) MUST_USE;
bool relay_conf_set(struct relay_conf *conf, const char *key, const char *text,
                    const char *option, FILE *errors) MUST_USE;
void relay_conf_print(const struct relay_conf *conf, FILE *out);
void relay_conf_diff(const struct relay_conf *before,
                     const struct relay_conf *after, conf_changed *changed,
                     void *context);
void relay_conf_free(struct relay_conf *conf);

/* True for `meshes: [any]`. */
bool relay_conf_any_mesh(const struct relay_conf *conf);
/* The mesh ids, meshes.count of them, which the caller frees; NULL if there are
 * none or `any`. */
struct mesh_id *relay_conf_meshes(const struct relay_conf *conf);

#endif
