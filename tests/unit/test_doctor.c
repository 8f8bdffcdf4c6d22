/* test_doctor.c - what doctor makes of what was found (src/plan/doctor*.c). */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "json_schema.h"
#include "plan/doctor.h"

/* A machine on which everything works, as ordinary user. */
static void make(struct doctor *d)
{
    struct linux_plan plan;
    struct policy policy;
    struct cordon_error err;
    const struct linux_facts facts = {.uid = 1000, .landlock_abi = 7, .broker = true};
    doctor_init(d);
    d->version = "0";
    d->uid = 1000;
    d->landlock_abi = 7;
    for (int p = 0; p < PRIMITIVE_COUNT; p++)
        d->primitives[p].state = PRIMITIVE_WORKS;
    linux_plan_init(&plan);
    policy_init(&policy);
    assert_int_equal(policy_merge(&policy, NULL, NULL, &err), CORDON_OK);
    plan.own_netns = true;
    d->facet_count = linux_facets(&plan, &facts, &policy, d->facets);
    policy_release(&policy);
    linux_plan_release(&plan);
    d->trial_done = true;
}

static void refuse(struct doctor *d, enum primitive p, int code)
{
    d->primitives[p] = (struct primitive_result){PRIMITIVE_MISSING, code, 0};
}

static const struct facet *facet(const struct doctor *d, const char *name, enum primitive *missing)
{
    for (size_t i = 0; i < d->facet_count; i++)
        if (strcmp(d->facets[i].name, name) == 0) {
            if (missing)
                *missing = d->missing[i];
            return &d->facets[i];
        }
    fail_msg("no facet %s", name);
    return NULL;
}

static void everything_works(void **state)
{
    (void)state;
    struct doctor d;
    struct buf verdict = BUF_INIT;
    make(&d);
    doctor_judge(&d);
    assert_true(d.enforceable);
    for (size_t i = 0; i < d.facet_count; i++)
        assert_int_equal(d.missing[i], PRIMITIVE_COUNT);
    doctor_verdict(&d, &verdict);
    assert_string_equal(verdict.data, "cordon can enforce the default profile here");
    buf_release(&verdict);
    doctor_release(&d);
}

/* Whatever is needed and missing: not enforceable, and a facet says what it lacks and what helps. */
static void each_primitive_counts(void **state)
{
    (void)state;
    for (int p = 0; p < PRIMITIVE_COUNT; p++) {
        struct doctor d;
        size_t lacking = 0;
        make(&d);
        refuse(&d, (enum primitive)p, EPERM);
        doctor_judge(&d);
        assert_int_equal(d.enforceable, !primitive_words((enum primitive)p)->needed);
        for (size_t i = 0; i < d.facet_count; i++) {
            if (d.missing[i] == PRIMITIVE_COUNT)
                continue;
            lacking++;
            assert_int_equal(d.missing[i], p);
            assert_int_equal(d.facets[i].state, FACET_UNAVAILABLE);
            assert_non_null(d.facets[i].remedy);
        }
        if (primitive_words((enum primitive)p)->needed && lacking == 0)
            fail_msg("no facet lacks %s", primitive_words((enum primitive)p)->name);
        assert_non_null(doctor_explain(&d, (enum primitive)p).cause);
        assert_non_null(doctor_explain(&d, (enum primitive)p).remedy);
        doctor_release(&d);
    }
}

/* A trial that failed counts although everything alone works, and the other way round. */
static void the_trial_counts(void **state)
{
    (void)state;
    struct doctor d;
    struct buf verdict = BUF_INIT;
    make(&d);
    error_set(&d.trial, CORDON_E_SYSTEM, 0, "doctor.trial", "it got out");
    doctor_judge(&d);
    assert_false(d.enforceable);
    doctor_verdict(&d, &verdict);
    assert_non_null(strstr(verdict.data, "it got out"));
    buf_reset(&verdict);
    d.trial_done = false;
    doctor_judge(&d);
    assert_false(d.enforceable);
    buf_release(&verdict);
    doctor_release(&d);
}

