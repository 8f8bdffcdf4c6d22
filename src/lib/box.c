/* box.c - cordon_prepare() and what a box answers. No side effects: the box is
 * prepared as `cordon plan` and `cordon explain` prepare theirs, and never changes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/lib.h"
#include "plan/linux_plan.h"

extern char **environ;

const char *cordon_version(void)
{
    return CORDON_VERSION;
}

void cordon_text_free(char *text)
{
    free(text);
}

struct box_request lib_box_request(const struct cordon_policy *policy, struct policy *effective)
{
    return (struct box_request){.policy = effective,
                                .workspace = policy->workspace,
                                .policy_file = policy->policy_file,
                                .environment = environ,
                                .allow_degraded = policy->allow_degraded.items,
                                .require = policy->require.items};
}

void cordon_box_free(struct cordon_box *box)
{
    if (!box)
        return;
    box_release(&box->box);
    policy_release(&box->effective);
    cordon_policy_free(box->policy);
    free(box);
}

/* A box may live long: it shall keep nobody's file system busy. What it answers
 * is as of now, and each spawn looks anew. */
static void let_go_of_objects(struct resolution *resolution)
{
    for (size_t i = 0; i < resolution->pin_count; i++)
        close(resolution->pins[i]);
    resolution->pin_count = 0;
}

cordon_status cordon_prepare(const struct cordon_policy *policy, struct cordon_box **out,
                             struct cordon_error *err)
{
    struct cordon_error unwanted = {.status = CORDON_OK};
    err = err ? err : &unwanted;
    struct cordon_box *box = calloc(1, sizeof *box);
    if (!box)
        return error_nomem(err, "policy.merge");
    policy_init(&box->effective);
    box_init(&box->box);
    cordon_status status = lib_policy_copy(&box->policy, policy, err);
    if (status == CORDON_OK && !box->policy->workspace && !(box->policy->workspace = getcwd(NULL, 0)))
        status = error_set(err, CORDON_E_SYSTEM, errno, "resolve.workspace", "no current directory: %s",
                           strerror(errno));
    if (status == CORDON_OK)
        status = lib_policy_effective(&box->effective, box->policy, err);
    if (status == CORDON_OK) {
        struct box_request request = lib_box_request(box->policy, &box->effective);
        status = box_prepare(&box->box, &request, err);
    }
    if (status != CORDON_OK) {
        cordon_box_free(box);
        return status;
    }
    let_go_of_objects(&box->box.resolution);
    *out = box;
    return CORDON_OK;
}

static const char *mechanism(const struct box *box, const char *facet)
{
    for (size_t i = 0; i < box->facet_count; i++)
        if (strcmp(box->facets[i].name, facet) == 0)
            return box->facets[i].mechanism;
    return "";
}

cordon_status cordon_box_explain(const struct cordon_box *box, const char *path,
                                 enum cordon_operation operation, struct cordon_verdict *out,
                                 struct cordon_error *err)
{
    static const enum decide_op operations[] = {
        [CORDON_READ] = OP_READ,
        [CORDON_WRITE] = OP_WRITE,
        [CORDON_CREATE] = OP_CREATE,
        [CORDON_REMOVE] = OP_REMOVE,
    };
    struct cordon_error unwanted = {.status = CORDON_OK};
    char *real = NULL;
    err = err ? err : &unwanted;
    if (!path || (unsigned)operation >= sizeof operations / sizeof *operations)
        return error_set(err, CORDON_E_INVALID, 0, "explain.print",
                         "cordon_box_explain: want a path and an operation");
    cordon_status status = resolve_question(path, &real, err);
    if (status != CORDON_OK)
        return status;
    struct verdict v = decide_outside(&box->box.resolution.resolved, real, operations[operation]);
    *out = (struct cordon_verdict){.allowed = v.allowed,
                                   .reason = decide_reason_text(v.reason),
                                   .rule = v.rule ? rule_kind_name(v.rule->kind) : NULL,
                                   .path = v.rule ? v.rule->path : NULL,
                                   .origin = v.rule ? v.rule->origin : NULL,
                                   .facet = v.facet,
                                   .mechanism = mechanism(&box->box, v.facet)};
    free(real);
    return CORDON_OK;
}

cordon_status cordon_box_plan_json(const struct cordon_box *box, char **out, struct cordon_error *err)
{
    struct buf text = BUF_INIT;
    struct cordon_error unwanted = {.status = CORDON_OK};
    err = err ? err : &unwanted;
    const struct linux_view view = {.plan = &box->box.plan,
                                    .policy = &box->effective,
                                    .resolved = &box->box.resolution.resolved,
                                    .facets = box->box.facets,
                                    .facet_count = box->box.facet_count,
                                    .environment = box->box.environment.items,
                                    .removed = box->box.environment.removed};
    cordon_status status = linux_plan_json(&view, &text, err);
    char *taken = status == CORDON_OK ? buf_take(&text) : NULL;
    buf_release(&text);
    if (status == CORDON_OK && !taken)
        status = error_nomem(err, "linux.plan.print");
    if (status == CORDON_OK)
        *out = taken;
    return status;
}
