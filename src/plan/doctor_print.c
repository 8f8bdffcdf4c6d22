/* doctor_print.c - what doctor found, for people and as JSON (see doctor.h). Pure. */
#include <string.h>

#include "core/json_build.h"
#include "core/utf.h"
#include "plan/doctor.h"
#include "plan/landlock_steps.h"

#define STEP "doctor.print"

static const char *facet_state_words(const struct facet *facet)
{
    switch (facet->state) {
    case FACET_ENFORCED:
        return "enforced";
    case FACET_LIMIT:
        return "limit";
    case FACET_UNAVAILABLE:
        break;
    }
    return "not available";
}

/* -- text ----------------------------------------------------------------- */

static void add_display(struct buf *out, const char *text)
{
    utf_escape_display(out, text, strlen(text));
}

/* A second line under an entry of a table. */
static void add_below(struct buf *out, int indent, const char *label, const char *text)
{
    if (text)
        buf_add_format(out, "%*s%s: %s\n", indent, "", label, text);
}

/* One remedy helps every facet that lacks the same. */
static bool remedy_was_said(const struct doctor *d, size_t facet)
{
    for (size_t i = 0; i < facet; i++)
        if (d->missing[facet] != PRIMITIVE_COUNT && d->missing[i] == d->missing[facet])
            return true;
    return false;
}

static void text_facets(const struct doctor *d, struct buf *out)
{
    buf_add_string(out, "\nThe boundary, and what holds it here\n");
    for (size_t i = 0; i < d->facet_count; i++) {
        const struct facet *facet = &d->facets[i];
        buf_add_format(out, "  %-17s  %-13s  %s\n", facet->name, facet_state_words(facet), facet->mechanism);
        if (facet->state != FACET_UNAVAILABLE)
            continue;
        if (d->missing[i] != PRIMITIVE_COUNT)
            add_below(out, 21, "missing", primitive_words(d->missing[i])->what);
        if (!remedy_was_said(d, i))
            add_below(out, 21, "remedy", facet->remedy);
    }
}

static void text_primitives(const struct doctor *d, struct buf *out)
{
    buf_add_string(out, "\nWhat the kernel gives, each tried just now\n");
    for (int p = 0; p < PRIMITIVE_COUNT; p++) {
        const struct primitive_result *result = &d->primitives[p];
        const struct primitive_words *words = primitive_words((enum primitive)p);
        struct doctor_explanation why = doctor_explain(d, (enum primitive)p);
        buf_add_format(out, "  %-39s  ", words->what);
        if (result->state == PRIMITIVE_WORKS)
            buf_add_string(out, "works");
        else if (result->state == PRIMITIVE_NOT_TRIED)
            buf_add_string(out, "not tried, for want of one above");
        else if (result->signal)
            buf_add_format(out, "killed by signal %d", result->signal);
        else if (result->os_code)
            buf_add_format(out, "%s: %s", words->needed ? "refused" : "not here", strerror(result->os_code));
        else
            buf_add_string(out, words->needed ? "without effect" : "not here");
        buf_add_char(out, '\n');
        add_below(out, 6, "cause", why.cause);
        add_below(out, 6, "remedy", why.remedy);
    }
    buf_add_format(out, "  %-39s  ", "all of it, around a command");
    if (!d->trial_done)
        buf_add_string(out, "not tried\n");
    else if (d->trial.status == CORDON_OK)
        buf_add_string(out, "held\n");
    else {
        buf_add_format(out, "failed (%s)\n      ", d->trial.step);
        add_display(out, d->trial.message);
        buf_add_char(out, '\n');
    }
}

static void text_reduced(const struct doctor *d, struct buf *out)
{
    struct buf accepted = BUF_INIT;
    if (!d->reduced_count)
        return;
    doctor_reduced_list(d, &accepted);
    buf_add_format(out,
                   "\nWithout namespaces: Landlock and seccomp alone, for who accepts that by\n"
                   "--allow-degraded %s\n",
                   accepted.data ? accepted.data : "");
    for (size_t i = 0; i < d->reduced_count; i++)
        buf_add_format(out, "  %-17s  %-13s  %s\n", d->reduced[i].name, facet_state_words(&d->reduced[i]),
                       d->reduced[i].mechanism);
    buf_add_format(out, "  %-17s  ", "around a command");
    if (d->reduced_trial.status == CORDON_OK) {
        buf_add_string(out, "held\n");
    } else {
        buf_add_format(out, "failed (%s): ", d->reduced_trial.step);
        add_display(out, d->reduced_trial.message);
        buf_add_char(out, '\n');
    }
    buf_release(&accepted);
}

