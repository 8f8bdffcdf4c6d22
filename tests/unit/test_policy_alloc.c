/* test_policy_alloc.c - the policy without memory: every allocation fails once,
 * jansson's too; each time there is a clean error, nothing changed, no leak.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>

#include "core/policy.h"
#include "fail_alloc.h"

static const char rich[] =
    "{\"version\":1,\"profile\":\"open\",\"filesystem\":{\"write\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\","
    "\"g\","
    "\"h\",\"i\"],\"protect\":[\"p\"],\"unprotect\":[\".git\"],\"tmp\":\"fresh\"},"
    "\"network\":{\"mode\":\"off\",\"allow\":[\"a.example:1\"]},"
    "\"environment\":{\"inherit\":true,\"keep\":[\"K\"],\"set\":{\"A\":\"1\",\"B C\\\"D\":\"2\"}},"
    "\"limits\":{\"wall_seconds\":1}}";

/* What a run is about: a text, and what parsing it gives when memory lasts. */
struct parse_case {
    const char *text;
    cordon_status status;
};

static void expect(cordon_status status, cordon_status otherwise, const struct cordon_error *err)
{
    if (!fail_alloc.failed) {
        if (status != otherwise)
            fail_msg("status %d: %s", status, err->message);
        return;
    }
    /* jansson may take a failed allocation for a fault of the text: an error all the same. */
    assert_true(status == CORDON_E_NOMEM || status == CORDON_E_INVALID);
    assert_int_equal(err->status, status);
    assert_true(err->step[0] && err->message[0]);
    assert_null(strstr(err->message, ": ;")); /* no reason given */
}

static void run_parse(void *data)
{
    const struct parse_case *c = data;
    struct policy p;
    struct cordon_error err = {0};
    policy_init(&p);
    cordon_status status = policy_parse(&p, c->text, strlen(c->text), "p.json", &err);
    expect(status, c->status, &err);
    if (status == CORDON_OK) {
        policy_release(&p);
        return;
    }
    assert_string_equal(err.step, "policy.parse");
    for (size_t id = 0; id < LIST_COUNT_; id++)
        assert_null(p.lists[id].items);
    assert_null(p.profile_origin);
}

static void parsing_fails_cleanly(void **state)
{
    (void)state;
    struct parse_case cases[] = {
        {"{\"version\":1}", CORDON_OK},
        {"{\"version\":1,\"environment\":{\"set\":{\"A\":\"1\"},\"keep\":[\"K\"]},\"limits\":{\"processes\":"
         "1},"
         "\"filesystem\":{\"write\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\"],\"tmp\":"
         "\"fresh\"}}",
         CORDON_OK},
        {rich, CORDON_E_INVALID}, /* `B C"D` is no name */
        {"{\"version\":1,\"filesytem\":{}}", CORDON_E_INVALID},
        {"{\"version\":1,\"network\":{\"allow\":[\"*\"]}}", CORDON_E_INVALID},
        {"{\"version\":1,\"network\":{\"allow\":[1]}}", CORDON_E_INVALID},
        {"{\"version\":1,\"version\":1}", CORDON_E_INVALID},
        {"{\"version\":1", CORDON_E_INVALID},
        {"[]", CORDON_E_INVALID},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        long leaked;
        size_t failures = fail_each(run_parse, &cases[i], &leaked);
        assert_true(failures >= 4);
        if (leaked)
            fail_msg("%ld blocks are left of %s", leaked, cases[i].text);
    }
}

struct merge_case {
    struct policy file, options;
    cordon_status status;
};

static void run_merge(void *data)
{
    const struct merge_case *c = data;
    struct policy out;
    struct cordon_error err = {0};
    policy_init(&out);
    cordon_status status = policy_merge(&out, &c->file, &c->options, &err);
    expect(status, c->status, &err);
    if (fail_alloc.failed)
        assert_int_equal(status, CORDON_E_NOMEM);
    if (status != CORDON_OK)
        for (size_t id = 0; id < LIST_COUNT_; id++)
            assert_null(out.lists[id].items);
    policy_release(&out);
}

