/* fuzz_nt_descriptor.c - security descriptors as bytes and as text. What is read
 * is written and read again the same; so is what can be said as text. */
#include <string.h>

#include "fuzz.h"
#include "plan/nt_inherit.h"
#include "plan/nt_sddl.h"

static void check_text(const struct nt_descriptor *d)
{
    struct buf text = BUF_INIT, again = BUF_INIT;
    struct nt_descriptor parsed;
    struct cordon_error err;
    cordon_status status = nt_sddl_format(d, &text, &err);
    if (status == CORDON_OK) {
        FUZZ_CHECK(nt_sddl_parse(text.data ? text.data : "", &parsed, &err) == CORDON_OK);
        FUZZ_CHECK(nt_sddl_format(&parsed, &again, &err) == CORDON_OK);
        FUZZ_CHECK(text.len == again.len && (text.len == 0 || memcmp(text.data, again.data, text.len) == 0));
        nt_descriptor_release(&parsed);
    } else {
        FUZZ_CHECK(status == CORDON_E_UNSUPPORTED && text.len == 0);
    }
    buf_release(&text);
    buf_release(&again);
}

static void check_binary(const struct nt_descriptor *d)
{
    struct buf bytes = BUF_INIT;
    struct nt_descriptor again;
    struct cordon_error err;
    FUZZ_CHECK(nt_descriptor_write(d, &bytes, &err) == CORDON_OK);
    FUZZ_CHECK(nt_descriptor_read((const uint8_t *)bytes.data, bytes.len, &again, &err) == CORDON_OK);
    FUZZ_CHECK(nt_descriptor_equal(d, &again));
    nt_descriptor_release(&again);
    buf_release(&bytes);
}

/* Spreading twice is spreading once. */
static void check_spread(const struct nt_descriptor *parent, enum nt_object_type type)
{
    struct nt_descriptor child;
    bool changed;
    nt_descriptor_init(&child);
    child.dacl_state = NT_ACL_LIST;
    if (nt_inherit_spread(&parent->dacl, type, &child, &changed, NULL) == CORDON_OK) {
        FUZZ_CHECK(nt_acl_is_canonical(&child.dacl));
        FUZZ_CHECK(nt_inherit_spread(&parent->dacl, type, &child, &changed, NULL) == CORDON_OK && !changed);
    }
    nt_descriptor_release(&child);
}

static void check(struct nt_descriptor *d)
{
    check_binary(d);
    check_text(d);
    check_spread(d, NT_OBJECT_FILE);
    check_spread(d, NT_OBJECT_DIRECTORY);
    nt_descriptor_release(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct nt_descriptor d;
    struct cordon_error err;
    if (nt_descriptor_read(data, size, &d, &err) == CORDON_OK)
        check(&d);
    char *text = string_copy_n((const char *)data, size);
    if (text && nt_sddl_parse(text, &d, &err) == CORDON_OK)
        check(&d);
    free(text);
    return 0;
}
