/* seccomp.c - what the filter means, and how it is told to the user.
 *
 * seccomp_reference() is written to be read, not to be fast, and shares only
 * the tables with the generator: the test holds the two equal. */
#include "plan/seccomp_table.h"
#include "plan/trace_calls.h"

static uint32_t low(uint64_t argument)
{
    return (uint32_t)argument;
}

static uint32_t allow_unless(bool refused, uint16_t answer)
{
    return refused ? SECCOMP_VALUE_ERRNO(answer) : SECCOMP_VALUE_ALLOW;
}

/* A connected pair that cannot be pointed elsewhere: on a datagram socket every
 * send may name another receiver. The kernel makes SOCK_RAW a datagram one. */
static bool is_connected_type(uint32_t type)
{
    type &= SECCOMP_SOCK_TYPE;
    return type == SECCOMP_SOCK_STREAM || type == SECCOMP_SOCK_SEQPACKET;
}

static uint32_t socket_answer(const struct seccomp_options *options, uint32_t domain, uint32_t type,
                              uint32_t protocol)
{
    switch (domain) {
    case SECCOMP_AF_INET:
    case SECCOMP_AF_INET6:
        type &= SECCOMP_SOCK_TYPE;
        return allow_unless(type == SECCOMP_SOCK_RAW || type == SECCOMP_SOCK_PACKET, SECCOMP_EPERM);
    case SECCOMP_AF_UNIX:
        return allow_unless(!options->notify || !is_connected_type(type), SECCOMP_EACCES);
    case SECCOMP_AF_NETLINK:
        return allow_unless(protocol != SECCOMP_NETLINK_ROUTE, SECCOMP_EACCES);
    default:
        return SECCOMP_VALUE_ERRNO(SECCOMP_EAFNOSUPPORT);
    }
}

static uint32_t socketpair_answer(uint32_t domain, uint32_t type)
{
    if (domain != SECCOMP_AF_UNIX)
        return SECCOMP_VALUE_ERRNO(SECCOMP_EAFNOSUPPORT);
    return allow_unless(!is_connected_type(type), SECCOMP_EACCES);
}

static bool is_refused_request(uint32_t request)
{
    for (size_t i = 0; i < seccomp_request_count; i++)
        if (seccomp_requests[i].value == request)
            return true;
    return false;
}

static bool is_refused_personality(uint32_t personality)
{
    return personality != SECCOMP_PERSONALITY_QUERY && (personality & ~SECCOMP_PERSONALITY_HARMLESS) != 0;
}

static bool makes_setuid(uint64_t flags, uint64_t mode)
{
    return (low(flags) & SECCOMP_OPEN_CREATES) != 0 && (low(mode) & SECCOMP_MODE_SETUID) != 0;
}

static uint32_t rule_answer(const struct seccomp_options *options, const struct seccomp_rule *rule,
                            const uint64_t args[6])
{
    switch (rule->check) {
    case SECCOMP_CHECK_CLONE:
        return allow_unless((args[0] & SECCOMP_CLONE_NAMESPACES) != 0, rule->answer);
    case SECCOMP_CHECK_UNSHARE:
        return allow_unless((args[0] & SECCOMP_UNSHARE_NAMESPACES) != 0, rule->answer);
    case SECCOMP_CHECK_MODE_1:
        return allow_unless((low(args[1]) & SECCOMP_MODE_SETUID) != 0, rule->answer);
    case SECCOMP_CHECK_MODE_2:
        return allow_unless((low(args[2]) & SECCOMP_MODE_SETUID) != 0, rule->answer);
    case SECCOMP_CHECK_OPEN_1:
        return allow_unless(makes_setuid(args[1], args[2]), rule->answer);
    case SECCOMP_CHECK_OPEN_2:
        return allow_unless(makes_setuid(args[2], args[3]), rule->answer);
    case SECCOMP_CHECK_PERSONALITY:
        return allow_unless(is_refused_personality(low(args[0])), rule->answer);
    case SECCOMP_CHECK_IOCTL:
        return allow_unless(is_refused_request(low(args[1])), rule->answer);
    case SECCOMP_CHECK_SOCKET:
        return socket_answer(options, low(args[0]), low(args[1]), low(args[2]));
    case SECCOMP_CHECK_SOCKETPAIR:
        return socketpair_answer(low(args[0]), low(args[1]));
    case SECCOMP_CHECK_LISTENER:
        return allow_unless((options->notify || options->trace) && (low(args[1]) & SECCOMP_NEW_LISTENER) != 0,
                            rule->answer);
    case SECCOMP_CHECK_ASK:
        return options->notify ? SECCOMP_VALUE_ASK : SECCOMP_VALUE_ALLOW;
    case SECCOMP_REFUSE:
        break;
    }
    return SECCOMP_VALUE_ERRNO(rule->answer);
}

static bool is_known(enum seccomp_arch arch, uint32_t number)
{
    if (number > SECCOMP_LAST_KNOWN)
        return false;
    for (size_t i = 0; i < 2; i++) {
        const struct seccomp_gap *gap = &seccomp_gaps[arch][i];
        if (gap->last != 0 && number >= gap->first && number <= gap->last)
            return false;
    }
    return true;
}

