/* test_changes_compare.c - what the walks before and after a run tell apart, caps and roots. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/limits.h"
#include "os/posix/changes.h"
#include "scratch.h"

struct place {
    char *root;    /* a directory of its own below the current one */
    char *tree;    /* root/tree: what is watched */
    char *outside; /* root/outside */
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    if (!p)
        return -1;
    *state = p;
    if (!(p->root = scratch_make()))
        return -1;
    p->tree = string_format("%s/tree", p->root);
    p->outside = string_format("%s/outside", p->root);
    *state = p;
    return mkdir(p->tree, 0755) || mkdir(p->outside, 0755) ? -1 : 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    bool gone = scratch_remove(p->root);
    free(p->tree);
    free(p->outside);
    free(p);
    return gone ? 0 : -1;
}

static void shell(const struct place *p, const char *script)
{
    scratch_run(p->tree, script);
}

static void snapshot(const struct place *p, struct changes *out)
{
    struct cordon_error err;
    const char *roots[] = {p->tree};
    assert_int_equal(changes_snapshot(roots, 1, NULL, 0, out, &err), CORDON_OK);
}

static void compare(const struct changes *before, const struct changes *after, struct report *r)
{
    struct cordon_error err = {0};
    report_init(r);
    assert_int_equal(changes_compare(before, after, r, &err), CORDON_OK);
    assert_true(r->changed_computed);
}

/* "created a; renamed b>c", paths relative to the tree. */
static char *words(const struct place *p, const struct report *r)
{
    struct buf out = BUF_INIT;
    size_t skip = strlen(p->tree) + 1;
    buf_add_string(&out, "");
    for (size_t i = 0; i < r->changed_count; i++) {
        const struct report_change *c = &r->changed[i];
        buf_add_format(&out, "%s%s ", i ? "; " : "", change_kind_name(c->kind));
        if (c->from)
            buf_add_format(&out, "%s>", strlen(c->from) > skip ? c->from + skip : ".");
        buf_add_string(&out, strlen(c->path) >= skip ? c->path + skip : ".");
    }
    return buf_take(&out);
}

/* Makes the tree by `first`, changes it by `second`, and expects `want`. */
static void check(const struct place *p, const char *first, const char *second, const char *want)
{
    struct changes before, after;
    struct report r;
    shell(p, first);
    snapshot(p, &before);
    shell(p, second);
    snapshot(p, &after);
    compare(&before, &after, &r);
    char *got = words(p, &r);
    if (strcmp(got, want) != 0)
        fail_msg("%s\ngave \"%s\"\nnot  \"%s\"", second, got, want);
    assert_int_equal(r.warning_count, 0);
    free(got);
    report_release(&r);
    changes_release(&before);
    changes_release(&after);
}

/* -- kinds ---------------------------------------------------------------- */

static void nothing_changed(void **state)
{
    check(*state, "mkdir d; : > d/f; ln -s d l; mkfifo p", "cat d/f; ls -R . > /dev/null", "");
}

static void created_and_deleted(void **state)
{
    check(
        *state, "mkdir -p d/e; : > d/e/f; : > g",
        "rm -r d; : > h; mkdir -p n/m; : > n/m/f; ln -s x l; mkfifo p",
        "deleted d; deleted d/e; deleted d/e/f; created h; created l; created n; created n/m; created n/m/f; "
        "created p");
}

static void modified(void **state)
{
    check(*state, "for f in content same touch mode back link kept; do echo x > $f; done; ln -s a l",
          "echo y >> content; echo x > same; touch touch; chmod 600 mode; "
          "echo z >> back; touch -d 2001-01-01 back; ln link link2; ln -sfn b l",
          "modified back; modified content; modified l; modified link; created link2; modified mode; "
          "modified same; modified touch");
}

/* Times that the command sets do not hide a change: the kernel's own stays. */
static void restored_times_do_not_hide(void **state)
{
    check(*state, "echo aa > f; touch -d 2001-01-01 f", "echo bb > f; touch -d 2001-01-01 f", "modified f");
}

static void directories_by_mode_only(void **state)
{
    check(*state, "mkdir a b c; : > a/f", ": > a/g; touch b; chmod 700 c", "created a/g; modified c");
}

