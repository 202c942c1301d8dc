/*
 * attack - attacks one daemon, for a limited time and count:
 *
 *     attack NAME HOST:PORT|SOCKET [option]...
 *
 * See usage below. It prints one line of figures and exits with 0 whatever the
 * daemon does: the script that started it judges the result.
 */
#include "tests/adversary/attack.h"

#include <inttypes.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "common/base/hex.h"

static const struct {
    const char *name;
    attack_fn *run;
    const char *what;
} attacks[] = {
    {"silent", attack_silent, "COUNT connections that say nothing"},
    {"slow", attack_slow, "COUNT that SAY their speech byte by byte"},
    {"half", attack_half, "COUNT that SAY an opening and nothing more"},
    {"returning", attack_returning,
     "the same; each is opened again when it is cut"},
    {"endless", attack_endless,
     "COUNT that SAY a speech for ever and read nothing; opened again"},
    {"updates", attack_updates,
     "COUNT that shake hands by TLS, and change their keys for ever"},
    {"mute", attack_mute, "COUNT that shake hands and say nothing after it"},
    {"recorded", attack_recorded, "RATE times one recorded opening"},
    {"fresh", attack_fresh, "RATE CURVE HELLOs, each with a key of its own"},
    {"frames", attack_frames,
     "COUNT connections with a message of SIZE-byte frames that never ends;"
     " with --identity after a good HELLO"},
    {"link-hellos", attack_link_hellos, "RATE times another's announcement"},
    {"relay-hellos", attack_relay_hellos,
     "RATE times the HELLO of IDENTITY, without its key"},
    {"roster", attack_roster,
     "a member's: prints name, link key and announcement of each node"},
    {"inits", attack_inits, "a member's: RATE times one session INIT"},
    {"unknown", attack_unknown,
     "a member's: COUNT packets of GROUP_ACK UNKNOWN by a direct link"},
    {"announce", attack_announce, "a member's: RATE new announcements"},
    {"deaf", attack_deaf,
     "a member's: COUNT packets of SIZE to itself, and it reads nothing"},
    {"relay", attack_relay,
     "plays the relay of KEY-FILE; sends frames that never end, with"
     " COUNT 1 before WELCOME, else after it"},
    {"api-flood", attack_api_flood, "COUNT clients that ask and do not read"},
    {"api-lines", attack_api_lines, "COUNT with a line of SIZE unfinished"},
    {"api-idle", attack_api_idle, "COUNT that say nothing"},
    {"web-flood", attack_web_flood, "COUNT WebSockets that ask, do not read"},
    {"web-large", attack_web_large, "COUNT with SIZE bytes unfinished"},
    {"web-slow", attack_web_slow, "COUNT that say their request byte by byte"},
};

static _Noreturn void usage(void)
{
    fprintf(stderr,
            "usage: attack NAME HOST:PORT|SOCKET [option]...\n"
            "  --key HEX --count N --rate N --seconds S --size BYTES\n"
            "  --most BYTES "
            " --spread ADDRESSES --identity FILE --victim NAME --token TEXT\n"
            "  --key-file FILE --relay HOST:PORT --relay-key HEX "
            "--announcement HEX --say SPEECH\n");
    for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++)
        fprintf(stderr, "  %-13s %s\n", attacks[i].name, attacks[i].what);
    speech_list(stderr);
    exit(2);
}

static struct bytes hex_bytes(const char *text)
{
    size_t size = strlen(text) / 2;
    uint8_t *bytes = malloc(size + 1);
    if (bytes == NULL || !hex_decode(text, bytes, size))
        usage();
    return bytes_of(bytes, size);
}

static void read_option(struct attack *a, const char *word, const char *value)
{
    uint64_t number = strtoull(value, NULL, 10);
    if (strcmp(word, "--key") == 0)
        memcpy(a->key.key, hex_bytes(value).data, KEY_SIZE);
    else if (strcmp(word, "--relay-key") == 0)
        memcpy(a->relay_key.key, hex_bytes(value).data, KEY_SIZE);
    else if (strcmp(word, "--announcement") == 0)
        a->announcement = hex_bytes(value);
    else if (strcmp(word, "--count") == 0)
        a->count = number;
    else if (strcmp(word, "--rate") == 0)
        a->rate = number;
    else if (strcmp(word, "--seconds") == 0)
        a->ends_ms = attack_now_ms() + number * 1000;
    else if (strcmp(word, "--size") == 0)
        a->size = number;
    else if (strcmp(word, "--most") == 0)
        a->most = number;
    else if (strcmp(word, "--spread") == 0)
        a->target.spread = (unsigned)number;
    else if (strcmp(word, "--identity") == 0)
        a->identity = value;
    else if (strcmp(word, "--key-file") == 0)
        a->key_file = value;
    else if (strcmp(word, "--victim") == 0)
        a->victim = value;
    else if (strcmp(word, "--say") == 0)
        a->say = value;
    else if (strcmp(word, "--token") == 0)
        a->token = value;
    else if (strcmp(word, "--relay") != 0 || !target_parse(value, &a->relay))
        usage();
}

static struct attack read_options(char **words)
{
    struct attack a = {.count = 1,
                       .rate = 100,
                       .size = 65536,
                       .most = UINT64_MAX,
                       .token = "",
                       .ends_ms = attack_now_ms() + 3000};
    if (!target_parse(*words++, &a.target))
        usage();
    for (; words[0] != NULL; words += 2) {
        if (words[1] == NULL)
            usage();
        read_option(&a, words[0], words[1]);
    }
    if (a.say == NULL)
        a.say = sodium_is_zero(a.key.key, KEY_SIZE) ? "nothing" : "zmtp";
    if (!speech_make(&a.speech, a.say, &a.key))
        usage();
    if (a.identity != NULL && !identity_load(a.identity, NULL, &a.self, stderr))
        exit(3);
    return a;
}

bool attack_is_over(const struct attack *a)
{
    return attack_now_ms() >= a->ends_ms;
}

static uint64_t begun_ms;

void tally_cut(struct tally *t)
{
    uint64_t since = attack_now_ms() - begun_ms;
    if (t->cut++ == 0)
        t->first_cut_ms = since;
    t->last_cut_ms = since;
}

/* Lowers the priority: attack and victim share the processors, and the test
 * measures what the victim does, not how the kernel divides the processors. */
static void be_modest(void)
{
    struct rlimit files;

    (void)setpriority(PRIO_PROCESS, 0, 19);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    (void)signal(SIGPIPE, SIG_IGN);
}

int main(int argc, char **argv)
{
    static struct attack a; /* It stays, and so does what it points to. */
    struct tally t = {0};
    size_t i = 0, count = sizeof attacks / sizeof *attacks;

    if (argc < 3 || sodium_init() < 0)
        usage();
    while (i < count && strcmp(attacks[i].name, argv[1]) != 0)
        i++;
    if (i == count)
        usage();
    a = read_options(argv + 2);
    be_modest();
    begun_ms = attack_now_ms();
    attacks[i].run(&a, &t);
    printf("attack=%s opened=%" PRIu64 " refused=%" PRIu64 " cut=%" PRIu64
           " first_cut_ms=%" PRIu64 " last_cut_ms=%" PRIu64 " sent=%" PRIu64
           " mib=%.1f answers=%" PRIu64 " seconds=%.1f\n",
           attacks[i].name, t.opened, t.refused, t.cut, t.first_cut_ms,
           t.last_cut_ms, t.sent, (double)t.bytes / 1048576, t.answers,
           (double)(attack_now_ms() - begun_ms) / 1000);
    return 0;
}
