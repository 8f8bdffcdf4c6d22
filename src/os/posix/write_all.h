/* write_all.h - write(2) until all is written. */
#ifndef CORDON_POSIX_WRITE_ALL_H
#define CORDON_POSIX_WRITE_ALL_H

#include <stddef.h>

/* 0, or -1 with errno: some of it may have been written. */
int write_all(int fd, const char *bytes, size_t len);

#endif
