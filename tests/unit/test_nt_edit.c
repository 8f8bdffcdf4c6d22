/* Edits of access control lists and their undo; what children inherit. Lists are written as SDDL. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "plan/nt_edit.h"
#include "plan/nt_inherit.h"
#include "plan/nt_sddl.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define OICI (NT_ACE_OI | NT_ACE_CI)

static struct nt_descriptor descriptor(const char *sddl)
{
    struct nt_descriptor d;
    struct cordon_error err;
    if (nt_sddl_parse(sddl, &d, &err) != CORDON_OK)
        fail_msg("%s: %s", sddl, err.message);
    return d;
}

static void expect(const struct nt_descriptor *d, const char *sddl)
{
    struct buf text = BUF_INIT;
    struct cordon_error err;
    assert_int_equal(nt_sddl_format(d, &text, &err), CORDON_OK);
    assert_string_equal(text.data ? text.data : "", sddl);
    buf_release(&text);
}

static void test_add_and_undo(void **state)
{
    (void)state;
    struct nt_sid who;
    static const uint8_t random[16] = {1};
    nt_sid_capability(random, &who);
    static const char *const before[] = {
        "D:", "D:(A;;FR;;;WD)", "D:(D;;FW;;;WD)(A;OICI;FA;;;BA)(D;ID;FX;;;WD)(A;ID;FR;;;WD)",
        "D:(A;;FR;;;WD)(D;;FW;;;BU)(A;ID;FR;;;WD)(A;;FR;;;BA)", /* not canonical: stays so */
    };
    for (size_t i = 0; i < COUNT(before); i++) {
        struct nt_descriptor d = descriptor(before[i]);
        bool added = false;
        bool canonical = nt_acl_is_canonical(&d.dacl);
        assert_int_equal(nt_edit_grant(&d.dacl, &who, NT_FILE_MODIFY, OICI, &added, NULL), CORDON_OK);
        assert_true(added);
        assert_int_equal(nt_edit_deny(&d.dacl, &who, NT_FILE_DELETE_CHILD, OICI, &added, NULL), CORDON_OK);
        assert_true(added);
        assert_int_equal(nt_acl_is_canonical(&d.dacl), canonical);
        assert_int_equal(d.dacl.items[0].type, NT_ACE_DENY);
        assert_true(nt_edit_is_granted(&d.dacl, &who, NT_FILE_MODIFY, OICI, false));
        assert_true(nt_edit_is_denied(&d.dacl, &who, NT_FILE_DELETE_CHILD, OICI, false));
        assert_int_equal(nt_edit_count(&d.dacl, &who), 2);
        assert_int_equal(nt_edit_grant(&d.dacl, &who, NT_FILE_MODIFY, OICI, &added, NULL), CORDON_OK);
        assert_false(added);
        assert_int_equal(nt_edit_count(&d.dacl, &who), 2);
        assert_false(nt_edit_revoke_grant(&d.dacl, &who, NT_FILE_MODIFY | NT_WRITE_DAC, OICI));
        assert_false(nt_edit_revoke_grant(&d.dacl, &who, NT_FILE_MODIFY, NT_ACE_OI));
        assert_true(nt_edit_revoke_grant(&d.dacl, &who, NT_FILE_MODIFY, OICI));
        assert_false(nt_edit_revoke_grant(&d.dacl, &who, NT_FILE_MODIFY, OICI));
        assert_true(nt_edit_revoke_deny(&d.dacl, &who, NT_FILE_DELETE_CHILD, OICI));
        expect(&d, before[i]);
        nt_descriptor_release(&d);
    }
}

static void test_what_is_others_stays(void **state)
{
    (void)state;
    struct nt_descriptor d = descriptor("D:(A;OICI;FR;;;WD)(A;OICIID;FW;;;BU)");
    bool added = true;
    struct cordon_error err;
    assert_int_equal(nt_edit_grant(&d.dacl, &NT_SID_WORLD, NT_FILE_GENERIC_READ, OICI, &added, &err),
                     CORDON_OK);
    assert_false(added);
    /* An inherited entry is never revoked, and counts only when asked for. */
    assert_false(nt_edit_revoke_grant(&d.dacl, &NT_SID_USERS, NT_FILE_GENERIC_WRITE, OICI));
    assert_false(nt_edit_is_granted(&d.dacl, &NT_SID_USERS, NT_FILE_GENERIC_WRITE, OICI, false));
    assert_true(nt_edit_is_granted(&d.dacl, &NT_SID_USERS, NT_FILE_GENERIC_WRITE, OICI, true));
    assert_int_equal(nt_edit_grant(&d.dacl, &NT_SID_WORLD, 1, NT_ACE_ID, &added, &err), CORDON_E_INVALID);
    assert_string_equal(err.step, "nt.edit");
    assert_int_equal(nt_edit_grant(&d.dacl, &NT_SID_WORLD, 0, 0, &added, &err), CORDON_E_INVALID);
    expect(&d, "D:(A;OICI;FR;;;WD)(A;OICIID;FW;;;BU)");
    nt_descriptor_release(&d);
}

