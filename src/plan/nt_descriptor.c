/* nt_descriptor.c - security descriptors, binary. See nt_descriptor.h. */
#include "plan/nt_descriptor.h"

#include <string.h>

#define STEP "nt.descriptor"
#define HEADER 20u

/* Said by the states, or by the form itself: never part of `control`. */
#define SAID_ELSEWHERE (NT_CONTROL_DACL_PRESENT | NT_CONTROL_SACL_PRESENT | NT_CONTROL_SELF_RELATIVE)

static uint32_t get16(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8;
}

static uint32_t get32(const uint8_t *p)
{
    return get16(p) | get16(p + 2) << 16;
}

static void put32(uint8_t *p, size_t value)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(value >> (8 * i));
}

void nt_descriptor_init(struct nt_descriptor *d)
{
    memset(d, 0, sizeof *d);
    d->dacl_state = d->sacl_state = NT_ACL_ABSENT;
    nt_acl_init(&d->dacl);
    nt_acl_init(&d->sacl);
}

void nt_descriptor_release(struct nt_descriptor *d)
{
    nt_acl_release(&d->dacl);
    nt_acl_release(&d->sacl);
    nt_descriptor_init(d);
}

bool nt_descriptor_equal(const struct nt_descriptor *a, const struct nt_descriptor *b)
{
    return a->control == b->control && a->rm_control == b->rm_control && nt_sid_equal(&a->owner, &b->owner) &&
           nt_sid_equal(&a->group, &b->group) && a->dacl_state == b->dacl_state &&
           a->sacl_state == b->sacl_state &&
           (a->dacl_state != NT_ACL_LIST || nt_acl_equal(&a->dacl, &b->dacl)) &&
           (a->sacl_state != NT_ACL_LIST || nt_acl_equal(&a->sacl, &b->sacl));
}

bool nt_descriptor_is_protected(const struct nt_descriptor *d)
{
    return (d->control & NT_CONTROL_DACL_PROTECTED) != 0;
}

cordon_status nt_descriptor_copy(const struct nt_descriptor *d, struct nt_descriptor *out,
                                 struct cordon_error *err)
{
    struct nt_descriptor made = *d;
    nt_acl_init(&made.dacl);
    nt_acl_init(&made.sacl);
    cordon_status status = nt_acl_copy(&d->dacl, &made.dacl, err);
    if (status == CORDON_OK)
        status = nt_acl_copy(&d->sacl, &made.sacl, err);
    if (status != CORDON_OK) {
        nt_acl_release(&made.dacl);
        return status;
    }
    *out = made;
    return CORDON_OK;
}

static void write_sid(const struct nt_sid *sid, size_t start, uint8_t *offset, struct buf *out)
{
    uint8_t bytes[NT_SID_BYTES_MAX];
    if (sid->revision == 0)
        return;
    put32(offset, out->len - start);
    nt_sid_write(sid, bytes);
    buf_add(out, bytes, nt_sid_size(sid));
}

static void write_acl(enum nt_acl_state state, const struct nt_acl *acl, size_t start, uint8_t *offset,
                      struct buf *out)
{
    if (state != NT_ACL_LIST)
        return;
    put32(offset, out->len - start);
    nt_acl_write(acl, out);
}

static bool is_sid_or_none(const struct nt_sid *sid)
{
    return sid->revision == 0 || nt_sid_is_valid(sid);
}

