/* test_changes_hostile.c - walks and comparisons against a command that knows how they work. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/limits.h"
#include "os/posix/changes.h"
#include "scratch.h"

static void look(const char *root, struct changes *out)
{
    struct cordon_error err = {0};
    if (changes_snapshot(&root, 1, NULL, 0, out, &err) != CORDON_OK)
        fail_msg("%s", err.message);
}

/* Runs the script between two walks: one letter a change, "C a; R old>new". */
static char *changes_of(const char *root, const char *script)
{
    struct cordon_error err = {0};
    struct changes before, after;
    struct report report;
    struct buf out = BUF_INIT;
    size_t skip = strlen(root) + 1;
    report_init(&report);
    look(root, &before);
    scratch_run(root, script);
    look(root, &after);
    assert_int_equal(changes_compare(&before, &after, &report, &err), CORDON_OK);
    buf_add_string(&out, "");
    for (size_t i = 0; i < report.changed_count; i++) {
        const struct report_change *change = &report.changed[i];
        buf_add_format(&out, "%s%c ", i ? "; " : "", "CMDR"[change->kind]);
        if (change->from)
            buf_add_format(&out, "%s>", change->from + skip);
        buf_add_string(&out, change->path + skip);
    }
    report_release(&report);
    changes_release(&before);
    changes_release(&after);
    return buf_take(&out);
}

/* Does the file system keep times of birth? Without them these tricks work, as changes.h says. */
static bool knows_births(const char *root)
{
    struct statx st;
    return statx(AT_FDCWD, root, 0, STATX_BTIME, &st) == 0 && st.stx_mask & STATX_BTIME;
}

/* The number of a deleted file is given out again, and the new one wears the old one's size and time. */
static void disguised_as_rename(void **state)
{
    const char *root = *state;
    if (!knows_births(root))
        skip();
    scratch_run(root, "mkdir -p gone/deep; echo 1 >x; echo 1 >stamp; touch -r x stamp; sleep 0.02");
    char *got = changes_of(root, "rm -r gone x; echo 2 >y; touch -r stamp y; mkdir -p new/deep");
    assert_string_equal(got, "D gone; D gone/deep; C new; C new/deep; D x; C y");
    free(got);
}

static void renamed_and_edited(void **state)
{
    const char *root = *state;
    if (!knows_births(root))
        skip();
    scratch_run(root, "mkdir d; echo 1 >old; echo 1 >d/x");
    char *got = changes_of(root, "mv old new; echo 22 >>new; mv d/x x; mv d e; touch e/y");
    assert_string_equal(got, "R d>e; C e/y; R old>new; R d/x>x");
    free(got);
}

static size_t count_descriptors(void)
{
    size_t count = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

static void leaves_no_descriptors(void **state)
{
    const char *root = *state;
    struct cordon_error err = {0};
    struct changes seen;
    scratch_run(root, "mkdir -p a/b/c/d e/f/g; touch a/b/c/d/x");
    size_t count = count_descriptors();
    look(root, &seen);
    changes_release(&seen);
    assert_int_equal(changes_snapshot_within(&root, 1, NULL, 0, 4, &seen, &err), CORDON_OK);
    changes_release(&seen);
    assert_int_equal(count_descriptors(), count);
}

/* -- made by hand ----------------------------------------------------------- */

/* A root with `count` names of one file. */
static void fill(struct changes *c, size_t count, char prefix, int64_t mtime)
{
    changes_init(c);
    c->items = calloc(count + 1, sizeof *c->items);
    assert_non_null(c->items);
    c->cap = count + 1;
    buf_add(&c->names, "/r", 3);
    c->items[0] = (struct change_entry){.dev = 1, .ino = 1, .mode = S_IFDIR | 0755, .parent = CHANGES_NONE};
    c->items[0].first = 1;
    c->items[0].count = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        char name[24];
        int len = snprintf(name, sizeof name, "%c%07zu", prefix, i);
        c->items[i + 1] = (struct change_entry){.dev = 1,
                                                .ino = 5,
                                                .mtime = mtime,
                                                .mode = S_IFREG | 0644,
                                                .name = (uint32_t)c->names.len,
                                                .parent = 0};
        buf_add(&c->names, name, (size_t)len + 1);
    }
    assert_false(buf_failed(&c->names));
    c->root_count = 1;
    c->count = count + 1;
}

/* The command can give one file as many names as it likes, and take others for
 * them. Were that to cost the square of their number, this test would not end
 * in minutes. */
static void many_names_of_one_file(void **state)
{
    (void)state;
    const size_t count = 1000000;
    for (int64_t touched = 0; touched < 2; touched++) {
        struct cordon_error err = {0};
        struct changes before, after;
        struct report report;
        report_init(&report);
        fill(&before, count, 'a', 1);
        fill(&after, count, 'b', 1 + touched);
        assert_int_equal(changes_compare(&before, &after, &report, &err), CORDON_OK);
        assert_int_equal(report.changed_count, LIMIT_REPORT_CHANGED);
        for (size_t i = 0; i < report.changed_count; i++)
            assert_int_equal(report.changed[i].kind, touched ? CHANGE_DELETED : CHANGE_RENAMED);
        report_release(&report);
        changes_release(&before);
        changes_release(&after);
    }
}

/* -- a tree that does not hold still ------------------------------------------ */

struct churn {
    int dir;
    atomic_bool stop;
};

/* Exchanges a directory for a link to one outside, moves another one up and down. */
static void *stir(void *argument)
{
    struct churn *churn = argument;
    while (!atomic_load(&churn->stop)) {
        (void)!renameat(churn->dir, "in/a", churn->dir, "in/hidden");
        (void)!symlinkat("../out", churn->dir, "in/a");
        (void)!unlinkat(churn->dir, "in/a", 0);
        (void)!renameat(churn->dir, "in/hidden", churn->dir, "in/a");
        (void)!renameat(churn->dir, "in/x/y/deep", churn->dir, "deep");
        (void)!renameat(churn->dir, "deep", churn->dir, "in/x/y/deep");
        (void)!unlinkat(churn->dir, "in/f", 0);
        int fd = openat(churn->dir, "in/f", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        if (fd >= 0)
            close(fd);
    }
    return NULL;
}

static void stays_inside_a_moving_tree(void **state)
{
    struct churn churn;
    pthread_t thread;
    scratch_run(*state, "mkdir -p in/a/b out/b/secret in/x/y/deep/1/2/3; touch in/a/b/mine out/b/outside");
    char *in = string_format("%s/in", (const char *)*state);
    churn.dir = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(churn.dir >= 0);
    atomic_init(&churn.stop, false);
    assert_int_equal(pthread_create(&thread, NULL, stir, &churn), 0);
    bool left = false;
    for (int i = 0; i < 300 && !left; i++) {
        struct changes seen;
        look(in, &seen);
        for (uint32_t k = 0; k < seen.count; k++) {
            const char *name = seen.names.data + seen.items[k].name;
            left = left || strcmp(name, "outside") == 0 || strcmp(name, "secret") == 0;
        }
        changes_release(&seen);
    }
    atomic_store(&churn.stop, true);
    pthread_join(thread, NULL);
    close(churn.dir);
    free(in);
    assert_false(left);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(disguised_as_rename, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(renamed_and_edited, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(leaves_no_descriptors, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(stays_inside_a_moving_tree, scratch_setup, scratch_teardown),
        cmocka_unit_test(many_names_of_one_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
