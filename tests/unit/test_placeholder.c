/* test_placeholder.c - one user: names are held and given back, also when the machine fails or cordon
 * crashes. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "placeholder_fixture.h"

/* ---- one user ---- */

static void makes_records_and_removes(void **state)
{
    struct fixture *f = *state;
    struct placeholders held;
    struct paths paths = below(f, ".codex", ".agents");
    struct stat st;
    placeholders_init(&held);
    mode_t old = umask(0077);
    must_make(&held, &f->places, &paths);
    umask(old);
    assert_int_equal(held.count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(held.items[i].path, paths.items[i]);
        assert_int_equal(lstat(paths.items[i], &st), 0);
        assert_int_equal(st.st_mode, S_IFDIR | 0755);
        assert_true(held.items[i].ino == st.st_ino && held.items[i].dev == st.st_dev);
        assert_true(fcntl(held.items[i].fd, F_GETFD) & FD_CLOEXEC);
        assert_int_equal(placeholders_is_ours(&f->places, paths.items[i]), 1);
    }
    char *text = registry_text(&f->places);
    char *want = string_format(
        "pending %s\npending %s\nmade %llu %llu %s\nmade %llu %llu %s\n", paths.items[0], paths.items[1],
        (unsigned long long)held.items[0].dev, (unsigned long long)held.items[0].ino, paths.items[0],
        (unsigned long long)held.items[1].dev, (unsigned long long)held.items[1].ino, paths.items[1]);
    assert_string_equal(text, want);
    placeholders_remove(&held, &f->places);
    assert_int_equal(held.count, 0);
    assert_workspace_empty(f);
    assert_registry(&f->places, "");
    assert_int_equal(placeholders_is_ours(&f->places, paths.items[0]), 0);
    placeholders_remove(&held, &f->places); /* nothing to do */
    free(text);
    free(want);
    paths_release(&paths);
}

static void makes_missing_parents(void **state)
{
    struct fixture *f = *state;
    struct placeholders held;
    struct paths paths = below(f, "docs/deep/secret", "docs/other");
    placeholders_init(&held);
    must_make(&held, &f->places, &paths);
    assert_int_equal(held.count, 4); /* docs, docs/deep and the two */
    char *docs = string_format("%s/docs", f->workspace);
    assert_string_equal(held.items[0].path, docs);
    assert_int_equal(placeholders_is_ours(&f->places, docs), 1); /* holds only what is ours */
    free(docs);
    placeholders_remove(&held, &f->places);
    assert_workspace_empty(f);
    assert_registry(&f->places, "");
    paths_release(&paths);
}

static void leaves_what_the_user_filled(void **state)
{
    struct fixture *f = *state;
    struct placeholders held;
    struct paths paths = below(f, ".codex", "docs/secret");
    placeholders_init(&held);
    must_make(&held, &f->places, &paths);
    run(f, ": > .codex/mine; : > docs/mine");
    assert_int_equal(placeholders_is_ours(&f->places, paths.items[0]), 0);
    placeholders_remove(&held, &f->places);
    run(f, "test -f .codex/mine && test -f docs/mine && test ! -e docs/secret");
    assert_registry(&f->places, "");
    paths_release(&paths);
}

static void leaves_what_the_user_put_in_its_place(void **state)
{
    struct fixture *f = *state;
    struct placeholders held;
    struct paths paths = below(f, ".codex", ".agents");
    placeholders_init(&held);
    must_make(&held, &f->places, &paths);
    run(f, "mkdir new && mv -T new .codex && rmdir .agents && : > .agents");
    placeholders_remove(&held, &f->places);
    run(f, "test -d .codex && test -f .agents");
    assert_registry(&f->places, "");
    paths_release(&paths);
}

static void follows_a_workspace_that_moves(void **state)
{
    struct fixture *f = *state;
    struct placeholders held;
    struct paths paths = below(f, ".codex", NULL);
    char *moved = string_format("%s/moved", f->root), *inside = string_format("%s/.codex", moved);
    placeholders_init(&held);
    must_make(&held, &f->places, &paths);
    assert_int_equal(rename(f->workspace, moved), 0);
    assert_true(is_there(inside));
    placeholders_remove(&held, &f->places);
    assert_false(is_there(inside));
    free(moved);
    free(inside);
    paths_release(&paths);
}

static void conflicts_and_takes_back(void **state)
{
    struct fixture *f = *state;
    static const char *const plants[] = {"mkdir b && : > b/x", ": > b", "ln -s / b", "ln -s nowhere b",
                                         "mkfifo b"};
    struct paths paths = below(f, "new/a", "b");
    for (size_t i = 0; i < sizeof plants / sizeof *plants; i++) {
        struct placeholders held;
        struct cordon_error err = {0};
        placeholders_init(&held);
        run(f, plants[i]);
        assert_int_equal(make(&held, &f->places, &paths, &err), CORDON_E_CONFLICT);
        assert_string_equal(err.step, "linux.placeholder");
        assert_non_null(strstr(err.message, "run it again"));
        assert_int_equal(held.count, 0);
        run(f, "test \"$(ls -A)\" = b && rm -r b");
        assert_registry(&f->places, "");
        placeholders_release(&held);
    }
    paths_release(&paths);
}

