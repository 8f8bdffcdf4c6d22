/* test_utf.c - UTF-8 by RFC 3629, and escapes that lose nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/utf.h"

/* The encoding of a code point, straight from the definition. */
static size_t encode(unsigned long c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)((0xf00 >> n & 0xf0) | c);
    return n;
}

static void takes_exactly_the_code_points(void **state)
{
    (void)state;
    for (unsigned long c = 0; c < 0x120000; c++) {
        char text[5] = "";
        size_t n = encode(c, text);
        bool wanted = c <= 0x10ffff && !(c >= 0xd800 && c <= 0xdfff);
        if (utf_sequence(text, n) != (wanted ? n : 0) || utf_is_valid(text, n) != wanted)
            fail_msg("U+%lX", c);
        if (wanted)
            assert_int_equal(utf_code_point(text, n), c);
        if (n > 1 && wanted) { /* not without its last byte */
            assert_int_equal(utf_sequence(text, n - 1), 0);
            assert_false(utf_is_valid(text, n - 1));
        }
    }
}

static void refuses_the_malformed(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "\x80",
        "\xbf",
        "\xc0\x80",
        "\xc1\xbf",
        "\xe0\x80\x80",
        "\xe0\x9f\xbf",
        "\xf0\x80\x80\x80",
        "\xf0\x8f\xbf\xbf",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xf8\x88\x80\x80\x80",
        "\xfe",
        "\xff",
        "\xc3",
        "\xc3(",
        "\xe2\x82",
        "\xe2(\xac",
        "\xe2\x82(",
        "\xf0\x9f\x94",
        "\xf0\x9f\x94(",
        "\xc3\xc3\xa4",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(utf_sequence(rows[i], strlen(rows[i])), 0);
        assert_false(utf_is_valid(rows[i], strlen(rows[i])));
    }
    assert_int_equal(utf_sequence("", 0), 0);
    assert_true(utf_is_valid("", 0));
    assert_true(utf_is_valid("a\0b", 3));
    assert_false(utf_is_valid("a\xff", 2));
    assert_int_equal(utf_sequence("\xc3\xa4x", 3), 2);
}

static void expect_escape(const char *bytes, size_t len, const char *plain, const char *display)
{
    struct buf out = BUF_INIT, back = BUF_INIT;
    utf_escape(&out, bytes, len);
    assert_string_equal(out.data, plain);
    assert_int_equal(out.len, strlen(plain));
    buf_add_string(&back, "kept");
    assert_true(utf_unescape(&back, out.data, out.len));
    assert_int_equal(back.len, len + 4);
    assert_memory_equal(back.data + 4, bytes, len);
    buf_reset(&out);
    utf_escape_display(&out, bytes, len);
    assert_string_equal(out.data, display);
    buf_release(&out);
    buf_release(&back);
}

static void escapes_and_back(void **state)
{
    (void)state;
    expect_escape("", 0, "", "");
    expect_escape("/a b/\xc3\xa4", 7, "/a b/\xc3\xa4", "/a b/\xc3\xa4");
    expect_escape("a\\b", 3, "a\\\\b", "a\\\\b");
    expect_escape("a\\xff", 5, "a\\\\xff", "a\\\\xff");
    expect_escape("\xff\xc3", 2, "\\xff\\xc3", "\\xff\\xc3");
    expect_escape("\xed\xa0\x80", 3, "\\xed\\xa0\\x80", "\\xed\\xa0\\x80");
    expect_escape("a\nb\x7f", 4, "a\nb\x7f", "a\\x0ab\\x7f");
    expect_escape("\x1b[2J", 4, "\x1b[2J", "\\x1b[2J");
    /* Right-to-left override, isolate, line separator; their neighbours are plain. */
    expect_escape("a\xe2\x80\xae", 4, "a\xe2\x80\xae", "a\\xe2\\x80\\xae");
    expect_escape("\xe2\x81\xa6\xe2\x80\xa8", 6, "\xe2\x81\xa6\xe2\x80\xa8",
                  "\\xe2\\x81\\xa6\\xe2\\x80\\xa8");
    expect_escape("\xe2\x80\xaf\xe2\x81\xaa", 6, "\xe2\x80\xaf\xe2\x81\xaa", "\xe2\x80\xaf\xe2\x81\xaa");
    expect_escape("\xc2\x9b\xc2\xa0", 4, "\xc2\x9b\xc2\xa0", "\\xc2\\x9b\xc2\xa0");
}

static void unescape_takes_only_its_own(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "\\",        "a\\",     "\\n",
        "\\x",       "\\xf",    "\\xg0",
        "\\xFF", /* lower case only */
        "\\X41",     "\\x41",   "\\x5c",
        "\xff",      "\\\\\\",  "\\xc3\\xa4", /* needs no escape */
        "\\xc3\xa4", "\\u00e4", "a\\xe2\\x82\\xac",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out = BUF_INIT;
        if (utf_unescape(&out, rows[i], strlen(rows[i])))
            fail_msg("'%s' was taken", rows[i]);
        buf_release(&out);
    }
    struct buf out = BUF_INIT;
    assert_true(utf_unescape(&out, "", 0));
    assert_string_equal(out.data, "");
    buf_release(&out);
}

static void every_pair_of_bytes_returns(void **state)
{
    (void)state;
    struct buf text = BUF_INIT, back = BUF_INIT;
    for (unsigned c = 0; c < 0x10000; c++) {
        char bytes[3] = {(char)(c >> 8), (char)(c & 0xff), 'x'};
        buf_reset(&text);
        buf_reset(&back);
        utf_escape(&text, bytes, sizeof bytes);
        assert_true(utf_is_valid(text.data, text.len));
        assert_true(utf_unescape(&back, text.data, text.len));
        assert_int_equal(back.len, sizeof bytes);
        assert_memory_equal(back.data, bytes, sizeof bytes);
    }
    buf_release(&text);
    buf_release(&back);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_exactly_the_code_points),
        cmocka_unit_test(refuses_the_malformed),
        cmocka_unit_test(escapes_and_back),
        cmocka_unit_test(unescape_takes_only_its_own),
        cmocka_unit_test(every_pair_of_bytes_returns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