static void text_landlock(const struct doctor *d, struct buf *out)
{
    buf_add_format(out, "\nLandlock, by ABI (this kernel has %d)\n", d->landlock_abi);
    for (size_t i = 0; i < landlock_step_count; i++) {
        const struct landlock_step *step = &landlock_steps[i];
        buf_add_format(out, "  %-3d%-38s  %s%s\n", step->abi, step->adds,
                       step->abi <= d->landlock_abi ? "here" : "not here: ",
                       step->abi <= d->landlock_abi ? "" : step->carried_by);
    }
}

static void text_findings(const struct doctor *d, struct buf *out)
{
    buf_add_string(out, "\nHere\n");
    for (size_t i = 0; i < d->finding_count; i++) {
        const struct doctor_finding *finding = &d->findings[i];
        buf_add_format(out, "  %-17s  %s", finding->subject, finding->good ? "" : "NOT GOOD: ");
        add_display(out, finding->text);
        buf_add_char(out, '\n');
        if (finding->remedy) {
            buf_add_format(out, "%*sremedy: ", 21, "");
            add_display(out, finding->remedy);
            buf_add_char(out, '\n');
        }
    }
}

cordon_status doctor_text(const struct doctor *d, struct buf *out, struct cordon_error *err)
{
    buf_add_format(out, "cordon %s, Linux %s %s, Landlock ABI %d, uid %lu\n", d->version, d->kernel,
                   d->machine, d->landlock_abi, (unsigned long)d->uid);
    text_facets(d, out);
    text_primitives(d, out);
    text_reduced(d, out);
    text_landlock(d, out);
    text_findings(d, out);
    buf_add_char(out, '\n');
    struct buf verdict = BUF_INIT;
    doctor_verdict(d, &verdict);
    bool failed = buf_failed(&verdict);
    if (!failed)
        add_display(out, verdict.data);
    buf_add_char(out, '\n');
    buf_release(&verdict);
    return failed || buf_failed(out) ? error_nomem(err, STEP) : CORDON_OK;
}

/* -- JSON ----------------------------------------------------------------- */

static void put_text(struct json_build *b, json_t *object, const char *key, const char *text)
{
    json_build_put(b, object, key, json_build_text(text));
}

static json_t *json_facets(const struct doctor *d, struct json_build *b)
{
    static const char *const states[] = {"enforced", "limit", "unavailable"};
    json_t *list = json_array();
    for (size_t i = 0; i < d->facet_count; i++) {
        const struct facet *facet = &d->facets[i];
        bool unavailable = facet->state == FACET_UNAVAILABLE;
        json_t *item = json_object();
        put_text(b, item, "facet", facet->name);
        put_text(b, item, "mechanism", facet->mechanism);
        put_text(b, item, "state", states[facet->state]);
        put_text(b, item, "missing",
                 d->missing[i] == PRIMITIVE_COUNT ? NULL : primitive_words(d->missing[i])->name);
        put_text(b, item, "remedy", unavailable ? facet->remedy : NULL);
        json_build_push(b, list, item);
    }
    return list;
}

static json_t *json_primitives(const struct doctor *d, struct json_build *b)
{
    static const char *const states[] = {"not_tried", "missing", "works"};
    json_t *list = json_array();
    for (int p = 0; p < PRIMITIVE_COUNT; p++) {
        const struct primitive_result *result = &d->primitives[p];
        const struct primitive_words *words = primitive_words((enum primitive)p);
        struct doctor_explanation why = doctor_explain(d, (enum primitive)p);
        json_t *item = json_object();
        put_text(b, item, "name", words->name);
        json_build_put(b, item, "needed", json_boolean(words->needed));
        put_text(b, item, "state", states[result->state]);
        json_build_put(b, item, "os_code", json_integer(result->os_code));
        json_build_put(b, item, "signal", json_integer(result->signal));
        put_text(b, item, "cause", why.cause);
        put_text(b, item, "remedy", why.remedy);
        json_build_push(b, list, item);
    }
    return list;
}

