/* test_quarantine.c - things are moved away by descriptor: nothing followed, nothing written over. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <sys/stat.h>

#include "os/linux/quarantine.h"
#include "os/linux/repository.h"
#include "scratch.h"
#include "skip.h"

static int open_in(const char *top, const char *name)
{
    char *path = string_format("%s/%s", top, name);
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    free(path);
    assert_true(fd >= 0);
    return fd;
}

/* A fixed time, so that names meet. */
static struct quarantine begin(char *state)
{
    struct quarantine q;
    quarantine_init(&q, state);
    snprintf(q.time, sizeof q.time, "T");
    return q;
}

static void must_move(struct quarantine *q, int parent, const char *name, const char *to, bool in_place)
{
    struct cordon_error err;
    char *moved = NULL;
    bool here = !in_place;
    if (quarantine_move(q, parent, name, &moved, &here, &err) != CORDON_OK)
        fail_msg("%s", err.message);
    assert_string_equal(moved, to);
    assert_int_equal(here, in_place);
    free(moved);
}

static void test_moves(void **state)
{
    const char *top = *state;
    char *store = string_format("%s/state", top);
    scratch_run(
        top, "mkdir work state out && cd work && mkdir -p .git/hooks && ln -s ../out link && mkfifo fifo &&"
             "echo x >HEAD && ln -s absent dangling && mkdir shut && chmod 0 shut");
    int parent = open_in(top, "work");
    struct quarantine q = begin(store);
    must_move(&q, parent, ".git", "T-.git", false);
    must_move(&q, parent, "link", "T-link", false);
    must_move(&q, parent, "fifo", "T-fifo", false);
    must_move(&q, parent, "HEAD", "T-HEAD", false);
    must_move(&q, parent, "dangling", "T-dangling", false);
    scratch_run(
        top, "cd state && test \"$(stat -c %a quarantine)\" = 700 && cd quarantine && test -d T-.git/hooks &&"
             "test -L T-link && test -p T-fifo && test \"$(cat T-HEAD)\" = x && test -d ../../out");
    /* Without the right to write it, a directory gets no new parent; as root it does. */
    must_move(&q, parent, "shut", geteuid() ? "shut.cordon-quarantine-T" : "T-shut", geteuid() != 0);
    close(parent);
    quarantine_release(&q);
    free(store);
}

static void test_never_over_anything(void **state)
{
    const char *top = *state;
    char *store = string_format("%s/state", top);
    scratch_run(
        top,
        "mkdir -p work state/quarantine && echo old >state/quarantine/T-HEAD &&"
        "mkdir state/quarantine/T-2-HEAD && ln -s absent state/quarantine/T-3-HEAD && echo new >work/HEAD");
    int parent = open_in(top, "work");
    struct quarantine q = begin(store);
    must_move(&q, parent, "HEAD", "T-4-HEAD", false);
    scratch_run(top, "cd state/quarantine && test \"$(cat T-HEAD)\" = old && test \"$(cat T-4-HEAD)\" = new");
    close(parent);
    quarantine_release(&q);
    free(store);
}

/* A state on another file system, or one that is not to be had. */
static void test_in_place(void **state)
{
    const char *top = *state;
    char other[] = "/dev/shm/test-quarantine-XXXXXX";
    if (!mkdtemp(other))
        skip_all("no /dev/shm to write to");
    struct stat a, b;
    assert_int_equal(stat(other, &a) | stat(top, &b), 0);
    scratch_run(top,
                "mkdir work && cd work && mkdir .git && echo x >HEAD && echo y >HEAD.cordon-quarantine-T");
    int parent = open_in(top, "work");
    struct quarantine q = begin(a.st_dev == b.st_dev ? (char[]){"/absent"} : other);
    must_move(&q, parent, ".git", ".git.cordon-quarantine-T", true);
    must_move(&q, parent, "HEAD", "HEAD.cordon-quarantine-T-2", true);
    scratch_run(
        top, "cd work && test ! -e .git && test ! -e HEAD && test \"$(cat HEAD.cordon-quarantine-T)\" = y");
    close(parent);
    quarantine_release(&q);
    scratch_run(other, "rm -rf \"$PWD\"");
}

/* The store itself is a link that somebody planted: not followed. */
static void test_store_is_a_link(void **state)
{
    const char *top = *state;
    char *store = string_format("%s/state", top);
    scratch_run(top, "mkdir work state out && ln -s ../out state/quarantine && echo x >work/HEAD");
    int parent = open_in(top, "work");
    struct quarantine q = begin(store);
    must_move(&q, parent, "HEAD", "HEAD.cordon-quarantine-T", true);
    scratch_run(top, "test -z \"$(ls -A out)\"");
    close(parent);
    quarantine_release(&q);
    free(store);
}

static void test_cannot(void **state)
{
    const char *top = *state;
    struct cordon_error err;
    char *store = string_format("%s/state", top), *to = NULL;
    bool here = false;
    scratch_run(top, "mkdir work state");
    int parent = open_in(top, "work");
    struct quarantine q = begin(store);
    assert_int_equal(quarantine_move(&q, parent, "absent", &to, &here, &err), CORDON_E_SYSTEM);
    assert_string_equal(err.step, "quarantine.move");
    assert_int_equal(err.os_code, ENOENT);
    assert_null(to);
    close(parent);
    quarantine_release(&q);
    free(store);
}

/* -- repository.h ------------------------------------------------------------ */

static bool is_repository(const char *top, const char *script)
{
    scratch_run(top, "rm -rf r && mkdir r");
    char *directory = string_format("%s/r", top);
    scratch_run(directory, script);
    int dir = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    bool is = repository_at(dir);
    close(dir);
    free(directory);
    return is;
}

static void test_repository_at(void **state)
{
    assert_false(is_repository(*state, "true"));
    assert_false(is_repository(*state, ": >HEAD; mkdir objects"));
    assert_false(is_repository(*state, "mkdir HEAD objects refs"));
    assert_true(is_repository(*state, ": >HEAD; mkdir objects refs"));
    assert_true(is_repository(*state, "ln -s refs/heads/x HEAD; ln -s absent objects; : >refs"));
    assert_true(is_repository(*state, ": >HEAD; echo .. >commondir"));
    assert_true(is_repository(*state, "git init -q --bare ."));
}

/* Only what lies above the scratch directory is not ours to say. */
static bool is_above(const char *top, const char *script)
{
    scratch_run(top, "rm -rf r && mkdir -p r/a/b");
    scratch_run(top, script);
    char *path = string_format("%s/r/a/b", top);
    bool is = repository_above(path);
    free(path);
    return is;
}

static void test_repository_above(void **state)
{
    const char *top = *state;
    bool around = repository_above(top);
    assert_int_equal(is_above(top, "mkdir r/.git r/a/.git r/a/b/.git"), around); /* placeholders */
    assert_int_equal(is_above(top, "git init -q r/a/b"), around);
    assert_true(is_above(top, "git init -q r"));
    assert_true(is_above(top, "echo gitdir: x >r/a/.git"));
    assert_true(is_above(top, "ln -s x r/a/.git"));
    assert_false(repository_above("/"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_moves, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_never_over_anything, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_in_place, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_store_is_a_link, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_cannot, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_repository_at, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_repository_above, scratch_setup, scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
