/* mountinfo.h - one line of /proc/PID/mountinfo. Makes no allocation. */
#ifndef CORDON_LINUX_MOUNTINFO_H
#define CORDON_LINUX_MOUNTINFO_H

#include <stdbool.h>

struct mountinfo {
    char *root;  /* what of its file system is mounted */
    char *point; /* where */
    char *type;
};

/* Cuts the line up in place and undoes the kernel's octal escapes; false: it is no such line. */
bool mountinfo_split(char *line, struct mountinfo *out);

#endif
