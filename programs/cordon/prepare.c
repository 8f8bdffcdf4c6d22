/* prepare.c - from options to a prepared box: read the policy file, merge, resolve, plan. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"
#include "os/linux/plain.h"
#include "os/linux/policy_file.h"
#include "os/posix/write_all.h"

extern char **environ;

void prepared_init(struct prepared *p)
{
    policy_init(&p->policy);
    p->policy_file = NULL;
    p->plain = false;
    box_init(&p->box);
}

void prepared_release(struct prepared *p)
{
    box_release(&p->box);
    policy_release(&p->policy);
    free(p->policy_file);
    prepared_init(p);
}

cordon_status prepare_policy(struct prepared *p, const struct options *options, struct cordon_error *err)
{
    struct policy layer;
    policy_init(&layer);
    cordon_status status = policy_file_load(options->policy_file, environ, &layer, &p->policy_file, err);
    if (status == CORDON_OK)
        status = policy_in_effect(&p->policy, p->policy_file ? &layer : NULL, &options->policy, err);
    policy_release(&layer);
    p->plain = status == CORDON_OK && plain_wanted(options->allow_degraded.items);
    return status;
}

cordon_status prepare_box(struct prepared *p, const struct options *options, bool effects,
                          struct cordon_error *err)
{
    struct box_request request = {.policy = &p->policy,
                                  .workspace = options->workspace,
                                  .program = options->argv ? options->argv[0] : NULL,
                                  .policy_file = p->policy_file,
                                  .environment = environ,
                                  .allow_degraded = options->allow_degraded.items,
                                  .require = options->require.items,
                                  .plain = p->plain,
                                  .trace = options->trace,
                                  .effects = effects};
    return box_prepare(&p->box, &request, err);
}

void say(const struct options *options, const char *format, ...)
{
    va_list args;
    if (options->quiet)
        return;
    fputs("cordon: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

void say_error(const struct options *options, const struct cordon_error *err)
{
    struct buf text = BUF_INIT;
    struct cordon_error ignored;
    if (options->json_errors && error_to_json(err, &text, &ignored) == CORDON_OK && !buf_failed(&text))
        fwrite(text.data, 1, text.len, stderr);
    else
        fprintf(stderr, "cordon: %s\n", err->message);
    buf_release(&text);
}

void say_status_failed(const struct options *options, const struct cordon_error *err)
{
    struct buf line = BUF_INIT;
    struct cordon_error ignored;
    if (options->status_fd >= 0 && status_failed(err, &line, &ignored) == CORDON_OK && !buf_failed(&line))
        write_all(options->status_fd, line.data, line.len);
    buf_release(&line);
}
