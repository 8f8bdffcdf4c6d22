/* test_decide.c - the normative meaning, case by case (docs/policy.md). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "core/decide.h"

static const struct path_rules posix = {PATH_POSIX, false};

static void add(struct resolved *r, enum rule_kind kind, const char *path, enum object_type type)
{
    struct rule rule = {
        .kind = kind, .path = path, .origin = "test", .type = type, .absent_name = type == OBJECT_ABSENT};
    struct cordon_error err;
    assert_int_equal(resolved_add(r, &rule, &err), CORDON_OK);
}

static void begin(struct resolved *r)
{
    resolved_init(r);
    r->rules = posix;
}

static void finish(struct resolved *r)
{
    struct cordon_error err;
    assert_int_equal(resolved_finish(r, &err), CORDON_OK);
}

static void expect(const struct resolved *r, const char *path, enum decide_op op, bool allowed,
                   enum decide_reason reason)
{
    struct verdict v = decide(r, path, op);
    if (v.allowed != allowed || v.reason != reason)
        fail_msg("%s %s: got %s (%s), want %s (%s)", decide_op_name(op), path, v.allowed ? "yes" : "no",
                 decide_reason_text(v.reason), allowed ? "yes" : "no", decide_reason_text(reason));
}

static void default_is_read_all_write_nothing(void **state)
{
    struct resolved r;
    (void)state;
    begin(&r);
    finish(&r);
    expect(&r, "/etc/passwd", OP_READ, true, REASON_DEFAULT_READ);
    expect(&r, "/etc/passwd", OP_WRITE, false, REASON_DEFAULT_WRITE);
    expect(&r, "/etc/new", OP_CREATE, false, REASON_DEFAULT_WRITE);
    expect(&r, "/", OP_REMOVE, false, REASON_DEFAULT_WRITE);
    resolved_release(&r);
}

static void workspace_with_protected_names(void **state)
{
    struct resolved r;
    (void)state;
    begin(&r);
    add(&r, RULE_WRITE, "/r/a/w", OBJECT_DIRECTORY);
    add(&r, RULE_WRITE, "/r", OBJECT_DIRECTORY);
    add(&r, RULE_PROTECT, "/r/a/w/.git", OBJECT_DIRECTORY);
    add(&r, RULE_PROTECT, "/r/a/w/.codex", OBJECT_ABSENT);
    finish(&r);
    expect(&r, "/r/a/w/file", OP_CREATE, true, REASON_WRITE);
    expect(&r, "/r/a/w/.git/config", OP_READ, true, REASON_DEFAULT_READ);
    expect(&r, "/r/a/w/.git/config", OP_WRITE, false, REASON_PROTECT);
    expect(&r, "/r/a/w/.git/hooks/new", OP_CREATE, false, REASON_PROTECT);
    expect(&r, "/r/a/w/.git", OP_REMOVE, false, REASON_PROTECT);
    expect(&r, "/r/a/w/.codex", OP_CREATE, false, REASON_PROTECT);
    /* No prefix confusion. */
    expect(&r, "/r/a/w/.gitignore", OP_WRITE, true, REASON_WRITE);
    expect(&r, "/r2/x", OP_CREATE, false, REASON_DEFAULT_WRITE);
    /* Every ancestor inside the root is pinned, the root itself too. */
    expect(&r, "/r/a/w", OP_REMOVE, false, REASON_PINNED);
    expect(&r, "/r/a", OP_REMOVE, false, REASON_PINNED);
    expect(&r, "/r", OP_REMOVE, false, REASON_PINNED);
    expect(&r, "/r/a", OP_WRITE, true, REASON_WRITE); /* its mode may change */
    expect(&r, "/r/b", OP_REMOVE, true, REASON_WRITE);
    resolved_release(&r);
}

