/* test_env.c - which variables the command gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/env.h"
#include "core/limits.h"

/* A policy by hand: only what env_build reads. Each list is NULL-terminated, or NULL. */
struct fixture {
    struct policy policy;
    struct policy_entry entries[3][8];
};

static void fill(struct fixture *f, enum policy_list_id id, size_t row, const char *const *values)
{
    struct policy_list *list = &f->policy.lists[id];
    list->items = f->entries[row];
    for (; values && values[list->count]; list->count++)
        f->entries[row][list->count].value = (char *)(uintptr_t)values[list->count];
}

static void setup(struct fixture *f, bool inherit, const char *const *keep, const char *const *removed,
                  const char *const *set)
{
    memset(f, 0, sizeof *f);
    f->policy.env_inherit = inherit;
    fill(f, LIST_ENV_KEEP, 0, keep);
    fill(f, LIST_ENV_REMOVE, 1, removed);
    fill(f, LIST_ENV_SET, 2, set);
}

#define NAMES(...)                                                                                           \
    (const char *const[])                                                                                    \
    {                                                                                                        \
        __VA_ARGS__, NULL                                                                                    \
    }
static const char *const none[] = {NULL};

/* The items as one string, "A=1;B=2;", removed names behind a bar. */
static void expect(const struct policy *policy, const char *const *in, const char *const *extra,
                   int fold_case, const char *wanted)
{
    struct env_list list;
    struct cordon_error err = {0};
    env_list_init(&list);
    if (env_build(&list, policy, (char *const *)(uintptr_t)in, (char *const *)(uintptr_t)extra, fold_case,
                  &err))
        fail_msg("%s", err.message);
    struct buf text = BUF_INIT;
    for (size_t i = 0; i < list.count; i++)
        buf_add_format(&text, "%s;", list.items[i]);
    buf_add_char(&text, '|');
    for (size_t i = 0; i < list.removed_count; i++)
        buf_add_format(&text, "%s;", list.removed[i]);
    assert_null(list.items[list.count]);
    assert_null(list.removed[list.removed_count]);
    assert_string_equal(text.data, wanted);
    buf_release(&text);
    env_list_release(&list);
    env_list_release(&list); /* tolerated */
}

static void inherits_in_order(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f, true, NULL, NULL, NULL);
    expect(&f.policy, NAMES("B=2", "A=1", "C=", "D=x=y"), NULL, 0, "B=2;A=1;C=;D=x=y;|");
    expect(&f.policy, none, none, 0, "|");
}

static void drops_malformed_and_duplicates(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f, true, NULL, NULL, NULL);
    expect(&f.policy, NAMES("A", "", "=x", "=C:=C:\\a", "A=1", "A=2", "AB=3", "a=4"), NULL, 0,
           "A=1;AB=3;a=4;|");
    expect(&f.policy, NAMES("Path=1", "PATH=2", "\xc3\x84=3", "\xc3\xa4=4"), NULL, 1, "Path=1;\xc3\x84=3;|");
}

static void removes_secrets_unless_kept(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f, true, NAMES("GH_TOKEN", "AWS_R*"), NAMES("*_TOKEN", "*_SECRET*", "AWS_*", "SSH_AUTH_SOCK"),
          NULL);
    expect(&f.policy,
           NAMES("GH_TOKEN=1", "NPM_TOKEN=2", "AWS_REGION=eu", "AWS_KEY=3", "SSH_AUTH_SOCK=/s",
                 "MY_SECRETS=4", "gh_token=5", "X_TOKENS=6", "HOME=/h", "_TOKEN=7"),
           NULL, 0,
           "GH_TOKEN=1;AWS_REGION=eu;gh_token=5;X_TOKENS=6;HOME=/"
           "h;|NPM_TOKEN;AWS_KEY;SSH_AUTH_SOCK;MY_SECRETS;_TOKEN;");
    setup(&f, true, NAMES("keep_token"), NAMES("*_token"), NULL);
    expect(&f.policy, NAMES("A_Token=1", "KEEP_TOKEN=2"), NULL, 1, "KEEP_TOKEN=2;|A_Token;");
    expect(&f.policy, NAMES("A_Token=1", "KEEP_token=2"), NULL, 0, "A_Token=1;|KEEP_token;");
    /* A second entry of a removed name does not slip through. */
    setup(&f, true, NULL, NAMES("S"), NULL);
    expect(&f.policy, NAMES("S=1", "S=2", "T=3"), NULL, 0, "T=3;|S;S;");
    setup(&f, true, NULL, NAMES("*"), NAMES("A=new"));
    expect(&f.policy, NAMES("A=1", "B=2"), NULL, 0, "A=new;|A;B;");
}

static void without_inheritance_only_keep(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f, false, NAMES("LC_*", "HOME"), NAMES("HOME", "PATH"), NULL);
    expect(&f.policy, NAMES("HOME=/h", "PATH=/bin", "LC_ALL=C", "X=1"), NULL, 0, "HOME=/h;LC_ALL=C;|");
}

