/* profile.c - see profile.h. Pure; called as root by cordon-setup. */
#include "setup/profile.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/utf.h"

#define STEP "setup.profile"

static const char opening[] =
    "# Written by cordon-setup. `cordon setup --undo` removes it while it is unchanged;\n"
    "# rules of your own belong into local/cordon.\n";
#define SUM_LINE "# cordon-setup 1 %016llx\n"
#define SUM_LINE_BYTES 34 /* "# cordon-setup 1 ", 16 digits, the newline */

/* 64-bit FNV-1a: tells an edited file, no defence against root. */
static unsigned long long sum(const char *text, size_t len)
{
    uint64_t hash = 0xcbf29ce484222325ull;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3ull;
    return hash;
}

cordon_status profile_quote(const char *path, struct buf *out, struct cordon_error *err)
{
    if (path[0] != '/' || !utf_is_valid(path, strlen(path)))
        return error_set(err, CORDON_E_INVALID, 0, STEP,
                         "%s: want an absolute path in UTF-8, so that the profile is for this very file",
                         path);
    for (const char *c = path; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f || *c == '"' || *c == '\\')
            return error_set(err, CORDON_E_INVALID, 0, STEP,
                             "%s has a quote, a backslash or a control character in it: install cordon at a "
                             "plainer path",
                             path);
    buf_add_char(out, '"');
    for (const char *c = path; *c; c++) {
        if (strchr("*?[]{}^", *c))
            buf_add_char(out, '\\');
        buf_add_char(out, *c);
    }
    buf_add_char(out, '"');
    return CORDON_OK;
}

cordon_status profile_text(const struct profile_program *programs, size_t count, struct buf *out,
                           struct cordon_error *err)
{
    struct buf rules = BUF_INIT;
    cordon_status status = CORDON_OK;
    /* Before ABI 4.0 there is no rule for user namespaces, and no restriction of them. */
    buf_add_string(&rules, "abi <abi/4.0>,\ninclude <tunables/global>\n");
    for (size_t i = 0; i < count && status == CORDON_OK; i++) {
        buf_add_format(&rules, "\nprofile %s ", programs[i].name);
        status = profile_quote(programs[i].path, &rules, err);
        buf_add_string(&rules, " flags=(unconfined) {\n"
                               "  userns,\n"
                               "  include if exists <local/cordon>\n"
                               "}\n");
    }
    if (status == CORDON_OK && buf_failed(&rules))
        status = error_nomem(err, STEP);
    if (status == CORDON_OK) {
        buf_add_string(out, opening);
        buf_add_format(out, SUM_LINE, sum(rules.data, rules.len));
        buf_add(out, rules.data, rules.len);
        if (buf_failed(out))
            status = error_nomem(err, STEP);
    }
    buf_release(&rules);
    return status;
}

bool profile_is_ours(const char *text, size_t len)
{
    char line[SUM_LINE_BYTES + 1];
    size_t head = sizeof opening - 1, before = head + SUM_LINE_BYTES;
    if (len < before || memcmp(text, opening, head) != 0)
        return false;
    snprintf(line, sizeof line, SUM_LINE, sum(text + before, len - before));
    return memcmp(text + head, line, SUM_LINE_BYTES) == 0;
}
