/* test_state.c - places, the state directory, fresh runs, files written whole. */
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

#include "state_fixture.h"

/* ---- places ---- */

static void finds_places_from_home(void **state)
{
    struct fixture *f = *state;
    struct places p;
    char *want;
    places_init(&p);
    assert_int_equal(places_find(&p, f->environment, NULL), CORDON_OK);
    assert_string_equal(p.home, f->home);
    want = string_format("%s/.config/cordon", f->home);
    assert_string_equal(p.config_root, want);
    free(want);
    want = string_format("%s/.config/cordon/policy.json", f->home);
    assert_string_equal(p.policy_file, want);
    free(want);
    want = string_format("%s/.local/state/cordon", f->home);
    assert_string_equal(p.state_root, want);
    assert_exists(want, false);
    free(want);
    want = string_format("%s/.local/state/cordon/cache", f->home);
    assert_string_equal(p.cache_view, want);
    free(want);
    assert_int_equal(p.workspace_fd, -1);
    assert_int_equal(p.run_fd, -1);
    places_release(&p);
}

static void finds_places_from_xdg(void **state)
{
    struct fixture *f = *state;
    struct places p;
    char *config = string_format("XDG_CONFIG_HOME=%s//etc/./x", f->root);
    char *state_home = string_format("XDG_STATE_HOME=%s/state/", f->root);
    char *environment[] = {config, state_home, NULL};
    char *want_config = string_format("%s/etc/x/cordon", f->root);
    char *want_state = string_format("%s/state/cordon", f->root);
    places_init(&p);
    assert_int_equal(places_find(&p, environment, NULL), CORDON_OK);
    assert_null(p.home);
    assert_string_equal(p.config_root, want_config);
    assert_string_equal(p.state_root, want_state);
    places_release(&p);
    environment[0] = state_home;
    environment[1] = NULL;
    assert_int_equal(places_find(&p, environment, NULL), CORDON_OK);
    assert_string_equal(p.state_root, want_state);
    assert_null(p.config_root);
    assert_null(p.policy_file);
    places_release(&p);
    free(config);
    free(state_home);
    free(want_config);
    free(want_state);
}

static void ignores_relative_variables(void **state)
{
    struct fixture *f = *state;
    struct places p;
    const char *environment[] = {"XDG_CONFIG_HOME=relative", "XDG_STATE_HOME=", f->home_variable, NULL};
    char *want = string_format("%s/.local/state/cordon", f->home);
    places_init(&p);
    assert_int_equal(places_find(&p, (char *const *)environment, NULL), CORDON_OK);
    assert_string_equal(p.state_root, want);
    assert_non_null(strstr(p.config_root, "/.config/cordon"));
    places_release(&p);
    free(want);
}

static void refuses_without_home(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{NULL, NULL},
                                           {"HOME=", NULL},
                                           {"HOME=relative", NULL},
                                           {"XDG_CONFIG_HOME=/x", NULL},
                                           {"HOMER=/x", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct places p;
        struct cordon_error err = {0};
        places_init(&p);
        assert_int_equal(places_find(&p, (char *const *)cases[i], &err), CORDON_E_INVALID);
        assert_string_equal(err.step, "state.home");
        assert_null(p.state_root);
    }
}

static void resolves_links_on_the_way(void **state)
{
    struct fixture *f = *state;
    struct places p;
    char *real = string_format("%s/elsewhere", f->root), *link = string_format("%s/.local", f->home);
    char *want = string_format("%s/elsewhere/state/cordon", f->root);
    assert_int_equal(mkdir(real, 0700), 0);
    assert_int_equal(symlink(real, link), 0);
    open_state(f, &p, TMP_WORKSPACE);
    assert_string_equal(p.state_root, want);
    assert_exists(want, true);
    places_release(&p);
    free(real);
    free(link);
    free(want);
}

