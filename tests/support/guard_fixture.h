/* guard_fixture.h - a workspace, its resolved rules and a guard, without a sandbox around it. */
#ifndef CORDON_TEST_GUARD_FIXTURE_H
#define CORDON_TEST_GUARD_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/linux/guard.h"
#include "scratch.h"

struct fixture {
    char *root, *workspace, *state;
    struct resolved resolved;
    struct supervision what;
    struct poller poller;
    struct guard guard;
    int trips;
    int pins[2000]; /* as the resolver's: an inode number must not be given to something new */
    size_t pin_count;
};

static inline void on_trip(void *self)
{
    ((struct fixture *)self)->trips++;
}

static inline void run(const struct fixture *f, const char *script)
{
    scratch_run(f->workspace, script);
}

static inline bool is_there(const struct fixture *f, const char *name)
{
    char *path = string_format("%s/%s", f->workspace, name);
    struct stat st;
    bool there = lstat(path, &st) == 0;
    free(path);
    return there;
}

/* A rule for what is there, or (watched) is not. */
static inline void add_rule(struct fixture *f, enum rule_kind kind, const char *name, bool watched)
{
    struct stat st = {.st_ino = 0};
    char *path = *name ? string_format("%s/%s", f->workspace, name) : string_copy(f->workspace);
    if (!watched) {
        assert_int_equal(lstat(path, &st), 0);
        f->pins[f->pin_count++] = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    }
    struct rule rule = {.kind = kind,
                        .path = path,
                        .origin = "test",
                        .type = watched               ? OBJECT_ABSENT
                                : S_ISDIR(st.st_mode) ? OBJECT_DIRECTORY
                                                      : OBJECT_FILE,
                        .dev = st.st_dev,
                        .ino = st.st_ino,
                        .nlink = st.st_nlink,
                        .watched = watched};
    assert_int_equal(resolved_add(&f->resolved, &rule, NULL), CORDON_OK);
    free(path);
}

static inline int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (!f || !(f->root = scratch_make()))
        return -1;
    f->workspace = string_format("%s/place", f->root);
    f->state = string_format("%s/state", f->root);
    resolved_init(&f->resolved);
    f->resolved.workspace = string_copy(f->workspace);
    poller_init(&f->poller);
    guard_init(&f->guard);
    *state = f;
    return mkdir(f->workspace, 0755) || mkdir(f->state, 0700);
}

static inline void unpin(struct fixture *f)
{
    while (f->pin_count > 0)
        close(f->pins[--f->pin_count]);
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;
    unpin(f);
    guard_release(&f->guard);
    resolved_release(&f->resolved);
    bool gone = scratch_remove(f->root);
    free(f->workspace);
    free(f->state);
    free(f);
    return gone ? 0 : -1;
}

static inline cordon_status begin(struct fixture *f, struct cordon_error *err)
{
    assert_int_equal(resolved_finish(&f->resolved, NULL), CORDON_OK);
    f->what = (struct supervision){.resolved = &f->resolved, .state = f->state, .guards = true};
    return guard_begin(&f->guard, &f->what, &f->poller, on_trip, f, err);
}

static inline void must_begin(struct fixture *f)
{
    struct cordon_error err = {0};
    if (begin(f, &err) != CORDON_OK)
        fail_msg("%s: %s", err.step, err.message);
}

/* A workspace with a .git that a mount would protect. */
static inline void begin_ordinary(struct fixture *f)
{
    run(f, "mkdir -p .git");
    add_rule(f, RULE_WRITE, "", false);
    add_rule(f, RULE_PROTECT, ".git", false);
    must_begin(f);
}

/* One without, inside another repository. */
static inline void begin_nested(struct fixture *f)
{
    add_rule(f, RULE_WRITE, "", false);
    add_rule(f, RULE_PROTECT, ".git", true);
    must_begin(f);
}

/* Lets the guard look `times` more. */
static inline void let_it_look(struct fixture *f, unsigned times)
{
    unsigned until = f->guard.looks + times;
    while (f->guard.timer >= 0 && f->guard.looks < until)
        assert_true(poller_wait(&f->poller));
}

/* Until inotify tells it. */
static inline void let_it_watch(struct fixture *f)
{
    while (f->guard.timer >= 0)
        assert_true(poller_wait(&f->poller));
    assert_true(f->guard.inotify >= 0);
}

/* As cordon's loop, until it trips. Hangs when it never does: the test runner ends that. */
static inline void until_tripped(struct fixture *f)
{
    while (!f->trips)
        assert_true(poller_wait(&f->poller));
    assert_int_equal(f->trips, 1);
}

/* What is ready now, and nothing after it. */
static inline void serve_once(struct fixture *f)
{
    struct pollfd ready = {f->guard.inotify, POLLIN, 0};
    if (poll(&ready, 1, 0) > 0)
        assert_true(poller_wait(&f->poller));
}

static inline void assert_nothing_found(struct fixture *f)
{
    assert_true(guard_finish(&f->guard));
    assert_int_equal(f->trips, 0);
    assert_int_equal(f->guard.event_count, 0);
}

/* The names in the quarantine without their time, sorted, each with a blank after it. */
static inline void assert_quarantined(const struct fixture *f, const char *want)
{
    char *script = string_format(
        "test \"$(cd '%s/quarantine' && ls -A | sed 's/^[^-]*-//' | sort | tr '\\n' ' ')\" = '%s'", f->state,
        want);
    run(f, script);
    free(script);
}

#endif
