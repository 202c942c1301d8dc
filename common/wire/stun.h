/*
 * stun - Binding requests and responses of STUN (RFC 8489), and of classic STUN
 * (RFC 3489) as far as a server has to know it.
 *
 * A client asks a server which address and port its datagrams come from. A
 * client of RFC 8489 puts a fixed cookie into its request, and gets its address
 * as XOR-MAPPED-ADDRESS; a classic client has no cookie there, and gets
 * MAPPED-ADDRESS [P-10.1]. Requests and responses here carry no authentication.
 */
#ifndef COMMON_WIRE_STUN_H
#define COMMON_WIRE_STUN_H

#include "common/base/address.h"
#include "common/base/bytes.h"

enum {
    STUN_REQUEST_SIZE = 20,  /* of the requests that are made here */
    STUN_RESPONSE_SIZE = 44, /* of the largest response: to an IPv6 address */
    /* The same with TWO-PORTS [P-10.4]. */
    STUN_TWO_RESPONSE_SIZE = STUN_RESPONSE_SIZE + 8,
    STUN_TWO_REQUEST_SIZE = 2 * STUN_TWO_RESPONSE_SIZE,
};

/* What a response repeats of its request: the cookie and the transaction id,
 * or the 16 bytes of a classic client. */
struct stun_id {
    uint8_t bytes[16];
};

/*
 * True if the datagram is a Binding request that a relay answers [P-10.2]: a
 * whole, well-formed message. An attribute that a server must understand and
 * this one does not makes it false, as does CHANGE-REQUEST when it asks for a
 * response from another address.
 */
bool stun_read_request(struct bytes datagram, struct stun_id *id) MUST_USE;

/* The response to a request that came from `source`. A view of `room`. */
struct bytes stun_write_response(const struct stun_id *id,
                                 const struct address *source,
                                 uint8_t room[static STUN_RESPONSE_SIZE]);

/* True if the request (see stun_read_request) asks for two responses [P-10.4],
 * and is at least as long as the two to `source` are together. */
bool stun_asks_two_ports(struct bytes request,
                         const struct address *source) MUST_USE;

/* A response that also says that the second one leaves from `second_port`. */
struct bytes
stun_write_two_response(const struct stun_id *id, const struct address *source,
                        uint16_t second_port,
                        uint8_t room[static STUN_TWO_RESPONSE_SIZE]);

/* A request with the cookie; the other 12 bytes of its id are `transaction`,
 * which should be random. `id`: to know the response by. */
void stun_write_request(const uint8_t transaction[static 12],
                        struct stun_id *id,
                        uint8_t request[static STUN_REQUEST_SIZE]);

/* The same for two responses. */
void stun_write_two_request(const uint8_t transaction[static 12],
                            struct stun_id *id,
                            uint8_t request[static STUN_TWO_REQUEST_SIZE]);

/* True if the datagram is a success response to the request with this id;
 * `mapped` is then the address that the server saw. */
bool stun_read_response(struct bytes datagram, const struct stun_id *id,
                        struct address *mapped) MUST_USE;

/* The port from which the second response leaves, as a response (see
 * stun_read_response) says it; 0: there is only one response. */
uint16_t stun_second_port(struct bytes response);

#endif
