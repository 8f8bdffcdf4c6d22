/* nt_descriptor.h - security descriptors, and their self-relative binary form.
 *
 * Pure; called by the Windows plan, the NT model and nt-facts. No privilege.
 * Layout and control bits: MS-DTYP 2.4.6.
 */
#ifndef CORDON_PLAN_NT_DESCRIPTOR_H
#define CORDON_PLAN_NT_DESCRIPTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/error.h"
#include "plan/nt_acl.h"

#define NT_DESCRIPTOR_BYTES_MAX (20u + 2u * 68u + 2u * 65536u)

/* SECURITY_DESCRIPTOR_CONTROL. */
#define NT_CONTROL_OWNER_DEFAULTED 0x0001u
#define NT_CONTROL_GROUP_DEFAULTED 0x0002u
#define NT_CONTROL_DACL_PRESENT 0x0004u
#define NT_CONTROL_DACL_DEFAULTED 0x0008u
#define NT_CONTROL_SACL_PRESENT 0x0010u
#define NT_CONTROL_SACL_DEFAULTED 0x0020u
#define NT_CONTROL_DACL_AUTO_REQ 0x0100u /* SDDL AR */
#define NT_CONTROL_SACL_AUTO_REQ 0x0200u
#define NT_CONTROL_DACL_AUTO_INHERITED 0x0400u /* SDDL AI */
#define NT_CONTROL_SACL_AUTO_INHERITED 0x0800u
#define NT_CONTROL_DACL_PROTECTED 0x1000u /* SDDL P */
#define NT_CONTROL_SACL_PROTECTED 0x2000u
#define NT_CONTROL_RM_VALID 0x4000u /* rm_control means something */
#define NT_CONTROL_SELF_RELATIVE 0x8000u

/* Zeroed is the strictest: a list that is there and empty. */
enum nt_acl_state {
    NT_ACL_LIST,   /* the list; empty it grants nobody anything */
    NT_ACL_NULL,   /* present and null: everybody may do everything */
    NT_ACL_ABSENT, /* none given: as null for an access check, "use the default" when creating */
};

struct nt_descriptor {
    uint16_t control; /* never DACL_PRESENT, SACL_PRESENT, SELF_RELATIVE: the states say that */
    uint8_t rm_control;
    struct nt_sid owner, group; /* revision 0: none */
    enum nt_acl_state dacl_state, sacl_state;
    struct nt_acl dacl, sacl; /* empty unless NT_ACL_LIST */
};

void nt_descriptor_init(struct nt_descriptor *d); /* nothing in it: both lists absent */
void nt_descriptor_release(struct nt_descriptor *d);
bool nt_descriptor_equal(const struct nt_descriptor *a, const struct nt_descriptor *b);
bool nt_descriptor_is_protected(const struct nt_descriptor *d); /* its DACL inherits nothing */

/* *out is overwritten, not released; untouched on failure. Step "nt.descriptor". */
cordon_status nt_descriptor_copy(const struct nt_descriptor *d, struct nt_descriptor *out,
                                 struct cordon_error *err);

/* Self-relative, both ways: owner, group, SACL, DACL follow the header in the order
 * that Windows itself writes (SACL, DACL, owner, group); any order is read, parts
 * may not leave the buffer or reach into the header. Steps "nt.descriptor", "nt.acl", "nt.sid". */
cordon_status nt_descriptor_write(const struct nt_descriptor *d, struct buf *out, struct cordon_error *err);
cordon_status nt_descriptor_read(const uint8_t *bytes, size_t len, struct nt_descriptor *out,
                                 struct cordon_error *err);

#endif
