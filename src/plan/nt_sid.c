/* nt_sid.c - security identifiers. See nt_sid.h. */
#include "plan/nt_sid.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define STEP "nt.sid"

#define SID(authority, count, ...)                                                                           \
    {                                                                                                        \
        1, count, authority,                                                                                 \
        {                                                                                                    \
            __VA_ARGS__                                                                                      \
        }                                                                                                    \
    }

const struct nt_sid NT_SID_NOBODY = SID(0, 1, 0);
const struct nt_sid NT_SID_WORLD = SID(1, 1, 0);
const struct nt_sid NT_SID_LOCAL = SID(2, 1, 0);
const struct nt_sid NT_SID_CREATOR_OWNER = SID(3, 1, 0);
const struct nt_sid NT_SID_CREATOR_GROUP = SID(3, 1, 1);
const struct nt_sid NT_SID_OWNER_RIGHTS = SID(3, 1, 4);
const struct nt_sid NT_SID_NETWORK = SID(5, 1, 2);
const struct nt_sid NT_SID_INTERACTIVE = SID(5, 1, 4);
const struct nt_sid NT_SID_SERVICE = SID(5, 1, 6);
const struct nt_sid NT_SID_ANONYMOUS = SID(5, 1, 7);
const struct nt_sid NT_SID_SELF = SID(5, 1, 10);
const struct nt_sid NT_SID_AUTHENTICATED_USERS = SID(5, 1, 11);
const struct nt_sid NT_SID_RESTRICTED = SID(5, 1, 12);
const struct nt_sid NT_SID_LOCAL_SYSTEM = SID(5, 1, 18);
const struct nt_sid NT_SID_LOCAL_SERVICE = SID(5, 1, 19);
const struct nt_sid NT_SID_NETWORK_SERVICE = SID(5, 1, 20);
const struct nt_sid NT_SID_WRITE_RESTRICTED = SID(5, 1, 33);
const struct nt_sid NT_SID_ADMINISTRATORS = SID(5, 2, 32, 544);
const struct nt_sid NT_SID_USERS = SID(5, 2, 32, 545);
const struct nt_sid NT_SID_GUESTS = SID(5, 2, 32, 546);
const struct nt_sid NT_SID_TRUSTED_INSTALLER =
    SID(5, 6, 80, 956008885u, 3418522649u, 1831038044u, 1853292631u, 2271478464u);
const struct nt_sid NT_SID_ALL_APP_PACKAGES = SID(15, 2, 2, 1);
const struct nt_sid NT_SID_LABEL_LOW = SID(16, 1, 4096);
const struct nt_sid NT_SID_LABEL_MEDIUM = SID(16, 1, 8192);
const struct nt_sid NT_SID_LABEL_HIGH = SID(16, 1, 12288);
const struct nt_sid NT_SID_LABEL_SYSTEM = SID(16, 1, 16384);

/* Aliases of SDDL that need no domain: MS-DTYP 2.5.1.1, sddl.h. */
static const struct {
    const char *alias, *name; /* either may be missing */
    struct nt_sid sid;
} KNOWN[] = {
    {"WD", "Everyone", SID(1, 1, 0)},
    {"CO", "CREATOR OWNER", SID(3, 1, 0)},
    {"CG", "CREATOR GROUP", SID(3, 1, 1)},
    {"OW", "OWNER RIGHTS", SID(3, 1, 4)},
    {"NU", "NETWORK", SID(5, 1, 2)},
    {"IU", "INTERACTIVE", SID(5, 1, 4)},
    {"SU", "SERVICE", SID(5, 1, 6)},
    {"AN", "ANONYMOUS LOGON", SID(5, 1, 7)},
    {"ED", "ENTERPRISE DOMAIN CONTROLLERS", SID(5, 1, 9)},
    {"PS", "SELF", SID(5, 1, 10)},
    {"AU", "Authenticated Users", SID(5, 1, 11)},
    {"RC", "RESTRICTED", SID(5, 1, 12)},
    {"SY", "SYSTEM", SID(5, 1, 18)},
    {"LS", "LOCAL SERVICE", SID(5, 1, 19)},
    {"NS", "NETWORK SERVICE", SID(5, 1, 20)},
    {"WR", "WRITE RESTRICTED", SID(5, 1, 33)},
    {"BA", "Administrators", SID(5, 2, 32, 544)},
    {"BU", "Users", SID(5, 2, 32, 545)},
    {"BG", "Guests", SID(5, 2, 32, 546)},
    {"PU", "Power Users", SID(5, 2, 32, 547)},
    {"AO", "Account Operators", SID(5, 2, 32, 548)},
    {"SO", "Server Operators", SID(5, 2, 32, 549)},
    {"PO", "Print Operators", SID(5, 2, 32, 550)},
    {"BO", "Backup Operators", SID(5, 2, 32, 551)},
    {"RE", "Replicator", SID(5, 2, 32, 552)},
    {"RU", "Pre-Windows 2000 Compatible Access", SID(5, 2, 32, 554)},
    {"RD", "Remote Desktop Users", SID(5, 2, 32, 555)},
    {"NO", "Network Configuration Operators", SID(5, 2, 32, 556)},
    {"MU", "Performance Monitor Users", SID(5, 2, 32, 558)},
    {"LU", "Performance Log Users", SID(5, 2, 32, 559)},
    {"IS", "IIS_IUSRS", SID(5, 2, 32, 568)},
    {"CY", "Cryptographic Operators", SID(5, 2, 32, 569)},
    {"ER", "Event Log Readers", SID(5, 2, 32, 573)},
    {"AC", "ALL APPLICATION PACKAGES", SID(15, 2, 2, 1)},
    {"LW", "Low Mandatory Level", SID(16, 1, 4096)},
    {"ME", "Medium Mandatory Level", SID(16, 1, 8192)},
    {"MP", "Medium Plus Mandatory Level", SID(16, 1, 8448)},
    {"HI", "High Mandatory Level", SID(16, 1, 12288)},
    {"SI", "System Mandatory Level", SID(16, 1, 16384)},
    {NULL, "NULL SID", SID(0, 1, 0)},
    {NULL, "LOCAL", SID(2, 1, 0)},
    {NULL, "TrustedInstaller", SID(5, 6, 80, 956008885u, 3418522649u, 1831038044u, 1853292631u, 2271478464u)},
    {NULL, "ALL RESTRICTED APPLICATION PACKAGES", SID(15, 2, 2, 2)},
};

