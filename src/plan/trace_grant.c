/* trace_grant.c - see trace_grant.h. Called by the trace, in the supervising process. */
#include "plan/trace_grant.h"

#include <string.h>

#include "core/limits.h"
#include "core/path.h"

static const struct path_rules posix = {PATH_POSIX, false};

/* As one word of a shell, so that the line can be copied. */
static void add_word(struct buf *out, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./,:+@%=";
    if (text[0] && text[strspn(text, plain)] == '\0') {
        buf_add_string(out, text);
        return;
    }
    buf_add_string(out, "'");
    for (; *text; text++) {
        if (*text == '\'')
            buf_add_string(out, "'\\''");
        else
            buf_add(out, text, 1);
    }
    buf_add_string(out, "'");
}

void trace_grant_option(struct buf *out, const char *option, const char *value)
{
    buf_add_string(out, option);
    buf_add_string(out, " ");
    add_word(out, value);
}

/* What -w takes: neither the kernel's own file systems, nor, with one mention,
 * the home directory or what holds it. */
static bool can_be_root(const char *home, const char *path)
{
    return !path_is_root(PATH_POSIX, path) && !(home && path_is_within(posix, path, home)) &&
           !path_is_within(posix, "/proc", path) && !path_is_within(posix, "/sys", path) &&
           !path_is_within(posix, "/dev", path);
}

/* A root that is the thing itself allows writing to it; making and removing a
 * name needs its directory. Inside something protected the root must lie
 * deeper than the rule: on a tie protection wins. */
static bool root_for(const char *home, const char *path, enum decide_op op, const struct rule *above,
                     char out[LIMIT_PATH_BYTES + 1])
{
    size_t len = op == OP_WRITE ? strlen(path) : path_parent_length(PATH_POSIX, path);
    if (len > LIMIT_PATH_BYTES)
        return false;
    memcpy(out, path, len);
    out[len] = '\0';
    return can_be_root(home, out) && (!above || path_is_below(posix, above->path, out));
}

/* A bare name of `protect` at the top of a writable root can be dropped by it. */
static bool is_named(const struct resolved *resolved, const struct rule *rule)
{
    const struct rule *root = resolved_enclosing(resolved, rule->path);
    return rule->kind == RULE_PROTECT && rule->role == ROLE_PLAIN && root && root->kind == RULE_WRITE &&
           strlen(root->path) == path_parent_length(PATH_POSIX, rule->path);
}

void trace_grant(const struct resolved *resolved, const char *home, const char *path, enum decide_op op,
                 struct verdict verdict, struct buf *rule, struct buf *grant)
{
    char root[LIMIT_PATH_BYTES + 1];
    const struct rule *by = verdict.rule;
    switch (verdict.reason) {
    case REASON_DEFAULT_WRITE:
        buf_add_string(rule, "filesystem.write: outside every writable root");
        if (root_for(home, path, op, NULL, root))
            trace_grant_option(grant, "-w", root);
        return;
    case REASON_READ_ONLY:
        buf_add_format(rule, "filesystem.read: %s is visible for reading only", by->path);
        if (root_for(home, path, op, NULL, root))
            trace_grant_option(grant, "-w", root);
        return;
    case REASON_PROTECT:
    case REASON_GUARDED:
        buf_add_format(rule, "filesystem.protect: %s", by->path);
        if (root_for(home, path, op, by, root))
            trace_grant_option(grant, "-w", root);
        else if (is_named(resolved, by))
            trace_grant_option(grant, "--unprotect", path_basename(PATH_POSIX, by->path));
        return;
    case REASON_DENY_READ:
        /* Only the entry itself can be taken back: the line says where it stands. */
        buf_add_format(rule, "filesystem.deny_read: %s (%s)", by->path, by->origin);
        return;
    case REASON_PINNED:
        buf_add_format(rule, "filesystem.%s: %s holds its place",
                       by->kind == RULE_WRITE ? "write" : "protect", by->path);
        return;
    default:
        buf_add_string(rule, decide_reason_text(verdict.reason));
        return;
    }
}
