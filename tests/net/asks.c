/*
 * asks - checks that each request over the local API gets one answer, whatever
 * happens.
 *
 *     asks ask SOCKET TO COUNT RATE TIMEOUT_MS
 *     asks answer SOCKET TIMEOUT_MS
 *
 * A request's data is its number. `answer` replies with the same number, to
 * each 20th request later than TIMEOUT_MS, and to each 21st twice. `ask` waits
 * until all requests are answered, and then until any late reply would have
 * come. TERM ends `answer`.
 */
#include "tests/net/client.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UNDER_WAY = 4096, LINGER_US = 2000000 };

static bool is_late(uint64_t number)
{
    return number % 20 == 0;
}

static bool is_doubled(uint64_t number)
{
    return number % 21 == 0;
}

/* --- Asking -----------------------------------------------------------------
 */

struct asker {
    struct api_connection client;
    uint64_t count, rate, timeout_ms, next;
    uint8_t *answers;  /* the count of answers, by number */
    uint64_t *sent_us; /* by number */
    uint64_t answered, replied, timeouts, others, twice, wrong;
    uint64_t slow_us; /* the longest time of an answer beyond the timeout */
    char other[200];
};

static void ask_some(struct asker *a, const char *to, uint64_t begun_us)
{
    uint64_t allowed = (now_us() - begun_us) * a->rate / 1000000 + 1;
    while (a->next <= a->count && a->next <= allowed &&
           a->next - 1 - a->answered < UNDER_WAY) {
        uint64_t number = a->next++;
        a->sent_us[number] = now_us();
        client_say(&a->client,
                   "{\"op\":\"request\",\"ref\":%" PRIu64 ",\"to\":\"%s\""
                   ",\"type\":\"ask\",\"timeout\":%" PRIu64 ",\"data\":%" PRIu64
                   "}\n",
                   number, to, a->timeout_ms, number);
    }
}

static void take_reply(struct asker *a, const char *line)
{
    uint64_t number = member_number(line, "ref"), now = now_us();
    if (number == 0 || number >= a->next) {
        a->wrong++;
        return;
    }
    if (a->answers[number]++ > 0) {
        a->twice++;
        return;
    }
    a->answered++;
    uint64_t took = now - a->sent_us[number];
    if (took > a->timeout_ms * 1000 && took - a->timeout_ms * 1000 > a->slow_us)
        a->slow_us = took - a->timeout_ms * 1000;
    const char *value = member(line, "ok");
    if (value && strncmp(value, "true", 4) == 0) {
        a->replied++;
        a->wrong += member_number(line, "data") != number;
    } else if (member_is(line, "error", "timeout")) {
        a->timeouts++;
    } else {
        a->others++;
        snprintf(a->other, sizeof a->other, "%s", line);
    }
}

static int ask_all(struct asker *a, const char *to)
{
    uint64_t begun = now_us(), quiet_since = 0;
    const char *line;
    while (!a->client.ended && !signal_end() &&
           (quiet_since == 0 || now_us() < quiet_since + LINGER_US)) {
        ask_some(a, to, begun);
        client_run(&a->client, 5);
        while ((line = client_line(&a->client)))
            take_reply(a, line);
        if (quiet_since == 0 && a->answered == a->count)
            quiet_since = now_us();
    }
    printf("asked=%" PRIu64 " replied=%" PRIu64 " timeouts=%" PRIu64
           " others=%" PRIu64 " unanswered=%" PRIu64 " twice=%" PRIu64
           " wrong=%" PRIu64 " beyond_timeout_ms=%" PRIu64 "\n",
           a->next - 1, a->replied, a->timeouts, a->others,
           a->count - a->answered, a->twice, a->wrong, a->slow_us / 1000);
    if (a->other[0])
        printf("another answer: %s\n", a->other);
    return a->twice + a->wrong > 0 || a->answered != a->count;
}

/* --- Answering --------------------------------------------------------------
 */

