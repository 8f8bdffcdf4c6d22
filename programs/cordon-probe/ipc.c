/* ipc.c - operations on System V, POSIX and key objects of outside processes.
 *
 * The test runner makes the objects and passes their identifiers; inside its
 * own IPC namespace they do not exist.
 */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REFUSED "EPERM EACCES ENOENT EINVAL EIDRM ENOSYS"

static int object(const struct probe_call *c)
{
    long id;
    return probe_number(c->args[0], &id) == 0 ? (int)id : -1;
}

static struct probe_result attach_memory(const struct probe_call *c)
{
    char *at = shmat(object(c), NULL, 0);
    if (at == (void *)-1) {
        return probe_failed(c, "shmat", errno);
    }
    memcpy(at, PROBE_MARK, sizeof PROBE_MARK);
    shmdt(at);
    return probe_allowed();
}

static struct probe_result raise_semaphore(const struct probe_call *c)
{
    struct sembuf up = {.sem_num = 0, .sem_op = 1};
    return semop(object(c), &up, 1) == 0 ? probe_allowed() : probe_failed(c, "semop", errno);
}

static struct probe_result send_message(const struct probe_call *c)
{
    struct {
        long type;
        char text[8];
    } message = {1, "hello"};
    return msgsnd(object(c), &message, sizeof message.text, IPC_NOWAIT) == 0
               ? probe_allowed()
               : probe_failed(c, "msgsnd", errno);
}

/* The system call takes the name without its slash. */
static struct probe_result open_queue(const struct probe_call *c)
{
    long fd = syscall(SYS_mq_open, c->args[0], O_WRONLY | O_NONBLOCK | O_CLOEXEC, 0600, NULL);
    if (fd < 0) {
        return probe_failed(c, "mq_open", errno);
    }
    long failed = syscall(SYS_mq_timedsend, (int)fd, "hello", 5UL, 0U, NULL);
    int error = errno;
    close((int)fd);
    return failed ? probe_failed(c, "mq_timedsend", error) : probe_allowed();
}

static struct probe_result open_shared_memory(const struct probe_call *c)
{
    int fd = shm_open(c->args[0], O_RDWR, 0);
    return fd < 0 ? probe_failed(c, "shm_open", errno) : probe_finish_write(c, fd, NULL);
}

/* -4 is the user's keyring, -3 the session's: both outlive the command. */
static struct probe_result add_key(const struct probe_call *c)
{
    long id = syscall(SYS_add_key, "user", "cordon-probe", "x", 1UL, object(c));
    return id < 0 ? probe_failed(c, "add_key", errno) : probe_allowed();
}

static struct probe_result read_key(const struct probe_call *c)
{
    char content[64];
    long n = syscall(SYS_keyctl, 11 /* KEYCTL_READ */, object(c), content, sizeof content, 0);
    return n < 0 ? probe_failed(c, "KEYCTL_READ", errno) : probe_allowed();
}

/* Finds a key of an outside process by its name; with a callout the kernel
 * would even start a helper outside. */
static struct probe_result request_key(const struct probe_call *c)
{
    long id = syscall(SYS_request_key, "user", c->args[0], NULL, 0L);
    return id < 0 ? probe_failed(c, "request_key", errno) : probe_allowed();
}

const struct probe_operation probe_ipc[] = {
    {"shm-attach", "ID", REFUSED, "", attach_memory},
    {"sem-raise", "ID", REFUSED, "", raise_semaphore},
    {"msg-send", "ID", REFUSED, "", send_message},
    {"mq-open", "NAME", REFUSED, "", open_queue},
    {"shm-open", "NAME", REFUSED, "", open_shared_memory},
    {"add-key", "KEYRING", REFUSED, "", add_key},
    {"request-key", "NAME", REFUSED " ENOKEY", "", request_key},
    {"read-key", "ID", REFUSED " ENOKEY", "", read_key},
    {NULL, NULL, NULL, NULL, NULL},
};
