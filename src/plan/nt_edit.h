/* nt_edit.h - adding entries to a DACL, and taking exactly those away again.
 *
 * Pure; called by whatever applies or undoes the Windows plan, and by the model.
 * No privilege. Never merges with, reorders or changes an entry that somebody
 * else made: an ACL after add and revoke is the ACL before, byte for byte.
 *
 * An edit needs a list (NT_ACL_LIST). To a null DACL nothing is added: one entry
 * would take everybody else's access away; the caller refuses such an object.
 */
#ifndef CORDON_PLAN_NT_EDIT_H
#define CORDON_PLAN_NT_EDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "plan/nt_acl.h"

/* Adds an explicit entry where it belongs (nt_acl_position). When the very entry
 * is there already nothing happens and *added is false: then it is not ours, must
 * not be journaled, and is never revoked. `flags`: OI CI NP IO. Step "nt.edit". */
cordon_status nt_edit_grant(struct nt_acl *acl, const struct nt_sid *sid, uint32_t mask, uint8_t flags,
                            bool *added, struct cordon_error *err);
cordon_status nt_edit_deny(struct nt_acl *acl, const struct nt_sid *sid, uint32_t mask, uint8_t flags,
                           bool *added, struct cordon_error *err);

/* Takes one explicit entry of exactly that type, SID, mask and flags away; false
 * when there is none (somebody else did, or changed it: left alone). */
bool nt_edit_revoke_grant(struct nt_acl *acl, const struct nt_sid *sid, uint32_t mask, uint8_t flags);
bool nt_edit_revoke_deny(struct nt_acl *acl, const struct nt_sid *sid, uint32_t mask, uint8_t flags);

/* Is the very entry there? One look at the list, no tree: a run asks before it
 * does anything else. The explicit entry, or on `inherited` an inherited one too. */
bool nt_edit_is_granted(const struct nt_acl *acl, const struct nt_sid *sid, uint32_t mask, uint8_t flags,
                        bool inherited);
bool nt_edit_is_denied(const struct nt_acl *acl, const struct nt_sid *sid, uint32_t mask, uint8_t flags,
                       bool inherited);

/* How many explicit entries name `sid`; what collecting unused SIDs asks. */
size_t nt_edit_count(const struct nt_acl *acl, const struct nt_sid *sid);

#endif