static void replaced_by_another_type(void **state)
{
    check(*state, "mkdir d; : > d/f; : > f; : > g", "rm -r d; : > d; rm f; mkdir f; : > f/x; rm g; ln -s / g",
          "modified d; deleted d/f; modified f; created f/x; modified g");
}

static void renamed(void **state)
{
    check(*state, "echo 1 > a; echo 2 > b; mkdir d e; : > d/x; ln -s t s",
          "mv a z; mv b e/b; mv d/x x; mv s d/s", "renamed s>d/s; renamed b>e/b; renamed d/x>x; renamed a>z");
}

static void saved_by_rename(void **state)
{
    /* What editors do: a new file takes the place of the old one. */
    check(*state, "echo 1 > a; echo 2 > b", "echo 3 > a.tmp; mv a.tmp a", "modified a");
}

static void one_takes_the_place_of_another(void **state)
{
    check(*state, "echo 1 > a; echo 2 > b", "mv b a", "modified a; deleted b");
    check(*state, "echo 1 > c; echo 2 > d", "mv c t; mv d c; mv t d", "modified c; modified d");
}

static void renamed_directory_takes_all_along(void **state)
{
    check(*state, "mkdir -p d/e/f; : > d/1; : > d/e/2; : > d/e/f/3; mkdir q; : > q/z",
          "mv d moved; echo x > moved/e/2; : > moved/e/new; rm moved/1; mv moved/e/f/3 3; mv q/z moved/e/f/z",
          "renamed d/e/f/3>3; deleted d/1; renamed d>moved; modified moved/e/2; "
          "renamed q/z>moved/e/f/z; created moved/e/new");
}

static void renamed_out_of_what_was_deleted(void **state)
{
    check(*state, "mkdir -p old/sub; : > old/keep; : > old/sub/keep2; : > old/drop",
          "mkdir -p new/sub; mv old/keep new/keep; mv old/sub/keep2 new/sub/k; rm -r old",
          "created new; renamed old/keep>new/keep; created new/sub; renamed old/sub/keep2>new/sub/k; deleted "
          "old; "
          "deleted old/drop; deleted old/sub");
}

/* File systems use the number of a deleted file again: no rename. The names
 * are made until one gets it, where the file system does that at all. */
static void reused_numbers_are_no_renames(void **state)
{
    const struct place *p = *state;
    struct changes before, after;
    struct report r;
    shell(p, "echo first > a; touch -d 2001-01-01 a; mkdir d; : > d/x; touch -d 2001-01-01 d");
    snapshot(p, &before);
    shell(p,
          "rm -r a d; i=0; while [ $i -lt 50 ]; do echo first > n$i; mkdir m$i; : > m$i/y; i=$((i+1)); done");
    snapshot(p, &after);
    compare(&before, &after, &r);
    for (size_t i = 0; i < r.changed_count; i++)
        assert_int_not_equal(r.changed[i].kind, CHANGE_RENAMED);
    assert_int_equal(r.changed_count, 3 + 150);
    report_release(&r);
    changes_release(&before);
    changes_release(&after);
}

static void sizes(void **state)
{
    const struct place *p = *state;
    struct changes before, after;
    struct report r;
    shell(p, "printf 12345 > gone; printf 1 > more; mkdir d");
    snapshot(p, &before);
    shell(p, "rm gone; printf 123 > more; mkdir e; ln -s 1234567 l");
    snapshot(p, &after);
    compare(&before, &after, &r);
    assert_int_equal(r.changed_count, 4);
    assert_int_equal(r.changed[0].bytes, 0); /* e: a directory's size says nothing */
    assert_int_equal(r.changed[1].bytes, 5); /* gone */
    assert_int_equal(r.changed[2].bytes, 7); /* l */
    assert_int_equal(r.changed[3].bytes, 3); /* more */
    report_release(&r);
    changes_release(&before);
    changes_release(&after);
}

/* -- hostile trees -------------------------------------------------------- */

static void hostile_names(void **state)
{
    check(*state, ":",
          ": > 'new\nline'; : > '  '; : > -rf; : > '\"q\"'; : > \"$(printf '\\377\\376')\"; : > '\\'",
          "created   ; created \"q\"; created -rf; created \\; created new\nline; created \xff\xfe");
}

