/* SIDs, masks, access control lists, descriptors and SDDL: values that Windows'
 * documentation prints, both directions, and what must be refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "plan/nt_mask.h"
#include "plan/nt_sddl.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct nt_sid sid_of(const char *text)
{
    struct nt_sid sid;
    struct cordon_error err;
    assert_int_equal(nt_sid_parse(text, strlen(text), &sid, &err), CORDON_OK);
    return sid;
}

/* ---- SIDs */

static void test_sids_both_ways(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "S-1-1-0",
        "S-1-5-18",
        "S-1-5-21-1-2-3-4294967295",
        "S-1-16-8192",
        "S-1-0x010000000000-7",
        "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct nt_sid sid = sid_of(texts[i]), again;
        char text[NT_SID_TEXT_MAX];
        uint8_t bytes[NT_SID_BYTES_MAX];
        struct cordon_error err;
        nt_sid_format(&sid, text);
        assert_string_equal(text, texts[i]);
        nt_sid_write(&sid, bytes);
        assert_int_equal(nt_sid_read(bytes, nt_sid_size(&sid), &again, &err), CORDON_OK);
        assert_true(nt_sid_equal(&sid, &again));
        assert_int_equal(nt_sid_read(bytes, nt_sid_size(&sid) - 1, &again, &err), CORDON_E_INVALID);
        assert_string_equal(err.step, "nt.sid");
    }
    /* MS-DTYP 2.4.2.2: revision, count, big-endian authority, little-endian parts. */
    static const uint8_t administrators[] = {1, 2, 0, 0, 0, 0, 0, 5, 0x20, 0, 0, 0, 0x20, 2, 0, 0};
    uint8_t bytes[NT_SID_BYTES_MAX];
    nt_sid_write(&NT_SID_ADMINISTRATORS, bytes);
    assert_memory_equal(bytes, administrators, sizeof administrators);
}

static void test_sids_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "S",
        "S-1-",
        "S-1",
        "S-2-5",
        "S-1-5-",
        "S-1-5--1",
        "S-1-5-4294967296",
        "S-1-5- 1",
        "S-1-x",
        "S-1-0x",
        "S-1-281474976710656-1",
        "DA",
        "ba",
        "BAA",
        "S-1-5-18x",
        "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct nt_sid sid = NT_SID_WORLD;
        struct cordon_error err;
        if (nt_sid_parse(texts[i], strlen(texts[i]), &sid, &err) != CORDON_E_INVALID)
            fail_msg("taken: '%s'", texts[i]);
        assert_string_equal(err.step, "nt.sid");
        assert_true(nt_sid_equal(&sid, &NT_SID_WORLD)); /* untouched */
    }
    uint8_t bytes[NT_SID_BYTES_MAX] = {1, 16};
    struct nt_sid sid;
    assert_int_equal(nt_sid_read(bytes, sizeof bytes, &sid, NULL), CORDON_E_INVALID);
    bytes[0] = 2;
    bytes[1] = 1;
    assert_int_equal(nt_sid_read(bytes, sizeof bytes, &sid, NULL), CORDON_E_INVALID);
}

static void test_sid_kinds(void **state)
{
    (void)state;
    static const uint8_t random[16] = {1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0xff, 0xff, 0xff, 0xff};
    struct nt_sid sid, domain = sid_of("S-1-5-21-7-8-9"), none = {0};
    char text[NT_SID_TEXT_MAX];
    nt_sid_capability(random, &sid);
    nt_sid_format(&sid, text);
    assert_string_equal(text, "S-1-5-21-1-2-3-4294967295");
    assert_true(nt_sid_is_capability(&sid));
    assert_false(nt_sid_is_capability(&domain));
    nt_sid_logon(1, 2, &sid);
    assert_true(nt_sid_is_logon(&sid));
    assert_false(nt_sid_is_logon(&NT_SID_INTERACTIVE));
    assert_int_equal(nt_sid_account(&domain, 1001, &sid, NULL), CORDON_OK);
    assert_true(nt_sid_has_prefix(&sid, &domain));
    assert_false(nt_sid_has_prefix(&domain, &sid));
    assert_false(nt_sid_equal(&sid, &domain));
    assert_false(nt_sid_equal(&NT_SID_NOBODY, &none));
    assert_int_equal(nt_sid_account(&none, 1, &sid, NULL), CORDON_E_INVALID);
    assert_string_equal(nt_sid_name(&NT_SID_WORLD), "Everyone");
    assert_null(nt_sid_name(&domain));
}

