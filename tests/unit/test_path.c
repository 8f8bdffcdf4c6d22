/* test_path.c - path rules of both styles, on every host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/limits.h"
#include "core/path.h"

static const struct path_rules posix = {PATH_POSIX, false};
static const struct path_rules posix_fold = {PATH_POSIX, true};
static const struct path_rules windows = {PATH_WINDOWS, true};
static const struct path_rules windows_exact = {PATH_WINDOWS, false};

/* -- what a path is -------------------------------------------------------- */

static void separators_and_absolute(void **state)
{
    (void)state;
    assert_true(path_is_separator(PATH_POSIX, '/'));
    assert_false(path_is_separator(PATH_POSIX, '\\'));
    assert_true(path_is_separator(PATH_WINDOWS, '/'));
    assert_true(path_is_separator(PATH_WINDOWS, '\\'));

    assert_true(path_is_absolute(PATH_POSIX, "/"));
    assert_false(path_is_absolute(PATH_POSIX, ""));
    assert_false(path_is_absolute(PATH_POSIX, "a/b"));
    assert_false(path_is_absolute(PATH_POSIX, "C:/a"));

    static const char *const yes[] = {"C:\\",  "c:/",         "C:/a",       "\\\\s\\h",
                                      "//s/h", "\\\\?\\C:\\", "\\\\.\\COM1"};
    static const char *const no[] = {"", "C:", "C:a", "\\a", "/a", "a\\b", "1:\\a", ":\\"};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        assert_true(path_is_absolute(PATH_WINDOWS, yes[i]));
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        assert_false(path_is_absolute(PATH_WINDOWS, no[i]));
}

static void bare_names(void **state)
{
    (void)state;
    static const char *const names[] = {".git", "a", "...", "a b", "-", "..a"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_true(path_is_bare_name(PATH_POSIX, names[i]));
    assert_true(path_is_bare_name(PATH_POSIX, "a\\b"));
    assert_true(path_is_bare_name(PATH_POSIX, "a:b"));
    static const char *const never[] = {"", ".", "..", "a/b", "/", "a/"};
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++) {
        assert_false(path_is_bare_name(PATH_POSIX, never[i]));
        assert_false(path_is_bare_name(PATH_WINDOWS, never[i]));
    }
    static const char *const not_windows[] = {"a\\b", "a:b", "C:", "...", ". ", " "};
    for (size_t i = 0; i < sizeof not_windows / sizeof not_windows[0]; i++)
        assert_false(path_is_bare_name(PATH_WINDOWS, not_windows[i]));
    assert_true(path_is_bare_name(PATH_WINDOWS, ".git"));
}

/* -- normalising ----------------------------------------------------------- */

static void expect_normal(enum path_style style, const char *base, const char *path, const char *wanted)
{
    struct buf out = BUF_INIT;
    struct cordon_error err = {0};
    buf_add_string(&out, "kept:");
    if (path_normalize(style, base, path, &out, &err) != CORDON_OK)
        fail_msg("%s: %s", path, err.message);
    assert_memory_equal(out.data, "kept:", 5);
    assert_string_equal(out.data + 5, wanted);
    assert_int_equal(out.len, strlen(out.data));

    /* What is normal stays as it is. */
    buf_reset(&out);
    assert_int_equal(path_normalize(style, NULL, wanted, &out, &err), CORDON_OK);
    assert_string_equal(out.data, wanted);
    assert_true(path_is_absolute(style, wanted));
    buf_release(&out);
}

static void expect_refused(enum path_style style, const char *base, const char *path, const char *words)
{
    struct buf out = BUF_INIT;
    struct cordon_error err = {0};
    buf_add_string(&out, "kept");
    if (path_normalize(style, base, path, &out, &err) == CORDON_OK)
        fail_msg("%s was taken as %s", path, out.data);
    assert_string_equal(out.data, "kept");
    assert_string_equal(err.step, "path.normalize");
    if (!strstr(err.message, words))
        fail_msg("%s: '%s' does not say '%s'", path, err.message, words);
    assert_int_equal(path_normalize(style, base, path, &out, NULL), err.status);
    buf_release(&out);
}

