#!/usr/bin/env python3
"""endings.py CORDON - however `cordon shell` ends or stops, the user's terminal is as it was."""
import os
import signal
import sys
import termios
import time

from driver import Terminal, descendants, main, wait_until


def state_of(pid):
    try:
        with open("/proc/%d/stat" % pid, encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0]
    except OSError:
        return "Z"


def start(world, *options, **how):
    terminal = Terminal(world, [world.cordon, "shell", *options], **how)
    terminal.expect("in@ ")
    assert terminal.is_raw(), "the user's terminal is not raw"
    return terminal


def ended(terminal, status):
    got = terminal.wait()
    terminal.restored()
    assert got == status, "exit status %d, wanted %d: %r" % (got, status, terminal.everything[-500:])
    terminal.close()


def test_exit(world):
    terminal = start(world)
    terminal.line("exit 3")
    ended(terminal, 3)


def test_end_of_file(world):
    terminal = start(world)
    terminal.send("\x04")
    ended(terminal, 0)


def test_wall_limit(world):
    terminal = start(world, "--limit", "wall=2s")
    terminal.line("sleep 1000")
    terminal.expect("cordon: stopped by the wall limit\r\n")
    ended(terminal, 124)


def test_death_inside(world):
    terminal = start(world)
    terminal.line("stty raw -echo; kill -KILL $$")
    ended(terminal, 137)


def test_signal_from_outside(world):
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        terminal = start(world)
        terminal.line("trap 'echo x >left' EXIT; sleep 1000 & sleep 1000")
        wait_until("the jobs", lambda t=terminal: len(descendants(t.pid)) >= 4)
        inside = descendants(terminal.pid)
        os.kill(terminal.pid, number)
        ended(terminal, 129)
        assert not [pid for pid in inside if os.path.exists("/proc/%d" % pid)], "left after signal %d" % number


def test_second_signal_asks_nobody(world):
    terminal = start(world)
    terminal.line("trap '' HUP INT QUIT TERM; echo de'af'; while :; do sleep 1; done", "deaf")
    os.kill(terminal.pid, signal.SIGTERM)
    wait_until("the terminal back", lambda: terminal.settings() == terminal.before)
    assert os.waitpid(terminal.pid, os.WNOHANG) == (0, 0), "ended although the shell went on"
    os.kill(terminal.pid, signal.SIGTERM)
    ended(terminal, 137)


def test_a_limit_while_stopped(world):
    """The limit ends the tree at once; the terminal is the outer shell's all the while."""
    terminal = outer(world, "--limit wall=2s")
    inside = descendants(terminal.pid)
    terminal.line("suspend")
    terminal.expect(r"Stopped.*out@ ")
    wait_until("the end inside", lambda: all(state_of(pid) == "Z" for pid in inside[1:]))
    same_settings(terminal, world)
    terminal.line("fg")
    terminal.expect("cordon: stopped by the wall limit.*out@ ")
    terminal.line("echo status $?", "status 124")
    leave(terminal, world)


def test_signal_at_any_moment(world):
    for step in range(24):
        terminal = Terminal(world, [world.cordon, "shell"])
        wait_until("its start", lambda t=terminal: os.readlink("/proc/%d/exe" % t.pid) == world.cordon)
        time.sleep(step * 0.002)
        inside = descendants(terminal.pid)
        os.kill(terminal.pid, (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)[step % 3])
        terminal.wait()
        terminal.restored()
        terminal.close()
        wait_until("the tree's end", lambda gone=inside: not [p for p in gone if os.path.exists("/proc/%d" % p)])


def test_nobody_reads_the_end(world):
    """The shell ended, but its last words find no room: whoever wants may end the wait."""
    terminal = start(world)
    wait_until("the shell", lambda: len(descendants(terminal.pid)) == 2)
    terminal.send("stty -echo; seq 100000 | head -c 20000; exit 3\r")
    wait_until("the end inside", lambda: all(state_of(pid) == "Z" for pid in descendants(terminal.pid)))
    assert os.waitpid(terminal.pid, os.WNOHANG) == (0, 0), "it did not wait: the test sends too little"
    os.kill(terminal.pid, signal.SIGTERM)
    wait_until("the end", lambda: os.waitpid(terminal.pid, os.WNOHANG)[0])
    terminal.status = 0
    terminal.restored()
    terminal.close()


def test_init_killed(world):
    terminal = start(world)
    init = min(descendants(terminal.pid))
    os.kill(init, signal.SIGKILL)
    ended(terminal, 137)


def test_guard(world):
    terminal = start(world)
    terminal.line("mkdir objects refs; echo 'ref: refs/heads/main' >HEAD; sleep 1000")
    terminal.expect("cordon: ")
    ended(terminal, 123)


def test_nothing_runs(world):
    world.write("config/policy", "{")
    terminal = Terminal(world, [world.cordon, "shell", "--policy", world.path("config/policy")])
    terminal.expect("cordon: ")
    ended(terminal, 125)
    terminal = Terminal(world, [world.cordon, "shell", "--deny-read", "/bin/bash", "--deny-read", "/usr/bin/bash"])
    terminal.expect("cordon: ")
    assert terminal.wait() in (126, 127)
    terminal.restored()
    terminal.close()


