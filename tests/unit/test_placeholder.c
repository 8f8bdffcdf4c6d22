/* test_placeholder.c - absent names are held while somebody runs, and nothing stays. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/buf.h"
#include "os/linux/beneath.h"
#include "os/linux/hold.h"
#include "os/linux/placeholder.h"
#include "os/linux/registry.h"

struct fixture {
    char *root, *workspace, *other; /* two workspaces, for two registries */
    struct places places;           /* of `workspace` */
};

static bool open_places(const struct fixture *f, const char *workspace, struct places *out)
{
    char *home = string_format("HOME=%s", f->root);
    char *environment[] = {home, NULL};
    places_init(out);
    bool right = places_find(out, environment, NULL) == CORDON_OK &&
                 state_open(out, workspace, TMP_WORKSPACE, NULL) == CORDON_OK;
    free(home);
    return right;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    char here[4096];
    if (!f || !getcwd(here, sizeof here))
        return -1;
    f->root = string_format("%s/test-placeholder-XXXXXX", here);
    if (!f->root || !mkdtemp(f->root))
        return -1;
    f->workspace = string_format("%s/work", f->root);
    f->other = string_format("%s/other", f->root);
    *state = f;
    return mkdir(f->workspace, 0755) || mkdir(f->other, 0755) || !open_places(f, f->workspace, &f->places);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    places_release(&f->places);
    bool gone = beneath_remove(AT_FDCWD, strrchr(f->root, '/') + 1);
    free(f->root);
    free(f->workspace);
    free(f->other);
    free(f);
    return gone ? 0 : -1;
}

/* ---- helpers ---- */

#define MAX_PATHS 4
struct paths {
    char *items[MAX_PATHS];
    size_t count;
};

static struct paths below(const struct fixture *f, const char *a, const char *b)
{
    struct paths p = {{string_format("%s/%s", f->workspace, a), NULL}, 1};
    if (b)
        p.items[p.count++] = string_format("%s/%s", f->workspace, b);
    return p;
}

static void paths_release(struct paths *p)
{
    for (size_t i = 0; i < p->count; i++)
        free(p->items[i]);
}

static cordon_status make(struct placeholders *held, const struct places *places, const struct paths *paths,
                          struct cordon_error *err)
{
    return placeholders_make(held, places, (const char *const *)paths->items, paths->count, err);
}

static void must_make(struct placeholders *held, const struct places *places, const struct paths *paths)
{
    struct cordon_error err = {0};
    if (make(held, places, paths, &err) != CORDON_OK)
        fail_msg("%s: %s", err.step, err.message);
}

static bool is_there(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

static void run(const struct fixture *f, const char *script)
{
    char *command = string_format("cd '%s' && %s", f->workspace, script);
    assert_int_equal(system(command), 0);
    free(command);
}

static void assert_workspace_empty(const struct fixture *f)
{
    run(f, "test -z \"$(ls -A)\"");
}

/* The registry's text; the caller frees. */
static char *registry_text(const struct places *places)
{
    char *path = string_format("%s/%s", places->workspace, REGISTRY_NAME), text[65536];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd >= 0 ? read(fd, text, sizeof text) : 0;
    if (fd >= 0)
        close(fd);
    free(path);
    return string_copy_n(text, len > 0 ? (size_t)len : 0);
}

static void assert_registry(const struct places *places, const char *want)
{
    char *text = registry_text(places);
    assert_string_equal(text, want);
    free(text);
}

static void write_registry(const struct places *places, const char *text)
{
    assert_int_equal(state_write(places, REGISTRY_NAME, text, strlen(text), NULL), CORDON_OK);
}

/* Makes placeholders in a child that then ends without removing them. */
static void crash_holding(const struct fixture *f, const struct paths *paths)
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

static void collect(const struct fixture *f)
{
    struct cordon_error err = {0};
    if (placeholders_collect(&f->places, &err) != CORDON_OK)
        fail_msg("%s", err.message);
}

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

/* ---- the registry's text ---- */

static void remembers_hostile_names(void **state)
{
    struct fixture *f = *state;
    char longest[256];
    memset(longest, 'n', 255);
    longest[255] = '\0';
    const char *const names[] = {"new\nline", "back\\slash",  "\\n", "\\x0a",        "a\n\\n\n",
                                 "\xff\xfe",  " made 1 2 /x", "\n",  "sp ace/t\tab", longest};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct paths paths = below(f, names[i], NULL);
        crash_holding(f, &paths);
        assert_int_equal(placeholders_is_ours(&f->places, paths.items[0]), 1);
        collect(f);
        assert_false(is_there(paths.items[0]));
        assert_registry(&f->places, "");
        paths_release(&paths);
    }
    assert_workspace_empty(f);
}

static void skips_damaged_lines(void **state)
{
    struct fixture *f = *state;
    static const char *const damages[] = {
        "",
        "garbage\n",
        "made\n",
        "made 1 2\n",
        "made 1 /x\n",
        "made -1 2 /x\n",
        "made 1 99999999999999999999 /x\n",
        "made 0x1 2 /x\n",
        "made 1  2 /x\n",
        "pending relative\n",
        "pending \n",
        "pending /\n",
        "pending /x\\q\n",
        "pending /x\\\n",
        "pending /x\\x0\n",
        "\n\n\n",
        "\xff\xff\n",
        "made 1 2 /x", /* torn: the machine lost power */
        "pendi",
    };
    struct paths paths = below(f, ".codex", NULL);
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        struct stat st;
        run(f, "mkdir .codex");
        assert_int_equal(lstat(paths.items[0], &st), 0);
        char *text = string_format("%s\nmade %llu %llu %s\n%s", damages[i], (unsigned long long)st.st_dev,
                                   (unsigned long long)st.st_ino, paths.items[0], damages[i]);
        write_registry(&f->places, text);
        free(text);
        collect(f);
        assert_workspace_empty(f);
        assert_registry(&f->places, "");
        /* A torn end must not swallow the next record. */
        write_registry(&f->places, damages[i]);
        crash_holding(f, &paths);
        collect(f);
        assert_workspace_empty(f);
        assert_registry(&f->places, "");
    }
    write_registry(&f->places, "");
    struct registry r;
    registry_init(&r);
    static const char nul[] = "pending /x\0y\npending /z\n";
    assert_int_equal(state_write(&f->places, REGISTRY_NAME, nul, sizeof nul - 1, NULL), CORDON_OK);
    assert_int_equal(registry_open(&r, f->places.workspace_fd, REGISTRY_LOOK, 0, NULL), CORDON_OK);
    assert_int_equal(r.count, 1);
    assert_string_equal(r.items[0].path, "/z");
    registry_release(&r);
    paths_release(&paths);
}

