/* test_policy_api.c - policies and boxes through the public API; what a box
 * explains is what a run enforces. */
#include "fixture.h"

#include <jansson.h>

static void has_a_version(void **state)
{
    (void)state;
    assert_string_equal(cordon_version(), CORDON_EXPECTED_VERSION);
}

static void refuses_bad_values(void **state)
{
    (void)state;
    struct cordon_policy *policy = default_policy();
    struct cordon_error err;
    fails_with(cordon_policy_set_network(policy, (enum cordon_network)1, &err), &err, "policy.list");
    fails_with(cordon_policy_set_profile(policy, (enum cordon_profile)9, &err), &err, "policy.list");
    fails_with(cordon_policy_set_tmp(policy, (enum cordon_tmp) - 1, &err), &err, "policy.list");
    fails_with(cordon_policy_set_limit(policy, (enum cordon_limit)5, 1, &err), &err, "policy.list");
    fails_with(cordon_policy_set_limit(policy, CORDON_LIMIT_WALL_SECONDS, UINT64_MAX, &err), &err,
               "policy.limit");
    fails_with(cordon_policy_allow_write(policy, "", &err), &err, "policy.list");
    fails_with(cordon_policy_allow_write(policy, NULL, &err), &err, "policy.list");
    fails_with(cordon_policy_protect(policy, "..", &err), &err, "policy.list");
    fails_with(cordon_policy_set_env(policy, "A=B", "c", &err), &err, "policy.list");
    fails_with(cordon_policy_set_env(policy, "A", NULL, &err), &err, "policy.list");
    fails_with(cordon_policy_set_workspace(policy, NULL, &err), &err, "policy.list");
    fails_with(cordon_policy_require(policy, "everything", &err), &err, "policy.facet");
    fails_with(cordon_policy_allow_degraded(policy, NULL, &err), &err, "policy.facet");
    assert_int_equal(cordon_policy_allow_write(policy, "", NULL), CORDON_E_INVALID);
    cordon_policy_free(policy);
    cordon_policy_free(NULL);
    cordon_box_free(NULL);
    cordon_process_close(NULL);
    cordon_text_free(NULL);
}

static void reads_files(void **state)
{
    (void)state;
    static const char good[] = "{\"version\": 1, \"limits\": {\"wall_seconds\": 600}}";
    static const char bad[] = "{\"version\": 1, \"colour\": 2}";
    struct cordon_policy *policy = default_policy();
    struct cordon_error err;
    fails_with(cordon_policy_parse(policy, bad, sizeof bad - 1, "bad.json", &err), &err, "policy.parse");
    assert_non_null(strstr(err.message, "bad.json"));
    fails_with(cordon_policy_load(policy, "no/such/file", &err), &err, "policy.read");
    succeeds(cordon_policy_load(policy, NULL, &err), &err); /* the user's own: there is none, which is fine */
    succeeds(cordon_policy_parse(policy, good, sizeof good - 1, "good.json", &err), &err);
    fails_with(cordon_policy_parse(policy, good, sizeof good - 1, "second.json", &err), &err, "policy.read");
    cordon_policy_free(policy);
}

static void fails_closed(void **state)
{
    (void)state;
    struct cordon_box *box = NULL;
    struct cordon_policy *policy = default_policy();
    struct cordon_error err;
    succeeds(cordon_policy_allow_write(policy, "missing", &err), &err);
    fails_with(cordon_prepare(policy, &box, &err), &err, "resolve.root");
    assert_int_equal(cordon_prepare(policy, &box, NULL), err.status);
    cordon_policy_free(policy);
    policy = default_policy();
    succeeds(cordon_policy_require(policy, "unix-dgram", &err), &err);
    fails_with(cordon_prepare(policy, &box, &err), &err, "facet.require");
    cordon_policy_free(policy);
    policy = default_policy();
    succeeds(cordon_policy_set_workspace(policy, "missing", &err), &err);
    fails_with(cordon_prepare(policy, &box, &err), &err, "resolve.workspace");
    cordon_policy_free(policy);
    assert_null(box);
}

static void has_no_side_effects(void **state)
{
    (void)state;
    struct cordon_box *box = box_of(default_policy());
    assert_int_equal(access("ws/.git", F_OK), -1);
    cordon_box_free(box);
    assert_int_equal(access("ws/.git", F_OK), -1);
}

