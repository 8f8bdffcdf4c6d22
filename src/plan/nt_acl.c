/* nt_acl.c - access control entries and lists. See nt_acl.h. */
#include "plan/nt_acl.h"

#include <stdlib.h>
#include <string.h>

#define STEP "nt.acl"
#define HEADER 8u   /* of a list */
#define ACE_BODY 4u /* where the body of an entry begins */

static void put16(struct buf *out, size_t value)
{
    buf_add_char(out, (char)(value & 0xff));
    buf_add_char(out, (char)(value >> 8 & 0xff));
}

static void put32(struct buf *out, uint32_t value)
{
    put16(out, value & 0xffff);
    put16(out, value >> 16);
}

static uint32_t get16(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8;
}

static uint32_t get32(const uint8_t *p)
{
    return get16(p) | get16(p + 2) << 16;
}

/* ---- entries */

struct nt_ace nt_ace_make(enum nt_ace_type type, uint32_t mask, uint8_t flags, const struct nt_sid *sid)
{
    struct nt_ace ace = {.type = (uint8_t)type, .flags = flags, .mask = mask, .sid = *sid};
    return ace;
}

static bool type_is_known(uint8_t type)
{
    return type == NT_ACE_ALLOW || type == NT_ACE_DENY || type == NT_ACE_AUDIT || type == NT_ACE_LABEL;
}

bool nt_ace_is_known(const struct nt_ace *ace)
{
    return type_is_known(ace->type);
}

bool nt_ace_equal(const struct nt_ace *a, const struct nt_ace *b)
{
    return a->type == b->type && a->flags == b->flags && a->rest_len == b->rest_len &&
           (!nt_ace_is_known(a) || (a->mask == b->mask && nt_sid_equal(&a->sid, &b->sid))) &&
           (a->rest_len == 0 || memcmp(a->rest, b->rest, a->rest_len) == 0);
}

size_t nt_ace_size(const struct nt_ace *ace)
{
    return ACE_BODY + (nt_ace_is_known(ace) ? 4 + nt_sid_size(&ace->sid) : 0) + ace->rest_len;
}

/* ---- lists */

void nt_acl_init(struct nt_acl *acl)
{
    memset(acl, 0, sizeof *acl);
    acl->revision = NT_ACL_REVISION;
}

void nt_acl_release(struct nt_acl *acl)
{
    for (size_t i = 0; i < acl->count; i++)
        free(acl->items[i].rest);
    free(acl->items);
    nt_acl_init(acl);
}

bool nt_acl_equal(const struct nt_acl *a, const struct nt_acl *b)
{
    if (a->revision != b->revision || a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (!nt_ace_equal(&a->items[i], &b->items[i]))
            return false;
    }
    return true;
}

size_t nt_acl_size(const struct nt_acl *acl)
{
    size_t size = HEADER;
    for (size_t i = 0; i < acl->count; i++)
        size += nt_ace_size(&acl->items[i]);
    return size;
}

cordon_status nt_acl_copy(const struct nt_acl *acl, struct nt_acl *out, struct cordon_error *err)
{
    struct nt_acl made;
    nt_acl_init(&made);
    made.revision = acl->revision;
    for (size_t i = 0; i < acl->count; i++) {
        cordon_status status = nt_acl_append(&made, &acl->items[i], err);
        if (status != CORDON_OK) {
            nt_acl_release(&made);
            return status;
        }
    }
    *out = made;
    return CORDON_OK;
}

cordon_status nt_acl_insert(struct nt_acl *acl, size_t at, const struct nt_ace *ace, struct cordon_error *err)
{
    if (nt_ace_is_known(ace) && !nt_sid_is_valid(&ace->sid))
        return error_set(err, CORDON_E_INVALID, 0, STEP, "an entry without a SID");
    if (at > acl->count || ace->rest_len % 4 != 0)
        return error_set(err, CORDON_E_INVALID, 0, STEP, "an entry that does not fit its list");
    if (ace->rest_len > NT_ACL_BYTES_MAX || nt_acl_size(acl) + nt_ace_size(ace) > NT_ACL_BYTES_MAX)
        return error_set(err, CORDON_E_LIMIT, 0, STEP,
                         "an access control list has at most 64 KiB; this one has %zu entries", acl->count);
    struct nt_ace copy = *ace;
    copy.rest = NULL;
    if (ace->rest_len) {
        copy.rest = malloc(ace->rest_len);
        if (!copy.rest)
            return error_nomem(err, STEP);
        memcpy(copy.rest, ace->rest, ace->rest_len);
    }
    if (acl->count == acl->cap) {
        size_t cap = acl->cap ? 2 * acl->cap : 8;
        struct nt_ace *items = realloc(acl->items, cap * sizeof *items);
        if (!items) {
            free(copy.rest);
            return error_nomem(err, STEP);
        }
        acl->items = items;
        acl->cap = cap;
    }
    memmove(acl->items + at + 1, acl->items + at, (acl->count - at) * sizeof *acl->items);
    acl->items[at] = copy;
    acl->count++;
    return CORDON_OK;
}

