/*
 * fields - what several messages are made of: names, addresses, signatures.
 */
#ifndef COMMON_WIRE_FIELDS_H
#define COMMON_WIRE_FIELDS_H

#include "common/base/address.h"
#include "common/base/bytes.h"
#include "common/wire/ids.h"

/* The largest message that is signed. */
enum { SIGNED_SIZE = 36 * 1024 };

/* u8 n | n bytes. A text too long fails the writer. */
void write_name(struct writer *w, const char *name);
/* Reads and zero-pads; a name that is not valid [P-2.2] fails the reader. */
void read_name(struct reader *r, char name[NAME_MAX_SIZE + 1]);

/* u8 family | ip 4 or 16 | u16 port. With family 0 no ip follows, and the port
 * is 0. The scope stays at home. */
void write_address(struct writer *w, const struct address *a);
void read_address(struct reader *r, struct address *a);

/* A view that is not larger than `max`, else the reader fails. */
struct bytes read_bounded(struct reader *r, size_t size, size_t max);

/* Ed25519 over the label and then the bytes, which are SIGNED_SIZE at most. */
void sign_labelled(const char *label, struct bytes bytes,
                   const uint8_t secret_key[64],
                   uint8_t signature[SIGNATURE_SIZE]);
/* Appends the signature over everything written so far. */
void write_signature(struct writer *w, const char *label,
                     const uint8_t secret_key[64]);
/* True if the last 64 of the bytes sign those before them. */
bool signed_labelled(const char *label, struct bytes bytes,
                     const uint8_t public_key[KEY_SIZE]) MUST_USE;

#endif
