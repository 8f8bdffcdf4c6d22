/* test_policy.c - lists, words, limits, and how layers merge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/limits.h"
#include "core/policy.h"

struct layers {
    struct policy file, options, merged;
    struct cordon_error err;
};

static void layers_init(struct layers *l)
{
    memset(l, 0, sizeof *l);
    policy_init(&l->file);
    policy_init(&l->options);
    policy_init(&l->merged);
}

static void layers_release(struct layers *l)
{
    policy_release(&l->file);
    policy_release(&l->options);
    policy_release(&l->merged);
}

static void add(struct policy *layer, enum policy_list_id list, const char *value)
{
    struct cordon_error err = {0};
    const char *origin = "test";
    if (policy_add(layer, list, value, origin, BASE_CWD, &err))
        fail_msg("%s: %s", err.step, err.message);
}

static void merge(struct layers *l)
{
    if (policy_merge(&l->merged, &l->file, &l->options, &l->err))
        fail_msg("%s: %s", l->err.step, l->err.message);
}

/* A list as one string, "a b ". */
static const char *joined(const struct policy *p, enum policy_list_id id)
{
    static char text[512];
    struct buf b = BUF_INIT;
    for (size_t i = 0; i < p->lists[id].count; i++)
        buf_add_format(&b, "%s ", p->lists[id].items[i].value);
    snprintf(text, sizeof text, "%s", b.data ? b.data : "");
    buf_release(&b);
    return text;
}

static void expect_error(const struct cordon_error *err, cordon_status status, const char *step,
                         const char *words)
{
    assert_int_equal(err->status, status);
    assert_string_equal(err->step, step);
    if (!strstr(err->message, words))
        fail_msg("`%s` is not in: %s", words, err->message);
}

/* -- lists ---------------------------------------------------------------- */

static void copies_what_is_added(void **state)
{
    (void)state;
    struct policy p;
    struct cordon_error err = {0};
    char value[] = "out", origin[] = "option --write";
    policy_init(&p);
    assert_int_equal(policy_add(&p, LIST_WRITE, value, origin, BASE_CWD, &err), CORDON_OK);
    value[0] = origin[0] = 'X';
    assert_int_equal(p.lists[LIST_WRITE].count, 1);
    assert_string_equal(p.lists[LIST_WRITE].items[0].value, "out");
    assert_string_equal(p.lists[LIST_WRITE].items[0].origin, "option --write");
    assert_int_equal(p.lists[LIST_WRITE].items[0].base, BASE_CWD);
    policy_release(&p);
    policy_release(&p); /* tolerated */
    assert_int_equal(p.lists[LIST_WRITE].count, 0);
}

