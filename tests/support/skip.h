/* skip.h - what a test does when this machine lacks what it needs.
 *
 * Used by the C tests. It prints one SKIP line with the reason; ctest counts
 * exit status 77 as skipped. With CORDON_MUST_WORK=1 in the environment
 * (.ci/run) the same is a failure, so that a machine that should be able to run
 * everything cannot go green by skipping. Scripts follow the same rule:
 * tests/support/skip.sh.
 */
#ifndef CORDON_TEST_SKIP_H
#define CORDON_TEST_SKIP_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SKIP_STATUS 77

/* A prerequisite is missing: true when that may pass as a skip. */
static inline bool skip_allowed(void)
{
    const char *must = getenv("CORDON_MUST_WORK");
    return !must || strcmp(must, "1") != 0;
}

/* Ends the test program. */
static inline _Noreturn void skip_all(const char *reason)
{
    bool allowed = skip_allowed();
    printf("%s: %s\n", allowed ? "SKIP" : "FAIL (CORDON_MUST_WORK=1 forbids to skip)", reason);
    fflush(stdout);
    exit(allowed ? SKIP_STATUS : EXIT_FAILURE);
}

#endif
