#include "common/io/log.h"

#include "common/base/assert.h"
#include "common/io/line_writer.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_SIZE = LINE_WRITER_LINE, WAITING = 256 * 1024 };

/* How long the last lines may take: if nobody reads them, and if stderr takes
 * them but the thread that writes has no processor. */
enum { END_MS = 100, END_MOST_MS = 1000 };

/* A line that is being put together; text that does not fit is left out. */
struct line {
    char text[LINE_SIZE];
    size_t size;
};

static enum log_level level_now = LOG_INFO;
static enum log_format format_now = LOG_TEXT;

static _Thread_local const struct log_sink *sink_now;
static struct line_writer *writer_now; /* NULL: the calling thread writes */

static const char *const level_names[] = {"error", "warn", "info", "debug"};

void log_setup(enum log_level level, enum log_format format)
{
    level_now = level;
    format_now = format;
}

bool log_level_parse(const char *text, enum log_level *level)
{
    for (int i = LOG_ERROR; i <= LOG_DEBUG; i++)
        if (strcmp(text, level_names[i]) == 0) {
            *level = (enum log_level)i;
            return true;
        }
    return false;
}

bool log_enabled(enum log_level level)
{
    return level <= (sink_now != NULL ? sink_now->level : level_now);
}

const struct log_sink *log_divert(const struct log_sink *sink)
{
    const struct log_sink *before = sink_now;

    sink_now = sink;
    return before;
}

static void put(struct line *l, char c)
{
    /* Leaves space for the end of the line: "}\n. */
    if (l->size < sizeof l->text - 4)
        l->text[l->size++] = c;
}

static void put_text(struct line *l, const char *text)
{
    while (*text != '\0')
        put(l, *text++);
}

static void put_time(struct line *l)
{
    struct timespec now;
    struct tm utc;
    char text[64];

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t size = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text + size, sizeof text - size, ".%03dZ",
             (int)(now.tv_nsec / 1000000));
    put_text(l, text);
}

static void put_json(struct line *l, char c)
{
    char text[8];

    if (c == '"' || c == '\\') {
        put(l, '\\');
        put(l, c);
    } else if (c < 0x20 || c > 0x7e) {
        snprintf(text, sizeof text, "\\u%04x", (unsigned char)c);
        put_text(l, text);
    } else {
        put(l, c);
    }
}

/* Copies a quoted value; the \xNN of log_quote stay these four characters. */
static const char *put_quoted(struct line *l, const char *at)
{
    for (at++; *at != '\0' && *at != '"'; at++) {
        if (at[0] == '\\' && (at[1] == '"' || at[1] == '\\'))
            put_json(l, *++at);
        else if (at[0] == '\\' && at[1] == 'n') {
            put_json(l, '\n');
            at++;
        } else {
            put_json(l, *at);
        }
    }
    return *at == '"' ? at + 1 : at;
}

static const char *put_word(struct line *l, const char *at, char end)
{
    while (*at != '\0' && *at != ' ' && *at != end)
        put_json(l, *at++);
    return at;
}

/* Writes ,"key":"value" for each word; a word without = gets the key "text". */
static void put_details_json(struct line *l, const char *at)
{
    while (*(at += strspn(at, " ")) != '\0') {
        bool has_key = at[strcspn(at, " =\"")] == '=';
        put_text(l, ",\"");
        if (has_key)
            at = put_word(l, at, '=') + 1;
        else
            put_text(l, "text");
        put_text(l, "\":\"");
        at = *at == '"' ? put_quoted(l, at) : put_word(l, at, '\0');
        put(l, '"');
    }
}

static void put_line_json(struct line *l, enum log_level level,
                          const char *event, const char *details)
{
    put_text(l, "{\"time\":\"");
    put_time(l);
    put_text(l, "\",\"level\":\"");
    put_text(l, level_names[level]);
    put_text(l, "\",\"event\":\"");
    put_text(l, event);
    put(l, '"');
    put_details_json(l, details);
    put(l, '}');
}

static void put_line_text(struct line *l, enum log_level level,
                          const char *event, const char *details)
{
    put_time(l);
    put(l, ' ');
    put_text(l, level_names[level]);
    put(l, ' ');
    put_text(l, event);
    put(l, ' ');
    put_text(l, details);
}

