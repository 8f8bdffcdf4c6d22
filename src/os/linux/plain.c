/* plain.c - see plain.h. Runs as the user, outside. */
#include "os/linux/plain.h"

#include <string.h>

#include "os/linux/probe.h"

bool plain_wanted(const char *const *allow_degraded)
{
    static const enum primitive needed[] = {
        PRIMITIVE_USER_NAMESPACE, PRIMITIVE_ID_MAPS,       PRIMITIVE_MOUNT_NAMESPACE, PRIMITIVE_PID_NAMESPACE,
        PRIMITIVE_OPEN_TREE,      PRIMITIVE_MOUNT_SETATTR, PRIMITIVE_MOVE_MOUNT,
    };
    struct doctor machine;
    bool named = false, missing = false;
    for (; allow_degraded && *allow_degraded && !named; allow_degraded++)
        named = strcmp(*allow_degraded, "protect") == 0;
    if (!named)
        return false;
    doctor_init(&machine);
    probe_machine(&machine);
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        missing = missing || machine.primitives[needed[i]].state == PRIMITIVE_MISSING;
    doctor_release(&machine);
    return missing;
}

static cordon_status check_place(const char *place, const struct resolved *resolved, struct cordon_error *err)
{
    const struct rule *above = place ? resolved_enclosing(resolved, place) : NULL;
    for (; above; above = resolved_enclosing(resolved, above->path))
        if (above->kind == RULE_WRITE)
            return error_set(
                err, CORDON_E_UNSUPPORTED, 0, "linux.plan.plain",
                "%s lies in the writable root %s, where without user namespaces nothing can protect "
                "it; set XDG_STATE_HOME and XDG_CONFIG_HOME elsewhere",
                place, above->path);
    return CORDON_OK;
}

cordon_status plain_check_places(const struct places *places, const struct resolved *resolved,
                                 struct cordon_error *err)
{
    cordon_status status = check_place(places->state_root, resolved, err);
    return status ? status : check_place(places->config_root, resolved, err);
}
