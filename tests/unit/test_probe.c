/* test_probe.c - the trying itself (src/os/linux/probe*.c), on this machine. */
#include "scratch.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "os/linux/probe.h"
#include "os/linux/probe_state.h"
#include "os/linux/probe_trial.h"
#include "skip.h"

/* Each primitive has been tried, or waits for one that was refused; and what
 * the tests of the sandbox need works, or they could not run. */
static void this_machine(void **state)
{
    (void)state;
    struct doctor d;
    doctor_init(&d);
    probe_machine(&d);
    assert_true(d.kernel[0] && d.machine[0]);
    bool userns = d.primitives[PRIMITIVE_USER_NAMESPACE].state == PRIMITIVE_WORKS;
    for (int p = 0; p < PRIMITIVE_COUNT; p++) {
        const struct primitive_result *r = &d.primitives[p];
        if (r->state == PRIMITIVE_NOT_TRIED && userns)
            fail_msg("not tried: %s", primitive_words((enum primitive)p)->name);
        if (r->state == PRIMITIVE_MISSING && primitive_words((enum primitive)p)->needed) {
            if (!skip_allowed())
                fail_msg("%s: errno %d, signal %d", primitive_words((enum primitive)p)->name, r->os_code,
                         r->signal);
            printf("SKIP: this machine lacks %s\n", primitive_words((enum primitive)p)->name);
        }
        assert_true(r->state != PRIMITIVE_WORKS || (r->os_code == 0 && r->signal == 0));
    }
    doctor_release(&d);
}

/* -- who tries is survived ------------------------------------------------ */

static void be_killed(struct probe_page *page)
{
    probe_begin(page, PRIMITIVE_SECCOMP);
    signal(SIGSYS, SIG_DFL); /* cmocka has a handler */
    raise(SIGSYS);
}

static void be_killed_later(struct probe_page *page)
{
    probe_begin(page, PRIMITIVE_LANDLOCK);
    probe_end(page, true, 0);
    raise(SIGKILL);
}

static void killed(void **state)
{
    (void)state;
    struct probe_page page;
    memset(&page, 0, sizeof page);
    assert_false(probe_process(&page, 0, be_killed));
    /* The page was not shared: the blame falls on what this process began. */
    assert_int_equal(page.results[0].signal, SIGSYS);
    assert_int_equal(page.results[0].state, PRIMITIVE_MISSING);
    page.results[0].state = PRIMITIVE_WORKS;
    assert_false(probe_process(&page, 0, be_killed_later));
    assert_int_equal(page.results[0].state, PRIMITIVE_WORKS); /* what was found out stays */
}

/* -- doctor's own directory ----------------------------------------------- */

static bool is_empty(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY);
    bool empty = fd >= 0 && beneath_is_empty(fd) == 1;
    close(fd);
    return empty;
}

static void scratch_is_made_and_removed(void **state)
{
    const char *root = *state;
    const char *const places[] = {"/nonexistent", root, NULL};
    struct probe_scratch s;
    struct cordon_error err;
    int first = 0;
    probe_scratch_init(&s);
    assert_int_equal(probe_scratch_make(&s, places, &first, &err), CORDON_OK);
    assert_int_equal(first, ENOENT);
    assert_int_equal(s.at, 1);
    assert_int_equal(strncmp(s.path, root, strlen(root)), 0);
    assert_false(is_empty(root));
    char *inner = string_format("mkdir -p '%s/a/b'; : >'%s/a/b/c'; chmod 0 '%s/a'", s.path, s.path, s.path);
    scratch_run(root, inner);
    free(inner);
    probe_scratch_remove(&s);
    assert_true(is_empty(root));
    probe_scratch_remove(&s);
}

/* What a killed doctor left goes, what a running one has stays, and nothing else is touched. */
static void only_left_overs_are_collected(void **state)
{
    const char *root = *state;
    const char *const places[] = {root, NULL};
    struct probe_scratch running, s;
    struct cordon_error err;
    int first = 1;
    probe_scratch_init(&running);
    probe_scratch_init(&s);
    assert_int_equal(probe_scratch_make(&running, places, &first, &err), CORDON_OK);
    assert_int_equal(first, 0);
    scratch_run(root, "mkdir -p .cordon-doctor-1-x/work other; : >.cordon-doctor-1-x/outside; "
                      "ln -s other .cordon-doctor-2-x; : >.cordon-doctor-3-x; : >other/file");
    assert_int_equal(probe_scratch_make(&s, places, &first, &err), CORDON_OK);
    scratch_run(root,
                "[ ! -e .cordon-doctor-1-x ] && [ -L .cordon-doctor-2-x ] && [ -f .cordon-doctor-3-x ] && "
                "[ -f other/file ]");
    assert_int_equal(access(running.path, F_OK), 0);
    probe_scratch_remove(&s);
    probe_scratch_remove(&running);
}