static void sorted_by_component(void **state)
{
    /* `a` before what lies in it, and that before `a-b` and `a.c`, though `-` and `.` are less than `/`. */
    check(*state, ":", "mkdir a; : > a/z; : > a-b; : > a.c; : > a/a; : > B",
          "created B; created a; created a/a; created a/z; created a-b; created a.c");
}

static void follows_no_link(void **state)
{
    const struct place *p = *state;
    struct changes before, after;
    struct report r;
    shell(p, "mkdir ../outside/sub; ln -s ../outside out; ln -s . loop; ln -s / slash");
    snapshot(p, &before);
    shell(p, ": > ../outside/f; : > out/g; : > loop/here");
    snapshot(p, &after);
    assert_int_equal(before.count, 4);
    compare(&before, &after, &r);
    char *got = words(p, &r);
    assert_string_equal(got, "created here");
    free(got);
    report_release(&r);
    changes_release(&before);
    changes_release(&after);
}

/* A directory that became a link, and a root that did: nothing behind it is read. */
static void exchanged_for_links(void **state)
{
    const struct place *p = *state;
    struct changes before, after;
    struct report r;
    shell(p, "mkdir d; : > d/f; : > ../outside/secret");
    snapshot(p, &before);
    shell(p, "rm -r d; ln -s ../outside d");
    snapshot(p, &after);
    compare(&before, &after, &r);
    char *got = words(p, &r);
    assert_string_equal(got, "modified d; deleted d/f");
    free(got);
    report_release(&r);
    changes_release(&after);
    shell(p, "cd ..; rm -r tree; ln -s outside tree");
    snapshot(p, &after);
    assert_int_equal(after.count, 1);
    compare(&before, &after, &r);
    got = words(p, &r);
    assert_string_equal(got, "modified .; deleted d; deleted d/f");
    free(got);
    report_release(&r);
    changes_release(&before);
    changes_release(&after);
}

static void fifos_do_not_block(void **state)
{
    check(*state, "mkfifo a", "rm a; mkfifo b; mkdir d; mkfifo d/c",
          "deleted a; created b; created d; created d/c");
}

/* More levels than descriptors or patience: the rest is not read, and said so. */
static void deep_trees_end(void **state)
{
    enum { DEPTH = CHANGES_MAX_DEPTH + 100 };
    const struct place *p = *state;
    struct changes before, after;
    struct report r;
    snapshot(p, &before);
    int at = open(p->tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < DEPTH; i++) {
        assert_int_equal(mkdirat(at, "d", 0700), 0);
        int next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(next >= 0);
        close(at);
        at = next;
    }
    close(at);
    snapshot(p, &after);
    assert_int_equal(after.count, CHANGES_MAX_DEPTH + 1); /* with the root */
    compare(&before, &after, &r);
    assert_int_equal(r.changed_count, CHANGES_MAX_DEPTH);
    assert_int_equal(r.warning_count, 1);
    assert_non_null(strstr(r.warnings[0], "incomplete: 1 directory was not looked into"));
    report_release(&r);
    /* And it can be compared with itself: every level at once. */
    compare(&after, &after, &r);
    assert_int_equal(r.changed_count, 0);
    report_release(&r);
    changes_release(&before);
    changes_release(&after);
}

static void long_paths_end(void **state)
{
    enum { DEPTH = 30 };
    const struct place *p = *state;
    struct changes before, after;
    struct report r;
    char name[201];
    memset(name, 'n', 200);
    name[200] = '\0';
    snapshot(p, &before);
    int at = open(p->tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < DEPTH; i++) {
        assert_int_equal(mkdirat(at, name, 0700), 0);
        int next = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(next >= 0);
        close(at);
        at = next;
    }
    close(at);
    snapshot(p, &after);
    compare(&before, &after, &r);
    assert_true(r.changed_count > 10 && r.changed_count < DEPTH);
    for (size_t i = 0; i < r.changed_count; i++)
        assert_true(strlen(r.changed[i].path) <= LIMIT_PATH_BYTES + 256);
    assert_int_equal(r.warning_count, 1);
    assert_non_null(strstr(r.warnings[0], "incomplete"));
    report_release(&r);
    changes_release(&before);
    changes_release(&after);
}

/* -- what cannot be read --------------------------------------------------- */