uint32_t seccomp_reference(const struct seccomp_options *options, const struct bpf_syscall *input)
{
    uint32_t native = options->arch == SECCOMP_ARCH_AARCH64 ? SECCOMP_AUDIT_AARCH64 : SECCOMP_AUDIT_X86_64;
    if (input->arch != native)
        return SECCOMP_VALUE_ERRNO(SECCOMP_ENOSYS);

    /* A debugger inside makes its child skip a call by setting -1 and choosing
     * the result: an answer here would overwrite it. The kernel itself answers
     * ENOSYS to a real -1. */
    if (input->nr == UINT32_MAX)
        return SECCOMP_VALUE_ALLOW;
    if (!is_known(options->arch, input->nr))
        return SECCOMP_VALUE_ERRNO(SECCOMP_ENOSYS);

    uint32_t answer = SECCOMP_VALUE_ALLOW;
    for (size_t i = 0; i < seccomp_rule_count; i++) {
        int number = seccomp_rules[i].number[options->arch];
        if (number >= 0 && (uint32_t)number == input->nr)
            answer = rule_answer(options, &seccomp_rules[i], input->args);
    }
    /* What is refused stays refused: nobody is asked about it. */
    if (answer == SECCOMP_VALUE_ALLOW && trace_asks(options, input->nr, input->args))
        return SECCOMP_VALUE_ASK;
    return answer;
}

static const char *errno_name(uint16_t answer)
{
    switch (answer) {
    case SECCOMP_EPERM:
        return "EPERM";
    case SECCOMP_EACCES:
        return "EACCES";
    case SECCOMP_EAFNOSUPPORT:
        return "EAFNOSUPPORT";
    case SECCOMP_EBUSY:
        return "EBUSY";
    default:
        return "ENOSYS";
    }
}

static void describe_sockets(const struct seccomp_options *options, const char *name, struct buf *out)
{
    buf_add_format(out, "%s: AF_INET or AF_INET6 with SOCK_RAW or SOCK_PACKET: EPERM: the packet layer\n",
                   name);
    if (options->notify)
        buf_add_format(out, "%s: AF_UNIX but SOCK_STREAM and SOCK_SEQPACKET: EACCES: ", name);
    else
        buf_add_format(out, "%s: AF_UNIX: EACCES: ", name);
    buf_add_string(out, "names of sockets outside sit behind pointers\n");
    buf_add_format(out, "%s: AF_NETLINK but NETLINK_ROUTE: EACCES: ", name);
    buf_add_string(out, "talks to the kernel, and to its services outside\n");
    buf_add_format(out, "%s: any other domain: EAFNOSUPPORT: families that no network namespace holds\n",
                   name);
}

static void describe_rule(const struct seccomp_options *options, const struct seccomp_rule *rule,
                          struct buf *out)
{
    const char *condition = "always";
    switch (rule->check) {
    case SECCOMP_CHECK_CLONE:
    case SECCOMP_CHECK_UNSHARE:
        condition = "with a namespace flag";
        break;
    case SECCOMP_CHECK_MODE_1:
    case SECCOMP_CHECK_MODE_2:
        condition = "with the set-user-ID bit";
        break;
    case SECCOMP_CHECK_OPEN_1:
    case SECCOMP_CHECK_OPEN_2:
        condition = "making a file with the set-user-ID bit";
        break;
    case SECCOMP_CHECK_PERSONALITY:
        condition = "anything but the default domain and its harmless flags";
        break;
    case SECCOMP_CHECK_IOCTL:
        for (size_t i = 0; i < seccomp_request_count; i++)
            buf_add_format(out, "%s: %s (0x%x): %s: %s\n", rule->name, seccomp_requests[i].name,
                           seccomp_requests[i].value, errno_name(rule->answer), seccomp_requests[i].why);
        return;
    case SECCOMP_CHECK_SOCKET:
        describe_sockets(options, rule->name, out);
        return;
    case SECCOMP_CHECK_SOCKETPAIR:
        buf_add_format(out, "%s: AF_UNIX but SOCK_STREAM and SOCK_SEQPACKET: EACCES: %s\n", rule->name,
                       rule->why);
        condition = "any other domain";
        break;
    case SECCOMP_CHECK_LISTENER:
        if (!options->notify && !options->trace)
            return;
        condition = "with a listener";
        break;
    case SECCOMP_CHECK_ASK:
        if (options->notify)
            buf_add_format(out, "%s: always: asks cordon: %s\n", rule->name, rule->why);
        return;
    case SECCOMP_REFUSE:
        break;
    }
    buf_add_format(out, "%s: %s: %s: %s\n", rule->name, condition, errno_name(rule->answer), rule->why);
}

static void describe_trace(const struct seccomp_options *options, struct buf *out)
{
    static const char *const conditions[] = {
        [TRACE_ALWAYS] = "always",   [TRACE_WRITING_1] = "for writing", [TRACE_WRITING_2] = "for writing",
        [TRACE_NAMED_1] = "by name", [TRACE_READING] = "always",
    };
    for (size_t i = 0; i < trace_call_count; i++) {
        const struct trace_call *call = &trace_calls[i];
        bool opens = call->when == TRACE_WRITING_1 || call->when == TRACE_WRITING_2;
        if (call->number[options->arch] < 0 || (call->when == TRACE_READING && !options->trace_reads))
            continue;
        buf_add_format(out, "%s: %s: asks cordon, which carries it on: recorded if it is refused\n",
                       call->name, opens && options->trace_reads ? "always" : conditions[call->when]);
    }
}

void seccomp_describe(const struct seccomp_options *options, struct buf *out)
{
    buf_add_string(out,
                   "(another architecture, x32): always: ENOSYS: its numbers are not held by this filter\n");
    buf_add_format(out, "(above %d, or unassigned): always: ENOSYS: newer than this filter\n",
                   SECCOMP_LAST_KNOWN);
    for (size_t i = 0; i < seccomp_rule_count; i++)
        if (seccomp_rules[i].number[options->arch] >= 0)
            describe_rule(options, &seccomp_rules[i], out);
    if (options->trace)
        describe_trace(options, out);
}
