/* test_guard_held.c - what is replaced or taken away outside is noticed; what is not, is not. */
#include "guard_fixture.h"

/* A worktree's .git file, a hidden .env, and a protected file two directories down. */
static void begin_held(struct fixture *f)
{
    run(f, "echo gitdir: x >.git && echo secret >.env && mkdir -p a/b && echo x >a/b/named");
    add_rule(f, RULE_WRITE, "", false);
    add_rule(f, RULE_PROTECT, ".git", false);
    add_rule(f, RULE_DENY_READ, ".env", false);
    add_rule(f, RULE_PROTECT, "a/b/named", false);
    must_begin(f);
    assert_int_equal(f->guard.held.count, 5); /* and a, a/b */
}

static void restart(struct fixture *f)
{
    unpin(f);
    guard_release(&f->guard);
    resolved_release(&f->resolved);
    resolved_init(&f->resolved);
    f->resolved.workspace = string_copy(f->workspace);
    f->trips = 0;
    run(f, "rm -rf a .git .env x .old");
    begin_held(f);
}

static const char *const drops[] = {
    "echo new >x && mv x .env", /* an editor's atomic save */
    "rm .env",
    "mv .env .old",
    "rm .git && mkdir .git",
    "echo gitdir: y >x && mv x .git",
    "echo x >a/b/x && mv a/b/x a/b/named",
    "mv a/b a/c && mkdir a/b", /* a directory on the way */
    "mv a x && ln -s x a",     /* the same objects, but by a link that can be replaced */
};

static void assert_dropped(struct fixture *f, const char *how)
{
    if (guard_finish(&f->guard))
        fail_msg("not found: %s", how);
    assert_true(f->guard.event_count >= 1);
    assert_string_equal(f->guard.events[0].operation, "replace");
    assert_string_equal(f->guard.events[0].grant, "");
    assert_non_null(strstr(f->guard.events[0].words, "from outside"));
    assert_int_equal(access(f->state, F_OK), 0);
    run(f, "test ! -e ../state/quarantine"); /* it is the user's: nothing is moved */
}

static void test_dropped(void **state)
{
    struct fixture *f = *state;
    begin_held(f);
    for (size_t i = 0; i < sizeof drops / sizeof *drops; i++) {
        run(f, drops[i]);
        until_tripped(f);
        assert_dropped(f, drops[i]);
        restart(f);
    }
    assert_nothing_found(f);
}

static void test_dropped_at_the_end(void **state)
{
    struct fixture *f = *state;
    begin_held(f);
    for (size_t i = 0; i < sizeof drops / sizeof *drops; i++) {
        run(f, drops[i]);
        assert_dropped(f, drops[i]);
        assert_int_equal(f->trips, 0);
        restart(f);
    }
}

static void test_dropped_while_watched(void **state)
{
    struct fixture *f = *state;
    begin_held(f);
    for (size_t i = 0; i < sizeof drops / sizeof *drops; i++) {
        let_it_watch(f);
        run(f, drops[i]);
        until_tripped(f);
        assert_dropped(f, drops[i]);
        restart(f);
    }
}

/* The mount is gone although the same file has the name again: only an event tells. */
static void test_same_file_again(void **state)
{
    struct fixture *f = *state;
    begin_held(f);
    let_it_watch(f);
    run(f, "ln .env x && rm .env && mv x .env");
    until_tripped(f);
    assert_dropped(f, "the same file again");
}

/* What editors, builds and git do all day. */
static void test_no_false_alarm(void **state)
{
    static const char script[] =
        "echo more >>.env; touch .git .env a/b/named; chmod 600 .env; cat .env >/dev/null\n"
        "echo y >x; mv x a/other; echo y >x; mv x .env.local; echo y >a/b/x; mv a/b/x a/b/neighbour\n"
        "rm .env.local; mkdir .codex; rmdir .codex; mkdir -p c/d; echo z >c/.env; mv c/.env c/d; rm -r c\n"
        "i=0; while [ $i -lt 200 ]; do : >t; mv t u; rm u; i=$((i+1)); done";
    struct fixture *f = *state;
    begin_held(f);
    run(f, script);
    let_it_look(f, 2);
    let_it_watch(f);
    run(f, script);
    serve_once(f);
    assert_nothing_found(f);
}

