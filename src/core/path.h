/* path.h - path rules, lexical only, in POSIX and Windows style on every host.
 *
 * Nothing here touches a file system: resolving symbolic links is the job of
 * src/os. Inputs are NUL-terminated bytes (UTF-8 for Windows style). A
 * "normalised" path is absolute, has single separators (`/` for POSIX, `\` for
 * Windows), no `.` or `..` components and no trailing separator except a root.
 */
#ifndef CORDON_CORE_PATH_H
#define CORDON_CORE_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "core/error.h"

enum path_style { PATH_POSIX, PATH_WINDOWS };

struct path_rules {
    enum path_style style;
    bool fold_case; /* the volume ignores case (ASCII and, for Windows, simple Latin-1/Greek/Cyrillic folding)
                     */
};

bool path_is_separator(enum path_style style, char c); /* Windows: both slashes */

/* POSIX: starts with `/`. Windows: drive with separator, UNC, `\\?\`, `\\.\`.
 * `C:foo` and `\foo` are not absolute: they depend on a current directory. */
bool path_is_absolute(enum path_style style, const char *path);

/* True for a name without separators: "applies to what bears it". Windows: no
 * colon either. `.`, `..` and the empty string are not names. */
bool path_is_bare_name(enum path_style style, const char *s);

/* Appends the normalised form of `path`, taken relative to `base` (normalised,
 * absolute) when it is relative. `..` at the root stays at the root. Errors
 * (step "path.normalize"): empty, too long (LIMIT_PATH_BYTES), Windows forms
 * that depend on a current directory, device paths (`\\.\`), reserved names,
 * streams (`name:stream`), and names that Win32 would leave ending in a period
 * or a space (it drops one period of a component, all of both of the last).
 * `\\?\C:\x` and `\\?\UNC\s\h` become their plain forms; drive letters are upper-cased. */
cordon_status path_normalize(enum path_style style, const char *base, const char *path, struct buf *out,
                             struct cordon_error *err);

/* The following take normalised paths. */
bool path_equal(struct path_rules rules, const char *a, const char *b);
/* `path` is `root` or lies below it. */
bool path_is_within(struct path_rules rules, const char *root, const char *path);
/* `path` lies below `root` and is not it. */
bool path_is_below(struct path_rules rules, const char *root, const char *path);
bool path_is_root(enum path_style style, const char *path); /* "/", "C:\", "\\server\share" */
/* Length of the parent's path; a root's parent is itself. */
size_t path_parent_length(enum path_style style, const char *path);
const char *path_basename(enum path_style style, const char *path); /* points into `path`; "" for a root */
size_t path_depth(enum path_style style, const char *path);         /* components; 0 for a root */
/* Component-wise order: a parent sorts directly before what lies below it.
 * Byte order within a component (folded when fold_case). <0, 0, >0. */
int path_compare(struct path_rules rules, const char *a, const char *b);
/* Appends directory + separator (unless it ends in one) + name. */
void path_join(enum path_style style, struct buf *out, const char *directory, const char *name);

/* Would the file system take `candidate` for the protected `name`? POSIX: equal
 * bytes, or equal after folding when fold_case (wider than path_equal: long s,
 * the Kelvin sign, and in POSIX style what HFS+ leaves out count too). Windows: also trailing dots and
 * spaces, an alternate data stream or attribute suffix (`:...`), and an 8.3
 * form that could be generated for it (`GIT~1` for `.git`). */
bool path_name_matches(struct path_rules rules, const char *name, const char *candidate);

/* Globs for deny_read. `*` and `?` do not cross a separator, `**` as a whole
 * component does (any number of components, also none), `[abc]`, `[a-z]`, `[!a]`, `[^a]`;
 * a backslash escapes in POSIX style only. A leading dot is matched by `*`
 * (secrets are often dotfiles). Bounded: no exponential backtracking. */
bool glob_has_magic(const char *pattern);
bool glob_match_path(struct path_rules rules, const char *pattern, const char *path);
/* One component, or an environment variable name: `*` matches anything. */
bool glob_match_name(const char *pattern, const char *name, bool fold_case);

#endif
