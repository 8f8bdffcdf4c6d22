/* option_table.c - see option_table.h. Order is the order of --help. */
#include "option_table.h"

static const char later[] = "is not in this version";

static const struct option_row rows[] = {
    {OPTION_WORKSPACE, "--workspace", 'C', "DIR", IN_POLICY, "the workspace; default: the current directory",
     NULL},
    {OPTION_WRITE, "--write", 'w', "PATH", IN_POLICY, "let the command write PATH too (repeatable)", NULL},
    {OPTION_PROFILE, "--profile", 0, "NAME", IN_POLICY, "read-only, workspace (default) or open", NULL},
    {OPTION_PROTECT, "--protect", 'p', "NAME|PATH", IN_POLICY,
     "keep it readable but unchangeable (repeatable)", NULL},
    {OPTION_UNPROTECT, "--unprotect", 0, "NAME", IN_POLICY, "drop a protected name, such as .git", NULL},
    {OPTION_DENY_READ, "--deny-read", 0, "PATH|GLOB", IN_POLICY, "hide it from the command (repeatable)",
     NULL},
    {OPTION_READ, "--read", 0, "PATH", IN_POLICY, "keep PATH visible although it lies in /tmp", NULL},
    {OPTION_NET, "--net", 'n', "MODE", IN_POLICY, "off (default) or on", NULL},
    {OPTION_ENV, "--env", 0, "KEEP|KEY=VALUE", IN_POLICY, "keep a variable that would be removed, or set one",
     NULL},
    {OPTION_ENV_REMOVE, "--env-remove", 0, "GLOB", IN_POLICY, "remove variables whose names match", NULL},
    {OPTION_TMP, "--tmp", 0, "HOW", IN_POLICY, "workspace (default), fresh or shared", NULL},
    {OPTION_LIMIT, "--limit", 0, "LIST", IN_POLICY, "wall=10m,memory=2G,processes=256,cpu=5m,file=1G", NULL},
    {OPTION_POLICY, "--policy", 0, "FILE", IN_POLICY, "read this policy instead of your own configuration",
     NULL},
    {OPTION_ALLOW_DEGRADED, "--allow-degraded", 0, "FACET[,FACET]", IN_POLICY,
     "go on where this machine cannot enforce FACET", NULL},
    {OPTION_REQUIRE, "--require", 0, "FACET[,FACET]", IN_POLICY, "turn a documented limit into an error",
     NULL},
    {OPTION_REPORT, "--report", 0, "FILE", IN_RUN, "write a JSON report of this run", NULL},
    {OPTION_CHANGES, "--changes", 0, NULL, IN_RUN, "list the changed files at the end", NULL},
    {OPTION_STATUS_FD, "--status-fd", 0, "N", IN_RUN, "write a JSON line at start and end to descriptor N",
     NULL},
    {OPTION_HOST, "--host", 0, "HOST[:PORT]", IN_EXPLAIN, "may it be reached? (repeatable)", NULL},
    {OPTION_TARGET, "--target", 0, "SYSTEM", IN_PLAN, "linux (the only one in this version)", NULL},
    {OPTION_JSON, "--json", 0, NULL, IN_EXPLAIN | IN_PLAN, "print JSON", NULL},
    {OPTION_JSON_ERRORS, "--json-errors", 0, NULL, IN_POLICY, "print cordon's own errors as one JSON line",
     NULL},
    {OPTION_QUIET, "--quiet", 'q', NULL, IN_POLICY, "say nothing but errors", NULL},
    {OPTION_VERBOSE, "--verbose", 'v', NULL, IN_POLICY, "say warnings too", NULL},
    {OPTION_HELP, "--help", 'h', NULL, IN_POLICY, "show this help", NULL},
    {OPTION_RESERVED, "--cow", 0, "PATH", IN_POLICY, NULL, later},
    {OPTION_RESERVED, "--trace", 0, NULL, IN_POLICY, NULL, later},
    {OPTION_RESERVED, "--allow-host", 0, "HOST[:PORT]", IN_POLICY, NULL, later},
    {OPTION_RESERVED, "--unix-socket", 0, "PATH", IN_POLICY, NULL, later},
    {OPTION_RESERVED, "--facts", 0, "FILE", IN_POLICY, NULL, later},
    {OPTION_RESERVED, "--git", 0, "MODE", IN_POLICY, NULL, later},
    {OPTION_RESERVED, "--session", 0, "NAME", IN_POLICY, NULL, later},
    {OPTION_RESERVED, "--tier", 0, "TIER", IN_POLICY, NULL, "is for Windows, which is not in this version"},
    {OPTION_RESERVED, 0, 0, 0, 0, 0, 0},
};

const struct option_row *option_table(void)
{
    return rows;
}