static void most_specific_wins(void **state)
{
    struct resolved r;
    (void)state;
    begin(&r);
    add(&r, RULE_WRITE, "/w", OBJECT_DIRECTORY);
    add(&r, RULE_PROTECT, "/w/.git", OBJECT_DIRECTORY);
    add(&r, RULE_WRITE, "/w/.git/lfs", OBJECT_DIRECTORY);
    add(&r, RULE_DENY_READ, "/w/secret", OBJECT_DIRECTORY);
    add(&r, RULE_WRITE, "/w/secret/open", OBJECT_DIRECTORY);
    add(&r, RULE_PROTECT, "/w/secret/p", OBJECT_DIRECTORY);
    finish(&r);
    expect(&r, "/w/.git/lfs/x", OP_CREATE, true, REASON_WRITE);
    expect(&r, "/w/.git/lfs", OP_REMOVE, false, REASON_PINNED);
    expect(&r, "/w/.git/x", OP_CREATE, false, REASON_PROTECT);
    expect(&r, "/w/secret/x", OP_READ, false, REASON_DENY_READ);
    expect(&r, "/w/secret/x", OP_WRITE, false, REASON_DENY_READ);
    expect(&r, "/w/secret/open/x", OP_READ, true, REASON_DEFAULT_READ);
    expect(&r, "/w/secret/open/x", OP_WRITE, true, REASON_WRITE);
    /* protect says nothing about reading: the hiding above still holds. */
    expect(&r, "/w/secret/p/x", OP_READ, false, REASON_DENY_READ);
    resolved_release(&r);
}

static void ties_go_to_the_strictest(void **state)
{
    struct resolved r;
    (void)state;
    begin(&r);
    add(&r, RULE_WRITE, "/w", OBJECT_DIRECTORY);
    add(&r, RULE_WRITE, "/w/x", OBJECT_DIRECTORY);
    add(&r, RULE_PROTECT, "/w/x", OBJECT_DIRECTORY);
    add(&r, RULE_DENY_READ, "/w/y", OBJECT_FILE);
    add(&r, RULE_PROTECT, "/w/y", OBJECT_FILE);
    add(&r, RULE_READ, "/w/z", OBJECT_FILE);
    add(&r, RULE_WRITE, "/w/z", OBJECT_DEVICE);
    finish(&r);
    assert_int_equal(r.count, 4);
    expect(&r, "/w/x/a", OP_CREATE, false, REASON_PROTECT);
    expect(&r, "/w/y", OP_READ, false, REASON_DENY_READ);
    expect(&r, "/w/z", OP_WRITE, true, REASON_WRITE);
    resolved_release(&r);
}

static void one_object_two_names(void **state)
{
    struct resolved r;
    (void)state;
    begin(&r);
    struct rule a = {
        .kind = RULE_WRITE, .path = "/w/a", .origin = "t", .type = OBJECT_FILE, .dev = 1, .ino = 7};
    struct rule b = {
        .kind = RULE_PROTECT, .path = "/w/b", .origin = "t", .type = OBJECT_FILE, .dev = 1, .ino = 7};
    struct rule c = {
        .kind = RULE_WRITE, .path = "/w/c", .origin = "t", .type = OBJECT_FILE, .dev = 2, .ino = 7};
    struct cordon_error err;
    assert_int_equal(resolved_add(&r, &a, &err), CORDON_OK);
    assert_int_equal(resolved_add(&r, &b, &err), CORDON_OK);
    assert_int_equal(resolved_add(&r, &c, &err), CORDON_OK);
    finish(&r);
    expect(&r, "/w/a", OP_WRITE, false, REASON_PROTECT);
    expect(&r, "/w/b", OP_WRITE, false, REASON_PROTECT);
    expect(&r, "/w/c", OP_WRITE, true, REASON_WRITE);
    resolved_release(&r);
}

static void what_adds_nothing_does_not_pin(void **state)
{
    struct resolved r;
    (void)state;
    begin(&r);
    add(&r, RULE_WRITE, "/w", OBJECT_DIRECTORY);
    add(&r, RULE_WRITE, "/w/sub", OBJECT_DIRECTORY);
    add(&r, RULE_PROTECT, "/elsewhere/.git", OBJECT_ABSENT);
    finish(&r);
    expect(&r, "/w/sub", OP_REMOVE, true, REASON_WRITE);
    expect(&r, "/elsewhere/.git", OP_CREATE, false, REASON_DEFAULT_WRITE);
    resolved_release(&r);
}

