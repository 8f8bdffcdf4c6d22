/* kernel.c - operations on kernel interfaces that reach beyond files and
 * processes: each is a way around a layer, or surface that nobody needs.
 */
#include "probe.h"
#include "raw.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <string.h>
#include <unistd.h>

#define REFUSED "EPERM EACCES ENOSYS"

/* For calls that give a descriptor. */
static struct probe_result decide(const struct probe_call *c, const char *step, long result)
{
    if (result < 0) {
        return probe_failed(c, step, errno);
    }
    close((int)result);
    return probe_allowed();
}

static struct probe_result bpf(const struct probe_call *c)
{
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.map_type = BPF_MAP_TYPE_ARRAY;
    attributes.key_size = 4;
    attributes.value_size = 4;
    attributes.max_entries = 1;
    return decide(c, "bpf", syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes));
}

static struct probe_result perf(const struct probe_call *c)
{
    struct perf_event_attr attributes = {.type = PERF_TYPE_SOFTWARE,
                                         .size = sizeof attributes,
                                         .config = PERF_COUNT_SW_TASK_CLOCK,
                                         .exclude_kernel = 1,
                                         .exclude_hv = 1};
    return decide(c, "perf_event_open", syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0));
}

static struct probe_result user_faults(const struct probe_call *c)
{
    return decide(c, "userfaultfd", syscall(SYS_userfaultfd, O_CLOEXEC | 1 /* UFFD_USER_MODE_ONLY */));
}

/* One ring does what a filter on socket() and open() forbids. */
static struct probe_result rings(const struct probe_call *c)
{
    unsigned parameters[30] = {0}; /* struct io_uring_params */
    return decide(c, "io_uring_setup", syscall(RAW_io_uring_setup, 1, parameters));
}

static struct probe_result handles(const struct probe_call *c)
{
    struct {
        struct file_handle header;
        unsigned char bytes[128];
    } handle = {.header = {.handle_bytes = sizeof handle.bytes}};
    int mount_id;
    if (name_to_handle_at(AT_FDCWD, c->args[0], &handle.header, &mount_id, 0) != 0) {
        return errno == EOPNOTSUPP ? probe_absent("no handles here")
                                   : probe_failed(c, "name_to_handle_at", errno);
    }
    int at = open(c->args[0], O_RDONLY | O_CLOEXEC);
    if (at < 0) {
        return probe_unprepared("open", errno);
    }
    int fd = open_by_handle_at(at, &handle.header, O_WRONLY | O_CLOEXEC);
    int error = errno;
    close(at);
    return fd < 0 ? probe_failed(c, "open_by_handle_at", error) : probe_finish_write(c, fd, NULL);
}

static struct probe_result load_module(const struct probe_call *c)
{
    if (syscall(SYS_init_module, NULL, 0UL, "") == 0) {
        return probe_broken("init_module of nothing worked");
    }
    /* Past the check of the right, the empty image is what is wrong. */
    return errno == ENOEXEC || errno == EINVAL || errno == EFAULT ? probe_allowed()
                                                                  : probe_failed(c, "init_module", errno);
}

static struct probe_result set_host_name(const struct probe_call *c)
{
    char name[256];
    if (gethostname(name, sizeof name) != 0) {
        return probe_unprepared("gethostname", errno);
    }
    return sethostname(name, strlen(name)) == 0 ? probe_allowed() : probe_failed(c, "sethostname", errno);
}

/* With FAN_REPORT_FID, which needs no privilege since Linux 5.13. */
static struct probe_result watch_everything(const struct probe_call *c)
{
    return decide(c, "fanotify_init",
                  syscall(SYS_fanotify_init, 0x201 /* FAN_CLOEXEC, FAN_REPORT_FID */, O_RDONLY));
}

/* The kernel's log. */
static struct probe_result read_log(const struct probe_call *c)
{
    char content[64];
    long n = syscall(SYS_syslog, 3, content, (int)sizeof content);
    return n >= 0 ? probe_allowed() : probe_failed(c, "syslog", errno);
}

const struct probe_operation probe_kernel[] = {
    {"bpf", "", REFUSED, "", bpf},
    {"perf", "", REFUSED, "ENOENT", perf},
    {"userfaultfd", "", REFUSED, "", user_faults},
    {"io-uring", "", REFUSED, "", rings},
    {"open-by-handle", "PATH", REFUSED, "", handles},
    {"load-module", "", "EPERM EACCES", "ENOSYS", load_module},
    {"set-host-name", "", REFUSED, "", set_host_name},
    {"fanotify", "", REFUSED, "", watch_everything},
    {"kernel-log", "", REFUSED, "", read_log},
    {NULL, NULL, NULL, NULL, NULL},
};
