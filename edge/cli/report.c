#include "edge/cli/report.h"

#include "edge/cli/command.h"
#include "edge/cli/peer_row.h"

#include <stdio.h>
#include <string.h>

static const char bold[] = "\033[1m", plain[] = "\033[0m";

void report_bold(const char *text)
{
    printf("%s%s%s", command_colour(bold), text, command_colour(plain));
}

void report_title(const char *title)
{
    putchar('\n');
    report_bold(title);
    putchar('\n');
}

static const char *severity_colour(const char *severity)
{
    if (strcmp(severity, "error") == 0)
        return command_colour("\033[31m");
    return command_colour(strcmp(severity, "warning") == 0 ? "\033[33m"
                                                           : plain);
}

static void print_line(const json_t *line)
{
    const char *severity = json_text(line, "severity");

    printf("  %s%s%s  ", severity_colour(severity), severity,
           command_colour(plain));
    command_print(json_text(line, "text"));
    putchar('\n');
}

static void print_remedy(const char *remedy)
{
    if (remedy[0] == '\0')
        return;
    printf("      ");
    command_print(remedy);
    putchar('\n');
}

static const char *remedy_at(const json_t *lines, size_t at)
{
    return at < json_array_size(lines)
               ? json_text(json_array_get(lines, at), "remedy")
               : "";
}

void report_lines(const char *title, const json_t *lines)
{
    json_t *line;
    size_t i;

    report_title(title);
    if (json_array_size(lines) == 0)
        puts("  all is well");
    json_array_foreach(lines, i, line)
    {
        const char *remedy = json_text(line, "remedy");
        print_line(line);
        if (strcmp(remedy, remedy_at(lines, i + 1)) != 0)
            print_remedy(remedy);
    }
}
