/* nearest.h - what a mistyped word was probably meant to be. */
#ifndef CORDON_PROGRAM_NEAREST_H
#define CORDON_PROGRAM_NEAREST_H

#include <stddef.h>

struct nearest {
    const char *word; /* as typed */
    const char *best; /* NULL: nothing is near enough to suggest */
    size_t distance;
};

void nearest_init(struct nearest *n, const char *word);
void nearest_offer(struct nearest *n,
                   const char *candidate); /* kept by reference; the first of equals wins */

#endif
