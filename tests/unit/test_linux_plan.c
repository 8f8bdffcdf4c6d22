/* test_linux_plan.c - the order and content of a Linux plan, as data. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/linux_plan.h"

struct fixture {
    struct policy policy;
    struct resolved resolved;
    struct linux_facts facts;
    struct linux_plan plan;
};

static void add(struct fixture *f, struct rule rule)
{
    struct cordon_error err;
    if (!rule.origin)
        rule.origin = "test";
    assert_int_equal(resolved_add(&f->resolved, &rule, &err), CORDON_OK);
}

static void begin(struct fixture *f)
{
    struct cordon_error err;
    memset(f, 0, sizeof *f);
    policy_init(&f->policy);
    assert_int_equal(policy_merge(&f->policy, NULL, NULL, &err), CORDON_OK);
    resolved_init(&f->resolved);
    f->facts = (struct linux_facts){.uid = 1000,
                                    .gid = 1000,
                                    .owner_uid = 1000,
                                    .owner_gid = 1000,
                                    .landlock_abi = 7,
                                    .arch = SECCOMP_ARCH_X86_64,
                                    .cwd = "/w",
                                    .mask_dir = "/s/mask/dir",
                                    .mask_file = "/s/mask/file",
                                    .dev = "/s/dev"};
    linux_plan_init(&f->plan);
}

static void make(struct fixture *f)
{
    struct cordon_error err;
    assert_int_equal(resolved_finish(&f->resolved, &err), CORDON_OK);
    if (linux_plan_make(&f->plan, &f->policy, &f->resolved, &f->facts, &err) != CORDON_OK)
        fail_msg("%s: %s", err.step, err.message);
}

static void end(struct fixture *f)
{
    linux_plan_release(&f->plan);
    resolved_release(&f->resolved);
    policy_release(&f->policy);
}

static long find(const struct fixture *f, enum mount_kind kind, const char *path)
{
    for (size_t i = 0; i < f->plan.mount_count; i++) {
        const struct mount_op *op = &f->plan.mounts[i];
        const char *its = kind == MOUNT_CAPTURE ? op->source : op->target;
        if (op->kind == kind && (!path || (its && strcmp(its, path) == 0)))
            return (long)i;
    }
    return -1;
}

static uint64_t access_of(const struct fixture *f, const char *path)
{
    for (size_t i = 0; i < f->plan.rule_count; i++)
        if (strcmp(f->plan.rules[i].path, path) == 0)
            return f->plan.rules[i].access;
    return 0;
}

static void captures_seal_then_outermost_first(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f);
    add(&f, (struct rule){.kind = RULE_WRITE, .path = "/r", .type = OBJECT_DIRECTORY, .dev = 1, .ino = 2});
    add(&f,
        (struct rule){.kind = RULE_WRITE, .path = "/r/a/w", .type = OBJECT_DIRECTORY, .dev = 1, .ino = 4});
    add(&f, (struct rule){
                .kind = RULE_PROTECT, .path = "/r/a/w/.git", .type = OBJECT_DIRECTORY, .dev = 1, .ino = 5});
    add(&f, (struct rule){
                .kind = RULE_PROTECT, .path = "/other/.git", .type = OBJECT_DIRECTORY, .dev = 1, .ino = 6});
    make(&f);
    long seal = find(&f, MOUNT_SEAL, NULL), root = find(&f, MOUNT_ATTACH, "/r"),
         a = find(&f, MOUNT_PIN, "/r/a"), w = find(&f, MOUNT_PIN, "/r/a/w"),
         git = find(&f, MOUNT_PROTECT, "/r/a/w/.git");
    assert_true(find(&f, MOUNT_CAPTURE, "/r") >= 0 && find(&f, MOUNT_CAPTURE, "/r") < seal);
    for (size_t i = (size_t)seal; i < f.plan.mount_count; i++)
        assert_int_not_equal(f.plan.mounts[i].kind, MOUNT_CAPTURE);
    assert_true(seal < root && root < a && a < w && w < git);
    assert_int_equal(find(&f, MOUNT_PROTECT, "/other/.git"), -1); /* sealed anyway */
    assert_int_equal(find(&f, MOUNT_ATTACH, "/r/a/w"), -1);       /* adds nothing to /r */
    assert_true(f.plan.mounts[git].check && f.plan.mounts[git].ino == 5);
    end(&f);
}

/* Nothing is mounted on a name that is only watched, but its directory must not be renamed away. */
static void a_watched_name_is_not_held(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f);
    add(&f, (struct rule){.kind = RULE_WRITE, .path = "/r", .type = OBJECT_DIRECTORY, .dev = 1, .ino = 2});
    add(&f, (struct rule){.kind = RULE_PROTECT, .path = "/r/w/.git", .type = OBJECT_ABSENT, .watched = true});
    make(&f);
    assert_int_equal(find(&f, MOUNT_PROTECT, NULL), -1);
    assert_true(find(&f, MOUNT_PIN, "/r/w") >= 0);
    end(&f);
}

