/* names.h - the placeholders of the table: @W@ is the workspace of this row.
 *
 * A small map from name to value, and the expansion of a cell with it.
 */
#ifndef CORDON_MATRIX_NAMES_H
#define CORDON_MATRIX_NAMES_H

#include <stddef.h>

#define NAMES_MAX 48
#define NAMES_VALUE 512
#define WORDS_MAX 64

struct names {
    struct {
        char name[16];
        char value[NAMES_VALUE];
    } items[NAMES_MAX];
    size_t count;
};

void names_set(struct names *n, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
const char *names_get(const struct names *n, const char *name); /* NULL when unknown */

/* The text with every @NAME@ replaced, which the caller frees; NULL with the
 * unknown name in `unknown` (16 bytes). */
char *names_expand(const struct names *n, const char *text, char *unknown);

/* Cuts `text` in place at blanks; returns the number of words, at most
 * WORDS_MAX - 1, and ends the list with NULL. In a word `\s` is a blank, `\n` a
 * newline, `\xHH` a byte. */
size_t words_cut(char *text, char **words);

#endif