/* ---- masks */

static void test_masks(void **state)
{
    (void)state;
    assert_int_equal(nt_mask_map(NT_GENERIC_READ, NT_OBJECT_FILE), NT_FILE_GENERIC_READ);
    assert_int_equal(nt_mask_map(NT_GENERIC_ALL | NT_GENERIC_WRITE, NT_OBJECT_DIRECTORY), NT_FILE_ALL);
    assert_int_equal(nt_mask_map(NT_GENERIC_EXECUTE, NT_OBJECT_KEY), 0x20019);
    for (unsigned type = 0; type < NT_OBJECT_TYPES; type++) {
        const struct nt_generic_mapping *map = nt_mask_mapping((enum nt_object_type)type);
        assert_int_equal((map->read | map->write | map->execute) & ~map->all, 0);
        assert_non_null(nt_object_type_name((enum nt_object_type)type));
    }
    /* The mask of the second check for files: 0x010d0116. DELETE_CHILD is not in it. */
    assert_int_equal(nt_mask_write_checked(0xffffffff, NT_OBJECT_FILE), 0x010d0116);
    assert_int_equal(nt_mask_write_checked(NT_FILE_DELETE_CHILD | NT_READ_CONTROL, NT_OBJECT_FILE), 0);

    static const struct {
        uint32_t mask;
        enum nt_object_type type;
        const char *words, *icacls;
    } rows[] = {
        {NT_FILE_ALL, NT_OBJECT_FILE, "full control", "(F)"},
        {NT_FILE_MODIFY, NT_OBJECT_DIRECTORY, "modify", "(M)"},
        {0, NT_OBJECT_FILE, "nothing", "(N)"},
        {NT_FILE_WRITE_DATA | NT_DELETE, NT_OBJECT_DIRECTORY, "delete, create files", "(D,WD)"},
        {NT_FILE_WRITE_DATA | 0x200, NT_OBJECT_FILE, "write, 0x200", "(WD,0x200)"},
        {0x1 | NT_DELETE, NT_OBJECT_TOKEN, "delete, 0x1", "(D,RD)"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf words = BUF_INIT, icacls = BUF_INIT;
        nt_mask_describe(rows[i].mask, rows[i].type, &words);
        nt_mask_icacls(rows[i].mask, &icacls);
        assert_string_equal(words.data, rows[i].words);
        assert_string_equal(icacls.data, rows[i].icacls);
        buf_release(&words);
        buf_release(&icacls);
    }
}

/* ---- SDDL and binary */

static void test_descriptors_both_ways(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "O:BAG:SY",
        "D:",
        "D:P",
        "D:NO_ACCESS_CONTROL",
        "O:S-1-5-21-1-2-3-1001G:S-1-5-21-1-2-3-513D:PAI(A;OICI;FA;;;BA)(A;;FA;;;SY)",
        "D:AI(D;OICINP;0x40;;;WD)(A;OICIIOID;GA;;;CO)(A;ID;0x1200a9;;;BU)",
        "D:(A;;FR;;;WD)S:PAI(ML;;NWNR;;;LW)(AU;SAFA;FA;;;WD)",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct nt_descriptor parsed, read;
        struct cordon_error err;
        struct buf bytes = BUF_INIT, text = BUF_INIT;
        assert_int_equal(nt_sddl_parse(texts[i], &parsed, &err), CORDON_OK);
        assert_int_equal(nt_descriptor_write(&parsed, &bytes, &err), CORDON_OK);
        assert_int_equal(nt_descriptor_read((const uint8_t *)bytes.data, bytes.len, &read, &err), CORDON_OK);
        assert_true(nt_descriptor_equal(&parsed, &read));
        assert_int_equal(nt_sddl_format(&read, &text, &err), CORDON_OK);
        assert_string_equal(text.data ? text.data : "", texts[i]);
        for (size_t cut = 0; bytes.len > 20 && cut < bytes.len; cut++) {
            struct nt_descriptor out;
            assert_int_equal(nt_descriptor_read((const uint8_t *)bytes.data, cut, &out, NULL),
                             CORDON_E_INVALID);
        }
        nt_descriptor_release(&parsed);
        nt_descriptor_release(&read);
        buf_release(&bytes);
        buf_release(&text);
    }
}

