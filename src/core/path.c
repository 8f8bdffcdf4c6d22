/* path.c - lexical path rules (see path.h). Pure: called with paths of any
 * system on any host. Which names a volume takes for a protected one is
 * path_name.c; globs are glob.c.
 *
 * Windows style, what Win32 does to a path before the file system sees it, and
 * what is made of it here: both slashes separate; a component loses one trailing
 * period, the last one all trailing periods and spaces. Where Win32 would then
 * keep a name that ends in a period or a space, and under `\\?\` where it changes
 * nothing at all, the normalised path would name another object than Win32
 * opens: such paths are refused, as are streams, devices and reserved names.
 */
#include "core/path.h"

#include <string.h>

#include "core/fold.h"
#include "core/limits.h"

#define STEP "path.normalize"

static enum fold fold_of(struct path_rules rules)
{
    if (!rules.fold_case)
        return FOLD_NONE;
    return rules.style == PATH_WINDOWS ? FOLD_WIDE : FOLD_ASCII;
}

static char separator_of(enum path_style style)
{
    return style == PATH_WINDOWS ? '\\' : '/';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool path_is_separator(enum path_style style, char c)
{
    return c == '/' || (style == PATH_WINDOWS && c == '\\');
}

static bool has_drive(const char *path)
{
    return is_letter(path[0]) && path[1] == ':';
}

bool path_is_absolute(enum path_style style, const char *path)
{
    if (style == PATH_POSIX)
        return path[0] == '/';
    if (has_drive(path))
        return path_is_separator(style, path[2]);
    return path_is_separator(style, path[0]) && path_is_separator(style, path[1]);
}

static bool is_dots(const char *s, size_t len)
{
    return (len == 1 || len == 2) && s[0] == '.' && s[len - 1] == '.';
}

static size_t without_tail(const char *s, size_t len)
{
    while (len > 0 && (s[len - 1] == '.' || s[len - 1] == ' '))
        len--;
    return len;
}

bool path_is_bare_name(enum path_style style, const char *s)
{
    size_t len = strlen(s);
    if (len == 0 || is_dots(s, len))
        return false;
    for (size_t i = 0; i < len; i++)
        if (path_is_separator(style, s[i]) || (style == PATH_WINDOWS && s[i] == ':'))
            return false;
    return style == PATH_POSIX || without_tail(s, len) > 0;
}

/* -- normalised paths ------------------------------------------------------ */

static size_t component_length(enum path_style style, const char *s)
{
    size_t len = 0;
    while (s[len] && !path_is_separator(style, s[len]))
        len++;
    return len;
}

static size_t root_length(enum path_style style, const char *path)
{
    if (style == PATH_POSIX)
        return 1;
    if (has_drive(path))
        return 3;
    size_t server = 2 + component_length(style, path + 2);
    return path[server] ? server + 1 + component_length(style, path + server + 1) : server;
}

static size_t parent_length(enum path_style style, const char *path, size_t root, size_t len)
{
    size_t end = len;
    while (end > root && !path_is_separator(style, path[end - 1]))
        end--;
    /* A drive's or POSIX root ends in its separator, a share does not. */
    return end > root ? end - 1 : root;
}

size_t path_parent_length(enum path_style style, const char *path)
{
    return parent_length(style, path, root_length(style, path), strlen(path));
}

bool path_is_root(enum path_style style, const char *path)
{
    return strlen(path) == root_length(style, path);
}

const char *path_basename(enum path_style style, const char *path)
{
    size_t root = root_length(style, path), len = strlen(path);
    size_t start = len;
    while (start > root && !path_is_separator(style, path[start - 1]))
        start--;
    return path + start;
}

size_t path_depth(enum path_style style, const char *path)
{
    size_t depth = 0;
    for (const char *at = path + root_length(style, path); *at;) {
        if (path_is_separator(style, *at))
            at++;
        if (*at)
            depth++;
        at += component_length(style, at);
    }
    return depth;
}

/* The end sorts before a separator, and that before everything else: only so
 * does nothing come between a directory and what lies below it ("/a-b" would
 * come between "/a" and "/a/x" in byte order). */
static int order_key(struct path_rules rules, const char *path, size_t i)
{
    if (!path[i])
        return 0;
    if (path_is_separator(rules.style, path[i]))
        return 1;
    return 2 + fold_byte(fold_of(rules), path, i);
}

int path_compare(struct path_rules rules, const char *a, const char *b)
{
    for (size_t i = 0;; i++) {
        int x = order_key(rules, a, i), y = order_key(rules, b, i);
        if (x != y)
            return x < y ? -1 : 1;
        if (x == 0)
            return 0;
    }
}

bool path_equal(struct path_rules rules, const char *a, const char *b)
{
    return path_compare(rules, a, b) == 0;
}

bool path_is_within(struct path_rules rules, const char *root, const char *path)
{
    size_t i = 0;
    for (; root[i]; i++)
        if (order_key(rules, root, i) != order_key(rules, path, i))
            return false;
    if (!path[i] || path_is_separator(rules.style, path[i]))
        return true;
    return i > 0 && path_is_separator(rules.style, root[i - 1]);
}

bool path_is_below(struct path_rules rules, const char *root, const char *path)
{
    return path_is_within(rules, root, path) && !path_equal(rules, root, path);
}

void path_join(enum path_style style, struct buf *out, const char *directory, const char *name)
{
    size_t len = strlen(directory);
    buf_add(out, directory, len);
    if (len == 0 || !path_is_separator(style, directory[len - 1]))
        buf_add_char(out, separator_of(style));
    buf_add_string(out, name);
}

/* -- normalising ----------------------------------------------------------- */

struct normalizing {
    enum path_style style;
    bool verbatim;    /* began with `\\?\`: Win32 would change nothing */
    const char *path; /* as given, for words */
    struct buf out;
    size_t root;
    struct cordon_error *err;
};

static cordon_status refuse(const struct normalizing *n, const char *why)
{
    return error_set(n->err, CORDON_E_INVALID, 0, STEP, "path '%.300s': %s", n->path, why);
}

/* Devices that Win32 finds in every directory, whatever extension is added. */
static bool is_reserved(const char *s, size_t len)
{
    static const char *const whole[] = {"con", "prn", "aux", "nul", "conin$", "conout$"};
    static const char *const numbered[] = {"com", "lpt"};
    static const char *const superscripts[] = {"\xc2\xb9", "\xc2\xb2", "\xc2\xb3"};
    size_t stem = 0;
    while (stem < len && s[stem] != '.')
        stem++;
    while (stem > 0 && s[stem - 1] == ' ')
        stem--;
    char name[8];
    if (stem >= sizeof name)
        return false;
    for (size_t i = 0; i < stem; i++)
        name[i] = (char)fold_code_point(FOLD_ASCII, (unsigned char)s[i]);
    name[stem] = '\0';
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++)
        if (strcmp(name, whole[i]) == 0)
            return true;
    for (size_t i = 0; i < sizeof numbered / sizeof numbered[0]; i++) {
        if (strncmp(name, numbered[i], 3) != 0)
            continue;
        if (stem == 4 && name[3] >= '0' && name[3] <= '9')
            return true;
        for (size_t k = 0; k < sizeof superscripts / sizeof superscripts[0]; k++)
            if (strcmp(name + 3, superscripts[k]) == 0)
                return true;
    }
    return false;
}

