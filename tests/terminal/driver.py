"""driver.py - what the terminal tests share: lanes, and a terminal with somebody at it.

A test program defines test_* functions that take a World, and ends with
main(globals()). Started as root everything runs as root and once more as an
ordinary user, below a directory that both can reach. A test waits until what it
wants is there, or for DEADLINE seconds; it never asserts on time.
"""
import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import traceback

UNPRIVILEGED = 61237
DEADLINE = int(os.environ.get("DEADLINE", "60"))


def skip(reason):
    """Ends the test program; the rule of tests/support/skip.h."""
    if os.environ.get("CORDON_MUST_WORK") == "1":
        print("FAIL (CORDON_MUST_WORK=1 forbids to skip):", reason)
        sys.exit(1)
    print("SKIP:", reason)
    sys.exit(77)


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            skip(program + " is not installed")


def wait_until(what, condition):
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError("never came: " + what)


class World:
    """A test's own home, state and workspace."""

    def __init__(self, base, cordon):
        self.base = base
        self.at_end = []  # what the test calls when it is over, in whichever way
        self.cordon = os.path.join(base, "bin", "cordon")
        self.as_shell = os.path.join(base, "bin", "cordon-shell")
        self.ws = os.path.join(base, "ws")
        for name in ("bin", "ws", "home", "state", "config", "outside"):
            os.mkdir(os.path.join(base, name))
        shutil.copy(cordon, self.cordon)
        os.symlink("cordon", self.as_shell)
        self.env = {
            "PATH": os.path.join(base, "bin") + ":/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "HOME": os.path.join(base, "home"),
            "XDG_STATE_HOME": os.path.join(base, "state"),
            "XDG_CONFIG_HOME": os.path.join(base, "config"),
            "LC_ALL": "C.UTF-8",
            "TERM": "xterm-256color",
            "SHELL": "/bin/bash",
            "TMUX_TMPDIR": os.path.join(base, "outside"),
        }
        # What it prints may wrap anywhere: a prompt of one word.
        self.write("home/.bashrc", "PS1='in@ '; unset PROMPT_COMMAND; bind 'set enable-bracketed-paste off'\n")
        self.write("home/.inputrc", "set enable-bracketed-paste off\n")

    def path(self, name):
        return os.path.join(self.base, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def read(self, name):
        with open(self.path(name), encoding="utf-8", errors="surrogateescape") as file:
            return file.read()

    def run(self, *words, **how):
        return subprocess.run(words, cwd=self.ws, env=self.env, capture_output=True, timeout=DEADLINE,
                              text=True, check=False, **how)


class Terminal:
    """A pseudo-terminal with a program on it; we are the person."""

    def __init__(self, world, argv, rows=24, cols=80, controlling=True, setup=None, files=None, uid=None):
        self.got = b""
        self.everything = b""
        self.status = None
        self.fd, slave = pty.openpty()
        self.resize(rows, cols)
        modes = termios.tcgetattr(slave)
        modes[6][termios.VERASE] = b"\x08"  # not what a new terminal has: it must reach the inside
        modes[0] |= termios.IXANY
        termios.tcsetattr(slave, termios.TCSANOW, modes)
        self.before = termios.tcgetattr(slave)
        self.device = os.ttyname(slave)
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.setsid()
                if controlling:
                    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
                for fd in range(3):
                    os.dup2(slave, fd)
                for fd, name in (files or {}).items():
                    os.dup2(os.open(name, os.O_RDWR | os.O_CREAT, 0o600), fd)
                os.closerange(3, 256)
                os.chdir(world.ws)
                if uid is not None:
                    os.setgroups([])
                    os.setresgid(uid, uid, uid)
                    os.setresuid(uid, uid, uid)
                if setup:
                    setup()
                os.execvpe(argv[0], argv, world.env)
            except BaseException:  # pylint: disable=broad-except
                traceback.print_exc()
            os._exit(99)
        world.at_end.append(self.close)
        self.slave = slave  # kept open: else the end of the program would end the terminal

    def resize(self, rows, cols):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def send(self, text):
        data = text.encode() if isinstance(text, str) else text
        while data:
            data = data[os.write(self.fd, data[:512]):]
            self.pump(0)

    def pump(self, timeout):
        """Takes what is there; False at the end."""
        ready, _, _ = select.select([self.fd], [], [], timeout)
        if not ready:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.got += data
        self.everything += data
        return bool(data)

    def expect(self, pattern):
        """Waits for it, and drops it and what came before."""
        wanted = re.compile(pattern.encode() if isinstance(pattern, str) else pattern, re.DOTALL)
        end = time.monotonic() + DEADLINE
        while True:
            match = wanted.search(self.got)
            if match:
                self.got = self.got[match.end():]
                return match
            if time.monotonic() > end or not self.pump(0.1):
                raise AssertionError("never came: %r, got %r" % (pattern, self.everything[-2000:]))

    def line(self, text, answer=None):
        """Types a line; with `answer` waits for it on a line of its own."""
        self.send(text + "\r")
        if answer is not None:
            return self.expect(r"\n" + answer)
        return None

    def settings(self):
        return termios.tcgetattr(self.slave)

    def is_raw(self):
        return not self.settings()[3] & (termios.ICANON | termios.ISIG | termios.ECHO)

    def wait(self):
        """The exit status, as a shell would have it."""

        def ended():
            self.pump(0)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
                return True
            return False

        if self.status is None:
            wait_until("the end of %d, got %r" % (self.pid, self.everything[-1000:]), ended)
        return self.status if self.status >= 0 else 128 - self.status

    def restored(self):
        if self.settings() != self.before:
            raise AssertionError("settings differ:\n%r\n%r" % (self.before, self.settings()))

    def close(self):
        """Whatever state it is in; nothing of it runs on."""
        left = descendants(self.pid) if self.status is None else []
        if self.status is None:
            try:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
            except (ProcessLookupError, ChildProcessError):
                pass
            self.status = 0
        for fd in (self.fd, self.slave):
            if fd >= 0:
                os.close(fd)
        self.fd = self.slave = -1
        wait_until("the end of what was left", lambda: not [p for p in left if os.path.exists("/proc/%d" % p)])


def descendants(pid):
    """Processes below `pid`, as seen from outside."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open("/proc/%s/stat" % name, encoding="utf-8", errors="replace") as file:
                    parents[int(name)] = int(file.read().rsplit(")", 1)[1].split()[1])
            except (OSError, IndexError):
                continue
    found = [pid]
    for parent in found:
        found += [child for child, its in parents.items() if its == parent]
    return found[1:]


def lane(tests, cordon, base):
    failed = 0
    names = [name for name in sorted(tests) if name.startswith("test_")]
    only = os.environ.get("ONLY")
    for name in [n for n in names if not only or only in n]:
        directory = os.path.join(base, name)
        os.mkdir(directory)
        world = World(directory, cordon)
        try:
            tests[name](world)
        except AssertionError as error:
            failed += 1
            print("FAIL as uid %d: %s: %s" % (os.getuid(), name, error))
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print("FAIL as uid %d: %s" % (os.getuid(), name))
            traceback.print_exc(file=sys.stdout)
        for call in world.at_end:
            call()
        sys.stdout.flush()
    print("%d tests as uid %d, %d failed" % (len(names), os.getuid(), failed))
    return 1 if failed or not names else 0


def main(tests):
    if sys.argv[1] == "--lane":
        sys.exit(lane(tests, sys.argv[2], sys.argv[3]))
    cordon = os.path.realpath(sys.argv[1])
    root = os.getuid() == 0
    directory = "/var/lib" if root else os.environ.get("HOME", "/")
    if (os.path.realpath(directory) + "/").startswith(("/tmp/", "/var/tmp/", "/dev/shm/")):
        skip("no directory that is not temporary: HOME is " + directory)
    base = tempfile.mkdtemp(prefix="cordon-terminal.", dir=directory)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    status = 1
    try:
        os.chmod(base, 0o755)
        copies = os.path.join(base, "tests")
        shutil.copytree(os.path.dirname(os.path.realpath(sys.argv[0])), copies)
        program = os.path.join(base, "cordon")
        shutil.copy(cordon, program)
        words = [sys.executable if not root else "/usr/bin/python3", "-u",
                 os.path.join(copies, os.path.basename(sys.argv[0])), "--lane", program]
        os.mkdir(os.path.join(base, "own"))
        status = subprocess.run(words + [os.path.join(base, "own")], check=False).returncode
        if root and status in (0, 1):
            os.mkdir(os.path.join(base, "user"))
            os.chown(os.path.join(base, "user"), UNPRIVILEGED, UNPRIVILEGED)
            user = subprocess.run(["setpriv", "--reuid=%d" % UNPRIVILEGED, "--regid=%d" % UNPRIVILEGED,
                                   "--clear-groups"] + words + [os.path.join(base, "user")], check=False)
            status = max(status, user.returncode)
    finally:
        subprocess.run(["chmod", "-R", "u+rwX", base], check=False)
        shutil.rmtree(base, ignore_errors=True)
    sys.exit(status)