static void merging_fails_cleanly(void **state)
{
    (void)state;
    struct merge_case c = {.status = CORDON_OK};
    struct cordon_error err;
    static const char text[] =
        "{\"version\":1,\"profile\":\"open\",\"filesystem\":{\"write\":[\"a\"],\"unprotect\":[\".git\"],"
        "\"tmp\":\"fresh\"},\"network\":{\"mode\":\"off\"},\"environment\":{\"inherit\":true,"
        "\"set\":{\"A\":\"1\"}},\"limits\":{\"wall_seconds\":1}}";
    long leaked;
    policy_init(&c.file);
    policy_init(&c.options);
    assert_int_equal(policy_parse(&c.file, text, sizeof text - 1, "p.json", &err), CORDON_OK);
    assert_int_equal(policy_add(&c.options, LIST_NET_ALLOW, "a", "option", BASE_CWD, &err), CORDON_OK);
    assert_int_equal(policy_parse_env(&c.options, "A=2", "option", &err), CORDON_OK);
    assert_true(fail_each(run_merge, &c, &leaked) >= 60);
    assert_int_equal(leaked, 0);

    /* The error that lists names needs memory itself. */
    assert_int_equal(policy_add(&c.options, LIST_UNPROTECT, "x", "option", BASE_CWD, &err), CORDON_OK);
    c.status = CORDON_E_INVALID;
    assert_true(fail_each(run_merge, &c, &leaked) >= 60);
    assert_int_equal(leaked, 0);
    policy_release(&c.file);
    policy_release(&c.options);
}

static void run_copy(void *data)
{
    const struct merge_case *c = data;
    struct policy out;
    struct cordon_error err = {0};
    policy_init(&out);
    cordon_status status = policy_copy(&out, &c->file, &err);
    expect(status, CORDON_OK, &err);
    if (status != CORDON_OK)
        for (size_t id = 0; id < LIST_COUNT_; id++)
            assert_null(out.lists[id].items);
    policy_release(&out);
}

static void copying_fails_cleanly(void **state)
{
    (void)state;
    struct merge_case c = {.status = CORDON_OK};
    struct cordon_error err;
    long leaked;
    policy_init(&c.file);
    assert_int_equal(policy_merge(&c.file, NULL, NULL, &err), CORDON_OK);
    assert_true(fail_each(run_copy, &c, &leaked) >= 30);
    assert_int_equal(leaked, 0);
    policy_release(&c.file);
}

static void run_arguments(void *data)
{
    (void)data;
    struct policy p;
    struct cordon_error err = {0};
    policy_init(&p);
    cordon_status status = policy_parse_limits(&p, "wall=1,cpu=2,file=3", "option --limit", &err);
    if (status != CORDON_OK)
        for (size_t id = 0; id < LIMIT_COUNT_; id++)
            assert_true(!p.limits[id].origin && p.limits[id].value == 0);
    if (status == CORDON_OK)
        status = policy_parse_env(&p, "K", "option --env", &err);
    if (status == CORDON_OK)
        status = policy_add(&p, LIST_WRITE, "a", "option --write", BASE_CWD, &err);
    if (status != CORDON_OK)
        assert_int_equal(p.lists[LIST_WRITE].count, 0);
    expect(status, CORDON_OK, &err);
    if (fail_alloc.failed)
        assert_int_equal(status, CORDON_E_NOMEM);
    policy_release(&p);
}

static void options_fail_cleanly(void **state)
{
    (void)state;
    long leaked;
    assert_true(fail_each(run_arguments, NULL, &leaked) >= 20);
    assert_int_equal(leaked, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parsing_fails_cleanly),
        cmocka_unit_test(merging_fails_cleanly),
        cmocka_unit_test(copying_fails_cleanly),
        cmocka_unit_test(options_fail_cleanly),
    };
    json_set_alloc_funcs(malloc, free); /* the wrapped ones */
    json_object_seed(1);                /* once, now: no file is opened later */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
