/* nt_sddl.h - security descriptors as text, both ways.
 *
 * Pure; called by the Windows plan (literal descriptors, `cordon plan`), the NT
 * model and its tests. No privilege. Grammar: MS-DTYP 2.5.1.1.
 */
#ifndef CORDON_PLAN_NT_SDDL_H
#define CORDON_PLAN_NT_SDDL_H

#include "core/buf.h"
#include "core/error.h"
#include "plan/nt_descriptor.h"

#define NT_SDDL_BYTES_MAX (1u << 20)

/* The whole string: O: G: D: S: in any order, each once. Entries A, D, AU, ML;
 * conditional and object entries are refused. Step "nt.sddl". */
cordon_status nt_sddl_parse(const char *text, struct nt_descriptor *out, struct cordon_error *err);

/* Appends. What SDDL has no words for here (opaque entries, bytes after a SID) is
 * CORDON_E_UNSUPPORTED, never left out silently. Not part of the text are a list's
 * revision and the control bits other than P, AR, AI, as with Windows' own. Step "nt.sddl". */
cordon_status nt_sddl_format(const struct nt_descriptor *d, struct buf *out, struct cordon_error *err);

#endif