static void refuses_bad_entries(void **state)
{
    (void)state;
    static const struct {
        enum policy_list_id list;
        const char *value, *words;
    } cases[] = {
        {LIST_WRITE, "", "names nothing"},
        {LIST_ENV_KEEP, "", "names nothing"},
        {LIST_WRITE, "${worksapce}", "`${worksapce}`: want ${workspace} or ${home}"},
        {LIST_WRITE, "${", "${workspace}"},
        {LIST_WRITE, "a/${home}", "only at the start"},
        {LIST_READ, "${workspace}b", "before a /"},
        {LIST_DENY_READ, "${home}/${workspace}", "only at the start"},
        {LIST_WRITE, "${tmp}/a", "${tmp} alone"},
        {LIST_WRITE, "${workspace}\\a", "before a /"},
        {LIST_WRITE, "${HOME}", "want ${workspace}"},
        {LIST_COW, "$x${tmp}", "only at the start"},
        {LIST_UNIX_SOCKETS, "${uid}", "want ${workspace}"},
        {LIST_PROTECT, "${nothing}", "want ${workspace}"},
        {LIST_PROTECT, ".", "want a name such as .git"},
        {LIST_PROTECT, "..", "want a name such as .git"},
        {LIST_PROTECT, "./", "want a name such as .git"},
        {LIST_PROTECT, "../..", "want a name such as .git"},
        {LIST_PROTECT, ".//./", "want a name such as .git"},
        {LIST_UNPROTECT, ".", "want a name such as .git"},
        {LIST_UNPROTECT, "..", "want a name such as .git"},
        {LIST_NET_ALLOW, "::1", "[an IPv6 address]"},
        {LIST_NET_DENY, "*", "want host, *.host"},
        {LIST_ENV_KEEP, "A=B", "without `=`"},
        {LIST_ENV_REMOVE, "A B", "spaces"},
        {LIST_ENV_REMOVE, "A\nB", "control characters"},
        {LIST_ENV_SET, "A", "NAME=VALUE"},
        {LIST_ENV_SET, "=A", "NAME=VALUE"},
        {LIST_ENV_SET, "A\x7f=B", "control characters"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct policy p;
        struct cordon_error err = {0};
        policy_init(&p);
        if (policy_add(&p, cases[i].list, cases[i].value, "option --x", BASE_CWD, &err) == CORDON_OK)
            fail_msg("`%s` was taken", cases[i].value);
        expect_error(&err, CORDON_E_INVALID, "policy.list", cases[i].words);
        assert_memory_equal(err.message, "option --x: ", 12);
        assert_int_equal(p.lists[cases[i].list].count, 0);
        policy_release(&p);
    }
}

static void takes_good_entries(void **state)
{
    (void)state;
    static const struct {
        enum policy_list_id list;
        const char *value;
    } cases[] = {
        {LIST_WRITE, "${workspace}"},
        {LIST_WRITE, "${workspace}/a b"},
        {LIST_WRITE, "${tmp}"},
        {LIST_WRITE, "${home}/x"},
        {LIST_WRITE, "~"},
        {LIST_WRITE, "~/x"},
        {LIST_WRITE, "."},
        {LIST_WRITE, ".."},
        {LIST_WRITE, "a\nb"},
        {LIST_WRITE, "\xff"},
        {LIST_WRITE, "$HOME"},
        {LIST_WRITE, "a$"},
        {LIST_DENY_READ, "**/.env"},
        {LIST_PROTECT, ".git"},
        {LIST_PROTECT, "..."},
        {LIST_PROTECT, ".a"},
        {LIST_PROTECT, "../x"},
        {LIST_PROTECT, "./.git"},
        {LIST_ENV_KEEP, "*"},
        {LIST_ENV_REMOVE, "ProgramFiles(x86)"},
        {LIST_ENV_SET, "A="},
        {LIST_ENV_SET, "A=${x}=\n"},
        {LIST_NET_ALLOW, "a.example"},
        {LIST_NET_DENY, "[::1]:80"},
    };
    struct policy p;
    policy_init(&p);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        add(&p, cases[i].list, cases[i].value);
    policy_release(&p);
}

static void caps_lists_and_strings(void **state)
{
    (void)state;
    struct layers l;
    layers_init(&l);
    for (size_t i = 0; i < LIMIT_LIST_ENTRIES; i++)
        add(&l.options, LIST_WRITE, "a");
    assert_int_equal(policy_add(&l.options, LIST_WRITE, "b", "option --write", BASE_CWD, &l.err),
                     CORDON_E_LIMIT);
    expect_error(&l.err, CORDON_E_LIMIT, "policy.list", "option --write: more than 8192 entries");
    assert_int_equal(l.options.lists[LIST_WRITE].count, LIMIT_LIST_ENTRIES);

    /* With the defaults it is too much. */
    assert_int_equal(policy_merge(&l.merged, NULL, &l.options, &l.err), CORDON_E_LIMIT);
    assert_null(l.merged.profile_origin);
    assert_int_equal(l.merged.lists[LIST_WRITE].count, 0);

    char *text = malloc(LIMIT_STRING_BYTES + 2);
    memset(text, 'x', LIMIT_STRING_BYTES + 1);
    text[LIMIT_STRING_BYTES + 1] = '\0';
    assert_int_equal(policy_add(&l.file, LIST_WRITE, text, "option --write", BASE_CWD, &l.err),
                     CORDON_E_LIMIT);
    expect_error(&l.err, CORDON_E_LIMIT, "policy.list", "want at most 32768 bytes");
    text[LIMIT_STRING_BYTES] = '\0';
    add(&l.file, LIST_WRITE, text);
    free(text);
    layers_release(&l);
}

/* A message that quotes a setting must not show a secret. */
static void keeps_values_of_set_to_itself(void **state)
{
    (void)state;
    struct policy p;
    struct cordon_error err = {0};
    char text[LIMIT_STRING_BYTES + 20] = "KEY=hunter2";
    policy_init(&p);
    memset(text + 11, 'x', LIMIT_STRING_BYTES);
    assert_int_equal(policy_parse_env(&p, text, "option --env", &err), CORDON_E_LIMIT);
    expect_error(&err, CORDON_E_LIMIT, "policy.env", "option --env: `KEY...`");
    assert_null(strstr(err.message, "hunter2"));
    assert_int_equal(policy_parse_env(&p, "A B=hunter2", "option --env", &err), CORDON_E_INVALID);
    assert_null(strstr(err.message, "hunter2"));
    policy_release(&p);
}

/* -- words ---------------------------------------------------------------- */

static void words_go_both_ways(void **state)
{
    (void)state;
    enum policy_profile profile;
    enum policy_tmp tmp;
    enum policy_net net;
    for (int i = 0; i < 3; i++) {
        assert_true(policy_profile_parse(policy_profile_name((enum policy_profile)i), &profile));
        assert_int_equal(profile, i);
        assert_true(policy_tmp_parse(policy_tmp_name((enum policy_tmp)i), &tmp));
        assert_int_equal(tmp, i);
        assert_true(policy_net_parse(policy_net_name((enum policy_net)i), &net));
        assert_int_equal(net, i);
    }
    /* Zero is the most restrictive. */
    assert_string_equal(policy_profile_name((enum policy_profile)0), "read-only");
    assert_string_equal(policy_tmp_name((enum policy_tmp)0), "fresh");
    assert_string_equal(policy_net_name((enum policy_net)0), "off");
    assert_false(policy_profile_parse("Open", &profile));
    assert_false(policy_profile_parse("", &profile));
    assert_false(policy_tmp_parse("workspace ", &tmp));
    assert_false(policy_net_parse("o", &net));
    assert_string_equal(policy_limit_name(LIMIT_FILE_BYTES), "file");
    assert_string_equal(policy_limit_key(LIMIT_WALL_SECONDS), "wall_seconds");
    assert_string_equal(policy_list_key(LIST_UNIX_SOCKETS), "network.unix_sockets");
    assert_true(policy_is_facet("tree-kill"));
    assert_false(policy_is_facet("tree"));
    assert_false(policy_is_facet(""));
}

/* -- limits and environment ----------------------------------------------- */

static void parses_limits(void **state)
{
    (void)state;
    struct policy p;
    struct cordon_error err = {0};
    policy_init(&p);
    assert_int_equal(
        policy_parse_limits(&p, "wall=10m,memory=2G,processes=256,cpu=2h,file=1K", "option --limit", &err),
        CORDON_OK);
    assert_int_equal(p.limits[LIMIT_WALL_SECONDS].value, 600);
    assert_int_equal(p.limits[LIMIT_MEMORY_BYTES].value, 2ull << 30);
    assert_int_equal(p.limits[LIMIT_PROCESSES].value, 256);
    assert_int_equal(p.limits[LIMIT_CPU_SECONDS].value, 7200);
    assert_int_equal(p.limits[LIMIT_FILE_BYTES].value, 1024);
    assert_string_equal(p.limits[LIMIT_FILE_BYTES].origin, "option --limit");

    /* Said again, the later counts; what is not named stays. */
    assert_int_equal(policy_parse_limits(&p, "wall=3,file=8191T", "again", &err), CORDON_OK);
    assert_int_equal(p.limits[LIMIT_WALL_SECONDS].value, 3);
    assert_string_equal(p.limits[LIMIT_WALL_SECONDS].origin, "again");
    assert_int_equal(p.limits[LIMIT_FILE_BYTES].value, 8191ull << 40);
    assert_int_equal(p.limits[LIMIT_PROCESSES].value, 256);
    assert_int_equal(policy_parse_limits(&p, "cpu=30s", "again", &err), CORDON_OK);
    assert_int_equal(p.limits[LIMIT_CPU_SECONDS].value, 30);
    policy_release(&p);
}

static void refuses_bad_limits(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"", "`` is no limit; want wall="},
        {"wall", "`wall` is no limit"},
        {"walls=1", "`walls` is no limit"},
        {"Wall=1", "is no limit"},
        {"wall=1,", "`` is no limit"},
        {",wall=1", "`` is no limit"},
        {"wall=", "wall=: want a whole number from 1, alone or with s, m or h, at most 2147483647 seconds"},
        {"wall=0", "from 1"},
        {"wall=00h", "from 1"},
        {"wall=-1", "whole number"},
        {"wall=+1", "whole number"},
        {"wall= 1", "whole number"},
        {"wall=1.5h", "whole number"},
        {"wall=1e3", "whole number"},
        {"wall=1d", "with s, m or h"},
        {"wall=1mm", "with s, m or h"},
        {"wall=1K", "with s, m or h"},
        {"wall=m", "whole number"},
        {"wall=2147483648", "at most 2147483647"},
        {"wall=596524h", "at most 2147483647"},
        {"cpu=99999999999999999999999999", "at most 2147483647"},
        {"memory=1k", "with K, M, G or T"},
        {"memory=1s", "with K, M, G or T"},
        {"memory=8192T", "at most 9007199254740991 bytes"},
        {"memory=18446744073709551616", "at most"},
        {"memory=18446744073709551617K", "at most"},
        {"file=1KB", "with K, M, G or T"},
        {"processes=1K", "want a whole number from 1, at most 4194304"},
        {"processes=4194305", "at most 4194304"},
        {"wall=1,wall=2", "wall= is given twice"},
        {"wall=1,cpu=x", "cpu=x"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct policy p;
        struct cordon_error err = {0};
        policy_init(&p);
        if (policy_parse_limits(&p, cases[i].text, "option --limit", &err) == CORDON_OK)
            fail_msg("`%s` was taken", cases[i].text);
        expect_error(&err, CORDON_E_INVALID, "policy.limit", cases[i].words);
        for (size_t id = 0; id < LIMIT_COUNT_; id++) /* also what came before the fault */
            assert_true(p.limits[id].value == 0 && !p.limits[id].origin);
        policy_release(&p);
    }
}