struct late_reply {
    uint64_t due_us;
    struct late_reply *next;
    char line[];
};

struct answerer {
    struct api_connection client;
    uint64_t late_us;
    struct late_reply *first, **last; /* in the order in which they are due */
    uint8_t *asked;                   /* by number */
    size_t room;
    uint64_t requests, twice;
};

static void reply_late(struct answerer *a, const char *line)
{
    size_t size = strlen(line) + 1;
    struct late_reply *late = grown(NULL, 1, sizeof *late + size);
    late->due_us = now_us() + a->late_us;
    late->next = NULL;
    memcpy(late->line, line, size);
    *a->last = late;
    a->last = &late->next;
}

static void send_late(struct answerer *a)
{
    while (a->first && a->first->due_us <= now_us()) {
        struct late_reply *late = a->first;
        client_add(&a->client, late->line, strlen(late->line));
        a->first = late->next;
        if (!a->first)
            a->last = &a->first;
        free(late);
    }
}

static void count_asked(struct answerer *a, uint64_t number)
{
    if (number >= a->room) {
        size_t room = (number + 1) * 2;
        a->asked = grown(a->asked, room, 1);
        memset(a->asked + a->room, 0, room - a->room);
        a->room = room;
    }
    a->requests++;
    a->twice += a->asked[number]++ > 0;
}

static void take_request(struct answerer *a, const char *line)
{
    const char *from = member(line, "from"), *token = member(line, "request");
    if (!member_is(line, "type", "ask") || !from || !token)
        return;
    uint64_t number = member_number(line, "data");
    count_asked(a, number);
    char reply[400];
    snprintf(reply, sizeof reply,
             "{\"op\":\"reply\",\"to\":%.66s,\"request\":%.*s,\"data\":%" PRIu64
             "}\n",
             from, (int)strcspn(token, ",}"), token, number);
    for (int n = is_doubled(number) ? 2 : 1; n > 0; n--) {
        if (is_late(number))
            reply_late(a, reply);
        else
            client_add(&a->client, reply, strlen(reply));
    }
}

static int answer_all(struct answerer *a)
{
    const char *line;
    a->last = &a->first;
    client_say(&a->client, "{\"op\":\"subscribe\",\"ref\":0,"
                           "\"events\":[\"message\"]}\n");
    while (!a->client.ended && !signal_end()) {
        client_run(&a->client, 20);
        while ((line = client_line(&a->client))) {
            if (member_is(line, "event", "synced"))
                fprintf(stderr, "synced\n");
            else if (member(line, "event"))
                take_request(a, line);
        }
        send_late(a);
    }
    printf("requests=%" PRIu64 " twice=%" PRIu64 "\n", a->requests, a->twice);
    return a->twice > 0;
}

int main(int argc, char **argv)
{
    signals_watch();
    if (argc == 7 && strcmp(argv[1], "ask") == 0) {
        struct asker a = {.client = client_open(argv[2]),
                          .count = strtoull(argv[4], NULL, 10),
                          .rate = strtoull(argv[5], NULL, 10),
                          .timeout_ms = strtoull(argv[6], NULL, 10),
                          .next = 1};
        a.answers = calloc(a.count + 1, 1);
        a.sent_us = calloc(a.count + 1, sizeof *a.sent_us);
        if (!a.answers || !a.sent_us)
            fail("no memory");
        return ask_all(&a, argv[3]);
    }
    if (argc == 4 && strcmp(argv[1], "answer") == 0) {
        uint64_t timeout_ms = strtoull(argv[3], NULL, 10);
        struct answerer a = {.client = client_open(argv[2]),
                             .late_us = timeout_ms * 1000 + 300000};
        return answer_all(&a);
    }
    fprintf(stderr, "usage: asks ask SOCKET TO COUNT RATE TIMEOUT_MS\n"
                    "       asks answer SOCKET TIMEOUT_MS\n");
    return 2;
}
