/* nearest.h - what a mistyped word was probably meant to be. Pure. */
#ifndef CORDON_CORE_NEAREST_H
#define CORDON_CORE_NEAREST_H

#include <stddef.h>

#define NEAREST_NONE ((size_t)-1)

/* How many edits `word` is from candidate[0..len); NEAREST_NONE when they are
 * too many for words of this length. */
size_t nearest_distance(const char *word, const char *candidate, size_t len);

struct nearest {
    const char *word; /* as typed */
    const char *best; /* NULL: nothing is near enough to suggest */
    size_t distance;
};

void nearest_init(struct nearest *n, const char *word);
void nearest_offer(struct nearest *n,
                   const char *candidate); /* kept by reference; the first of equals wins */

#endif
