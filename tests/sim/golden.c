#include "tests/sim/golden.h"

#include "tests/sim/application.h"
#include "tests/sim/checkers.h"
#include "tests/sim/scenarios.h"
#include "tests/sim/story.h"

#include <stdio.h>
#include <stdlib.h>

/* Alice and bob on one LAN, carol behind a NAT of hers; all at one relay. */
static struct trio three(struct world *w)
{
    struct trio t = make_trio(w);

    story_name(w, t.relay, "relay");
    story_name(w, t.a, "alice");
    story_name(w, t.b, "bob");
    story_name(w, t.far, "carol");
    return t;
}

static struct trio three_at_work(struct world *w)
{
    struct trio t = three(w);

    story_chapter(w, "All start and meet");
    host_start_all(w);
    settles_within(w, span_s(4), "all meet");
    world_run(w, span_s(25));
    return t;
}

static void lan_meeting(struct world *w)
{
    int segment = world_add_segment(w, true);
    int a = world_add_edge(w, segment), b = world_add_edge(w, segment);

    story_name(w, a, "alice");
    story_name(w, b, "bob");
    story_chapter(w, "Alice is alone");
    host_start(w, a);
    world_run(w, span_s(3));
    story_chapter(w, "Bob starts; alice greets him with a message");
    host_start(w, b);
    settles_within(w, span_ms(50), "they meet");
    talks_within(w, a, b, span_ms(50));
    story_chapter(w, "Three quiet seconds");
    world_run(w, span_s(3));
}

static void relay_meeting(struct world *w)
{
    int segment = world_add_segment(w, false), relay = world_add_relay(w);
    int a = world_add_edge(w, segment), b = world_add_edge(w, segment);

    w->segments[segment].reaches[INTERNET] = true;
    story_name(w, relay, "relay");
    story_name(w, a, "alice");
    story_name(w, b, "bob");
    world_uses_relay(w, a, relay);
    world_uses_relay(w, b, relay);
    story_chapter(w, "The relay and both start");
    host_start_all(w);
    expect(w, sees_within(w, a, b, true, span_s(1)), "they meet");
    application_stream(w, a, b, 200, 200, span_ms(10));
    settles_within(w, span_s(3), "direct within three seconds");
    story_chapter(w, "The rest of 200 messages, on the direct path");
    finishes_within(w, span_s(10));
    expect(w, checkers_count(w, a, b) == 200, "all are there");
}

static void path_cut(struct world *w)
{
    struct trio t = three_at_work(w);

    application_stream(w, t.a, t.b, 1500, 200, span_ms(10));
    world_run(w, span_s(2));
    story_chapter(w, "The direct way is cut silently, both ways, for 5 s");
    network_cut(w, t.a, t.b);
    network_cut(w, t.b, t.a);
    world_run(w, span_s(5));
    story_chapter(w, "The way is whole again");
    network_heal_all(w, false);
    finishes_in_the_end(w);
    expect(w, checkers_count(w, t.a, t.b) == 1500, "all are there");
}

static void one_way_cut(struct world *w)
{
    struct trio t = three_at_work(w);

    application_stream(w, t.a, t.b, 1500, 200, span_ms(10));
    application_stream(w, t.b, t.a, 1500, 200, span_ms(10));
    world_run(w, span_s(2));
    story_chapter(w, "Nothing of alice's reaches bob directly for 5 s");
    network_cut(w, t.a, t.b);
    world_run(w, span_s(5));
    story_chapter(w, "The way is whole again");
    network_heal_all(w, false);
    finishes_in_the_end(w);
    expect(w, checkers_count(w, t.a, t.b) == 1500, "all are there");
    expect(w, checkers_count(w, t.b, t.a) == 1500, "all are back");
}

static void large_vanish(struct world *w)
{
    struct trio t = three_at_work(w);

    application_stream(w, t.a, t.b, 300, 5000, span_ms(50));
    world_run(w, span_s(2));
    story_chapter(w, "Packets over 1,200 bytes vanish on the direct way");
    network_narrow(w, t.a, t.b, 1200);
    network_narrow(w, t.b, t.a, 1200);
    world_run(w, span_s(5));
    story_chapter(w, "All pass again");
    network_heal_all(w, false);
    finishes_in_the_end(w);
    expect(w, checkers_count(w, t.a, t.b) == 300, "all are there");
}

static void relay_restart(struct world *w)
{
    struct trio t = three_at_work(w);

    application_stream(w, t.a, t.far, 800, 200, span_ms(10));
    world_run(w, span_s(2));
    story_chapter(w, "The relay is killed, and runs again after 300 ms");
    host_kill(w, t.relay);
    world_run(w, span_ms(300));
    host_start(w, t.relay);
    finishes_in_the_end(w);
    expect(w, checkers_count(w, t.a, t.far) == 800, "all are there");
}

