/* nt_sddl.c - security descriptors as text. See nt_sddl.h. */
#include "plan/nt_sddl.h"

#include <string.h>

#include "plan/nt_mask.h"

#define STEP "nt.sddl"

struct word {
    const char *text;
    uint32_t bits;
};

/* MS-DTYP 2.5.1.1; sddl.h. When writing, only whole masks of the first rows are words. */
static const struct word RIGHTS[] = {
    {"FA", NT_FILE_ALL},
    {"FR", NT_FILE_GENERIC_READ},
    {"FW", NT_FILE_GENERIC_WRITE},
    {"FX", NT_FILE_GENERIC_EXECUTE},
    {"GA", NT_GENERIC_ALL},
    {"GR", NT_GENERIC_READ},
    {"GW", NT_GENERIC_WRITE},
    {"GX", NT_GENERIC_EXECUTE},
    {"KA", 0xf003f},
    {"KR", 0x20019},
    {"KW", 0x20006},
    {"KX", 0x20019},
    {"RC", NT_READ_CONTROL},
    {"SD", NT_DELETE},
    {"WD", NT_WRITE_DAC},
    {"WO", NT_WRITE_OWNER},
    {"CC", 0x1},
    {"DC", 0x2},
    {"LC", 0x4},
    {"SW", 0x8},
    {"RP", 0x10},
    {"WP", 0x20},
    {"DT", 0x40},
    {"LO", 0x80},
    {"CR", 0x100},
};
#define WRITTEN_RIGHTS 8

static const struct word LABEL_RIGHTS[] = {
    {"NW", NT_LABEL_NO_WRITE_UP},
    {"NR", NT_LABEL_NO_READ_UP},
    {"NX", NT_LABEL_NO_EXECUTE_UP},
};

static const struct word ACE_FLAGS[] = {
    {"OI", NT_ACE_OI}, {"CI", NT_ACE_CI}, {"NP", NT_ACE_NP}, {"IO", NT_ACE_IO},
    {"ID", NT_ACE_ID}, {"SA", NT_ACE_SA}, {"FA", NT_ACE_FA},
};
static const struct word ACE_TYPES[] = {
    {"A", NT_ACE_ALLOW}, {"D", NT_ACE_DENY}, {"AU", NT_ACE_AUDIT}, {"ML", NT_ACE_LABEL}};

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct reader {
    const char *text;
    size_t at, len;
};

static cordon_status fail(const struct reader *r, struct cordon_error *err, const char *right)
{
    return error_set(err, CORDON_E_INVALID, 0, STEP, "at character %zu of the descriptor: %s", r->at + 1,
                     right);
}

static bool take(struct reader *r, const char *word)
{
    size_t n = strlen(word);
    if (r->len - r->at < n || memcmp(r->text + r->at, word, n) != 0)
        return false;
    r->at += n;
    return true;
}

/* Words of two letters, one after another, up to `end`. */
static bool take_words(struct reader *r, size_t end, const struct word *words, size_t count, uint32_t *bits)
{
    *bits = 0;
    while (r->at < end) {
        size_t i = 0;
        while (i < count && !(end - r->at >= 2 && memcmp(words[i].text, r->text + r->at, 2) == 0))
            i++;
        if (i == count)
            return false;
        *bits |= words[i].bits;
        r->at += 2;
    }
    return true;
}

/* 0x..., or decimal. */
static bool take_mask_number(struct reader *r, size_t end, uint32_t *out)
{
    unsigned base = 10;
    uint64_t value = 0;
    if (end - r->at > 2 && r->text[r->at] == '0' &&
        (r->text[r->at + 1] == 'x' || r->text[r->at + 1] == 'X')) {
        base = 16;
        r->at += 2;
    }
    for (; r->at < end; r->at++) {
        const char *digits = "0123456789abcdef";
        char c = r->text[r->at];
        if (c >= 'A' && c <= 'F')
            c = (char)(c - 'A' + 'a');
        const char *digit = memchr(digits, c, base);
        if (!digit)
            return false;
        value = value * base + (uint64_t)(digit - digits);
        if (value > UINT32_MAX)
            return false;
    }
    *out = (uint32_t)value;
    return true;
}

/* The end of the field at r->at: the next `stop`, before any other bracket. */
static bool field_end(const struct reader *r, char stop, size_t *end)
{
    for (size_t i = r->at; i < r->len; i++) {
        char c = r->text[i];
        if (c == stop) {
            *end = i;
            return true;
        }
        if (c == '(' || c == ')' || c == ';')
            return false;
    }
    return false;
}