/* Or the mask of /h/.git/b would be put where the mask of /h left nothing. */
static void what_is_hidden_is_hidden_once(void **state)
{
    struct resolved r;
    (void)state;
    begin(&r);
    add(&r, RULE_DENY_READ, "/h", OBJECT_DIRECTORY);
    add(&r, RULE_PROTECT, "/h/.git", OBJECT_DIRECTORY);
    add(&r, RULE_DENY_READ, "/h/.git/b", OBJECT_FILE);
    add(&r, RULE_WRITE, "/h/.git/w", OBJECT_DIRECTORY);
    add(&r, RULE_PROTECT, "/h/.git/w/.git", OBJECT_DIRECTORY);
    finish(&r);
    assert_true(resolved_at(&r, "/h/.git")->redundant);
    assert_true(resolved_at(&r, "/h/.git/b")->redundant);
    assert_string_equal(resolved_enclosing(&r, "/h/.git/w")->path, "/h");
    expect(&r, "/h/.git/config", OP_READ, false, REASON_DENY_READ);
    expect(&r, "/h/.git/config", OP_WRITE, false, REASON_DENY_READ);
    expect(&r, "/h/.git/w/f", OP_WRITE, true, REASON_WRITE);
    expect(&r, "/h/.git/w/.git/f", OP_WRITE, false, REASON_PROTECT);
    resolved_release(&r);
}

static void a_private_tmp_holds_a_workspace(void **state)
{
    struct resolved r;
    (void)state;
    begin(&r);
    struct rule tmp = {.kind = RULE_WRITE,
                       .role = ROLE_TMP,
                       .path = "/tmp",
                       .backing = "/s/tmp",
                       .origin = "t",
                       .type = OBJECT_DIRECTORY};
    struct rule w = {.kind = RULE_WRITE,
                     .role = ROLE_VISIBLE,
                     .path = "/tmp/d/w",
                     .origin = "t",
                     .type = OBJECT_DIRECTORY};
    struct rule x = {
        .kind = RULE_READ, .role = ROLE_VISIBLE, .path = "/tmp/x", .origin = "t", .type = OBJECT_FILE};
    struct cordon_error err;
    assert_int_equal(resolved_add(&r, &tmp, &err), CORDON_OK);
    assert_int_equal(resolved_add(&r, &w, &err), CORDON_OK);
    assert_int_equal(resolved_add(&r, &x, &err), CORDON_OK);
    finish(&r);
    expect(&r, "/tmp/y", OP_CREATE, true, REASON_WRITE);
    expect(&r, "/tmp/x", OP_WRITE, false, REASON_READ_ONLY);
    expect(&r, "/tmp/d", OP_REMOVE, false, REASON_PINNED);
    expect(&r, "/tmp/d/w/f", OP_REMOVE, true, REASON_WRITE);
    assert_string_equal(decide(&r, "/tmp/y", OP_WRITE).facet, "tmp");
    resolved_release(&r);

    begin(&r);
    assert_int_equal(resolved_add(&r, &tmp, &err), CORDON_OK);
    assert_int_equal(resolved_add(&r, &w, &err), CORDON_OK);
    add(&r, RULE_PROTECT, "/tmp/d/w/.git", OBJECT_ABSENT);
    add(&r, RULE_PROTECT, "/tmp/other", OBJECT_ABSENT); /* the host's name, not the private directory's */
    finish(&r);
    expect(&r, "/tmp/d/w/.git", OP_CREATE, false, REASON_PROTECT);
    expect(&r, "/tmp/other", OP_CREATE, true, REASON_WRITE);
    resolved_release(&r);
}

