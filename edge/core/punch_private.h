/*
 * punch_private - declarations that the files of punch share.
 *
 *     punch.c        records, the life of a round, back-off
 *     punch_pairs.c  pairs of addresses: questions, answers, nomination
 *     punch_burst.c  many probes at once: predicted ports, many sockets
 */
#ifndef EDGE_CORE_PUNCH_PRIVATE_H
#define EDGE_CORE_PUNCH_PRIVATE_H

#include "edge/core/punch.h"

enum {
    PAIRS = 32,          /* the peer's candidates, and as many that it showed */
    PAIR_QUESTIONS = 32, /* to one pair */
    NOMINATIONS = 10,
    ANSWERS_WAITING = 4,
    ANSWERS_A_SECOND = 64,
};

/* A question's sequence number tells what was asked, so that nothing is kept
 * for each of a thousand. */
enum {
    SEQUENCE_PAIRS = 0, /* + pair * PAIR_QUESTIONS + question */
    SEQUENCE_NOMINATES = SEQUENCE_PAIRS + PAIRS * PAIR_QUESTIONS,
    SEQUENCE_BURST = 2048,
};
_Static_assert(SEQUENCE_NOMINATES + NOMINATIONS <= SEQUENCE_BURST &&
                   SEQUENCE_BURST + PUNCH_GUESSES <= PROBE_SEQUENCES,
               "sequence numbers are distinct");

enum round_state {
    ROUND_LOOKS,     /* for this node's candidates */
    ROUND_OFFERED,   /* the leader: no ANSWER yet */
    ROUND_PROBES,    /* both records are known, and so are the keys */
    ROUND_NOMINATES, /* the leader: no AGREES yet */
    ROUND_WON,       /* until the connection is open */
};

/* A socket of this node and an address of the peer. */
struct punch_pair {
    uint32_t socket;
    struct address to;
    int kind; /* an enum candidate_kind, 0: peer-reflexive */
    struct instant start;
    int step;       /* in the timetable */
    int sent;       /* questions */
    bool is_urgent; /* the peer came from there: ask at once */
    bool is_answered;
    struct span rtt;
    struct instant sent_at[PAIR_QUESTIONS];
};

enum burst_kind {
    BURST_NONE,
    BURST_SEQUENCE, /* to the ports that a hard NAT takes next */
    BURST_GUESSES,  /* to random ports of a hard NAT */
    BURST_SOCKETS,  /* behind a hard NAT, from many sockets */
};

struct punch_burst {
    enum burst_kind kind;
    struct address to;     /* the peer's; GUESSES: without the port */
    int step;              /* SEQUENCE */
    uint32_t factor, base; /* GUESSES: which ports, in which order */
    uint32_t first_socket; /* SOCKETS: of PUNCH_SOCKETS */
    int sent;
};

/* An answer that is owed. */
struct punch_owed {
    enum probe_type type;
    uint32_t socket, sequence;
    struct address to;
};

/* Only while there is a round. */
struct punch_round {
    enum round_state state;
    uint32_t number;
    uint32_t socket; /* of all pairs but those of many sockets */
    bool has_side, easy_only;
    struct punch_side side;
    uint8_t secret[PUNCH_SECRET_SIZE];
    struct punch_record peer; /* its OFFER or ANSWER */
    struct probe_keys keys;
    bool is_open, many_open; /* sockets that are to be closed */
    bool owes_open, owes_look, owes_record, owes_won;
    int records;           /* that were sent */
    struct instant at;     /* the state's deadline */
    struct instant start;  /* of probing */
    struct instant choose; /* the leader: it nominates then */
    bool is_heard;         /* an authentic probe came */
    struct punch_pair pairs[PAIRS];
    int pair_count;
    int chosen; /* pair; the leader */
    int nominations;
    struct instant nominated;
    uint32_t won_socket;
    struct address won_to;
    struct punch_burst burst;
    uint8_t answered[PROBE_SEQUENCES / 8]; /* questions of the peer */
    struct punch_owed owed[ANSWERS_WAITING];
    int owed_count;
    struct instant second; /* in which so many were answered */
    int answers;
};

struct punch {
    struct punch_conf conf;
    bool leads, wanted, may_many;
    bool has_failed; /* the last round, with its socket */
    bool again;      /* the network changed during the round */
    bool predicted;  /* in vain: the ports of this node, by their sequence */
    bool owes_ask, owes_failed;
    struct span rtt;
    struct instant next; /* OFFER or ASK is due */
    struct instant begun, asked;
    uint32_t number;    /* of the last round; 0: there was none */
    int failures;       /* rounds and questions since the network changed */
    uint64_t many_done; /* with these networks; see burst_networks */
    enum punch_why why;
    enum nat_mapping mapping, peer_mapping;
    struct {
        uint32_t first, count;
    } closing[3];
    int closings;
    struct punch_round *round;
};

/* --- pairs --------------------------------------------------------------- */

/* A pair for each of the peer's candidates. */
void pairs_make(struct punch_round *r);
/* The timetable begins anew. */
void pairs_start_again(struct punch_round *r);
bool pairs_next(struct punch *p, struct punch_do *todo, struct instant now);
struct instant pairs_deadline(const struct punch *p);
/* Why a round failed whose records were exchanged. */
enum punch_why pairs_why_failed(const struct punch_round *r);
bool pairs_take(struct punch *p, uint32_t socket, const struct address *from,
                const struct probe *probe, struct instant now);
/* The pair, which is made unless there is one; NULL: there are too many. */
struct punch_pair *pairs_find(struct punch_round *r, uint32_t socket,
                              const struct address *to, struct instant now);
/* An answer of a pair came. After the first one the leader soon chooses. */
void pairs_answered(struct punch *p, struct punch_pair *pair, struct span rtt,
                    struct instant now);
void pairs_send(struct punch_do *todo, const struct punch *p,
                const struct probe *probe, uint32_t socket,
                const struct address *to, int ttl);

/* --- bursts -------------------------------------------------------------- */

/* After both records are known. */
void burst_choose(struct punch *p);
/* Identifies the outside addresses of both nodes. */
uint64_t burst_networks(const struct punch_round *r);
bool burst_is_many(const struct punch_round *r);
bool burst_next(struct punch *p, struct punch_do *todo, struct instant now);
struct instant burst_deadline(const struct punch_round *r);
/* The last probe was long enough ago; without a burst: `start`. */
struct instant burst_end(const struct punch_round *r);
bool burst_has_socket(const struct punch_round *r, uint32_t socket);
/* An answer with such a sequence number came from there. */
bool burst_take(struct punch *p, uint32_t socket, const struct address *from,
                uint32_t sequence, struct instant now);

/* --- the life of a round ------------------------------------------------- */

/* The pair is agreed on. */
void punch_win(struct punch *p, uint32_t socket, const struct address *to,
               struct instant now);

#endif
