#include "tests/bench/core/steps.h"

#include <sodium.h>
#include <stdlib.h>

/* Allocations in the steps of each; those outside of a step count as
 * nobody's. */
static struct {
    uint64_t sender, receiver, relay, nobody;
} allocations;
static uint64_t *allocated = &allocations.nobody;
static bool trusting;

/* Callgrind finds the steps by their names. */
#define STEP __attribute__((noinline))

static bool submit(struct node *n, struct instant now,
                   const struct steps_message *m)
{
    enum node_outcome why;
    uint32_t peers;
    return m->publish ? node_publish(n, now, &m->message, &peers, &why)
                      : node_submit(n, now, m->ref, &m->to, &m->message, &why);
}

size_t steps_submit(struct node *n, struct instant now,
                    const struct steps_message *messages, size_t message_count,
                    const struct node_event *events, size_t count,
                    struct todo *todo)
{
    size_t accepted = 0;
    for (size_t i = 0; i < message_count; i++)
        accepted += submit(n, now, &messages[i]);
    node_step(n, now, events, count, todo);
    return accepted;
}

STEP size_t steps_sender(struct node *n, struct instant now,
                         const struct steps_message *messages,
                         size_t message_count, const struct node_event *events,
                         size_t count, struct todo *todo)
{
    allocated = &allocations.sender;
    size_t accepted =
        steps_submit(n, now, messages, message_count, events, count, todo);
    allocated = &allocations.nobody;
    return accepted;
}

STEP void steps_receiver(struct node *n, struct instant now,
                         const struct node_event *events, size_t count,
                         struct todo *todo)
{
    allocated = &allocations.receiver;
    node_step(n, now, events, count, todo);
    allocated = &allocations.nobody;
}

STEP void steps_relay(struct hub *h, struct instant now,
                      const struct hub_event *event, struct hub_todos *todos)
{
    allocated = &allocations.relay;
    hub_step(h, now, event, todos);
    allocated = &allocations.nobody;
}

/* ---- Allocations, on their way to libc */

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

void *malloc(size_t size)
{
    ++*allocated;
    return __libc_malloc(size);
}

/* libc's names are reserved.
 * NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
void *calloc(size_t count, size_t size)
{
    ++*allocated;
    return __libc_calloc(count, size);
}

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
void *realloc(void *old, size_t size)
{
    ++*allocated;
    return __libc_realloc(old, size);
}

uint64_t steps_allocations(void)
{
    return allocations.sender + allocations.receiver + allocations.relay;
}

/* ---- Signatures: the linker (--wrap) leads here */

int __wrap_crypto_sign_verify_detached(const unsigned char *sig,
                                       const unsigned char *m,
                                       unsigned long long size,
                                       const unsigned char *public_key);

int __wrap_crypto_sign_verify_detached(const unsigned char *sig,
                                       const unsigned char *m,
                                       unsigned long long size,
                                       const unsigned char *public_key)
{
    if (trusting)
        return 0;
    return crypto_sign_ed25519_verify_detached(sig, m, size, public_key);
}

void steps_trust(bool trust)
{
    trusting = trust;
}
