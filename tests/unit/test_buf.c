/* test_buf.c - the growable buffer and its sticky failure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/buf.h"
#include "core/limits.h"

static void grows_and_terminates(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b);
    assert_null(b.data);
    buf_add(&b, NULL, 0);
    assert_string_equal(b.data, "");
    for (size_t i = 0; i < 1000; i++) {
        buf_add_char(&b, (char)('a' + i % 26));
        assert_int_equal(b.len, i + 1);
        assert_int_equal(b.data[b.len], 0);
        assert_true(b.cap > b.len);
    }
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(b.data[i], 'a' + i % 26);
    buf_add(&b, "\0x", 2);
    assert_int_equal(b.len, 1002);
    assert_memory_equal(b.data + 1000, "\0x", 3);
    assert_false(buf_failed(&b));
    buf_release(&b);
    assert_null(b.data);
    assert_int_equal(b.len, 0);
    buf_release(&b); /* tolerated */
}

static void formats(void **state)
{
    (void)state;
    struct buf b = BUF_INIT;
    buf_add_string(&b, "x=");
    buf_add_format(&b, "%d,%s", 42, "y");
    buf_add_format(&b, "%s", "");
    assert_string_equal(b.data, "x=42,y");
    buf_add_format(&b, "%300d", 1);
    assert_int_equal(b.len, 306);
    assert_int_equal(b.data[305], '1');
    buf_release(&b);

    char *s = string_format("%s-%03d", "a", 7);
    assert_string_equal(s, "a-007");
    free(s);
}

static void resets_and_truncates(void **state)
{
    (void)state;
    struct buf b = BUF_INIT;
    buf_reset(&b); /* nothing there yet */
    buf_truncate(&b, 5);
    assert_int_equal(b.len, 0);
    buf_add_string(&b, "abcdef");
    buf_truncate(&b, 9);
    assert_string_equal(b.data, "abcdef");
    buf_truncate(&b, 2);
    assert_string_equal(b.data, "ab");
    assert_int_equal(b.len, 2);
    size_t cap = b.cap;
    buf_reset(&b);
    assert_string_equal(b.data, "");
    assert_int_equal(b.cap, cap);
    buf_release(&b);
}

static void takes(void **state)
{
    (void)state;
    struct buf b = BUF_INIT;
    char *s = buf_take(&b);
    assert_string_equal(s, ""); /* nothing is a string too */
    free(s);
    buf_add_string(&b, "abc");
    s = buf_take(&b);
    assert_string_equal(s, "abc");
    assert_null(b.data);
    assert_int_equal(b.len, 0);
    assert_int_equal(b.cap, 0);
    free(s);
}

static void failure_sticks(void **state)
{
    (void)state;
    struct buf b = BUF_INIT;
    buf_add_string(&b, "abc");
    /* The source is never read: the cap decides first. */
    buf_add(&b, "x", LIMIT_BUF_BYTES);
    assert_true(buf_failed(&b));
    assert_string_equal(b.data, "abc");
    buf_add_string(&b, "d");
    buf_add_char(&b, 'd');
    buf_add_format(&b, "%d", 4);
    assert_string_equal(b.data, "abc");
    buf_reset(&b);
    assert_true(buf_failed(&b));
    assert_null(buf_take(&b));
    assert_null(b.data);
    assert_false(buf_failed(&b)); /* released: a new life */
    buf_add(&b, "x", SIZE_MAX);
    assert_true(buf_failed(&b));
    buf_release(&b);
}

static void copies(void **state)
{
    (void)state;
    char *s = string_copy("abc");
    assert_string_equal(s, "abc");
    free(s);
    s = string_copy_n("abcdef", 2);
    assert_string_equal(s, "ab");
    free(s);
    s = string_copy_n(NULL, 0);
    assert_string_equal(s, "");
    free(s);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_and_terminates), cmocka_unit_test(formats),
        cmocka_unit_test(resets_and_truncates), cmocka_unit_test(takes),
        cmocka_unit_test(failure_sticks),       cmocka_unit_test(copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
