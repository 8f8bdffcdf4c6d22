/* test_setup_profile.c - the AppArmor profile as text (src/setup/profile.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "setup/profile.h"

static const struct profile_program both[] = {{"cordon", "/usr/local/bin/cordon"},
                                              {"cordon-warden", "/usr/local/libexec/cordon/cordon-warden"}};

static void whole_text(void **state)
{
    (void)state;
    struct buf text = BUF_INIT;
    struct cordon_error err;
    assert_int_equal(profile_text(both, 2, &text, &err), CORDON_OK);
    char *rules = strstr(text.data, "abi ");
    assert_non_null(rules);
    assert_string_equal(rules, "abi <abi/4.0>,\n"
                               "include <tunables/global>\n"
                               "\n"
                               "profile cordon \"/usr/local/bin/cordon\" flags=(unconfined) {\n"
                               "  userns,\n"
                               "  include if exists <local/cordon>\n"
                               "}\n"
                               "\n"
                               "profile cordon-warden \"/usr/local/libexec/cordon/cordon-warden\" "
                               "flags=(unconfined) {\n"
                               "  userns,\n"
                               "  include if exists <local/cordon>\n"
                               "}\n");
    /* Before the rules there are only comments. */
    for (const char *line = text.data; line < rules; line = strchr(line, '\n') + 1)
        assert_int_equal(line[0], '#');
    buf_release(&text);
}

static void quoting(void **state)
{
    static const struct {
        const char *path, *quoted; /* NULL: refused */
    } rows[] = {
        {"/usr/bin/cordon", "\"/usr/bin/cordon\""},
        {"/opt/my tools/cordon", "\"/opt/my tools/cordon\""},
        {"/opt/a*b?c/cordon", "\"/opt/a\\*b\\?c/cordon\""},
        {"/opt/[x]{y,z}^/cordon", "\"/opt/\\[x\\]\\{y,z\\}\\^/cordon\""},
        {"/opt/@{HOME}/cordon", "\"/opt/@\\{HOME\\}/cordon\""},
        {"/opt/#x,=$y/cordon", "\"/opt/#x,=$y/cordon\""},
        {"/opt/\xc3\xa9/cordon", "\"/opt/\xc3\xa9/cordon\""},
        {"/opt/a\"b/cordon", NULL},
        {"/opt/a\\b/cordon", NULL},
        {"/opt/a\nb/cordon", NULL},
        {"/opt/a\tb/cordon", NULL},
        {"/opt/a\x7f/cordon", NULL},
        {"/opt/\xff/cordon", NULL},
        {"cordon", NULL},
        {"", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf out = BUF_INIT;
        struct cordon_error err;
        cordon_status status = profile_quote(rows[i].path, &out, &err);
        if (rows[i].quoted) {
            assert_int_equal(status, CORDON_OK);
            assert_string_equal(out.data, rows[i].quoted);
        } else {
            assert_int_equal(status, CORDON_E_INVALID);
            assert_string_equal(err.step, "setup.profile");
            assert_int_equal(out.len, 0);
        }
        buf_release(&out);
    }
}

static void a_path_that_cannot_be_quoted_makes_no_text(void **state)
{
    (void)state;
    const struct profile_program bad[] = {{"cordon", "/ok"}, {"cordon-warden", "/\"} userns"}};
    struct buf text = BUF_INIT;
    struct cordon_error err;
    assert_int_equal(profile_text(bad, 2, &text, &err), CORDON_E_INVALID);
    assert_int_equal(text.len, 0);
    buf_release(&text);
}

/* Any changed, missing or additional byte is noticed. */
static void our_own_text_is_known(void **state)
{
    (void)state;
    struct buf text = BUF_INIT;
    struct cordon_error err;
    assert_int_equal(profile_text(both, 1, &text, &err), CORDON_OK);
    assert_true(profile_is_ours(text.data, text.len));
    for (size_t i = 0; i < text.len; i++) {
        text.data[i] ^= 1;
        if (profile_is_ours(text.data, text.len))
            fail_msg("byte %zu may be changed", i);
        text.data[i] ^= 1;
        assert_false(profile_is_ours(text.data, i));
    }
    buf_add_char(&text, '\n');
    assert_false(profile_is_ours(text.data, text.len));
    assert_false(profile_is_ours("", 0));
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_text),
        cmocka_unit_test(quoting),
        cmocka_unit_test(a_path_that_cannot_be_quoted_makes_no_text),
        cmocka_unit_test(our_own_text_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
