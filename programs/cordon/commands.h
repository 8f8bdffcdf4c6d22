/* commands.h - one file a command; each returns the process's exit status. */
#ifndef CORDON_PROGRAM_COMMANDS_H
#define CORDON_PROGRAM_COMMANDS_H

#include "core/error.h"
#include "core/policy.h"
#include "options.h"
#include "os/linux/box.h"

#define EXIT_GUARDED 123
#define EXIT_TIMED_OUT 124
#define EXIT_CORDON_FAILED 125
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND 127

int command_run(const struct options *options);
int command_shell(const struct options *options);
int command_explain(const struct options *options);
int command_plan(const struct options *options);
int command_doctor(const struct options *options);
int command_setup(const struct options *options);
int command_report(const struct options *options);

/* What the three share: the policy in effect and its box. */
struct prepared {
    struct policy policy;
    char *policy_file; /* in effect; NULL: none */
    bool plain;        /* a run without namespaces: os/linux/plain.h */
    struct box box;
};

void prepared_init(struct prepared *p);
void prepared_release(struct prepared *p);
/* First the policy in effect, then its box. */
cordon_status prepare_policy(struct prepared *p, const struct options *options, struct cordon_error *err);
cordon_status prepare_box(struct prepared *p, const struct options *options, bool effects,
                          struct cordon_error *err);

/* cordon's own words on stderr: `cordon: ...`, or one JSON line. */
void say_error(const struct options *options, const struct cordon_error *err);
/* The `failed` line on --status-fd, when one was asked for. */
void say_status_failed(const struct options *options, const struct cordon_error *err);
void say(const struct options *options, const char *format, ...) CORDON_PRINTF(2, 3);

#endif
