/* test_handover.c - what is written is read the same, and nothing else is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "os/linux/handover.h"

#define TEXT(s) ((char[]){s}) /* a string literal that may be pointed to by char * */

static char workspace[] = "/home/u/w";
static char *environment[] = {TEXT("A=1"), TEXT(""),
                              TEXT("LONG=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"), NULL};

static struct mount_op mounts[] = {
    {.kind = MOUNT_CAPTURE,
     .source = "/home/u/w",
     .slot = 0,
     .step = "linux.mount.root",
     .why = "w",
     .origin = "o"},
    {.kind = MOUNT_SEAL, .slot = -1, .step = "linux.mount.seal", .why = "w"},
    {.kind = MOUNT_ATTACH, .target = "/home/u/w", .slot = 0, .step = "linux.mount.root", .dev = 7, .ino = 9},
};
static struct landlock_rule rules[] = {{.path = "/", .access = 12, .why = "w"}};
static struct bpf_insn insns[] = {{1, 2, 3, 4}, {5, 6, 7, 8}, {9, 10, 11, 12}};
static struct rule items[] = {
    {.kind = RULE_WRITE, .path = "/home/u/w", .origin = "default", .dev = 1, .ino = 2},
    {.kind = RULE_PROTECT,
     .path = "/home/u/w/.git",
     .backing = "/b",
     .origin = "default",
     .absent_name = true},
};
static struct socket_grant sockets[] = {{.path = "/run/s", .origin = "option", .dev = 3, .ino = 4}};
static struct resolved resolved = {
    .workspace = workspace, .items = items, .count = 2, .sockets = sockets, .socket_count = 1};

static struct handover_order order(void)
{
    struct handover_order o = {.plan = {.mounts = mounts,
                                        .mount_count = 3,
                                        .slots = 1,
                                        .rules = rules,
                                        .rule_count = 1,
                                        .filter = {insns, 3},
                                        .cwd = workspace,
                                        .wall_seconds = 5},
                               .environment = environment,
                               .supervision = {.resolved = &resolved,
                                               .sockets = sockets,
                                               .socket_count = 1,
                                               .state = "/state",
                                               .broker = true},
                               .seal_stdio = {1, 0, 0}};
    return o;
}

static void reads_an_order_back(void **state)
{
    (void)state;
    struct buf bytes = BUF_INIT;
    const struct handover_order sent = order();
    handover_write_order(&bytes, &sent);
    assert_false(buf_failed(&bytes));
    const struct handover_order *got = handover_read_order(bytes.data, bytes.len);
    assert_non_null(got);
    assert_int_equal(got->plan.mount_count, 3);
    assert_string_equal(got->plan.mounts[0].source, "/home/u/w");
    assert_null(got->plan.mounts[0].target);
    assert_null(got->plan.mounts[0].origin); /* words stay behind */
    assert_null(got->plan.mounts[0].why);
    assert_string_equal(got->plan.mounts[1].step, "linux.mount.seal");
    assert_string_equal(got->plan.mounts[2].target, "/home/u/w");
    assert_int_equal(got->plan.mounts[2].ino, 9);
    assert_string_equal(got->plan.rules[0].path, "/");
    assert_int_equal(got->plan.rules[0].access, 12);
    assert_null(got->plan.rules[0].why);
    assert_memory_equal(got->plan.filter.insns, insns, sizeof insns);
    assert_string_equal(got->plan.cwd, "/home/u/w");
    assert_int_equal(got->plan.wall_seconds, 5);
    for (int i = 0; i < 3; i++)
        assert_string_equal(got->environment[i], environment[i]);
    assert_null(got->environment[3]);
    const struct resolved *there = got->supervision.resolved;
    assert_string_equal(there->workspace, "/home/u/w");
    assert_string_equal(there->items[1].path, "/home/u/w/.git");
    assert_string_equal(there->items[1].backing, "/b");
    assert_null(there->items[0].backing);
    assert_true(there->items[1].absent_name);
    assert_string_equal(there->sockets[0].path, "/run/s");
    assert_string_equal(got->supervision.sockets[0].path, "/run/s");
    assert_int_equal(got->supervision.sockets[0].ino, 4);
    assert_string_equal(got->supervision.state, "/state");
    assert_true(got->supervision.broker);
    assert_int_equal(got->seal_stdio[0], 1);
    buf_release(&bytes);
    /* The sender's own is as it was. */
    assert_string_equal(mounts[0].origin, "o");
    assert_ptr_equal(sent.plan.mounts, mounts);
}

