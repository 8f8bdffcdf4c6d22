#!/usr/bin/env python3
"""programs.py CORDON - full-screen programs in `cordon shell`, seen through tmux as a person sees them."""
import os
import re
import subprocess
import sys
import time

from driver import main, need, wait_until


class Screen:
    """A pane of a tmux server of our own, with a shell that started `cordon shell`."""

    def __init__(self, world, *options):
        self.world = world
        world.at_end.append(lambda: self.tmux("kill-server", check=False))
        world.write("home/.tmux.conf", "set -g default-command 'bash'\n")
        self.tmux("new-session", "-d", "-x", "100", "-y", "30", "env PS1='out@ ' bash --norc")
        self.wait("out@$")
        self.keys("stty -g >before", "Enter")
        self.keys("cordon shell " + " ".join(options), "Enter")
        self.wait("in@$")

    def tmux(self, *words, check=True):
        done = subprocess.run(["tmux", "-f", "/dev/null", "-L", "outer", *words], cwd=self.world.ws,
                              env=self.world.env, capture_output=True, text=True, check=False)
        assert done.returncode == 0 or not check, "tmux %s: %s" % (words, done.stderr)
        return done.stdout

    def keys(self, *keys):
        self.tmux("send-keys", *keys)

    def seen(self):
        return self.tmux("capture-pane", "-p")

    def wait(self, pattern):
        last = [""]

        def there():
            last[0] = self.seen()
            return re.search(pattern, last[0], re.MULTILINE)

        try:
            return wait_until(repr(pattern), there)
        except AssertionError as error:
            raise AssertionError("%s, the screen shows:\n%s" % (error, last[0])) from error

    def ask(self, pattern, *keys):
        """Keys that may be pressed more than once, until the answer is seen."""

        def answered():
            self.keys(*keys)
            time.sleep(0.1)
            return re.search(pattern, self.seen(), re.MULTILINE)

        wait_until(repr(pattern), answered)

    def leave(self):
        """Out of the sandbox: the settings are as before."""
        self.keys("clear; exit", "Enter")
        self.wait("out@$")
        self.keys("stty -g >after; echo compa''red", "Enter")
        self.wait("compared")
        self.tmux("kill-server")
        assert self.world.read("ws/before") == self.world.read("ws/after")


def test_vim(world):
    screen = Screen(world)
    screen.keys("vim -u NONE -N note", "Enter")
    screen.wait(r"^~")
    screen.keys("iwritten in vim", "Escape", ":w", "Enter")
    screen.wait(r"15B")
    screen.tmux("resize-window", "-x", "70", "-y", "20")
    screen.ask("70 20 size", ":echo &columns &lines 'si' . 'ze'", "Enter")  # the redraw takes an answer away
    screen.keys(":!echo from $SHELL; ls", "Enter")
    screen.wait("from /bin/bash")
    screen.keys("Enter")
    screen.wait("^written in vim")
    screen.keys("C-z")
    screen.wait("Stopped")
    screen.keys("fg", "Enter")
    screen.wait("^written in vim")
    screen.keys(":q", "Enter")
    screen.wait("in@$")
    assert world.read("ws/note") == "written in vim\n"
    screen.leave()


def test_less(world):
    world.write("ws/lines", "".join("line %d\n" % i for i in range(1000)))
    screen = Screen(world)
    screen.keys("less lines", "Enter")
    screen.wait("^line 0$")
    screen.keys("Space")
    screen.wait("^line 40$")
    screen.keys("/line 700", "Enter")
    screen.wait("^line 700$")
    screen.keys("q")
    screen.wait("in@$")
    screen.keys("clear; seq 500 | less", "Enter")  # the keys come from /dev/tty
    screen.wait("^20$")
    screen.keys("G")
    screen.wait("^500$")
    screen.keys("q")
    screen.wait("in@$")
    screen.leave()


def test_htop(world):
    screen = Screen(world)
    screen.keys("htop", "Enter")
    screen.wait("F10Quit")
    screen.wait("PID")
    screen.tmux("resize-window", "-x", "90", "-y", "25")
    screen.keys("q")
    screen.wait("in@$")
    screen.leave()


