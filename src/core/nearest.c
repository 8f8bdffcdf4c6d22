/* nearest.c - suggestions for mistyped words: the fewest edits, and only when
 * they are few for the word's length. For options and policy keys. Pure.
 */
#include "core/nearest.h"

#include <string.h>

#define WORD_MAX 32 /* longer than every option, command, facet and policy key */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Edits are an insertion, a deletion, a replacement, two neighbours swapped. */
static size_t edits(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t rows[3][WORD_MAX + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_len; j++)
        before[j] = above[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t replaced = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = least(replaced, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
        size_t *free_row = before;
        before = above;
        above = row;
        row = free_row;
    }
    return above[b_len];
}

size_t nearest_distance(const char *word, const char *candidate, size_t len)
{
    size_t word_len = strlen(word);
    if (word_len < 2 || word_len > WORD_MAX || len > WORD_MAX)
        return NEAREST_NONE;
    size_t distance = edits(word, word_len, candidate, len);
    return distance <= 1 + least(word_len, len) / 4 ? distance : NEAREST_NONE;
}

void nearest_init(struct nearest *n, const char *word)
{
    *n = (struct nearest){word, NULL, NEAREST_NONE};
}

void nearest_offer(struct nearest *n, const char *candidate)
{
    size_t distance = nearest_distance(n->word, candidate, strlen(candidate));
    if (distance < n->distance) {
        n->best = candidate;
        n->distance = distance;
    }
}
