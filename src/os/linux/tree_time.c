/* tree_time.c - see tree_time.h. Runs as init. ASYNC-SIGNAL-SAFE CALLS ONLY. */
#include "os/linux/tree_time.h"

#include <fcntl.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "os/linux/beneath.h"

#define TICK_MS 10 /* USER_HZ is 100 in every Linux ABI */

static ssize_t read_file(int dir, const char *path, char *text, size_t size)
{
    int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t len = read(fd, text, size - 1);
    close(fd);
    if (len >= 0)
        text[len] = '\0';
    return len;
}

/* Fields 14 to 17 of /proc/PID/stat: utime stime cutime cstime. The name in
 * field 2 may hold spaces and brackets: count from the last bracket. */
static uint64_t stat_ticks(const char *text)
{
    const char *c = strrchr(text, ')');
    uint64_t sum = 0;
    if (!c)
        return 0;
    c++;
    for (int field = 3; *c && field <= 17; field++) {
        while (*c == ' ')
            c++;
        uint64_t value = 0;
        for (; *c && *c != ' '; c++)
            if (*c >= '0' && *c <= '9')
                value = 10 * value + (uint64_t)(*c - '0');
        if (field >= 14)
            sum += value;
    }
    return sum;
}

uint64_t tree_cpu_ms(void)
{
    struct beneath_list list;
    struct beneath_entry entry;
    char path[300], text[1024];
    uint64_t ticks = 0;
    int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (proc < 0)
        return 0;
    beneath_list_init(&list, proc);
    while (beneath_list_next(&list, &entry) > 0) {
        size_t len = strlen(entry.name);
        if (entry.name[0] < '0' || entry.name[0] > '9' || len > 200)
            continue;
        memcpy(path, entry.name, len);
        memcpy(path + len, "/stat", 6);
        if (read_file(proc, path, text, sizeof text) > 0)
            ticks += stat_ticks(text);
    }
    close(proc);
    return ticks * TICK_MS;
}

int tree_open_last_pid(void)
{
    return open("/proc/sys/kernel/ns_last_pid", O_RDONLY | O_CLOEXEC);
}

int64_t tree_last_pid(int fd)
{
    char text[32];
    ssize_t len = pread(fd, text, sizeof text - 1, 0);
    if (len <= 0)
        return -1;
    text[len] = '\0';
    int64_t value = 0;
    for (const char *c = text; *c >= '0' && *c <= '9'; c++)
        value = 10 * value + (*c - '0');
    return value;
}
