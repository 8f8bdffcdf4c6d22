/* What a path names, seen from outside: links of every kind, what has no name,
 * what cannot be looked at. The process that is looked at is the test itself. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "os/linux/trace_view.h"
#include "plan/trace_calls.h"
#include "scratch.h"

struct place {
    char *root;
    struct trace_view view;
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    p->root = scratch_make();
    if (!p->root)
        return -1;
    scratch_run(p->root, "mkdir -p d/e && echo x >d/f && ln -s d link && ln -s d/f to-file && "
                         "ln -s nowhere dangling && ln -s loop-b loop-a && ln -s loop-a loop-b && "
                         "ln -s ../../d/f d/e/up && mkfifo fifo && ln -s \"$PWD/link/e\" through");
    trace_view_init(&p->view);
    *state = p;
    return trace_view_open(&p->view, getpid()) ? 0 : -1;
}

static int teardown(void **state)
{
    struct place *p = *state;
    bool gone = scratch_remove(p->root);
    trace_view_release(&p->view);
    free(p);
    return gone ? 0 : -1;
}

static char *below(const struct place *p, const char *name)
{
    return string_format("%s/%s", p->root, name);
}

static void expect(const struct place *p, const char *name, bool follow, const char *path,
                   enum object_type type)
{
    struct trace_object object;
    char *text = below(p, name), *want = below(p, path);
    assert_int_equal(trace_view_find(&p->view, getpid(), text, follow, &object), TRACE_FOUND);
    assert_string_equal(object.path, want);
    assert_int_equal(object.type, type);
    free(text);
    free(want);
}

static void expect_not(const struct place *p, const char *text, bool follow, enum trace_found found)
{
    struct trace_object object;
    enum trace_found got = trace_view_find(&p->view, getpid(), text, follow, &object);
    if (got != found)
        fail_msg("%s: %d, expected %d", text, (int)got, (int)found);
}

static void plain_paths(void **state)
{
    const struct place *p = *state;
    expect(p, "d/f", true, "d/f", OBJECT_FILE);
    expect(p, "d", true, "d", OBJECT_DIRECTORY);
    expect(p, "d/", true, "d", OBJECT_DIRECTORY);
    expect(p, "d/./e/..//f", true, "d/f", OBJECT_FILE);
    expect(p, "d/e/../../d/f", false, "d/f", OBJECT_FILE);
    expect(p, "fifo", true, "fifo", OBJECT_OTHER);
    expect(p, "d/new", true, "d/new", OBJECT_ABSENT);
    expect(p, "gone/new", true, "gone/new", OBJECT_ABSENT);

    char *there = below(p, "d/new"), *gone = below(p, "gone/new"), *file = below(p, "d/f/new");
    assert_true(trace_view_has_directory(&p->view, there));
    assert_false(trace_view_has_directory(&p->view, gone));
    expect_not(p, file, true, TRACE_UNKNOWABLE); /* ENOTDIR */
    free(there);
    free(gone);
    free(file);
}

static void links(void **state)
{
    const struct place *p = *state;
    expect(p, "to-file", true, "d/f", OBJECT_FILE);
    expect(p, "to-file", false, "to-file", OBJECT_SYMLINK);
    expect(p, "link/f", false, "d/f", OBJECT_FILE);
    expect(p, "link/new", true, "d/new", OBJECT_ABSENT);
    expect(p, "link/e/../f", true, "d/f", OBJECT_FILE);
    expect(p, "link/../d/f", true, "d/f", OBJECT_FILE);
    expect(p, "through/../f", true, "d/f",
           OBJECT_FILE); /* an absolute one; `..` counts from where it leads */
    expect(p, "through/up", true, "d/f", OBJECT_FILE);
    expect(p, "dangling", true, "nowhere", OBJECT_ABSENT);
    expect(p, "dangling", false, "dangling", OBJECT_SYMLINK);
    char *loop = below(p, "loop-a"), *beyond = below(p, "loop-a/x");
    expect_not(p, loop, true, TRACE_UNKNOWABLE);
    expect_not(p, beyond, true, TRACE_UNKNOWABLE);
    free(loop);
    free(beyond);
}

