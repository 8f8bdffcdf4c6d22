/* cache_env.h - the variables that point tools at the private cache and /tmp. */
#ifndef CORDON_PLAN_CACHE_ENV_H
#define CORDON_PLAN_CACHE_ENV_H

#include "core/error.h"

/* "KEY=DIRECTORY/SUB" for every tool of the table (docs/policy.md), and TMPDIR
 * when `tmp` is not NULL. NULL-terminated; the caller frees
 * with cache_env_free. */
cordon_status cache_env_make(const char *cache_directory, const char *tmp, char ***out,
                             struct cordon_error *err);
void cache_env_free(char **list);

#endif
