/* test_glob.c - globs over names and paths, and that they end in time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/path.h"

static const struct path_rules posix = {PATH_POSIX, false};
static const struct path_rules posix_fold = {PATH_POSIX, true};
static const struct path_rules windows = {PATH_WINDOWS, true};

static void magic(void **state)
{
    (void)state;
    assert_false(glob_has_magic(""));
    assert_false(glob_has_magic("/a/.b]c!{d}"));
    assert_false(glob_has_magic("/a\\b"));
    assert_true(glob_has_magic("/a/*"));
    assert_true(glob_has_magic("a?"));
    assert_true(glob_has_magic("[a"));
    assert_true(glob_has_magic("/a/\\*")); /* an escape needs the glob's reading too */
}

static void names(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *name;
        bool matches;
    } rows[] = {
        {"", "", true},
        {"", "a", false},
        {"a", "", false},
        {"abc", "abc", true},
        {"abc", "abd", false},
        {"abc", "abcd", false},
        {"abc", "Abc", false},
        {"*", "", true},
        {"*", ".env", true},
        {"*", "a/b", true}, /* a name may hold anything */
        {"**", "abc", true},
        {"*_TOKEN", "GH_TOKEN", true},
        {"*_TOKEN", "_TOKEN", true},
        {"*_TOKEN", "GH_TOKENS", false},
        {"*_SECRET*", "MY_SECRET_KEY", true},
        {"a*b*c", "aXbYc", true},
        {"a*b*c", "abcbc", true},
        {"a*b*c", "acb", false},
        {"*a*a*a", "aaa", true},
        {"*a*a*a", "aa", false},
        {"a*", "a", true},
        {"?", "a", true},
        {"?", "", false},
        {"??", "a", false},
        {"?", "\xc3\xa4", true}, /* one character, not one byte */
        {"??", "\xc3\xa4", false},
        {"?", "\xe2\x82\xac", true},
        {"?", "\xf0\x9f\x94\x92", true},
        {"?", "\xff", true},
        {"\xc3\xa4*", "\xc3\xa4x", true},
        {"*\xff", "a\xff", true},
        {"*\xff", "a\xfe", false},
        {"[abc]", "b", true},
        {"[abc]", "d", false},
        {"[abc]", "", false},
        {"[a-c]x", "bx", true},
        {"[a-c]", "d", false},
        {"[a-cx-z]", "y", true},
        {"[!a]", "b", true},
        {"[!a]", "a", false},
        {"[^a]", "a", false},
        {"[^a]", "b", true},
        {"[!a-c]", "", false},
        {"[]]", "]", true},
        {"[]a]", "a", true},
        {"[!]]", "]", false},
        {"[!]]", "a", true},
        {"[a-]", "-", true},
        {"[-a]", "-", true},
        {"[a-]", "b", false},
        {"[!-]", "-", false},
        {"[\xc3\xa0-\xc3\xb6]", "\xc3\xa4", true},
        {"[\xc3\xa4]", "\xc3", false},
        {"[c-a]", "b", false},
        {"[*]", "*", true},
        {"[*]", "a", false},
        {"[?]", "a", false},
        {"[\\]]", "]", true},
        {"[\\]a]", "a", true},
        {"[\\!a]", "!", true},
        {"[a\\-c]", "b", false},
        {"[a\\-c]", "-", true},
        /* Not closed: the bracket itself. */
        {"[", "[", true},
        {"[a", "[a", true},
        {"[a", "a", false},
        {"[]", "[]", true},
        {"[!", "[!", true},
        {"[!]", "[!]", true},
        {"[[a]", "[", true},
        {"[[a]", "a", true},
        {"x[a[b", "x[a[b", true},
        {"*[", "a[[", true},
        {"[a\\]", "[a]", true},
        /* A class before one that is not closed stays a class when the star gives back. */
        {"*[ab]x[", "bx ax[", true},
        {"*[ab]x[", "bx cx[", false},
        /* Escapes. */
        {"\\*", "*", true},
        {"\\*", "a", false},
        {"\\?", "a", false},
        {"\\[a]", "[a]", true},
        {"\\[a]", "a", false},
        {"\\\\", "\\", true},
        {"a\\", "a\\", true},
        {"\\a", "a", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (glob_match_name(rows[i].pattern, rows[i].name, false) != rows[i].matches)
            fail_msg("'%s' and '%s': wanted %d", rows[i].pattern, rows[i].name, rows[i].matches);
}

static void folded_names(void **state)
{
    (void)state;
    assert_true(glob_match_name("*_token", "GH_TOKEN", true));
    assert_true(glob_match_name("[a-c]", "B", true));
    assert_true(glob_match_name("[A-C]", "b", true));
    assert_false(glob_match_name("[!A-C]", "b", true));
    assert_false(glob_match_name("[M-Z]", "a", true));
    assert_true(glob_match_name("[A-z]", "_", true)); /* as written, between Z and a */
    assert_true(glob_match_name("\xc3\x84*", "\xc3\xa4x", true));
    assert_false(glob_match_name("\xc3\x84*", "\xc3\xa4x", false));
}

static void paths(void **state)
{
    (void)state;
    static const struct {
        const struct path_rules *rules;
        const char *pattern, *path;
        bool matches;
    } rows[] = {
        {&posix, "/", "/", true},
        {&posix, "/a", "/a", true},
        {&posix, "/a", "/a/b", false},
        {&posix, "/a/b", "/a", false},
        {&posix, "/*", "/a", true},
        {&posix, "/*", "/", false},
        {&posix, "/*", "/a/b", false},
        {&posix, "/a/*", "/a/.env", true},
        {&posix, "/a/*/c", "/a/b/c", true},
        {&posix, "/a/*/c", "/a/b/d/c", false},
        {&posix, "/a?b", "/a/b", false},
        {&posix, "/a[/]b", "/a/b", false},
        {&posix, "/a[!x]b", "/a/b", false},
        {&posix, "/a*b", "/a/b", false},
        {&posix, "/a**b", "/axxb", true},
        {&posix, "/a**b", "/a/b", false},
        {&posix, "/**", "/", true},
        {&posix, "/**", "/a/b/c", true},
        {&posix, "/a/**", "/a", true},
        {&posix, "/a/**", "/a/b/c", true},
        {&posix, "/a/**", "/ab/c", false},
        {&posix, "/**/c", "/c", true},
        {&posix, "/**/c", "/a/b/c", true},
        {&posix, "/**/c", "/a/b/c/d", false},
        {&posix, "/a/**/c", "/a/c", true},
        {&posix, "/a/**/c", "/a/x/y/c", true},
        {&posix, "/a/**/c", "/b/c", false},
        {&posix, "/a/**/b/**/c", "/a/b/x/b/y/c", true},
        {&posix, "/a/**/b/**/c", "/a/x/y/c", false},
        {&posix, "/**/**/c", "/c", true},
        {&posix, "/**/a/b", "/a/a/a/b", true},
        {&posix, "/**/*.pem", "/home/u/k.pem", true},
        {&posix, "/**/.env*", "/w/.env.local", true},
        {&posix, "**/c", "/a/c", true},
        {&posix, "*/a", "/a", false}, /* no wildcard stands for the root */
        {&posix, "a", "/a", false},
        {&posix, "/\\*", "/*", true},
        {&posix, "/\\*", "/a", false},
        {&posix, "/\\**", "/*a", true},
        {&posix, "/\\*\\*", "/a/b", false},
        {&posix, "/A", "/a", false},
        {&posix_fold, "/A*", "/ab", true},
        {&posix_fold, "/\xc3\x84", "/\xc3\xa4", false},
        {&windows, "C:\\", "C:\\", true},
        {&windows, "C:\\**", "C:\\", true},
        {&windows, "C:\\*", "C:\\a", true},
        {&windows, "C:\\*", "C:\\", false},
        {&windows, "C:\\**\\*.PEM", "C:\\u\\k.pem", true},
        {&windows, "C:\\a\\*", "C:\\a\\*b", true}, /* no escape: the backslash separates */
        {&windows, "C:\\a\\*", "C:\\a\\b", true},
        {&windows, "C:\\a\\*", "D:\\a\\b", false},
        {&windows, "\\\\s\\h\\**", "\\\\S\\h\\x\\y", true},
        {&windows, "\\\\s\\h\\**", "\\\\s\\g\\x", false},
        {&windows, "C:\\\xc3\x84*", "C:\\\xc3\xa4x", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (glob_match_path(*rows[i].rules, rows[i].pattern, rows[i].path) != rows[i].matches)
            fail_msg("'%s' and '%s': wanted %d", rows[i].pattern, rows[i].path, rows[i].matches);
}

/* -- against the obvious reading ------------------------------------------- */

/* Exponential and plain: what the bounded matcher must equal. */
static bool naive_name(const char *p, const char *s)
{
    if (!*p)
        return !*s;
    if (*p == '*')
        return naive_name(p + 1, s) || (*s && naive_name(p, s + 1));
    return *s && (*p == '?' || *p == *s) && naive_name(p + 1, s + 1);
}

static bool naive_path(const char *p, const char *s)
{
    char pattern[32], name[32];
    if (!p || !s)
        return p ? strcmp(p, "/**") == 0 || (strncmp(p, "/**/", 4) == 0 && naive_path(p + 3, s)) : !s;
    const char *p_next = strchr(p + 1, '/'), *s_next = strchr(s + 1, '/');
    size_t p_len = p_next ? (size_t)(p_next - p - 1) : strlen(p + 1);
    size_t s_len = s_next ? (size_t)(s_next - s - 1) : strlen(s + 1);
    memcpy(pattern, p + 1, p_len);
    pattern[p_len] = '\0';
    memcpy(name, s + 1, s_len);
    name[s_len] = '\0';
    if (strcmp(pattern, "**") == 0)
        return naive_path(p_next, s) || naive_path(p, s_next);
    return naive_name(pattern, name) && naive_path(p_next, s_next);
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void random_text(uint64_t *seed, const char *letters, size_t most, char *out)
{
    size_t len = next_random(seed) % (most + 1);
    for (size_t i = 0; i < len; i++)
        out[i] = letters[next_random(seed) % strlen(letters)];
    out[len] = '\0';
}

static void random_components(uint64_t *seed, bool pattern, char *out)
{
    size_t count = 1 + next_random(seed) % 4, len = 0;
    for (size_t i = 0; i < count; i++) {
        out[len++] = '/';
        if (pattern && next_random(seed) % 3 == 0)
            memcpy(out + len, "**", 3);
        else
            do
                random_text(seed, pattern ? "ab*?" : "ab", 3, out + len);
            while (!out[len] || strcmp(out + len, "**") == 0);
        len += strlen(out + len);
    }
}

static void equals_the_obvious_reading(void **state)
{
    (void)state;
    uint64_t seed = 42;
    size_t hits = 0;
    for (int i = 0; i < 30000; i++) {
        char pattern[32], text[32];
        random_text(&seed, "aab**?", 8, pattern);
        random_text(&seed, "aab", 10, text);
        bool wanted = naive_name(pattern, text);
        if (glob_match_name(pattern, text, false) != wanted)
            fail_msg("'%s' and '%s': wanted %d", pattern, text, wanted);
        hits += wanted;
        random_components(&seed, true, pattern);
        random_components(&seed, false, text);
        wanted = naive_path(pattern, text);
        if (glob_match_path(posix, pattern, text) != wanted)
            fail_msg("'%s' and '%s': wanted %d", pattern, text, wanted);
        hits += wanted;
    }
    assert_in_range(hits, 5000, 55000); /* both answers occur */
}

/* -- that it ends ---------------------------------------------------------- */

static char *repeat(const char *unit, size_t count, const char *tail)
{
    struct buf b = BUF_INIT;
    for (size_t i = 0; i < count; i++)
        buf_add_string(&b, unit);
    buf_add_string(&b, tail);
    char *s = buf_take(&b);
    assert_non_null(s);
    return s;
}

/* With backtracking into every wildcard none of these would end in a lifetime. */
static void hostile_patterns_end(void **state)
{
    (void)state;
    static const struct {
        const char *unit, *tail, *text_unit, *text_tail;
        size_t units, text_units;
        bool path, matches;
    } rows[] = {
        {"a*", "b", "a", "", 500, 2000, false, false},    {"*a", "b", "a", "", 500, 2000, false, false},
        {"*?", "*", "a", "", 1000, 999, false, false},    {"[", "", "[", "x", 2000, 2000, false, false},
        {"*[", "\\]", "[", "", 800, 2000, false, false},  {"*[a", "]b", "a", "", 400, 1000, false, false},
        {"/**/a", "/b", "/a", "", 200, 500, true, false}, {"/**/*a*", "/b", "/aa", "", 200, 500, true, false},
        {"/**", "", "/a", "", 1000, 1000, true, true},    {"/**/*", "", "/a", "", 300, 300, true, true},
        {"/**/*", "", "/a", "", 300, 299, true, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *pattern = repeat(rows[i].unit, rows[i].units, rows[i].tail);
        char *text = repeat(rows[i].text_unit, rows[i].text_units, rows[i].text_tail);
        bool got =
            rows[i].path ? glob_match_path(posix, pattern, text) : glob_match_name(pattern, text, false);
        assert_int_equal(got, rows[i].matches);
        free(pattern);
        free(text);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(magic),
        cmocka_unit_test(names),
        cmocka_unit_test(folded_names),
        cmocka_unit_test(paths),
        cmocka_unit_test(equals_the_obvious_reading),
        cmocka_unit_test(hostile_patterns_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
