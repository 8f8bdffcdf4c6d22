/* words.h - a table of words and how often each was seen. */
#ifndef TALLY_WORDS_H
#define TALLY_WORDS_H

#include <stddef.h>

struct word {
    char *text;
    size_t count;
};

struct words {
    struct word *slots; /* open addressing; capacity is a power of two or 0 */
    size_t capacity, used;
};

/* 0, or -1 when out of memory. Letters are folded to lower case. */
int words_add(struct words *w, const char *text, size_t len);

/* The table's words, most frequent first, equal counts in alphabetical order.
 * *out is the caller's to free, the texts stay the table's. */
int words_sorted(const struct words *w, struct word **out);

void words_release(struct words *w);

#endif
