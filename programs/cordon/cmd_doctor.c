/* cmd_doctor.c - `cordon doctor`: what this machine can enforce, what is missing, what helps.
 *
 * Runs as the user; changes nothing that it does not take back. Order: the
 * primitives one by one, which says what is missing; the whole launch path,
 * which says whether that matters; then the place where it was asked.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"
#include "doctor_here.h"
#include "os/linux/broker.h"
#include "os/linux/probe.h"
#include "os/linux/probe_state.h"
#include "os/linux/probe_trial.h"
#include "plan/linux_plain.h"

#define EXIT_NOT_ENFORCEABLE 1

extern char **environ;

struct examination {
    const struct options *options;
    struct doctor doctor;
    struct places places;
    bool has_places;
    struct cordon_error no_places;
    struct probe_state state;
    int write_code; /* of the state directory's place */
};

/* -- trying it as a whole ------------------------------------------------- */

/* In the state directory, or where it would be made; elsewhere only if that cannot
 * be written. Nothing is left of it. */
static void try_launch(struct examination *e, const char *allow_degraded, struct cordon_error *result)
{
    struct probe_scratch scratch;
    const char *places[5], *tmpdir = getenv("TMPDIR");
    size_t n = 0;
    if (e->has_places)
        places[n++] = e->state.existing;
    if (tmpdir && tmpdir[0] == '/')
        places[n++] = tmpdir;
    places[n++] = "/tmp";
    places[n++] = "/var/tmp";
    places[n] = NULL;
    probe_scratch_init(&scratch);
    int first_code = 0;
    if (probe_scratch_make(&scratch, places, &first_code, result) == CORDON_OK &&
        probe_trial(&scratch, allow_degraded, result) == CORDON_OK)
        result->status = CORDON_OK;
    if (e->has_places)
        e->write_code = first_code;
    probe_scratch_remove(&scratch);
}

/* An interrupt would leave the directory of the trial, for as long as it is there. */
static void try_launch_undisturbed(struct examination *e, const char *allow_degraded,
                                   struct cordon_error *result)
{
    static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    sigset_t set, before;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof ending / sizeof *ending; i++)
        sigaddset(&set, ending[i]);
    sigprocmask(SIG_BLOCK, &set, &before);
    try_launch(e, allow_degraded, result);
    sigprocmask(SIG_SETMASK, &before, NULL);
}

static cordon_status try_reduced(struct examination *e, struct cordon_error *err)
{
    struct buf accepted = BUF_INIT;
    doctor_reduced_list(&e->doctor, &accepted);
    cordon_status status = buf_failed(&accepted) ? error_nomem(err, "doctor.print") : CORDON_OK;
    if (status == CORDON_OK)
        try_launch_undisturbed(e, accepted.data, &e->doctor.reduced_trial);
    buf_release(&accepted);
    return status;
}

/* -- what follows --------------------------------------------------------- */

/* The facets of the default policy, with what was found; without namespaces too. */
static cordon_status list_facets(struct doctor *d, struct cordon_error *err)
{
    struct linux_plan plan;
    struct policy policy;
    const struct linux_facts facts = {
        .uid = d->uid,
        .landlock_abi = d->landlock_abi,
        .broker = broker_possible(),
        .cgroup_memory = d->primitives[PRIMITIVE_CGROUP_MEMORY].state == PRIMITIVE_WORKS,
        .cgroup_processes = d->primitives[PRIMITIVE_CGROUP_PROCESSES].state == PRIMITIVE_WORKS};
    linux_plan_init(&plan);
    policy_init(&policy);
    cordon_status status = policy_merge(&policy, NULL, NULL, err);
    if (status == CORDON_OK) {
        plan.own_netns = policy.net != NET_ON;
        d->facet_count = linux_facets(&plan, &facts, &policy, d->facets);
        if (doctor_can_reduce(d))
            d->reduced_count = linux_plain_facets(&facts, &policy, d->reduced);
    }
    policy_release(&policy);
    linux_plan_release(&plan);
    return status;
}

static cordon_status examine(struct examination *e, struct cordon_error *err)
{
    struct doctor *d = &e->doctor;
    d->version = CORDON_VERSION;
    probe_machine(d);
    e->has_places = places_find(&e->places, environ, &e->no_places) == CORDON_OK;
    if (e->has_places && !probe_state_look(e->places.state_root, &e->state))
        return error_nomem(err, "doctor.print");
    cordon_status status = list_facets(d, err);
    try_launch_undisturbed(e, NULL, &d->trial);
    d->trial_done = true;
    if (status == CORDON_OK && d->reduced_count)
        status = try_reduced(e, err);
    if (status == CORDON_OK)
        status = doctor_here_state(d, e->places.state_root, e->has_places ? &e->state : NULL, &e->no_places,
                                   e->write_code, err);
    if (status == CORDON_OK)
        status = doctor_here_policy(d, e->options, err);
    if (status == CORDON_OK)
        status = doctor_here_terminal(d, err);
    doctor_judge(d);
    return status;
}

int command_doctor(const struct options *options)
{
    struct examination e = {.options = options};
    struct cordon_error err;
    struct buf text = BUF_INIT;
    signal(SIGCHLD, SIG_DFL); /* ignored by the caller, the end of those who try would not be told */
    doctor_init(&e.doctor);
    places_init(&e.places);
    cordon_status status = examine(&e, &err);
    if (status == CORDON_OK)
        status = options->json ? doctor_json(&e.doctor, &text, &err) : doctor_text(&e.doctor, &text, &err);
    int code = e.doctor.enforceable ? 0 : EXIT_NOT_ENFORCEABLE;
    if (status == CORDON_OK) {
        fwrite(text.data, 1, text.len, stdout);
    } else {
        say_error(options, &err);
        code = EXIT_CORDON_FAILED;
    }
    buf_release(&text);
    probe_state_release(&e.state);
    places_release(&e.places);
    doctor_release(&e.doctor);
    return code;
}
