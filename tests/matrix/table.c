/* table.c - reads tab-separated tables; see table.h. */
#include "table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BYTES (4u << 20)

static char *read_text(const char *path, char *message, size_t size)
{
    FILE *f = fopen(path, "rb");
    char *text = malloc(MAX_BYTES + 1);
    size_t n = 0;
    int bad = f == NULL || text == NULL;
    if (!bad) {
        n = fread(text, 1, MAX_BYTES + 1, f);
        bad = ferror(f) || n > MAX_BYTES || memchr(text, '\0', n) != NULL;
    }
    if (f != NULL) {
        fclose(f);
    }
    if (bad) {
        snprintf(message, size, "%s: cannot be read as a table of at most %u bytes of text", path, MAX_BYTES);
        free(text);
        return NULL;
    }
    text[n] = '\0';
    return text;
}

/* Cuts one line at its tabs; the number of cells, or SIZE_MAX when there are
 * more than `max`. */
static size_t cut_line(char *line, char **cells, size_t max)
{
    size_t count = 0;
    for (char *at = line; at != NULL;) {
        if (count == max) {
            return (size_t)-1;
        }
        cells[count++] = at;
        at = strchr(at, '\t');
        if (at != NULL) {
            *at++ = '\0';
        }
    }
    return count;
}

static size_t count_lines(const char *text)
{
    size_t n = 1;
    for (; *text != '\0'; text++) {
        n += *text == '\n';
    }
    return n;
}

static int cut_text(struct table *t, const char *path, char *message, size_t size)
{
    static char empty[] = "";
    int number = 0;
    char *next = t->text;
    while (next != NULL) {
        char *line = next;
        next = strchr(line, '\n');
        if (next != NULL) {
            *next++ = '\0';
        }
        number++;
        if (*line == '\0' || *line == '#') {
            continue;
        }
        if (t->column_count == 0) {
            t->column_count = cut_line(line, t->columns, 64);
            if (t->column_count == (size_t)-1) {
                snprintf(message, size, "%s:%d: more than 64 columns", path, number);
                return -1;
            }
            continue;
        }
        char **cells = t->cells + t->row_count * t->column_count;
        size_t count = cut_line(line, cells, t->column_count);
        if (count == (size_t)-1) {
            snprintf(message, size, "%s:%d: more cells than columns", path, number);
            return -1;
        }
        for (size_t i = 0; i < t->column_count; i++) {
            if (i >= count || strcmp(cells[i], "-") == 0) {
                cells[i] = empty;
            }
        }
        t->lines[t->row_count++] = number;
    }
    if (t->column_count == 0) {
        snprintf(message, size, "%s: no line names the columns", path);
        return -1;
    }
    return 0;
}

static int check_names(const struct table *t, const char *path, char *message, size_t size)
{
    for (size_t i = 0; i < t->row_count; i++) {
        const char *name = table_cell(t, i, "name");
        if (*name == '\0') {
            snprintf(message, size, "%s:%d: a row without a name", path, t->lines[i]);
            return -1;
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(name, table_cell(t, j, "name")) == 0) {
                snprintf(message, size, "%s:%d: the name '%s' is also on line %d", path, t->lines[i], name,
                         t->lines[j]);
                return -1;
            }
        }
    }
    return 0;
}

int table_read(struct table *out, const char *path, char *message, size_t size)
{
    struct table t = {.text = read_text(path, message, size)};
    if (t.text == NULL) {
        return -1;
    }
    size_t lines = count_lines(t.text);
    t.columns = calloc(64, sizeof *t.columns);
    t.cells = calloc(lines * 64, sizeof *t.cells);
    t.lines = calloc(lines, sizeof *t.lines);
    if (t.columns == NULL || t.cells == NULL || t.lines == NULL) {
        snprintf(message, size, "%s: out of memory", path);
        table_release(&t);
        return -1;
    }
    if (cut_text(&t, path, message, size) != 0 || check_names(&t, path, message, size) != 0) {
        table_release(&t);
        return -1;
    }
    *out = t;
    return 0;
}

void table_release(struct table *t)
{
    free(t->text);
    free(t->columns);
    free(t->cells);
    free(t->lines);
    memset(t, 0, sizeof *t);
}

const char *table_cell(const struct table *t, size_t row, const char *column)
{
    for (size_t i = 0; i < t->column_count; i++) {
        if (strcmp(t->columns[i], column) == 0) {
            return t->cells[row * t->column_count + i];
        }
    }
    return "";
}