/* Applies Win32's cut to a component and checks what remains. */
static cordon_status check_windows(const struct normalizing *n, const char *s, size_t *len, bool last)
{
    size_t kept = *len;
    if (n->verbatim && is_dots(s, kept))
        return refuse(
            n, "after \\\\?\\ Windows takes . and .. as plain names; leave the prefix or the dots out");
    if (!n->verbatim && last)
        kept = without_tail(s, kept);
    else if (!n->verbatim && s[kept - 1] == '.')
        kept--;
    if (kept == 0)
        return refuse(n, "a component consists of periods and spaces; give the directory a name");
    if (s[kept - 1] == '.' || s[kept - 1] == ' ')
        return refuse(n,
                      "a component ends in a period or a space, which Windows programs drop or keep as they "
                      "please; rename it or name its parent");
    for (size_t i = 0; i < kept; i++) {
        if (s[i] == ':')
            return refuse(n, "it names a stream of a file (name:stream); name the file");
        if (s[i] == '/')
            return refuse(n, "after \\\\?\\ only \\ separates; use \\");
        if ((unsigned char)s[i] < 0x20 || strchr("<>\"|", s[i]))
            return refuse(n, "Windows allows no control character and none of < > \" | in a name");
    }
    if (is_reserved(s, kept))
        return refuse(n, "it contains a name that Windows reserves for a device (CON, NUL, COM1, ...)");
    *len = kept;
    return CORDON_OK;
}

static void push(struct normalizing *n, const char *s, size_t len)
{
    if (n->out.len == 0 || !path_is_separator(n->style, n->out.data[n->out.len - 1]))
        buf_add_char(&n->out, separator_of(n->style));
    buf_add(&n->out, s, len);
}

static cordon_status add_components(struct normalizing *n, const char *at)
{
    while (*at && !buf_failed(&n->out)) {
        size_t len = 0;
        while (at[len] && !(n->verbatim ? at[len] == '\\' : path_is_separator(n->style, at[len])))
            len++;
        size_t kept = len;
        if (!n->verbatim && len == 2 && is_dots(at, len)) {
            buf_truncate(&n->out, parent_length(n->style, n->out.data, n->root, n->out.len));
        } else if (len > 0 && (n->verbatim || !is_dots(at, len))) {
            if (n->style == PATH_WINDOWS) {
                cordon_status status = check_windows(n, at, &kept, at[len] == '\0');
                if (status)
                    return status;
            }
            push(n, at, kept);
        }
        at += len + (at[len] != '\0');
    }
    return CORDON_OK;
}

