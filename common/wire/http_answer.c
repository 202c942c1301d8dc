#include "common/wire/http_answer.h"

#include <stdio.h>

#include "common/wire/http_head.h"

enum { DAY_S = 86400, HOUR_S = 3600, MINUTE_S = 60 };

#define STRICT                                                                 \
    "X-Content-Type-Options: nosniff\r\n"                                      \
    "X-Frame-Options: DENY\r\n"                                                \
    "Referrer-Policy: no-referrer\r\n"                                         \
    "Cross-Origin-Resource-Policy: same-origin\r\n"                            \
    "Cross-Origin-Opener-Policy: same-origin\r\n"                              \
    "Cache-Control: no-store\r\n"

/* ---- The date ---------------------------------------------------------- */

static bool is_leap(unsigned year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Leaves the day of the year in `*day`. */
static unsigned take_years(unsigned *day)
{
    unsigned year = 1970;
    for (; *day >= (is_leap(year) ? 366U : 365U); year++)
        *day -= is_leap(year) ? 366U : 365U;
    return year;
}

/* Leaves the day of the month in `*day`, from 0. */
static unsigned take_months(unsigned year, unsigned *day)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30,
                                         31, 31, 30, 31, 30, 31};
    unsigned month = 0;
    for (;; month++) {
        unsigned size = days[month] + (month == 1 && is_leap(year) ? 1U : 0U);
        if (*day < size)
            return month;
        *day -= size;
    }
}

void http_date(uint64_t unix_seconds, char text[static HTTP_DATE_SIZE])
{
    static const char weekdays[] = "ThuFriSatSunMonTueWed";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const uint64_t last = UINT64_C(253402300799);
    uint64_t at = unix_seconds > last ? last : unix_seconds;
    unsigned day = (unsigned)(at / DAY_S);
    unsigned second = (unsigned)(at % DAY_S);
    const char *weekday = weekdays + 3 * (size_t)(day % 7);
    unsigned year = take_years(&day);
    unsigned month = take_months(year, &day);

    snprintf(text, HTTP_DATE_SIZE, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT",
             weekday, (day + 1) % 100, months + 3 * (size_t)month, year % 10000,
             second / HOUR_S % 24, second / MINUTE_S % 60, second % 60);
}

/* ---- Answers ----------------------------------------------------------- */

static void add_field(struct text *t, const char *name, const char *value)
{
    text_add_string(t, name);
    text_add_string(t, ": ");
    text_add_string(t, value);
    text_add_string(t, "\r\n");
}

void http_answer_write(struct text *t, const struct http_answer *a,
                       uint64_t unix_seconds, struct bytes content)
{
    char date[HTTP_DATE_SIZE];

    http_date(unix_seconds, date);
    text_add_string(t, "HTTP/1.1 ");
    text_add_number(t, (uint64_t)a->status);
    text_add_char(t, ' ');
    text_add_string(t, http_status_text(a->status));
    text_add_string(t, "\r\n");
    add_field(t, "Date", date);
    if (!a->keep)
        text_add_string(t, "Connection: close\r\n");
    add_field(t, "Content-Security-Policy", a->policy);
    text_add_string(t, STRICT);
    text_add_string(t, a->more);
    add_field(t, "Content-Type", a->type);
    text_add_string(t, "Content-Length: ");
    text_add_number(t, content.size);
    text_add_string(t, "\r\n\r\n");
    if (a->body)
        text_add(t, content);
}

void http_answer_upgrade(struct text *t, const char *accept,
                         const char *protocol)
{
    text_add_string(t, "HTTP/1.1 101 Switching Protocols\r\n"
                       "Upgrade: websocket\r\nConnection: Upgrade\r\n");
    add_field(t, "Sec-WebSocket-Accept", accept);
    if (protocol != NULL)
        add_field(t, "Sec-WebSocket-Protocol", protocol);
    text_add_string(t, "\r\n");
}

const char *http_answer_refusal(int status)
{
    switch (status) {
    case 405:
        return "Only GET and HEAD are supported.\n";
    case 408:
        return "The request did not arrive in time.\n";
    case 413:
        return "A request may not have a body here.\n";
    case 414:
    case 431:
        return "A request may have 8 KiB at most.\n";
    case 501:
        return "This method or coding is not supported.\n";
    case 505:
        return "Only HTTP/1.0 and HTTP/1.1 are supported.\n";
    default:
        return "That is not an HTTP/1.1 request.\n";
    }
}