def test_hang_up(world):
    terminal = start(world)
    terminal.line("sleep 1000 & sleep 1000")
    wait_until("the jobs", lambda: len(descendants(terminal.pid)) >= 4)
    inside = descendants(terminal.pid)
    os.close(terminal.slave)
    os.close(terminal.fd)
    terminal.fd = terminal.slave = -1
    wait_until("the end", lambda: os.waitpid(terminal.pid, os.WNOHANG)[0])
    assert not [pid for pid in inside if os.path.exists("/proc/%d" % pid)], "left after a hang-up"


def outer(world, options=""):
    """A shell outside, with job control, that starts ours."""
    terminal = Terminal(world, ["bash", "--norc", "-i"])
    terminal.line("PS1='out@ '; bind 'set enable-bracketed-paste off'")
    terminal.expect(r"\nout@ ")
    terminal.line("stty -g >before; cordon shell " + options)
    terminal.expect("in@ ")
    assert terminal.is_raw()
    return terminal


def same_settings(terminal, world):
    terminal.line("stty -g >after")
    terminal.expect("out@ ")
    assert world.read("ws/before") == world.read("ws/after")


def leave(terminal, world):
    terminal.expect(r"out@ ")
    same_settings(terminal, world)
    terminal.line("exit")
    ended(terminal, 0)


def test_suspend_and_continue(world):
    terminal = outer(world)
    terminal.line("x=kept; suspend")
    terminal.expect(r"Stopped.*out@ ")
    same_settings(terminal, world)
    terminal.line("fg")
    wait_until("raw again", terminal.is_raw)
    terminal.line("echo is:$x", "is:kept")
    assert terminal.is_raw()
    terminal.line("exit")
    leave(terminal, world)


def test_stopped_from_outside(world):
    terminal = outer(world)
    terminal.line("exec -a ma'rked' sleep 1000 & echo started", "started")
    cordon = [pid for pid in descendants(terminal.pid)][0]
    os.kill(cordon, signal.SIGTSTP)
    terminal.expect(r"Stopped.*out@ ")
    same_settings(terminal, world)
    terminal.line("kill -CONT %1; sleep 0.2; jobs")  # in the background it stops again for the terminal
    terminal.expect(r"Stopped|Running")
    terminal.expect("out@ ")
    same_settings(terminal, world)
    terminal.line("fg")
    wait_until("raw again", terminal.is_raw)
    terminal.line("jobs; echo he're'", "here")
    terminal.line("exit")
    terminal.line("exit")
    leave(terminal, world)


def test_sigstop_and_continue(world):
    """What SIGSTOP leaves cannot be helped; but SIGCONT must find its way back."""
    terminal = outer(world)
    cordon = descendants(terminal.pid)[0]
    os.kill(cordon, signal.SIGSTOP)
    terminal.expect(r"Stopped.*out@ ")
    terminal.line("stty sane; stty -g >before")
    terminal.expect("out@ ")
    terminal.line("fg")
    wait_until("raw again", terminal.is_raw)
    terminal.line("echo ag'ain'", "again")
    terminal.line("exit")
    terminal.expect("out@ ")
    terminal.line("exit")
    assert terminal.wait() == 0
    terminal.close()


def test_started_in_the_background(world):
    terminal = Terminal(world, ["bash", "--norc", "-i"])
    terminal.line("PS1='out@ '; bind 'set enable-bracketed-paste off'")
    terminal.expect(r"\nout@ ")
    terminal.line("stty -g >before; cordon shell &")
    terminal.expect("out@ ")
    wait_until("stopped for the terminal", lambda: any(
        state_of(pid) == "T" for pid in descendants(terminal.pid)[:1]))
    same_settings(terminal, world)
    terminal.line("fg")
    terminal.expect("in@ ")
    terminal.line("echo no'w'", "now")
    terminal.line("exit 4")
    terminal.expect("out@ ")
    terminal.line("echo status $?", "status 4")
    leave(terminal, world)


def test_no_controlling_terminal(world):
    """A program that gives a terminal and no session of its own to go with it."""
    terminal = start(world, controlling=False)
    terminal.line("tty; echo us'ed'", ".*used")
    terminal.line("exit 5")
    ended(terminal, 5)


def test_somebody_elses_terminal(world):
    """After su(1): the terminal belongs to another user, and may be used but not opened."""
    if os.getuid() != 0:
        return
    for name in ("ws", "home", "state", "config"):
        os.chown(world.path(name), 61237, 61237)
    terminal = Terminal(world, [world.cordon, "shell"], uid=61237)
    os.chmod(terminal.device, 0o600)
    terminal.expect("in@ ")
    terminal.line("exit 6")
    ended(terminal, 6)


def test_settings_reach_the_inside(world):
    terminal = start(world, rows=33, cols=111)
    terminal.line("stty -a >settings; stty size >size; exit")
    ended(terminal, 0)
    settings = world.read("ws/settings")
    assert "erase = ^H" in settings and " ixany" in settings, settings
    assert world.read("ws/size") == "33 111\n"


def test_killed_ungently(world):
    """SIGKILL cannot be helped: what is promised is that nothing stays inside."""
    terminal = start(world)
    inside = descendants(terminal.pid)
    os.kill(terminal.pid, signal.SIGKILL)
    assert terminal.wait() == 137
    wait_until("the tree's end", lambda: not [p for p in inside if os.path.exists("/proc/%d" % p)])
    assert terminal.is_raw(), "this test's own idea of raw is wrong"
    termios.tcsetattr(terminal.slave, termios.TCSANOW, terminal.before)
    terminal.close()


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main(globals())