static void reads_a_result_back(void **state)
{
    (void)state;
    struct report_refusal refusals[] = {
        {.operation = TEXT("connect"), .target = TEXT("/run/d"), .rule = TEXT("unix_sockets"), .count = 3},
        {.operation = TEXT("open"), .target = TEXT("/x"), .suggested_grant = TEXT("-w /x"), .count = 1}};
    char *warnings[] = {TEXT("one"), TEXT("two"), NULL};
    const struct handover_result sent = {.outcome = {.kind = OUTCOME_LIMIT, .limit = "memory", .code = -1},
                                         .refusals = refusals,
                                         .refusal_count = 2,
                                         .refusals_unlisted = 8,
                                         .warnings = warnings};
    struct buf bytes = BUF_INIT;
    handover_write_result(&bytes, &sent);
    const struct handover_result *got = handover_read_result(bytes.data, bytes.len);
    assert_non_null(got);
    assert_string_equal(got->outcome.limit, "memory");
    assert_int_equal(got->refusal_count, 2);
    assert_string_equal(got->refusals[0].rule, "unix_sockets");
    assert_null(got->refusals[0].suggested_grant);
    assert_string_equal(got->refusals[1].suggested_grant, "-w /x");
    assert_int_equal(got->refusals[0].count, 3);
    assert_int_equal(got->refusals_unlisted, 8);
    assert_string_equal(got->warnings[1], "two");
    assert_null(got->warnings[2]);
    buf_release(&bytes);
}

/* Cut off anywhere, or with anything after it: refused, and nothing beyond is read
 * (the sanitizers watch). */
static void refuses_other_lengths(void **state)
{
    (void)state;
    struct buf bytes = BUF_INIT;
    const struct handover_order sent = order();
    handover_write_order(&bytes, &sent);
    for (size_t size = 0; size <= bytes.len + 16; size++) {
        char *copy = calloc(1, size + 1);
        assert_non_null(copy);
        memcpy(copy, bytes.data, size < bytes.len ? size : bytes.len);
        assert_int_equal(handover_read_order(copy, size) != NULL, size == bytes.len);
        free(copy);
    }
    buf_release(&bytes);
}

static void refuses_what_is_not_whole(void **state)
{
    (void)state;
    struct handover_order broken[] = {order(), order(), order(), order(), order()};
    broken[0].environment = NULL;
    broken[1].plan.cwd = NULL;
    broken[2].supervision.resolved = NULL;
    broken[3].plan.mounts = NULL; /* counted and not there */
    broken[4].supervision.sockets = NULL;
    for (size_t i = 0; i < 5; i++) {
        struct buf bytes = BUF_INIT;
        handover_write_order(&bytes, &broken[i]);
        assert_null(handover_read_order(bytes.data, bytes.len));
        buf_release(&bytes);
    }
}

/* A field that was added: does it hold a pointer? Then handover.c must walk it. */
static void knows_every_field(void **state)
{
    (void)state;
    assert_int_equal(sizeof(struct mount_op), 72);
    assert_int_equal(sizeof(struct landlock_rule), 56);
    assert_int_equal(sizeof(struct linux_plan), 240);
    assert_int_equal(sizeof(struct rule), 72);
    assert_int_equal(sizeof(struct resolved), 64);
    assert_int_equal(sizeof(struct socket_grant), 32);
    assert_int_equal(sizeof(struct supervision), 40);
    assert_int_equal(sizeof(struct outcome), 56);
    assert_int_equal(sizeof(struct report_refusal), 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_an_order_back),   cmocka_unit_test(reads_a_result_back),
        cmocka_unit_test(refuses_other_lengths), cmocka_unit_test(refuses_what_is_not_whole),
        cmocka_unit_test(knows_every_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