static void failure_keeps_what_was_held_before(void **state)
{
    struct fixture *f = *state;
    struct placeholders held;
    struct paths first = below(f, "a", NULL), second = below(f, "c", "b");
    placeholders_init(&held);
    must_make(&held, &f->places, &first);
    run(f, ": > b");
    assert_int_equal(make(&held, &f->places, &second, NULL), CORDON_E_CONFLICT);
    assert_int_equal(held.count, 1);
    assert_int_equal(placeholders_is_ours(&f->places, first.items[0]), 1);
    run(f, "rm b");
    must_make(&held, &f->places, &second);
    must_make(&held, &f->places, &second); /* what is held already is not held twice */
    assert_int_equal(held.count, 3);
    placeholders_remove(&held, &f->places);
    assert_workspace_empty(f);
    paths_release(&first);
    paths_release(&second);
}

static void walks_through_no_link(void **state)
{
    struct fixture *f = *state;
    struct placeholders held;
    struct cordon_error err = {0};
    struct paths paths = below(f, "link/made", "link/deep/made");
    placeholders_init(&held);
    run(f, "ln -s ../other link");
    assert_int_equal(make(&held, &f->places, &paths, &err), CORDON_E_CONFLICT);
    assert_int_equal(placeholders_join(&held, paths.items[0], &err), CORDON_E_CONFLICT);
    run(f, "test -z \"$(ls -A ../other)\"");
    placeholders_release(&held);
    paths_release(&paths);
}

static void joins_an_empty_directory_and_leaves_it(void **state)
{
    struct fixture *f = *state;
    struct placeholders held;
    struct paths paths = below(f, "users", "joined");
    placeholders_init(&held);
    run(f, "mkdir users joined");
    assert_int_equal(placeholders_is_ours(&f->places, paths.items[0]), 0);
    assert_int_equal(placeholders_join(&held, paths.items[1], NULL), CORDON_OK);
    must_make(&held, &f->places, &paths);
    assert_int_equal(held.count, 2);
    placeholders_remove(&held, &f->places);
    run(f, "test -d users && test -d joined");
    assert_registry(&f->places, "");
    paths_release(&paths);
}

/* ---- the machine fails ---- */

/* In a child with a limit on the size of files: a registry that cannot grow is
 * what a full disk looks like. Each size fails at another place. */
static void records_or_does_not_make(void **state)
{
    struct fixture *f = *state;
    struct paths paths = below(f, ".codex", ".agents");
    size_t full = 4 * (strlen(f->workspace) + 60), failures = 0;
    for (size_t size = 0; size < full; size += 7) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            struct placeholders held;
            struct cordon_error err = {0};
            struct rlimit limit = {size, size};
            placeholders_init(&held);
            signal(SIGXFSZ, SIG_IGN);
            if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
                _exit(3);
            if (make(&held, &f->places, &paths, &err) != CORDON_OK)
                _exit(err.status == CORDON_E_SYSTEM && err.os_code == EFBIG ? 1 : 3);
            placeholders_remove(&held, &f->places);
            _exit(0);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
        failures += (size_t)WEXITSTATUS(status);
        assert_workspace_empty(f);
        assert_registry(&f->places, "");
    }
    assert_true(failures > 2 && failures < full / 7);
    paths_release(&paths);
}

static void survives_a_lack_of_descriptors(void **state)
{
    struct fixture *f = *state;
    struct paths paths = below(f, "docs/secret", ".agents");
    bool made = false;
    for (unsigned spare = 0; !made && spare < 30; spare++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            struct placeholders held;
            struct cordon_error err = {0};
            int lowest = dup(0);
            struct rlimit limit = {(rlim_t)lowest + spare, (rlim_t)lowest + spare};
            placeholders_init(&held);
            close(lowest);
            if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
                _exit(3);
            if (make(&held, &f->places, &paths, &err) != CORDON_OK)
                _exit(err.os_code == EMFILE ? 1 : 3);
            _exit(0); /* like a crash */
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
        made = WEXITSTATUS(status) == 0;
        if (made)
            collect(f);
        assert_workspace_empty(f);
        assert_registry(&f->places, "");
    }
    assert_true(made);
    paths_release(&paths);
}

/* ---- crashes ---- */

