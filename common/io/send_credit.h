/*
 * send_credit - how many bytes a transport may hold of one connection's
 * packets.
 *
 * A packet counts from send_credit_add until the transport releases it: libzmq
 * does so when it has encrypted the packet. libzmq's own limit counts packets,
 * of 64 KiB as of 64 B, and wakes the sender each time half of them are sent.
 * The transport may release a packet on a thread of its own, and after the
 * connection is gone.
 */
#ifndef COMMON_IO_SEND_CREDIT_H
#define COMMON_IO_SEND_CREDIT_H

#include "common/io/packet_ref.h"
#include "common/io/wakeup.h"

#include <stdbool.h>
#include <stddef.h>

/* Smaller packets are not counted: the transport limits their number. */
enum { SEND_CREDIT_PACKET = 1024 };

struct send_credit;
struct send_credit_note;

/* The transport may hold `limit` bytes. After the credit was used up, `wakeup`
 * is sent when half of the limit is free again; NULL: the owner asks again by
 * itself. */
struct send_credit *send_credit_new(size_t limit, struct wakeup *wakeup);
/* The connection is gone; packets that the transport still holds are released
 * as before. NULL-safe. */
void send_credit_release(struct send_credit **self);
/* False: the credit is used up, and the wakeup will follow. */
bool send_credit_has_room(struct send_credit *c);
/* The bytes that the transport holds now. */
size_t send_credit_bytes(const struct send_credit *c);
/* Counts the packet, whose bytes are neither copied nor changed, until it is
 * released. The note is for send_credit_undo; NULL: the packet is small. */
struct send_credit_note *send_credit_add(struct send_credit *c,
                                         struct packet_ref *packet);
/* The transport did not take the packet: it does not count. The packet is as
 * it was before send_credit_add. */
void send_credit_undo(struct send_credit_note *note, struct packet_ref *packet);

#endif
