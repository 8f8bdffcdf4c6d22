/* placeholder_fixture.h - two workspaces, their registries, and what tests of placeholders ask of them. */
#ifndef CORDON_TEST_PLACEHOLDER_FIXTURE_H
#define CORDON_TEST_PLACEHOLDER_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/buf.h"
#include "os/linux/placeholder.h"
#include "os/linux/registry.h"
#include "scratch.h"

struct fixture {
    char *root, *workspace, *other; /* two workspaces, for two registries */
    struct places places;           /* of `workspace` */
};

static inline bool open_places(const struct fixture *f, const char *workspace, struct places *out)
{
    char *home = string_format("HOME=%s", f->root);
    char *environment[] = {home, NULL};
    places_init(out);
    bool right = places_find(out, environment, NULL) == CORDON_OK &&
                 state_open(out, workspace, TMP_WORKSPACE, NULL) == CORDON_OK;
    free(home);
    return right;
}

static inline int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (!f || !(f->root = scratch_make()))
        return -1;
    f->workspace = string_format("%s/work", f->root);
    f->other = string_format("%s/other", f->root);
    *state = f;
    return mkdir(f->workspace, 0755) || mkdir(f->other, 0755) || !open_places(f, f->workspace, &f->places);
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;
    places_release(&f->places);
    bool gone = scratch_remove(f->root);
    free(f->workspace);
    free(f->other);
    free(f);
    return gone ? 0 : -1;
}

#define MAX_PATHS 4
struct paths {
    char *items[MAX_PATHS];
    size_t count;
};

static inline struct paths below(const struct fixture *f, const char *a, const char *b)
{
    struct paths p = {{string_format("%s/%s", f->workspace, a), NULL}, 1};
    if (b)
        p.items[p.count++] = string_format("%s/%s", f->workspace, b);
    return p;
}

static inline void paths_release(struct paths *p)
{
    for (size_t i = 0; i < p->count; i++)
        free(p->items[i]);
}

static inline cordon_status make(struct placeholders *held, const struct places *places,
                                 const struct paths *paths, struct cordon_error *err)
{
    return placeholders_make(held, places, (const char *const *)paths->items, paths->count, err);
}

static inline void must_make(struct placeholders *held, const struct places *places,
                             const struct paths *paths)
{
    struct cordon_error err = {0};
    if (make(held, places, paths, &err) != CORDON_OK)
        fail_msg("%s: %s", err.step, err.message);
}

static inline bool is_there(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

static inline void run(const struct fixture *f, const char *script)
{
    scratch_run(f->workspace, script);
}

static inline void assert_workspace_empty(const struct fixture *f)
{
    run(f, "test -z \"$(ls -A)\"");
}

/* The registry's text; the caller frees. */
static inline char *registry_text(const struct places *places)
{
    char *path = string_format("%s/%s", places->workspace, REGISTRY_NAME), text[65536];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd >= 0 ? read(fd, text, sizeof text) : 0;
    if (fd >= 0)
        close(fd);
    free(path);
    return string_copy_n(text, len > 0 ? (size_t)len : 0);
}

static inline void assert_registry(const struct places *places, const char *want)
{
    char *text = registry_text(places);
    assert_string_equal(text, want);
    free(text);
}

static inline void write_registry(const struct places *places, const char *text)
{
    assert_int_equal(state_write(places, REGISTRY_NAME, text, strlen(text), NULL), CORDON_OK);
}

/* Makes placeholders in a child that then ends without removing them. */
static inline void crash_holding(const struct fixture *f, const struct paths *paths)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct places places;
        struct placeholders held;
        placeholders_init(&held);
        _exit(!open_places(f, f->workspace, &places) || make(&held, &places, paths, NULL) != CORDON_OK);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static inline void collect(const struct fixture *f)
{
    struct cordon_error err = {0};
    if (placeholders_collect(&f->places, &err) != CORDON_OK)
        fail_msg("%s", err.message);
}

static inline void wait_for_all(const pid_t *children, int count)
{
    for (int i = 0; i < count; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
}

#endif