static void nowhere_to_try(void **state)
{
    const char *const places[] = {"/nonexistent", "/dev/null", NULL};
    struct probe_scratch s;
    struct cordon_error err;
    int first = 0;
    (void)state;
    probe_scratch_init(&s);
    assert_int_not_equal(probe_scratch_make(&s, places, &first, &err), CORDON_OK);
    assert_string_equal(err.step, "doctor.scratch");
    assert_int_equal(first, ENOENT);
    probe_scratch_remove(&s);
}

/* -- cordon's state ------------------------------------------------------- */

static void state_that_is_not_there(void **state)
{
    const char *root = *state;
    struct probe_state s;
    char *path = string_format("%s/none/cordon", root);
    assert_true(probe_state_look(path, &s));
    assert_false(s.exists);
    assert_string_equal(s.existing, root);
    assert_non_null(s.file_system);
    probe_state_release(&s);
    free(path);
}

static void left_overs_are_counted(void **state)
{
    const char *root = *state;
    struct probe_state s;
    struct stat made, used, changed;
    scratch_run(root,
                "chmod 700 .; mkdir -p ws-1/tmp ws-2/quarantine/1-HEAD ws-1/run-1-old ws-1/run-2-now ws-2 "
                "no-workspace/run-3-old; "
                "echo x >ws-1/workspace; echo y >ws-2/workspace; mkdir made used changed full; : >full/x");
    char *path = string_format("%s/ws-1/run-2-now", root), *in_use = string_format("%s/used", root);
    int running = open(path, O_RDONLY | O_DIRECTORY), holder = open(in_use, O_RDONLY | O_DIRECTORY);
    assert_int_equal(flock(running, LOCK_EX), 0);
    assert_int_equal(flock(holder, LOCK_SH), 0);
    char *registry = string_format("%s/ws-1/registry", root), *other = string_format("%s/changed", root),
         *first = string_format("%s/made", root);
    assert_int_equal(stat(first, &made) | stat(in_use, &used) | stat(other, &changed), 0);
    FILE *file = fopen(registry, "w");
    assert_non_null(file);
    fprintf(file, "made %llu %llu %s\n", (unsigned long long)made.st_dev, (unsigned long long)made.st_ino,
            first);
    fprintf(file, "made %llu %llu %s\n", (unsigned long long)used.st_dev, (unsigned long long)used.st_ino,
            in_use);
    fprintf(file, "made %llu %llu %s\n", (unsigned long long)changed.st_dev,
            (unsigned long long)changed.st_ino + 1, other);
    fprintf(file, "made 1 1 %s/gone\npending %s/full\n", root, root);
    fclose(file);

    assert_true(probe_state_look(root, &s));
    assert_true(s.exists && s.ours);
    assert_int_equal(s.workspaces, 2);
    assert_int_equal(s.placeholders, 1); /* not the one in use, not what is gone, other or full */
    assert_int_equal(s.temporaries, 1);
    assert_int_equal(s.quarantined, 1);
    probe_state_release(&s);
    /* Looking took nobody's lock, and changed nothing. */
    assert_int_equal(flock(running, LOCK_EX | LOCK_NB), 0);
    assert_int_equal(access(first, F_OK), 0);
    close(running);
    close(holder);
    free(path);
    free(in_use);
    free(registry);
    free(other);
    free(first);
}

static void state_of_others(void **state)
{
    const char *root = *state;
    struct probe_state s;
    scratch_run(root, "chmod 770 .");
    assert_true(probe_state_look(root, &s));
    assert_true(s.exists);
    assert_false(s.ours);
    probe_state_release(&s);
}

int main(void)
{
#define IN_SCRATCH(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(this_machine),          cmocka_unit_test(killed),
        IN_SCRATCH(scratch_is_made_and_removed), IN_SCRATCH(only_left_overs_are_collected),
        cmocka_unit_test(nowhere_to_try),        IN_SCRATCH(state_that_is_not_there),
        IN_SCRATCH(left_overs_are_counted),      IN_SCRATCH(state_of_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