/* git outside works in its own directory all the time. */
static void test_git_at_work(void **state)
{
    struct fixture *f = *state;
    run(f, "git init -q .");
    begin_ordinary(f);
    let_it_watch(f);
    run(f,
        "echo x >file && git add file && git -c user.name=a -c user.email=a@b commit -q -m x && git gc -q &&"
        "git worktree add -q wt 2>/dev/null && git worktree remove wt && rm -f file && git checkout -q file");
    serve_once(f);
    assert_nothing_found(f);
}

static void test_workspace_moved(void **state)
{
    struct fixture *f = *state;
    begin_held(f);
    run(f, "mv ../place ../elsewhere");
    let_it_look(f, 3);
    assert_nothing_found(f);
    assert_int_equal(chdir(f->root), 0);
    char *elsewhere = string_format("%s/elsewhere", f->root);
    assert_int_equal(rename(elsewhere, f->workspace), 0);
    free(elsewhere);
    assert_int_equal(chdir(".."), 0);
}

/* As the root of a protected thing, not of the workspace: then its name counts. */
static void test_workspace_in_a_root_moved(void **state)
{
    struct fixture *f = *state;
    run(f, "mkdir .git");
    struct stat st;
    assert_int_equal(stat(f->root, &st), 0);
    struct rule outer = {.kind = RULE_WRITE,
                         .path = f->root,
                         .origin = "test",
                         .type = OBJECT_DIRECTORY,
                         .dev = st.st_dev,
                         .ino = st.st_ino};
    assert_int_equal(resolved_add(&f->resolved, &outer, NULL), CORDON_OK);
    add_rule(f, RULE_WRITE, "", false);
    add_rule(f, RULE_PROTECT, ".git", false);
    must_begin(f);
    run(f, "mv ../place ../elsewhere && mkdir ../place");
    until_tripped(f);
    assert_dropped(f, "the workspace in a root");
    run(f, "rmdir ../place && mv ../elsewhere ../place");
}

/* More than one look takes: each is looked at in turn. */
static void test_many(void **state)
{
    struct fixture *f = *state;
    run(f, "mkdir many && cd many && seq 1000 | xargs touch");
    add_rule(f, RULE_WRITE, "", false);
    for (int i = 1; i <= 1000; i++) {
        char name[32];
        snprintf(name, sizeof name, "many/%d", i);
        add_rule(f, RULE_DENY_READ, name, false);
    }
    must_begin(f);
    run(f, "rm many/777");
    until_tripped(f);
    assert_dropped(f, "one of many");
    assert_int_equal(f->guard.event_count, 1);
}

static void test_all_taken_away(void **state)
{
    struct fixture *f = *state;
    struct report report;
    run(f, "mkdir many && cd many && seq 100 | xargs touch");
    add_rule(f, RULE_WRITE, "", false);
    for (int i = 1; i <= 100; i++) {
        char name[32];
        snprintf(name, sizeof name, "many/%d", i);
        add_rule(f, RULE_DENY_READ, name, false);
    }
    must_begin(f);
    let_it_watch(f);
    run(f, "rm -rf many");
    until_tripped(f);
    assert_dropped(f, "all");
    assert_int_equal(f->guard.event_count, GUARD_EVENTS_MAX);
    assert_int_equal(f->guard.event_count + f->guard.events_more, 101); /* and the directory */
    report_init(&report);
    assert_int_equal(guard_report(&f->guard, &report, NULL), CORDON_OK);
    assert_int_equal(report.warning_count, GUARD_EVENTS_MAX + 1);
    report_release(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_dropped, setup, teardown),
        cmocka_unit_test_setup_teardown(test_dropped_at_the_end, setup, teardown),
        cmocka_unit_test_setup_teardown(test_dropped_while_watched, setup, teardown),
        cmocka_unit_test_setup_teardown(test_same_file_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_false_alarm, setup, teardown),
        cmocka_unit_test_setup_teardown(test_git_at_work, setup, teardown),
        cmocka_unit_test_setup_teardown(test_workspace_moved, setup, teardown),
        cmocka_unit_test_setup_teardown(test_workspace_in_a_root_moved, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many, setup, teardown),
        cmocka_unit_test_setup_teardown(test_all_taken_away, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