/* ---- inheritance */

static void test_creation(void **state)
{
    (void)state;
    static const struct {
        const char *parent, *given; /* NULL: none */
        enum nt_object_type type;
        const char *child;
    } rows[] = {
        {"D:(A;OICI;FA;;;BA)", NULL, NT_OBJECT_FILE, "O:BUG:SYD:AI(A;ID;FA;;;BA)"},
        {"D:(A;OICI;FA;;;BA)", NULL, NT_OBJECT_DIRECTORY, "O:BUG:SYD:AI(A;OICIID;FA;;;BA)"},
        {"D:(A;CI;FA;;;BA)(A;OI;FR;;;WD)", NULL, NT_OBJECT_FILE, "O:BUG:SYD:AI(A;ID;FR;;;WD)"},
        {"D:(A;OI;FR;;;WD)", NULL, NT_OBJECT_DIRECTORY, "O:BUG:SYD:AI(A;OIIOID;FR;;;WD)"},
        {"D:(A;OINP;FR;;;WD)(A;OICINP;FX;;;WD)", NULL, NT_OBJECT_DIRECTORY, "O:BUG:SYD:AI(A;ID;FX;;;WD)"},
        {"D:(A;OICIIO;FA;;;BA)", NULL, NT_OBJECT_DIRECTORY, "O:BUG:SYD:AI(A;OICIID;FA;;;BA)"},
        {"D:(A;OICIIO;GA;;;CO)", NULL, NT_OBJECT_FILE, "O:BUG:SYD:AI(A;ID;FA;;;BU)"},
        {"D:(A;OICIIO;GA;;;CO)", NULL, NT_OBJECT_DIRECTORY, "O:BUG:SYD:AI(A;ID;FA;;;BU)(A;OICIIOID;GA;;;CO)"},
        {"D:(A;CINPIO;GR;;;CG)", NULL, NT_OBJECT_DIRECTORY, "O:BUG:SYD:AI(A;ID;FR;;;SY)"},
        /* OWNER RIGHTS is no placeholder: it stays. */
        {"D:(A;OICI;RC;;;OW)", NULL, NT_OBJECT_FILE, "O:BUG:SYD:AI(A;ID;0x20000;;;OW)"},
        /* Explicit before inherited, each level behind the nearer one. */
        {"D:(D;OICI;FW;;;WD)(A;OICI;FA;;;BA)(D;OICIID;FX;;;AU)", "D:(A;;GR;;;AN)", NT_OBJECT_FILE,
         "O:BUG:SYD:AI(A;;FR;;;AN)(D;ID;FW;;;WD)(A;ID;FA;;;BA)(D;ID;FX;;;AU)"},
        {"D:(A;OICI;FA;;;BA)", "D:P(A;;GR;;;AN)", NT_OBJECT_FILE, "O:BUG:SYD:P(A;;FR;;;AN)"},
        {"D:(A;OICI;FA;;;BA)", "D:", NT_OBJECT_FILE, "O:BUG:SYD:AI(A;ID;FA;;;BA)"},
        {"D:(A;OICI;FA;;;BA)", "D:P", NT_OBJECT_FILE, "O:BUG:SYD:P"},
        {"D:(A;OICI;FA;;;BA)", "D:NO_ACCESS_CONTROL", NT_OBJECT_FILE, "O:BUG:SYD:NO_ACCESS_CONTROL"},
        {"D:(A;OICIIO;FA;;;CO)", "O:IU", NT_OBJECT_FILE, "O:IUG:SYD:AI(A;ID;FA;;;IU)"},
        /* Nothing to inherit: the token's default. */
        {"D:(A;;FA;;;BA)", NULL, NT_OBJECT_FILE, "O:BUG:SYD:(A;;FA;;;LS)"},
        {"D:P", NULL, NT_OBJECT_KEY, "O:BUG:SYD:(A;;0xf003f;;;LS)"},
        {NULL, NULL, NT_OBJECT_EVENT, "O:BUG:SYD:(A;;0x1f0003;;;LS)"},
    };
    struct nt_descriptor standard = descriptor("D:(A;;GA;;;LS)");
    struct nt_creator creator = {&NT_SID_USERS, &NT_SID_LOCAL_SYSTEM, &standard.dacl};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct nt_descriptor parent, given, child;
        parent = descriptor(rows[i].parent ? rows[i].parent : "");
        given = descriptor(rows[i].given ? rows[i].given : "");
        assert_int_equal(nt_inherit_new(rows[i].parent ? &parent : NULL, rows[i].given ? &given : NULL,
                                        &creator, rows[i].type, &child, NULL),
                         CORDON_OK);
        expect(&child, rows[i].child);
        nt_descriptor_release(&child);
        nt_descriptor_release(&given);
        nt_descriptor_release(&parent);
    }
    struct nt_descriptor child;
    creator.default_dacl = NULL;
    assert_int_equal(nt_inherit_new(NULL, NULL, &creator, NT_OBJECT_EVENT, &child, NULL), CORDON_OK);
    expect(&child, "O:BUG:SYD:NO_ACCESS_CONTROL");
    nt_descriptor_release(&child);
    nt_descriptor_release(&standard);
}

