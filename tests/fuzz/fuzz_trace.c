/* fuzz_trace.c - what the trace makes of a call and of a path that the command chose.
 *
 * Input: one byte of architecture, two of the system call's place in the table,
 * 48 of arguments, and a path.
 */
#include <stdbool.h>
#include <string.h>

#include "fuzz.h"
#include "os/linux/trace_view.h"
#include "plan/trace_calls.h"
#include "plan/trace_grant.h"

#define HEAD (1 + 2 + 48)

static void check_normal(const char *text, char out[LIMIT_PATH_BYTES])
{
    char again[LIMIT_PATH_BYTES];
    trace_view_normalize(text, out);
    size_t len = strlen(out);
    FUZZ_CHECK(out[0] == '/' && len <= strlen(text));
    FUZZ_CHECK(len == 1 || out[len - 1] != '/');
    FUZZ_CHECK(!strstr(out, "//") && !strstr(out, "/./") && !strstr(out, "/../"));
    FUZZ_CHECK(len < 2 || strcmp(out + len - 2, "/.") != 0);
    FUZZ_CHECK(len < 3 || strcmp(out + len - 3, "/..") != 0);
    trace_view_normalize(out, again);
    FUZZ_CHECK(strcmp(out, again) == 0);

    struct buf reference = BUF_INIT;
    struct cordon_error err;
    if (path_normalize(PATH_POSIX, "/", text, &reference, &err) == CORDON_OK)
        FUZZ_CHECK(strcmp(reference.data, out) == 0);
    buf_release(&reference);
}

/* What a shell makes of one word. */
static void unquote(const char *word, char *out)
{
    bool quoted = false;
    for (; *word; word++) {
        if (*word == '\'')
            quoted = !quoted;
        else if (*word == '\\' && !quoted)
            *out++ = *++word;
        else {
            FUZZ_CHECK(quoted || !strchr(" \t\n;&|<>()$`\"*?[]#~=%!{}", *word) || *word == '=' ||
                       *word == '%');
            *out++ = *word;
        }
    }
    FUZZ_CHECK(!quoted);
    *out = '\0';
}

static void check_grant(const struct resolved *r, const char *path, enum decide_op op)
{
    struct verdict verdict = decide(r, path, op);
    struct buf rule = BUF_INIT, grant = BUF_INIT;
    if (verdict.allowed)
        return;
    trace_grant(r, "/home/u", path, op, verdict, &rule, &grant);
    FUZZ_CHECK(!buf_failed(&rule) && !buf_failed(&grant) && rule.len > 0);
    if (grant.len > 0 && strncmp(grant.data, "-w ", 3) == 0) {
        char root[LIMIT_PATH_BYTES];
        unquote(grant.data + 3, root);
        size_t len = op == OP_WRITE ? strlen(path) : path_parent_length(PATH_POSIX, path);
        FUZZ_CHECK(strlen(root) == len && strncmp(root, path, len) == 0);
        FUZZ_CHECK(strcmp(root, "/") != 0 && strcmp(root, "/home") != 0 && strcmp(root, "/home/u") != 0);
    } else if (grant.len > 0) {
        FUZZ_CHECK(strcmp(grant.data, "--unprotect .git") == 0);
    }
    buf_release(&rule);
    buf_release(&grant);
}

static void add(struct resolved *r, enum rule_kind kind, const char *path)
{
    struct rule rule = {.kind = kind, .path = path, .origin = "fuzz", .type = OBJECT_DIRECTORY};
    FUZZ_CHECK(resolved_add(r, &rule, NULL) == CORDON_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD || size - HEAD >= LIMIT_PATH_BYTES - 1)
        return 0;
    enum seccomp_arch arch = data[0] & 1 ? SECCOMP_ARCH_AARCH64 : SECCOMP_ARCH_X86_64;
    uint32_t number = data[1] | (uint32_t)data[2] << 8;
    uint64_t args[6];
    struct trace_target targets[2];
    char text[LIMIT_PATH_BYTES], path[LIMIT_PATH_BYTES];
    memcpy(args, data + 3, sizeof args);
    text[0] = '/';
    memcpy(text + 1, data + HEAD, size - HEAD);
    text[1 + size - HEAD] = '\0';
    check_normal(text, path);

    struct resolved resolved;
    resolved_init(&resolved);
    resolved.rules = (struct path_rules){PATH_POSIX, false};
    add(&resolved, RULE_WRITE, "/w");
    add(&resolved, RULE_PROTECT, "/w/.git");
    add(&resolved, RULE_DENY_READ, "/home/u/s");
    FUZZ_CHECK(resolved_finish(&resolved, NULL) == CORDON_OK);

    const struct trace_call *call = trace_call_find(arch, number);
    size_t count = trace_decode(arch, number, args, targets);
    FUZZ_CHECK(count <= 2 && (call || count == 0));
    for (size_t i = 0; i < count; i++)
        for (enum object_type found = OBJECT_ABSENT; found <= OBJECT_OTHER; found++) {
            enum decide_op op;
            if (trace_operation(&targets[i], found, &op))
                check_grant(&resolved, path, op);
        }
    /* Asked about is at least what could be refused. */
    const struct seccomp_options all = {.arch = arch, .trace = true, .trace_reads = true},
                                 writes = {.arch = arch, .trace = true};
    FUZZ_CHECK(trace_asks(&all, number, args) || !trace_asks(&writes, number, args));
    FUZZ_CHECK(call || !trace_asks(&all, number, args));
    for (enum decide_op op = OP_READ; op <= OP_REMOVE; op++)
        check_grant(&resolved, path, op);
    resolved_release(&resolved);
    return 0;
}
