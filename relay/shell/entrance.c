#include "relay/shell/entrance.h"

#include <stdlib.h>

#include "common/base/memory.h"

struct entrance {
    struct door *door;
    struct front *front; /* NULL: nobody asked for it */
};

static bool is_of_door(uint64_t conn)
{
    return conn % 2 == 1;
}

static bool is_of_front(const struct entrance *e, uint64_t conn)
{
    return conn % 2 == 0 && e->front != NULL;
}

void entrance_write(struct entrance *e, uint64_t conn, struct bytes packet)
{
    if (is_of_door(conn))
        door_write(e->door, conn, packet);
    else if (is_of_front(e, conn))
        front_write(e->front, conn, packet);
}

/* The door lends its packets, whose bytes do not stay as long as libzmq needs
 * them. */
void entrance_forward(struct entrance *e, uint64_t conn, uint64_t from,
                      struct packet_ref *packet)
{
    struct bytes bytes =
        bytes_of(packet_ref_data(packet), packet_ref_size(packet));

    if (is_of_door(conn) || is_of_door(from))
        entrance_write(e, conn, bytes);
    else if (is_of_front(e, conn))
        front_forward(e->front, conn, packet);
}

void entrance_prove(struct entrance *e, uint64_t conn)
{
    if (is_of_door(conn))
        door_prove(e->door, conn);
    else if (is_of_front(e, conn))
        front_prove(e->front, conn);
}

void entrance_drop(struct entrance *e, uint64_t conn)
{
    if (is_of_door(conn))
        door_drop(e->door, conn);
    else if (is_of_front(e, conn))
        front_drop(e->front, conn);
}

void entrance_freed(struct entrance *e, struct instant now)
{
    door_freed(e->door, now);
}

void entrance_turn(struct entrance *e, struct instant now)
{
    if (e->front != NULL)
        front_turn(e->front, now);
    door_turn(e->door, now);
}

struct instant entrance_deadline(const struct entrance *e)
{
    return instant_min(door_deadline(e->door), e->front != NULL
                                                   ? front_deadline(e->front)
                                                   : INSTANT_NEVER);
}

struct entrance *entrance_open(struct zloop *z, void *zmq_context,
                               const struct curve_pair *keys,
                               const struct entrance_conf *conf,
                               const struct entrance_user *user)
{
    struct entrance *e = memory_new(sizeof *e);

    e->door = door_open(z, keys, &conf->door, user);
    if (!conf->has_front)
        return e;
    e->front = front_open(z, zmq_context, keys, &conf->front, user);
    if (e->front == NULL)
        entrance_close(&e);
    return e;
}

bool entrance_listen_tcp(struct entrance *e, const char *endpoint,
                         char bound[static LISTENER_TEXT_SIZE])
{
    return door_listen(e->door, endpoint, bound);
}

bool entrance_listen_curve(struct entrance *e, const char *endpoint,
                           char bound[static LISTENER_TEXT_SIZE])
{
    return front_listen(e->front, endpoint, bound);
}

void entrance_reconfigure(struct entrance *e, const struct entrance_conf *conf)
{
    door_reconfigure(e->door, &conf->door);
    if (e->front != NULL)
        front_reconfigure(e->front, &conf->front);
}

void entrance_serve_tls(struct entrance *e, struct tls_pair *pair)
{
    door_serve_tls(e->door, pair);
}

void entrance_stopping(struct entrance *e)
{
    door_stopping(e->door);
}

void entrance_close(struct entrance **self)
{
    struct entrance *e = *self;
    if (e == NULL)
        return;
    *self = NULL;
    door_close(&e->door);
    front_close(&e->front);
    free(e);
}
