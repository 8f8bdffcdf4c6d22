/* arena.h - memory that launcher and init share: what the launcher finds out
 * after init exists (the plan) is put here, at the same addresses for both.
 *
 * Only the launcher writes, only before it says go; init only reads. The
 * command never has it: exec gives it a memory of its own.
 */
#ifndef CORDON_LINUX_ARENA_H
#define CORDON_LINUX_ARENA_H

#include <stddef.h>

#include "core/error.h"
#include "plan/linux_plan.h"

struct arena {
    char *base;
    size_t size, used;
};

#define ARENA_BYTES (64u << 20) /* address space: pages are taken as they are used */

cordon_status arena_open(struct arena *a, struct cordon_error *err); /* step "linux.launch" */
void arena_close(struct arena *a);                                   /* tolerates a zeroed one */

/* Zeroed and aligned; NULL when it is full. */
void *arena_take(struct arena *a, size_t bytes);
char *arena_string(struct arena *a, const char *text);    /* NULL stays NULL */
char **arena_strings(struct arena *a, char *const *list); /* a NULL-terminated array */
const struct linux_plan *arena_plan(struct arena *a, const struct linux_plan *plan);

#endif
