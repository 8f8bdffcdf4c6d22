/* test_glob_expand.c - what deny_read globs match in a tree with everything hostile. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/path.h"
#include "os/posix/glob_expand.h"
#include "scratch.h"

/* Matches of root/pattern, relative to root, joined by spaces. */
static char *expand(const char *root, const char *pattern)
{
    struct cordon_error err = {0};
    struct buf out = BUF_INIT;
    char **paths = NULL;
    size_t count = 0;
    char *whole = string_format("%s/%s", root, pattern);
    if (glob_expand(whole, &paths, &count, &err) != CORDON_OK)
        fail_msg("%s: %s", whole, err.message);
    buf_add_string(&out, "");
    for (size_t i = 0; i < count; i++) {
        if (strncmp(paths[i], root, strlen(root)) != 0)
            fail_msg("%s is not below %s", paths[i], root);
        if (i > 0)
            assert_true(strcmp(paths[i - 1], paths[i]) < 0);
        buf_add_string(&out, i ? " " : "");
        buf_add_string(&out, paths[i][strlen(root)] ? paths[i] + strlen(root) + 1 : ".");
    }
    for (size_t i = 0; i < count; i++)
        free(paths[i]);
    free(paths);
    free(whole);
    return buf_take(&out);
}

struct expectation {
    const char *pattern, *want;
};

static void check(const char *root, const struct expectation *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *got = expand(root, cases[i].pattern);
        if (strcmp(got, cases[i].want) != 0)
            fail_msg("%s gave \"%s\", not \"%s\"", cases[i].pattern, got, cases[i].want);
        free(got);
    }
}

#define CHECK(root, cases) check(root, cases, sizeof(cases) / sizeof *(cases))

static void matches_components(void **state)
{
    static const struct expectation cases[] = {
        {"a.key", "a.key"},       {"absent", ""},
        {"absent/*", ""},         {"*.key", ".hidden.key a.key b.key"},
        {"?.key", "a.key b.key"}, {"[a]*", "a.key"},
        {"[!a].key", "b.key"},    {"*/x", "d/x e/x"},
        {"d/*", "d/x d/y"},       {"*/*/deep", "d/y/deep"},
        {"a.key/*", ""},          {"a.key/x", ""},
    };
    scratch_run(*state,
                ": > a.key; : > b.key; : > .hidden.key; mkdir -p d/y e; : > d/x; : > e/x; : > d/y/deep");
    CHECK(*state, cases);
}

static void matches_any_depth(void **state)
{
    static const struct expectation cases[] = {
        {"**/k", "a/b/k a/k k"},
        {"a/**/k", "a/b/k a/k"},
        {"**/b", "a/b"}, /* and nothing that lies in it */
        {"**/b/**/k", "a/b/k"},
        {"**/**/k", "a/b/k a/k k"},
        {"**/a/**/b/**/k", "a/b/k"},
        {"**/[k]", "a/b/k a/k k"},
        {"**/absent", ""},
        {"absent/**/k", ""},
        {"a/**/b/k", "a/b/k"},
    };
    scratch_run(*state, "mkdir -p a/b; : > k; : > a/k; : > a/b/k; : > a/b/other");
    CHECK(*state, cases);
}

/* The other reader of patterns must agree, or `explain` would lie. */
static void agrees_with_the_matcher(void **state)
{
    static const char *const patterns[] = {"**",     "a/**",     "**/b/**", "a/**/k",
                                           "*/**/k", "**/*.key", "a/*/**",  "**/.*"};
    static const char *const names[] = {"a",     "a/b",     "a/b/k",  "a/k",    "k",
                                        "x.key", "a/x.key", "a/.dot", "a/b/c/k"};
    const struct path_rules rules = {PATH_POSIX, false};
    scratch_run(*state,
                "mkdir -p a/b/c; : > k; : > a/k; : > a/b/k; : > a/b/c/k; : > x.key; : > a/x.key; : > a/.dot");
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        char *pattern = string_format("%s/%s", (char *)*state, patterns[i]);
        char **paths = NULL;
        size_t count = 0;
        assert_int_equal(glob_expand(pattern, &paths, &count, NULL), CORDON_OK);
        for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
            char *path = string_format("%s/%s", (char *)*state, names[n]);
            bool listed = false, hidden = false;
            for (size_t m = 0; m < count; m++) {
                listed = listed || strcmp(paths[m], path) == 0;
                hidden = hidden || path_is_below(rules, paths[m], path);
            }
            bool matches = glob_match_path(rules, pattern, path);
            if (listed ? !matches : matches && !hidden)
                fail_msg("%s and %s: expansion %d, matcher %d", pattern, path, listed, matches);
            free(path);
        }
        for (size_t m = 0; m < count; m++) {
            assert_true(glob_match_path(rules, pattern, paths[m]));
            free(paths[m]);
        }
        free(paths);
        free(pattern);
    }
}