static void collects_after_a_crash(void **state)
{
    struct fixture *f = *state;
    struct paths paths = below(f, ".codex", "docs/secret");
    crash_holding(f, &paths);
    run(f, "test -d .codex && test -d docs/secret");
    assert_int_equal(placeholders_is_ours(&f->places, paths.items[0]), 1);
    collect(f);
    assert_workspace_empty(f);
    assert_registry(&f->places, "");
    collect(f);
    paths_release(&paths);
}

static void joins_after_a_crash_too(void **state)
{
    struct fixture *f = *state;
    struct placeholders held;
    struct paths paths = below(f, ".codex", "docs/secret");
    crash_holding(f, &paths);
    placeholders_init(&held);
    must_make(&held, &f->places, &paths); /* without collecting first */
    assert_int_equal(held.count, 3);
    placeholders_remove(&held, &f->places);
    assert_workspace_empty(f);
    assert_registry(&f->places, "");
    paths_release(&paths);
}

static void collects_a_pending_record(void **state)
{
    struct fixture *f = *state;
    struct paths paths = below(f, ".codex", "never");
    char *text = string_format("pending %s\npending %s\n", paths.items[0], paths.items[1]);
    run(f, "mkdir .codex"); /* its maker died before it could write the inode */
    write_registry(&f->places, text);
    assert_int_equal(placeholders_is_ours(&f->places, paths.items[0]), 1);
    assert_int_equal(placeholders_is_ours(&f->places, paths.items[1]), 0);
    collect(f);
    assert_workspace_empty(f);
    assert_registry(&f->places, "");
    free(text);
    paths_release(&paths);
}

static void collects_nothing_of_the_users(void **state)
{
    struct fixture *f = *state;
    struct paths paths = below(f, "replaced", "filled");
    crash_holding(f, &paths);
    run(f, "mkdir other && mv replaced aside && mv other replaced && : > filled/x");
    collect(f);
    run(f, "test -d replaced && test -f filled/x && test -d aside");
    assert_registry(&f->places, "");
    paths_release(&paths);
}

static void collects_nothing_in_use(void **state)
{
    struct fixture *f = *state;
    struct placeholders held;
    struct places second;
    struct paths paths = below(f, ".codex", "docs/secret");
    placeholders_init(&held);
    must_make(&held, &f->places, &paths);
    char *before = registry_text(&f->places);
    assert_true(open_places(f, f->workspace, &second));
    assert_int_equal(placeholders_collect(&second, NULL), CORDON_OK);
    run(f, "test -d .codex && test -d docs/secret");
    assert_registry(&f->places, before);
    placeholders_remove(&held, &f->places);
    assert_workspace_empty(f);
    free(before);
    places_release(&second);
    paths_release(&paths);
}

static void a_child_that_closes_does_not_unlock(void **state)
{
    struct fixture *f = *state;
    struct placeholders held;
    struct paths paths = below(f, ".codex", NULL);
    placeholders_init(&held);
    must_make(&held, &f->places, &paths);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        placeholders_release(&held);
        _exit(0);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    collect(f);
    assert_true(is_there(paths.items[0]));
    placeholders_remove(&held, &f->places);
    assert_workspace_empty(f);
    paths_release(&paths);
}

/* The command may take away all rights to the workspace (chmod 0). As root that forbids nothing. */
static void workspace_closed_meanwhile(void **state)
{
    struct fixture *f = *state;
    static const mode_t modes[] = {0, 0555, 0600};
    struct paths paths = below(f, ".codex", ".agents");
    for (size_t i = 0; i < 3; i++) {
        struct placeholders held;
        struct stat st;
        placeholders_init(&held);
        must_make(&held, &f->places, &paths);
        assert_int_equal(chmod(f->workspace, modes[i]), 0);
        placeholders_remove(&held, &f->places);
        assert_int_equal(stat(f->workspace, &st), 0);
        assert_int_equal(st.st_mode & 07777, modes[i]);
        assert_int_equal(chmod(f->workspace, 0755), 0);
        assert_workspace_empty(f);
        assert_registry(&f->places, "");
    }
    paths_release(&paths);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(makes_records_and_removes),
        TEST(workspace_closed_meanwhile),
        TEST(makes_missing_parents),
        TEST(leaves_what_the_user_filled),
        TEST(leaves_what_the_user_put_in_its_place),
        TEST(follows_a_workspace_that_moves),
        TEST(conflicts_and_takes_back),
        TEST(failure_keeps_what_was_held_before),
        TEST(walks_through_no_link),
        TEST(joins_an_empty_directory_and_leaves_it),
        TEST(records_or_does_not_make),
        TEST(survives_a_lack_of_descriptors),
        TEST(collects_after_a_crash),
        TEST(joins_after_a_crash_too),
        TEST(collects_a_pending_record),
        TEST(collects_nothing_of_the_users),
        TEST(collects_nothing_in_use),
        TEST(a_child_that_closes_does_not_unlock),
    };
    return cmocka_run_group_tests_name("placeholder", tests, NULL, NULL);
}