static json_t *json_trial(const struct doctor *d, struct json_build *b)
{
    bool failed = d->trial_done && d->trial.status != CORDON_OK;
    json_t *trial = json_object();
    json_build_put(b, trial, "done", json_boolean(d->trial_done));
    json_build_put(b, trial, "held", json_boolean(d->trial_done && !failed));
    put_text(b, trial, "step", failed ? d->trial.step : NULL);
    put_text(b, trial, "message", failed ? d->trial.message : NULL);
    return trial;
}

static json_t *json_reduced(const struct doctor *d, struct json_build *b)
{
    bool held = d->reduced_trial.status == CORDON_OK;
    struct buf accepted = BUF_INIT;
    if (!d->reduced_count)
        return json_null();
    json_t *reduced = json_object();
    doctor_reduced_list(d, &accepted);
    json_build_put(b, reduced, "allow_degraded", json_build_words(&accepted));
    json_build_put(b, reduced, "held", json_boolean(held));
    put_text(b, reduced, "step", held ? NULL : d->reduced_trial.step);
    put_text(b, reduced, "message", held ? NULL : d->reduced_trial.message);
    return reduced;
}

static json_t *json_landlock(const struct doctor *d, struct json_build *b)
{
    json_t *list = json_array();
    for (size_t i = 0; i < landlock_step_count; i++) {
        const struct landlock_step *step = &landlock_steps[i];
        json_t *item = json_object(), *facets = json_array();
        json_build_put(b, item, "abi", json_integer(step->abi));
        put_text(b, item, "linux", step->linux_version);
        put_text(b, item, "adds", step->adds);
        for (const char *name = step->facets; *name;) {
            size_t len = strcspn(name, " ");
            json_build_push(b, facets, json_build_text_n(name, len));
            name += len + (name[len] == ' ');
        }
        json_build_put(b, item, "facets", facets);
        json_build_put(b, item, "here", json_boolean(step->abi <= d->landlock_abi));
        put_text(b, item, "carried_by", step->carried_by);
        json_build_push(b, list, item);
    }
    return list;
}

static json_t *json_findings(const struct doctor *d, struct json_build *b)
{
    json_t *list = json_array();
    for (size_t i = 0; i < d->finding_count; i++) {
        json_t *item = json_object();
        put_text(b, item, "subject", d->findings[i].subject);
        json_build_put(b, item, "good", json_boolean(d->findings[i].good));
        put_text(b, item, "text", d->findings[i].text);
        put_text(b, item, "remedy", d->findings[i].remedy);
        json_build_push(b, list, item);
    }
    return list;
}

cordon_status doctor_json(const struct doctor *d, struct buf *out, struct cordon_error *err)
{
    struct json_build b = {false};
    struct buf verdict = BUF_INIT;
    json_t *root = json_object(), *machine = json_object();
    doctor_verdict(d, &verdict);
    json_build_put(&b, root, "version", json_integer(1));
    json_build_put(&b, root, "enforceable", json_boolean(d->enforceable));
    json_build_put(&b, root, "verdict",
                   buf_failed(&verdict) ? NULL : json_build_text_n(verdict.data, verdict.len));
    buf_release(&verdict);
    put_text(&b, root, "cordon", d->version);
    put_text(&b, machine, "system", "linux");
    put_text(&b, machine, "kernel", d->kernel);
    put_text(&b, machine, "architecture", d->machine);
    json_build_put(&b, machine, "uid", json_build_number(d->uid));
    json_build_put(&b, machine, "landlock_abi", json_integer(d->landlock_abi));
    json_build_put(&b, root, "machine", machine);
    json_build_put(&b, root, "facets", json_facets(d, &b));
    json_build_put(&b, root, "primitives", json_primitives(d, &b));
    json_build_put(&b, root, "trial", json_trial(d, &b));
    json_build_put(&b, root, "reduced", json_reduced(d, &b));
    json_build_put(&b, root, "landlock", json_landlock(d, &b));
    json_build_put(&b, root, "findings", json_findings(d, &b));
    return json_build_write(&b, root, JSON_INDENT(2), out, STEP, err);
}
