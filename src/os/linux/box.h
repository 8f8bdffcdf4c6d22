/* box.h - a prepared sandbox: policy resolved, facts probed, plan made.
 *
 * The one path that run, explain and plan share, so that what is explained is
 * what is done. With `effects` (run) the private directories and placeholders
 * exist when box_prepare() returns; without, nothing on the machine changes.
 */
#ifndef CORDON_LINUX_BOX_H
#define CORDON_LINUX_BOX_H

#include <stdbool.h>

#include "core/env.h"
#include "core/report.h"
#include "os/linux/placeholder.h"
#include "os/linux/resolve.h"
#include "os/linux/state.h"
#include "os/linux/supervision.h"
#include "plan/linux_plan.h"

struct box_request {
    struct policy *policy;    /* merged; a limit that --allow-degraded drops is set to 0 in it */
    const char *workspace;    /* as given or NULL */
    const char *directory;    /* where the command starts; NULL: the current directory */
    const char *program;      /* or NULL */
    const char *policy_file;  /* in effect or NULL */
    char *const *environment; /* the caller's: says where cordon's places are */
    char *const *inherited;   /* what the command's environment is made from; NULL: `environment` */
    const char *const *allow_degraded, *const *require; /* NULL-terminated or NULL */
    bool plain;                                         /* plain_wanted() */
    bool trace;                                         /* --trace */
    bool effects;
};

struct box {
    struct places places;
    struct resolution resolution;
    struct placeholders placeholders;
    struct linux_facts facts;
    char *paths[5]; /* owns what facts borrows */
    struct linux_plan plan;
    struct supervision supervision; /* borrows from the rest */
    struct env_list environment;
    struct facet facets[LINUX_FACETS_MAX];
    size_t facet_count;
    struct report report; /* layers, degraded and warnings so far */
};

void box_init(struct box *b);
/* Removes placeholders and fresh directories when there were effects. */
void box_release(struct box *b);

cordon_status box_prepare(struct box *b, const struct box_request *request, struct cordon_error *err);

#endif
