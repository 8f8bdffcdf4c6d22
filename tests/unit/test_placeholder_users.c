/* test_placeholder_users.c - several users of the same names: the last to end removes, none too early. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/syscall.h>

#include "os/linux/hold.h"
#include "placeholder_fixture.h"

/* What another process would do just before a lock is taken: the test's own
 * flock() comes before the C library's. */
static struct {
    const char *path;
    bool again; /* and somebody makes the directory anew */
} before_lock;

int flock(int fd, int operation)
{
    if (before_lock.path && (operation & LOCK_SH)) {
        assert_int_equal(rmdir(before_lock.path), 0);
        if (before_lock.again)
            assert_int_equal(mkdir(before_lock.path, 0755), 0);
        before_lock.path = NULL;
    }
    return (int)syscall(SYS_flock, fd, operation);
}

static void a_lock_on_what_was_removed_counts_for_nothing(void **state)
{
    struct fixture *f = *state;
    char *path = string_format("%s/held", f->workspace);
    int parent = open(f->workspace, O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (int again = 0; again < 2; again++) {
        struct hold h = {.fd = -1};
        struct stat st;
        bool made;
        assert_int_equal(mkdir(path, 0755), 0);
        before_lock.again = again;
        before_lock.path = path;
        if (again == 0) {
            assert_int_equal(hold_lock(&h, parent, "held"), -1);
            assert_int_equal(errno, ENOENT);
            assert_int_equal(mkdir(path, 0755), 0);
            before_lock.path = path;
        }
        assert_int_equal(hold_make(&h, parent, "held", false, &made), 0);
        assert_null(before_lock.path);
        assert_int_equal(made, !again);
        assert_int_equal(lstat(path, &st), 0);
        assert_true(st.st_ino == h.ino);
        assert_int_equal(hold_remove(&h, "held"), REMOVAL_DONE);
        close(h.fd);
        assert_workspace_empty(f);
    }
    close(parent);
    free(path);
}

/* Users who share no registry have only the directory's own lock. */
static void the_directorys_lock_alone_is_enough(void **state)
{
    struct fixture *f = *state;
    enum { PROCESSES = 4, ROUNDS = 400 };
    pid_t children[PROCESSES];
    int parent = open(f->workspace, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(parent >= 0);
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] != 0)
            continue;
        for (int round = 0; round < ROUNDS; round++) {
            struct hold h = {.fd = -1};
            struct stat st;
            bool made;
            if (hold_make(&h, parent, "held", false, &made) != 0)
                _exit(1);
            if (round % 4 == i)
                sched_yield();
            if (fstatat(parent, "held", &st, AT_SYMLINK_NOFOLLOW) != 0 || st.st_ino != h.ino)
                _exit(2);
            enum removal how = hold_remove(&h, "held");
            if (how != REMOVAL_DONE && how != REMOVAL_IN_USE)
                _exit(3);
            close(h.fd);
        }
        _exit(0);
    }
    wait_for_all(children, PROCESSES);
    assert_workspace_empty(f); /* the last to end found nobody */
    close(parent);
}

static void the_last_one_removes(void **state)
{
    struct fixture *f = *state;
    struct paths paths = below(f, ".codex", "docs/secret");
    for (int order = 0; order < 2; order++) {
        struct placeholders held[2];
        struct places second;
        assert_true(open_places(f, f->workspace, &second));
        placeholders_init(&held[0]);
        placeholders_init(&held[1]);
        must_make(&held[0], &f->places, &paths);
        must_make(&held[1], &second, &paths);
        assert_int_equal(held[1].count, 3); /* docs too */
        assert_true(held[0].items[0].ino == held[1].items[0].ino);
        placeholders_remove(&held[order], &f->places);
        run(f, "test -d .codex && test -d docs/secret");
        assert_int_equal(placeholders_is_ours(&f->places, paths.items[0]), 1);
        placeholders_remove(&held[1 - order], &second);
        assert_workspace_empty(f);
        assert_registry(&f->places, "");
        places_release(&second);
    }
    paths_release(&paths);
}

static void another_workspaces_run_joins(void **state)
{
    struct fixture *f = *state;
    struct paths paths = below(f, ".codex", "docs/secret");
    for (int joins = 0; joins < 2; joins++)
        for (int order = 0; order < 2; order++) {
            struct placeholders held[2];
            struct places places[2];
            assert_true(open_places(f, f->workspace, &places[0]));
            assert_true(open_places(f, f->other, &places[1]));
            assert_string_not_equal(places[0].workspace, places[1].workspace);
            placeholders_init(&held[0]);
            placeholders_init(&held[1]);
            must_make(&held[0], &places[0], &paths);
            if (joins) {
                assert_int_equal(placeholders_join(&held[1], paths.items[0], NULL), CORDON_OK);
                assert_int_equal(placeholders_join(&held[1], paths.items[1], NULL), CORDON_OK);
            } else {
                must_make(&held[1], &places[1], &paths);
            }
            placeholders_remove(&held[order], &places[order]);
            run(f, "test -d .codex && test -d docs/secret");
            placeholders_remove(&held[1 - order], &places[1 - order]);
            assert_workspace_empty(f);
            assert_registry(&places[0], "");
            assert_registry(&places[1], "");
            places_release(&places[0]);
            places_release(&places[1]);
        }
    paths_release(&paths);
}