/* A path is what it was when it was named, wherever the caller is later. */
static void keeps_relative_paths(void **state)
{
    (void)state;
    struct cordon_verdict verdict;
    struct cordon_error err;
    char path[4200], here[4096];
    assert_non_null(getcwd(here, sizeof here));
    mkdir("more", 0755);
    struct cordon_policy *policy = default_policy();
    succeeds(cordon_policy_allow_write(policy, "more", &err), &err);
    assert_int_equal(chdir("/"), 0);
    struct cordon_box *box = box_of(policy);
    snprintf(path, sizeof path, "%s/more/x", here);
    succeeds(cordon_box_explain(box, path, CORDON_CREATE, &verdict, &err), &err);
    assert_int_equal(chdir(here), 0);
    assert_true(verdict.allowed);
    assert_string_equal(verdict.origin, "cordon_policy_allow_write");
    cordon_box_free(box);
}

static const struct question {
    enum cordon_operation operation;
    const char *path, *script; /* succeeds when it is allowed */
} questions[] = {
    {CORDON_CREATE, "ws/new", "echo x >new && rm new"},
    {CORDON_WRITE, "ws/file", "echo x >>file"},
    {CORDON_REMOVE, "ws/file", "mv file f && mv f file"},
    {CORDON_CREATE, "ws/.git", "mv old .git || mkdir .git"},
    {CORDON_READ, "ws/.env", "cat .env"},
    {CORDON_WRITE, "ws/.env", "echo x >>.env"},
    {CORDON_REMOVE, "ws/.env", "rm .env"},
    {CORDON_READ, "ws/secret/key", "cat secret/key"},
    {CORDON_WRITE, "secrets", "echo x >>../secrets"},
    {CORDON_READ, "secrets", "cat ../secrets"},
    {CORDON_CREATE, "more/x", "echo x >../more/x && rm ../more/x"},
    {CORDON_CREATE, "beside", "echo x >../beside"},
    {CORDON_READ, "/etc/passwd", "cat /etc/passwd"},
    {CORDON_CREATE, "/usr/x", "echo x >/usr/x"},
};

static void explains_what_a_run_does(void **state)
{
    (void)state;
    struct cordon_error err;
    assert_int_equal(
        system("mkdir -p more ws/secret && echo x >secrets && echo x >ws/file && echo x >ws/.env "
               "&& echo x >ws/secret/key"),
        0);
    struct cordon_policy *policy = default_policy();
    succeeds(cordon_policy_allow_write(policy, "more", &err), &err);
    succeeds(cordon_policy_protect(policy, ".env", &err), &err);
    succeeds(cordon_policy_deny_read(policy, "ws/secret", &err), &err);
    struct cordon_box *box = box_of(policy);
    int allowed = 0;
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        struct cordon_verdict verdict;
        struct cordon_outcome outcome;
        char script[256];
        snprintf(script, sizeof script, "{ %s; } >/dev/null 2>&1", questions[i].script);
        succeeds(cordon_box_explain(box, questions[i].path, questions[i].operation, &verdict, &err), &err);
        free(run_script(box, script, &outcome));
        if (verdict.allowed != (outcome.status == 0))
            fail_msg("%s: explained %d (%s), done %d", questions[i].script, verdict.allowed, verdict.reason,
                     outcome.status);
        assert_true(verdict.reason[0] && (verdict.allowed || verdict.mechanism[0]));
        assert_true(!verdict.rule == !verdict.path && !verdict.rule == !verdict.origin);
        allowed += verdict.allowed;
    }
    assert_true(allowed > 3 && allowed < (int)(sizeof questions / sizeof *questions) - 3);
    fails_with(cordon_box_explain(box, "ws", (enum cordon_operation)4, &(struct cordon_verdict){0}, &err),
               &err, "explain.print");
    cordon_box_free(box);
    assert_int_equal(system("rm -r secrets more ws/.env ws/secret ws/file"), 0);
}

static void prints_the_plan(void **state)
{
    (void)state;
    struct cordon_box *box = box_of(default_policy());
    struct cordon_error err;
    char *text = NULL;
    succeeds(cordon_box_plan_json(box, &text, &err), &err);
    json_t *plan = json_loads(text, 0, NULL);
    assert_non_null(plan);
    assert_true(json_is_array(json_object_get(plan, "mounts")));
    json_decref(plan);
    cordon_text_free(text);
    cordon_box_free(box);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_a_version),
        cmocka_unit_test(refuses_bad_values),
        cmocka_unit_test(reads_files),
        cmocka_unit_test(fails_closed),
        cmocka_unit_test(has_no_side_effects),
        cmocka_unit_test(keeps_relative_paths),
        cmocka_unit_test(explains_what_a_run_does),
        cmocka_unit_test(prints_the_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
