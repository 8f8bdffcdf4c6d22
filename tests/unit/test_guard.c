/* test_guard.c - what is planted at the top of a workspace is seen, and goes to quarantine. */
#include "guard_fixture.h"

#include <sys/resource.h>

static void test_nothing_appears(void **state)
{
    struct fixture *f = *state;
    begin_ordinary(f);
    run(f, "mkdir objects dir && touch file && mkdir dir/refs dir/objects && touch dir/HEAD");
    let_it_look(f, 3);
    assert_nothing_found(f);
    assert_true(is_there(f, "objects") && is_there(f, "dir/HEAD"));
}

/* By whatever name comes last and however it is made. */
static void test_planted(void **state)
{
    static const char *const ways[] = {
        "mkdir objects refs && : >HEAD",
        ": >HEAD && mkdir refs objects",
        "mkdir -p x/objects x/refs && : >x/HEAD && mv x/* . && rmdir x",
        "mkdir objects refs && ln -s refs/heads/main HEAD",
        "mkdir objects refs dir && : >dir/head && ln dir/head HEAD",
        "mkdir dir && ln -s dir objects && ln -s dir refs && : >HEAD",
        "mkdir dir refs && : >HEAD && : >objects && chmod +x objects",
        "mkdir -p dir/objects dir/refs && echo dir >commondir && : >HEAD",
        "git init -q --bare .",
    };
    struct fixture *f = *state;
    begin_ordinary(f);
    guard_release(&f->guard);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        f->trips = 0;
        must_begin(f);
        run(f, ways[i]);
        until_tripped(f);
        assert_false(guard_finish(&f->guard));
        assert_int_equal(f->guard.event_count, 1);
        assert_string_equal(f->guard.events[0].operation, "create");
        assert_string_equal(f->guard.events[0].grant, "--unprotect .git");
        assert_non_null(strstr(f->guard.events[0].words, "a bare repository appeared"));
        assert_non_null(strstr(f->guard.events[0].words, "/state/quarantine: "));
        run(f, "for n in HEAD objects refs commondir config hooks info description branches; do\n"
               "test ! -e $n && test ! -L $n || exit 1; done");
        guard_release(&f->guard);
        run(f, "rm -rf dir");
    }
}

/* A command that ends at once is met by the last look. */
static void test_found_at_the_end(void **state)
{
    struct fixture *f = *state;
    begin_ordinary(f);
    run(f, "mkdir objects refs && : >HEAD");
    assert_false(guard_finish(&f->guard));
    assert_int_equal(f->trips, 0);
    assert_non_null(strstr(f->guard.events[0].words, "found when the command had ended"));
    assert_quarantined(f, "HEAD objects refs ");
}

static void test_incomplete(void **state)
{
    static const char *const ways[] = {"mkdir objects refs", ": >HEAD && mkdir objects",
                                       ": >HEAD && mkdir refs", "mkdir HEAD objects refs",
                                       "echo dir >commondir"};
    struct fixture *f = *state;
    begin_ordinary(f);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        run(f, ways[i]);
        let_it_look(f, 1);
        run(f, "rm -rf HEAD objects refs commondir");
    }
    assert_nothing_found(f);
}

/* Only what appeared goes; what was there is the user's, also when it was made anew. */
static void test_what_was_there_stays(void **state)
{
    struct fixture *f = *state;
    run(f, "mkdir objects refs && echo mine >objects/file");
    begin_ordinary(f);
    run(f, ": >HEAD; mkdir hooks");
    until_tripped(f);
    assert_false(guard_finish(&f->guard));
    assert_quarantined(f, "HEAD hooks ");
    assert_true(is_there(f, "objects/file") && is_there(f, "refs"));
}

static void test_replaced_counts_as_new(void **state)
{
    struct fixture *f = *state;
    run(f, "mkdir objects refs");
    begin_ordinary(f);
    run(f, "rmdir objects && mkdir objects && : >HEAD");
    until_tripped(f);
    assert_false(guard_finish(&f->guard));
    assert_quarantined(f, "HEAD objects ");
    assert_true(is_there(f, "refs"));
}

static void test_repository_from_the_start(void **state)
{
    struct fixture *f = *state;
    struct report report;
    run(f, "git init -q --bare .");
    begin_ordinary(f);
    run(f, ": >HEAD.lock && mv HEAD.lock HEAD && rm -r objects && mkdir objects");
    let_it_look(f, 2);
    assert_int_equal(f->trips, 0);
    run(f, "mkdir -p dir/hooks && echo dir >commondir");
    until_tripped(f);
    assert_false(guard_finish(&f->guard));
    assert_quarantined(f, "commondir ");
    assert_true(is_there(f, "HEAD") && is_there(f, "objects"));
    report_init(&report);
    assert_int_equal(guard_report(&f->guard, &report, NULL), CORDON_OK);
    assert_int_equal(report.outcome.kind, OUTCOME_GUARDED);
    assert_int_equal(report.warning_count, 2);
    report_release(&report);
}

