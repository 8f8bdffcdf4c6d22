/* glob.c - globs over paths and names (the glob_* functions of path.h). Pure.
 *
 * Called by whoever expands deny_read and by env.c. A pattern may come from a
 * file that somebody else wrote, a name always comes from the command: so the
 * time is bounded by the product of both lengths. Where a wildcard has to give
 * back what it took, only the last one does: an earlier one can never win by
 * taking more than it needed (the text that follows it is the same or less).
 */
#include "core/path.h"

#include <string.h>

#include "core/fold.h"
#include "core/utf.h"

/* How names are compared while one pattern is matched. */
struct matching {
    enum fold fold;
    /* A `[` that no `]` ends. Those behind it have none either, and are not
     * searched again: the search would cost a third factor. */
    const char *unclosed;
};

/* [at, end) of a component or name. */
struct span {
    const char *at;
    const char *end;
};

static bool is_empty(struct span s)
{
    return s.at == s.end;
}

/* Takes one character; a byte that is not part of well-formed UTF-8 counts as
 * one, distinct from every character. */
static unsigned take(struct span *s)
{
    const char *at = s->at;
    size_t n = utf_sequence(at, (size_t)(s->end - at));
    s->at += n ? n : 1;
    return n ? utf_code_point(at, n) : 0x110000u + (unsigned char)*at;
}

/* A pattern's character, its escape removed. In Windows style a backslash
 * separates, so that no component holds one. */
static unsigned take_literal(struct span *pattern)
{
    if (*pattern->at == '\\' && pattern->end - pattern->at > 1)
        pattern->at++;
    return take(pattern);
}

static bool in_range(enum fold fold, unsigned c, unsigned low, unsigned high)
{
    if (c >= low && c <= high)
        return true;
    unsigned folded = fold_code_point(fold, c);
    return folded >= fold_code_point(fold, low) && folded <= fold_code_point(fold, high);
}

/* Matches the class behind `[`; *closed is false, and nothing taken, when no `]`
 * ends it: then the `[` stands for itself. */
static bool take_class(const struct matching *m, struct span *pattern, unsigned c, bool *closed)
{
    struct span p = *pattern;
    bool negated = !is_empty(p) && (*p.at == '!' || *p.at == '^'), found = false;
    if (negated)
        p.at++;
    for (bool first = true; !is_empty(p) && (first || *p.at != ']'); first = false) {
        unsigned low = take_literal(&p), high = low;
        if (p.end - p.at > 1 && p.at[0] == '-' && p.at[1] != ']') {
            p.at++;
            high = take_literal(&p);
        }
        found = found || in_range(m->fold, c, low, high);
    }
    *closed = !is_empty(p);
    if (*closed)
        pattern->at = p.at + 1;
    return found != negated;
}

/* One step of the pattern, which is not a `*`, against one character. */
static bool step_matches(struct matching *m, struct span *pattern, unsigned c)
{
    if (*pattern->at == '?') {
        pattern->at++;
        return true;
    }
    if (*pattern->at == '[' && (!m->unclosed || pattern->at < m->unclosed)) {
        struct span behind = {pattern->at + 1, pattern->end};
        bool closed = false;
        bool matches = take_class(m, &behind, c, &closed);
        if (closed) {
            *pattern = behind;
            return matches;
        }
        m->unclosed = pattern->at;
    }
    unsigned wanted = take_literal(pattern);
    return fold_code_point(m->fold, wanted) == fold_code_point(m->fold, c);
}

static bool match_span(struct matching *m, struct span pattern, struct span text)
{
    m->unclosed = NULL;
    struct span star_pattern = {NULL, NULL}, star_text = text;
    for (;;) {
        if (!is_empty(pattern) && *pattern.at == '*') {
            pattern.at++;
            star_pattern = pattern;
            star_text = text;
            continue;
        }
        if (is_empty(pattern) && is_empty(text))
            return true;
        if (!is_empty(pattern) && !is_empty(text)) {
            unsigned c = take(&text);
            if (step_matches(m, &pattern, c))
                continue;
        }
        if (!star_pattern.at || is_empty(star_text))
            return false;
        take(&star_text); /* the last star takes one more */
        text = star_text;
        pattern = star_pattern;
    }
}

bool glob_has_magic(const char *pattern)
{
    return strpbrk(pattern, "*?[") != NULL;
}

/* `*` before or after plain text, as nearly every environment pattern is: no
 * matching needed. 1: matches, 0: does not, -1: not of that shape. A launch asks
 * this some hundred times. */
static int match_plain(const char *pattern, const char *name)
{
    size_t len = strlen(pattern), plain = strcspn(pattern, "*?[\\"), name_len = strlen(name);
    if (plain == len)
        return strcmp(pattern, name) == 0;
    if (pattern[plain] == '*' && plain + 1 == len)
        return strncmp(pattern, name, plain) == 0;
    if (pattern[0] == '*' && strcspn(pattern + 1, "*?[\\") == len - 1)
        return name_len >= len - 1 && memcmp(name + name_len - (len - 1), pattern + 1, len - 1) == 0;
    return -1;
}

bool glob_match_name(const char *pattern, const char *name, bool fold_case)
{
    int plain = fold_case ? -1 : match_plain(pattern, name);
    if (plain >= 0)
        return plain == 1;
    struct matching m = {fold_case ? FOLD_WIDE : FOLD_NONE, NULL};
    return match_span(&m, (struct span){pattern, pattern + strlen(pattern)},
                      (struct span){name, name + strlen(name)});
}

/* -- paths ----------------------------------------------------------------- */

/* The component at `at`; *next is the following one's start, NULL at the end. A
 * root's trailing separator is no component. */
static struct span component(enum path_style style, const char *at, const char **next)
{
    struct span s = {at, at};
    while (*s.end && !path_is_separator(style, *s.end))
        s.end++;
    *next = s.end[0] && s.end[1] ? s.end + 1 : NULL;
    return s;
}

static bool is_any_depth(struct span s)
{
    return s.end - s.at == 2 && s.at[0] == '*' && s.at[1] == '*';
}

/* The empty component before a leading separator is the root: no wildcard
 * stands for it. */
static bool match_component(struct matching *m, struct span pattern, struct span text)
{
    if (is_empty(text))
        return is_empty(pattern);
    return match_span(m, pattern, text);
}

bool glob_match_path(struct path_rules rules, const char *pattern, const char *path)
{
    enum path_style style = rules.style;
    struct matching m = {FOLD_NONE, NULL};
    if (rules.fold_case)
        m.fold = style == PATH_WINDOWS ? FOLD_WIDE : FOLD_ASCII;
    const char *depth_pattern = NULL, *depth_path = NULL;
    for (;;) {
        const char *next_pattern = NULL, *next_path = NULL;
        struct span wanted = {NULL, NULL};
        if (pattern)
            wanted = component(style, pattern, &next_pattern);
        if (pattern && is_any_depth(wanted)) {
            depth_pattern = pattern = next_pattern;
            depth_path = path;
            continue;
        }
        if (!pattern && !path)
            return true;
        if (pattern && path && match_component(&m, wanted, component(style, path, &next_path))) {
            pattern = next_pattern;
            path = next_path;
            continue;
        }
        if (!depth_path)
            return false;
        component(style, depth_path, &depth_path); /* `**` takes one more */
        path = depth_path;
        pattern = depth_pattern;
    }
}