/* The first refusal is the cause of those that come after. */
static void the_first_missing_is_named(void **state)
{
    (void)state;
    struct doctor d;
    enum primitive missing;
    make(&d);
    refuse(&d, PRIMITIVE_OPEN_TREE, EPERM);
    refuse(&d, PRIMITIVE_MOVE_MOUNT, EPERM);
    refuse(&d, PRIMITIVE_SECCOMP, ENOSYS);
    doctor_judge(&d);
    facet(&d, "protect", &missing);
    assert_int_equal(missing, PRIMITIVE_OPEN_TREE);
    facet(&d, "terminal", &missing);
    assert_int_equal(missing, PRIMITIVE_SECCOMP);
    facet(&d, "limit-wall", &missing);
    assert_int_equal(missing, PRIMITIVE_COUNT);
    doctor_release(&d);
}

/* Nothing was refused, but nothing could be tried either: that is no yes. */
static void not_tried_is_not_working(void **state)
{
    (void)state;
    struct doctor d;
    enum primitive missing;
    make(&d);
    for (int p = 0; p < PRIMITIVE_COUNT; p++)
        d.primitives[p].state = PRIMITIVE_NOT_TRIED;
    doctor_judge(&d);
    assert_false(d.enforceable);
    assert_int_equal(facet(&d, "protect", &missing)->state, FACET_UNAVAILABLE);
    assert_int_equal(missing, PRIMITIVE_USER_NAMESPACE);
    assert_non_null(facet(&d, "protect", NULL)->remedy);
    doctor_release(&d);
}

/* Limits that nobody asked for do not count. */
static void limits_are_extra(void **state)
{
    (void)state;
    struct doctor d;
    make(&d);
    assert_int_equal(facet(&d, "limit-memory", NULL)->state, FACET_UNAVAILABLE);
    doctor_judge(&d);
    assert_true(d.enforceable);
    doctor_release(&d);
}

static void old_landlock(void **state)
{
    (void)state;
    struct doctor d;
    make(&d);
    for (size_t i = 0; i < d.facet_count; i++)
        if (strcmp(d.facets[i].name, "write") == 0)
            d.facets[i] = (struct facet){"write", "mount namespace only", FACET_UNAVAILABLE, "a kernel"};
    doctor_judge(&d);
    assert_false(d.enforceable);
    assert_string_equal(facet(&d, "write", NULL)->remedy, "a kernel");
    doctor_release(&d);
}