/* -- .git of a workspace inside another repository --------------------------- */

static void test_git_appears(void **state)
{
    static const char *const ways[] = {"mkdir .git",     "git init -q .", ": >.git",
                                       "ln -s dir .git", "mkfifo .git",   "mkdir dir && mv dir .git"};
    struct fixture *f = *state;
    begin_nested(f);
    guard_release(&f->guard);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        f->trips = 0;
        must_begin(f);
        run(f, ways[i]);
        until_tripped(f);
        assert_false(guard_finish(&f->guard));
        assert_non_null(strstr(f->guard.events[0].words, ".git appeared"));
        assert_non_null(strstr(f->guard.events[0].target, "/place/.git"));
        assert_false(is_there(f, ".git"));
        guard_release(&f->guard);
    }
}

static void test_git_appeared_before(void **state)
{
    struct fixture *f = *state;
    struct cordon_error err;
    add_rule(f, RULE_WRITE, "", false);
    add_rule(f, RULE_PROTECT, ".git", true);
    run(f, "mkdir .git");
    assert_int_equal(begin(f, &err), CORDON_E_CONFLICT);
    assert_string_equal(err.step, "linux.guard");
    assert_true(is_there(f, ".git"));
}

/* -- what is not guarded ----------------------------------------------------- */

static void test_unprotected(void **state)
{
    struct fixture *f = *state;
    add_rule(f, RULE_WRITE, "", false);
    must_begin(f);
    assert_int_equal(f->guard.timer, -1);
    run(f, "git init -q . && git init -q --bare .");
    assert_nothing_found(f);
    assert_true(is_there(f, "HEAD") && is_there(f, ".git"));
}

static void test_read_only(void **state)
{
    struct fixture *f = *state;
    run(f, "mkdir .git");
    add_rule(f, RULE_PROTECT, ".git", false);
    must_begin(f);
    assert_int_equal(f->guard.timer, -1);
    assert_nothing_found(f);
}

static void test_workspace_replaced_before(void **state)
{
    struct fixture *f = *state;
    struct cordon_error err;
    add_rule(f, RULE_WRITE, "", false);
    run(f, "mv ../place ../aside && mkdir ../place");
    assert_int_equal(begin(f, &err), CORDON_E_CONFLICT);
    run(f, "rmdir ../place && mv ../aside ../place");
}

/* -- told by inotify --------------------------------------------------------- */

static void test_planted_while_watched(void **state)
{
    struct fixture *f = *state;
    begin_ordinary(f);
    let_it_watch(f);
    run(f, "git init -q --bare .");
    until_tripped(f);
    assert_false(guard_finish(&f->guard));
    assert_false(is_there(f, "HEAD"));
}

/* Planted for a moment only: git may have obeyed it, so the tree is stopped all the same. */
static void test_planted_and_removed(void **state)
{
    struct fixture *f = *state;
    begin_ordinary(f);
    let_it_watch(f);
    run(f, "mkdir objects refs && : >HEAD && rm HEAD");
    until_tripped(f);
    assert_false(guard_finish(&f->guard));
    assert_non_null(strstr(f->guard.events[0].words, "gone again"));
    assert_true(is_there(f, "objects"));
}

static void test_git_made_and_removed(void **state)
{
    struct fixture *f = *state;
    begin_nested(f);
    let_it_watch(f);
    run(f, "mkdir .git && rmdir .git");
    until_tripped(f);
    assert_false(guard_finish(&f->guard));
    assert_non_null(strstr(f->guard.events[0].words, ".git appeared"));
}

/* In the last microsecond: the events are read when the tree is dead. */
static void test_removed_at_the_end(void **state)
{
    struct fixture *f = *state;
    begin_ordinary(f);
    let_it_watch(f);
    run(f, "mkdir objects refs && : >HEAD && rm HEAD");
    assert_false(guard_finish(&f->guard));
    assert_int_equal(f->guard.event_count, 1);
}

/* Never three at a time. */
static void test_parts_in_turn(void **state)
{
    struct fixture *f = *state;
    begin_ordinary(f);
    let_it_watch(f);
    run(f, ": >HEAD; mkdir objects; rm HEAD; mkdir refs; mkdir HEAD; rmdir HEAD refs; : >HEAD; rm HEAD");
    serve_once(f);
    assert_nothing_found(f);
}

static void test_flood(void **state)
{
    struct fixture *f = *state;
    begin_ordinary(f);
    let_it_watch(f);
    /* More events than the queue of inotify holds (16384 by default). */
    run(f,
        "i=0; while [ $i -lt 9000 ]; do : >f; rm f; mkdir d; rmdir d; i=$((i+1)); done 2>/dev/null || true\n"
        "mkdir objects refs && : >HEAD");
    until_tripped(f);
    assert_false(guard_finish(&f->guard));
    assert_quarantined(f, "HEAD objects refs ");
}