static void a_pin_is_made_once(void **state)
{
    struct fixture f;
    size_t pins = 0;
    (void)state;
    begin(&f);
    add(&f, (struct rule){.kind = RULE_WRITE, .path = "/w", .type = OBJECT_DIRECTORY});
    add(&f, (struct rule){.kind = RULE_PROTECT, .path = "/w/d/x", .type = OBJECT_FILE});
    add(&f, (struct rule){.kind = RULE_PROTECT, .path = "/w/d/y", .type = OBJECT_FILE});
    add(&f, (struct rule){.kind = RULE_DENY_READ, .path = "/w/d/z", .type = OBJECT_FILE});
    make(&f);
    for (size_t i = 0; i < f.plan.mount_count; i++)
        pins += f.plan.mounts[i].kind == MOUNT_PIN;
    assert_int_equal(pins, 1);
    assert_true(find(&f, MOUNT_CAPTURE, "/s/mask/file") >= 0);
    end(&f);
}

static void landlock_grants_no_more_than_the_roots(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f);
    add(&f, (struct rule){.kind = RULE_WRITE, .path = "/w", .type = OBJECT_DIRECTORY});
    add(&f, (struct rule){.kind = RULE_WRITE, .path = "/f", .type = OBJECT_FILE});
    add(&f, (struct rule){.kind = RULE_WRITE,
                          .role = ROLE_TMP,
                          .path = "/tmp",
                          .backing = "/s/tmp",
                          .type = OBJECT_DIRECTORY});
    make(&f);
    uint64_t reads = LANDLOCK_FS_EXECUTE | LANDLOCK_FS_READ_FILE | LANDLOCK_FS_READ_DIR;
    assert_int_equal(access_of(&f, "/"), reads);
    assert_int_equal(
        access_of(&f, "/w") & (LANDLOCK_FS_MAKE_CHAR | LANDLOCK_FS_MAKE_BLOCK | LANDLOCK_FS_IOCTL_DEV), 0);
    assert_true(access_of(&f, "/w") & LANDLOCK_FS_REFER);
    assert_int_equal(access_of(&f, "/f") & landlock_fs_directory_only(), 0);
    assert_true(access_of(&f, "/f") & LANDLOCK_FS_WRITE_FILE);
    assert_true(access_of(&f, "/s/tmp") & LANDLOCK_FS_MAKE_REG);
    assert_int_equal(access_of(&f, "/tmp"), 0);
    assert_int_equal(access_of(&f, "/proc"), 0);
    for (size_t i = 0; i < f.plan.rule_count; i++)
        if (strcmp(f.plan.rules[i].path, "/") == 0 || strncmp(f.plan.rules[i].path, "/dev/", 5) == 0)
            assert_int_equal(f.plan.rules[i].access & (landlock_fs_directory_only() & ~LANDLOCK_FS_READ_DIR),
                             0);
    end(&f);
}

static void landlock_by_abi(void **state)
{
    (void)state;
    assert_int_equal(landlock_fs_all(0), 0);
    assert_int_equal(landlock_fs_all(1) & LANDLOCK_FS_REFER, 0);
    assert_true(landlock_fs_all(2) & LANDLOCK_FS_REFER);
    assert_int_equal(landlock_fs_all(2) & LANDLOCK_FS_TRUNCATE, 0);
    assert_true(landlock_fs_all(3) & LANDLOCK_FS_TRUNCATE);
    assert_int_equal(landlock_fs_all(4) & LANDLOCK_FS_IOCTL_DEV, 0);
    assert_true(landlock_fs_all(5) & LANDLOCK_FS_IOCTL_DEV);
    assert_int_equal(landlock_handled(5).scoped, 0);
    assert_int_equal(landlock_handled(6).scoped, LANDLOCK_SCOPED_ABSTRACT_UNIX | LANDLOCK_SCOPED_SIGNAL);
    assert_int_equal(landlock_handled(7).handled_net, 0);
}

static void root_keeps_little_and_maps_the_owner(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f);
    f.facts.uid = f.facts.gid = 0;
    make(&f);
    assert_int_equal(f.plan.uid_count, 2);
    assert_int_equal(f.plan.uid_map[1], 1000);
    assert_int_equal(f.plan.keep_caps, 0xb); /* CHOWN DAC_OVERRIDE FOWNER */
    end(&f);

    begin(&f);
    make(&f);
    assert_int_equal(f.plan.uid_count, 1);
    assert_int_equal(f.plan.keep_caps, 0);
    end(&f);
}

