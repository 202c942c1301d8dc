/*
 * numbers - sends and receives numbered messages of one size or of mixed sizes
 * over the local API, checks that each arrives once and in order, and measures
 * silences.
 *
 *     numbers send SOCKET TO COUNT [options]     TO `*`: publishes
 *         --rate N      a second, in bursts of 20; default: as fast as it goes
 *         --size N      bytes of data each; default: 64 B to 1 MiB, mixed
 *         --small       mixed from 64 B to 32 KiB
 *         --most BYTES  under way at a time; default 8 MiB
 *         --for SECONDS ends after this time, if COUNT is not reached before
 *         --goes-on     after COUNT too, until TERM: then it sends what is left
 *                       of COUNT and one more, which says that it is the last
 *         --log FILE    a line for each answer: number, outcome
 *         --stubborn    errors are no failure: it goes on
 *     numbers take SOCKET KIND:NAME:COUNT... [options]
 *         KIND is message or event; COUNT 0: until TERM; COUNT `last`: until
 *         the one that says so
 *         --silences FILE   of 100 ms and more, and joins, leaves and paths
 *         --rates FILE      messages received in each second
 *         --numbers FILE    each number received, with its stream
 *         --for SECONDS     as above
 *         --with-holes      some may be missing: only twice, late or spoilt
 *                           ones, and gaps that do not fit, are wrong
 *     numbers events NUMBER|last:NUMBER|gap:COUNT...
 *         prints what an edge would tell of such publications of alice
 *
 * A message's data is its number, the time of sending (microseconds), its size,
 * a space (or a full stop: it is the sender's last), and letters that follow
 * from the number. A silence is the time between two
 * receptions from one sender during which the later message was already sent.
 * USR1 makes `send` go as fast as possible, and makes `take` end once nothing
 * came for 2 s; USR2 makes `send` pause between two messages, and go on; TERM
 * ends both in good order.
 */
#include "tests/net/client.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SIZE_MOST = 1 << 20,
    HEAD_MOST = 64, /* number, time and size as text */
    LETTERS = 1 << 16,
    AHEAD = 1 << 14, /* messages under way, at most */
    STREAMS = 64,
    SILENCE_US = 100000,
    QUIET_US = 2000000,
};

/* --- What a message looks like ---------------------------------------------
 */

static char letters[LETTERS + SIZE_MOST];

static uint64_t mixed(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
    x = (x ^ x >> 27) * 0x94d049bb133111ebU;
    return x ^ x >> 31;
}

static void letters_make(void)
{
    for (size_t i = 0; i < sizeof letters; i++)
        letters[i] = (char)('a' + mixed(i) % 26);
}

/* Of 100 sizes, 90 are up to 1 KiB, 9 up to 32 KiB, nearly 1 up to 256 KiB; of
 * 1,000, one is up to 1 MiB. The average is 3 KiB. */
static size_t mixed_size(uint64_t number, bool small)
{
    uint64_t r = mixed(number), share = r % 1000;
    size_t most = share < 900            ? 1024
                  : share < 990 || small ? 32 * 1024
                  : share < 999          ? 256 * 1024
                                         : SIZE_MOST;
    return 64 + (size_t)((r >> 20) % (most - 64 + 1));
}

static const char *letters_of(uint64_t number)
{
    return letters + mixed(~number) % LETTERS;
}

/* The parsed head of a message's data. */
struct number {
    uint64_t value, sent_us;
    size_t size;
    bool last;
};

static bool is_whole(const char *data, struct number *n)
{
    char *at;
    n->value = strtoull(data, &at, 10);
    n->sent_us = strtoull(at, &at, 10);
    n->size = strtoull(at, &at, 10);
    size_t head = (size_t)(at - data) + 1;
    n->last = *at == '.';
    if ((*at != ' ' && !n->last) || n->size < head || n->size > SIZE_MOST)
        return false;
    return strncmp(at + 1, letters_of(n->value), n->size - head) == 0 &&
           data[n->size] == '"' && n->value > 0 && n->value <= UINT32_MAX;
}

/* --- Options ----------------------------------------------------------------
 */

struct number_options {
    uint64_t rate, size, most, seconds;
    bool small, stubborn, with_holes, goes_on;
    FILE *log, *silences, *rates, *numbers;
    uint64_t begun_us;
};

static FILE *open_for_lines(const char *name)
{
    FILE *file = fopen(name, "w");
    if (!file)
        fail("cannot write %s", name);
    setvbuf(file, NULL, _IOLBF, 0);
    return file;
}