static void put_line(struct line *l, enum log_level level, const char *event,
                     const char *details)
{
    l->size = 0;
    if (format_now == LOG_JSON)
        put_line_json(l, level, event, details);
    else
        put_line_text(l, level, event, details);
    l->text[l->size++] = '\n';
}

/* True if the write must be repeated. Another process that shares this stderr
 * may have made it non-blocking. */
static bool wait_for_stderr(void)
{
    struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};

    if (errno == EAGAIN)
        return poll(&p, 1, -1) >= 0 || errno == EINTR;
    return errno == EINTR;
}

/* One write call a line, so that lines of several processes do not mix. If
 * stderr is gone, there is nowhere to report that. */
static bool write_stderr(void *context, const char *line, size_t size)
{
    (void)context;
    while (size > 0) {
        ssize_t n = write(STDERR_FILENO, line, size);
        if (n < 0 && !wait_for_stderr())
            return false;
        line += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

static size_t line_of_lost(uint64_t count, char line[LINE_WRITER_LINE])
{
    char details[32];
    struct line l;

    snprintf(details, sizeof details, "lines=%" PRIu64, count);
    put_line(&l, LOG_WARN, "log_lost", details);
    memcpy(line, l.text, l.size);
    return l.size;
}

static void hand_on(const char *line, size_t size)
{
    if (writer_now != NULL)
        line_writer_put(writer_now, line, size);
    else
        (void)write_stderr(NULL, line, size);
}

static void write_line(enum log_level level, const char *event,
                       const char *details)
{
    struct line l;

    put_line(&l, level, event, details);
    hand_on(l.text, l.size);
}

bool log_start(void)
{
    static const struct line_writer_calls calls = {.write = write_stderr,
                                                   .lost = line_of_lost};

    if (writer_now == NULL)
        writer_now = line_writer_open(WAITING, &calls);
    return writer_now != NULL;
}

static bool stderr_takes_more(void)
{
    struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};

    return poll(&p, 1, 0) > 0 && (p.revents & POLLOUT) != 0;
}

void log_end(void)
{
    if (writer_now == NULL)
        return;
    for (int ms = 0; ms < END_MOST_MS; ms += END_MS)
        if (line_writer_flush(writer_now, END_MS) || !stderr_takes_more())
            return;
}

static ssize_t on_stream(void *cookie, const char *text, size_t size)
{
    (void)cookie;
    hand_on(text, size);
    return (ssize_t)size;
}

FILE *log_stream(void)
{
    static FILE *stream;

    if (stream == NULL) {
        stream =
            fopencookie(NULL, "w", (cookie_io_functions_t){.write = on_stream});
        ASSERT(stream != NULL);
        setvbuf(stream, NULL, _IOLBF, LINE_SIZE);
    }
    return stream;
}

void log_write(enum log_level level, const char *event, const char *details,
               ...)
{
    if (!log_enabled(level))
        return;

    int errno_before = errno;
    char buffer[LINE_SIZE / 4];
    va_list arguments;
    va_start(arguments, details);
    vsnprintf(buffer, sizeof buffer, details, arguments);
    va_end(arguments);

    if (sink_now != NULL)
        sink_now->line(sink_now->context, level, event, buffer);
    else
        write_line(level, event, buffer);
    errno = errno_before;
}

const char *log_quote(const char *value, char *buffer, unsigned long size)
{
    static const char hex[] = "0123456789abcdef";
    size_t at = 0;

    if (size < 3)
        return "\"\"";
    buffer[at++] = '"';
    for (; *value != '\0' && at + 6 <= size; value++) {
        unsigned char c = (unsigned char)*value;
        if (c == '"' || c == '\\' || c == '\n') {
            buffer[at++] = '\\';
            buffer[at++] = c == '\n' ? 'n' : (char)c;
        } else if (c < 0x20 || c > 0x7e) {
            buffer[at++] = '\\';
            buffer[at++] = 'x';
            buffer[at++] = hex[c >> 4];
            buffer[at++] = hex[c & 15];
        } else {
            buffer[at++] = (char)c;
        }
    }
    buffer[at++] = '"';
    buffer[at] = '\0';
    return buffer;
}
