/* lib.h - what the public objects are made of. Only src/lib includes it. */
#ifndef CORDON_LIB_LIB_H
#define CORDON_LIB_LIB_H

#include "cordon/cordon.h"
#include "core/policy.h"
#include "os/linux/box.h"
#include "os/linux/warden.h"
#include "os/posix/changes.h"

struct name_list {
    const char **items; /* owned strings; NULL-terminated, or NULL: none */
    size_t count;
};

struct cordon_policy {
    struct policy file, options; /* layers */
    bool has_file;
    char *policy_file; /* path of `file`; NULL: it came as text */
    char *workspace;   /* absolute; NULL: not said */
    struct name_list require, allow_degraded;
};

/* Immutable after cordon_prepare(). */
struct cordon_box {
    struct cordon_policy *policy; /* a copy */
    struct policy effective;      /* merged */
    struct box box;               /* without effects: for explain and plan */
};

struct cordon_process {
    const struct cordon_box *box;
    struct policy effective; /* of this run: what cannot be had and may be missing is off */
    struct box run;          /* with effects: placeholders live until the end */
    struct warden warden;
    int pipes[3]; /* the caller's ends; -1 */
    bool watch_changes, keep_report;
    struct changes before;
    bool ended;                /* waited for: the report is whole */
    struct cordon_error error; /* of the wait; status CORDON_OK: none */
};

/* policy.c */
cordon_status lib_policy_copy(struct cordon_policy **out, const struct cordon_policy *from,
                              struct cordon_error *err);
cordon_status lib_policy_effective(struct policy *out, const struct cordon_policy *policy,
                                   struct cordon_error *err);

/* box.c */
struct box_request lib_box_request(const struct cordon_policy *policy, struct policy *effective);

/* process.c: whatever of it is there */
void lib_process_free(struct cordon_process *p);

#endif