static void takes_the_largest_limits(void **state)
{
    (void)state;
    for (size_t id = 0; id < LIMIT_COUNT_; id++) {
        struct policy p;
        char text[64];
        struct cordon_error err = {0};
        uint64_t most = policy_limit_max((enum policy_limit)id);
        policy_init(&p);
        for (uint64_t over = 0; over < 2; over++) {
            snprintf(text, sizeof text, "%s=%llu", policy_limit_name((enum policy_limit)id),
                     (unsigned long long)(most + over));
            assert_int_equal(policy_parse_limits(&p, text, "x", &err), over ? CORDON_E_INVALID : CORDON_OK);
            assert_int_equal(p.limits[id].value, most);
        }
        policy_release(&p);
    }
}

static void parses_env_arguments(void **state)
{
    (void)state;
    struct policy p;
    struct cordon_error err = {0};
    policy_init(&p);
    assert_int_equal(policy_parse_env(&p, "LC_*", "option --env", &err), CORDON_OK);
    assert_int_equal(policy_parse_env(&p, "A=b=c", "option --env", &err), CORDON_OK);
    assert_int_equal(policy_parse_env(&p, "E=", "option --env", &err), CORDON_OK);
    assert_string_equal(joined(&p, LIST_ENV_KEEP), "LC_* ");
    assert_string_equal(joined(&p, LIST_ENV_SET), "A=b=c E= ");
    static const char *const bad[] = {"", "=x", "A B", "A\tB=x", "\x01"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(policy_parse_env(&p, bad[i], "option --env", &err), CORDON_E_INVALID);
        expect_error(&err, CORDON_E_INVALID, "policy.env", "option --env: ");
    }
    assert_int_equal(p.lists[LIST_ENV_KEEP].count, 1);
    assert_int_equal(p.lists[LIST_ENV_SET].count, 2);
    policy_release(&p);
}