static void tolerates_an_absent_home(void **state)
{
    (void)state;
    struct places p;
    const char *environment[] = {"HOME=/nonexistent/of/cordon", NULL};
    places_init(&p);
    assert_int_equal(places_find(&p, (char *const *)environment, NULL), CORDON_OK);
    assert_null(p.home);
    assert_string_equal(p.state_root, "/nonexistent/of/cordon/.local/state/cordon");
    places_release(&p);
}

/* ---- opening ---- */

static void makes_the_skeleton(void **state)
{
    struct fixture *f = *state;
    struct places p;
    static const struct {
        const char *name;
        mode_t mode;
    } want[] = {
        {"", S_IFDIR | 0700},        {"tmp", S_IFDIR | 01777},    {"vartmp", S_IFDIR | 01777},
        {"shm", S_IFDIR | 01777},    {"cache", S_IFDIR | 0700},   {"dev", S_IFDIR | 0755},
        {"dev/pts", S_IFDIR | 0755}, {"dev/shm", S_IFDIR | 0755}, {"mask/dir", S_IFDIR},
        {"mask/file", S_IFREG},      {"version", S_IFREG | 0600}, {"workspace", S_IFREG | 0600},
    };
    static const char *const files[] = {"null", "zero", "full", "random", "urandom", "tty"};
    static const char *const links[] = {"ptmx", "fd", "stdin", "stdout", "stderr"};
    open_state(f, &p, TMP_WORKSPACE);
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        if (mode_below(&p, want[i].name) != want[i].mode)
            fail_msg("%s has mode %o", want[i].name, (unsigned)mode_below(&p, want[i].name));
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *name = string_format("dev/%s", files[i]);
        assert_true(S_ISREG(mode_below(&p, name)));
        free(name);
    }
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        char *name = string_format("dev/%s", links[i]);
        assert_true(S_ISLNK(mode_below(&p, name)));
        free(name);
    }
    assert_int_equal(mode_of(p.state_root) & 07777, 0700);
    assert_true(fcntl(p.workspace_fd, F_GETFD) & FD_CLOEXEC);
    assert_false(p.fresh);
    assert_null(p.run_name);
    places_release(&p);
}

static void makes_the_skeleton_whatever_the_umask(void **state)
{
    struct fixture *f = *state;
    struct places p;
    mode_t old = umask(0077);
    open_state(f, &p, TMP_WORKSPACE);
    umask(old);
    assert_int_equal(mode_below(&p, "tmp"), S_IFDIR | 01777);
    assert_int_equal(mode_below(&p, "dev"), S_IFDIR | 0755);
    places_release(&p);
}

static void opens_again_and_keeps_content(void **state)
{
    struct fixture *f = *state;
    struct places p, q;
    struct stat before, after;
    open_state(f, &p, TMP_WORKSPACE);
    run_in(&p, "echo x > tmp/kept");
    assert_int_equal(fstatat(p.workspace_fd, "version", &before, 0), 0);
    open_state(f, &q, TMP_WORKSPACE);
    assert_string_equal(p.workspace, q.workspace);
    assert_int_equal(fstatat(q.workspace_fd, "version", &after, 0), 0);
    assert_int_equal(before.st_ino, after.st_ino); /* not made anew */
    assert_true(S_ISREG(mode_below(&q, "tmp/kept")));
    places_release(&p);
    places_release(&q);
}

static void heals_what_is_missing(void **state)
{
    struct fixture *f = *state;
    static const char *const damages[] = {
        "rm -r tmp",
        "chmod 0000 tmp",
        "rm -r dev",
        "rm -r mask",
        "rm version",
        ": > version",
        "echo 2 x > version",
        "rm -r cache shm vartmp",
        "rm workspace && rm version",
        ": > workspace && rm version",
    };
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        struct places p, q;
        open_state(f, &p, TMP_WORKSPACE);
        run_in(&p, damages[i]);
        open_state(f, &q, TMP_WORKSPACE);
        assert_string_equal(p.workspace, q.workspace);
        assert_int_equal(mode_below(&q, "tmp"), S_IFDIR | 01777);
        assert_int_equal(mode_below(&q, "cache"), S_IFDIR | 0700);
        assert_true(S_ISREG(mode_below(&q, "dev/null")));
        assert_true(S_ISDIR(mode_below(&q, "mask/dir")));
        assert_true(S_ISREG(mode_below(&q, "workspace")));
        places_release(&p);
        places_release(&q);
    }
}