static void unreadable_directories(void **state)
{
    const struct place *p = *state;
    struct changes before, after;
    struct report r;
    shell(p, "mkdir a b c d; : > a/1; : > b/1; : > c/1; : > d/1; chmod 0111 a; chmod 0444 b");
    bool root = geteuid() == 0;
    if (root) { /* root reads everything: look as somebody else */
        shell(p, "chown -R 65534:65534 . ../outside; chmod 755 .. .");
        if (setegid(65534) != 0 || seteuid(65534) != 0)
            skip();
    }
    snapshot(p, &before);
    shell(p, "chmod 755 a b; : > a/2; : > b/2; chmod 000 c; : > d/2");
    snapshot(p, &after);
    if (root) {
        assert_int_equal(seteuid(0), 0);
        assert_int_equal(setegid(0), 0);
    }
    compare(&before, &after, &r);
    char *got = words(p, &r);
    /* Not "created a/1": that was there, unseen. Not "deleted c/1". */
    assert_string_equal(got, "modified a; modified b; modified c; created d/2");
    free(got);
    assert_int_equal(r.warning_count, 1);
    assert_non_null(strstr(r.warnings[0], "incomplete: 2 directories could not be read, for example "));
    assert_non_null(strstr(r.warnings[0], "/tree/a"));
    report_release(&r);
    changes_release(&before);
    changes_release(&after);
    shell(p, "chmod 755 a b c d");
}

/* A moved directory whose content is not known on one side. */
static void unreadable_and_moved(void **state)
{
    const struct place *p = *state;
    struct changes before, after;
    struct report r;
    shell(p, "mkdir d; : > d/f; : > d/g");
    snapshot(p, &before);
    shell(p, "mv d e");
    snapshot(p, &after);
    for (uint32_t i = 0; i < after.count; i++) /* as a directory that could be read in part only */
        if (strcmp(after.names.data + after.items[i].name, "e") == 0)
            after.items[i].unread = 1;
    compare(&before, &after, &r);
    char *got = words(p, &r);
    assert_string_equal(got, "renamed d>e");
    free(got);
    report_release(&r);
    changes_release(&before);
    changes_release(&after);
}

static void keeps_its_cap(void **state)
{
    const struct place *p = *state;
    struct cordon_error err;
    const char *roots[] = {p->tree};
    shell(p, "mkdir a b c; for i in 1 2 3 4 5; do : > a/$i; : > b/$i; : > c/$i; done");
    /* Any cap: whatever is compared then, what is there on both sides is never called a change. */
    for (size_t cap = 0; cap <= 20; cap++) {
        struct changes whole, cut;
        struct report r;
        snapshot(p, &whole);
        assert_int_equal(whole.count, 19);
        assert_int_equal(changes_snapshot_within(roots, 1, NULL, 0, cap, &cut, &err), CORDON_OK);
        assert_true(cut.count <= cap);
        assert_int_equal(cut.full, cap < 19);
        compare(&whole, &cut, &r);
        assert_int_equal(r.warning_count, cap < 19);
        if (cap > 0) /* without even the root there is nothing to tell */
            assert_int_equal(r.changed_count, 0);
        report_release(&r);
        compare(&cut, &whole, &r);
        if (cap > 0)
            assert_int_equal(r.changed_count, 0);
        if (cap < 19)
            assert_non_null(strstr(r.warnings[0], "incomplete: there are more than"));
        report_release(&r);
        changes_release(&whole);
        changes_release(&cut);
    }
}

static void caps_the_report(void **state)
{
    enum { OVER = 10 };
    const struct place *p = *state;
    struct changes before, after;
    struct report r;
    struct cordon_error err;
    changes_init(&before);
    changes_init(&after);
    /* Made by hand: a hundred thousand roots that were not there. */
    after.count = after.root_count = LIMIT_REPORT_CHANGED + OVER;
    after.items = calloc(after.count, sizeof *after.items);
    assert_non_null(after.items);
    for (uint32_t i = 0; i < after.count; i++) {
        after.items[i].name = (uint32_t)after.names.len;
        after.items[i].parent = CHANGES_NONE;
        after.items[i].ino = i + 1;
        after.items[i].mode = S_IFREG | 0644;
        buf_add_format(&after.names, "/w/%07u", i);
        buf_add(&after.names, "", 1);
    }
    report_init(&r);
    assert_int_equal(changes_compare(&before, &after, &r, &err), CORDON_OK);
    assert_int_equal(r.changed_count, LIMIT_REPORT_CHANGED);
    assert_string_equal(r.changed[LIMIT_REPORT_CHANGED - 1].path, "/w/0099999");
    assert_int_equal(r.warning_count, 1);
    assert_non_null(strstr(r.warnings[0], "the first 100000 of 100010 changes"));
    report_release(&r);
    changes_release(&after);
    (void)p;
}