static void test_spreading(void **state)
{
    (void)state;
    static const struct {
        const char *child;
        enum nt_object_type type;
        bool changed;
        const char *after;
    } rows[] = {
        {"O:BUD:AI(A;;FR;;;AN)(A;ID;FA;;;SY)", NT_OBJECT_FILE, true,
         "O:BUD:AI(A;;FR;;;AN)(D;ID;FW;;;WD)(A;ID;FA;;;BU)"},
        {"O:BUD:AI(D;ID;FW;;;WD)(A;ID;FA;;;BU)", NT_OBJECT_FILE, false,
         "O:BUD:AI(D;ID;FW;;;WD)(A;ID;FA;;;BU)"},
        {"O:BUD:P(A;ID;FA;;;SY)", NT_OBJECT_FILE, false, "O:BUD:P(A;ID;FA;;;SY)"},
        {"O:BUD:NO_ACCESS_CONTROL", NT_OBJECT_FILE, false, "O:BUD:NO_ACCESS_CONTROL"},
        {"O:BUD:", NT_OBJECT_DIRECTORY, true, "O:BUD:AI(D;OICIID;FW;;;WD)(A;ID;FA;;;BU)(A;OICIIOID;FA;;;CO)"},
    };
    struct nt_descriptor parent = descriptor("D:(D;OICI;FW;;;WD)(A;OICIIO;FA;;;CO)(A;;FA;;;BA)");
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct nt_descriptor child = descriptor(rows[i].child);
        bool changed = !rows[i].changed;
        assert_int_equal(nt_inherit_spread(&parent.dacl, rows[i].type, &child, &changed, NULL), CORDON_OK);
        assert_int_equal(changed, rows[i].changed);
        expect(&child, rows[i].after);
        nt_descriptor_release(&child);
    }
    nt_descriptor_release(&parent);
}

/* A grant on a root, spread, revoked and spread again: the child is as before. */
static void test_spread_and_undo(void **state)
{
    (void)state;
    struct nt_descriptor root = descriptor("D:AI(A;OICI;FA;;;BA)"),
                         child = descriptor("O:BUD:AI(A;;FR;;;AN)(A;ID;FA;;;BA)");
    bool added, changed;
    assert_int_equal(nt_edit_grant(&root.dacl, &NT_SID_USERS, NT_FILE_MODIFY, OICI, &added, NULL), CORDON_OK);
    assert_int_equal(nt_inherit_spread(&root.dacl, NT_OBJECT_FILE, &child, &changed, NULL), CORDON_OK);
    assert_true(changed);
    assert_true(nt_edit_is_granted(&child.dacl, &NT_SID_USERS, NT_FILE_MODIFY, 0, true));
    assert_true(nt_edit_revoke_grant(&root.dacl, &NT_SID_USERS, NT_FILE_MODIFY, OICI));
    assert_int_equal(nt_inherit_spread(&root.dacl, NT_OBJECT_FILE, &child, &changed, NULL), CORDON_OK);
    expect(&child, "O:BUD:AI(A;;FR;;;AN)(A;ID;FA;;;BA)");
    nt_descriptor_release(&root);
    nt_descriptor_release(&child);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add_and_undo),    cmocka_unit_test(test_what_is_others_stays),
        cmocka_unit_test(test_creation),        cmocka_unit_test(test_spreading),
        cmocka_unit_test(test_spread_and_undo),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
