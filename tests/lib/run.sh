#!/usr/bin/env bash
# run.sh TEST WARDEN [SOURCE-DIR] - a test of the library in a directory of its
# own, that a command may have as its workspace; as root a second time as an
# ordinary user.
set -u
. "$(dirname "$0")/../support/skip.sh"
test=$(realpath "${1:?usage: run.sh TEST WARDEN}") && warden=$(realpath "${2:?usage: run.sh TEST WARDEN}") || exit 1
unprivileged=61234

base=
for parent in /var/lib "${HOME:-/nonexistent}" "$(dirname "$test")"; do
    case "$parent/" in /tmp/* | /var/tmp/* | /dev/shm/*) continue ;; esac # cordon replaces those
    base=$(mktemp -d "$parent/cordon-lib.XXXXXX" 2>/dev/null) && break
done
[ -n "$base" ] || skip "no directory outside /tmp to work in"
trap 'chmod -R u+rwX "$base" 2>/dev/null; rm -rf "$base"' EXIT
chmod 755 "$base"
mkdir "$base/bin" && cp "$test" "$base/bin/test" && cp "$warden" "$base/bin/cordon-warden" &&
    cp "$warden-other" "$base/bin/" 2>/dev/null
status=0

lane() { # name, command before the test...
    local dir=$base/$1
    shift
    mkdir -p "$dir/ws" "$dir/home" "$dir/state" || exit 1
    [ $# -eq 0 ] || chown -R $unprivileged:$unprivileged "$dir"
    (cd "$dir" && "$@" env HOME="$dir/home" XDG_STATE_HOME="$dir/state" PATH=/usr/local/bin:/usr/bin:/bin \
        CORDON_TEST_WARDEN="$base/bin/cordon-warden" "$base/bin/test") || status=1
    # Nothing of the tests' sandboxes may be left; .git and the like least of all.
    local left
    left=$(find "$dir/ws" -mindepth 1 -maxdepth 1 -name '.*')
    [ -z "$left" ] || { echo "FAIL: left in the workspace: $left"; status=1; }
}

lane here
[ "$(id -u)" -ne 0 ] ||
    lane user setpriv --reuid=$unprivileged --regid=$unprivileged --clear-groups --reset-env
exit $status
