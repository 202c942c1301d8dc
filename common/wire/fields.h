/*
 * fields - reads and writes the parts that several messages share: names,
 * addresses, signatures.
 */
#ifndef COMMON_WIRE_FIELDS_H
#define COMMON_WIRE_FIELDS_H

#include "common/base/address.h"
#include "common/base/bytes.h"
#include "common/wire/ids.h"

/* The largest message that can be signed, bytes. */
enum { SIGNED_SIZE = 36 * 1024 };

/* u8 n | n bytes. A name longer than NAME_MAX_SIZE fails the writer. */
void write_name(struct writer *w, const char *name);
/* Reads a name and fills the rest of the array with zeros; a name that is not
 * valid [P-2.2] fails the reader. */
void read_name(struct reader *r, char name[NAME_MAX_SIZE + 1]);

/* u8 family | ip 4 or 16 | u16 port. Family 0 (no address) has no ip, and port
 * 0. The scope is not sent: it means nothing to another host. */
void write_address(struct writer *w, const struct address *a);
void read_address(struct reader *r, struct address *a);

/* Reads a view; `size` larger than `max` fails the reader. */
struct bytes read_bounded(struct reader *r, size_t size, size_t max);

/* An Ed25519 signature over the label, then the bytes (at most SIGNED_SIZE). */
void sign_labelled(const char *label, struct bytes bytes,
                   const uint8_t secret_key[64],
                   uint8_t signature[SIGNATURE_SIZE]);
/* Appends a signature over everything that the writer has written so far. */
void write_signature(struct writer *w, const char *label,
                     const uint8_t secret_key[64]);
/* True if the last 64 bytes are a valid signature over the bytes before them.
 */
bool signed_labelled(const char *label, struct bytes bytes,
                     const uint8_t public_key[KEY_SIZE]) MUST_USE;

#endif