/* `\\server\share`; *at is behind the leading separators, then behind the share. */
static cordon_status add_share(struct normalizing *n, const char **at)
{
    static const char wrong[] = "a network path is written \\\\server\\share\\...";
    buf_add_char(&n->out, '\\');
    for (int part = 0; part < 2; part++) {
        const char *s = *at;
        size_t len = component_length(n->style, s);
        if (len == 0 || without_tail(s, len) != len || (n->verbatim && s[len] == '/'))
            return refuse(n, wrong);
        for (size_t i = 0; i < len; i++)
            if ((unsigned char)s[i] < 0x20 || strchr("<>\"|:?*", s[i]))
                return refuse(n, wrong);
        buf_add_char(&n->out, '\\');
        buf_add(&n->out, s, len);
        *at += len;
        if (**at && path_is_separator(n->style, **at))
            ++*at;
    }
    return CORDON_OK;
}

static cordon_status add_drive(struct normalizing *n, const char **at)
{
    const char drive[3] = {(char)((*at)[0] & ~0x20), ':', '\\'};
    buf_add(&n->out, drive, sizeof drive);
    *at += sizeof drive;
    return CORDON_OK;
}

static bool begins_with(const char *s, const char *folded)
{
    size_t i = 0;
    while (folded[i] && fold_byte(FOLD_ASCII, s, i) == (unsigned char)folded[i])
        i++;
    return !folded[i];
}

/* The root of an absolute Windows path; *at is left behind it. */
static cordon_status add_windows_root(struct normalizing *n, const char **at)
{
    static const char unc[] = "unc\\";
    const char *s = *at;
    if (has_drive(s))
        return add_drive(n, at);
    if (strncmp(s, "\\\\?\\", 4) == 0) {
        n->verbatim = true;
        *at += 4;
        if (has_drive(*at) && (*at)[2] == '\\')
            return add_drive(n, at);
        if (!begins_with(*at, unc))
            return refuse(n, "after \\\\?\\ only a drive (C:\\) or UNC\\server\\share is taken");
        *at += sizeof unc - 1;
        return add_share(n, at);
    }
    if ((s[2] == '?' || s[2] == '.') && (!s[3] || path_is_separator(n->style, s[3])))
        return refuse(n, "it names a device (\\\\.\\ or \\\\?\\), not a file; write it with a drive letter");
    *at += 2;
    return add_share(n, at);
}

static cordon_status add_root(struct normalizing *n, const char *base, const char **at)
{
    if (path_is_absolute(n->style, *at)) {
        if (n->style == PATH_WINDOWS)
            return add_windows_root(n, at);
        buf_add_char(&n->out, '/');
        return CORDON_OK;
    }
    if (n->style == PATH_WINDOWS && has_drive(*at))
        return refuse(n, "it depends on the current directory of its drive; write C:\\... with a separator");
    if (n->style == PATH_WINDOWS && path_is_separator(n->style, **at))
        return refuse(n, "it depends on the current drive; write the drive letter, as in C:\\...");
    if (!base)
        return refuse(n, "it is relative; an absolute path is needed here");
    buf_add_string(&n->out, base);
    return CORDON_OK;
}

cordon_status path_normalize(enum path_style style, const char *base, const char *path, struct buf *out,
                             struct cordon_error *err)
{
    struct normalizing n = {style, false, path, BUF_INIT, 0, err};
    const char *at = path;
    cordon_status status = CORDON_OK;
    if (!*path) {
        status = error_set(err, CORDON_E_INVALID, 0, STEP, "the path is empty; name a file or directory");
        goto out;
    }
    status = add_root(&n, base, &at);
    if (status)
        goto out;
    if (buf_failed(&n.out)) {
        status = error_nomem(err, STEP);
        goto out;
    }
    n.root = root_length(style, n.out.data);
    status = add_components(&n, at);
    if (status)
        goto out;
    if (buf_failed(&n.out))
        status = error_nomem(err, STEP);
    else if (n.out.len >= LIMIT_PATH_BYTES)
        status = error_set(err, CORDON_E_LIMIT, 0, STEP,
                           "path '%.100s...' is %zu bytes long; at most %d are taken", path, n.out.len,
                           LIMIT_PATH_BYTES - 1);
    else
        buf_add(out, n.out.data, n.out.len);
    if (!status && buf_failed(out))
        status = error_nomem(err, STEP);
out:
    buf_release(&n.out);
    return status;
}
