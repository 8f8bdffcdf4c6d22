/* nt_acl.h - access control entries and lists.
 *
 * Pure; called by the other nt_ files, the Windows plan and the NT model. No
 * privilege. Layout: MS-DTYP 2.4.4 (ACE), 2.4.5 (ACL); flags: winnt.h.
 *
 * Allow, deny, audit and mandatory label entries have `mask` and `sid`; every
 * other type (object, callback, resource attribute, ...) is kept as it is: its
 * body in `rest`, and nothing here looks into it.
 */
#ifndef CORDON_PLAN_NT_ACL_H
#define CORDON_PLAN_NT_ACL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/error.h"
#include "plan/nt_sid.h"

#define NT_ACL_BYTES_MAX 65535 /* AclSize is 16 bits; sizes are multiples of 4, so 65532 in effect */
#define NT_ACL_REVISION 2
#define NT_ACL_REVISION_DS 4

enum nt_ace_type {
    NT_ACE_ALLOW = 0x00,
    NT_ACE_DENY = 0x01,
    NT_ACE_AUDIT = 0x02,
    NT_ACE_LABEL = 0x11,
};

#define NT_ACE_OI 0x01u /* OBJECT_INHERIT_ACE */
#define NT_ACE_CI 0x02u /* CONTAINER_INHERIT_ACE */
#define NT_ACE_NP 0x04u /* NO_PROPAGATE_INHERIT_ACE */
#define NT_ACE_IO 0x08u /* INHERIT_ONLY_ACE */
#define NT_ACE_ID 0x10u /* INHERITED_ACE */
#define NT_ACE_SA 0x40u /* SUCCESSFUL_ACCESS_ACE_FLAG */
#define NT_ACE_FA 0x80u /* FAILED_ACCESS_ACE_FLAG */

struct nt_ace {
    uint8_t type;  /* enum nt_ace_type, or one kept as it is */
    uint8_t flags; /* NT_ACE_OI ... */
    uint32_t mask;
    struct nt_sid sid;
    uint8_t *rest; /* owned when in a list; what follows the SID, or the whole body */
    size_t rest_len;
};

struct nt_acl {
    uint8_t revision;
    struct nt_ace *items;
    size_t count, cap;
};

/* An entry to pass to nt_acl_add(): owns nothing. */
struct nt_ace nt_ace_make(enum nt_ace_type type, uint32_t mask, uint8_t flags, const struct nt_sid *sid);
bool nt_ace_is_known(const struct nt_ace *ace);                    /* mask and sid mean something */
bool nt_ace_equal(const struct nt_ace *a, const struct nt_ace *b); /* the same bytes */
size_t nt_ace_size(const struct nt_ace *ace);

void nt_acl_init(struct nt_acl *acl); /* empty: it grants nobody anything */
void nt_acl_release(struct nt_acl *acl);
bool nt_acl_equal(const struct nt_acl *a, const struct nt_acl *b); /* order counts */
size_t nt_acl_size(const struct nt_acl *acl);

/* Copies. *out is overwritten, not released; untouched on failure. Step "nt.acl". */
cordon_status nt_acl_copy(const struct nt_acl *acl, struct nt_acl *out, struct cordon_error *err);

/* Inserts a copy of `ace` before item `at` (<= count), within 64 KiB. Step "nt.acl". */
cordon_status nt_acl_insert(struct nt_acl *acl, size_t at, const struct nt_ace *ace,
                            struct cordon_error *err);
cordon_status nt_acl_append(struct nt_acl *acl, const struct nt_ace *ace, struct cordon_error *err);
void nt_acl_remove(struct nt_acl *acl, size_t at);

/* Explicit deny, explicit allow, then whatever is inherited. The inherited part is
 * not judged: it goes by levels, and the levels are not written down. */
bool nt_acl_is_canonical(const struct nt_acl *acl);

/* Where `ace` belongs: a deny before everything, an allow after everything explicit. */
size_t nt_acl_position(const struct nt_acl *acl, const struct nt_ace *ace);

/* Binary. Free space after the last entry is not kept. Step "nt.acl". */
void nt_acl_write(const struct nt_acl *acl, struct buf *out);
cordon_status nt_acl_read(const uint8_t *bytes, size_t len, struct nt_acl *out, struct cordon_error *err);

#endif