/* -- merging -------------------------------------------------------------- */

static void has_the_promised_defaults(void **state)
{
    (void)state;
    struct policy p;
    struct cordon_error err = {0};
    policy_init(&p);
    assert_int_equal(policy_merge(&p, NULL, NULL, &err), CORDON_OK);
    assert_int_equal(p.profile, PROFILE_WORKSPACE);
    assert_int_equal(p.tmp, TMP_WORKSPACE);
    assert_int_equal(p.net, NET_OFF);
    assert_true(p.env_inherit);
    assert_string_equal(joined(&p, LIST_WRITE), "${workspace} ${tmp} ");
    assert_string_equal(joined(&p, LIST_PROTECT), ".git .codex .agents .cordon ");
    assert_string_equal(joined(&p, LIST_ENV_REMOVE),
                        "*_TOKEN *_SECRET* *_API_KEY *_PASSWORD AWS_* SSH_AUTH_SOCK DOCKER_HOST DBUS_* ");
    for (size_t id = 0; id < LIST_COUNT_; id++) {
        if (id != LIST_WRITE && id != LIST_PROTECT && id != LIST_ENV_REMOVE)
            assert_int_equal(p.lists[id].count, 0);
        for (size_t i = 0; i < p.lists[id].count; i++)
            assert_string_equal(p.lists[id].items[i].origin, "default (profile workspace)");
    }
    for (size_t id = 0; id < LIMIT_COUNT_; id++)
        assert_true(p.limits[id].value == 0 && !p.limits[id].origin);
    assert_string_equal(p.profile_origin, "default (profile workspace)");
    assert_string_equal(p.net_origin, "default (profile workspace)");
    assert_string_equal(p.tmp_origin, "default (profile workspace)");
    assert_string_equal(p.env_inherit_origin, "default (profile workspace)");
    policy_release(&p);
}