static void follows_links_as_promised(void **state)
{
    static const struct expectation cases[] = {
        {"link/k", "link/k"}, /* literal components follow */
        {"link/*", "link/k link/loop link/sub"},
        {"l*k/k", "link/k"},           /* so does a name that a wildcard chose */
        {"**/k", "real/k real/sub/k"}, /* `**` does not descend through them */
        {"**/sub/k", "real/sub/k"},
        {"dangling", "dangling"}, /* it is there, whatever it leads to */
        {"d*", "dangling"},
        {"dangling/*", ""},
        {"**/loop", "loop real/loop"},
        {"loop/loop/loop/k", ""},
        {"self/*", ""},
        {"real/loop/k", "real/loop/k"},
        {"real/loop/loop/*.x", ""},
        {"**/*/k", "link/k real/k real/loop/k real/sub/k"},
    };
    scratch_run(*state,
                "mkdir -p real/sub; : > real/k; : > real/sub/k; ln -s real link; ln -s nowhere dangling; "
                "ln -s . loop; ln -s . real/loop; ln -s self self");
    CHECK(*state, cases);
}

/* A closed directory of our own counts as a match, whoever else's does not. */
static void takes_what_its_owner_closed(void **state)
{
    static const struct expectation open_to_all[] = {{"**/k", "b/k c/k"}};
    static const struct expectation hidden[] = {
        {"**/k", "b c/k x x/k"}, {"*/k", "b c/k x/k"}, {"x/k", "x/k"}, {"x/*", "x"}, {"b/k", "b"},
        {"b/**", "b"},           {"b/*/*", "b"},       {"o/*", ""},    {"o/k", ""}};
    scratch_run(*state, "mkdir b c; : > b/k; : > c/k");
    CHECK(*state, open_to_all);
    scratch_run(*state, "mkdir x; : > x/k; chmod 0111 x; chmod 0000 b; chmod 0755 .");
    if (geteuid() == 0) { /* root reads everything: look as somebody else */
        assert_int_equal(chown(*state, 65534, 65534), 0);
        scratch_run(*state, "chown -R 65534 .; mkdir o; : > o/k; chmod 0700 o");
        if (seteuid(65534) != 0)
            skip();
    }
    CHECK(*state, hidden);
    if (getuid() == 0)
        assert_int_equal(seteuid(0), 0);
    scratch_run(*state, "chmod 0755 b x");
}

static void takes_hostile_names(void **state)
{
    char *root = *state, *path, *want, *got;
    char longest[256];
    static const struct expectation cases[] = {
        {"new\nline", "new\nline"},
        {"*line", "new\nline"},
        {"\\*", "*"},
        {"\\[x\\]", "[x]"},
        {"[*]", "*"},
        {"back\\\\slash", "back\\slash"},
        {"-rf", "-rf"},
        {"\xff*", "\xff\xfe"},
    };
    scratch_run(
        root,
        ": > 'new\nline'; : > '*'; : > '[x]'; : > 'back\\slash'; : > ./-rf; : > \"$(printf '\\377\\376')\"");
    CHECK(root, cases);
    memset(longest, 'n', 255);
    longest[255] = '\0';
    path = string_format("%s/%s", root, longest);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    got = expand(root, "nnn*");
    assert_string_equal(got, longest);
    free(got);
    got = expand(root, longest);
    assert_string_equal(got, longest);
    free(got);
    free(path);
    /* One byte longer than any name: not there, no error. */
    path = string_format("%sn", longest);
    got = expand(root, path);
    assert_string_equal(got, "");
    free(got);
    want = string_format("%s/*", path);
    got = expand(root, want);
    assert_string_equal(got, "");
    free(got);
    free(want);
    want = string_format("**/%s", path);
    got = expand(root, want);
    assert_string_equal(got, "");
    free(got);
    free(want);
    free(path);
}

