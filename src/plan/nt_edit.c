/* nt_edit.c - adding entries to a DACL and taking exactly those away. See nt_edit.h. */
#include "plan/nt_edit.h"

#define STEP "nt.edit"
#define MAY_ASK (NT_ACE_OI | NT_ACE_CI | NT_ACE_NP | NT_ACE_IO)

/* The item that is `wanted`, byte for byte but, when `inherited`, for the mark of inheritance; count
 * when there is none. */
static size_t find(const struct nt_acl *acl, const struct nt_ace *wanted, bool inherited)
{
    size_t i = 0;
    for (; i < acl->count; i++) {
        struct nt_ace seen = acl->items[i];
        if (inherited)
            seen.flags &= (uint8_t)~NT_ACE_ID;
        if (nt_ace_equal(&seen, wanted))
            break;
    }
    return i;
}

static cordon_status add(struct nt_acl *acl, const struct nt_ace *ace, bool *added, struct cordon_error *err)
{
    if (ace->flags & ~MAY_ASK)
        return error_set(err, CORDON_E_INVALID, 0, STEP,
                         "an entry that is added inherits by OI, CI, NP and IO alone, not by 0x%02x",
                         ace->flags);
    if (ace->mask == 0)
        return error_set(err, CORDON_E_INVALID, 0, STEP, "an entry that is added names a right");
    if (find(acl, ace, false) < acl->count) {
        *added = false;
        return CORDON_OK;
    }
    cordon_status status = nt_acl_insert(acl, nt_acl_position(acl, ace), ace, err);
    if (status == CORDON_OK)
        *added = true;
    return status;
}

static bool revoke(struct nt_acl *acl, const struct nt_ace *ace)
{
    size_t at = find(acl, ace, false);
    if (at == acl->count)
        return false;
    nt_acl_remove(acl, at);
    return true;
}

cordon_status nt_edit_grant(struct nt_acl *acl, const struct nt_sid *sid, uint32_t mask, uint8_t flags,
                            bool *added, struct cordon_error *err)
{
    struct nt_ace ace = nt_ace_make(NT_ACE_ALLOW, mask, flags, sid);
    return add(acl, &ace, added, err);
}

cordon_status nt_edit_deny(struct nt_acl *acl, const struct nt_sid *sid, uint32_t mask, uint8_t flags,
                           bool *added, struct cordon_error *err)
{
    struct nt_ace ace = nt_ace_make(NT_ACE_DENY, mask, flags, sid);
    return add(acl, &ace, added, err);
}

bool nt_edit_revoke_grant(struct nt_acl *acl, const struct nt_sid *sid, uint32_t mask, uint8_t flags)
{
    struct nt_ace ace = nt_ace_make(NT_ACE_ALLOW, mask, flags, sid);
    return revoke(acl, &ace);
}

bool nt_edit_revoke_deny(struct nt_acl *acl, const struct nt_sid *sid, uint32_t mask, uint8_t flags)
{
    struct nt_ace ace = nt_ace_make(NT_ACE_DENY, mask, flags, sid);
    return revoke(acl, &ace);
}

bool nt_edit_is_granted(const struct nt_acl *acl, const struct nt_sid *sid, uint32_t mask, uint8_t flags,
                        bool inherited)
{
    struct nt_ace ace = nt_ace_make(NT_ACE_ALLOW, mask, flags, sid);
    return find(acl, &ace, inherited) < acl->count;
}

bool nt_edit_is_denied(const struct nt_acl *acl, const struct nt_sid *sid, uint32_t mask, uint8_t flags,
                       bool inherited)
{
    struct nt_ace ace = nt_ace_make(NT_ACE_DENY, mask, flags, sid);
    return find(acl, &ace, inherited) < acl->count;
}

size_t nt_edit_count(const struct nt_acl *acl, const struct nt_sid *sid)
{
    size_t found = 0;
    for (size_t i = 0; i < acl->count; i++) {
        const struct nt_ace *ace = &acl->items[i];
        found += nt_ace_is_known(ace) && !(ace->flags & NT_ACE_ID) && nt_sid_equal(&ace->sid, sid);
    }
    return found;
}
