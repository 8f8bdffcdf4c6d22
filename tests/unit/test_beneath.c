/* test_beneath.c - removal of what a command left: deep, unreadable, full of links. */
#include <sys/stat.h>

#include "scratch.h"

static void removes_deep_trees(void **state)
{
    const char *root = *state;
    enum { DEPTH = 3000 }; /* three times the usual limit on open files, past PATH_MAX */
    int dir = open(root, O_RDONLY | O_DIRECTORY);
    assert_true(dir >= 0);
    assert_int_equal(mkdirat(dir, "deep", 0700), 0);
    int at = openat(dir, "deep", O_RDONLY | O_DIRECTORY);
    for (int i = 0; i < DEPTH; i++) {
        assert_int_equal(mkdirat(at, "d", 0700), 0);
        int next = openat(at, "d", O_RDONLY | O_DIRECTORY);
        assert_true(next >= 0);
        if (i % 100 == 0)
            fchmod(at, 0);
        close(at);
        at = next;
    }
    close(at);
    assert_true(beneath_remove(dir, "deep"));
    assert_int_equal(faccessat(dir, "deep", F_OK, AT_SYMLINK_NOFOLLOW), -1);
    close(dir);
}

static void removes_without_following(void **state)
{
    const char *root = *state;
    char *command = string_format(
        "cd '%s' && mkdir -p keep/inner gone/a/b gone/wide gone/lifted-0 && : > keep/inner/file && "
        "ln -s ../keep gone/link && ln -s ../../../keep gone/a/b/link && ln -s \"$PWD/keep\" gone/a/abs && "
        "mkfifo gone/fifo && : > 'gone/a/-rf' && mkdir gone/lifted-0/x && : > gone/lifted-0/x/y && "
        "i=0; while [ $i -lt 400 ]; do : > gone/wide/$i; i=$((i+1)); done; "
        "ln keep/inner/file gone/hard; chmod 0555 gone/wide; chmod 0111 gone/a/b",
        root);
    assert_int_equal(system(command), 0);
    free(command);
    int dir = open(root, O_RDONLY | O_DIRECTORY);
    assert_true(beneath_remove(dir, "gone"));
    assert_int_equal(faccessat(dir, "gone", F_OK, AT_SYMLINK_NOFOLLOW), -1);
    assert_int_equal(faccessat(dir, "keep/inner/file", F_OK, 0), 0);
    /* A link itself, and nothing at all. */
    assert_int_equal(symlinkat("keep", dir, "link"), 0);
    assert_true(beneath_remove(dir, "link"));
    assert_int_equal(faccessat(dir, "keep/inner/file", F_OK, 0), 0);
    assert_true(beneath_remove(dir, "absent"));
    close(dir);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        TEST(removes_deep_trees),
        TEST(removes_without_following),
    };
    return cmocka_run_group_tests_name("beneath", tests, NULL, NULL);
}
