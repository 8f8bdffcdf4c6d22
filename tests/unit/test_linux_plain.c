/* test_linux_plain.c - the plan without namespaces: its second filter over every
 * number, its facets against the whole plan's, and what it refuses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/policy.h"
#include "plan/linux_plain.h"
#include "plan/seccomp_table.h"

#define NUMBERS 600

/* Refused whatever the arguments; written down apart from the filter's own table. */
static const struct {
    const char *name;
    int number[2];
} refused[] = {
    {"shmget", {29, 194}},
    {"shmat", {30, 196}},
    {"shmctl", {31, 195}},
    {"semget", {64, 190}},
    {"semop", {65, 193}},
    {"semctl", {66, 191}},
    {"semtimedop", {220, 192}},
    {"msgget", {68, 186}},
    {"msgsnd", {69, 189}},
    {"msgrcv", {70, 188}},
    {"msgctl", {71, 187}},
    {"mq_open", {240, 180}},
    {"mq_unlink", {241, 181}},
    {"setpriority", {141, 140}},
    {"ioprio_set", {251, 30}},
    {"sched_setparam", {142, 118}},
    {"sched_setscheduler", {144, 119}},
    {"sched_setaffinity", {203, 122}},
    {"sched_setattr", {314, 274}},
    {"migrate_pages", {256, 238}},
    {"move_pages", {279, 239}},
};
static const int prlimit_number[2] = {302, 261}, socket_number[2] = {41, 198};

static uint32_t expected(int arch, bool network, const struct bpf_syscall *input)
{
    if (input->arch != (arch == SECCOMP_ARCH_AARCH64 ? SECCOMP_AUDIT_AARCH64 : SECCOMP_AUDIT_X86_64))
        return SECCOMP_VALUE_ERRNO(SECCOMP_EPERM);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (input->nr == (uint32_t)refused[i].number[arch])
            return SECCOMP_VALUE_ERRNO(SECCOMP_EPERM);
    if (input->nr == (uint32_t)prlimit_number[arch] && (uint32_t)input->args[0] != 0)
        return SECCOMP_VALUE_ERRNO(SECCOMP_EPERM);
    if (input->nr == (uint32_t)socket_number[arch] && !network && (uint32_t)input->args[0] != SECCOMP_AF_UNIX)
        return SECCOMP_VALUE_ERRNO(SECCOMP_EACCES);
    return SECCOMP_VALUE_ALLOW;
}

static void filter_is_what_is_meant(void **state)
{
    /* AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, junk above the int that counts. */
    static const uint64_t arguments[] = {0, 1, 2, 10, 16, 4711, 0x100000000ull, 0x100000001ull, UINT64_MAX};
    static const uint32_t architectures[] = {SECCOMP_AUDIT_X86_64, SECCOMP_AUDIT_AARCH64, 0x40000003u};
    (void)state;
    for (int arch = SECCOMP_ARCH_X86_64; arch <= SECCOMP_ARCH_AARCH64; arch++)
        for (int network = 0; network < 2; network++) {
            struct bpf_program filter;
            struct cordon_error err;
            size_t answers[2] = {0};
            assert_int_equal(linux_plain_filter((enum seccomp_arch)arch, network, &filter, &err), CORDON_OK);
            for (uint32_t number = 0; number < NUMBERS; number++)
                for (size_t a = 0; a < sizeof arguments / sizeof *arguments; a++)
                    for (size_t m = 0; m < sizeof architectures / sizeof *architectures; m++) {
                        struct bpf_syscall input = {
                            .nr = number, .arch = architectures[m], .args = {arguments[a]}};
                        uint32_t got;
                        assert_int_equal(bpf_run(&filter, &input, &got, &err), CORDON_OK);
                        uint32_t want = expected(arch, network, &input);
                        if (got != want)
                            fail_msg("arch %d, network %d: %u(0x%llx) of 0x%x: 0x%x, not 0x%x", arch, network,
                                     number, (unsigned long long)arguments[a], architectures[m], got, want);
                        answers[got == SECCOMP_VALUE_ALLOW]++;
                    }
            assert_true(answers[0] > 0 && answers[1] > 0);
            bpf_program_release(&filter);
        }
}

static const struct facet *find(const struct facet *facets, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(facets[i].name, name) == 0)
            return &facets[i];
    fail_msg("no facet %s", name);
    return NULL;
}

/* The reduced set names the same facets, and holds none that the whole one does not. */
static void facets_are_the_same_and_not_more(void **state)
{
    static const struct linux_plan whole_off = {.own_netns = true}, whole_on = {.own_netns = false};
    static const char *const lost[] = {"write",          "protect", "tmp-view",
                                       "inner-loopback", "devices", "tree-kill"};
    (void)state;
    for (int on = 0; on < 2; on++)
        for (int abi = 2; abi <= 7; abi++) {
            struct linux_facts facts = {.uid = 1000, .landlock_abi = abi, .broker = true};
            struct facet whole[LINUX_FACETS_MAX], plain[LINUX_FACETS_MAX];
            struct policy policy;
            policy_init(&policy);
            policy.net = on ? NET_ON : NET_OFF;
            size_t count = linux_facets(on ? &whole_on : &whole_off, &facts, &policy, whole);
            facts.plain = true;
            facts.broker = false;
            assert_int_equal(linux_plain_facets(&facts, &policy, plain), count);
            for (size_t i = 0; i < count; i++) {
                const struct facet *other = find(whole, count, plain[i].name);
                assert_true(policy_is_facet(plain[i].name));
                assert_true(plain[i].mechanism[0]);
                assert_true((plain[i].state == FACET_UNAVAILABLE) == (plain[i].remedy != NULL));
                if (plain[i].state == FACET_ENFORCED)
                    assert_int_equal(other->state, FACET_ENFORCED);
            }
            for (size_t i = 0; i < sizeof lost / sizeof *lost; i++)
                if (!on || strcmp(lost[i], "inner-loopback") != 0)
                    assert_int_equal(find(plain, count, lost[i])->state, FACET_UNAVAILABLE);
            assert_int_equal(find(plain, count, "outside-processes")->state,
                             abi >= 6 ? FACET_ENFORCED : FACET_UNAVAILABLE);
            assert_int_equal(find(plain, count, "deny-read")->state, FACET_LIMIT);
            policy_release(&policy);
        }
}