cordon_status nt_descriptor_write(const struct nt_descriptor *d, struct buf *out, struct cordon_error *err)
{
    if (!is_sid_or_none(&d->owner) || !is_sid_or_none(&d->group))
        return error_set(err, CORDON_E_INVALID, 0, STEP, "owner or group is no SID");
    uint8_t header[HEADER] = {1};
    uint32_t control = (d->control & ~SAID_ELSEWHERE) | NT_CONTROL_SELF_RELATIVE;
    control |= d->dacl_state != NT_ACL_ABSENT ? NT_CONTROL_DACL_PRESENT : 0;
    control |= d->sacl_state != NT_ACL_ABSENT ? NT_CONTROL_SACL_PRESENT : 0;
    header[1] = d->rm_control;
    header[2] = (uint8_t)control;
    header[3] = (uint8_t)(control >> 8);

    size_t start = out->len;
    buf_add(out, header, sizeof header);
    write_acl(d->sacl_state, &d->sacl, start, header + 12, out);
    write_acl(d->dacl_state, &d->dacl, start, header + 16, out);
    write_sid(&d->owner, start, header + 4, out);
    write_sid(&d->group, start, header + 8, out);
    if (buf_failed(out))
        return error_nomem(err, STEP);
    memcpy(out->data + start, header, sizeof header); /* now with the offsets */
    return CORDON_OK;
}

/* The place of a part: behind the header, aligned as the kernel wants it, inside. */
static cordon_status check_offset(uint32_t offset, size_t len, const char *part, struct cordon_error *err)
{
    if (offset < HEADER || offset >= len || offset % 4 != 0)
        return error_set(err, CORDON_E_INVALID, 0, STEP, "the %s at %lu lies outside the %zu bytes", part,
                         (unsigned long)offset, len);
    return CORDON_OK;
}

static cordon_status read_sid(const uint8_t *bytes, size_t len, uint32_t offset, const char *part,
                              struct nt_sid *out, struct cordon_error *err)
{
    if (offset == 0)
        return CORDON_OK;
    cordon_status status = check_offset(offset, len, part, err);
    return status != CORDON_OK ? status : nt_sid_read(bytes + offset, len - offset, out, err);
}

/* Without its present bit an offset means nothing (MS-DTYP 2.4.6). */
static cordon_status read_acl(const uint8_t *bytes, size_t len, uint32_t offset, const char *part,
                              bool present, enum nt_acl_state *state, struct nt_acl *out,
                              struct cordon_error *err)
{
    if (!present)
        return CORDON_OK;
    if (offset == 0) {
        *state = NT_ACL_NULL;
        return CORDON_OK;
    }
    cordon_status status = check_offset(offset, len, part, err);
    if (status == CORDON_OK)
        status = nt_acl_read(bytes + offset, len - offset, out, err);
    if (status == CORDON_OK)
        *state = NT_ACL_LIST;
    return status;
}

cordon_status nt_descriptor_read(const uint8_t *bytes, size_t len, struct nt_descriptor *out,
                                 struct cordon_error *err)
{
    if (len < HEADER || len > NT_DESCRIPTOR_BYTES_MAX)
        return error_set(err, CORDON_E_INVALID, 0, STEP, "a descriptor has %u to %u bytes, here are %zu",
                         HEADER, NT_DESCRIPTOR_BYTES_MAX, len);
    uint32_t control = get16(bytes + 2);
    if (bytes[0] != 1 || !(control & NT_CONTROL_SELF_RELATIVE))
        return error_set(err, CORDON_E_INVALID, 0, STEP,
                         "a self-relative descriptor of revision 1 is wanted: revision %u, control 0x%04lx",
                         bytes[0], (unsigned long)control);
    struct nt_descriptor made;
    nt_descriptor_init(&made);
    made.rm_control = bytes[1];
    made.control = (uint16_t)(control & ~SAID_ELSEWHERE);
    cordon_status status = read_sid(bytes, len, get32(bytes + 4), "owner", &made.owner, err);
    if (status == CORDON_OK)
        status = read_sid(bytes, len, get32(bytes + 8), "group", &made.group, err);
    if (status == CORDON_OK)
        status = read_acl(bytes, len, get32(bytes + 12), "SACL", control & NT_CONTROL_SACL_PRESENT,
                          &made.sacl_state, &made.sacl, err);
    if (status == CORDON_OK)
        status = read_acl(bytes, len, get32(bytes + 16), "DACL", control & NT_CONTROL_DACL_PRESENT,
                          &made.dacl_state, &made.dacl, err);
    if (status != CORDON_OK) {
        nt_descriptor_release(&made);
        return status;
    }
    *out = made;
    return CORDON_OK;
}
