/* user_shell.h - which shell is meant where the user's may be cordon itself. */
#ifndef CORDON_PROGRAM_USER_SHELL_H
#define CORDON_PROGRAM_USER_SHELL_H

#include "commands.h"
#include "core/env.h"

/* The first that is a shell and not cordon: $SHELL, the one of the user's entry
 * in /etc/passwd, /bin/bash, /bin/sh. The caller frees. */
cordon_status user_shell_find(char **out, struct cordon_error *err);

/* What runs inside and starts "$SHELL" shall get a shell, not a sandbox in the
 * sandbox, which fails. */
cordon_status user_shell_correct(const struct options *options, struct env_list *environment,
                                 struct cordon_error *err);

#endif