static void extra_yields_to_the_user(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f, true, NAMES("GOCACHE", "XDG_*", "ABSENT"), NAMES("TMPDIR"), NAMES("CCACHE_DIR=/mine"));
    expect(&f.policy, NAMES("GOCACHE=/g", "XDG_CACHE_HOME=/x", "TMPDIR=/t", "CCACHE_DIR=/c", "Z=1"),
           NAMES("GOCACHE=/p/g", "XDG_CACHE_HOME=/p/x", "TMPDIR=/tmp", "CCACHE_DIR=/p/c", "NEW=/p/n",
                 "ABSENT=/p"),
           0, "GOCACHE=/g;XDG_CACHE_HOME=/p/x;CCACHE_DIR=/mine;Z=1;TMPDIR=/tmp;NEW=/p/n;|TMPDIR;");
    setup(&f, true, NAMES("gocache"), NULL, NULL);
    expect(&f.policy, NAMES("GoCache=/g"), NAMES("GOCACHE=/p"), 1, "GoCache=/g;|");
    expect(&f.policy, NAMES("GoCache=/g"), NAMES("GOCACHE=/p"), 0, "GoCache=/g;GOCACHE=/p;|");
}

static void set_wins(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f, true, NULL, NAMES("*_TOKEN"), NAMES("A=new", "B=x=y", "A=newer", "MY_TOKEN=given", "E="));
    expect(&f.policy, NAMES("A=old", "C=3", "MY_TOKEN=old"), NAMES("B=extra"), 0,
           "A=newer;C=3;B=x=y;MY_TOKEN=given;E=;|MY_TOKEN;");
    setup(&f, true, NULL, NULL, NAMES("path=new"));
    expect(&f.policy, NAMES("Path=old"), NULL, 1, "path=new;|");
    expect(&f.policy, NAMES("Path=old"), NULL, 0, "Path=old;path=new;|");
}

static void many_names_stay_apart(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    struct fixture f;
    setup(&f, true, NULL, NULL, NULL);
    char **in = calloc(COUNT + 1, sizeof *in);
    assert_non_null(in);
    for (int i = 0; i < COUNT; i++) {
        in[i] = string_format("V%d=%d", i % (COUNT / 2), i);
        assert_non_null(in[i]);
    }
    struct env_list list;
    env_list_init(&list);
    assert_int_equal(env_build(&list, &f.policy, in, NULL, 0, NULL), CORDON_OK);
    assert_int_equal(list.count, COUNT / 2);
    for (size_t i = 0; i < list.count; i++)
        assert_string_equal(list.items[i], in[i]);
    env_list_release(&list);
    for (int i = 0; i < COUNT; i++)
        free(in[i]);
    free(in);
}

static void expect_failure(const struct policy *policy, char *const *in, const char *const *extra,
                           cordon_status status, const char *words)
{
    char *item = NULL;
    struct env_list list = {&item, 7, &item, 7};
    struct cordon_error err = {0};
    assert_int_equal(env_build(&list, policy, in, (char *const *)(uintptr_t)extra, 0, &err), status);
    assert_string_equal(err.step, "env.build");
    assert_non_null(strstr(err.message, words));
    assert_ptr_equal(list.items, &item); /* untouched */
    assert_int_equal(list.count, 7);
}

static void failures(void **state)
{
    (void)state;
    struct fixture f;
    static char *nothing[] = {NULL};
    setup(&f, true, NULL, NULL, NAMES("A=1", "NOVALUE"));
    f.entries[2][1].origin = (char *)(uintptr_t) "option --env";
    expect_failure(&f.policy, nothing, NULL, CORDON_E_INVALID, "'NOVALUE' (option --env)");
    setup(&f, true, NULL, NULL, NAMES("=x"));
    expect_failure(&f.policy, nothing, NULL, CORDON_E_INVALID, "KEY=VALUE");
    setup(&f, true, NULL, NULL, NULL);
    expect_failure(&f.policy, nothing, NAMES("X"), CORDON_E_INVALID, "KEY=VALUE");

    char **in = calloc(LIMIT_ENV_ENTRIES + 2, sizeof *in);
    assert_non_null(in);
    static char same[] = "A=1";
    for (size_t i = 0; i <= LIMIT_ENV_ENTRIES; i++)
        in[i] = same;
    expect_failure(&f.policy, in, NULL, CORDON_E_LIMIT, "entries");
    free(in);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(inherits_in_order),           cmocka_unit_test(drops_malformed_and_duplicates),
        cmocka_unit_test(removes_secrets_unless_kept), cmocka_unit_test(without_inheritance_only_keep),
        cmocka_unit_test(extra_yields_to_the_user),    cmocka_unit_test(set_wins),
        cmocka_unit_test(many_names_stay_apart),       cmocka_unit_test(failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
