/* probe.h - tries, one by one, what a launch needs of the kernel.
 *
 * Everything is tried in processes that end with it, inside namespaces of their
 * own where it could change anything: nothing is left, whatever happens. A
 * filter that kills who calls is survived and reported. No root, about 10 ms.
 */
#ifndef CORDON_LINUX_PROBE_H
#define CORDON_LINUX_PROBE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "plan/doctor.h"

/* Fills kernel, machine, uid, landlock_abi, primitives and hints. Whatever
 * cannot even be tried (no memory, no process) stays PRIMITIVE_NOT_TRIED. */
void probe_machine(struct doctor *d);

/* -- between the files of the probe --------------------------------------- */

/* In memory that the trying processes share with the asking one. */
struct probe_page {
    struct primitive_result results[PRIMITIVE_COUNT];
    int current; /* what is being tried: blamed when its process is killed */
};

/* Runs body in a process of its own, made by clone3 with `flags`; 0: by fork.
 * False: no such process could be made (errno), or (with errno 0) it was killed
 * and the current primitive has been blamed for it. */
bool probe_process(struct probe_page *page, uint64_t flags, void (*body)(struct probe_page *page));

void probe_begin(struct probe_page *page, enum primitive p);
/* The verdict on the primitive that was begun; `code` as in struct primitive_result. */
void probe_end(struct probe_page *page, bool works, int code);

/* probe_namespaces.c: the namespaces, and what needs one. */
void probe_namespaces(struct probe_page *page);

/* probe_layers.c: Landlock and seccomp; each in its own process, as they cannot be taken back. */
void probe_layers(struct probe_page *page);

/* probe_hints.c: what the machine's settings say. */
void probe_hints(struct doctor_hints *hints);

#endif