static int option_take(struct number_options *o, char **words)
{
    const char *word = words[0], *value = words[1];
    if (strcmp(word, "--small") == 0)
        return o->small = true, 1;
    if (strcmp(word, "--stubborn") == 0)
        return o->stubborn = true, 1;
    if (strcmp(word, "--with-holes") == 0)
        return o->with_holes = true, 1;
    if (strcmp(word, "--goes-on") == 0)
        return o->goes_on = true, 1;
    if (!value)
        fail("%s: not understood", word);
    if (strcmp(word, "--rate") == 0)
        o->rate = strtoull(value, NULL, 10);
    else if (strcmp(word, "--size") == 0)
        o->size = strtoull(value, NULL, 10);
    else if (strcmp(word, "--most") == 0)
        o->most = strtoull(value, NULL, 10);
    else if (strcmp(word, "--for") == 0)
        o->seconds = strtoull(value, NULL, 10);
    else if (strcmp(word, "--log") == 0)
        o->log = open_for_lines(value);
    else if (strcmp(word, "--silences") == 0)
        o->silences = open_for_lines(value);
    else if (strcmp(word, "--rates") == 0)
        o->rates = open_for_lines(value);
    else if (strcmp(word, "--numbers") == 0)
        o->numbers = open_for_lines(value);
    else
        fail("%s: not understood", word);
    return 2;
}

static struct number_options options_parse(char **words)
{
    struct number_options o = {.most = 8 << 20, .begun_us = now_us()};
    while (*words)
        words += option_take(&o, words);
    if (o.size > SIZE_MOST)
        fail("--size: at most %d", SIZE_MOST);
    return o;
}

static bool time_is_up(const struct number_options *o)
{
    return o->seconds > 0 && now_us() > o->begun_us + o->seconds * 1000000;
}

/* --- Sending ----------------------------------------------------------------
 */

struct sender {
    struct api_connection client;
    const struct number_options *options;
    const char *to; /* NULL: all */
    uint64_t count;
    bool ends;             /* after TERM: `count` is the last number */
    uint64_t next, oldest; /* numbers */
    uint32_t sizes[AHEAD]; /* under way; 0: answered */
    uint64_t under_way;    /* bytes */
    uint64_t ok, failed;
    uint64_t strange; /* answers without a request */
    char first_error[200];
    uint64_t pause_until_us;
};

static size_t size_of(const struct number_options *o, uint64_t number)
{
    size_t size = o->size > 0 ? o->size : mixed_size(number, o->small);
    return size < HEAD_MOST ? HEAD_MOST : size;
}

/* Writes the data's head, before the letters; returns its size. */
static size_t head_of(uint64_t number, size_t size, bool last,
                      char head[HEAD_MOST])
{
    return (size_t)snprintf(head, HEAD_MOST, "%" PRIu64 " %" PRIu64 " %zu%c",
                            number, now_us(), size, last ? '.' : ' ');
}

static void send_one(struct sender *s)
{
    struct api_connection *c = &s->client;
    uint64_t number = s->next++;
    size_t size = size_of(s->options, number);
    char head[HEAD_MOST];
    bool last = s->ends && number == s->count;
    size_t head_size = head_of(number, size, last, head);

    if (s->to)
        client_say(c, "{\"op\":\"send\",\"to\":\"%s\"", s->to);
    else
        client_say(c, "{\"op\":\"publish\"");
    client_say(c, ",\"type\":\"numbers\",\"ref\":%" PRIu64 ",\"data\":\"%s",
               number, head);
    client_add(c, letters_of(number), size - head_size);
    client_add(c, "\"}\n", 3);
    s->sizes[number % AHEAD] = (uint32_t)size;
    s->under_way += size;
}

/* The number of messages that --rate allows until now. */
static uint64_t allowed_by_now(const struct sender *s)
{
    const struct number_options *o = s->options;
    if (o->rate == 0 || signal_user() || s->ends)
        return s->count;
    uint64_t burst = (now_us() - o->begun_us) / 50000 + 1;
    uint64_t allowed = burst * o->rate / 20;
    return allowed < s->count ? allowed : s->count;
}

static void send_some(struct sender *s)
{
    uint64_t allowed = allowed_by_now(s);
    if (signal_pause() || now_us() < s->pause_until_us)
        return;
    while (s->next <= allowed && s->next - s->oldest < AHEAD &&
           s->under_way < s->options->most &&
           client_unsent(&s->client) < 1 << 20)
        send_one(s);
}

static void take_failure(struct sender *s, const char *line)
{
    s->failed++;
    if (!s->first_error[0])
        snprintf(s->first_error, sizeof s->first_error, "%s", line);
    /* The peer is not there: pause, instead of a million attempts. */
    if (member_is(line, "error", "unknown_peer"))
        s->pause_until_us = now_us() + 5000;
}

