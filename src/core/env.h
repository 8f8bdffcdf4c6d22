/* env.h - which environment variables the command gets. Pure.
 *
 * Order: inherited (when `inherit`; else only those that `keep` names), minus
 * those that match `remove` and not `keep` (keep beats remove), then `extra`
 * (private cache and temporary directories; a variable that the user set with
 * `set` or kept by its exact name in `keep` is left alone, also when it is not
 * there), then `set`. */
#ifndef CORDON_CORE_ENV_H
#define CORDON_CORE_ENV_H

#include <stddef.h>

#include "core/error.h"
#include "core/policy.h"

struct env_list {
    char **items; /* NULL-terminated "KEY=VALUE", sorted by nothing: order of the source kept */
    size_t count;
    char **removed; /* names only, NULL-terminated: what `remove` took out */
    size_t removed_count;
};

void env_list_init(struct env_list *e);
void env_list_release(struct env_list *e);

/* `environ_in` and `extra` are NULL-terminated "KEY=VALUE" arrays (extra may be
 * NULL). Malformed inherited entries (no `=`, empty name) are dropped. The
 * first of duplicate inherited keys wins, as in getenv. Names fold case when
 * `fold_case` (Windows). Step "env.build". */
cordon_status env_build(struct env_list *out, const struct policy *policy, char *const *environ_in,
                        char *const *extra, int fold_case, struct cordon_error *err);

#endif
