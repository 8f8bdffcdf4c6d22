/* scratch.h - a directory of a test's own, below the current one (the build's),
 * and gone afterwards whatever the test left in it.
 */
#ifndef CORDON_TEST_SCRATCH_H
#define CORDON_TEST_SCRATCH_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/buf.h"
#include "os/linux/beneath.h"

/* The new directory's absolute path; NULL: it could not be made. */
static inline char *scratch_make(void)
{
    char here[4096];
    if (!getcwd(here, sizeof here))
        return NULL;
    char *root = string_format("%s/test-scratch-XXXXXX", here);
    if (root && mkdtemp(root))
        return root;
    free(root);
    return NULL;
}

/* Takes the path, with the current directory as it was; false when something stayed. */
static inline bool scratch_remove(char *root)
{
    bool gone = beneath_remove(AT_FDCWD, strrchr(root, '/') + 1);
    free(root);
    return gone;
}

/* Runs a shell script there; one that fails ends the test. */
static inline void scratch_run(const char *directory, const char *script)
{
    char *command = string_format("cd '%s' && { %s\n}", directory, script);
    if (system(command) != 0)
        fail_msg("failed: %s", script);
    free(command);
}

/* For tests that need nothing else: *state is the path. */
static inline int scratch_setup(void **state)
{
    *state = scratch_make();
    return *state ? 0 : -1;
}

static inline int scratch_teardown(void **state)
{
    return scratch_remove(*state) ? 0 : -1;
}

#endif