static void keeps_other_records_when_rewriting(void **state)
{
    struct fixture *f = *state;
    struct placeholders held, more;
    struct places second;
    struct paths one = below(f, "one", NULL), two = below(f, "two", NULL);
    placeholders_init(&held);
    placeholders_init(&more);
    must_make(&held, &f->places, &one);
    assert_true(open_places(f, f->workspace, &second));
    must_make(&more, &second, &two);
    char *want = string_format("made %llu %llu %s\n", (unsigned long long)more.items[0].dev,
                               (unsigned long long)more.items[0].ino, two.items[0]);
    placeholders_remove(&held, &f->places);
    assert_registry(&f->places, want);
    run(f, "test \"$(ls -A)\" = two");
    free(want);
    placeholders_remove(&more, &second);
    assert_workspace_empty(f);
    places_release(&second);
    paths_release(&one);
    paths_release(&two);
}

static void a_locked_registry_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct registry first, second;
    struct cordon_error err = {0};
    registry_init(&first);
    registry_init(&second);
    assert_int_equal(registry_open(&first, f->places.workspace_fd, REGISTRY_CREATE, 0, NULL), CORDON_OK);
    assert_int_equal(registry_open(&second, f->places.workspace_fd, REGISTRY_CREATE, 3, &err),
                     CORDON_E_CONFLICT);
    assert_non_null(strstr(err.message, "stopped"));
    registry_release(&first);
    assert_int_equal(registry_open(&second, f->places.workspace_fd, REGISTRY_CREATE, 0, NULL), CORDON_OK);
    registry_release(&second);
}

static void a_torn_end_swallows_nothing(void **state)
{
    struct fixture *f = *state;
    struct registry r;
    const struct registry_record record = {.path = (char *)"/after"};
    write_registry(&f->places, "pending /before\npendi");
    registry_init(&r);
    assert_int_equal(registry_open(&r, f->places.workspace_fd, REGISTRY_CREATE, 0, NULL), CORDON_OK);
    assert_true(r.damaged && r.torn);
    assert_int_equal(registry_record(&r, &record, 1, NULL), CORDON_OK);
    registry_release(&r);
    assert_int_equal(registry_open(&r, f->places.workspace_fd, REGISTRY_LOOK, 0, NULL), CORDON_OK);
    assert_non_null(registry_find(&r, "/before"));
    assert_non_null(registry_find(&r, "/after"));
    assert_int_equal(r.count, 2);
    registry_release(&r);
}

static void wait_for_all(const pid_t *children, int count)
{
    for (int i = 0; i < count; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
}

/* Each records its own path and takes it out again, by rewriting while others
 * wait for the lock of the file that is being replaced. */
static void rewriting_loses_no_record(void **state)
{
    struct fixture *f = *state;
    enum { PROCESSES = 4, ROUNDS = 300 };
    pid_t children[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] != 0)
            continue;
        char *path = string_format("/path/%d", i);
        const struct registry_record record = {.path = path};
        for (int round = 0; round < ROUNDS; round++) {
            struct registry r;
            registry_init(&r);
            if (registry_open(&r, f->places.workspace_fd, REGISTRY_CREATE, 5000, NULL) != CORDON_OK ||
                registry_find(&r, path) || registry_record(&r, &record, 1, NULL) != CORDON_OK)
                _exit(1);
            registry_release(&r);
            if (registry_open(&r, f->places.workspace_fd, REGISTRY_CHANGE, 5000, NULL) != CORDON_OK)
                _exit(1);
            struct registry_record *found = registry_find(&r, path);
            if (!found)
                _exit(2);
            found->dropped = true;
            registry_save(&r);
            registry_release(&r);
        }
        _exit(0);
    }
    wait_for_all(children, PROCESSES);
    assert_registry(&f->places, "");
}

/* ---- several users ---- */

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
        for (int i = 0; i < PROCESSES; i++) {
            int status;
            assert_int_equal(waitpid(children[i], &status, 0), children[i]);
            assert_int_equal(status, 0);
        }
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
    for (int i = 0; i < PROCESSES; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
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
        TEST(makes_records_and_removes),
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
        TEST(remembers_hostile_names),
        TEST(skips_damaged_lines),
        TEST(keeps_other_records_when_rewriting),
        TEST(a_locked_registry_is_an_error),
        TEST(a_torn_end_swallows_nothing),
        TEST(rewriting_loses_no_record),
        TEST(a_lock_on_what_was_removed_counts_for_nothing),
        TEST(the_directorys_lock_alone_is_enough),
        TEST(the_last_one_removes),
        TEST(another_workspaces_run_joins),
        TEST(all_end_at_once),
        TEST(starts_and_ends_against_each_other),
    };
    return cmocka_run_group_tests_name("placeholder", tests, NULL, NULL);
}
