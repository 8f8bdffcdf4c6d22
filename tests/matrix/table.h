/* table.h - a table of rows with named columns, read from tab-separated text.
 *
 * Role: the attack matrix is data; this reads it for the test runner, and later
 * for `cordon selftest`. The first line that is neither blank nor a comment
 * (`#`) names the columns. Cells are separated by one tab; missing trailing
 * cells and `-` are empty. ISO C only. No state; the table owns its text.
 */
#ifndef CORDON_MATRIX_TABLE_H
#define CORDON_MATRIX_TABLE_H

#include <stddef.h>

struct table {
    char *text;     /* the file, cut into cells */
    char **columns; /* names */
    size_t column_count;
    char **cells; /* row_count * column_count */
    int *lines;   /* of each row, for messages */
    size_t row_count;
};

/* 0, or -1 with a line in `message`: unreadable, no header, a row with more
 * cells than columns, a duplicate or empty name. */
int table_read(struct table *out, const char *path, char *message, size_t size);
void table_release(struct table *t);

/* The cell; "" when it is empty or the table has no such column. */
const char *table_cell(const struct table *t, size_t row, const char *column);

#endif