/* Hiding something makes the facet one that must be accepted. */
static void hiding_cannot_be_had(void **state)
{
    (void)state;
    struct linux_facts facts = {.uid = 1000, .landlock_abi = 7, .plain = true};
    struct facet facets[LINUX_FACETS_MAX];
    struct policy policy;
    struct cordon_error err;
    policy_init(&policy);
    assert_int_equal(policy_add(&policy, LIST_DENY_READ, "/x", "test", BASE_CWD, &err), CORDON_OK);
    size_t count = linux_plain_facets(&facts, &policy, facets);
    assert_int_equal(find(facets, count, "deny-read")->state, FACET_UNAVAILABLE);
    policy_release(&policy);
}

static void expect_refused(struct linux_facts facts, const char *socket, const char *words)
{
    struct policy policy;
    struct cordon_error err;
    policy_init(&policy);
    if (socket)
        assert_int_equal(
            policy_add(&policy, LIST_UNIX_SOCKETS, socket, "option --unix-socket", BASE_CWD, &err),
            CORDON_OK);
    assert_int_equal(linux_plain_check(&policy, &facts, &err), CORDON_E_UNSUPPORTED);
    assert_string_equal(err.step, "linux.plan.plain");
    assert_non_null(strstr(err.message, words));
    policy_release(&policy);
}

static void nothing_runs_without_landlock(void **state)
{
    (void)state;
    struct policy policy;
    struct cordon_error err;
    expect_refused((struct linux_facts){.landlock_abi = 0}, NULL, "nothing could hold the command");
    expect_refused((struct linux_facts){.landlock_abi = 1}, NULL, "nothing could hold the command");
    expect_refused((struct linux_facts){.landlock_abi = 7}, "/run/x", "option --unix-socket");
    expect_refused((struct linux_facts){.landlock_abi = 7, .trace = true}, NULL, "--trace");
    policy_init(&policy);
    struct linux_facts facts = {.landlock_abi = 2};
    assert_int_equal(linux_plain_check(&policy, &facts, &err), CORDON_OK);
    policy_release(&policy);
}

/* No mount, no namespace, no capability; the roots by Landlock, and nothing else written. */
static void plan_is_landlock_and_filters(void **state)
{
    (void)state;
    struct resolved resolved;
    struct policy policy;
    struct linux_plan plan;
    struct cordon_error err;
    struct linux_facts facts = {.uid = 0,
                                .landlock_abi = 7,
                                .plain = true,
                                .cwd = "/w",
                                .mask_dir = "/s/d",
                                .mask_file = "/s/f",
                                .dev = "/s/dev"};
    policy_init(&policy);
    resolved_init(&resolved);
    static const struct rule rules[] = {
        {.kind = RULE_WRITE, .path = "/w", .type = OBJECT_DIRECTORY, .origin = "t"},
        {.kind = RULE_PROTECT, .path = "/w/.git", .type = OBJECT_DIRECTORY, .origin = "t"},
        {.kind = RULE_WRITE,
         .role = ROLE_TMP,
         .path = "/tmp",
         .backing = "/s/tmp",
         .type = OBJECT_DIRECTORY,
         .origin = "t"},
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        assert_int_equal(resolved_add(&resolved, &rules[i], &err), CORDON_OK);
    assert_int_equal(linux_plan_make(&plan, &policy, &resolved, &facts, &err), CORDON_OK);
    assert_true(plan.plain);
    assert_false(plan.own_netns);
    assert_int_equal(plan.mount_count, 0);
    assert_int_equal(plan.uid_count, 0);
    assert_true(plan.keep_caps == 0);
    assert_true(plan.filter.count > 0 && plan.plain_filter.count > 0);
    size_t written = 0;
    for (size_t i = 0; i < plan.rule_count; i++) {
        const struct landlock_rule *rule = &plan.rules[i];
        if (!(rule->access & (LANDLOCK_FS_WRITE_FILE | LANDLOCK_FS_MAKE_REG)))
            continue;
        written++;
        assert_true(strcmp(rule->path, "/w") == 0 || strcmp(rule->path, "/s/tmp") == 0 ||
                    strncmp(rule->path, "/dev/", 5) == 0);
        assert_string_not_equal(rule->path, "/dev/pts"); /* the user's other terminals */
    }
    assert_int_equal(written, 8);
    linux_plan_release(&plan);
    resolved_release(&resolved);
    policy_release(&policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filter_is_what_is_meant),      cmocka_unit_test(facets_are_the_same_and_not_more),
        cmocka_unit_test(hiding_cannot_be_had),         cmocka_unit_test(nothing_runs_without_landlock),
        cmocka_unit_test(plan_is_landlock_and_filters),
    };
    return cmocka_run_group_tests_name("linux_plain", tests, NULL, NULL);
}