static void peer_restart(struct world *w)
{
    struct trio t = three_at_work(w);

    story_chapter(w, "Bob is stopped; alice sends him five messages");
    host_freeze(w, t.b);
    world_run(w, span_ms(100));
    for (int i = 0; i < 5; i++)
        (void)application_send(w, t.a, t.b, 100);
    world_run(w, span_ms(100));
    story_chapter(w, "Bob's process is killed, and another one starts");
    host_kill(w, t.b);
    host_start(w, t.b);
    world_run(w, span_s(2));
    story_chapter(w, "They talk again");
    settles_within(w, span_s(10), "all is well again");
    talks_within(w, t.a, t.b, span_s(1));
}

static void clean_close(struct world *w)
{
    struct trio t = three_at_work(w);

    story_chapter(w, "Bob sends alice and carol ten messages each, and leaves");
    for (int i = 0; i < 10; i++) {
        (void)application_send(w, t.b, t.a, 1000);
        (void)application_send(w, t.b, t.far, 1000);
    }
    host_leave(w, t.b);
    world_run(w, span_s(2));
    expect(w, checkers_count(w, t.b, t.a) == 10, "alice has all");
    expect(w, checkers_count(w, t.b, t.far) == 10, "carol has all");
}

static void stopped(struct world *w)
{
    struct trio t = three_at_work(w);

    application_stream(w, t.a, t.b, 1000, 500, span_ms(10));
    world_run(w, span_s(2));
    story_chapter(w, "Bob's process is stopped for 30 s");
    host_freeze(w, t.b);
    world_run(w, span_s(30));
    story_chapter(w, "It goes on");
    host_thaw(w, t.b);
    finishes_in_the_end(w);
}

static void address_change(struct world *w)
{
    struct trio t = three_at_work(w);
    int home = w->hosts[t.a].interfaces[0].segment, away = world_add_nat(w);

    application_stream(w, t.b, t.a, 2000, 200, span_ms(10));
    world_run(w, span_s(2));
    story_chapter(w, "Alice gets another address on the LAN");
    host_moves(w, t.a, 0, home, false);
    world_run(w, span_s(5));
    story_chapter(w, "Alice takes her laptop to another network");
    host_moves(w, t.a, 0, away, false);
    world_run(w, span_s(5));
    story_chapter(w, "Alice is at home again");
    host_moves(w, t.a, 0, home, false);
    finishes_in_the_end(w);
    expect(w, checkers_count(w, t.b, t.a) == 2000, "all are there");
}

static void sleep_and_wake(struct world *w)
{
    struct trio t = three_at_work(w);

    story_chapter(w, "Bob's laptop sleeps for ten minutes");
    host_sleep(w, t.b);
    world_run(w, span_s(600));
    story_chapter(w, "It wakes");
    host_thaw(w, t.b);
    settles_within(w, span_s(10), "all meet again");
    talks_within(w, t.a, t.b, span_s(1));
    talks_within(w, t.far, t.b, span_s(1));
}

static void groups(struct world *w)
{
    struct trio t = three_at_work(w);

    story_chapter(w, "Bob and carol join a group, alice publishes to it");
    host_set_groups(w, t.b, 1 << 1);
    host_set_groups(w, t.far, 1 << 1);
    world_run(w, span_s(1));
    for (int i = 0; i < 10; i++)
        (void)application_publish(w, t.a, 1, 300);
    world_run(w, span_s(2));
    story_chapter(w, "Carol leaves it; the key changes before the next ones");
    host_set_groups(w, t.far, 0);
    world_run(w, span_s(1));
    for (int i = 0; i < 10; i++)
        (void)application_publish(w, t.a, 1, 300);
    world_run(w, span_s(2));
    expect(w, checkers_count(w, t.a, t.b) == 20, "bob has all");
    expect(w, checkers_count(w, t.a, t.far) == 10, "carol has the first ten");
}

