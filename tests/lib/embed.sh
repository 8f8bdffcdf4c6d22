#!/usr/bin/env bash
# embed.sh BUILD-DIR SOURCE-DIR - installs into a prefix of its own, and does what
# docs/embedding.md says: compiles the example against it (shared, static, and as
# C++ without a warning), runs it, and replaces a library beside which the warden
# is missing.
set -u
. "$(dirname "$0")/../support/skip.sh"
build=$(realpath "$1") && source=$(realpath "$2") || exit 1
command -v cc >/dev/null && command -v pkg-config >/dev/null || skip "no cc or pkg-config"
base=
for parent in /var/lib "${HOME:-/nonexistent}" "$build"; do
    base=$(mktemp -d "$parent/cordon-embed.XXXXXX" 2>/dev/null) && break
done
[ -n "$base" ] || skip "no directory to work in"
trap 'chmod -R u+rwX "$base" 2>/dev/null; rm -rf "$base"' EXIT
chmod 755 "$base"
status=0
fail() {
    echo "FAIL: $*"
    status=1
}
cmake --install "$build" --prefix "$base/usr" >"$base/log" 2>&1 || { cat "$base/log"; exit 1; }
header=$base/usr/include/cordon/cordon.h
pc=$(dirname "$(find "$base/usr" -name cordon.pc)")
[ -f "$header" ] && [ -f "$pc/cordon.pc" ] || { fail "no header or no cordon.pc installed"; exit 1; }
export PKG_CONFIG_PATH=$pc
libdir=$(pkg-config --variable=libdir cordon)
[ "$libdir" = "$(dirname "$pc")" ] || fail "cordon.pc says libdir=$libdir"
[ "$(pkg-config --modversion cordon)" = "$("$base/usr/bin/cordon" --version | awk '{ print $2 }')" ] ||
    fail "cordon.pc and cordon differ in their version"

# The header by itself, as C and as C++, with all warnings.
strict="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -fsyntax-only"
printf '#include <cordon/cordon.h>\n' >"$base/alone.c"
cc -std=c99 $strict -Wstrict-prototypes -I"$base/usr/include" "$base/alone.c" || fail "the header does not stand alone in C"
if command -v c++ >/dev/null; then
    c++ -std=c++11 -x c++ $strict -I"$base/usr/include" "$base/alone.c" || fail "nor in C++"
fi

sanitize=
nm -D "$libdir/libcordon.so" 2>/dev/null | grep -q __asan_init && sanitize="-fsanitize=address,undefined"
cc -Wall -Wextra -Werror $sanitize "$source/examples/agent.c" $(pkg-config --cflags --libs cordon) \
    -Wl,-rpath,"$libdir" -o "$base/agent-shared" || fail "the example does not link with libcordon.so"
cc -Wall -Wextra -Werror $sanitize "$source/examples/agent.c" $(pkg-config --cflags cordon) \
    "$libdir/libcordon.a" $(pkg-config --static --libs cordon | sed 's/-lcordon//') -o "$base/agent-static" ||
    fail "the example does not link with libcordon.a"
! ldd "$base/agent-static" | grep -q libcordon || fail "the static example needs the shared library"

export HOME=$base/home XDG_STATE_HOME=$base/state
mkdir -p "$HOME" "$base/ws" && cd "$base/ws" || exit 1
warden=$(find "$base/usr" -name cordon-warden)
[ "$(stat -c %a "$warden")" = 755 ] || fail "cordon-warden is installed with mode $(stat -c %a "$warden")"
for agent in "$base/agent-shared" "$base/agent-static"; do
    out=$(AGENT_WARDEN=$warden "$agent" 'echo hello; echo x >made; { echo x >../outside; } 2>/dev/null; exit 3')
    [ $? -eq 3 ] && [ "$out" = hello ] && [ -f made ] && [ ! -e ../outside ] ||
        fail "$(basename "$agent") said '$out' and left: $(ls)"
    rm -f made
    # Not where it was configured to be, and not beside the program: said, with the remedy.
    message=$("$agent" true 2>&1)
    if [ $? -eq 125 ]; then
        case "$message" in
        *"(warden.find)"*) ;;
        *) fail "without a warden it said: $message" ;;
        esac
    fi
done
[ -z "$(ls -A)" ] || fail "left in the workspace: $(ls -A)"
[ $status -eq 0 ] && echo "ok: installed, compiled three ways, run"
exit $status
