/* cmd_plan.c - `cordon plan`: everything the operating system would be told. No side effects. */
#include <stdio.h>

#include "commands.h"

int command_plan(const struct options *options)
{
    struct prepared prepared;
    struct cordon_error err;
    struct buf text = BUF_INIT;
    prepared_init(&prepared);
    cordon_status status = prepare_policy(&prepared, options, &err);
    if (status == CORDON_OK)
        status = prepare_box(&prepared, options, false, &err);
    if (status == CORDON_OK) {
        const struct linux_view view = {&prepared.box.plan,
                                        &prepared.policy,
                                        &prepared.box.resolution.resolved,
                                        prepared.box.facets,
                                        prepared.box.facet_count,
                                        prepared.box.environment.items,
                                        prepared.box.environment.removed};
        status = options->json ? linux_plan_json(&view, &text, &err) : linux_plan_text(&view, &text, &err);
    }
    if (status == CORDON_OK)
        fwrite(text.data, 1, text.len, stdout);
    else
        say_error(options, &err);
    buf_release(&text);
    prepared_release(&prepared);
    return status == CORDON_OK ? 0 : EXIT_CORDON_FAILED;
}
