/* check.h - what must hold outside after a row. */
#ifndef CORDON_MATRIX_CHECK_H
#define CORDON_MATRIX_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "tree.h"
#include "world.h"

/* What the picture must not show as changed: everything but the writable roots
 * that `policy` opens and the `free PATH` entries of `after`; protected things
 * that exist inside those roots are watched again. */
int check_rules(struct picture_rules *out, const struct world *w, const char *policy, const char *after);

/* The protected names at the top of R, G, W and R/side: one bit each. */
unsigned check_names_present(const struct world *w);

/* Goes through the entries of `after`. Without `control`: prints and counts
 * those that do not hold. With it: looks only at entries that begin with `!`,
 * and counts those that DO hold, for the control had to violate them. */
size_t check_after(const struct world *w, const char *after, size_t left_processes, bool control);

#endif