static void choose(struct policy *layer, enum policy_profile profile, const char *origin)
{
    layer->profile = profile;
    layer->profile_origin = string_copy(origin);
}

static void profiles_differ_in_their_defaults(void **state)
{
    (void)state;
    struct layers l;
    layers_init(&l);
    choose(&l.file, PROFILE_READ_ONLY, "file");
    merge(&l);
    assert_string_equal(joined(&l.merged, LIST_WRITE), "${tmp} ");
    assert_int_equal(l.merged.net, NET_OFF);
    assert_string_equal(l.merged.profile_origin, "file");
    assert_string_equal(l.merged.net_origin, "default (profile read-only)");

    choose(&l.options, PROFILE_OPEN, "option --profile"); /* beats the file's */
    merge(&l);
    assert_string_equal(joined(&l.merged, LIST_WRITE), "${workspace} ${tmp} ");
    assert_int_equal(l.merged.net, NET_ON);
    assert_string_equal(l.merged.profile_origin, "option --profile");
    assert_string_equal(l.merged.net_origin, "default (profile open)");

    /* A mode that is said beats the profile's, wherever the profile comes from. */
    l.file.net = NET_OFF;
    l.file.net_origin = string_copy("file: $.network.mode");
    merge(&l);
    assert_int_equal(l.merged.net, NET_OFF);
    assert_string_equal(l.merged.net_origin, "file: $.network.mode");
    layers_release(&l);
}

static void later_scalars_win(void **state)
{
    (void)state;
    struct layers l;
    layers_init(&l);
    l.file.tmp = TMP_SHARED;
    l.file.tmp_origin = string_copy("file");
    l.file.env_inherit = false;
    l.file.env_inherit_origin = string_copy("file");
    l.file.limits[LIMIT_CPU_SECONDS] = (struct policy_number){5, string_copy("file")};
    l.file.limits[LIMIT_WALL_SECONDS] = (struct policy_number){7, string_copy("file")};
    l.options.tmp = TMP_FRESH;
    l.options.tmp_origin = string_copy("option --tmp");
    l.options.limits[LIMIT_CPU_SECONDS] = (struct policy_number){0, string_copy("options")};
    merge(&l);
    assert_int_equal(l.merged.tmp, TMP_FRESH);
    assert_string_equal(l.merged.tmp_origin, "option --tmp");
    assert_false(l.merged.env_inherit);
    assert_string_equal(l.merged.env_inherit_origin, "file");
    assert_int_equal(l.merged.limits[LIMIT_CPU_SECONDS].value, 0);
    assert_string_equal(l.merged.limits[LIMIT_CPU_SECONDS].origin, "options");
    assert_int_equal(l.merged.limits[LIMIT_WALL_SECONDS].value, 7);
    layers_release(&l);
}