/* No inotify to be had: it goes on looking, and says so. */
static void test_blind(void **state)
{
    struct fixture *f = *state;
    struct rlimit before, none;
    struct report report;
    begin_ordinary(f);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = (rlim_t)f->guard.timer + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    let_it_look(f, 30);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_true(f->guard.timer >= 0);
    assert_int_equal(f->guard.inotify, -1);
    run(f, "mkdir objects refs && : >HEAD");
    until_tripped(f);
    assert_false(guard_finish(&f->guard));
    report_init(&report);
    assert_int_equal(guard_report(&f->guard, &report, NULL), CORDON_OK);
    assert_int_equal(report.warning_count, 2);
    assert_non_null(strstr(report.warnings[1], "max_user_instances"));
    report_release(&report);
}

/* -- against the quarantine --------------------------------------------------- */

static void test_closed_workspace(void **state)
{
    static const char *const modes[] = {"0", "0555", "0300"};
    struct fixture *f = *state;
    begin_ordinary(f);
    guard_release(&f->guard);
    for (size_t i = 0; i < 3; i++) {
        char *script =
            string_format("mkdir objects refs && : >HEAD && chmod 0555 objects && chmod %s .", modes[i]);
        struct stat st;
        must_begin(f);
        run(f, script);
        free(script);
        assert_false(guard_finish(&f->guard));
        assert_int_equal(f->guard.event_count, 1);
        assert_null(strstr(f->guard.events[0].words, "STILL THERE"));
        assert_int_equal(stat(f->workspace, &st), 0);
        assert_int_equal(st.st_mode & 07777, strtol(modes[i], NULL, 8));
        assert_int_equal(chmod(f->workspace, 0755), 0);
        run(f,
            "test ! -e HEAD && test ! -e objects && test ! -e refs && chmod 755 objects.* 2>/dev/null; true");
        guard_release(&f->guard);
    }
}

static void test_workspace_moved_meanwhile(void **state)
{
    struct fixture *f = *state;
    begin_ordinary(f);
    let_it_look(f, 1);
    run(f, "mv ../place ../elsewhere && mkdir ../place");
    let_it_look(f, 2);
    assert_int_equal(f->trips, 0);
    run(f, "cd ../elsewhere && mkdir objects refs && : >HEAD");
    until_tripped(f);
    assert_false(guard_finish(&f->guard));
    run(f, "test ! -e ../elsewhere/HEAD && rmdir ../place && mv ../elsewhere ../place");
}

static void test_report(void **state)
{
    struct fixture *f = *state;
    struct report report;
    begin_nested(f);
    run(f, "mkdir .git");
    assert_false(guard_finish(&f->guard));
    report_init(&report);
    report.outcome.kind = OUTCOME_EXITED;
    assert_int_equal(guard_report(&f->guard, &report, NULL), CORDON_OK);
    assert_int_equal(report.outcome.kind, OUTCOME_GUARDED);
    assert_int_equal(outcome_exit_code(&report.outcome), 123);
    assert_int_equal(report.refusal_count, 1);
    assert_string_equal(report.refusals[0].rule, "guard");
    assert_non_null(strstr(report.refusals[0].target, "/place/.git"));
    assert_int_equal(report.warning_count, 1);
    report_release(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nothing_appears, setup, teardown),
        cmocka_unit_test_setup_teardown(test_planted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_found_at_the_end, setup, teardown),
        cmocka_unit_test_setup_teardown(test_incomplete, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_was_there_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(test_replaced_counts_as_new, setup, teardown),
        cmocka_unit_test_setup_teardown(test_repository_from_the_start, setup, teardown),
        cmocka_unit_test_setup_teardown(test_git_appears, setup, teardown),
        cmocka_unit_test_setup_teardown(test_git_appeared_before, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unprotected, setup, teardown),
        cmocka_unit_test_setup_teardown(test_read_only, setup, teardown),
        cmocka_unit_test_setup_teardown(test_workspace_replaced_before, setup, teardown),
        cmocka_unit_test_setup_teardown(test_planted_while_watched, setup, teardown),
        cmocka_unit_test_setup_teardown(test_planted_and_removed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_git_made_and_removed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_removed_at_the_end, setup, teardown),
        cmocka_unit_test_setup_teardown(test_parts_in_turn, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flood, setup, teardown),
        cmocka_unit_test_setup_teardown(test_blind, setup, teardown),
        cmocka_unit_test_setup_teardown(test_closed_workspace, setup, teardown),
        cmocka_unit_test_setup_teardown(test_workspace_moved_meanwhile, setup, teardown),
        cmocka_unit_test_setup_teardown(test_report, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
