/* test_changes_links.c - old hard links: files that were touched and have names
 * elsewhere are named in a warning, whatever the command did to hide it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/buf.h"
#include "os/posix/changes.h"
#include "scratch.h"

static const char other[] =
    " other name, outside of what was compared (an old hard link): if it was written, so were they";

/* Makes ./in and ./out by `first`, changes them by `second`; only ./in is watched. */
static void compare(const char *first, const char *second, struct report *r)
{
    struct changes before, after;
    struct cordon_error err;
    char *root = scratch_make();
    assert_non_null(root);
    char *tree = string_format("%s/in", root);
    const char *roots[] = {tree};
    scratch_run(root, "mkdir in out && cd in && echo x >../out/secret");
    scratch_run(tree, first);
    assert_int_equal(changes_snapshot(roots, 1, NULL, 0, &before, &err), CORDON_OK);
    scratch_run(tree, second);
    assert_int_equal(changes_snapshot(roots, 1, NULL, 0, &after, &err), CORDON_OK);
    report_init(r);
    assert_int_equal(changes_compare(&before, &after, r, &err), CORDON_OK);
    changes_release(&before);
    changes_release(&after);
    free(tree);
    assert_true(scratch_remove(root));
}

static void check(const char *first, const char *second, const char *name)
{
    struct report r;
    compare(first, second, &r);
    if (r.warning_count != (name ? 1 : 0))
        fail_msg("%s; %s: %zu warnings, the first: %s", first, second, r.warning_count,
                 r.warning_count ? r.warnings[0] : "");
    if (name) {
        char *start = string_format("/in/%s has 1%s", name, other);
        if (!strstr(r.warnings[0], start))
            fail_msg("%s; %s: %s", first, second, r.warnings[0]);
        free(start);
    }
    report_release(&r);
}

static void written_links_are_named(void **state)
{
    static const char *const writes[] = {
        "echo more >>f",
        ": >f",
        "chmod 600 f",
        "cp -p f ../times; echo more >>f; touch -r ../times f; rm ../times", /* the times set back */
        "echo more >>f; ln f g; rm g",
        "echo y >f; touch -d 2001-01-01 f",
    };
    (void)state;
    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++)
        check("ln ../out/secret f", writes[i], "f");
    /* Written and then moved, removed or replaced. */
    check("ln ../out/secret f", "echo more >>f; mv f g", "f");
    check("ln ../out/secret f", "echo more >>f; rm f", "f");
    check("ln ../out/secret f", "echo more >>f; rm f; echo new >f", "f");
    check("mkdir d; ln ../out/secret d/f", "echo more >>d/f; rm -r d", "d/f");
}

static void others_are_not(void **state)
{
    (void)state;
    check("ln ../out/secret f; echo x >g", "echo more >>g; cat f", NULL);
    check("echo x >f; ln f g", "echo more >>f", NULL); /* both names are seen */
    check("echo x >f", "ln f g; echo more >>f", NULL);
    check("ln -s ../out/secret f", "echo more >>f", NULL);
    check("echo x >f", "mv ../out/secret g; ln f ../out/new; echo more >>g", NULL);
}

/* Two of three names are seen: one is elsewhere, and each seen one says so. */
static void names_are_counted(void **state)
{
    (void)state;
    struct report r;
    compare("ln ../out/secret a; ln a b", "echo more >>a", &r);
    assert_int_equal(r.warning_count, 2);
    assert_non_null(strstr(r.warnings[0], "/in/a has 1 other name,"));
    assert_non_null(strstr(r.warnings[1], "/in/b has 1 other name,"));
    report_release(&r);
    compare("ln ../out/secret a; ln a ../out/b", "echo more >>a", &r);
    assert_int_equal(r.warning_count, 1);
    assert_non_null(strstr(r.warnings[0], "/in/a has 2 other names,"));
    report_release(&r);
}

static void many_are_counted(void **state)
{
    (void)state;
    struct report r;
    compare("for i in $(seq 100 129); do echo x >../out/$i; ln ../out/$i $i; done",
            "for i in *; do echo y >>$i; done", &r);
    assert_int_equal(r.changed_count, 30);
    assert_int_equal(r.warning_count, 21);
    assert_non_null(strstr(r.warnings[19], "/in/119 has 1 other name"));
    assert_string_equal(r.warnings[20], "10 more files have other names, outside of what was compared");
    report_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_links_are_named),
        cmocka_unit_test(others_are_not),
        cmocka_unit_test(names_are_counted),
        cmocka_unit_test(many_are_counted),
    };
    return cmocka_run_group_tests_name("changes_links", tests, NULL, NULL);
}
