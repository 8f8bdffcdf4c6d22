/* terminal.h - the controlling terminal, as `run` shares it with the command. */
#ifndef CORDON_POSIX_TERMINAL_H
#define CORDON_POSIX_TERMINAL_H

#include <stdbool.h>
#include <termios.h>

struct terminal {
    int fd;           /* the controlling terminal; -1: none */
    bool attached;    /* one of the standard descriptors is a terminal */
    bool interactive; /* standard input and output are it: hand it over at once */
    bool given;       /* the command's group is (or was made) the foreground one */
    bool saved;
    struct termios modes;
};

void terminal_open(struct terminal *t);
/* Is this process's group the foreground one? */
bool terminal_is_ours(const struct terminal *t);
/* Makes it so again, and restores the modes when asked (a killed editor leaves
 * raw mode behind). Blocks SIGTTOU meanwhile. */
void terminal_take_back(struct terminal *t, bool restore_modes);
void terminal_close(struct terminal *t);

#endif