cordon_status nt_acl_append(struct nt_acl *acl, const struct nt_ace *ace, struct cordon_error *err)
{
    return nt_acl_insert(acl, acl->count, ace, err);
}

void nt_acl_remove(struct nt_acl *acl, size_t at)
{
    if (at >= acl->count)
        return;
    free(acl->items[at].rest);
    acl->count--;
    memmove(acl->items + at, acl->items + at + 1, (acl->count - at) * sizeof *acl->items);
}

/* ---- order */

/* Object and callback denials deny too: winnt.h, ACCESS_DENIED_*_ACE_TYPE. */
static bool denies(const struct nt_ace *ace)
{
    return ace->type == NT_ACE_DENY || ace->type == 0x06 || ace->type == 0x0a || ace->type == 0x0c;
}

static int rank(const struct nt_ace *ace)
{
    if (ace->flags & NT_ACE_ID)
        return 2;
    return denies(ace) ? 0 : 1;
}

bool nt_acl_is_canonical(const struct nt_acl *acl)
{
    for (size_t i = 1; i < acl->count; i++) {
        if (rank(&acl->items[i]) < rank(&acl->items[i - 1]))
            return false;
    }
    return true;
}

size_t nt_acl_position(const struct nt_acl *acl, const struct nt_ace *ace)
{
    size_t at = 0;
    if (ace->flags & NT_ACE_ID)
        return acl->count;
    if (denies(ace))
        return 0;
    while (at < acl->count && !(acl->items[at].flags & NT_ACE_ID))
        at++;
    return at;
}

/* ---- binary */

void nt_acl_write(const struct nt_acl *acl, struct buf *out)
{
    buf_add_char(out, (char)acl->revision);
    buf_add_char(out, 0);
    put16(out, nt_acl_size(acl));
    put16(out, acl->count);
    put16(out, 0);
    for (size_t i = 0; i < acl->count; i++) {
        const struct nt_ace *ace = &acl->items[i];
        buf_add_char(out, (char)ace->type);
        buf_add_char(out, (char)ace->flags);
        put16(out, nt_ace_size(ace));
        if (nt_ace_is_known(ace)) {
            uint8_t sid[NT_SID_BYTES_MAX];
            put32(out, ace->mask);
            nt_sid_write(&ace->sid, sid);
            buf_add(out, sid, nt_sid_size(&ace->sid));
        }
        if (ace->rest_len)
            buf_add(out, ace->rest, ace->rest_len);
    }
}

/* The entry at `bytes`, of which `size` were announced; `rest` is borrowed. */
static cordon_status read_ace(const uint8_t *bytes, size_t size, struct nt_ace *out, struct cordon_error *err)
{
    struct nt_ace ace = {.type = bytes[0], .flags = bytes[1]};
    size_t at = ACE_BODY;
    if (nt_ace_is_known(&ace)) {
        if (size < at + 4)
            return error_set(err, CORDON_E_INVALID, 0, STEP, "an entry of %zu bytes has no room for a mask",
                             size);
        ace.mask = get32(bytes + at);
        at += 4;
        cordon_status status = nt_sid_read(bytes + at, size - at, &ace.sid, err);
        if (status != CORDON_OK)
            return status;
        at += nt_sid_size(&ace.sid);
    }
    ace.rest_len = size - at;
    if (ace.rest_len)
        ace.rest = (uint8_t *)(uintptr_t)(bytes + at); /* nt_acl_append() copies it */
    *out = ace;
    return CORDON_OK;
}

cordon_status nt_acl_read(const uint8_t *bytes, size_t len, struct nt_acl *out, struct cordon_error *err)
{
    if (len < HEADER)
        return error_set(err, CORDON_E_INVALID, 0, STEP, "a list has at least 8 bytes, here are %zu", len);
    size_t size = get16(bytes + 2), count = get16(bytes + 4), at = HEADER;
    if (bytes[0] < NT_ACL_REVISION || bytes[0] > NT_ACL_REVISION_DS)
        return error_set(err, CORDON_E_INVALID, 0, STEP, "a list's revision is 2 to 4, not %u", bytes[0]);
    if (size < HEADER || size > len || size % 4 != 0)
        return error_set(err, CORDON_E_INVALID, 0, STEP, "a list of %zu bytes does not fit into %zu", size,
                         len);
    struct nt_acl made;
    nt_acl_init(&made);
    made.revision = bytes[0];
    cordon_status status = CORDON_OK;
    for (size_t i = 0; i < count && status == CORDON_OK; i++) {
        size_t ace_size = size - at < ACE_BODY ? 0 : get16(bytes + at + 2);
        if (ace_size < ACE_BODY || ace_size > size - at || ace_size % 4 != 0) {
            status =
                error_set(err, CORDON_E_INVALID, 0, STEP, "entry %zu of %zu leaves its list", i + 1, count);
            break;
        }
        struct nt_ace ace;
        status = read_ace(bytes + at, ace_size, &ace, err);
        if (status == CORDON_OK)
            status = nt_acl_append(&made, &ace, err);
        at += ace_size;
    }
    if (status != CORDON_OK) {
        nt_acl_release(&made);
        return status;
    }
    *out = made;
    return CORDON_OK;
}