static void names_hostile_workspaces(void **state)
{
    struct fixture *f = *state;
    char longest[256];
    memset(longest, 'n', 255);
    longest[255] = '\0';
    const char *const names[] = {"/", "/a\nb", "/-rf", "/..hidden", "/\xff\xfe", "/sp ace'\"$(x)", longest};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct places p, named;
        struct cordon_error err = {0};
        char *workspace = names[i][0] == '/' ? string_copy(names[i]) : string_format("/%s", names[i]);
        places_init(&p);
        places_init(&named);
        assert_int_equal(places_find(&p, f->environment, &err), CORDON_OK);
        assert_int_equal(state_open(&p, workspace, TMP_WORKSPACE, &err), CORDON_OK);
        const char *name = strrchr(p.workspace, '/') + 1;
        assert_true(strlen(name) <= 40 + 17);
        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"),
                         strlen(name));
        assert_true(name[0] != '-' && name[0] != '.');
        assert_int_equal(places_find(&named, f->environment, &err), CORDON_OK);
        assert_int_equal(state_name(&named, workspace, TMP_WORKSPACE, &err), CORDON_OK);
        assert_string_equal(named.workspace, p.workspace);
        assert_int_equal(named.workspace_fd, -1);
        places_release(&p);
        places_release(&named);
        free(workspace);
    }
}

static void steps_aside_on_a_collision(void **state)
{
    struct fixture *f = *state;
    struct places p, q, again, named;
    open_state(f, &p, TMP_WORKSPACE);
    run_in(&p, "echo /another > workspace && rm version");
    open_state(f, &q, TMP_WORKSPACE);
    char *want = string_format("%s-2", p.workspace);
    assert_string_equal(q.workspace, want);
    open_state(f, &again, TMP_WORKSPACE);
    assert_string_equal(again.workspace, want);
    places_init(&named);
    assert_int_equal(places_find(&named, f->environment, NULL), CORDON_OK);
    assert_int_equal(state_name(&named, f->workspace, TMP_WORKSPACE, NULL), CORDON_OK);
    assert_string_equal(named.workspace, want);
    free(want);
    places_release(&p);
    places_release(&q);
    places_release(&again);
    places_release(&named);
}

static void naming_has_no_effect(void **state)
{
    struct fixture *f = *state;
    struct places p;
    places_init(&p);
    assert_int_equal(places_find(&p, f->environment, NULL), CORDON_OK);
    assert_int_equal(state_name(&p, f->workspace, TMP_FRESH, NULL), CORDON_OK);
    assert_true(p.fresh);
    char *tmp = state_path(&p, "tmp");
    assert_non_null(strstr(tmp, "/run-"));
    assert_exists(p.state_root, false);
    state_close(&p);
    free(tmp);
    places_release(&p);
}

