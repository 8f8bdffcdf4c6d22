/* state_fixture.h - a home and a workspace of a test's own, and looks at cordon's state of them. */
#ifndef CORDON_TEST_STATE_FIXTURE_H
#define CORDON_TEST_STATE_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"
#include "os/linux/state.h"
#include "scratch.h"

struct fixture {
    char *root; /* the test's own directory */
    char *home, *workspace;
    char *home_variable;
    char *environment[2];
};

static inline int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (!f || !(f->root = scratch_make()))
        return -1;
    f->home = string_format("%s/home", f->root);
    f->workspace = string_format("%s/work", f->root);
    f->home_variable = string_format("HOME=%s", f->home);
    f->environment[0] = f->home_variable;
    *state = f;
    return mkdir(f->home, 0700) || mkdir(f->workspace, 0755);
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;
    bool gone = scratch_remove(f->root);
    free(f->home);
    free(f->workspace);
    free(f->home_variable);
    free(f);
    return gone ? 0 : -1;
}

static inline void open_state(const struct fixture *f, struct places *p, enum policy_tmp tmp)
{
    struct cordon_error err = {0};
    places_init(p);
    if (places_find(p, f->environment, &err) != CORDON_OK ||
        state_open(p, f->workspace, tmp, &err) != CORDON_OK)
        fail_msg("%s: %s", err.step, err.message);
}

static inline mode_t mode_of(const char *path)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return 0;
    return st.st_mode;
}

static inline mode_t mode_below(const struct places *p, const char *name)
{
    char *path = string_format("%s/%s", p->workspace, name);
    mode_t mode = mode_of(path);
    free(path);
    return mode;
}

static inline void run_in(const struct places *p, const char *script)
{
    scratch_run(p->workspace, script);
}

static inline void assert_exists(const char *path, bool exists)
{
    if ((mode_of(path) != 0) != exists)
        fail_msg("%s %s", path, exists ? "is not there" : "is still there");
}

#endif
