/* nt_inherit.c - what children get from the DACL of their parent. See nt_inherit.h. */
#include "plan/nt_inherit.h"

#define PASSED_ON (NT_ACE_OI | NT_ACE_CI)
#define HERE_ONLY (NT_ACE_OI | NT_ACE_CI | NT_ACE_NP | NT_ACE_IO)

static bool is_container(enum nt_object_type type)
{
    return type == NT_OBJECT_DIRECTORY || type == NT_OBJECT_KEY;
}

/* The entry as it takes effect on the child itself: the creator named, rights of the type. */
static struct nt_ace effective(const struct nt_ace *ace, enum nt_object_type type, const struct nt_sid *owner,
                               const struct nt_sid *group)
{
    struct nt_ace made = *ace;
    if (nt_ace_is_known(ace)) {
        made.mask = nt_mask_map(ace->mask, type);
        if (nt_sid_equal(&ace->sid, &NT_SID_CREATOR_OWNER) && owner && nt_sid_is_valid(owner))
            made.sid = *owner;
        else if (nt_sid_equal(&ace->sid, &NT_SID_CREATOR_GROUP) && group && nt_sid_is_valid(group))
            made.sid = *group;
    }
    return made;
}

/* One entry of the parent, as zero, one or two of the child (MS-DTYP 2.5.3.4.7). */
static cordon_status inherit_one(const struct nt_ace *ace, enum nt_object_type type,
                                 const struct nt_sid *owner, const struct nt_sid *group, struct nt_acl *out,
                                 struct cordon_error *err)
{
    bool container = is_container(type);
    bool here = (ace->flags & (container ? NT_ACE_CI : NT_ACE_OI)) != 0;
    bool on = container && (ace->flags & PASSED_ON) && !(ace->flags & NT_ACE_NP);
    uint8_t kept = (uint8_t)((ace->flags & ~HERE_ONLY) | NT_ACE_ID);
    uint8_t passed = (uint8_t)(ace->flags & PASSED_ON);
    if (!here && !on)
        return CORDON_OK;

    struct nt_ace made = here ? effective(ace, type, owner, group) : *ace;
    /* What would read differently for the next child stays as it was, beside what
     * counts here: CREATOR OWNER is another one there, generic rights another type's. */
    bool split =
        here && on && nt_ace_is_known(ace) && (made.mask != ace->mask || !nt_sid_equal(&made.sid, &ace->sid));
    if (here) {
        made.flags = (uint8_t)(kept | (on && !split ? passed : 0));
        cordon_status status = nt_acl_append(out, &made, err);
        if (status != CORDON_OK || !split)
            return status;
    }
    struct nt_ace original = *ace;
    original.flags = (uint8_t)(kept | passed | NT_ACE_IO);
    return nt_acl_append(out, &original, err);
}

cordon_status nt_inherit_entries(const struct nt_acl *parent, enum nt_object_type type,
                                 const struct nt_sid *owner, const struct nt_sid *group, struct nt_acl *out,
                                 struct cordon_error *err)
{
    struct nt_acl made;
    cordon_status status = CORDON_OK;
    nt_acl_init(&made);
    if (parent)
        made.revision = parent->revision; /* object entries need theirs */
    for (size_t i = 0; parent && i < parent->count && status == CORDON_OK; i++)
        status = inherit_one(&parent->items[i], type, owner, group, &made, err);
    if (status != CORDON_OK) {
        nt_acl_release(&made);
        return status;
    }
    *out = made;
    return CORDON_OK;
}

/* Appends the entries of `from` that somebody put on the object itself; mapped. */
static cordon_status add_explicit(const struct nt_acl *from, enum nt_object_type type,
                                  const struct nt_creator *creator, struct nt_acl *out,
                                  struct cordon_error *err)
{
    for (size_t i = 0; i < from->count; i++) {
        const struct nt_ace *ace = &from->items[i];
        if (ace->flags & NT_ACE_ID)
            continue;
        struct nt_ace made = *ace;
        if (!(ace->flags & NT_ACE_IO))
            made = effective(ace, type, creator->owner, creator->group);
        cordon_status status = nt_acl_append(out, &made, err);
        if (status != CORDON_OK)
            return status;
    }
    return CORDON_OK;
}

static cordon_status add_all(const struct nt_acl *from, struct nt_acl *out, struct cordon_error *err)
{
    cordon_status status = CORDON_OK;
    if (from->revision > out->revision)
        out->revision = from->revision;
    for (size_t i = 0; i < from->count && status == CORDON_OK; i++)
        status = nt_acl_append(out, &from->items[i], err);
    return status;
}