static void caps_the_bytes_of_the_report(void **state)
{
    enum { COUNT = 10000, LENGTH = 4000 };
    struct changes before, after;
    struct report r;
    struct cordon_error err;
    size_t bytes = 0;
    (void)state;
    changes_init(&before);
    changes_init(&after);
    after.count = after.root_count = COUNT;
    after.items = calloc(after.count, sizeof *after.items);
    assert_non_null(after.items);
    for (uint32_t i = 0; i < after.count; i++) {
        after.items[i].name = (uint32_t)after.names.len;
        after.items[i].parent = CHANGES_NONE;
        after.items[i].ino = i + 1;
        after.items[i].mode = S_IFREG | 0644;
        buf_add_format(&after.names, "/%0*u", LENGTH, i);
        buf_add(&after.names, "", 1);
    }
    report_init(&r);
    assert_int_equal(changes_compare(&before, &after, &r, &err), CORDON_OK);
    for (size_t i = 0; i < r.changed_count; i++)
        bytes += strlen(r.changed[i].path);
    assert_true(bytes <= LIMIT_REPORT_PATHS && bytes > LIMIT_REPORT_PATHS - LENGTH - 2);
    assert_int_equal(r.warning_count, 1);
    report_release(&r);
    changes_release(&after);
}

/* -- roots and what is skipped --------------------------------------------- */

/* Names found, relative to p->root, in order. */
static void check_walk(const struct place *p, const char *const *roots, size_t root_count,
                       const char *const *skips, size_t skip_count, const char *want)
{
    char *absolute[8], *skipped[8];
    struct changes c;
    struct cordon_error err;
    struct buf got = BUF_INIT;
    for (size_t i = 0; i < root_count; i++)
        absolute[i] = string_format("%s/%s", p->tree, roots[i]);
    for (size_t i = 0; i < skip_count; i++)
        skipped[i] = string_format("%s/%s", p->tree, skips[i]);
    assert_int_equal(changes_snapshot((const char *const *)absolute, root_count, (const char *const *)skipped,
                                      skip_count, &c, &err),
                     CORDON_OK);
    buf_add_string(&got, "");
    for (uint32_t i = 0; i < c.count; i++) {
        struct buf path = BUF_INIT;
        changes_path(&c, i, &path);
        buf_add_format(&got, "%s%s", i ? " " : "", path.data + strlen(p->tree) + 1);
        buf_release(&path);
    }
    assert_string_equal(got.data, want);
    buf_release(&got);
    changes_release(&c);
    for (size_t i = 0; i < root_count; i++)
        free(absolute[i]);
    for (size_t i = 0; i < skip_count; i++)
        free(skipped[i]);
}

static void roots_and_skips(void **state)
{
    const struct place *p = *state;
    shell(
        p,
        "mkdir -p a/b/c ab s/in/deep; : > a/1; : > a/b/2; : > a/b/c/3; : > ab/4; : > f; : > s/5; : > s/in/6; "
        ": > s/in/deep/7");
#define LIST(...) (const char *[]){__VA_ARGS__}, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)
#define NO_SKIP NULL, 0
    check_walk(p, LIST("a"), NO_SKIP, "a a/1 a/b a/b/2 a/b/c a/b/c/3");
    /* Nested, twice, in any order: once. `ab` does not lie in `a`. */
    check_walk(p, LIST("ab", "a/b", "a", "a/b/c", "a"), NO_SKIP, "a ab a/1 a/b a/b/2 a/b/c a/b/c/3 ab/4");
    check_walk(p, LIST("f", "absent", "ab"), NO_SKIP, "ab f ab/4");
    check_walk(p, LIST("a"), LIST("a/b"), "a a/1");
    check_walk(p, LIST("a"), LIST("a/b/2", "a/1/x", "a/absent", "b"), "a a/1 a/b a/b/c a/b/c/3");
    check_walk(p, LIST("a", "f"), LIST("a"), "f");
    /* A root within what is skipped is meant. */
    check_walk(p, LIST("s", "s/in/deep"), LIST("s/in"), "s s/in/deep s/5 s/in/deep/7");
    check_walk(p, LIST("s", "s/in/deep", "s/5"), LIST("s/in"), "s s/in/deep s/5 s/in/deep/7");
    check_walk(p, LIST("s/in"), LIST("s"), "s/in s/in/6 s/in/deep s/in/deep/7");
    check_walk(p, NULL, 0, NO_SKIP, "");
}

