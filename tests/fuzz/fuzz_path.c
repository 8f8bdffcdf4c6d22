/* fuzz_path.c - paths, their relations and globs, in both styles.
 *
 * Input: one byte of flags (1: Windows, 2: case ignored), then up to three
 * strings with a NUL between them.
 */
#include <stdbool.h>
#include <string.h>

#include "core/limits.h"
#include "core/path.h"
#include "fuzz.h"

#define STRINGS 3

static bool has_dot_component(enum path_style style, const char *path)
{
    for (const char *at = path; *at; at++) {
        if (!path_is_separator(style, *at))
            continue;
        size_t len = 0;
        while (at[1 + len] && !path_is_separator(style, at[1 + len]))
            len++;
        if ((len == 1 && at[1] == '.') || (len == 2 && at[1] == '.' && at[2] == '.'))
            return true;
    }
    return false;
}

/* Up through the parents to the root, one component at a time. */
static void check_parents(struct path_rules rules, const char *path)
{
    char *at = string_copy(path);
    FUZZ_CHECK(at);
    for (size_t depth = path_depth(rules.style, path); depth > 0; depth--) {
        size_t len = strlen(at), parent = path_parent_length(rules.style, at);
        FUZZ_CHECK(!path_is_root(rules.style, at));
        FUZZ_CHECK(parent < len);
        const char *base = path_basename(rules.style, at);
        FUZZ_CHECK(path_is_bare_name(rules.style, base));
        char *name = string_copy(base);
        char *child = string_copy(at);
        struct buf joined = BUF_INIT;
        FUZZ_CHECK(name && child);
        at[parent] = '\0';
        path_join(rules.style, &joined, at, name);
        FUZZ_CHECK(strcmp(joined.data, child) == 0);
        FUZZ_CHECK(path_depth(rules.style, at) == depth - 1);
        FUZZ_CHECK(path_is_below(rules, at, child));
        FUZZ_CHECK(!path_is_within(rules, child, at));
        FUZZ_CHECK(path_compare(rules, at, child) < 0);
        buf_release(&joined);
        free(name);
        free(child);
    }
    FUZZ_CHECK(path_is_root(rules.style, at));
    FUZZ_CHECK(path_parent_length(rules.style, at) == strlen(at));
    FUZZ_CHECK(*path_basename(rules.style, at) == '\0');
    FUZZ_CHECK(path_is_within(rules, at, path));
    free(at);
}

/* The normalised form, or NULL when it is refused. */
static char *normalize(struct path_rules rules, const char *base, const char *path)
{
    struct buf out = BUF_INIT, again = BUF_INIT;
    struct cordon_error err;
    error_clear(&err);
    buf_add_string(&out, "");
    if (path_normalize(rules.style, base, path, &out, &err)) {
        FUZZ_CHECK(out.len == 0);
        FUZZ_CHECK(err.status == CORDON_E_INVALID || err.status == CORDON_E_LIMIT);
        FUZZ_CHECK(err.step[0] && err.message[0]);
        buf_release(&out);
        return NULL;
    }
    FUZZ_CHECK(out.len > 0 && out.len == strlen(out.data) && out.len < LIMIT_PATH_BYTES);
    FUZZ_CHECK(path_is_absolute(rules.style, out.data));
    FUZZ_CHECK(!has_dot_component(rules.style, out.data));
    FUZZ_CHECK(rules.style == PATH_POSIX || !strchr(out.data, '/'));
    FUZZ_CHECK(path_normalize(rules.style, NULL, out.data, &again, &err) == CORDON_OK);
    FUZZ_CHECK(strcmp(again.data, out.data) == 0);
    check_parents(rules, out.data);
    buf_release(&again);
    return buf_take(&out);
}

static void check_pair(struct path_rules rules, const char *a, const char *b)
{
    int order = path_compare(rules, a, b), back = path_compare(rules, b, a);
    FUZZ_CHECK((order < 0) == (back > 0) && (order == 0) == (back == 0));
    FUZZ_CHECK(path_equal(rules, a, b) == (order == 0));
    bool within = path_is_within(rules, a, b);
    FUZZ_CHECK(!within || order <= 0);
    FUZZ_CHECK(path_is_below(rules, a, b) == (within && order != 0));
    FUZZ_CHECK(!within || path_depth(rules.style, a) <= path_depth(rules.style, b));
    if (within && path_is_within(rules, b, a))
        FUZZ_CHECK(order == 0);
    glob_match_path(rules, a, b);
    if (order == 0 && !glob_has_magic(a) && (rules.style == PATH_WINDOWS || !strchr(a, '\\')))
        FUZZ_CHECK(glob_match_path(rules, a, b));
    if (within) { /* a path's own pattern with `**` behind it takes what lies below */
        struct buf pattern = BUF_INIT;
        path_join(rules.style, &pattern, a, "**");
        if (!glob_has_magic(a) && (rules.style == PATH_WINDOWS || !strchr(a, '\\')))
            FUZZ_CHECK(glob_match_path(rules, pattern.data, b));
        buf_release(&pattern);
    }
}