static void log_answer(FILE *log, uint64_t number, const char *line, bool ok)
{
    const char *error = member(line, "error");
    if (log && ok)
        fprintf(log, "%" PRIu64 " ok\n", number);
    else if (log)
        fprintf(log, "%" PRIu64 " %.*s\n", number,
                error ? (int)strcspn(error + 1, "\"") : 0,
                error ? error + 1 : "");
}

static void take_answer(struct sender *s, const char *line)
{
    uint64_t number = member_number(line, "ref");
    const char *value = member(line, "ok");
    bool ok = value && strncmp(value, "true", 4) == 0;
    uint32_t *size = &s->sizes[number % AHEAD];

    if (number < s->oldest || number >= s->next || *size == 0) {
        s->strange++;
        return;
    }
    log_answer(s->options->log, number, line, ok);
    if (ok)
        s->ok++;
    else
        take_failure(s, line);
    s->under_way -= *size;
    *size = 0;
    while (s->oldest < s->next && s->sizes[s->oldest % AHEAD] == 0)
        s->oldest++;
}

/* The number of the last message is known from TERM on. */
static void end_soon(struct sender *s, uint64_t count)
{
    if (!s->options->goes_on || s->ends || !signal_end())
        return;
    s->ends = true;
    s->count = count > s->next ? count : s->next;
}

static bool has_more(const struct sender *s)
{
    bool ended = signal_end() && !s->options->goes_on;
    return s->next <= s->count && !ended && !time_is_up(s->options);
}

static int send_all(const char *socket, const char *to, uint64_t count,
                    const struct number_options *o)
{
    static struct sender s;
    s = (struct sender){.client = client_open(socket),
                        .options = o,
                        .to = strcmp(to, "*") == 0 ? NULL : to,
                        .count = o->goes_on ? UINT32_MAX : count,
                        .next = 1,
                        .oldest = 1};
    const char *line;
    bool more = true;
    while ((more || s.oldest < s.next) && !s.client.ended) {
        end_soon(&s, count);
        more = more && has_more(&s);
        if (more)
            send_some(&s);
        client_run(&s.client, 10);
        while ((line = client_line(&s.client)))
            take_answer(&s, line);
    }
    uint64_t sent = s.next - 1, took = now_us() - o->begun_us;
    printf("sent=%" PRIu64 " ok=%" PRIu64 " failed=%" PRIu64
           " unanswered=%" PRIu64 " strange=%" PRIu64 " seconds=%.1f\n",
           sent, s.ok, s.failed, sent - s.ok - s.failed, s.strange,
           (double)took / 1e6);
    if (s.first_error[0] && !o->stubborn)
        printf("the first error: %s\n", s.first_error);
    return s.strange > 0 || (!o->stubborn && s.ok != sent);
}

/* --- Taking -----------------------------------------------------------------
 */

struct number_stream {
    const char *kind, *name;
    uint64_t count;    /* 0: unknown */
    bool to_last;      /* the last one tells the count */
    uint64_t next;     /* expected */
    uint64_t received; /* each once */
    uint64_t doubled, late, holes, spoilt;
    uint64_t gaps, missed; /* of gap events */
    uint64_t last_us, silence_us, first_us, bytes;
    uint8_t *seen; /* a bit each */
    size_t seen_size;
    uint32_t *latencies; /* microseconds */
    uint32_t *rates;     /* received in each second since the start */
    size_t seconds;
};

struct taker {
    struct api_connection client;
    const struct number_options *options;
    struct number_stream streams[STREAMS];
    size_t count;
    uint64_t leaves, unknown;
    bool synced;
};

static bool first_time(struct number_stream *s, uint64_t number)
{
    size_t byte = number / 8;
    uint8_t bit = (uint8_t)(1 << number % 8);
    if (byte >= s->seen_size) {
        size_t size = (byte + 1) * 2;
        s->seen = grown(s->seen, size, 1);
        memset(s->seen + s->seen_size, 0, size - s->seen_size);
        s->seen_size = size;
    }
    bool first = !(s->seen[byte] & bit);
    s->seen[byte] |= bit;
    return first;
}

static void count_second(struct number_stream *s, uint64_t since_us)
{
    size_t second = since_us / 1000000;
    while (s->seconds <= second) {
        s->rates = grown(s->rates, s->seconds + 1, sizeof *s->rates);
        s->rates[s->seconds++] = 0;
    }
    s->rates[second]++;
}

