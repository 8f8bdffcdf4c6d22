/* network.c - operations on Internet sockets and the families below them.
 *
 * A connection counts as allowed only when the other end answered: the test
 * runner's listeners send a banner. Silence is BROKEN, never a refusal.
 */
#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/vm_sockets.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define REFUSED                                                                                              \
    "EACCES EPERM ENOSYS EAFNOSUPPORT EPROTONOSUPPORT ECONNREFUSED ENETUNREACH EHOSTUNREACH EADDRNOTAVAIL "  \
    "ENETDOWN"
#define WAIT_MS 5000

struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    };
    socklen_t len;
};

/* HOST is a literal address, PORT a number. */
static int parse_address(const char *host, const char *port, struct address *out)
{
    long number;
    memset(out, 0, sizeof *out);
    if (probe_number(port, &number) != 0 || number < 0 || number > 65535) {
        return -1;
    }
    if (inet_pton(AF_INET, host, &out->v4.sin_addr) == 1) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons((uint16_t)number);
        out->len = sizeof out->v4;
        return 0;
    }
    if (inet_pton(AF_INET6, host, &out->v6.sin6_addr) == 1) {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons((uint16_t)number);
        out->len = sizeof out->v6;
        return 0;
    }
    return -1;
}

/* Waits for one answer on `fd` and closes it. */
static struct probe_result await_answer(const struct probe_call *c, int fd)
{
    char content[64];
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int ready = poll(&p, 1, WAIT_MS);
    ssize_t n = ready == 1 ? recv(fd, content, sizeof content, MSG_DONTWAIT) : -1;
    int error = ready == 1 ? errno : ETIMEDOUT;
    close(fd);
    if (n > 0) {
        return probe_allowed();
    }
    return n == 0 ? probe_broken("the other end closed without an answer") : probe_failed(c, "recv", error);
}

static struct probe_result connect_stream(const struct probe_call *c, int protocol)
{
    struct address to;
    if (parse_address(c->args[0], c->args[1], &to) != 0) {
        return probe_broken("HOST PORT are a literal address and a number");
    }
    int fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, protocol);
    if (fd < 0) {
        return probe_failed(c, "socket", errno);
    }
    if (connect(fd, &to.any, to.len) != 0) {
        int error = errno;
        close(fd);
        return probe_failed(c, "connect", error);
    }
    return await_answer(c, fd);
}

static struct probe_result tcp(const struct probe_call *c)
{
    return connect_stream(c, IPPROTO_TCP);
}

static struct probe_result mptcp(const struct probe_call *c)
{
    return connect_stream(c, 262 /* IPPROTO_MPTCP */);
}

static struct probe_result sctp(const struct probe_call *c)
{
    return connect_stream(c, IPPROTO_SCTP);
}

/* A connection without connect(): data in the first packet. */
static struct probe_result tcp_fast_open(const struct probe_call *c)
{
    struct address to;
    if (parse_address(c->args[0], c->args[1], &to) != 0) {
        return probe_broken("HOST PORT are a literal address and a number");
    }
    int fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return probe_failed(c, "socket", errno);
    }
    if (sendto(fd, "hello", 5, MSG_FASTOPEN | MSG_NOSIGNAL, &to.any, to.len) < 0) {
        int error = errno;
        close(fd);
        return probe_failed(c, "sendto MSG_FASTOPEN", error);
    }
    return await_answer(c, fd);
}

static struct probe_result send_datagram(const struct probe_call *c, const void *content, size_t len,
                                         int type, int protocol)
{
    struct address to;
    if (parse_address(c->args[0], c->count > 1 ? c->args[1] : "0", &to) != 0) {
        return probe_broken("HOST PORT are a literal address and a number");
    }
    int fd = socket(to.any.sa_family, type | SOCK_CLOEXEC, protocol);
    if (fd < 0) {
        return probe_failed(c, "socket", errno);
    }
    /* Connected, so that "nobody there" comes back as ECONNREFUSED. */
    if (connect(fd, &to.any, to.len) != 0 || send(fd, content, len, 0) < 0) {
        int error = errno;
        close(fd);
        return probe_failed(c, "send", error);
    }
    return await_answer(c, fd);
}

static struct probe_result udp(const struct probe_call *c)
{
    return send_datagram(c, "hello", 5, SOCK_DGRAM, 0);
}

/* A name query built by hand, as malware does that carries data out in names. */
static struct probe_result dns(const struct probe_call *c)
{
    static const unsigned char query[] = {0x12, 0x34, 1,   0,   0,   1, 0,   0,   0,   0, 0, 0, 7, 'e', 'x',
                                          'a',  'm',  'p', 'l', 'e', 3, 'o', 'r', 'g', 0, 0, 1, 0, 1};
    return send_datagram(c, query, sizeof query, SOCK_DGRAM, IPPROTO_UDP);
}