static void refuses_a_state_root_of_others(void **state)
{
    struct fixture *f = *state;
    struct places p;
    struct cordon_error err = {0};
    open_state(f, &p, TMP_WORKSPACE);
    assert_int_equal(chmod(p.state_root, 0770), 0);
    places_release(&p);
    assert_int_equal(places_find(&p, f->environment, NULL), CORDON_OK);
    assert_int_equal(state_open(&p, f->workspace, TMP_WORKSPACE, &err), CORDON_E_INVALID);
    assert_string_equal(err.step, "state.open");
    assert_non_null(strstr(err.message, "XDG_STATE_HOME"));
    assert_int_equal(p.workspace_fd, -1);
    if (geteuid() == 0) { /* only root can give it away */
        assert_int_equal(chmod(p.state_root, 0700), 0);
        assert_int_equal(chown(p.state_root, 65534, 65534), 0);
        assert_int_equal(state_open(&p, f->workspace, TMP_WORKSPACE, &err), CORDON_E_INVALID);
        assert_non_null(strstr(err.message, "65534"));
        assert_int_equal(chown(p.state_root, 0, 0), 0);
    }
    places_release(&p);
}

static void refuses_to_make_it_in_a_foreign_home(void **state)
{
    struct fixture *f = *state;
    struct places p;
    struct cordon_error err = {0};
    if (geteuid() != 0)
        skip();
    assert_int_equal(chown(f->home, 65534, 65534), 0);
    places_init(&p);
    assert_int_equal(places_find(&p, f->environment, NULL), CORDON_OK);
    assert_int_equal(state_open(&p, f->workspace, TMP_WORKSPACE, &err), CORDON_E_INVALID);
    assert_non_null(strstr(err.message, "another user"));
    char *local = string_format("%s/.local", f->home);
    assert_exists(local, false);
    free(local);
    places_release(&p);
}

static void says_what_is_in_the_way_of_the_root(void **state)
{
    struct fixture *f = *state;
    struct places p;
    struct cordon_error err = {0};
    char *local = string_format("%s/.local", f->home);
    int fd = open(local, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
    places_init(&p);
    assert_int_equal(places_find(&p, f->environment, NULL), CORDON_OK);
    assert_int_equal(state_open(&p, f->workspace, TMP_WORKSPACE, &err), CORDON_E_SYSTEM);
    assert_int_equal(err.os_code, ENOTDIR);
    assert_non_null(strstr(err.message, "XDG_STATE_HOME"));
    places_release(&p);
    free(local);
}

static void many_may_start_at_once(void **state)
{
    struct fixture *f = *state;
    enum { PROCESSES = 12 };
    pid_t children[PROCESSES];
    int gate[2];
    char byte;
    assert_int_equal(pipe(gate), 0);
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            struct places p;
            char *mask = NULL;
            close(gate[1]);
            (void)!read(gate[0], &byte, 1);
            places_init(&p);
            bool right = places_find(&p, f->environment, NULL) == CORDON_OK &&
                         state_open(&p, f->workspace, i % 2 ? TMP_FRESH : TMP_WORKSPACE, NULL) == CORDON_OK &&
                         state_mountpoint(&p, "tmp", "a/b/c", true, NULL) == CORDON_OK &&
                         state_mountpoint(&p, "dev", "kvm", false, NULL) == CORDON_OK &&
                         state_mask_with_hole(&p, "k", i % 3 ? "x/y" : "x/z", &mask, NULL) == CORDON_OK &&
                         state_write(&p, "report.json", "{}", 2, NULL) == CORDON_OK &&
                         S_ISDIR(mode_below(&p, "mask/dir"));
            state_close(&p);
            _exit(right ? 0 : 1);
        }
    }
    close(gate[0]);
    close(gate[1]);
    for (int i = 0; i < PROCESSES; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    struct places p;
    open_state(f, &p, TMP_WORKSPACE);
    run_in(
        &p,
        "test \"$(ls -A | tr '\\n' ' ')\" = 'cache dev mask report.json shm tmp vartmp version workspace '");
    places_release(&p);
}

/* ---- fresh runs ---- */

