/* test_error.c - the error object: one printable line, whatever is quoted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/error.h"
#include "core/utf.h"

static void fills_everything(void **state)
{
    (void)state;
    struct cordon_error err;
    memset(&err, 0xee, sizeof err);
    assert_int_equal(error_set(&err, CORDON_E_SYSTEM, 13, "linux.mount.root", "mount %s: %d", "/x", 7),
                     CORDON_E_SYSTEM);
    assert_int_equal(err.status, CORDON_E_SYSTEM);
    assert_int_equal(err.os_code, 13);
    assert_string_equal(err.step, "linux.mount.root");
    assert_string_equal(err.message, "mount /x: 7");
    /* It travels through a pipe as bytes: nothing of the stack goes along. */
    for (size_t i = strlen(err.message); i < sizeof err.message; i++)
        assert_int_equal(err.message[i], 0);
    for (size_t i = strlen(err.step); i < sizeof err.step; i++)
        assert_int_equal(err.step[i], 0);

    error_clear(&err);
    assert_int_equal(err.status, CORDON_OK);
    assert_string_equal(err.step, "");
    error_clear(NULL);
}

static void tolerates_null(void **state)
{
    (void)state;
    assert_int_equal(error_set(NULL, CORDON_E_LIMIT, 0, "a.b", "%s", "x"), CORDON_E_LIMIT);
    assert_int_equal(error_nomem(NULL, "a.b"), CORDON_E_NOMEM);
    struct cordon_error err;
    assert_int_equal(error_nomem(&err, "a.b"), CORDON_E_NOMEM);
    assert_int_equal(err.status, CORDON_E_NOMEM);
    assert_string_equal(err.step, "a.b");
    assert_string_equal(err.message, "out of memory");
}

static void stays_one_printable_line(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"a\nb\r\tc", "a?b??c"},
        {"\x1b[31mred\x7f", "?[31mred?"},
        {"\xc2\x9b"
         "31m",
         "??31m"}, /* C1: a terminal takes U+009B for ESC [ */
        {"\xc2\xa0\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x92", "\xc2\xa0\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x92"},
        {"\xff\xc3", "??"},
        {"\xed\xa0\x80", "???"}, /* a surrogate */
        {"%s%n", "%s%n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cordon_error err;
        error_set(&err, CORDON_E_INVALID, 0, "a.b", "%s", rows[i][0]);
        assert_string_equal(err.message, rows[i][1]);
    }
}

static void cuts_long_messages_at_a_character(void **state)
{
    (void)state;
    char text[2 * CORDON_MESSAGE_MAX];
    for (size_t offset = 0; offset < 4; offset++) {
        struct cordon_error err;
        memset(text, 'a', sizeof text);
        for (size_t i = offset; i + 3 < sizeof text; i += 3)
            memcpy(text + i, "\xe2\x82\xac", 3);
        text[sizeof text - 3] = '\0';
        error_set(&err, CORDON_E_INVALID, 0, "a.b", "%s", text);
        size_t len = strlen(err.message);
        assert_in_range(len, CORDON_MESSAGE_MAX - 4, CORDON_MESSAGE_MAX - 1);
        assert_string_equal(err.message + len - 3, "...");
        assert_true(utf_is_valid(err.message, len));
        assert_null(strchr(err.message, '?'));
        assert_memory_equal(err.message, text, len - 3);
    }
    /* Bytes that continue nothing do not eat the message. */
    struct cordon_error err;
    memset(text, 0x80, sizeof text - 1);
    text[sizeof text - 1] = '\0';
    error_set(&err, CORDON_E_INVALID, 0, "a.b", "%s", text);
    assert_in_range(strlen(err.message), CORDON_MESSAGE_MAX - 4, CORDON_MESSAGE_MAX - 1);
    /* What just fits is not cut. */
    memset(text, 'x', CORDON_MESSAGE_MAX - 1);
    text[CORDON_MESSAGE_MAX - 1] = '\0';
    error_set(&err, CORDON_E_INVALID, 0, "a.b", "%s", text);
    assert_string_equal(err.message, text);
}

static void wraps_itself(void **state)
{
    (void)state;
    struct cordon_error err;
    error_set(&err, CORDON_E_SYSTEM, 2, "a.b", "no such file");
    error_set(&err, err.status, err.os_code, err.step, "config /x: %s", err.message);
    assert_int_equal(err.os_code, 2);
    assert_string_equal(err.step, "a.b");
    assert_string_equal(err.message, "config /x: no such file");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_everything),
        cmocka_unit_test(tolerates_null),
        cmocka_unit_test(stays_one_printable_line),
        cmocka_unit_test(cuts_long_messages_at_a_character),
        cmocka_unit_test(wraps_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
