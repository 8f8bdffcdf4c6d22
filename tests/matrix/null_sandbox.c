/* null_sandbox.c - stands in for cordon and confines nothing.
 *
 * With it every row of can-fail.tsv must fail: the proof that the runner sees
 * what an attack does. Never installed.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int at = 1;
    while (at < argc && strcmp(argv[at], "--") != 0) {
        at++;
    }
    if (at + 1 < argc) {
        execv(argv[at + 1], argv + at + 1);
    }
    perror("null-sandbox");
    return 125;
}
