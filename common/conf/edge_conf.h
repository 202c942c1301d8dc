/*
 * edge_conf - the settings of zs-edge: edge.yaml as a struct.
 *
 * The table in edge_conf.c says for each key what it means, its default and its
 * limits; config/edge.yaml shows the same with the help texts.
 *
 *     struct edge_conf conf;
 *     if (!edge_conf_load(path, &conf, stderr))
 *         return EXIT_CONF;
 *     ...
 *     edge_conf_free(&conf);
 */
#ifndef COMMON_CONF_EDGE_CONF_H
#define COMMON_CONF_EDGE_CONF_H

#include "common/base/instant.h"
#include "common/conf/conf.h"

/* An item of `relays`. */
struct relay_entry {
    char *url;         /* see relay_url.h */
    char *connect_to;  /* HOST or HOST:PORT to dial; "": those of the URL */
    char *server_name; /* the name in TLS; "": the URL's host */
    char *verify;      /* true, false, or "": as tls.verify */
};

/* Whether it has only a URL. */
bool relay_entry_is_plain(const struct relay_entry *entry);

struct edge_conf {
    struct {
        char *identity; /* a path; only the defaults have "" */
        char *info;     /* JSON object, at most 16 KiB */
        struct conf_list groups;
        char *revoked; /* a path; "": revoked.zs beside the identity */
    } node;
    struct {
        uint16_t port; /* TCP */
        uint16_t udp;  /* the port of links over UDP; 0: a free one */
        struct conf_list interfaces; /* names, or "all" alone */
    } listen;
    struct {
        bool multicast;
        char *group;  /* an IPv4 multicast address */
        char *group6; /* an IPv6 multicast address */
        uint16_t port;
        struct span interval;
        struct conf_list peers; /* "host:port", see endpoint.h */
        struct conf_list stun;  /* the same */
        bool share_addresses;   /* false: host addresses only for the LAN */
        bool port_mapping;
    } discovery;
    struct conf_entries relays; /* struct relay_entry, see edge_conf_relay */
    char *proxy;                /* see proxy_setting.h */
    struct {
        bool verify; /* check certificates of relays, too */
    } tls;
    struct {
        bool tcp;
        char *udp; /* true, false or easy: see edge_conf_has_udp */
        bool relay;
    } paths;
    struct {
        struct span probe;
        struct span lost_after;
    } presence;
    struct {
        size_t message; /* bytes */
        size_t window;  /* bytes */
        size_t peers;
        size_t links;
        size_t memory; /* unread packets of all connections, bytes */
    } limits;
    struct {
        char *socket; /* a path; "": the default place */
        char *http;   /* "ADDRESS:PORT"; "": off */
    } api;
    struct {
        char *level;  /* error warn info debug */
        char *format; /* text json */
    } log;
};

extern const struct conf_table edge_conf_table;

const struct relay_entry *edge_conf_relay(const struct edge_conf *conf,
                                          size_t index);

/* Whether paths.udp lets links over UDP be opened; and whether only without
 * rounds of many sockets [P-11.7]. */
bool edge_conf_has_udp(const struct edge_conf *conf);
bool edge_conf_is_udp_easy(const struct edge_conf *conf);

/* conf.h describes these functions. */
void edge_conf_defaults(struct edge_conf *conf);
bool edge_conf_load(const char *path, struct edge_conf *conf,
                    FILE *errors) MUST_USE;
/* edge_conf_set(&conf, "api.http", "127.0.0.1:8080", "--http", stderr) */
bool edge_conf_set(struct edge_conf *conf, const char *key, const char *text,
                   const char *option, FILE *errors) MUST_USE;
void edge_conf_print(const struct edge_conf *conf, FILE *out);
void edge_conf_diff(const struct edge_conf *before,
                    const struct edge_conf *after, conf_changed *changed,
                    void *context);
void edge_conf_free(struct edge_conf *conf);

#endif
