#include "edge/cli/screen.h"

#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <ncurses.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

enum { ESCAPE_WAIT_MS = 25, CTRL = 0x1f };

static SCREEN *screen;
static bool coloured;

void screen_locale(void)
{
    setlocale(LC_CTYPE, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        setlocale(LC_CTYPE, "C.UTF-8");
}

static bool wants_colours(void)
{
    const char *none = getenv("NO_COLOR");

    return (!none || none[0] == '\0') && has_colors();
}

/* Makes a colour pair for each colour, with the colour's own number. */
static void begin_colours(void)
{
    coloured =
        wants_colours() && start_color() == OK && use_default_colors() == OK;
    for (short colour = COLOR_RED; coloured && colour <= COLOR_CYAN; colour++)
        init_pair(colour, colour, -1);
}

bool screen_open(void)
{
    const char *kind = getenv("TERM");

    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || !kind ||
        strcmp(kind, "dumb") == 0)
        return false;
    screen_locale();
    screen = newterm(NULL, stdout, stdin);
    if (!screen)
        return false;
    cbreak();
    noecho();
    set_escdelay(ESCAPE_WAIT_MS);
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    begin_colours();
    return true;
}

void screen_close(void)
{
    endwin();
    delscreen(screen);
    screen = NULL;
}

void screen_size(int *rows, int *columns)
{
    getmaxyx(stdscr, *rows, *columns);
}

/* --- Painting */

static const struct {
    attr_t plain; /* on a terminal without colours */
    attr_t with_colour;
    short colour;
} looks[] = {
    [STYLE_PLAIN] = {A_NORMAL, A_NORMAL, 0},
    [STYLE_STRONG] = {A_BOLD, A_BOLD, 0},
    [STYLE_QUIET] = {A_DIM, A_DIM, 0},
    [STYLE_NAME] = {A_BOLD, A_NORMAL, COLOR_CYAN},
    [STYLE_SELF] = {A_BOLD, A_NORMAL, COLOR_GREEN},
    [STYLE_PRIVATE] = {A_UNDERLINE, A_NORMAL, COLOR_MAGENTA},
    [STYLE_GOOD] = {A_NORMAL, A_NORMAL, COLOR_GREEN},
    [STYLE_WARN] = {A_BOLD, A_NORMAL, COLOR_YELLOW},
    [STYLE_WRONG] = {A_BOLD, A_NORMAL, COLOR_RED},
    [STYLE_BAR] = {A_REVERSE, A_REVERSE, 0},
    [STYLE_BAR_WARN] = {A_REVERSE | A_BOLD, A_REVERSE | A_BOLD, COLOR_YELLOW},
};

static void set_style(uint8_t style)
{
    attr_set(coloured ? looks[style].with_colour : looks[style].plain,
             coloured ? looks[style].colour : 0, NULL);
}

/* Writes adjacent cells of one style in one piece; returns the column after
 * it. */
static int paint_run(const struct canvas *c, int row, int column,
                     struct text *piece)
{
    uint8_t style = canvas_cell(c, row, column)->style;
    int begin = column;

    text_clear(piece);
    for (; column < c->columns; column++) {
        const struct canvas_cell *cell = canvas_cell(c, row, column);
        if (cell->style != style)
            break;
        text_add(piece, bytes_of(cell->glyph, cell->size));
    }
    set_style(style);
    mvaddnstr(row, begin, piece->data, (int)piece->size);
    return column;
}

void screen_paint(const struct canvas *c)
{
    struct text piece = {0};

    erase();
    for (int row = 0; row < c->rows; row++)
        for (int column = 0; column < c->columns;)
            column = paint_run(c, row, column, &piece);
    text_close(&piece);
    curs_set(c->cursor_row >= 0 ? 1 : 0);
    if (c->cursor_row >= 0)
        move(c->cursor_row, c->cursor_column);
    refresh();
}

/* --- Keys */

static const struct {
    bool is_code; /* a key code of curses, not a character */
    wint_t code;
    enum screen_key key;
    enum line_editor_key edit;
} keys[] = {
    {true, KEY_LEFT, SCREEN_EDIT, LINE_EDITOR_LEFT},
    {true, KEY_RIGHT, SCREEN_EDIT, LINE_EDITOR_RIGHT},
    {true, KEY_HOME, SCREEN_EDIT, LINE_EDITOR_HOME},
    {true, KEY_END, SCREEN_EDIT, LINE_EDITOR_END},
    {true, KEY_UP, SCREEN_EDIT, LINE_EDITOR_OLDER},
    {true, KEY_DOWN, SCREEN_EDIT, LINE_EDITOR_NEWER},
    {true, KEY_BACKSPACE, SCREEN_EDIT, LINE_EDITOR_BACKSPACE},
    {true, KEY_DC, SCREEN_EDIT, LINE_EDITOR_DELETE},
    {true, KEY_ENTER, SCREEN_ENTER, 0},
    {true, KEY_PPAGE, SCREEN_PAGE_UP, 0},
    {true, KEY_NPAGE, SCREEN_PAGE_DOWN, 0},
    {true, KEY_RESIZE, SCREEN_PAINT, 0},
    {false, '\n', SCREEN_ENTER, 0},
    {false, '\r', SCREEN_ENTER, 0},
    {false, '\t', SCREEN_TAB, 0},
    {false, 0x7f, SCREEN_EDIT, LINE_EDITOR_BACKSPACE},
    {false, CTRL & 'h', SCREEN_EDIT, LINE_EDITOR_BACKSPACE},
    {false, CTRL & 'a', SCREEN_EDIT, LINE_EDITOR_HOME},
    {false, CTRL & 'e', SCREEN_EDIT, LINE_EDITOR_END},
    {false, CTRL & 'b', SCREEN_EDIT, LINE_EDITOR_LEFT},
    {false, CTRL & 'f', SCREEN_EDIT, LINE_EDITOR_RIGHT},
    {false, CTRL & 'p', SCREEN_EDIT, LINE_EDITOR_OLDER},
    {false, CTRL & 'n', SCREEN_EDIT, LINE_EDITOR_NEWER},
    {false, CTRL & 'w', SCREEN_EDIT, LINE_EDITOR_ERASE_WORD},
    {false, CTRL & 'u', SCREEN_EDIT, LINE_EDITOR_ERASE_BEFORE},
    {false, CTRL & 'k', SCREEN_EDIT, LINE_EDITOR_ERASE_AFTER},
    {false, CTRL & 'd', SCREEN_LEAVE, 0},
    {false, CTRL & 'l', SCREEN_PAINT, 0},
};

/* The character as UTF-8; "" for a control character. */
static void spell(wint_t character, char text[8])
{
    char room[MB_LEN_MAX];
    mbstate_t state = {0};
    size_t size = wcrtomb(room, (wchar_t)character, &state);

    if (character >= ' ' && size < 8) {
        memcpy(text, room, size);
        text[size] = '\0';
    }
}

struct screen_input screen_read(void)
{
    struct screen_input input = {.key = SCREEN_NOTHING};
    wint_t code;
    int kind = get_wch(&code);

    if (kind == ERR)
        return input;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (keys[i].is_code == (kind == KEY_CODE_YES) && keys[i].code == code) {
            input.key = keys[i].key;
            input.edit = keys[i].edit;
            if (input.key == SCREEN_PAINT)
                clearok(stdscr, TRUE);
            return input;
        }
    input.key = SCREEN_TEXT;
    if (kind == OK)
        spell(code, input.text);
    return input;
}