static void limits_that_cannot_be_had_are_errors(void **state)
{
    struct fixture f;
    struct cordon_error err;
    (void)state;
    begin(&f);
    assert_int_equal(policy_parse_limits(&f.policy, "memory=1G", "option --limit", &err), CORDON_OK);
    assert_int_equal(resolved_finish(&f.resolved, &err), CORDON_OK);
    assert_int_equal(linux_plan_make(&f.plan, &f.policy, &f.resolved, &f.facts, &err), CORDON_E_UNSUPPORTED);
    assert_string_equal(err.step, "linux.limit.memory");
    assert_non_null(strstr(err.message, "--allow-degraded limit-memory"));
    f.facts.cgroup_memory = true;
    assert_int_equal(linux_plan_make(&f.plan, &f.policy, &f.resolved, &f.facts, &err), CORDON_OK);
    assert_int_equal(f.plan.cgroup_memory, 1u << 30);
    end(&f);

    begin(&f);
    f.facts.uid = 0;
    assert_int_equal(policy_parse_limits(&f.policy, "processes=5", "option --limit", &err), CORDON_OK);
    assert_int_equal(resolved_finish(&f.resolved, &err), CORDON_OK);
    assert_int_equal(linux_plan_make(&f.plan, &f.policy, &f.resolved, &f.facts, &err), CORDON_E_UNSUPPORTED);
    assert_string_equal(err.step, "linux.limit.processes");
    f.facts.uid = 1000;
    assert_int_equal(linux_plan_make(&f.plan, &f.policy, &f.resolved, &f.facts, &err), CORDON_OK);
    assert_int_equal(f.plan.processes_rlimit, 5);
    end(&f);
}

static void every_facet_of_the_contract_once(void **state)
{
    struct fixture f;
    struct facet facets[LINUX_FACETS_MAX];
    (void)state;
    begin(&f);
    make(&f);
    size_t count = linux_facets(&f.plan, &f.facts, &f.policy, facets);
    for (size_t i = 0; i < count; i++) {
        assert_true(policy_is_facet(facets[i].name));
        assert_true(facets[i].state != FACET_UNAVAILABLE || facets[i].remedy);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(facets[i].name, facets[j].name);
    }
    /* product.md par. 5: 22 facets on every system. */
    assert_int_equal(count, 22);
    f.facts.landlock_abi = 1;
    linux_facets(&f.plan, &f.facts, &f.policy, facets);
    assert_int_equal(facets[0].state, FACET_UNAVAILABLE);
    end(&f);
}

static void printing_shows_everything_and_no_value(void **state)
{
    struct fixture f;
    struct facet facets[LINUX_FACETS_MAX];
    struct cordon_error err;
    char path[] = "PATH=/bin", secret[] = "SECRET=hunter2", token[] = "A_TOKEN";
    char *environment[] = {path, secret, NULL}, *removed[] = {token, NULL};
    struct buf text = BUF_INIT, json = BUF_INIT;
    (void)state;
    begin(&f);
    f.resolved.workspace = string_copy("/w\n");
    assert_int_equal(policy_parse_env(&f.policy, "KEY=hunter3", "option --env", &err), CORDON_OK);
    free(f.policy.profile_origin);
    f.policy.profile_origin = string_copy("\xff\x1b.json: $.profile");
    add(&f, (struct rule){.kind = RULE_WRITE, .path = "/w\n", .type = OBJECT_DIRECTORY});
    make(&f);
    size_t count = linux_facets(&f.plan, &f.facts, &f.policy, facets);
    struct linux_view view = {&f.plan, &f.policy, &f.resolved, facets, count, environment, removed};
    assert_int_equal(linux_plan_text(&view, &text, &err), CORDON_OK);
    assert_int_equal(linux_plan_json(&view, &json, &err), CORDON_OK);
    assert_null(strstr(text.data, "hunter"));
    assert_null(strstr(json.data, "hunter"));
    assert_non_null(strstr(text.data, "/w\\x0a"));
    assert_non_null(strstr(json.data, "\"SECRET\""));
    assert_non_null(strstr(text.data, "default (profile workspace)"));
    assert_non_null(strstr(text.data, "profile workspace  (\\xff\\x1b.json: $.profile)"));
    assert_non_null(strstr(json.data, "\"\\\\xff\\u001B.json: $.profile\""));
    buf_release(&text);
    buf_release(&json);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(captures_seal_then_outermost_first),
        cmocka_unit_test(a_pin_is_made_once),
        cmocka_unit_test(a_watched_name_is_not_held),
        cmocka_unit_test(landlock_grants_no_more_than_the_roots),
        cmocka_unit_test(landlock_by_abi),
        cmocka_unit_test(root_keeps_little_and_maps_the_owner),
        cmocka_unit_test(limits_that_cannot_be_had_are_errors),
        cmocka_unit_test(every_facet_of_the_contract_once),
        cmocka_unit_test(printing_shows_everything_and_no_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