static void plain_directories(void **state)
{
    const struct place *p = *state;
    static const struct {
        const char *name;
        bool plain;
    } cases[] = {{"d/", true},       {"d/e/", true},  {"link/", false},
                 {"link/e/", false}, {"d/f/", false}, {"gone/", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = below(p, cases[i].name);
        assert_int_equal(trace_view_is_plain(&p->view, text, strlen(text)), cases[i].plain);
        free(text);
    }
    assert_true(trace_view_is_plain(&p->view, "/", 1));
}

static void starting_points(void **state)
{
    const struct place *p = *state;
    char out[LIMIT_PATH_BYTES], here[LIMIT_PATH_BYTES];
    assert_non_null(getcwd(here, sizeof here));
    assert_true(trace_view_start(getpid(), TRACE_CWD, out));
    assert_string_equal(out, here);

    char *path = below(p, "d"), *doomed = below(p, "doomed");
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC), ends[2];
    assert_true(fd >= 0);
    assert_true(trace_view_start(getpid(), fd, out));
    assert_string_equal(out, path);
    close(fd);
    assert_false(trace_view_start(getpid(), fd, out));

    assert_int_equal(mkdir(doomed, 0755), 0);
    fd = open(doomed, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(rmdir(doomed), 0);
    assert_false(trace_view_start(getpid(), fd, out));
    close(fd);

    assert_int_equal(pipe(ends), 0);
    assert_false(trace_view_start(getpid(), ends[0], out));
    close(ends[0]);
    close(ends[1]);
    free(path);
    free(doomed);
}

/* /proc/self is the caller's, whoever looks. */
static void own_process(void **state)
{
    const struct place *p = *state;
    struct trace_object object;
    char text[100], *path = below(p, "d/f"), want[40];
    int fd = open(path, O_RDONLY | O_CLOEXEC), ends[2];
    assert_true(fd >= 0 && pipe(ends) == 0);
    if (fd < 10) { /* one digit or more */
        int high = fcntl(fd, F_DUPFD_CLOEXEC, 20);
        close(fd);
        fd = high;
    }
    static const char *const forms[] = {"/proc/self/fd/", "/proc/thread-self/fd/", "/dev/fd/"};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        snprintf(text, sizeof text, "%s%d", forms[i], fd);
        assert_int_equal(trace_view_find(&p->view, getpid(), text, true, &object), TRACE_FOUND);
        assert_string_equal(object.path, path);
    }
    snprintf(text, sizeof text, "/proc/self/fd/%d", ends[1]);
    expect_not(p, text, true, TRACE_NAMELESS);
    expect_not(p, "/dev/stdout", true, TRACE_NAMELESS);
    expect_not(p, "/proc/self/fd/1", true, TRACE_NAMELESS); /* whatever it is: the caller's */

    assert_int_equal(trace_view_find(&p->view, getpid(), "/proc/self/comm", true, &object), TRACE_FOUND);
    snprintf(want, sizeof want, "/proc/%d/comm", (int)getpid());
    assert_string_equal(object.path, want);

    char *by_root = string_format("/proc/self/root%s", path);
    assert_int_equal(trace_view_find(&p->view, getpid(), by_root, true, &object), TRACE_FOUND);
    assert_string_equal(object.path, path);
    assert_int_equal(unlink(path), 0);
    snprintf(text, sizeof text, "/proc/self/fd/%d", fd);
    expect_not(p, text, true, TRACE_NAMELESS); /* deleted */
    free(by_root);
    free(path);
    close(fd);
    close(ends[0]);
    close(ends[1]);
}

static void long_texts(void **state)
{
    const struct place *p = *state;
    char text[LIMIT_PATH_BYTES], out[LIMIT_PATH_BYTES];
    memset(text, 'x', sizeof text - 1);
    text[0] = '/';
    text[sizeof text - 1] = '\0';
    expect_not(p, text, true, TRACE_UNKNOWABLE); /* a name of 4094 bytes */
    for (size_t i = 0; i + 1 < sizeof text; i += 2)
        memcpy(text + i, "/a", 2);
    text[sizeof text - 1] = '\0';
    trace_view_normalize(text, out);
    assert_true(strlen(out) <= strlen(text));
    for (size_t i = 0; i + 1 < sizeof text; i++)
        text[i] = '/';
    trace_view_normalize(text, out);
    assert_string_equal(out, "/");
    expect_not(p, text, true, TRACE_FOUND);
    /* A link that makes a text too long for the kernel. */
    char *link = below(p, "link/");
    size_t len = strlen(link);
    memcpy(text, link, len);
    memset(text + len, '/', sizeof text - len - 2);
    text[sizeof text - 2] = 'f';
    expect(p, "link/f", true, "d/f", OBJECT_FILE);
    struct trace_object object;
    assert_int_equal(trace_view_find(&p->view, getpid(), text, true, &object), TRACE_FOUND);
    free(link);
}

static void normalized(void **state)
{
    static const char *const cases[][2] = {
        {"/", "/"},       {"//", "/"},          {"/..", "/"},   {"/../..", "/"},   {"/a", "/a"},
        {"/a/", "/a"},    {"/a/.", "/a"},       {"/a/..", "/"}, {"/a/../b", "/b"}, {"/a/b/../c", "/a/c"},
        {"/...", "/..."}, {"/a/..b", "/a/..b"}, {"/./a", "/a"}, {"/a//b", "/a/b"}, {"/a/b/../../..", "/"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[LIMIT_PATH_BYTES];
        trace_view_normalize(cases[i][0], out);
        assert_string_equal(out, cases[i][1]);
    }
}

/* Where the user may not look, the place is known all the same. As somebody
 * without rights, in a process of its own. */
static void closed_directories(void **state)
{
    const struct place *p = *state;
    char *closed = below(p, "closed"), *inside = below(p, "closed/x");
    assert_int_equal(mkdir(closed, 0), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct trace_object object;
        if (geteuid() == 0 && (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534)))
            _exit(2);
        struct stat st;
        if (stat(inside, &st) == 0 || errno != EACCES)
            _exit(3);
        /* Of the scratch directory's own parents one may be closed to that user too. */
        _exit(trace_view_find(&p->view, getpid(), inside, true, &object) == TRACE_HIDDEN &&
                      strcmp(object.path, inside) == 0
                  ? 0
                  : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(rmdir(closed), 0);
    free(closed);
    free(inside);
}

static void gone_process(void **state)
{
    struct trace_view view;
    char out[LIMIT_PATH_BYTES];
    (void)state;
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    trace_view_init(&view);
    assert_false(trace_view_open(&view, pid));
    assert_false(trace_view_start(pid, TRACE_CWD, out));
    trace_view_release(&view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_paths),        cmocka_unit_test(links),
        cmocka_unit_test(plain_directories),  cmocka_unit_test(starting_points),
        cmocka_unit_test(long_texts),         cmocka_unit_test(normalized),
        cmocka_unit_test(closed_directories), cmocka_unit_test(gone_process),
        cmocka_unit_test(own_process), /* last: it removes d/f */
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
