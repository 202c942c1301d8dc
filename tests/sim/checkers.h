/*
 * checkers - what must be true of every run, watched as it happens.
 *
 * content     a message is whole, of the sender it is said to be from, and was
 *             sent to the node that has it
 * member      a publication is handed over only in its group
 * gap         publications that a receiver skips are told, each once
 * once        it is handed over once, whatever restarts
 * order       a sender's messages come in the order of their sending, and so
 *             do its publications to each group
 * report      each submit is reported once; in bounded time after healing
 * delivered   DELIVERED is said of what was handed over, and of nothing else
 * presence    JOINED once before anything of a peer, LEFT once after it; no
 *             LEFT that nothing caused
 * settle      after healing all who can reach each other are there for each
 *             other, on the best path; nobody else is
 * ready       after BUSY comes READY, or LEFT
 * leave       a clean end takes two seconds at most, and all is reported before
 * bounds      stores and queues keep to their limits
 * (trace      the same seed gives the same run: main.c compares two)
 */
#ifndef TESTS_SIM_CHECKERS_H
#define TESTS_SIM_CHECKERS_H

#include "tests/sim/world.h"

struct checkers *checkers_new(void);
void checkers_free(struct checkers *c);

void checkers_started(struct world *w, const struct process *p);
/* It said that it is done. */
void checkers_done(struct world *w, const struct process *p);
void checkers_ended(struct world *w, const struct process *p);
void checkers_observe(struct world *w, struct process *p,
                      const struct node_todo *t);
void checkers_note(struct world *w, struct process *p,
                   const struct node_todo *t);
void checkers_after_step(struct world *w, struct process *p);
void checkers_after_hub_step(struct world *w, struct hub_process *p);

enum sent_kind { SENT_MESSAGE, SENT_PUBLISHED, SENT_PING };

/* Fills `data` (size >= 8) and returns the ref that it is to be sent with.
 * to: the group of PUBLISHED. */
uint64_t checkers_submit(struct world *w, enum sent_kind kind, int from, int to,
                         uint8_t *data, size_t size);
/* The node said that a publication goes to so many peers. */
void checkers_published(struct world *w, uint64_t ref, uint32_t peers);
/* What became of it: true if it was reported. */
bool checkers_reported(const struct world *w, uint64_t ref,
                       enum node_outcome *outcome);
/* Whether `to` has it. */
bool checkers_handed_over(const struct world *w, uint64_t ref, int to);
/* -1: nobody's */
int checkers_host_of(const struct world *w, const struct node_id *id);
bool checkers_joined(const struct world *w, int observer, int peer);
bool checkers_awaits_ready(const struct world *w, int observer, int peer);
enum node_path checkers_path(const struct world *w, int observer, int peer);
/* The path that the pair ought to use now. */
enum node_path checkers_best_path(struct world *w, int first, int second);
/* Messages handed over at `to` that came from `from`. */
size_t checkers_count(const struct world *w, int from, int to);
/* The longest time between two of them, since it is watched. */
void checkers_watch_gap(struct world *w, int from, int to);
struct span checkers_gap(const struct world *w, int from, int to);
size_t checkers_leaves(const struct world *w, int observer, int peer);
/* NODE_REFUSED items with this reason, by us or (by_peer) by the other. */
size_t checkers_refusals(const struct world *w, int observer, bool by_peer,
                         uint8_t reason);

/* True if all pairs are as they should be. */
bool checkers_is_settled(struct world *w);
/* Fails if somebody is not there who should be, by whatever path. */
void checkers_settle_presence(struct world *w);
/* Fails with what is not as it should be. */
void checkers_settle(struct world *w);

/* --- groups ------------------------------------------------------------- */

/* 0 is every node's. */
const char *accounts_name(int group);
int accounts_of_name(struct bytes name); /* -1: none of them */
/* The name of a group that only tells how new an announcement is. */
void accounts_version(const struct process *p, char name[GROUP_VERSION_SIZE]);
bool accounts_is_member(const struct process *p, int group);
/* The process is in these from now on. */
void accounts_changed(struct world *w, struct process *p, uint32_t groups);

const char *sabotage_name(enum sabotage s);
/* The checker that is to find it. */
const char *sabotage_found_by(enum sabotage s);

#endif