static struct probe_result ping(const struct probe_call *c)
{
    struct icmphdr v4 = {.type = ICMP_ECHO};
    struct icmp6_hdr v6 = {.icmp6_type = ICMP6_ECHO_REQUEST};
    int is_v6 = strchr(c->args[0], ':') != NULL;
    return is_v6 ? send_datagram(c, &v6, sizeof v6, SOCK_DGRAM, IPPROTO_ICMPV6)
                 : send_datagram(c, &v4, sizeof v4, SOCK_DGRAM, IPPROTO_ICMP);
}

/* Opening is the decision: what a raw or packet socket then does is beyond policy. */
static struct probe_result open_socket(const struct probe_call *c, int family, int type, int protocol)
{
    int fd = socket(family, type | SOCK_CLOEXEC, protocol);
    if (fd < 0) {
        return probe_failed(c, "socket", errno);
    }
    close(fd);
    return probe_allowed();
}

static struct probe_result raw_v4(const struct probe_call *c)
{
    return open_socket(c, AF_INET, SOCK_RAW, IPPROTO_ICMP);
}

static struct probe_result raw_v6(const struct probe_call *c)
{
    return open_socket(c, AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
}

static struct probe_result packet(const struct probe_call *c)
{
    return open_socket(c, AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
}

/* FAMILY and TYPE as numbers: the rare families, where only creation matters. */
static struct probe_result family(const struct probe_call *c)
{
    long number;
    long type;
    long protocol = 0;
    if (probe_number(c->args[0], &number) != 0 || probe_number(c->args[1], &type) != 0 ||
        (c->count > 2 && probe_number(c->args[2], &protocol) != 0)) {
        return probe_broken("FAMILY TYPE PROTOCOL are numbers");
    }
    return open_socket(c, (int)number, (int)type, (int)protocol);
}

/* A netlink request that the kernel answers: a dump of the links, say. */
static struct probe_result netlink(const struct probe_call *c)
{
    long protocol;
    if (probe_number(c->args[0], &protocol) != 0) {
        return probe_broken("PROTOCOL is a number");
    }
    return open_socket(c, AF_NETLINK, SOCK_RAW, (int)protocol);
}

/* To the hypervisor's side: context 2 is the host, 1 the own machine. */
static struct probe_result vsock(const struct probe_call *c)
{
    return open_socket(c, AF_VSOCK, SOCK_STREAM, 0);
}

static struct probe_result make_tunnel(const struct probe_call *c)
{
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return probe_failed(c, "open /dev/net/tun", errno);
    }
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    int failed = ioctl(fd, TUNSETIFF, &request);
    int error = errno;
    close(fd);
    return failed ? probe_failed(c, "TUNSETIFF", error) : probe_allowed();
}

/* Names of interfaces other than the loopback: what the command can see of the
 * machine's network. */
static struct probe_result see_interfaces(const struct probe_call *c)
{
    struct if_nameindex *all = if_nameindex();
    if (all == NULL) {
        return probe_failed(c, "if_nameindex", errno);
    }
    int other = 0;
    for (struct if_nameindex *at = all; at->if_index != 0 || at->if_name != NULL; at++) {
        other += strcmp(at->if_name, "lo") != 0;
    }
    if_freenameindex(all);
    return other > 0 ? probe_allowed() : probe_failed(c, "if_nameindex", ENETUNREACH);
}

const struct probe_operation probe_network[] = {
    {"tcp", "HOST PORT", REFUSED, "", tcp},
    {"mptcp", "HOST PORT", REFUSED, "", mptcp},
    {"sctp", "HOST PORT", REFUSED, "", sctp},
    {"tcp-fast-open", "HOST PORT", REFUSED, "EOPNOTSUPP", tcp_fast_open},
    {"udp", "HOST PORT", REFUSED, "", udp},
    {"dns", "HOST PORT", REFUSED, "", dns},
    {"ping", "HOST", REFUSED, "", ping},
    {"raw-v4", "", REFUSED, "", raw_v4},
    {"raw-v6", "", REFUSED, "", raw_v6},
    {"packet", "", REFUSED, "", packet},
    {"family", "FAMILY TYPE [PROTOCOL]", REFUSED " ESOCKTNOSUPPORT", "", family},
    {"netlink", "PROTOCOL", REFUSED, "", netlink},
    {"vsock", "", REFUSED, "", vsock},
    {"tun", "", REFUSED " ENOENT", "", make_tunnel},
    {"see-interfaces", "", REFUSED, "", see_interfaces},
    {NULL, NULL, NULL, NULL, NULL},
};