static void causes(void **state)
{
    static const struct {
        struct doctor_hints hints;
        enum primitive p;
        int code, signal;
        const char *cause, *remedy; /* parts */
    } rows[] = {
#define HINTS .max_user_namespaces = 1000, .yama = 1
        {{HINTS}, PRIMITIVE_USER_NAMESPACE, EPERM, 0, "a security module", "ask"},
        {{.max_user_namespaces = 0, .yama = 1},
         PRIMITIVE_USER_NAMESPACE,
         ENOSPC,
         0,
         "user.max_user_namespaces is 0",
         "sysctl -w user.max_user_namespaces"},
        {{HINTS}, PRIMITIVE_USER_NAMESPACE, ENOSPC, 0, "in use", "raise"},
        {{HINTS, .userns_clone_off = true},
         PRIMITIVE_USER_NAMESPACE,
         EPERM,
         0,
         "unprivileged_userns_clone is 0",
         "unprivileged_userns_clone=1"},
        {{HINTS, .filtered = true}, PRIMITIVE_USER_NAMESPACE, EPERM, 0, "seccomp filter", "container"},
        {{HINTS, .filtered = true}, PRIMITIVE_USER_NAMESPACE, ENOSYS, 0, "seccomp filter", "container"},
        {{HINTS, .chrooted = true}, PRIMITIVE_USER_NAMESPACE, EPERM, 0, "chroot", "pivot_root"},
        {{HINTS, .apparmor_restricts = true},
         PRIMITIVE_USER_NAMESPACE,
         EACCES,
         0,
         "AppArmor",
         "cordon setup"},
        {{HINTS}, PRIMITIVE_USER_NAMESPACE, ENOSYS, 0, "no clone3", "Linux 6.1"},
        {{HINTS}, PRIMITIVE_USER_NAMESPACE, 0, SIGSYS, "killed", "container"},
        {{HINTS, .apparmor_restricts = true}, PRIMITIVE_MOUNT_SETATTR, EACCES, 0, "AppArmor", "cordon setup"},
        {{HINTS, .apparmor_restricts = true}, PRIMITIVE_MOUNT_SETATTR, ENOSYS, 0, "too old", "Linux 6.1"},
        {{HINTS, .filtered = true}, PRIMITIVE_MOUNT_SETATTR, EPERM, 0, "seccomp filter", "mount calls"},
        {{HINTS}, PRIMITIVE_NETWORK_NAMESPACE, ENOSPC, 0, "/proc/sys/user", "raise"},
        {{HINTS}, PRIMITIVE_ID_MAPS, ENOENT, 0, "no /proc", "mount"},
        {{HINTS}, PRIMITIVE_FRESH_PROC, EPERM, 0, "covered", "none needed"},
        {{HINTS, .lsm_known = true}, PRIMITIVE_LANDLOCK, EOPNOTSUPP, 0, "not switched on", "lsm="},
        {{HINTS, .lsm_known = true, .lsm_has_landlock = true},
         PRIMITIVE_LANDLOCK,
         ENOSYS,
         0,
         "no Landlock",
         "Linux 6.1"},
        {{HINTS, .filtered = true}, PRIMITIVE_LANDLOCK, ENOSYS, 0, "seccomp filter", "container"},
        {{HINTS}, PRIMITIVE_LANDLOCK, E2BIG, 0, "stacked", "less deeply"},
        {{HINTS}, PRIMITIVE_SECCOMP_NOTIFY, EBUSY, 0, "already watches", "outside"},
        {{HINTS}, PRIMITIVE_SECCOMP_NOTIFY, EINVAL, 0, "no seccomp user notification", "Linux 6.1"},
        {{.max_user_namespaces = 1, .yama = 3}, PRIMITIVE_PIDFD_GETFD, EPERM, 0, "Yama", "ptrace_scope=1"},
        {{HINTS}, PRIMITIVE_PIDFD_GETFD, EPERM, 0, "security module", "unix sockets only"},
        {{HINTS}, PRIMITIVE_CGROUP_MEMORY, 0, 0, "delegated", "systemd-run"},
#undef HINTS
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct doctor d;
        make(&d);
        d.hints = rows[i].hints;
        d.primitives[rows[i].p] = (struct primitive_result){PRIMITIVE_MISSING, rows[i].code, rows[i].signal};
        struct doctor_explanation why = doctor_explain(&d, rows[i].p);
        if (!strstr(why.cause, rows[i].cause) || !strstr(why.remedy, rows[i].remedy))
            fail_msg("row %zu: %s; %s", i, why.cause, why.remedy);
        doctor_release(&d);
    }
}

/* Settings alone are no refusal. */
static void hints_decide_nothing(void **state)
{
    (void)state;
    struct doctor d;
    make(&d);
    d.hints = (struct doctor_hints){.max_user_namespaces = 0,
                                    .userns_clone_off = true,
                                    .apparmor_restricts = true,
                                    .yama = 3,
                                    .filtered = true,
                                    .chrooted = true,
                                    .lsm_known = true};
    doctor_judge(&d);
    assert_true(d.enforceable);
    for (int p = 0; p < PRIMITIVE_COUNT; p++)
        assert_null(doctor_explain(&d, (enum primitive)p).cause);
    doctor_release(&d);
}

