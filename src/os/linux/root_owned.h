/* root_owned.h - is a file really only root's to change, with every directory above it?
 *
 * What runs as root, or is given a right by its path, must not lie where
 * somebody else could put something else in its place.
 */
#ifndef CORDON_LINUX_ROOT_OWNED_H
#define CORDON_LINUX_ROOT_OWNED_H

#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"

/* Walks `path` (absolute) below `top` ("" on a real system) component by
 * component, by descriptor, following no link. Each must belong to root or to
 * `owner` and be writable by nobody else; the last must be a directory, or else
 * an executable regular file. *fd: O_PATH on it. Step "setup.path": the message
 * says which component, and why. */
cordon_status root_owned_open(const char *top, const char *path, uint32_t owner, bool directory, int *fd,
                              struct cordon_error *err);

#endif
