/* profile.h - the AppArmor profile that lets cordon make user namespaces, as text. Pure.
 *
 * Its third line carries a sum of what follows: a file is known as our own, and
 * unchanged, by itself.
 */
#ifndef CORDON_SETUP_PROFILE_H
#define CORDON_SETUP_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "core/error.h"

struct profile_program {
    const char *name; /* of its profile: "cordon", "cordon-warden" */
    const char *path; /* absolute */
};

/* Appends `path` as AppArmor reads it: quoted, and with its pattern characters
 * taken for themselves. Step "setup.profile" for what cannot be written so that
 * it is sure to be read as meant: quotes, backslashes, control characters, bytes
 * that are not UTF-8. */
cordon_status profile_quote(const char *path, struct buf *out, struct cordon_error *err);

/* The whole file. */
cordon_status profile_text(const struct profile_program *programs, size_t count, struct buf *out,
                           struct cordon_error *err);

/* Was this text made by profile_text(), whatever its programs, and not changed since? */
bool profile_is_ours(const char *text, size_t len);

#endif