static const struct {
    const char *name, *title, *about;
    void (*run)(struct world *w);
} stories[] = {
    {"lan-meeting", "Two nodes meet on a LAN",
     "No relay, no configuration: beacons by multicast, a direct link, a\n"
     "session. Three datagrams prove each to the other [P-4.5].",
     lan_meeting},
    {"relay-meeting", "Two nodes meet at a relay and find the direct path",
     "The LAN's switch passes no multicast. The relay's roster tells each of\n"
     "the other [P-7.2]; messages go by the relay until a dialled link is up\n"
     "[P-8.4], and none is lost or doubled on the change [P-8.5].",
     relay_meeting},
    {"path-cut", "The direct path is cut and comes back",
     "A silent cut shows in acknowledgements that do not come: the path is in\n"
     "doubt, the relay carries everything [P-8.7]. The direct path comes back\n"
     "by itself, and nobody left meanwhile.",
     path_cut},
    {"one-way-cut", "The direct path is cut one way only",
     "What bob sends still reaches alice directly, and nothing of hers "
     "reaches\n"
     "him: both soon use the relay.",
     one_way_cut},
    {"large-vanish", "Large packets vanish on the direct path",
     "A path of small packets only (a wrong MTU, a filter): PING passes, so\n"
     "the link seems to live; only acknowledgements tell.",
     large_vanish},
    {"relay-restart", "The relay is killed and starts again",
     "The relay keeps nothing that matters [P-7.7]: those who met by it stay\n"
     "present for each other, connect anew and go on.",
     relay_restart},
    {"peer-restart", "A node's process is killed and starts again",
     "A larger epoch says that the process before is gone [P-3.3]. What it "
     "had\n"
     "not acknowledged is reported as peer_restarted, and never sent twice.",
     peer_restart},
    {"clean-close", "A node leaves cleanly",
     "What is queued is delivered before the goodbye; the others see it leave\n"
     "at once, with the reason closed.",
     clean_close},
    {"stopped", "A process is stopped under load",
     "Its kernel takes what it can, then its peer waits. The process is lost\n"
     "after lost_after, and joins again when it goes on.",
     stopped},
    {"address-change", "A laptop changes its address, then its network",
     "Sessions live on: over new links, by the relay where there is no direct\n"
     "way, and direct again at home.",
     address_change},
    {"sleep-and-wake", "A laptop sleeps and wakes",
     "The others lose it in time. When it wakes it counts the time as its own\n"
     "silence, not as theirs [P-8.6].",
     sleep_and_wake},
    {"groups", "A group is joined and left",
     "A publication is sealed once: it goes over alice's link to bob, and "
     "once\n"
     "to the relay, which fans it out to who told it the group's tag [P-9.6].\n"
     "Who leaves gets no more, and could not read it [P-9.5].",
     groups},
};

/* --- comparing ---------------------------------------------------------- */

enum { STORIES = sizeof(stories) / sizeof(stories[0]), STORY_MAX = 1 << 16 };

static bool write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    bool good = f != NULL && fputs(text, f) >= 0;

    return f != NULL && fclose(f) == 0 && good;
}

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "r");
    char *text;
    size_t size;

    if (f == NULL)
        return NULL;
    text = calloc(1, STORY_MAX);
    size = text == NULL ? 0 : fread(text, 1, STORY_MAX - 1, f);
    fclose(f);
    if (size == 0) {
        free(text);
        return NULL;
    }
    return text;
}

/* Prints the first line that differs. */
static void print_difference(const char *is, const char *was)
{
    size_t line = 1, start = 0, i = 0;

    for (; is[i] == was[i] && is[i] != '\0'; i++)
        if (is[i] == '\n') {
            line++;
            start = i + 1;
        }
    printf("  line %zu was  %.*s\n", line, (int)strcspn(was + start, "\n"),
           was + start);
    printf("  line %zu is   %.*s\n", line, (int)strcspn(is + start, "\n"),
           is + start);
}

static bool judge(const char *path, const char *text)
{
    char *kept = read_file(path);
    bool same = kept != NULL && strcmp(kept, text) == 0;

    if (!same)
        printf("%s: %s\n", path,
               kept == NULL ? "is not there" : "tells another story");
    if (kept != NULL && !same)
        print_difference(text, kept);
    free(kept);
    return same;
}

static bool tell(const char *folder, size_t i, bool write)
{
    struct world *w = world_new(7);
    char path[512];
    bool good;

    snprintf(path, sizeof(path), "%s/%s.txt", folder, stories[i].name);
    w->story = story_new(stories[i].title, stories[i].about);
    stories[i].run(w);
    if (w->failed) {
        printf("%s: %s\n", stories[i].name, w->failure);
        good = false;
    } else if (write) {
        good = write_file(path, story_end(w));
    } else {
        good = judge(path, story_end(w));
    }
    world_free(w);
    return good;
}

int golden_run(const char *folder, bool write)
{
    int failed = 0;

    for (size_t i = 0; i < STORIES; i++)
        failed += !tell(folder, i, write);
    printf("%d stories, %d failed\n", (int)STORIES, failed);
    if (failed > 0 && !write)
        printf("if they ought to differ: sim --golden %s --write\n", folder);
    return failed;
}