static cordon_status parse_ace(struct reader *r, struct nt_ace *out, struct cordon_error *err)
{
    size_t end, type = 0;
    struct nt_ace ace = {0};
    uint32_t bits;
    if (!field_end(r, ';', &end))
        return fail(r, err, "an entry is (TYPE;FLAGS;RIGHTS;;;SID)");
    while (type < COUNT(ACE_TYPES) && !(strlen(ACE_TYPES[type].text) == end - r->at &&
                                        memcmp(ACE_TYPES[type].text, r->text + r->at, end - r->at) == 0))
        type++;
    if (type == COUNT(ACE_TYPES))
        return fail(r, err, "the type of an entry is A, D, AU or ML here");
    ace.type = (uint8_t)ACE_TYPES[type].bits;
    r->at = end + 1;

    if (!field_end(r, ';', &end) || !take_words(r, end, ACE_FLAGS, COUNT(ACE_FLAGS), &bits))
        return fail(r, err, "the flags of an entry are OI CI NP IO ID SA FA, then a semicolon");
    ace.flags = (uint8_t)bits;
    r->at = end + 1;

    if (!field_end(r, ';', &end))
        return fail(r, err, "after the flags come the rights, then a semicolon");
    bool label = ace.type == NT_ACE_LABEL;
    if (r->at < end && r->text[r->at] >= '0' && r->text[r->at] <= '9') {
        if (!take_mask_number(r, end, &ace.mask))
            return fail(r, err, "a number of rights has 32 bits");
    } else if (!take_words(r, end, label ? LABEL_RIGHTS : RIGHTS, label ? COUNT(LABEL_RIGHTS) : COUNT(RIGHTS),
                           &ace.mask)) {
        return fail(r, err, "rights are two-letter words, or a number");
    }
    r->at = end + 1;

    if (!take(r, ";;"))
        return fail(r, err, "entries for single properties of an object are not used here: ;;");
    if (!field_end(r, ')', &end))
        return fail(r, err, "an entry ends with a SID and a bracket; conditions are not used here");
    cordon_status status = nt_sid_parse(r->text + r->at, end - r->at, &ace.sid, err);
    r->at = end + 1;
    *out = ace;
    return status;
}

static cordon_status parse_acl(struct reader *r, bool system, struct nt_descriptor *d,
                               struct cordon_error *err)
{
    enum nt_acl_state *state = system ? &d->sacl_state : &d->dacl_state;
    struct nt_acl *acl = system ? &d->sacl : &d->dacl;
    if (*state != NT_ACL_ABSENT)
        return fail(r, err, "each of O: G: D: S: comes once");
    *state = NT_ACL_LIST;
    for (;;) {
        uint32_t bit;
        if (take(r, "NO_ACCESS_CONTROL")) {
            *state = NT_ACL_NULL;
            continue;
        } else if (take(r, "P")) {
            bit = NT_CONTROL_DACL_PROTECTED;
        } else if (take(r, "AR")) {
            bit = NT_CONTROL_DACL_AUTO_REQ;
        } else if (take(r, "AI")) {
            bit = NT_CONTROL_DACL_AUTO_INHERITED;
        } else {
            break;
        }
        d->control |= (uint16_t)(system ? bit << 1 : bit); /* each bit of the SACL is the next one */
    }
    while (take(r, "(")) {
        struct nt_ace ace;
        if (*state == NT_ACL_NULL)
            return fail(r, err, "NO_ACCESS_CONTROL has no entries");
        cordon_status status = parse_ace(r, &ace, err);
        if (status == CORDON_OK)
            status = nt_acl_append(acl, &ace, err);
        if (status != CORDON_OK)
            return status;
    }
    return CORDON_OK;
}

static cordon_status parse_sid(struct reader *r, struct nt_sid *out, struct cordon_error *err)
{
    if (out->revision)
        return fail(r, err, "each of O: G: D: S: comes once");
    const char *colon = memchr(r->text + r->at, ':', r->len - r->at);
    size_t end = colon ? (size_t)(colon - r->text) - 1 : r->len; /* before the letter of the next part */
    if (end < r->at)
        return fail(r, err, "here belongs a SID");
    cordon_status status = nt_sid_parse(r->text + r->at, end - r->at, out, err);
    r->at = end;
    return status;
}

