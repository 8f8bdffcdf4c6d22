/* fold.h - simple case folding, shared by paths, globs and environment names.
 *
 * Internal to src/core. A volume that ignores case has its own table; this one
 * covers ASCII and, when `wide`, the letters of Latin-1, Greek and Cyrillic.
 * Every fold keeps the length in bytes, so that folded strings can be compared
 * byte by byte, in step.
 */
#ifndef CORDON_CORE_FOLD_H
#define CORDON_CORE_FOLD_H

#include <stdbool.h>
#include <stddef.h>

enum fold { FOLD_NONE, FOLD_ASCII, FOLD_WIDE };

unsigned fold_code_point(enum fold fold, unsigned c);

/* The byte at s[i] of the folded form of NUL-terminated `s`. */
unsigned char fold_byte(enum fold fold, const char *s, size_t i);

bool fold_equal(enum fold fold, const char *a, const char *b);

#endif