static void normalize_posix(void **state)
{
    (void)state;
    static const struct {
        const char *base, *path, *wanted;
    } rows[] = {
        {NULL, "/", "/"},
        {NULL, "//", "/"},
        {NULL, "//a", "/a"},
        {NULL, "/a//b///c/", "/a/b/c"},
        {NULL, "/a/./b/.", "/a/b"},
        {NULL, "/a/b/..", "/a"},
        {NULL, "/a/..", "/"},
        {NULL, "/..", "/"},
        {NULL, "/../../a", "/a"},
        {NULL, "/a/../../b/../c", "/c"},
        {NULL, "/...", "/..."},
        {NULL, "/a./b ", "/a./b "},
        {NULL, "/a\\b", "/a\\b"},
        {NULL, "/a:b", "/a:b"},
        {NULL, "/CON/nul.txt", "/CON/nul.txt"},
        {NULL, "/a\nb\xff", "/a\nb\xff"},
        {"/w", ".", "/w"},
        {"/w", "a", "/w/a"},
        {"/w/x", "../a", "/w/a"},
        {"/w", "../../a", "/a"},
        {"/", "a/", "/a"},
        {"/", ".", "/"},
        {"/w", "/a", "/a"},
        {"/w", "..", "/"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_normal(PATH_POSIX, rows[i].base, rows[i].path, rows[i].wanted);
    expect_refused(PATH_POSIX, "/w", "", "empty");
    expect_refused(PATH_POSIX, NULL, "a", "relative");
}

static void normalize_windows(void **state)
{
    (void)state;
    static const struct {
        const char *base, *path, *wanted;
    } rows[] = {
        {NULL, "C:\\", "C:\\"},
        {NULL, "c:/", "C:\\"},
        {NULL, "c:/A//b\\c/", "C:\\A\\b\\c"},
        {NULL, "C:\\a\\..", "C:\\"},
        {NULL, "C:\\..\\..\\a", "C:\\a"},
        {NULL, "C:\\a\\.\\b\\.", "C:\\a\\b"},
        {NULL, "\\\\srv\\share", "\\\\srv\\share"},
        {NULL, "//srv/share/", "\\\\srv\\share"},
        {NULL, "\\\\srv\\share\\a\\..\\..\\..\\b", "\\\\srv\\share\\b"},
        {NULL, "\\\\srv\\c$\\a", "\\\\srv\\c$\\a"},
        {NULL, "\\\\?\\c:\\a\\b\\", "C:\\a\\b"},
        {NULL, "\\\\?\\C:\\", "C:\\"},
        {NULL, "\\\\?\\UNC\\srv\\share\\a", "\\\\srv\\share\\a"},
        {NULL, "\\\\?\\unc\\srv\\share", "\\\\srv\\share"},
        /* What Win32 drops. */
        {NULL, "C:\\a.", "C:\\a"},
        {NULL, "C:\\a. . ", "C:\\a"},
        {NULL, "C:\\a.\\b", "C:\\a\\b"},
        {NULL, "C:\\.git. ", "C:\\.git"},
        {NULL, "C:\\a.b.\\", "C:\\a.b"},
        {NULL, "C:\\ a", "C:\\ a"},
        /* Not reserved. */
        {NULL, "C:\\CONSOLE", "C:\\CONSOLE"},
        {NULL, "C:\\COM", "C:\\COM"},
        {NULL, "C:\\COM10", "C:\\COM10"},
        {NULL, "C:\\LPTX", "C:\\LPTX"},
        {NULL, "C:\\x.nul", "C:\\x.nul"},
        {NULL, "C:\\auxiliary\\null", "C:\\auxiliary\\null"},
        /* A pattern keeps its wildcards. */
        {NULL, "C:\\a\\**\\*.p?m", "C:\\a\\**\\*.p?m"},
        {"C:\\w", ".", "C:\\w"},
        {"C:\\w", "a/b", "C:\\w\\a\\b"},
        {"C:\\w", "..\\..\\a", "C:\\a"},
        {"C:\\", "a", "C:\\a"},
        {"\\\\s\\h", "a", "\\\\s\\h\\a"},
        {"\\\\s\\h", "..", "\\\\s\\h"},
        {"C:\\w", "D:\\a", "D:\\a"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_normal(PATH_WINDOWS, rows[i].base, rows[i].path, rows[i].wanted);
}

static void refuse_windows(void **state)
{
    (void)state;
    static const struct {
        const char *path, *words;
    } rows[] = {
        {"", "empty"},
        {"C:", "current directory"},
        {"C:a", "current directory"},
        {"c:..\\a", "current directory"},
        {"\\a", "current drive"},
        {"/", "current drive"},
        {"\\??\\C:\\a", "current drive"},
        {"\\\\.\\C:\\a", "device"},
        {"//./C:/a", "device"},
        {"\\\\.", "device"},
        {"\\\\?", "device"},
        {"//?/C:/a", "device"},
        {"\\\\?/C:\\a", "device"},
        {"\\\\.\\PhysicalDrive0", "device"},
        {"\\\\.\\pipe\\x", "device"},
        {"\\\\?\\", "only a drive"},
        {"\\\\?\\C:", "only a drive"},
        {"\\\\?\\C:/a", "only a drive"},
        {"\\\\?\\GLOBALROOT\\Device\\x", "only a drive"},
        {"\\\\?\\Volume{00000000-0000-0000-0000-000000000000}\\a", "only a drive"},
        {"\\\\?\\UN", "only a drive"},
        {"\\\\?\\UNC\\s", "server"},
        {"\\\\?\\UNC\\s/x\\h", "server"},
        {"\\\\?\\UNC\\s\\h/x", "server"},
        /* Verbatim, it names something that the plain form does not. */
        {"\\\\?\\C:\\a.", "ends in a period"},
        {"\\\\?\\C:\\a \\b", "ends in a period"},
        {"\\\\?\\C:\\a\\..\\b", "plain names"},
        {"\\\\?\\C:\\.", "plain names"},
        {"\\\\?\\C:\\a/b", "only \\ separates"},
        {"\\\\?\\C:\\nul", "reserves"},
        {"\\\\", "server"},
        {"\\\\srv", "server"},
        {"\\\\srv\\", "server"},
        {"\\\\\\srv\\share", "server"},
        {"\\\\srv\\\\share", "server"},
        {"\\\\srv\\..\\share", "server"},
        {"\\\\srv\\share.", "server"},
        {"\\\\srv\\C:\\a", "server"},
        {"\\\\..\\share\\a", "server"},
        /* Streams. */
        {"C:\\a:b", "stream"},
        {"C:\\.git::$INDEX_ALLOCATION", "stream"},
        {"C:\\a\\:s", "stream"},
        {"a:b", "drive"},
        {"ab:c", "stream"},
        {"C:\\C:\\a", "stream"},
        /* Devices in every directory. */
        {"C:\\CON", "reserves"},
        {"C:\\a\\nul", "reserves"},
        {"C:\\a\\NUL.txt", "reserves"},
        {"C:\\nul .tar.gz", "reserves"},
        {"C:\\prn\\b", "reserves"},
        {"aux", "reserves"},
        {"C:\\Com1", "reserves"},
        {"C:\\lpt9.x", "reserves"},
        {"C:\\COM\xc2\xb2", "reserves"},
        {"C:\\LPT\xc2\xb9.log", "reserves"},
        {"C:\\conin$", "reserves"},
        {"C:\\CONOUT$", "reserves"},
        {"C:\\nul. ", "reserves"},
        /* Win32 keeps these; other programs do not. */
        {"C:\\a \\b", "ends in a period"},
        {"C:\\a..\\b", "ends in a period"},
        {"C:\\.. \\b", "ends in a period"},
        {"C:\\a \\", "ends in a period"},
        {"C:\\...", "periods and spaces"},
        {"C:\\a\\.. ", "periods and spaces"},
        {"C:\\a\\ ", "periods and spaces"},
        {"C:\\a<b", "< > \" |"},
        {"C:\\a\tb", "control"},
        {"C:\\a\"b", "< > \" |"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_refused(PATH_WINDOWS, "C:\\w", rows[i].path, rows[i].words);
    expect_refused(PATH_WINDOWS, NULL, "a", "relative");
}

static void too_long(void **state)
{
    (void)state;
    char *path = calloc(3, LIMIT_PATH_BYTES);
    assert_non_null(path);
    memset(path, 'a', LIMIT_PATH_BYTES);
    path[0] = '/';
    struct buf out = BUF_INIT;
    struct cordon_error err = {0};
    assert_int_equal(path_normalize(PATH_POSIX, NULL, path, &out, &err), CORDON_E_LIMIT);
    assert_string_equal(err.step, "path.normalize");
    assert_int_equal(out.len, 0);
    path[LIMIT_PATH_BYTES - 1] = '\0';
    assert_int_equal(path_normalize(PATH_POSIX, NULL, path, &out, &err), CORDON_OK);
    assert_int_equal(out.len, LIMIT_PATH_BYTES - 1);
    buf_reset(&out);
    /* Only the result counts. */
    for (size_t i = 0; i < (size_t)2 * LIMIT_PATH_BYTES; i++)
        path[i] = i % 2 ? '.' : '/';
    assert_int_equal(path_normalize(PATH_POSIX, NULL, path, &out, &err), CORDON_OK);
    assert_string_equal(out.data, "/");
    buf_release(&out);
    free(path);
}

/* -- relations ------------------------------------------------------------- */

static void within(void **state)
{
    (void)state;
    static const struct {
        const struct path_rules *rules;
        const char *root, *path;
        bool inside;
    } rows[] = {
        {&posix, "/a/b", "/a/b", true},
        {&posix, "/a/b", "/a/b/c", true},
        {&posix, "/a/b", "/a/bc", false},
        {&posix, "/a/b", "/a/b-c/d", false},
        {&posix, "/a/b", "/a", false},
        {&posix, "/", "/", true},
        {&posix, "/", "/a", true},
        {&posix, "/a", "/", false},
        {&posix, "/a", "/A/b", false},
        {&posix, "/a\\b", "/a/b", false},
        {&posix_fold, "/a", "/A/b", true},
        {&posix_fold, "/\xc3\xa4", "/\xc3\x84", false},
        {&windows, "C:\\", "C:\\a", true},
        {&windows, "C:\\a", "C:\\A\\b", true},
        {&windows, "C:\\a", "C:\\ab", false},
        {&windows, "C:\\", "D:\\a", false},
        {&windows, "\\\\s\\h", "\\\\S\\H\\x", true},
        {&windows, "\\\\s\\h", "\\\\s\\hx", false},
        {&windows, "C:\\\xc3\xa4", "C:\\\xc3\x84\\x", true},
        {&windows_exact, "C:\\a", "C:\\A\\b", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(path_is_within(*rows[i].rules, rows[i].root, rows[i].path), rows[i].inside);
        bool same = path_equal(*rows[i].rules, rows[i].root, rows[i].path);
        assert_int_equal(path_is_below(*rows[i].rules, rows[i].root, rows[i].path), rows[i].inside && !same);
    }
    assert_true(path_equal(posix, "/a", "/a"));
    assert_false(path_equal(posix, "/a", "/a/b"));
    assert_false(path_equal(posix, "/a", "/A"));
}

static void folding(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"\xc3\x80", "\xc3\xa0"},                 /* A grave */
        {"\xc3\x9e", "\xc3\xbe"},                 /* thorn */
        {"\xc5\xb8", "\xc3\xbf"},                 /* y diaeresis */
        {"\xce\x91\xce\xa9", "\xce\xb1\xcf\x89"}, /* alpha omega */
        {"\xcf\x82", "\xce\xa3"},                 /* final sigma and Sigma */
        {"\xce\x86\xce\x8c\xce\x8e", "\xce\xac\xcf\x8c\xcf\x8d"},
        {"\xd0\x90\xd0\xaf", "\xd0\xb0\xd1\x8f"}, /* Cyrillic A, YA */
        {"\xd0\x81", "\xd1\x91"},                 /* IO */
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        char a[32], b[32];
        snprintf(a, sizeof a, "C:\\%sx", pairs[i][0]);
        snprintf(b, sizeof b, "C:\\%sX", pairs[i][1]);
        assert_true(path_equal(windows, a, b));
        assert_false(path_equal(windows_exact, a, b));
        assert_true(path_name_matches(windows, pairs[i][0], pairs[i][1]));
    }
    assert_false(path_equal(windows, "C:\\\xc3\x97", "C:\\\xc3\xb7")); /* times and division */
    assert_false(path_equal(windows, "C:\\\xc3", "C:\\\xc3\x80"));
    assert_true(path_equal(windows, "C:\\\xe2\xc3\x80", "C:\\\xe2\xc3\xa0"));
}

static void parts(void **state)
{
    (void)state;
    static const struct {
        enum path_style style;
        bool root;
        const char *path, *parent, *base;
        size_t depth;
    } rows[] = {
        {PATH_POSIX, true, "/", "/", "", 0},
        {PATH_POSIX, false, "/a", "/", "a", 1},
        {PATH_POSIX, false, "/a/b", "/a", "b", 2},
        {PATH_POSIX, false, "/a/b\\c", "/a", "b\\c", 2},
        {PATH_WINDOWS, true, "C:\\", "C:\\", "", 0},
        {PATH_WINDOWS, false, "C:\\a", "C:\\", "a", 1},
        {PATH_WINDOWS, false, "C:\\a\\b", "C:\\a", "b", 2},
        {PATH_WINDOWS, true, "\\\\s\\h", "\\\\s\\h", "", 0},
        {PATH_WINDOWS, false, "\\\\s\\h\\a", "\\\\s\\h", "a", 1},
        {PATH_WINDOWS, false, "\\\\s\\h\\a\\b", "\\\\s\\h\\a", "b", 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *path = rows[i].path;
        assert_int_equal(path_is_root(rows[i].style, path), rows[i].root);
        assert_int_equal(path_parent_length(rows[i].style, path), strlen(rows[i].parent));
        assert_memory_equal(path, rows[i].parent, strlen(rows[i].parent));
        assert_string_equal(path_basename(rows[i].style, path), rows[i].base);
        assert_int_equal(path_depth(rows[i].style, path), rows[i].depth);
        if (rows[i].root)
            continue;
        struct buf joined = BUF_INIT;
        path_join(rows[i].style, &joined, rows[i].parent, rows[i].base);
        assert_string_equal(joined.data, path);
        buf_release(&joined);
    }
}

/* -- order ----------------------------------------------------------------- */

static void order_examples(void **state)
{
    (void)state;
    static const char *const sorted[] = {"/",    "/a",   "/a/x",   "/a/x/y", "/a/x-",
                                         "/a b", "/a-b", "/a-b/c", "/a.b",   "/ab"};
    for (size_t i = 0; i < sizeof sorted / sizeof sorted[0]; i++)
        for (size_t k = 0; k < sizeof sorted / sizeof sorted[0]; k++) {
            int order = path_compare(posix, sorted[i], sorted[k]);
            assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
        }
    assert_int_equal(path_compare(windows, "C:\\A\\b", "C:\\a\\B"), 0);
    assert_true(path_compare(windows, "C:\\a\\z", "C:\\A-") < 0);
    assert_true(path_compare(posix, "/a\x01", "/a/b") > 0); /* below the separator in byte order */
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Few letters, so that prefixes, folds and near misses meet often. */
static void random_path(enum path_style style, uint64_t *seed, char *out, size_t size)
{
    static const char *const pieces[] = {
        "a", "A", "b", "-", ".", " ", "\x01", "\xc3\x84", "\xc3", "\xc3\xa4", "\xcf\x82", "\xce\xa3", "\xff"};
    size_t len = (size_t)snprintf(out, size, "%s", style == PATH_POSIX ? "/" : "C:\\");
    size_t depth = next_random(seed) % 4;
    for (size_t d = 0; d < depth; d++) {
        if (d)
            len += (size_t)snprintf(out + len, size - len, "%c", style == PATH_POSIX ? '/' : '\\');
        size_t count = 1 + next_random(seed) % 2;
        for (size_t i = 0; i < count; i++)
            len += (size_t)snprintf(out + len, size - len, "%s",
                                    pieces[next_random(seed) % (sizeof pieces / sizeof pieces[0])]);
    }
}

#define SAMPLE 160

static struct path_rules sort_rules; /* qsort has no context argument */

static int compare_for_sort(const void *a, const void *b)
{
    return path_compare(sort_rules, a, b);
}

static int sign(int order)
{
    return (order > 0) - (order < 0);
}

static void check_order(struct path_rules rules, uint64_t seed)
{
    static char paths[SAMPLE][48];
    for (size_t i = 0; i < SAMPLE; i++)
        random_path(rules.style, &seed, paths[i], sizeof paths[i]);

    /* A strict weak order: antisymmetric, and both `<` and `==` transitive. */
    for (size_t i = 0; i < SAMPLE; i++) {
        assert_int_equal(path_compare(rules, paths[i], paths[i]), 0);
        for (size_t k = 0; k < SAMPLE; k++) {
            int order = sign(path_compare(rules, paths[i], paths[k]));
            assert_int_equal(order, -sign(path_compare(rules, paths[k], paths[i])));
            assert_int_equal(order == 0, path_equal(rules, paths[i], paths[k]));
            for (size_t l = 0; order <= 0 && l < SAMPLE; l++) {
                int second = sign(path_compare(rules, paths[k], paths[l]));
                if (second <= 0)
                    assert_int_equal(sign(path_compare(rules, paths[i], paths[l])),
                                     order < second ? order : second);
            }
        }
    }

    /* What lies within a path follows it without a gap. */
    sort_rules = rules;
    qsort(paths, SAMPLE, sizeof paths[0], compare_for_sort);
    for (size_t i = 0; i < SAMPLE; i++) {
        bool inside = true;
        for (size_t k = 0; k < SAMPLE; k++) {
            bool now = path_is_within(rules, paths[i], paths[k]);
            if (k < i)
                assert_true(!now || path_equal(rules, paths[i], paths[k]));
            else
                assert_true(inside || !now);
            if (k >= i)
                inside = now;
        }
    }
}

static void order_is_strict_and_contiguous(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        check_order(posix, seed);
        check_order(posix_fold, seed);
        check_order(windows, seed);
        check_order(windows_exact, seed);
    }
}

/* -- protected names ------------------------------------------------------- */

static void name_matches(void **state)
{
    (void)state;
    static const struct {
        const struct path_rules *rules;
        const char *name, *candidate;
        bool same;
    } rows[] = {
        {&posix, ".git", ".git", true},
        {&posix, ".git", ".git/", true},
        {&posix, ".git", ".git//", true},
        {&posix, ".git", ".GIT", false},
        {&posix, ".git", ".git.", false},
        {&posix, ".git", ".git ", false},
        {&posix, ".git", ".git:a", false},
        {&posix, ".git", ".gitx", false},
        {&posix, ".git", ".gi", false},
        {&posix, ".git", "", false},
        {&posix, ".git", "GIT~1", false},
        {&posix, ".git", ".g\xe2\x80\x8cit", false},
        {&posix_fold, ".git", ".GIT", true},
        {&posix_fold, ".git", ".gIt/", true},
        {&posix_fold, ".git", ".g\xe2\x80\x8cit", true},
        {&posix_fold, ".git", "\xef\xbb\xbf.git", true},
        {&posix_fold, ".agents", ".agent\xc5\xbf", true},
        {&posix_fold, ".kit", ".\xe2\x84\xaait", true},
        {&posix_fold, ".git", ".git.", false},
        {&posix_fold, ".git", ".g\xe2\x80it", false},
        {&windows, ".git", ".git", true},
        {&windows, ".git", ".GIT", true},
        {&windows, ".git", ".git.", true},
        {&windows, ".git", ".git ", true},
        {&windows, ".git", ".git. . ", true},
        {&windows, ".git", ".git::$INDEX_ALLOCATION", true},
        {&windows, ".git", ".Git::$INDEX_ALLOCATION\\", true},
        {&windows, ".git", ".git:$I30:$INDEX_ALLOCATION", true},
        {&windows, ".git", ".git .:stream", true},
        {&windows, ".git", ".git/", true},
        {&windows, ".git", ".git\\", true},
        {&windows, ".git", ".git\\/", true},
        {&windows, ".git", "GIT~1", true},
        {&windows, ".git", "git~1", true},
        {&windows, ".git", "GIT~2", true},
        {&windows, ".git", "GIT~12", true},
        {&windows, ".git", "GIT~1.", true},
        {&windows, ".git", "GIT~1::$INDEX_ALLOCATION", true},
        {&windows, ".git", "GI7EBA~1", true},
        {&windows, ".git", "GI7EBA~1\\", true},
        {&windows, ".git", "GIT~1.x", false},
        {&windows, ".git", "GIT~", false},
        {&windows, ".git", "GIT~x", false},
        {&windows, ".git", "~1", false},
        {&windows, ".git", "~1234567", false},
        {&windows, ".git", "7EBA~1", false},
        {&windows, ".git", "GO7EBA~1", false},
        {&windows, ".git", "GI7EBX~1", false},
        {&windows, ".git", "GITX~1", false},
        {&windows, ".git", " .git", false},
        {&windows, ".git", "..git", false},
        {&windows, ".git", ".git.x", false},
        {&windows, ".git", ".gitx", false},
        {&windows, ".git", ":stream", false},
        {&windows, ".git", ". .", false},
        {&windows, ".git. ", ".git", true},
        {&windows_exact, ".git", ".GIT", false},
        {&windows_exact, ".git", ".git.", true},
        {&windows_exact, ".git", "GIT~1", true},
        {&windows, ".gitmodules", "GITMOD~1", true},
        {&windows, ".gitmodules", "GI7EBA~1", true},
        {&windows, ".gitmodules", "GITMO~10", true},
        {&windows, ".gitmodules", "GIT~1", false},
        {&windows, ".cordon", "CORDON~1", true},
        {&windows, ".codex", "CODEX~1", true},
        {&windows, ".agents", "agents~3", true},
        {&windows, "a b.config", "AB~1.CON", true},
        {&windows, "a b.config", "AB~1", false},
        {&windows, "a+b.c.d", "A_BC~1.D", true},
        {&windows, "long.name.", "LONG~1.NAM", true},
        {&windows, "settings.json", "SETTIN~1.JSO", true},
        {&windows, "settings.json", "SE12AB~1.JSO", true},
        {&windows, "settings.json", "SETTIN~1.TXT", false},
        {&windows, "build", "BUILD~1", false}, /* an 8.3 name has no other */
        {&windows, "Makefile", "MAKEFI~1", false},
        {&windows, "\xd0\xba.txt", "AB12~1.TXT", true}, /* the code page decides */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (path_name_matches(*rows[i].rules, rows[i].name, rows[i].candidate) != rows[i].same)
            fail_msg("row %zu: name '%s', candidate '%s', wanted %d", i, rows[i].name, rows[i].candidate,
                     rows[i].same);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(separators_and_absolute),
        cmocka_unit_test(bare_names),
        cmocka_unit_test(normalize_posix),
        cmocka_unit_test(normalize_windows),
        cmocka_unit_test(refuse_windows),
        cmocka_unit_test(too_long),
        cmocka_unit_test(within),
        cmocka_unit_test(folding),
        cmocka_unit_test(parts),
        cmocka_unit_test(order_examples),
        cmocka_unit_test(order_is_strict_and_contiguous),
        cmocka_unit_test(name_matches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