static void the_root_directory_as_root(void **state)
{
    struct resolved r;
    (void)state;
    begin(&r);
    add(&r, RULE_WRITE, "/", OBJECT_DIRECTORY);
    add(&r, RULE_PROTECT, "/etc", OBJECT_DIRECTORY);
    finish(&r);
    expect(&r, "/x", OP_CREATE, true, REASON_WRITE);
    expect(&r, "/etc/x", OP_CREATE, false, REASON_PROTECT);
    expect(&r, "/", OP_REMOVE, false, REASON_PINNED);
    resolved_release(&r);
}

static void the_network(void **state)
{
    struct resolved r;
    (void)state;
    begin(&r);
    assert_false(decide_host(&r, "example.org", 443).allowed);
    r.net = NET_FILTERED;
    assert_false(decide_host(&r, "example.org", 443).allowed);
    r.net = NET_ON;
    assert_true(decide_host(&r, "example.org", 443).allowed);
    resolved_release(&r);
}

/* The same object under any path, or the path with whatever it names now. */
static void sockets_of_the_outside(void **state)
{
    struct resolved r;
    struct cordon_error err;
    char path[] = "/run/a.sock", origin[] = "option --unix-socket";
    const struct socket_grant grant = {path, origin, 1, 2}, other = {"/run/b.sock", NULL, 1, 3};
    (void)state;
    resolved_init(&r);
    r.rules = (struct path_rules){PATH_POSIX, false};
    assert_null(decide_socket(&r, "/run/a.sock", 1, 2));
    assert_int_equal(resolved_add_socket(&r, &grant, &err), CORDON_OK);
    assert_int_equal(resolved_add_socket(&r, &other, &err), CORDON_OK);
    path[0] = origin[0] = '?'; /* they were copied */
    assert_string_equal(decide_socket(&r, "/elsewhere", 1, 2)->path, "/run/a.sock");
    assert_string_equal(decide_socket(&r, "/run/a.sock", 1, 9)->origin, "option --unix-socket");
    assert_string_equal(decide_socket(&r, "/run/b.sock", 0, 0)->origin, "");
    assert_null(decide_socket(&r, "/run/a.sock.old", 1, 9));
    assert_null(decide_socket(&r, "/run/c.sock", 2, 2));
    resolved_release(&r);
}

/* Absent and not held: no call is refused, but the command does not survive it. */
static void watched_name(void **state)
{
    struct resolved r;
    struct rule rule = {
        .kind = RULE_PROTECT, .path = "/r/w/.git", .origin = "test", .type = OBJECT_ABSENT, .watched = true};
    (void)state;
    begin(&r);
    add(&r, RULE_WRITE, "/r", OBJECT_DIRECTORY);
    assert_int_equal(resolved_add(&r, &rule, NULL), CORDON_OK);
    rule.path = "/elsewhere/.git";
    assert_int_equal(resolved_add(&r, &rule, NULL), CORDON_OK);
    finish(&r);
    expect(&r, "/r/w/.git", OP_CREATE, false, REASON_GUARDED);
    expect(&r, "/r/w/.git/config", OP_CREATE, false, REASON_GUARDED);
    expect(&r, "/r/w", OP_REMOVE, false, REASON_PINNED);
    expect(&r, "/r/w/file", OP_CREATE, true, REASON_WRITE);
    assert_false(resolved_at(&r, "/r/w/.git")->redundant);
    assert_true(resolved_at(&r, "/elsewhere/.git")->redundant); /* nothing can make it there */
    resolved_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(default_is_read_all_write_nothing),
        cmocka_unit_test(workspace_with_protected_names),
        cmocka_unit_test(most_specific_wins),
        cmocka_unit_test(watched_name),
        cmocka_unit_test(ties_go_to_the_strictest),
        cmocka_unit_test(one_object_two_names),
        cmocka_unit_test(what_adds_nothing_does_not_pin),
        cmocka_unit_test(what_is_hidden_is_hidden_once),
        cmocka_unit_test(a_private_tmp_holds_a_workspace),
        cmocka_unit_test(the_root_directory_as_root),
        cmocka_unit_test(the_network),
        cmocka_unit_test(sockets_of_the_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