#define KNOWN_COUNT (sizeof KNOWN / sizeof *KNOWN)
#define AUTHORITY_MAX 0xffffffffffffull

bool nt_sid_is_valid(const struct nt_sid *sid)
{
    return sid->revision == 1 && sid->count <= NT_SID_SUB_MAX && sid->authority <= AUTHORITY_MAX;
}

bool nt_sid_equal(const struct nt_sid *a, const struct nt_sid *b)
{
    return a->revision == b->revision && a->count == b->count && nt_sid_has_prefix(a, b);
}

bool nt_sid_has_prefix(const struct nt_sid *sid, const struct nt_sid *prefix)
{
    if (sid->authority != prefix->authority || sid->count < prefix->count)
        return false;
    for (unsigned i = 0; i < prefix->count && i < NT_SID_SUB_MAX; i++) {
        if (sid->sub[i] != prefix->sub[i])
            return false;
    }
    return true;
}

cordon_status nt_sid_account(const struct nt_sid *domain, uint32_t rid, struct nt_sid *out,
                             struct cordon_error *err)
{
    if (!nt_sid_is_valid(domain) || domain->count == NT_SID_SUB_MAX)
        return error_set(err, CORDON_E_INVALID, 0, STEP,
                         "a domain's SID has fewer than %d sub-authorities: one is added", NT_SID_SUB_MAX);
    struct nt_sid made = *domain;
    made.sub[made.count++] = rid;
    *out = made;
    return CORDON_OK;
}

static uint32_t get32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

void nt_sid_capability(const uint8_t random[16], struct nt_sid *out)
{
    *out = (struct nt_sid)SID(5, 5, 21);
    for (unsigned i = 0; i < 4; i++)
        out->sub[1 + i] = get32(random + 4 * (size_t)i);
}

bool nt_sid_is_capability(const struct nt_sid *sid)
{
    return nt_sid_is_valid(sid) && sid->authority == 5 && sid->count == 5 && sid->sub[0] == 21;
}

void nt_sid_logon(uint32_t high, uint32_t low, struct nt_sid *out)
{
    *out = (struct nt_sid)SID(5, 3, 5, high, low);
}

bool nt_sid_is_logon(const struct nt_sid *sid)
{
    return nt_sid_is_valid(sid) && sid->authority == 5 && sid->count == 3 && sid->sub[0] == 5;
}

/* ---- binary */

size_t nt_sid_size(const struct nt_sid *sid)
{
    return 8 + 4 * (size_t)sid->count;
}

void nt_sid_write(const struct nt_sid *sid, uint8_t *out)
{
    out[0] = sid->revision;
    out[1] = sid->count;
    for (unsigned i = 0; i < 6; i++) /* the authority alone is big endian */
        out[2 + i] = (uint8_t)(sid->authority >> (8 * (5 - i)));
    for (size_t i = 0; i < sid->count; i++) {
        for (unsigned j = 0; j < 4; j++)
            out[8 + 4 * i + j] = (uint8_t)(sid->sub[i] >> (8 * j));
    }
}

