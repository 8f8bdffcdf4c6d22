/* probe_state.h - cordon's state directory as doctor sees it. Looks only. */
#ifndef CORDON_LINUX_PROBE_STATE_H
#define CORDON_LINUX_PROBE_STATE_H

#include <stdbool.h>
#include <stddef.h>

struct probe_state {
    bool exists;
    bool ours;               /* belongs to this user, and nobody else may write there */
    char *existing;          /* it, or the nearest directory above that exists; owned */
    const char *file_system; /* of that; static */
    size_t workspaces;
    size_t placeholders, temporaries; /* that crashed runs left */
    size_t quarantined;               /* things that the guards put away */
};

/* False: out of memory. */
bool probe_state_look(const char *state_root, struct probe_state *out);
void probe_state_release(struct probe_state *s);

#endif