static void roots_that_come_and_go(void **state)
{
    const struct place *p = *state;
    char *roots[] = {string_format("%s/file", p->tree), string_format("%s/late", p->tree),
                     string_format("%s/gone", p->tree)};
    struct changes before, after;
    struct report r;
    struct cordon_error err;
    shell(p, ": > file; mkdir gone; : > gone/x");
    assert_int_equal(changes_snapshot((const char *const *)roots, 3, NULL, 0, &before, &err), CORDON_OK);
    shell(p, "echo 1 > file; mkdir late; mv gone/x late/x; rmdir gone; : > not-a-root");
    assert_int_equal(changes_snapshot((const char *const *)roots, 3, NULL, 0, &after, &err), CORDON_OK);
    compare(&before, &after, &r);
    char *got = words(p, &r);
    assert_string_equal(got, "modified file; deleted gone; created late; renamed gone/x>late/x");
    free(got);
    report_release(&r);
    changes_release(&before);
    changes_release(&after);
    for (size_t i = 0; i < 3; i++)
        free(roots[i]);
}

static void never_proc_or_sys(void **state)
{
    (void)state;
    static const char *const roots[] = {"/proc", "/sys"};
    struct changes c;
    struct cordon_error err;
    assert_int_equal(changes_snapshot(roots, 2, NULL, 0, &c, &err), CORDON_OK);
    assert_int_equal(c.count, 0);
    changes_release(&c);
    static const char *const slash[] = {"/"};
    assert_int_equal(changes_snapshot_within(slash, 1, NULL, 0, 2000, &c, &err), CORDON_OK);
    assert_true(c.count > 1);
    for (uint32_t i = 0; i < c.count; i++) {
        struct buf path = BUF_INIT;
        changes_path(&c, i, &path);
        assert_true(path.data[0] == '/' && path.data[1] != '/');
        assert_true(strcmp(path.data, "/proc") != 0 && strcmp(path.data, "/sys") != 0);
        assert_true(strncmp(path.data, "/proc/", 6) != 0 && strncmp(path.data, "/sys/", 5) != 0);
        buf_release(&path);
    }
    changes_release(&c);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(nothing_changed),
        TEST(created_and_deleted),
        TEST(modified),
        TEST(restored_times_do_not_hide),
        TEST(directories_by_mode_only),
        TEST(replaced_by_another_type),
        TEST(renamed),
        TEST(saved_by_rename),
        TEST(one_takes_the_place_of_another),
        TEST(renamed_directory_takes_all_along),
        TEST(renamed_out_of_what_was_deleted),
        TEST(reused_numbers_are_no_renames),
        TEST(sizes),
        TEST(hostile_names),
        TEST(sorted_by_component),
        TEST(follows_no_link),
        TEST(exchanged_for_links),
        TEST(fifos_do_not_block),
        TEST(deep_trees_end),
        TEST(long_paths_end),
        TEST(unreadable_directories),
        TEST(unreadable_and_moved),
        TEST(keeps_its_cap),
        TEST(caps_the_report),
        TEST(caps_the_bytes_of_the_report),
        TEST(roots_and_skips),
        TEST(roots_that_come_and_go),
        TEST(never_proc_or_sys),
    };
    /* As root some look as somebody else, to whom the way to the build may be closed. */
    if (geteuid() == 0 && chdir("/var/tmp") != 0)
        return 1;
    return cmocka_run_group_tests_name("changes_compare", tests, NULL, NULL);
}