static void keeps_its_caps(void **state)
{
    char *root = *state, *pattern = string_format("%s/**/*.k", root);
    char **paths = NULL;
    size_t count = 77;
    struct cordon_error err = {0};
    scratch_run(root, "mkdir d; for i in 1 2 3 4 5; do : > $i.k; : > d/$i.k; done");
    assert_int_equal(glob_expand_within(pattern, 9, 1000, &paths, &count, &err), CORDON_E_LIMIT);
    assert_string_equal(err.step, "resolve.glob");
    assert_non_null(strstr(err.message, "more than 9 names"));
    assert_null(paths);
    assert_int_equal(count, 77);
    assert_int_equal(glob_expand_within(pattern, 1000, 10, &paths, &count, &err), CORDON_E_LIMIT);
    assert_non_null(strstr(err.message, "more than 10 names"));
    assert_null(paths);
    assert_int_equal(glob_expand_within(pattern, 10, 11, &paths, &count, &err), CORDON_OK);
    assert_int_equal(count, 10);
    for (size_t i = 0; i < count; i++)
        free(paths[i]);
    free(paths);
    free(pattern);
}

static void refuses_what_it_could_not_name(void **state)
{
    enum { DEPTH = 25 };
    struct cordon_error err = {0};
    char name[201], *pattern;
    char **paths = NULL;
    size_t count;
    int at = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    memset(name, 'd', 200);
    name[200] = '\0';
    for (int i = 0; i < DEPTH; i++) { /* to 5000 bytes, which no path has */
        assert_int_equal(mkdirat(at, name, 0700), 0);
        int next = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(next >= 0);
        close(at);
        at = next;
    }
    close(at);
    pattern = string_format("%s/**/k", (char *)*state);
    assert_int_equal(glob_expand(pattern, &paths, &count, &err), CORDON_E_LIMIT);
    assert_string_equal(err.step, "resolve.glob");
    free(pattern);
    assert_int_equal(glob_expand("relative/*", &paths, &count, &err), CORDON_E_INVALID);
    struct buf many = BUF_INIT;
    for (int i = 0; i < 100; i++)
        buf_add_string(&many, "/*");
    assert_int_equal(glob_expand(many.data, &paths, &count, &err), CORDON_E_LIMIT);
    assert_non_null(strstr(err.message, "components"));
    buf_release(&many);
}

static void stays_out_of_proc_and_sys(void **state)
{
    (void)state;
    char **paths = NULL;
    size_t count = 0;
    struct stat st;
    if (stat("/proc/self/status", &st) != 0)
        skip();
    /* Without the exception each would look at every process, or for ever. */
    static const char *const patterns[] = {"/proc/**/status", "/sys/**/uevent", "/proc/**/cmdline"};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        assert_int_equal(glob_expand_within(patterns[i], 100, 100, &paths, &count, NULL), CORDON_OK);
        for (size_t m = 0; m < count; m++) {
            assert_true(strcmp(paths[m], "/proc/cmdline") == 0); /* directly there: no descent */
            free(paths[m]);
        }
        free(paths);
        paths = NULL;
    }
    assert_int_equal(glob_expand("/proc/sel[f]", &paths, &count, NULL), CORDON_OK);
    assert_int_equal(count, 1);
    free(paths[0]);
    free(paths);
}

static void visits_once_with_many_wildcards(void **state)
{
    /* 40 `**` over a chain of 20: naive matching would take 40^20 steps. */
    struct buf pattern = BUF_INIT;
    char **paths = NULL;
    size_t count = 0;
    scratch_run(
        *state,
        "d=.; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do d=$d/a; done; mkdir -p $d");
    buf_add_string(&pattern, *state);
    for (int i = 0; i < 15; i++)
        buf_add_string(&pattern, "/**/a/*");
    buf_add_string(&pattern, "/none");
    assert_int_equal(glob_expand_within(pattern.data, 10, 30, &paths, &count, NULL), CORDON_OK);
    assert_int_equal(count, 0);
    free(paths);
    buf_release(&pattern);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        TEST(matches_components),
        TEST(matches_any_depth),
        TEST(agrees_with_the_matcher),
        TEST(follows_links_as_promised),
        TEST(takes_what_its_owner_closed),
        TEST(takes_hostile_names),
        TEST(keeps_its_caps),
        TEST(refuses_what_it_could_not_name),
        TEST(stays_out_of_proc_and_sys),
        TEST(visits_once_with_many_wildcards),
    };
    /* As root one looks as somebody else, to whom the way to the build may be closed. */
    if (geteuid() == 0 && chdir("/var/tmp") != 0)
        return 1;
    return cmocka_run_group_tests_name("glob_expand", tests, NULL, NULL);
}
