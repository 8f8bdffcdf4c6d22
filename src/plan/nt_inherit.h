/* nt_inherit.h - what children get from the DACL of their parent.
 *
 * Pure; called by the NT model (creation) and by whatever spreads a changed DACL
 * (propagation). No privilege. Rules: MS-DTYP 2.5.3.4 (creation: CreateSecurityDescriptor,
 * ComputeACL, ComputeInheritedACLFromParent, ...), and the documentation of
 * automatic inheritance (SetNamedSecurityInfo) for what exists already.
 */
#ifndef CORDON_PLAN_NT_INHERIT_H
#define CORDON_PLAN_NT_INHERIT_H

#include <stdbool.h>

#include "core/error.h"
#include "plan/nt_acl.h"
#include "plan/nt_descriptor.h"
#include "plan/nt_mask.h"

/* Of the token that creates. Borrowed. */
struct nt_creator {
    const struct nt_sid *owner, *group;
    const struct nt_acl *default_dacl; /* NULL: the token has none */
};

/* The entries that `parent` (may be NULL: nothing) hands to a child of `type`;
 * containers are NT_OBJECT_DIRECTORY and NT_OBJECT_KEY. NP and IO are obeyed, CREATOR OWNER
 * and CREATOR GROUP become `owner` and `group` (in a container the original stays beside it,
 * inherit-only), generic rights are mapped in what takes effect. All are marked ID.
 * *out is overwritten; untouched on failure. Step "nt.acl". */
cordon_status nt_inherit_entries(const struct nt_acl *parent, enum nt_object_type type,
                                 const struct nt_sid *owner, const struct nt_sid *group, struct nt_acl *out,
                                 struct cordon_error *err);

/* A new object. `given` is the descriptor that the caller passed, NULL for none. Given
 * DACL: its explicit entries, and unless it is protected the inherited ones after them. None: the
 * inherited ones; none of those either: the token's default DACL, mapped; no default: a null DACL.
 * (The file system inherits always; for other types pass parent NULL where there is none.) */
cordon_status nt_inherit_new(const struct nt_descriptor *parent, const struct nt_descriptor *given,
                             const struct nt_creator *creator, enum nt_object_type type,
                             struct nt_descriptor *out, struct cordon_error *err);

/* Propagation to one existing child: inherited entries replaced, explicit ones kept
 * in their order, CREATOR OWNER taken from the child's owner. A protected DACL is left alone (*changed
 * false: the caller does not descend); a null or absent one too. The caller walks the tree:
 * top down, with the new descriptor of each directory as the parent of the next. */
cordon_status nt_inherit_spread(const struct nt_acl *parent, enum nt_object_type type,
                                struct nt_descriptor *child, bool *changed, struct cordon_error *err);

#endif