def test_gdb(world):
    world.write("ws/p.c", "int twice(int x)\n{\n    return 2 * x;\n}\nint main(void)\n{\n    return twice(21);\n}\n")
    screen = Screen(world)
    screen.keys("cc -g -O0 -o p p.c && gdb -q -nx ./p", "Enter")
    screen.wait(r"\(gdb\)$")
    screen.keys("set debuginfod enabled off", "Enter", "break twice", "Enter")
    screen.wait("Breakpoint 1 at")
    screen.keys("run", "Enter")
    screen.wait(r"Breakpoint 1, twice \(x=21\)")
    screen.keys("print x + 1", "Enter")
    screen.wait(r"\$1 = 22")
    screen.keys("continue", "Enter")
    screen.wait("exited with code 052")
    screen.keys("quit", "Enter")
    screen.wait("in@$")
    screen.leave()


def test_tmux_inside(world):
    screen = Screen(world)
    screen.keys("unset TMUX TMUX_TMPDIR; tmux -f ~/.tmux.conf new-session", "Enter")
    screen.wait(r"^\[0\] 0:bash\*")
    screen.keys("echo fi''rst; tty", "Enter")
    screen.wait("^first")
    screen.wait("^/dev/pts/[1-9]")
    screen.keys("C-b", "c")
    screen.wait(r"1:bash\*")
    screen.keys("echo sec''ond", "Enter")
    screen.wait("^second")
    screen.keys("C-b", "d")
    screen.wait("detached")
    screen.keys("clear; tmux attach", "Enter")
    screen.wait(r"1:bash\*")
    screen.keys("tmux kill-server", "Enter")
    screen.wait(r"exited\]\nin@$")
    screen.leave()


def test_tmux_outside_is_out_of_reach(world):
    """The server whose pane we are in would type for us, outside."""
    screen = Screen(world)
    socket = os.path.join(world.env["TMUX_TMPDIR"], "tmux-%d" % os.getuid(), "outer")
    control = world.run("tmux", "-S", socket, "set-buffer", "control")
    assert control.returncode == 0, control
    screen.keys("clear; tmux -S %s set-buffer pwned; echo status $?" % socket, "Enter")
    screen.wait("status [1-9]")
    screen.keys("tmux -S ${TMUX%%,*} set-buffer pwned; echo again $?", "Enter")
    screen.wait("again [1-9]")
    assert "pwned" not in screen.tmux("list-buffers")
    screen.leave()


def test_script_inside(world):
    screen = Screen(world)
    screen.keys("script -q -c 'tty; echo on-a-terminal' log", "Enter")
    screen.wait("^on-a-terminal")
    screen.wait("in@$")
    assert "on-a-terminal" in world.read("ws/log")
    screen.leave()


def test_default_shell(world):
    """tmux outside, with cordon-shell for its panes: as login shell, and with -c."""
    # Which shell it is inside depends on the user's entry in /etc/passwd: SHELL is cordon-shell.
    world.write("home/.profile", "PS1='in@ '; echo pro''file\n")
    tmux = Screen(world)
    tmux.tmux("set-option", "-g", "default-shell", world.as_shell)
    tmux.tmux("new-window", "-c", world.ws)
    tmux.wait("profile")
    tmux.wait("in@$")
    tmux.keys("(echo x >../out) ; tty", "Enter")
    tmux.wait("/out: Read-only file system")
    tmux.wait("^/dev/pts/0")
    tmux.keys("exit", "Enter")
    tmux.tmux("new-window", "-c", world.ws, "echo by''-c; (echo x >../out); sleep 1000")
    tmux.wait("^by-c")
    tmux.wait("/out: Read-only file system")
    tmux.keys("C-c")
    wait_until("the window's end", lambda: len(tmux.tmux("list-windows").splitlines()) == 1)
    tmux.leave()


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    need("tmux", "vim", "less", "htop", "gdb", "cc", "script")
    main(globals())
