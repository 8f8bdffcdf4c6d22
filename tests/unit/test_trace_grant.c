/* What is said of a refusal: the rule, and options that, given to cordon, turn
 * the verdict around. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "core/limits.h"
#include "plan/trace_grant.h"

static void add(struct resolved *r, enum rule_kind kind, const char *path, enum object_type type)
{
    struct rule rule = {
        .kind = kind, .path = path, .origin = "test", .type = type, .absent_name = type == OBJECT_ABSENT};
    assert_int_equal(resolved_add(r, &rule, NULL), CORDON_OK);
}

static void begin(struct resolved *r)
{
    resolved_init(r);
    r->rules = (struct path_rules){PATH_POSIX, false};
    add(r, RULE_WRITE, "/home/u/ws", OBJECT_DIRECTORY);
    add(r, RULE_PROTECT, "/home/u/ws/.git", OBJECT_DIRECTORY);
    add(r, RULE_PROTECT, "/home/u/ws/.codex", OBJECT_ABSENT);
    add(r, RULE_PROTECT, "/home/u/ws/lib/it's here", OBJECT_FILE);
    add(r, RULE_DENY_READ, "/home/u/.ssh", OBJECT_DIRECTORY);
    add(r, RULE_READ, "/tmp/in", OBJECT_DIRECTORY);
    assert_int_equal(resolved_finish(r, NULL), CORDON_OK);
}

static void expect(const char *path, enum decide_op op, const char *rule, const char *grant)
{
    struct resolved r;
    struct buf got_rule = BUF_INIT, got_grant = BUF_INIT;
    begin(&r);
    struct verdict verdict = decide(&r, path, op);
    assert_false(verdict.allowed);
    trace_grant(&r, "/home/u", path, op, verdict, &got_rule, &got_grant);
    buf_add_string(&got_grant, "");
    assert_false(buf_failed(&got_rule) || buf_failed(&got_grant));
    if (strcmp(got_rule.data, rule) != 0 || strcmp(got_grant.data, grant) != 0)
        fail_msg("%s %s: `%s`, `%s`", decide_op_name(op), path, got_rule.data, got_grant.data);
    buf_release(&got_rule);
    buf_release(&got_grant);
    resolved_release(&r);
}

static void outside(void **state)
{
    static const char rule[] = "filesystem.write: outside every writable root";
    (void)state;
    expect("/home/u/.bashrc", OP_WRITE, rule, "-w /home/u/.bashrc");
    expect("/etc/hosts", OP_WRITE, rule, "-w /etc/hosts");
    expect("/opt/tool/new", OP_CREATE, rule, "-w /opt/tool");
    expect("/opt/tool/old", OP_REMOVE, rule, "-w /opt/tool");
    expect("/opt/a b/it's", OP_WRITE, rule, "-w '/opt/a b/it'\\''s'");
    expect("/opt/\n", OP_WRITE, rule, "-w '/opt/\n'");
    /* Nothing that would open the home directory, or what holds it. */
    expect("/home/u/new", OP_CREATE, rule, "");
    expect("/home/u/old", OP_REMOVE, rule, "");
    expect("/home/new", OP_CREATE, rule, "");
    expect("/new", OP_CREATE, rule, "");
    /* Nothing that -w refuses. */
    expect("/proc/sys/kernel/core_pattern", OP_WRITE, rule, "");
    expect("/sys/kernel/x", OP_WRITE, rule, "");
    expect("/dev/new", OP_CREATE, rule, "");
}

static void protected_things(void **state)
{
    (void)state;
    expect("/home/u/ws/.git", OP_REMOVE, "filesystem.protect: /home/u/ws/.git", "--unprotect .git");
    expect("/home/u/ws/.git/new", OP_CREATE, "filesystem.protect: /home/u/ws/.git", "--unprotect .git");
    /* A root inside wins over the rule around it. */
    expect("/home/u/ws/.git/config", OP_WRITE, "filesystem.protect: /home/u/ws/.git",
           "-w /home/u/ws/.git/config");
    expect("/home/u/ws/.git/hooks/new", OP_CREATE, "filesystem.protect: /home/u/ws/.git",
           "-w /home/u/ws/.git/hooks");
    expect("/home/u/ws/.codex", OP_CREATE, "filesystem.protect: /home/u/ws/.codex", "--unprotect .codex");
    /* Not a name at the top: the entry is written in another way. */
    expect("/home/u/ws/lib/it's here", OP_WRITE, "filesystem.protect: /home/u/ws/lib/it's here", "");
    expect("/home/u/ws/lib", OP_REMOVE, "filesystem.protect: /home/u/ws/lib/it's here holds its place", "");
}

static void other_rules(void **state)
{
    (void)state;
    expect("/home/u/.ssh/id", OP_READ, "filesystem.deny_read: /home/u/.ssh (test)", "");
    expect("/home/u/.ssh/id", OP_WRITE, "filesystem.deny_read: /home/u/.ssh (test)", "");
    expect("/tmp/in/file", OP_WRITE, "filesystem.read: /tmp/in is visible for reading only",
           "-w /tmp/in/file");
    expect("/home/u/ws", OP_REMOVE, "filesystem.write: /home/u/ws holds its place", "");
}

static void without_a_home(void **state)
{
    struct resolved r;
    struct buf rule = BUF_INIT, grant = BUF_INIT;
    (void)state;
    begin(&r);
    trace_grant(&r, NULL, "/home/u/new", OP_CREATE, decide(&r, "/home/u/new", OP_CREATE), &rule, &grant);
    assert_string_equal(grant.data, "-w /home/u");
    buf_release(&rule);
    buf_release(&grant);
    resolved_release(&r);
}

/* A suggested root does turn the verdict around. */
static void grants_work(void **state)
{
    static const struct {
        const char *path;
        enum decide_op op;
    } asked[] = {
        {"/opt/a/b", OP_WRITE}, {"/opt/a/b", OP_CREATE},           {"/opt/a/b", OP_REMOVE},
        {"/etc/x", OP_WRITE},   {"/home/u/ws/.git/a/b", OP_WRITE}, {"/home/u/ws/.git/a/b", OP_CREATE},
        {"/tmp/in/a", OP_WRITE}};
    (void)state;
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        struct resolved r;
        struct buf rule = BUF_INIT, grant = BUF_INIT;
        begin(&r);
        struct verdict verdict = decide(&r, asked[i].path, asked[i].op);
        trace_grant(&r, "/home/u", asked[i].path, asked[i].op, verdict, &rule, &grant);
        assert_int_equal(strncmp(grant.data, "-w ", 3), 0);
        resolved_release(&r);
        begin(&r);
        add(&r, RULE_WRITE, grant.data + 3, asked[i].op == OP_WRITE ? OBJECT_FILE : OBJECT_DIRECTORY);
        assert_int_equal(resolved_finish(&r, NULL), CORDON_OK);
        assert_true(decide(&r, asked[i].path, asked[i].op).allowed);
        buf_release(&rule);
        buf_release(&grant);
        resolved_release(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outside),        cmocka_unit_test(protected_things), cmocka_unit_test(other_rules),
        cmocka_unit_test(without_a_home), cmocka_unit_test(grants_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
