/*
 * Local programs at the API's socket, and clients of the HTTP port, that send
 * requests and do not read, never finish a request, or are very slow.
 */
#include "tests/adversary/attack.h"
#include "tests/adversary/crowd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    STEP_MS = 5,
    SLOW_BYTE_MS = 200,
    /* The steps before a closed connection is opened again. */
    AGAIN_STEPS = 100,
    CHUNK = 64 * 1024,
    ANSWER_MS = 2000,
};

/* --- texts -----------------------------------------------------------------
 */

/* The head, followed by `size` bytes of the repeated text. */
static struct bytes repeated(struct bytes head, struct bytes text, size_t size)
{
    uint8_t *room = malloc(head.size + size + text.size);
    size_t used = head.size;

    if (room == NULL)
        abort();
    memcpy(room, head.data, head.size);
    while (used < head.size + size) {
        memcpy(room + used, text.data, text.size);
        used += text.size;
    }
    return bytes_of(room, used);
}

static struct bytes api_question(void)
{
    return bytes_of_string("{\"op\":\"status\",\"ref\":1}\n");
}

/* Writes the head of a client's WebSocket frame with a text of `size` bytes.
 * The mask is zero, so the text needs no masking. The text itself may never
 * follow. */
static struct bytes web_frame_head(uint8_t room[14], uint64_t size)
{
    struct writer w = writer_of(room, 14);
    write_u8(&w, 0x81);
    if (size < 126) {
        write_u8(&w, (uint8_t)(0x80 | size));
    } else {
        write_u8(&w, 0x80 | 127);
        for (int shift = 56; shift >= 0; shift -= 8)
            write_u8(&w, (uint8_t)(size >> shift));
    }
    write_u32(&w, 0);
    return writer_bytes(&w);
}

static struct bytes web_question(void)
{
    static uint8_t room[64];
    struct bytes question = api_question();
    uint8_t head_room[14];
    struct bytes head = web_frame_head(head_room, question.size);
    struct writer w = writer_of(room, sizeof room);
    write_bytes(&w, head);
    write_bytes(&w, question);
    return writer_bytes(&w);
}

static struct bytes web_request(const struct attack *a)
{
    static char text[512];
    int size = snprintf(text, sizeof text,
                        "GET /api?token=%s HTTP/1.1\r\n"
                        "Host: 127.0.0.1:%u\r\n"
                        "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                        "Sec-WebSocket-Version: 13\r\n\r\n",
                        a->token, a->target.port);
    return bytes_of(text, (size_t)size);
}

/* --- clients that do not read ----------------------------------------------
 */

/* Opens a connection; for a WebSocket also sends the request and waits for 101.
 */
static void open_client(struct crowd *c, size_t i, const struct attack *a,
                        bool web, struct tally *t)
{
    char answer[1024];
    uint64_t deadline = attack_now_ms() + ANSWER_MS;

    crowd_open_one(c, i, a, t);
    if (!web || c->fds[i] < 0)
        return;
    struct bytes request = web_request(a);
    if (socket_write(c->fds[i], request.data, request.size) > 0 &&
        socket_wait(c->fds[i], false, deadline) &&
        socket_read(c->fds[i], answer, sizeof answer) > 12 &&
        memcmp(answer + 9, "101", 3) == 0) {
        t->answers++;
        return;
    }
    crowd_lose(c, i, t);
}

/* Each connection sends the text repeatedly (or once), and never reads. */
static void flood(const struct attack *a, struct bytes text, bool again,
                  bool web, struct tally *t)
{
    struct crowd c;

    crowd_init(&c, a->count);
    for (unsigned step = 0; !attack_is_over(a); step++) {
        for (size_t i = 0; i < c.count && !attack_is_over(a); i++) {
            if (c.fds[i] < 0 && step % AGAIN_STEPS == 0)
                open_client(&c, i, a, web, t);
            crowd_say(&c, i, text, CHUNK, t);
            if (again && c.said[i] == text.size)
                c.said[i] = 0;
        }
        attack_sleep_until(attack_now_ms() + STEP_MS);
    }
    crowd_close(&c);
    free((void *)(uintptr_t)text.data);
}

void attack_api_flood(const struct attack *a, struct tally *t)
{
    flood(a, repeated(bytes_of("", 0), api_question(), CHUNK), true, false, t);
}

void attack_api_lines(const struct attack *a, struct tally *t)
{
    static const char head[] = "{\"op\":\"send\",\"data\":\"";
    flood(a,
          repeated(bytes_of(head, sizeof head - 1), bytes_of("x", 1), a->size),
          false, false, t);
}

void attack_web_flood(const struct attack *a, struct tally *t)
{
    flood(a, repeated(bytes_of("", 0), web_question(), CHUNK), true, true, t);
}

void attack_web_large(const struct attack *a, struct tally *t)
{
    uint8_t room[14];
    struct bytes head = web_frame_head(room, a->size + 1);
    flood(a, repeated(head, bytes_of("x", 1), a->size), false, true, t);
}

/* --- clients that are slow, or send nothing --------------------------------
 */

void attack_api_idle(const struct attack *a, struct tally *t)
{
    attack_silent(a, t);
}

void attack_web_slow(const struct attack *a, struct tally *t)
{
    struct bytes request = web_request(a);
    struct crowd c;

    crowd_open(&c, a, t);
    while (!attack_is_over(a)) {
        for (size_t i = 0; i < c.count; i++) {
            /* The last byte never comes. */
            if (c.said[i] + 1 < request.size)
                crowd_say(&c, i, request, 1, t);
        }
        attack_sleep_until(attack_now_ms() + SLOW_BYTE_MS);
        crowd_look(&c, t);
    }
    crowd_close(&c);
}