/* The DACL of a new object, into *made; `inherited` is what the parent gives. */
static cordon_status new_dacl(const struct nt_descriptor *given, const struct nt_acl *inherited,
                              const struct nt_creator *creator, enum nt_object_type type,
                              struct nt_descriptor *made, struct cordon_error *err)
{
    cordon_status status = CORDON_OK;
    if (given && given->dacl_state != NT_ACL_ABSENT) {
        made->control |= given->control & (NT_CONTROL_DACL_PROTECTED | NT_CONTROL_DACL_AUTO_REQ);
        made->dacl_state = given->dacl_state;
        if (given->dacl_state == NT_ACL_NULL) /* nothing inherited could add to it */
            return CORDON_OK;
        made->dacl.revision = given->dacl.revision;
        status = add_explicit(&given->dacl, type, creator, &made->dacl, err);
        if (status == CORDON_OK && !nt_descriptor_is_protected(given)) {
            made->control |= NT_CONTROL_DACL_AUTO_INHERITED;
            status = add_all(inherited, &made->dacl, err);
        }
        return status;
    }
    if (inherited->count) {
        made->dacl_state = NT_ACL_LIST;
        made->control |= NT_CONTROL_DACL_AUTO_INHERITED;
        return add_all(inherited, &made->dacl, err);
    }
    if (!creator->default_dacl) {
        made->dacl_state = NT_ACL_NULL;
        return CORDON_OK;
    }
    made->dacl_state = NT_ACL_LIST;
    made->dacl.revision = creator->default_dacl->revision;
    return add_explicit(creator->default_dacl, type, creator, &made->dacl, err);
}

cordon_status nt_inherit_new(const struct nt_descriptor *parent, const struct nt_descriptor *given,
                             const struct nt_creator *creator, enum nt_object_type type,
                             struct nt_descriptor *out, struct cordon_error *err)
{
    struct nt_descriptor made;
    struct nt_acl inherited;
    struct nt_creator named = *creator;
    nt_descriptor_init(&made);
    nt_acl_init(&inherited);
    if (given && given->owner.revision)
        named.owner = &given->owner;
    if (given && given->group.revision)
        named.group = &given->group;
    if (named.owner)
        made.owner = *named.owner;
    if (named.group)
        made.group = *named.group;

    bool has_list = parent && parent->dacl_state == NT_ACL_LIST;
    cordon_status status =
        nt_inherit_entries(has_list ? &parent->dacl : NULL, type, named.owner, named.group, &inherited, err);
    if (status == CORDON_OK)
        status = new_dacl(given, &inherited, &named, type, &made, err);
    if (status == CORDON_OK && given && given->sacl_state != NT_ACL_ABSENT) {
        status = nt_acl_copy(&given->sacl, &made.sacl, err);
        made.sacl_state = given->sacl_state;
    }
    nt_acl_release(&inherited);
    if (status != CORDON_OK) {
        nt_descriptor_release(&made);
        return status;
    }
    *out = made;
    return CORDON_OK;
}

cordon_status nt_inherit_spread(const struct nt_acl *parent, enum nt_object_type type,
                                struct nt_descriptor *child, bool *changed, struct cordon_error *err)
{
    if (child->dacl_state != NT_ACL_LIST || nt_descriptor_is_protected(child)) {
        *changed = false;
        return CORDON_OK;
    }
    struct nt_acl made, inherited;
    nt_acl_init(&made);
    nt_acl_init(&inherited);
    made.revision = child->dacl.revision;
    cordon_status status = nt_inherit_entries(parent, type, &child->owner, &child->group, &inherited, err);
    for (size_t i = 0; i < child->dacl.count && status == CORDON_OK; i++) {
        if (!(child->dacl.items[i].flags & NT_ACE_ID)) /* an explicit one stays exactly as it is */
            status = nt_acl_append(&made, &child->dacl.items[i], err);
    }
    if (status == CORDON_OK)
        status = add_all(&inherited, &made, err);
    nt_acl_release(&inherited);
    if (status != CORDON_OK) {
        nt_acl_release(&made);
        return status;
    }
    *changed = !nt_acl_equal(&made, &child->dacl);
    nt_acl_release(&child->dacl);
    child->dacl = made;
    child->control |= NT_CONTROL_DACL_AUTO_INHERITED;
    return CORDON_OK;
}
