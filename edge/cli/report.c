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
    const char *remedy = json_text(line, "remedy");

    printf("  %s%s%s  ", severity_colour(severity), severity,
           command_colour(plain));
    command_print(json_text(line, "text"));
    if (remedy[0] != '\0') {
        printf("\n      ");
        command_print(remedy);
    }
    putchar('\n');
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
        print_line(line);
    }
}
