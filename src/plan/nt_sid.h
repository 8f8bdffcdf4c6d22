/* nt_sid.h - security identifiers of Windows, as values.
 *
 * Pure; called by the other nt_ files, the Windows plan and the NT model. No
 * privilege. Layout and text: MS-DTYP 2.4.2; names of the constants and aliases:
 * MS-DTYP 2.4.2.4 and 2.5.1.1 (SDDL), winnt.h (SECURITY_*_RID).
 *
 * A struct nt_sid is copied by assignment and owns nothing. Zeroed it is no SID
 * (revision 0): it equals nothing but another such, and is never written.
 */
#ifndef CORDON_PLAN_NT_SID_H
#define CORDON_PLAN_NT_SID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

#define NT_SID_SUB_MAX 15   /* SID_MAX_SUB_AUTHORITIES */
#define NT_SID_BYTES_MAX 68 /* SECURITY_MAX_SID_SIZE */
#define NT_SID_TEXT_MAX 192 /* "S-1-0x", 12 digits, 15 times "-4294967295", NUL */

struct nt_sid {
    uint8_t revision;   /* 1 */
    uint8_t count;      /* of sub[] */
    uint64_t authority; /* 48 bits */
    uint32_t sub[NT_SID_SUB_MAX];
};

extern const struct nt_sid NT_SID_NOBODY;              /* S-1-0-0 */
extern const struct nt_sid NT_SID_WORLD;               /* S-1-1-0, WD, Everyone */
extern const struct nt_sid NT_SID_LOCAL;               /* S-1-2-0 */
extern const struct nt_sid NT_SID_CREATOR_OWNER;       /* S-1-3-0, CO */
extern const struct nt_sid NT_SID_CREATOR_GROUP;       /* S-1-3-1, CG */
extern const struct nt_sid NT_SID_OWNER_RIGHTS;        /* S-1-3-4, OW */
extern const struct nt_sid NT_SID_NETWORK;             /* S-1-5-2, NU */
extern const struct nt_sid NT_SID_INTERACTIVE;         /* S-1-5-4, IU */
extern const struct nt_sid NT_SID_SERVICE;             /* S-1-5-6, SU */
extern const struct nt_sid NT_SID_ANONYMOUS;           /* S-1-5-7, AN */
extern const struct nt_sid NT_SID_SELF;                /* S-1-5-10, PS */
extern const struct nt_sid NT_SID_AUTHENTICATED_USERS; /* S-1-5-11, AU */
extern const struct nt_sid NT_SID_RESTRICTED;          /* S-1-5-12, RC */
extern const struct nt_sid NT_SID_LOCAL_SYSTEM;        /* S-1-5-18, SY */
extern const struct nt_sid NT_SID_LOCAL_SERVICE;       /* S-1-5-19, LS */
extern const struct nt_sid NT_SID_NETWORK_SERVICE;     /* S-1-5-20, NS */
extern const struct nt_sid NT_SID_WRITE_RESTRICTED;    /* S-1-5-33, WR */
extern const struct nt_sid NT_SID_ADMINISTRATORS;      /* S-1-5-32-544, BA */
extern const struct nt_sid NT_SID_USERS;               /* S-1-5-32-545, BU */
extern const struct nt_sid NT_SID_GUESTS;              /* S-1-5-32-546, BG */
extern const struct nt_sid NT_SID_TRUSTED_INSTALLER;   /* S-1-5-80-956008885-... */
extern const struct nt_sid NT_SID_ALL_APP_PACKAGES;    /* S-1-15-2-1, AC */
extern const struct nt_sid NT_SID_LABEL_LOW;           /* S-1-16-4096, LW */
extern const struct nt_sid NT_SID_LABEL_MEDIUM;        /* S-1-16-8192, ME */
extern const struct nt_sid NT_SID_LABEL_HIGH;          /* S-1-16-12288, HI */
extern const struct nt_sid NT_SID_LABEL_SYSTEM;        /* S-1-16-16384, SI */

bool nt_sid_is_valid(const struct nt_sid *sid);
bool nt_sid_equal(const struct nt_sid *a, const struct nt_sid *b);

/* `sid` has the authority and, first, all sub-authorities of `prefix` (or is it). */
bool nt_sid_has_prefix(const struct nt_sid *sid, const struct nt_sid *prefix);

/* The SID of an account: `domain` with one more sub-authority. Step "nt.sid". */
cordon_status nt_sid_account(const struct nt_sid *domain, uint32_t rid, struct nt_sid *out,
                             struct cordon_error *err);

/* S-1-5-21-a-b-c-d from 16 bytes of a good random generator, which the caller
 * asks. Four words: the form of a domain's account, whose RID counts up; that
 * one is met by chance has the odds of 128 random bits. Which SIDs are ours the
 * capability store knows, not the form. */
void nt_sid_capability(const uint8_t random[16], struct nt_sid *out);
bool nt_sid_is_capability(const struct nt_sid *sid); /* has that form; accounts have it too */

/* S-1-5-5-high-low, the SID of one logon session. */
void nt_sid_logon(uint32_t high, uint32_t low, struct nt_sid *out);
bool nt_sid_is_logon(const struct nt_sid *sid);

/* Binary. Reading takes exactly the SID at the start of `bytes`; its size is
 * nt_sid_size() afterwards. Step "nt.sid". */
size_t nt_sid_size(const struct nt_sid *sid);
void nt_sid_write(const struct nt_sid *sid, uint8_t *out); /* nt_sid_size() bytes */
cordon_status nt_sid_read(const uint8_t *bytes, size_t len, struct nt_sid *out, struct cordon_error *err);

/* Text: "S-1-..." or, for parsing, also an SDDL alias ("BA"); the whole string.
 * Aliases that need a domain (DA, LA, ...) are refused. Step "nt.sid". */
cordon_status nt_sid_parse(const char *text, size_t len, struct nt_sid *out, struct cordon_error *err);
void nt_sid_format(const struct nt_sid *sid, char out[NT_SID_TEXT_MAX]);      /* S-1-... */
void nt_sid_format_sddl(const struct nt_sid *sid, char out[NT_SID_TEXT_MAX]); /* alias where there is one */

/* "Everyone", "Administrators", ...: for people, in English on every system.
 * NULL for what is not well known. */
const char *nt_sid_name(const struct nt_sid *sid);

#endif