static void note_latency(struct number_stream *s, uint64_t latency_us)
{
    enum { CHUNK = 4096 };
    if (s->received % CHUNK == 0)
        s->latencies =
            grown(s->latencies, s->received + CHUNK, sizeof *s->latencies);
    s->latencies[s->received] =
        latency_us < UINT32_MAX ? (uint32_t)latency_us : UINT32_MAX;
}

static void note_silence(struct taker *t, struct number_stream *s,
                         const struct number *n, uint64_t now)
{
    uint64_t since = n->sent_us > s->last_us ? n->sent_us : s->last_us;
    uint64_t silence = s->received > 0 && now > since ? now - since : 0;
    if (silence > s->silence_us)
        s->silence_us = silence;
    if (silence >= SILENCE_US && t->options->silences)
        fprintf(t->options->silences,
                "%" PRIu64 " silence %" PRIu64 " %s:%s before %" PRIu64 "\n",
                now, silence, s->kind, s->name, n->value);
    s->last_us = now;
}

/* Checks the order of a message; false if the number came before. */
static bool note_order(struct number_stream *s, uint64_t number)
{
    if (!first_time(s, number)) {
        s->doubled++;
        return false;
    }
    s->late += number < s->next;
    if (number >= s->next) {
        s->holes += number - s->next;
        s->next = number + 1;
    }
    return true;
}

static void take_number(struct taker *t, struct number_stream *s,
                        const char *data)
{
    uint64_t now = now_us();
    struct number n;
    if (!is_whole(data, &n)) {
        s->spoilt++;
        return;
    }
    if (s->to_last && n.last)
        s->count = n.value;
    if (!note_order(s, n.value))
        return;
    note_latency(s, now > n.sent_us ? now - n.sent_us : 0);
    note_silence(t, s, &n, now);
    count_second(s, now - t->options->begun_us);
    s->first_us = s->received == 0 ? now : s->first_us;
    s->received++;
    s->bytes += n.size;
    if (t->options->numbers)
        fprintf(t->options->numbers, "%" PRIu64 " %s:%s\n", n.value, s->kind,
                s->name);
}

static struct number_stream *stream_of(struct taker *t, const char *kind,
                                       const char *line)
{
    for (size_t i = 0; i < t->count; i++)
        if (strcmp(t->streams[i].kind, kind) == 0 &&
            member_is(line, "name", t->streams[i].name))
            return &t->streams[i];
    return NULL;
}

static void take_gap(struct taker *t, const char *line)
{
    struct number_stream *s = stream_of(t, "event", line);
    if (!s) {
        t->unknown++;
        return;
    }
    uint64_t missed = member_number(line, "missed");
    s->gaps++;
    s->missed += missed;
    s->next += missed; /* The next message must have this number. */
}

static void take_event(struct taker *t, const char *line)
{
    const char *kind = member_is(line, "event", "message") ? "message"
                       : member_is(line, "event", "event") ? "event"
                                                           : NULL;
    if (kind) {
        struct number_stream *s = stream_of(t, kind, line);
        const char *data = member(line, "data");
        if (s && data && *data == '"' && member_is(line, "type", "numbers"))
            take_number(t, s, data + 1);
        else
            t->unknown++;
        return;
    }
    if (member_is(line, "event", "gap"))
        take_gap(t, line);
    if (member_is(line, "event", "synced") && !t->synced) {
        t->synced = true;
        fprintf(stderr, "synced\n");
    }
    t->leaves += member_is(line, "event", "leave");
    if (t->synced && t->options->silences)
        fprintf(t->options->silences, "%" PRIu64 " %.200s\n", now_us(), line);
}

static bool has_all(const struct taker *t)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct number_stream *s = &t->streams[i];
        if (s->count == 0 || s->received + s->missed < s->count)
            return false;
    }
    return true;
}