/* All hold, then all end at once: one of them has to be the last. */
static void all_end_at_once(void **state)
{
    struct fixture *f = *state;
    enum { PROCESSES = 4, ROUNDS = 30 };
    for (int round = 0; round < ROUNDS; round++) {
        /* One registry, two, and two with parents: there alone an empty directory
         * may wait for the next start (docs/state.md). */
        bool two = round % 3 > 0, nested = round % 3 != 1;
        struct paths paths = below(f, ".codex", nested ? "docs/secret" : ".agents");
        int ready[2], gate[2];
        pid_t children[PROCESSES];
        char byte;
        assert_int_equal(pipe(ready), 0);
        assert_int_equal(pipe(gate), 0);
        for (int i = 0; i < PROCESSES; i++) {
            children[i] = fork();
            assert_true(children[i] >= 0);
            if (children[i] == 0) {
                struct places places;
                struct placeholders held;
                const char *workspace = two && i % 2 ? f->other : f->workspace;
                close(gate[1]);
                placeholders_init(&held);
                bool right =
                    open_places(f, workspace, &places) && make(&held, &places, &paths, NULL) == CORDON_OK;
                (void)!write(ready[1], "x", 1);
                (void)!read(gate[0], &byte, 1);
                placeholders_remove(&held, &places);
                _exit(right ? 0 : 1);
            }
        }
        close(gate[0]);
        close(ready[1]);
        for (int i = 0; i < PROCESSES; i++)
            assert_int_equal(read(ready[0], &byte, 1), 1);
        run(f, nested ? "test -d .codex && test -d docs/secret" : "test -d .codex && test -d .agents");
        close(gate[1]); /* go */
        wait_for_all(children, PROCESSES);
        close(ready[0]);
        if (two && nested) {
            struct places other;
            assert_true(open_places(f, f->other, &other));
            assert_int_equal(placeholders_collect(&other, NULL), CORDON_OK);
            collect(f);
            assert_int_equal(placeholders_collect(&other, NULL), CORDON_OK);
            places_release(&other);
        }
        assert_workspace_empty(f);
        paths_release(&paths);
    }
}

/* Starts and ends against each other. While one holds, its directories keep
 * their inodes; every tenth ends like a crash. Exit status 0: all right. */
static int churn(const struct fixture *f, const struct paths *paths, unsigned seed, int rounds)
{
    for (int round = 0; round < rounds; round++) {
        seed = seed * 1103515245u + 12345u;
        pid_t child = (seed >> 16) % 10 == 0 ? fork() : 0;
        if (child > 0) {
            int status;
            if (waitpid(child, &status, 0) != child || status != 0)
                return status ? WEXITSTATUS(status) : 9;
            continue;
        }
        bool crashes = (seed >> 16) % 10 == 0;
        struct places places;
        struct placeholders held;
        struct cordon_error err = {0};
        placeholders_init(&held);
        if (!open_places(f, (seed >> 20) % 3 ? f->workspace : f->other, &places) ||
            placeholders_collect(&places, &err) != CORDON_OK)
            return 2;
        for (size_t i = 0; i < paths->count; i++)
            placeholders_is_ours(&places, paths->items[i]);
        if (make(&held, &places, paths, &err) != CORDON_OK) {
            fprintf(stderr, "%s\n", err.message);
            return 3;
        }
        for (unsigned look = 0; look < (seed >> 24) % 4 + 1; look++) {
            for (size_t i = 0; i < held.count; i++) {
                struct stat st;
                if (lstat(held.items[i].path, &st) != 0 || st.st_ino != held.items[i].ino ||
                    st.st_dev != held.items[i].dev)
                    return 4;
            }
            sched_yield();
        }
        if (crashes)
            _exit(0);
        placeholders_remove(&held, &places);
        places_release(&places);
    }
    return 0;
}

static void starts_and_ends_against_each_other(void **state)
{
    struct fixture *f = *state;
    struct paths paths = below(f, ".codex", ".agents");
    enum { PROCESSES = 4, ROUNDS = 100 };
    pid_t children[PROCESSES];
    for (unsigned i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0)
            _exit(churn(f, &paths, 77 * i + 1, ROUNDS));
    }
    wait_for_all(children, PROCESSES);
    /* What the last crash left is collected by the next start of its workspace. */
    struct places other;
    assert_true(open_places(f, f->other, &other));
    assert_int_equal(placeholders_collect(&other, NULL), CORDON_OK);
    collect(f);
    assert_workspace_empty(f);
    assert_registry(&f->places, "");
    assert_registry(&other, "");
    places_release(&other);
    paths_release(&paths);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_lock_on_what_was_removed_counts_for_nothing),
        TEST(the_directorys_lock_alone_is_enough),
        TEST(the_last_one_removes),
        TEST(another_workspaces_run_joins),
        TEST(all_end_at_once),
        TEST(starts_and_ends_against_each_other),
    };
    return cmocka_run_group_tests_name("placeholder-users", tests, NULL, NULL);
}
