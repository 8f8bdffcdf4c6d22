/* plain.h - runs without namespaces: when, and what cannot be allowed then. */
#ifndef CORDON_LINUX_PLAIN_H
#define CORDON_LINUX_PLAIN_H

#include <stdbool.h>

#include "core/decide.h"
#include "core/error.h"
#include "os/linux/state.h"

/* True when --allow-degraded (NULL-terminated or NULL) names `protect` and the
 * namespaces that would protect are not to be had: tried, only then, in about
 * 10 ms. Where they are to be had the whole boundary is made, whatever is accepted. */
bool plain_wanted(const char *const *allow_degraded);

/* Protection inside a root is what was given up; of cordon's own places it
 * cannot be, for the next run trusts them. Step "linux.plan.plain". */
cordon_status plain_check_places(const struct places *places, const struct resolved *resolved,
                                 struct cordon_error *err);

#endif