cordon_status nt_sddl_parse(const char *text, struct nt_descriptor *out, struct cordon_error *err)
{
    struct reader r = {.text = text, .len = strlen(text)};
    struct nt_descriptor made;
    cordon_status status = CORDON_OK;
    nt_descriptor_init(&made);
    if (r.len > NT_SDDL_BYTES_MAX)
        return error_set(err, CORDON_E_LIMIT, 0, STEP, "a descriptor as text has at most %u bytes",
                         NT_SDDL_BYTES_MAX);
    while (r.at < r.len && status == CORDON_OK) {
        if (take(&r, "O:"))
            status = parse_sid(&r, &made.owner, err);
        else if (take(&r, "G:"))
            status = parse_sid(&r, &made.group, err);
        else if (take(&r, "D:"))
            status = parse_acl(&r, false, &made, err);
        else if (take(&r, "S:"))
            status = parse_acl(&r, true, &made, err);
        else
            status = fail(&r, err, "here belongs one of O: G: D: S: or an entry in brackets");
    }
    if (status != CORDON_OK) {
        nt_descriptor_release(&made);
        return status;
    }
    *out = made;
    return CORDON_OK;
}

/* ---- writing */

static void write_rights(const struct nt_ace *ace, struct buf *out)
{
    if (ace->type == NT_ACE_LABEL && ace->mask && !(ace->mask & ~7u)) {
        for (size_t i = 0; i < COUNT(LABEL_RIGHTS); i++) {
            if (ace->mask & LABEL_RIGHTS[i].bits)
                buf_add_string(out, LABEL_RIGHTS[i].text);
        }
        return;
    }
    for (size_t i = 0; i < WRITTEN_RIGHTS && ace->type != NT_ACE_LABEL; i++) {
        if (ace->mask == RIGHTS[i].bits) {
            buf_add_string(out, RIGHTS[i].text);
            return;
        }
    }
    buf_add_format(out, "0x%lx", (unsigned long)ace->mask);
}

static cordon_status write_ace(const struct nt_ace *ace, struct buf *out, struct cordon_error *err)
{
    char sid[NT_SID_TEXT_MAX];
    if (!nt_ace_is_known(ace) || ace->rest_len || (ace->flags & 0x20u))
        return error_set(err, CORDON_E_UNSUPPORTED, 0, STEP,
                         "an entry of type 0x%02x cannot be written as text", ace->type);
    buf_add_char(out, '(');
    for (size_t i = 0; i < COUNT(ACE_TYPES); i++) {
        if (ACE_TYPES[i].bits == ace->type)
            buf_add_string(out, ACE_TYPES[i].text);
    }
    buf_add_char(out, ';');
    for (size_t i = 0; i < COUNT(ACE_FLAGS); i++) {
        if (ace->flags & ACE_FLAGS[i].bits)
            buf_add_string(out, ACE_FLAGS[i].text);
    }
    buf_add_char(out, ';');
    write_rights(ace, out);
    nt_sid_format_sddl(&ace->sid, sid);
    buf_add_format(out, ";;;%s)", sid);
    return CORDON_OK;
}

static cordon_status write_acl(char letter, enum nt_acl_state state, uint32_t control,
                               const struct nt_acl *acl, struct buf *out, struct cordon_error *err)
{
    cordon_status status = CORDON_OK;
    if (state == NT_ACL_ABSENT) {
        if (control & (NT_CONTROL_DACL_PROTECTED | NT_CONTROL_DACL_AUTO_REQ | NT_CONTROL_DACL_AUTO_INHERITED))
            return error_set(err, CORDON_E_UNSUPPORTED, 0, STEP, "control bits of a list that is absent");
        return CORDON_OK;
    }
    buf_add_format(out, "%c:%s%s%s%s", letter, control & NT_CONTROL_DACL_PROTECTED ? "P" : "",
                   control & NT_CONTROL_DACL_AUTO_REQ ? "AR" : "",
                   control & NT_CONTROL_DACL_AUTO_INHERITED ? "AI" : "",
                   state == NT_ACL_NULL ? "NO_ACCESS_CONTROL" : "");
    for (size_t i = 0; state == NT_ACL_LIST && i < acl->count && status == CORDON_OK; i++)
        status = write_ace(&acl->items[i], out, err);
    return status;
}

cordon_status nt_sddl_format(const struct nt_descriptor *d, struct buf *out, struct cordon_error *err)
{
    char sid[NT_SID_TEXT_MAX];
    size_t start = out->len;
    if (d->owner.revision) {
        nt_sid_format_sddl(&d->owner, sid);
        buf_add_format(out, "O:%s", sid);
    }
    if (d->group.revision) {
        nt_sid_format_sddl(&d->group, sid);
        buf_add_format(out, "G:%s", sid);
    }
    cordon_status status = write_acl('D', d->dacl_state, d->control, &d->dacl, out, err);
    if (status == CORDON_OK)
        status = write_acl('S', d->sacl_state, (uint32_t)d->control >> 1, &d->sacl, out, err);
    if (status == CORDON_OK && buf_failed(out))
        status = error_nomem(err, STEP);
    if (status != CORDON_OK && !buf_failed(out))
        buf_truncate(out, start);
    return status;
}
