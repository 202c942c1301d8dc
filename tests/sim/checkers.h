/*
 * checkers - what must be true of every run, watched as it happens.
 *
 * content     a message is whole, comes from the sender that it names, and was
 *             sent to the node that gets it
 * member      only members of a group get its publications
 * gap         a receiver is told of each publication that it skips, once
 * once        each is handed over at most once, whatever restarts
 * order       a sender's messages are handed over in the order of sending, and
 *             so are its publications to each group
 * report      each submit is reported once; in bounded time after healing
 * delivered   DELIVERED is reported of what was handed over, of nothing else
 * presence    JOINED comes once, before anything of a peer, and LEFT once,
 * after it; each LEFT has a cause settle      after healing all nodes that can
 * reach each other see each other, by the best path, and no others ready after
 * BUSY comes READY, or LEFT leave       a clean end takes at most two seconds;
 * before it all is reported bounds      stores and queues keep their limits
 * (trace      the same seed gives the same run: main.c compares two)
 */
#ifndef TESTS_SIM_CHECKERS_H
#define TESTS_SIM_CHECKERS_H

#include "tests/sim/world.h"

struct checkers *checkers_new(void);
void checkers_free(struct checkers *c);

void checkers_started(struct world *w, const struct process *p);
/* The node said that it is done. */
void checkers_done(struct world *w, const struct process *p);
void checkers_ended(struct world *w, const struct process *p);
void checkers_observe(struct world *w, struct process *p,
                      const struct node_todo *t);
void checkers_note(struct world *w, struct process *p,
                   const struct node_todo *t);
void checkers_after_step(struct world *w, struct process *p);
void checkers_after_hub_step(struct world *w, struct hub_process *p);

enum sent_kind { SENT_MESSAGE, SENT_PUBLISHED, SENT_PING };

/* Fills `data` (size >= 8) and returns the ref to send it with. to: the group,
 * for PUBLISHED. */
uint64_t checkers_submit(struct world *w, enum sent_kind kind, int from, int to,
                         uint8_t *data, size_t size);
/* The node said that a publication goes to so many peers. */
void checkers_published(struct world *w, uint64_t ref, uint32_t peers);
/* True if the message was reported; then its outcome. */
bool checkers_reported(const struct world *w, uint64_t ref,
                       enum node_outcome *outcome);
/* Whether the message was handed over at `to`. */
bool checkers_handed_over(const struct world *w, uint64_t ref, int to);
/* -1: no host has this id */
int checkers_host_of(const struct world *w, const struct node_id *id);
bool checkers_joined(const struct world *w, int observer, int peer);
bool checkers_awaits_ready(const struct world *w, int observer, int peer);
enum node_path checkers_path(const struct world *w, int observer, int peer);
/* The path that the pair should use now. */
enum node_path checkers_best_path(struct world *w, int first, int second);
/* Messages handed over at `to` that came from `from`. */
size_t checkers_count(const struct world *w, int from, int to);
/* The longest time between two messages, since checkers_watch_gap. */
void checkers_watch_gap(struct world *w, int from, int to);
struct span checkers_gap(const struct world *w, int from, int to);
size_t checkers_leaves(const struct world *w, int observer, int peer);
/* NODE_REFUSED items with this reason: the observer refused, or (by_peer) it
 * was refused. */
size_t checkers_refusals(const struct world *w, int observer, bool by_peer,
                         uint8_t reason);

/* True if all pairs of nodes see each other as they should. */
bool checkers_is_settled(struct world *w);
/* Fails if a node does not see a peer that it should see, by any path. */
void checkers_settle_presence(struct world *w);
/* Fails with the first pair or message that is not as it should be. */
void checkers_settle(struct world *w);

/* --- groups ------------------------------------------------------------- */

/* Every node is in group 0. */
const char *accounts_name(int group);
int accounts_of_name(struct bytes name); /* -1: no group of ours */
/* The name of an extra group that encodes how new an announcement is. */
void accounts_version(const struct process *p, char name[GROUP_VERSION_SIZE]);
bool accounts_is_member(const struct process *p, int group);
/* From now on the process is in these groups. */
void accounts_changed(struct world *w, struct process *p, uint32_t groups);

const char *sabotage_name(enum sabotage s);
/* The checker that must find it. */
const char *sabotage_found_by(enum sabotage s);

#endif
