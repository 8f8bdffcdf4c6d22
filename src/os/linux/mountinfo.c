/* mountinfo.c - see mountinfo.h. For control groups and the kernel's file systems. */
#include "os/linux/mountinfo.h"

#include <stddef.h>
#include <string.h>

/* Blanks and backslashes stand as octal numbers. In place. */
static void decode(char *text)
{
    char *to = text;
    for (const char *from = text; *from; to++) {
        if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' && from[2] <= '7' &&
            from[3] >= '0' && from[3] <= '7') {
            *to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
            from += 4;
        } else {
            *to = *from++;
        }
    }
    *to = '\0';
}

bool mountinfo_split(char *line, struct mountinfo *out)
{
    static const char separator[] = " - ";
    char *rest = NULL, *type = strstr(line, separator);
    if (!type)
        return false;
    *type = '\0';
    type = strtok_r(type + sizeof separator - 1, " \n", &rest);
    char *field = strtok_r(line, " ", &rest);
    for (int i = 0; field && i < 3; i++) /* the mount, its parent, the device */
        field = strtok_r(NULL, " ", &rest);
    char *point = field ? strtok_r(NULL, " ", &rest) : NULL;
    if (!type || !point)
        return false;
    decode(field);
    decode(point);
    *out = (struct mountinfo){field, point, type};
    return true;
}