static void fresh_is_empty_and_goes(void **state)
{
    struct fixture *f = *state;
    struct places p, q;
    open_state(f, &p, TMP_FRESH);
    open_state(f, &q, TMP_FRESH);
    assert_true(p.fresh);
    assert_string_not_equal(p.run_name, q.run_name);
    char *tmp = state_path(&p, "tmp"), *cache = state_path(&p, "cache"), *other = state_path(&q, "shm");
    assert_int_equal(mode_of(tmp), S_IFDIR | 01777);
    assert_non_null(strstr(tmp, p.run_name));
    assert_null(strstr(cache, p.run_name));
    run_in(&p, "for r in run-*; do mkdir -p $r/tmp/x/y && chmod 0000 $r/tmp/x; done");
    state_close(&p);
    state_close(&p);
    assert_exists(tmp, false);
    assert_exists(other, true);
    state_close(&q);
    assert_exists(other, false);
    run_in(&q, "test -z \"$(ls | grep run-)\"");
    free(tmp);
    free(cache);
    free(other);
    places_release(&p);
    places_release(&q);
}

static void collects_runs_that_crashed_only(void **state)
{
    struct fixture *f = *state;
    struct places living, p;
    open_state(f, &living, TMP_FRESH);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct places crashing;
        places_init(&crashing);
        int failed = places_find(&crashing, f->environment, NULL) != CORDON_OK ||
                     state_open(&crashing, f->workspace, TMP_FRESH, NULL) != CORDON_OK;
        _exit(failed);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    run_in(&living, "test $(ls | grep -c run-) = 2");
    open_state(f, &p, TMP_WORKSPACE);
    run_in(&living, "test $(ls | grep -c run-) = 1");
    char *tmp = state_path(&living, "tmp");
    assert_exists(tmp, true);
    free(tmp);
    state_close(&living);
    places_release(&living);
    places_release(&p);
}

static void collects_only_old_temporary_files(void **state)
{
    struct fixture *f = *state;
    struct places p, q;
    open_state(f, &p, TMP_WORKSPACE);
    run_in(&p, "touch -d '2 hours ago' .new-1-old && touch .new-2-young");
    open_state(f, &q, TMP_WORKSPACE);
    run_in(&p, "test ! -e .new-1-old && test -e .new-2-young");
    places_release(&p);
    places_release(&q);
}

/* ---- writing ---- */

static void writes_atomically(void **state)
{
    struct fixture *f = *state;
    struct places p;
    struct cordon_error err = {0};
    open_state(f, &p, TMP_WORKSPACE);
    assert_int_equal(state_write(&p, "report.json", "one", 3, NULL), CORDON_OK);
    assert_int_equal(state_write(&p, "report.json", "three", 5, NULL), CORDON_OK);
    run_in(&p, "test \"$(cat report.json)\" = three && test -z \"$(ls -A | grep new)\"");
    assert_int_equal(mode_below(&p, "report.json"), S_IFREG | 0600);
    assert_int_equal(state_write(&p, "tmp", "x", 1, &err), CORDON_E_SYSTEM); /* a directory */
    assert_string_equal(err.step, "state.write");
    run_in(&p, "test -z \"$(ls -A | grep new)\"");
    places_release(&p);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(finds_places_from_home),
        TEST(finds_places_from_xdg),
        TEST(ignores_relative_variables),
        TEST(refuses_without_home),
        TEST(resolves_links_on_the_way),
        TEST(tolerates_an_absent_home),
        TEST(makes_the_skeleton),
        TEST(makes_the_skeleton_whatever_the_umask),
        TEST(opens_again_and_keeps_content),
        TEST(heals_what_is_missing),
        TEST(names_hostile_workspaces),
        TEST(steps_aside_on_a_collision),
        TEST(naming_has_no_effect),
        TEST(refuses_a_state_root_of_others),
        TEST(refuses_to_make_it_in_a_foreign_home),
        TEST(says_what_is_in_the_way_of_the_root),
        TEST(many_may_start_at_once),
        TEST(fresh_is_empty_and_goes),
        TEST(collects_runs_that_crashed_only),
        TEST(collects_only_old_temporary_files),
        TEST(writes_atomically),
    };
    return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