static void test_sddl_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "X",
        "O:",
        "O:BAO:BA",
        "D:D:",
        "D:P(A;;FA;;;BA",
        "D:(A;;FA;;;)",
        "D:(A;;FA;;;DA)",
        "D:(Q;;FA;;;BA)",
        "D:(A;OX;FA;;;BA)",
        "D:(A;;F;;;BA)",
        "D:(A;;0x100000000;;;BA)",
        "D:(A;;FA;;;BA;(x))",
        "D:(A;;FA;g;;BA)",
        "D:(XA;;FA;;;BA)",
        "D:NO_ACCESS_CONTROL(A;;FA;;;BA)",
        "D:(A;;FA;;;BA) ",
        "D:(A;;FA;;;BA)(",
        ":",
        "O::",
        "D:(A;;;;BA)",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct nt_descriptor out;
        struct cordon_error err;
        if (nt_sddl_parse(texts[i], &out, &err) == CORDON_OK)
            fail_msg("taken: '%s'", texts[i]);
        assert_true(strcmp(err.step, "nt.sddl") == 0 || strcmp(err.step, "nt.sid") == 0);
    }
}

static void test_opaque_entries_stay(void **state)
{
    (void)state;
    /* A callback entry (0x09), which nothing here understands, and slack behind a SID. */
    static const uint8_t bytes[] = {
        2, 0, 44, 0, 2,    0,    0,    0,                /* the list */
        9, 0, 12, 0, 0xde, 0xad, 0xbe, 0xef, 1, 2, 3, 4, /* opaque */
        0, 0, 24, 0, 1,    0,    0,    0,    1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 'r', 'e', 's', 't',
    };
    struct nt_acl acl;
    struct cordon_error err;
    struct buf out = BUF_INIT;
    struct nt_descriptor d;
    assert_int_equal(nt_acl_read(bytes, sizeof bytes, &acl, &err), CORDON_OK);
    assert_int_equal(acl.count, 2);
    assert_false(nt_ace_is_known(&acl.items[0]));
    assert_true(nt_sid_equal(&acl.items[1].sid, &NT_SID_WORLD));
    nt_acl_write(&acl, &out);
    assert_int_equal(out.len, sizeof bytes);
    assert_memory_equal(out.data, bytes, sizeof bytes);
    buf_reset(&out);
    nt_descriptor_init(&d);
    d.dacl = acl;
    d.dacl_state = NT_ACL_LIST;
    assert_int_equal(nt_sddl_format(&d, &out, &err), CORDON_E_UNSUPPORTED);
    assert_int_equal(out.len, 0);
    buf_release(&out);
    nt_descriptor_release(&d);
}

static void test_list_limit(void **state)
{
    (void)state;
    struct nt_acl acl;
    struct cordon_error err;
    struct nt_ace ace = nt_ace_make(NT_ACE_ALLOW, 1, 0, &NT_SID_WORLD); /* 20 bytes */
    nt_acl_init(&acl);
    cordon_status status = CORDON_OK;
    while (status == CORDON_OK && acl.count < 10000)
        status = nt_acl_append(&acl, &ace, &err);
    assert_int_equal(status, CORDON_E_LIMIT);
    assert_int_equal(acl.count, (65535 - 8) / 20);
    nt_acl_release(&acl);
    nt_acl_release(&acl);
    ace.sid.revision = 0;
    assert_int_equal(nt_acl_append(&acl, &ace, &err), CORDON_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sids_both_ways),
        cmocka_unit_test(test_sids_refused),
        cmocka_unit_test(test_sid_kinds),
        cmocka_unit_test(test_masks),
        cmocka_unit_test(test_descriptors_both_ways),
        cmocka_unit_test(test_sddl_refused),
        cmocka_unit_test(test_opaque_entries_stay),
        cmocka_unit_test(test_list_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