cordon_status nt_sid_read(const uint8_t *bytes, size_t len, struct nt_sid *out, struct cordon_error *err)
{
    if (len < 8)
        return error_set(err, CORDON_E_INVALID, 0, STEP, "a SID has at least 8 bytes, here are %zu", len);
    if (bytes[0] != 1)
        return error_set(err, CORDON_E_INVALID, 0, STEP, "a SID's revision is 1, not %u", bytes[0]);
    if (bytes[1] > NT_SID_SUB_MAX)
        return error_set(err, CORDON_E_INVALID, 0, STEP, "a SID has at most %d sub-authorities, not %u",
                         NT_SID_SUB_MAX, bytes[1]);
    struct nt_sid sid = {.revision = 1, .count = bytes[1]};
    if (len < nt_sid_size(&sid))
        return error_set(err, CORDON_E_INVALID, 0, STEP,
                         "a SID of %u sub-authorities has %zu bytes, here are %zu", sid.count,
                         nt_sid_size(&sid), len);
    for (size_t i = 0; i < 6; i++)
        sid.authority = sid.authority << 8 | bytes[2 + i];
    for (size_t i = 0; i < sid.count; i++)
        sid.sub[i] = get32(bytes + 8 + 4 * i);
    *out = sid;
    return CORDON_OK;
}

/* ---- text */

/* The digits at *at, in `base`, of a number up to `max`; false when there is none. */
static bool take_number(const char *text, size_t len, size_t *at, unsigned base, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;
    size_t i = *at;
    for (; i < len; i++) {
        char c = text[i];
        unsigned digit = base;
        if (c >= '0' && c <= '9')
            digit = (unsigned)(c - '0');
        else if (c >= 'a' && c <= 'f')
            digit = (unsigned)(c - 'a') + 10;
        else if (c >= 'A' && c <= 'F')
            digit = (unsigned)(c - 'A') + 10;
        if (digit >= base)
            break;
        if (value > (max - digit) / base)
            return false;
        value = value * base + digit;
    }
    if (i == *at)
        return false;
    *at = i;
    *out = value;
    return true;
}

static bool parse_numbers(const char *text, size_t len, struct nt_sid *out)
{
    struct nt_sid sid = {.revision = 1};
    size_t at = 4;
    bool hexadecimal = len > at + 2 && text[at] == '0' && (text[at + 1] == 'x' || text[at + 1] == 'X');
    if (hexadecimal)
        at += 2;
    if (!take_number(text, len, &at, hexadecimal ? 16 : 10, AUTHORITY_MAX, &sid.authority))
        return false;
    while (at < len) {
        uint64_t value;
        if (text[at++] != '-' || sid.count == NT_SID_SUB_MAX ||
            !take_number(text, len, &at, 10, UINT32_MAX, &value))
            return false;
        sid.sub[sid.count++] = (uint32_t)value;
    }
    *out = sid;
    return true;
}

cordon_status nt_sid_parse(const char *text, size_t len, struct nt_sid *out, struct cordon_error *err)
{
    if (len > 4 && (memcmp(text, "S-1-", 4) == 0 || memcmp(text, "s-1-", 4) == 0)) {
        if (parse_numbers(text, len, out))
            return CORDON_OK;
    } else if (len == 2) {
        for (size_t i = 0; i < KNOWN_COUNT; i++) {
            if (KNOWN[i].alias && memcmp(KNOWN[i].alias, text, 2) == 0) {
                *out = KNOWN[i].sid;
                return CORDON_OK;
            }
        }
    }
    return error_set(err, CORDON_E_INVALID, 0, STEP,
                     "'%.*s' is no SID: S-1-AUTHORITY-..., or an alias that needs no domain such as BA",
                     (int)(len > NT_SID_TEXT_MAX ? NT_SID_TEXT_MAX : len), text);
}

void nt_sid_format(const struct nt_sid *sid, char out[NT_SID_TEXT_MAX])
{
    size_t at;
    if (sid->authority <= UINT32_MAX) /* MS-DTYP 2.4.2.1: decimal below 2^32, else twelve digits */
        at = (size_t)snprintf(out, NT_SID_TEXT_MAX, "S-%u-%" PRIu64, sid->revision, sid->authority);
    else
        at = (size_t)snprintf(out, NT_SID_TEXT_MAX, "S-%u-0x%012" PRIx64, sid->revision, sid->authority);
    for (unsigned i = 0; i < sid->count && i < NT_SID_SUB_MAX; i++)
        at += (size_t)snprintf(out + at, NT_SID_TEXT_MAX - at, "-%" PRIu32, sid->sub[i]);
}

void nt_sid_format_sddl(const struct nt_sid *sid, char out[NT_SID_TEXT_MAX])
{
    for (size_t i = 0; i < KNOWN_COUNT; i++) {
        if (KNOWN[i].alias && nt_sid_equal(sid, &KNOWN[i].sid)) {
            memcpy(out, KNOWN[i].alias, 3);
            return;
        }
    }
    nt_sid_format(sid, out);
}

const char *nt_sid_name(const struct nt_sid *sid)
{
    for (size_t i = 0; i < KNOWN_COUNT; i++) {
        if (nt_sid_equal(sid, &KNOWN[i].sid))
            return KNOWN[i].name;
    }
    return NULL;
}