static void lists_add(void **state)
{
    (void)state;
    struct layers l;
    layers_init(&l);
    add(&l.file, LIST_WRITE, "a");
    add(&l.options, LIST_WRITE, "b");
    add(&l.options, LIST_WRITE, "a");
    add(&l.file, LIST_PROTECT, "Makefile");
    add(&l.file, LIST_DENY_READ, "~/.ssh");
    merge(&l);
    assert_string_equal(joined(&l.merged, LIST_WRITE), "${workspace} ${tmp} a b a ");
    assert_string_equal(joined(&l.merged, LIST_PROTECT), ".git .codex .agents .cordon Makefile ");
    assert_string_equal(joined(&l.merged, LIST_DENY_READ), "~/.ssh ");
    assert_int_equal(l.merged.lists[LIST_WRITE].items[3].base, BASE_CWD);
    assert_int_equal(l.merged.lists[LIST_WRITE].items[0].base, BASE_WORKSPACE);
    layers_release(&l);
}

static void unprotect_removes_by_name(void **state)
{
    (void)state;
    struct layers l;
    layers_init(&l);
    add(&l.file, LIST_PROTECT, "Makefile");
    add(&l.file, LIST_PROTECT, "Makefile");
    add(&l.file, LIST_UNPROTECT, ".codex");
    add(&l.options, LIST_UNPROTECT, "Makefile"); /* what the file added; both of them */
    add(&l.options, LIST_UNPROTECT, ".codex");   /* gone already: no error */
    merge(&l);
    assert_string_equal(joined(&l.merged, LIST_PROTECT), ".git .agents .cordon ");
    layers_release(&l);
}

/* Who protects something on the command line means it, whatever the file drops. */
static void a_later_protect_holds(void **state)
{
    (void)state;
    struct layers l;
    layers_init(&l);
    add(&l.file, LIST_UNPROTECT, ".git");
    add(&l.options, LIST_PROTECT, ".git");
    merge(&l);
    assert_string_equal(joined(&l.merged, LIST_PROTECT), ".codex .agents .cordon .git ");
    layers_release(&l);
}

static void unprotect_of_nothing_is_an_error(void **state)
{
    (void)state;
    struct layers l;
    layers_init(&l);
    add(&l.options, LIST_PROTECT, "later");
    add(&l.file, LIST_UNPROTECT, "later"); /* the file cannot mean what options will say */
    assert_int_equal(policy_merge(&l.merged, &l.file, &l.options, &l.err), CORDON_E_INVALID);
    expect_error(&l.err, CORDON_E_INVALID, "policy.unprotect",
                 "test: `later` is not protected; protected are: .git, .codex, .agents, .cordon");
    assert_null(l.merged.profile_origin);

    policy_release(&l.file);
    add(&l.file, LIST_UNPROTECT, ".GIT");
    assert_int_equal(policy_merge(&l.merged, &l.file, NULL, &l.err), CORDON_E_INVALID);

    policy_release(&l.file);
    static const char *const all[] = {".git", ".codex", ".agents", ".cordon", "x"};
    for (size_t i = 0; i < 5; i++)
        add(&l.file, LIST_UNPROTECT, all[i]);
    assert_int_equal(policy_merge(&l.merged, &l.file, NULL, &l.err), CORDON_E_INVALID);
    expect_error(&l.err, CORDON_E_INVALID, "policy.unprotect", "protected are: none");
    layers_release(&l);
}

static void later_settings_replace_the_same_key(void **state)
{
    (void)state;
    struct layers l;
    layers_init(&l);
    add(&l.file, LIST_ENV_SET, "A=1");
    add(&l.file, LIST_ENV_SET, "AB=2");
    add(&l.options, LIST_ENV_SET, "A=3");
    add(&l.options, LIST_ENV_SET, "C=4");
    add(&l.options, LIST_ENV_SET, "C=5");
    merge(&l);
    assert_string_equal(joined(&l.merged, LIST_ENV_SET), "AB=2 A=3 C=5 ");
    layers_release(&l);
}

static void allowed_hosts_imply_filtered_as_an_option(void **state)
{
    (void)state;
    struct layers l;
    layers_init(&l);
    add(&l.file, LIST_NET_ALLOW, "a.example");
    merge(&l);
    assert_int_equal(l.merged.net, NET_OFF); /* a file has a mode beside the list */
    assert_int_equal(l.merged.lists[LIST_NET_ALLOW].count, 1);

    add(&l.options, LIST_NET_ALLOW, "b.example");
    merge(&l);
    assert_int_equal(l.merged.net, NET_FILTERED);
    assert_string_equal(l.merged.net_origin, "test");

    l.options.net = NET_OFF;
    l.options.net_origin = string_copy("option --net");
    merge(&l);
    assert_int_equal(l.merged.net, NET_OFF);
    layers_release(&l);
}