/* True after USR1 (no more messages are sent) once nothing came for a while. */
static bool is_quiet(const struct taker *t)
{
    uint64_t last = t->options->begun_us;
    for (size_t i = 0; i < t->count; i++)
        if (t->streams[i].last_us > last)
            last = t->streams[i].last_us;
    return signal_user() && now_us() > last + QUIET_US;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double latency_ms(const struct number_stream *s, uint64_t permille)
{
    if (s->received == 0)
        return 0;
    return s->latencies[(s->received - 1) * permille / 1000] / 1000.0;
}

/* Prints the stream's line; true if the stream is correct. */
static bool judge(struct number_stream *s, bool with_holes)
{
    uint64_t had = s->received + s->missed;
    uint64_t lost = s->count > had ? s->count - had : 0;
    uint64_t unasked = s->count > 0 && had > s->count ? had - s->count : 0;
    qsort(s->latencies, s->received, sizeof *s->latencies, compare);
    printf("%s:%s received=%" PRIu64 " lost=%" PRIu64 " doubled=%" PRIu64
           " late=%" PRIu64 " holes=%" PRIu64 " spoilt=%" PRIu64
           " unasked=%" PRIu64 " gaps=%" PRIu64 " missed=%" PRIu64
           " silence_ms=%" PRIu64 " p50_ms=%.1f p99_ms=%.1f max_ms=%.1f"
           " mb=%.1f seconds=%.1f\n",
           s->kind, s->name, s->received, lost, s->doubled, s->late, s->holes,
           s->spoilt, unasked, s->gaps, s->missed, s->silence_us / 1000,
           latency_ms(s, 500), latency_ms(s, 990), latency_ms(s, 1000),
           (double)s->bytes / 1e6, (double)(s->last_us - s->first_us) / 1e6);
    if (s->to_last && s->count == 0) {
        printf("%s:%s: the last one did not come\n", s->kind, s->name);
        return false;
    }
    if (!with_holes && lost + s->holes + unasked > 0)
        return false;
    return s->doubled + s->late + s->spoilt == 0;
}

static void write_rates(const struct taker *t)
{
    for (size_t i = 0; i < t->count; i++)
        for (size_t n = 0; n < t->streams[i].seconds; n++)
            fprintf(t->options->rates, "%s:%s %" PRIu64 " %u\n",
                    t->streams[i].kind, t->streams[i].name,
                    t->options->begun_us / 1000000 + n, t->streams[i].rates[n]);
}

static void add_stream(struct taker *t, char *word)
{
    char *name = strchr(word, ':');
    char *count = name ? strchr(name + 1, ':') : NULL;
    if (!count || t->count == STREAMS)
        fail("%s: not KIND:NAME:COUNT", word);
    *name = *count = '\0';
    t->streams[t->count++] =
        (struct number_stream){.kind = word,
                               .name = name + 1,
                               .count = strtoull(count + 1, NULL, 10),
                               .to_last = strcmp(count + 1, "last") == 0,
                               .next = 1};
}

static int take_all(char **words)
{
    static struct taker t;
    t.client = client_open(*words++);
    while (*words && strncmp(*words, "--", 2) != 0)
        add_stream(&t, *words++);
    struct number_options o = options_parse(words);
    t.options = &o;
    client_say(&t.client, "{\"op\":\"subscribe\",\"ref\":0}\n");
    const char *line;
    while (!has_all(&t) && !signal_end() && !time_is_up(&o) && !is_quiet(&t) &&
           !t.client.ended) {
        client_run(&t.client, 50);
        while ((line = client_line(&t.client)))
            if (member(line, "event"))
                take_event(&t, line);
    }
    bool good = true;
    for (size_t i = 0; i < t.count; i++)
        good = judge(&t.streams[i], o.with_holes) && good;
    printf("leaves=%" PRIu64 " unknown=%" PRIu64 "%s\n", t.leaves, t.unknown,
           t.client.ended ? " (the edge ended the connection)" : "");
    if (o.rates)
        write_rates(&t);
    return !good || t.unknown > 0;
}

static int show_events(char **words)
{
    enum { SIZE = 100 };
    for (; *words; words++) {
        bool last = strncmp(*words, "last:", 5) == 0;
        uint64_t number = strtoull(*words + (last ? 5 : 0), NULL, 10);
        char head[HEAD_MOST];
        int left = SIZE - (int)head_of(number, SIZE, last, head);
        if (strncmp(*words, "gap:", 4) == 0)
            printf("{\"event\":\"gap\",\"name\":\"alice\",\"missed\":%s}\n",
                   *words + 4);
        else
            printf("{\"event\":\"event\",\"name\":\"alice\",\"type\":"
                   "\"numbers\",\"data\":\"%s%.*s\"}\n",
                   head, left, letters_of(number));
    }
    return 0;
}

int main(int argc, char **argv)
{
    letters_make();
    signals_watch();
    if (argc >= 5 && strcmp(argv[1], "send") == 0) {
        struct number_options o = options_parse(argv + 5);
        return send_all(argv[2], argv[3], strtoull(argv[4], NULL, 10), &o);
    }
    if (argc >= 4 && strcmp(argv[1], "take") == 0)
        return take_all(argv + 2);
    if (argc >= 2 && strcmp(argv[1], "events") == 0)
        return show_events(argv + 2);
    fprintf(stderr,
            "usage: numbers send SOCKET TO COUNT [options]\n"
            "       numbers take SOCKET KIND:NAME:COUNT... [options]\n");
    return 2;
}