static void check_triple(struct path_rules rules, char *const paths[STRINGS])
{
    for (size_t i = 0; i < STRINGS; i++)
        for (size_t k = 0; k < STRINGS; k++)
            for (size_t l = 0; l < STRINGS; l++) {
                const char *a = paths[i], *b = paths[k], *c = paths[l];
                if (path_compare(rules, a, b) > 0 || path_compare(rules, b, c) > 0)
                    continue;
                FUZZ_CHECK(path_compare(rules, a, c) <= 0);
                if (path_is_within(rules, a, c)) /* nothing comes between */
                    FUZZ_CHECK(path_is_within(rules, a, b));
                if (path_is_within(rules, a, b) && path_is_within(rules, b, c))
                    FUZZ_CHECK(path_is_within(rules, a, c));
            }
}

static void check_name(struct path_rules rules, const char *name, const char *candidate)
{
    static const char *const posix_tails[] = {"", "/", "//"};
    static const char *const windows_tails[] = {
        "", "\\", "/", ".", " ", ". .", ":s", "::$INDEX_ALLOCATION", " .:s\\"};
    bool windows = rules.style == PATH_WINDOWS;
    path_name_matches(rules, name, candidate);
    if (!path_is_bare_name(rules.style, name))
        return;
    const char *const *tails = windows ? windows_tails : posix_tails;
    size_t count = windows ? sizeof windows_tails / sizeof *tails : sizeof posix_tails / sizeof *tails;
    for (size_t i = 0; i < count; i++) {
        char *other = string_format("%s%s", name, tails[i]);
        FUZZ_CHECK(other);
        for (char *c = other; rules.fold_case && *c; c++)
            if (*c >= 'a' && *c <= 'z')
                *c = (char)(*c - 0x20);
        FUZZ_CHECK(path_name_matches(rules, name, other));
        free(other);
    }
}

static void check_globs(const char *pattern, const char *name)
{
    glob_match_name(pattern, name, true);
    bool matches = glob_match_name(pattern, name, false);
    FUZZ_CHECK(glob_match_name("*", name, false));
    char *around = string_format("*%s*", pattern);
    FUZZ_CHECK(around);
    /* A backslash at the end would escape the star that was added. */
    size_t len = strlen(pattern);
    if (matches && (len == 0 || pattern[len - 1] != '\\'))
        FUZZ_CHECK(glob_match_name(around, name, false));
    free(around);

    struct buf literal = BUF_INIT;
    buf_add_string(&literal, "");
    for (const char *c = name; *c; c++) {
        if (strchr("*?[]\\", *c))
            buf_add_char(&literal, '\\');
        buf_add_char(&literal, *c);
    }
    FUZZ_CHECK(glob_match_name(literal.data, name, false));
    FUZZ_CHECK(glob_match_name(literal.data, name, true));
    buf_release(&literal);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct path_rules rules = {data[0] & 1 ? PATH_WINDOWS : PATH_POSIX, (data[0] & 2) != 0};
    const char *at = (const char *)data + 1, *end = (const char *)data + size;
    char *given[STRINGS], *normal[STRINGS];
    for (size_t i = 0; i < STRINGS; i++) {
        const char *nul = at < end ? memchr(at, '\0', (size_t)(end - at)) : NULL;
        const char *stop = nul && i + 1 < STRINGS ? nul : end;
        given[i] = string_copy_n(at, (size_t)(stop - at));
        FUZZ_CHECK(given[i]);
        at = stop < end ? stop + 1 : end;
    }
    const char *base = rules.style == PATH_WINDOWS ? "\\\\s\\h\\w" : "/w";
    for (size_t i = 0; i < STRINGS; i++) {
        normal[i] = normalize(rules, base, given[i]);
        if (!normal[i])
            normal[i] = string_copy(base);
        FUZZ_CHECK(normal[i]);
    }
    for (size_t i = 0; i < STRINGS; i++)
        for (size_t k = 0; k < STRINGS; k++) {
            check_pair(rules, normal[i], normal[k]);
            check_name(rules, given[i], given[k]);
            check_globs(given[i], given[k]);
            glob_match_path(rules, given[i], given[k]);
            char *joined = normalize(rules, normal[i], given[k]);
            free(joined);
        }
    check_triple(rules, normal);
    for (size_t i = 0; i < STRINGS; i++) {
        free(given[i]);
        free(normal[i]);
    }
    return 0;
}
