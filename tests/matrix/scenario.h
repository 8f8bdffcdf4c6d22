/* scenario.h - attacks that need more than one run: two sandboxes on one
 * workspace, a crash and the next start. */
#ifndef CORDON_MATRIX_SCENARIO_H
#define CORDON_MATRIX_SCENARIO_H

#include <stdbool.h>

#include "world.h"

/* Runs the scenario `name` in a made world; false, with printed reasons, when
 * something did not hold or there is no such scenario. */
bool scenario_run(struct world *w, const char *name, const char *policy);

#endif
