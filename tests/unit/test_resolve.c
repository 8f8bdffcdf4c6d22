/* test_resolve.c - policies against a real tree: what is found, what is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/linux/links.h"
#include "os/linux/resolve.h"

struct fixture {
    char *top; /* a fresh directory below the current one, resolved */
    char *old_cwd;
    struct policy policy;
    struct policy options;
    struct places places;
    struct report report;
    struct resolution resolution;
    struct cordon_error err;
};

static char *in(const struct fixture *f, const char *name)
{
    return string_format("%s/%s", f->top, name);
}

static void make_directory(const struct fixture *f, const char *name)
{
    char *path = in(f, name);
    assert_int_equal(mkdir(path, 0755), 0);
    free(path);
}

static void make_file(const struct fixture *f, const char *name, const char *text)
{
    char *path = in(f, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    free(path);
}

static void make_link(const struct fixture *f, const char *target, const char *name)
{
    char *path = in(f, name);
    assert_int_equal(symlink(target, path), 0);
    free(path);
}

/* Not in a temporary directory, which would be replaced: the current directory,
 * the home directory, or /var/lib. */
static char *make_top(void)
{
    const char *candidates[] = {".", getenv("HOME"), "/var/lib"};
    for (size_t i = 0; i < 3; i++) {
        char *base = candidates[i] ? realpath(candidates[i], NULL) : NULL;
        if (!base)
            continue;
        bool temporary = strncmp(base, "/tmp", 4) == 0 || strncmp(base, "/var/tmp", 8) == 0 ||
                         strncmp(base, "/dev/shm", 8) == 0;
        char *name = string_format("%s/resolve-XXXXXX", base);
        free(base);
        if (!temporary && mkdtemp(name))
            return name;
        free(name);
    }
    fail_msg("no directory outside the temporary ones that can be written");
    return NULL;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->old_cwd = getcwd(NULL, 0);
    f->top = make_top();
    make_directory(f, "home");
    make_directory(f, "w");
    make_directory(f, "out");
    char *w = in(f, "w");
    assert_int_equal(chdir(w), 0);
    free(w);
    policy_init(&f->policy);
    policy_init(&f->options);
    places_init(&f->places);
    report_init(&f->report);
    resolution_init(&f->resolution);
    *state = f;
    return 0;
}

/* What a test resolves before is let go. */
static void release_resolved(struct fixture *f)
{
    resolution_release(&f->resolution);
    report_release(&f->report);
    places_release(&f->places);
    policy_release(&f->policy);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    release_resolved(f);
    policy_release(&f->options);
    char *command = string_format("rm -rf '%s'", f->top);
    assert_int_equal(chdir(f->old_cwd), 0);
    assert_int_equal(system(command), 0);
    free(command);
    free(f->top);
    free(f->old_cwd);
    free(f);
    return 0;
}

static void option(struct fixture *f, enum policy_list_id list, const char *value)
{
    assert_int_equal(policy_add(&f->options, list, value, "option", BASE_CWD, &f->err), CORDON_OK);
}

static cordon_status resolve(struct fixture *f, const char *workspace, const char *policy_file)
{
    char *home = string_format("HOME=%s/home", f->top);
    char *environment[] = {home, NULL};
    char *path = NULL;
    struct resolve_input input = {.policy = &f->policy, .workspace = workspace, .policy_file = policy_file};
    release_resolved(f);
    policy_init(&f->policy);
    places_init(&f->places);
    report_init(&f->report);
    resolution_init(&f->resolution);
    assert_int_equal(policy_merge(&f->policy, NULL, &f->options, &f->err), CORDON_OK);
    cordon_status status = places_find(&f->places, environment, &f->err);
    free(home);
    if (status == CORDON_OK)
        status = resolve_workspace(workspace, &path, &f->err);
    if (status == CORDON_OK)
        status = state_name(&f->places, path, f->policy.tmp, &f->err);
    input.workspace_path = path;
    if (status == CORDON_OK)
        status = resolve_policy(&f->resolution, &input, &f->places, &f->report, &f->err);
    free(path);
    return status;
}

static void must_resolve(struct fixture *f)
{
    if (resolve(f, NULL, NULL) != CORDON_OK)
        fail_msg("%s: %s", f->err.step, f->err.message);
}

static const struct rule *rule_at(const struct fixture *f, const char *name)
{
    char *path = in(f, name);
    const struct rule *found = NULL;
    for (size_t i = 0; i < f->resolution.resolved.count; i++)
        if (strcmp(f->resolution.resolved.items[i].path, path) == 0)
            found = &f->resolution.resolved.items[i];
    free(path);
    return found;
}

static bool may(const struct fixture *f, const char *name, enum decide_op op)
{
    char *path = in(f, name);
    bool allowed = decide(&f->resolution.resolved, path, op).allowed;
    free(path);
    return allowed;
}

static void refused(struct fixture *f, const char *step, const char *words)
{
    assert_int_not_equal(resolve(f, NULL, NULL), CORDON_OK);
    assert_string_equal(f->err.step, step);
    if (!strstr(f->err.message, words))
        fail_msg("no `%s` in: %s", words, f->err.message);
}

static void the_default_policy(void **state)
{
    struct fixture *f = *state;
    make_directory(f, "w/.git");
    must_resolve(f);
    assert_true(may(f, "w/x", OP_CREATE));
    assert_false(may(f, "out/x", OP_CREATE));
    assert_int_equal(rule_at(f, "w/.git")->type, OBJECT_DIRECTORY);
    assert_true(rule_at(f, "w/.codex")->absent_name);
    assert_false(may(f, "w/.codex", OP_CREATE));
    assert_int_equal(f->resolution.owner_uid, geteuid());
}

static void a_worktree_protects_where_it_points(void **state)
{
    struct fixture *f = *state;
    make_directory(f, "out/main.git");
    make_directory(f, "out/main.git/worktrees");
    make_directory(f, "out/main.git/worktrees/w");
    make_file(f, "out/main.git/worktrees/w/commondir", "../..\n");
    char *text = string_format("gitdir: %s/out/main.git/worktrees/w\n", f->top);
    make_file(f, "w/.git", text);
    free(text);
    option(f, LIST_WRITE, "../out");
    must_resolve(f);
    assert_true(may(f, "out/x", OP_CREATE));
    assert_false(may(f, "w/.git", OP_WRITE));
    assert_false(may(f, "out/main.git/worktrees/w/HEAD", OP_CREATE));
    assert_false(
        may(f, "out/main.git/config", OP_CREATE)); /* the common directory's hooks and config count */
    assert_false(may(f, "out/main.git", OP_REMOVE));
}

static void a_link_protects_itself_and_its_target(void **state)
{
    struct fixture *f = *state;
    make_directory(f, "w/real");
    make_link(f, "real", "w/.git");
    make_link(f, "later", "w/.codex"); /* leads nowhere yet */
    must_resolve(f);
    assert_int_equal(rule_at(f, "w/.git")->type, OBJECT_SYMLINK);
    assert_false(may(f, "w/.git", OP_REMOVE));
    assert_false(may(f, "w/real/config", OP_CREATE));
    assert_false(may(f, "w/.codex", OP_REMOVE));
    assert_false(may(f, "w/later", OP_CREATE));
}

static void a_link_that_circles_is_refused(void **state)
{
    struct fixture *f = *state;
    make_link(f, ".git", "w/.git");
    assert_int_not_equal(resolve(f, NULL, NULL), CORDON_OK);
    assert_string_equal(f->err.step, "resolve.protect");
}

static void names_apply_to_other_roots_only_where_they_exist(void **state)
{
    struct fixture *f = *state;
    make_directory(f, "out/.git");
    option(f, LIST_WRITE, "../out");
    must_resolve(f);
    assert_false(may(f, "out/.git/x", OP_CREATE));
    assert_true(may(f, "out/.codex", OP_CREATE));
}

static void dangerous_roots_are_refused(void **state)
{
    struct fixture *f = *state;
    option(f, LIST_WRITE, "../home");
    refused(f, "resolve.root", "the home directory");
    option(f, LIST_WRITE, "../home"); /* named again: meant */
    must_resolve(f);
    assert_true(may(f, "home/x", OP_CREATE));
}

static void a_parent_of_home_is_refused(void **state)
{
    struct fixture *f = *state;
    option(f, LIST_WRITE, "..");
    refused(f, "resolve.root", "a parent of the home directory");
}

static void the_whole_file_system_and_the_kernel_are_refused(void **state)
{
    struct fixture *f = *state;
    option(f, LIST_WRITE, "/proc/self");
    refused(f, "resolve.root", "steers the kernel");
}

static void absent_roots_and_workspaces_are_refused(void **state)
{
    struct fixture *f = *state;
    option(f, LIST_WRITE, "nowhere");
    refused(f, "resolve.root", "must exist");
    assert_int_not_equal(resolve(f, "nowhere", NULL), CORDON_OK);
    assert_string_equal(f->err.step, "resolve.workspace");
}

static void a_planted_link_becomes_no_root(void **state)
{
    struct fixture *f = *state;
    make_link(f, "../out", "w/build");
    option(f, LIST_WRITE, "build");
    refused(f, "resolve.link", "could have made");
}

static void a_link_outside_the_roots_is_the_users_own(void **state)
{
    struct fixture *f = *state;
    make_link(f, "out", "alias");
    option(f, LIST_WRITE, "../alias");
    must_resolve(f);
    assert_true(may(f, "out/x", OP_CREATE));
}

static void links_are_walked_as_the_kernel_does(void **state)
{
    struct fixture *f = *state;
    make_link(f, "../w/deep", "out/in");
    make_directory(f, "w/deep");
    make_link(f, "..", "w/deep/up");
    must_resolve(f);
    char *through = in(f, "out/in/up/x");
    assert_int_not_equal(
        links_check(&f->resolution.resolved, &f->places, through, "report", "test", NULL, &f->err),
        CORDON_OK);
    assert_non_null(strstr(f->err.message, "w/deep/up"));
    free(through);
    char *clean = in(f, "w/deep/../x"), *direct = in(f, "w/x"), *walked = NULL;
    assert_int_equal(
        links_check(&f->resolution.resolved, &f->places, clean, "report", "test", &walked, &f->err),
        CORDON_OK);
    assert_string_equal(walked, direct);
    free(walked);
    free(direct);
    free(clean);
}

static void the_policy_file_must_be_out_of_reach(void **state)
{
    struct fixture *f = *state;
    make_file(f, "w/p.json", "{}");
    assert_int_not_equal(resolve(f, NULL, "p.json"), CORDON_OK);
    assert_string_equal(f->err.step, "resolve.policy-file");
    option(f, LIST_PROTECT, "./p.json");
    resolution_release(&f->resolution);
    if (resolve(f, NULL, "p.json") != CORDON_OK)
        fail_msg("%s", f->err.message);
}

static void deny_read_paths_and_globs(void **state)
{
    struct fixture *f = *state;
    make_file(f, "out/a.key", "");
    make_file(f, "out/b.key", "");
    make_file(f, "out/c", "");
    option(f, LIST_DENY_READ, "../out/*.key");
    option(f, LIST_DENY_READ, "../out/absent");
    must_resolve(f);
    assert_false(may(f, "out/a.key", OP_READ));
    assert_false(may(f, "out/b.key", OP_READ));
    assert_true(may(f, "out/c", OP_READ));
    assert_int_equal(f->report.warning_count, 2);
}

static void cordons_own_places(void **state)
{
    struct fixture *f = *state;
    option(f, LIST_WRITE, "../home");
    option(f, LIST_WRITE, "../home");
    must_resolve(f);
    assert_false(may(f, "home/.config/cordon/policy.json", OP_CREATE));
    assert_false(may(f, "home/.config", OP_REMOVE));
    assert_false(may(f, "home/.local/state/cordon/w/registry", OP_READ));
    assert_true(may(f, "home/.local/state/cordon/cache/x", OP_CREATE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_default_policy, setup, teardown),
        cmocka_unit_test_setup_teardown(a_worktree_protects_where_it_points, setup, teardown),
        cmocka_unit_test_setup_teardown(a_link_protects_itself_and_its_target, setup, teardown),
        cmocka_unit_test_setup_teardown(a_link_that_circles_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(names_apply_to_other_roots_only_where_they_exist, setup, teardown),
        cmocka_unit_test_setup_teardown(dangerous_roots_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_parent_of_home_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(the_whole_file_system_and_the_kernel_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(absent_roots_and_workspaces_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_planted_link_becomes_no_root, setup, teardown),
        cmocka_unit_test_setup_teardown(a_link_outside_the_roots_is_the_users_own, setup, teardown),
        cmocka_unit_test_setup_teardown(links_are_walked_as_the_kernel_does, setup, teardown),
        cmocka_unit_test_setup_teardown(the_policy_file_must_be_out_of_reach, setup, teardown),
        cmocka_unit_test_setup_teardown(deny_read_paths_and_globs, setup, teardown),
        cmocka_unit_test_setup_teardown(cordons_own_places, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