/* The layers stay as they are and the result is a copy of its own. */
static void merging_replaces_the_result(void **state)
{
    (void)state;
    struct layers l;
    layers_init(&l);
    add(&l.file, LIST_WRITE, "a");
    merge(&l);
    merge(&l);
    assert_string_equal(joined(&l.merged, LIST_WRITE), "${workspace} ${tmp} a ");
    policy_release(&l.file);
    assert_string_equal(joined(&l.merged, LIST_WRITE), "${workspace} ${tmp} a ");
    layers_release(&l);
}

static void copies_a_whole_policy(void **state)
{
    (void)state;
    struct layers l;
    layers_init(&l);
    add(&l.options, LIST_WRITE, "/w");
    add(&l.options, LIST_ENV_SET, "A=1");
    assert_int_equal(policy_parse_limits(&l.options, "wall=5", "limits", &l.err), CORDON_OK);
    merge(&l);
    l.merged.env_inherit = false;
    l.merged.lists[LIST_WRITE].items[0].base = BASE_CWD;
    assert_int_equal(policy_copy(&l.file, &l.merged, &l.err), CORDON_OK);
    assert_string_equal(l.file.profile_origin, l.merged.profile_origin);
    assert_ptr_not_equal(l.file.profile_origin, l.merged.profile_origin);
    assert_true(l.file.tmp == l.merged.tmp && l.file.net == l.merged.net && !l.file.env_inherit);
    assert_int_equal(l.file.limits[LIMIT_WALL_SECONDS].value, 5);
    assert_string_equal(l.file.limits[LIMIT_WALL_SECONDS].origin, "limits");
    assert_null(l.file.limits[LIMIT_CPU_SECONDS].origin);
    for (size_t id = 0; id < LIST_COUNT_; id++) {
        assert_int_equal(l.file.lists[id].count, l.merged.lists[id].count);
        for (size_t i = 0; i < l.file.lists[id].count; i++) {
            const struct policy_entry *a = &l.file.lists[id].items[i], *b = &l.merged.lists[id].items[i];
            assert_string_equal(a->value, b->value);
            assert_string_equal(a->origin, b->origin);
            assert_int_equal(a->base, b->base);
        }
    }
    layers_release(&l);
}

static void tolerates_no_error_object(void **state)
{
    (void)state;
    struct policy p;
    policy_init(&p);
    assert_int_equal(policy_add(&p, LIST_WRITE, "", "x", BASE_CWD, NULL), CORDON_E_INVALID);
    assert_int_equal(policy_parse_limits(&p, "x", "x", NULL), CORDON_E_INVALID);
    assert_int_equal(policy_parse_env(&p, "=", "x", NULL), CORDON_E_INVALID);
    add(&p, LIST_UNPROTECT, "x");
    struct policy out;
    policy_init(&out);
    assert_int_equal(policy_merge(&out, &p, NULL, NULL), CORDON_E_INVALID);
    policy_release(&out);
    policy_release(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_what_is_added),
        cmocka_unit_test(refuses_bad_entries),
        cmocka_unit_test(takes_good_entries),
        cmocka_unit_test(caps_lists_and_strings),
        cmocka_unit_test(keeps_values_of_set_to_itself),
        cmocka_unit_test(words_go_both_ways),
        cmocka_unit_test(parses_limits),
        cmocka_unit_test(refuses_bad_limits),
        cmocka_unit_test(takes_the_largest_limits),
        cmocka_unit_test(parses_env_arguments),
        cmocka_unit_test(has_the_promised_defaults),
        cmocka_unit_test(profiles_differ_in_their_defaults),
        cmocka_unit_test(later_scalars_win),
        cmocka_unit_test(lists_add),
        cmocka_unit_test(unprotect_removes_by_name),
        cmocka_unit_test(a_later_protect_holds),
        cmocka_unit_test(unprotect_of_nothing_is_an_error),
        cmocka_unit_test(later_settings_replace_the_same_key),
        cmocka_unit_test(allowed_hosts_imply_filtered_as_an_option),
        cmocka_unit_test(merging_replaces_the_result),
        cmocka_unit_test(copies_a_whole_policy),
        cmocka_unit_test(tolerates_no_error_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