/* A machine on which some works, some does not, with words that need escaping. */
static void make_mixed(struct doctor *d)
{
    struct cordon_error err;
    make(d);
    refuse(d, PRIMITIVE_MOUNT_SETATTR, ENOSYS);
    d->primitives[PRIMITIVE_MOVE_MOUNT].state = PRIMITIVE_NOT_TRIED;
    d->primitives[PRIMITIVE_LANDLOCK] = (struct primitive_result){PRIMITIVE_MISSING, 0, SIGSYS};
    refuse(d, PRIMITIVE_CGROUP_MEMORY, 0);
    error_set(&d->trial, CORDON_E_UNSUPPORTED, ENOSYS, "linux.mount.seal", "cannot");
    assert_int_equal(doctor_add_finding(d, "state", true, "/a\xff\x1b[31m", NULL, &err), CORDON_OK);
    assert_int_equal(doctor_add_finding(d, "policy", false, "bad", "mend\nit", &err), CORDON_OK);
    doctor_judge(d);
}

static void text_is_safe_and_whole(void **state)
{
    (void)state;
    struct doctor d;
    struct buf text = BUF_INIT;
    struct cordon_error err;
    make_mixed(&d);
    assert_int_equal(doctor_text(&d, &text, &err), CORDON_OK);
    for (size_t i = 0; i < d.facet_count; i++)
        assert_non_null(strstr(text.data, d.facets[i].name));
    for (int p = 0; p < PRIMITIVE_COUNT; p++)
        assert_non_null(strstr(text.data, primitive_words((enum primitive)p)->what));
    assert_non_null(strstr(text.data, "/a\\xff\\x1b[31m"));
    assert_non_null(strstr(text.data, "NOT GOOD: bad"));
    assert_non_null(strstr(text.data, "mend\\x0ait"));
    assert_null(strchr(text.data, '\x1b'));
    assert_non_null(strstr(text.data, "killed by signal 31"));
    assert_non_null(strstr(text.data, "failed (linux.mount.seal)"));
    assert_int_equal(text.data[text.len - 1], '\n');
    buf_release(&text);
    doctor_release(&d);
}

static void json_obeys_the_schema(void **state)
{
    (void)state;
    struct cordon_error err;
    json_t *schema = load_schema("doctor-1.json");
    check_strict(schema, "$");
    for (int mixed = 0; mixed < 2; mixed++) {
        struct doctor d;
        struct buf text = BUF_INIT;
        if (mixed)
            make_mixed(&d);
        else
            make(&d);
        doctor_judge(&d);
        assert_int_equal(doctor_json(&d, &text, &err), CORDON_OK);
        json_t *value = parse_valid(schema, text.data);
        assert_int_equal(json_is_true(json_object_get(value, "enforceable")), !mixed);
        assert_int_equal(json_array_size(json_object_get(value, "facets")), d.facet_count);
        assert_int_equal(json_array_size(json_object_get(value, "primitives")), PRIMITIVE_COUNT);
        json_decref(value);
        buf_release(&text);
        doctor_release(&d);
    }
    json_decref(schema);
}

/* The names are stable, and different. */
static void names_are_unique(void **state)
{
    (void)state;
    for (int p = 0; p < PRIMITIVE_COUNT; p++) {
        assert_non_null(primitive_words((enum primitive)p)->name);
        for (int q = 0; q < p; q++)
            assert_string_not_equal(primitive_words((enum primitive)p)->name,
                                    primitive_words((enum primitive)q)->name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_works),
        cmocka_unit_test(each_primitive_counts),
        cmocka_unit_test(the_trial_counts),
        cmocka_unit_test(the_first_missing_is_named),
        cmocka_unit_test(not_tried_is_not_working),
        cmocka_unit_test(limits_are_extra),
        cmocka_unit_test(old_landlock),
        cmocka_unit_test(causes),
        cmocka_unit_test(hints_decide_nothing),
        cmocka_unit_test(text_is_safe_and_whole),
        cmocka_unit_test(json_obeys_the_schema),
        cmocka_unit_test(names_are_unique),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
