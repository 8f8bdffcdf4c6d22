#!/usr/bin/env python3
"""inside.py CORDON - what an interactive shell finds inside `cordon shell`, and what it cannot reach."""
import hashlib
import os
import signal
import sys

from driver import Terminal, descendants, main, wait_until


def start(world, *options, **how):
    terminal = Terminal(world, [world.cordon, "shell", *options], **how)
    terminal.expect("in@ ")
    return terminal


def leave(terminal, status=0):
    terminal.line("exit %d" % status)
    assert terminal.wait() == status
    terminal.restored()
    terminal.close()


def name_of(pid):
    try:
        with open("/proc/%d/comm" % pid, encoding="utf-8") as file:
            return file.read().strip()
    except OSError:
        return ""


def test_job_control(world):
    terminal = start(world)
    assert b"job control" not in terminal.everything
    terminal.line("sleep 1000")
    wait_until("sleep", lambda: "sleep" in map(name_of, descendants(terminal.pid)))
    terminal.send("\x1a")
    terminal.expect(r"Stopped +sleep 1000\r\nin@ ")
    terminal.line("bg")
    terminal.expect(r"\[1\]\+ sleep 1000 &")
    terminal.line("jobs")
    terminal.expect(r"\[1\]\+  Running +sleep 1000 &")
    terminal.line("fg")
    terminal.expect(r"sleep 1000\r\n")
    terminal.send("\x03")
    terminal.expect("in@ ")
    terminal.line("echo status $?", "status 130")
    terminal.line("cat")
    # A return that is typed before the shell let go of the terminal is none for cat.
    wait_until("cat", lambda: "cat" in map(name_of, descendants(terminal.pid)))
    terminal.line("echoed")
    terminal.expect("echoed\r\nechoed")  # by the terminal and by cat: it runs
    terminal.send("\x1c")  # Ctrl-\
    terminal.expect("Quit")
    leave(terminal)


def test_it_is_a_terminal(world):
    terminal = start(world)
    terminal.line("tty; test -t 0 -a -t 1 -a -t 2 && echo a'll'", r"/dev/pts/0\r\nall")
    terminal.line("echo $- | tr -d a-hj-z; echo >/dev/tty t'o tty'", r"i.*\r\nto tty")
    terminal.line("mkdir d; ls -d --color=auto d", ".*\x1b\\[01;34md")
    terminal.line("echo $TERM $SHELL", "xterm-256color /bin/bash")
    leave(terminal)


def test_resize(world):
    terminal = start(world)
    terminal.line("stty size", "24 80")
    terminal.line("trap 'echo now $(stty size)' WINCH; echo re'ady'", "ready")
    terminal.resize(50, 132)
    terminal.expect("now 50 132")
    terminal.line("bash -c 'trap \"stty size; exit\" WINCH; echo g''o; while :; do sleep 0.05; done'", "go")
    terminal.resize(30, 90)
    terminal.expect("30 90")
    leave(terminal)


def test_resized_while_suspended(world):
    terminal = Terminal(world, ["bash", "--norc", "-i"])
    terminal.line("PS1='out@ '; bind 'set enable-bracketed-paste off'")
    terminal.expect(r"\nout@ ")
    terminal.line("cordon shell")
    terminal.expect("in@ ")
    terminal.line("suspend")
    terminal.expect(r"Stopped.*out@ ")
    terminal.resize(60, 100)
    terminal.line("fg")
    wait_until("raw", terminal.is_raw)
    terminal.line("stty size", "60 100")
    terminal.line("exit")
    terminal.expect("out@ ")
    leave(terminal)


def test_nothing_is_lost_of_much_output(world):
    terminal = start(world)
    terminal.line("stty -opost; seq 100000; echo e'nd'; stty opost")
    terminal.expect(r"end\n")
    wanted = b"".join(b"%d\n" % i for i in range(1, 100001))
    assert wanted in terminal.everything, "lines are missing"
    leave(terminal)


def test_nothing_is_lost_of_the_last_output(world):
    for _ in range(5):
        terminal = Terminal(world, [world.cordon, "shell"])
        terminal.expect("in@ ")
        terminal.line("stty -opost; exec seq 20000")
        assert terminal.wait() == 0
        while terminal.pump(0.1) and not terminal.everything.endswith(b"\n20000\n"):
            pass
        assert terminal.everything.endswith(b"\n20000\n"), "the end is missing: %r" % terminal.everything[-60:]
        terminal.restored()
        terminal.close()


def test_control_c_stops_a_flood(world):
    terminal = start(world)
    terminal.line("yes")
    terminal.expect("(y\r\n){1000}")
    terminal.send("\x03")
    terminal.line("echo a'live'", "alive")
    leave(terminal)


def test_every_byte_both_ways(world):
    every = bytes(range(256)) * 20
    with open(world.path("ws/bytes"), "wb") as file:
        file.write(every)
    terminal = start(world)
    terminal.line("stty raw -echo; echo re'ady'; head -c 5120 >got; echo do'ne'; cat bytes; sleep 0.1; stty sane")
    terminal.expect("ready\n")
    terminal.send(every)
    terminal.expect("done\n")
    wait_until("the bytes", lambda: terminal.pump(0.05) and every in terminal.got)
    with open(world.path("ws/got"), "rb") as file:
        assert hashlib.sha256(file.read()).digest() == hashlib.sha256(every).digest()
    terminal.expect("in@ ")
    leave(terminal)


def test_typed_ahead(world):
    """Before the shell inside is there, and more than once."""
    terminal = Terminal(world, ["bash", "--norc", "-i"])
    terminal.line("PS1='out@ '; bind 'set enable-bracketed-paste off'")
    terminal.expect(r"\nout@ ")
    terminal.send("cordon shell\recho ear''ly\rexit\r")
    terminal.expect("early")
    terminal.expect("out@ ")
    leave(terminal)


def test_output_to_a_file(world):
    """As under any shell: what is no terminal stays as given."""
    terminal = Terminal(world, [world.cordon, "shell"], files={1: world.path("out")})
    terminal.expect("in@ ")
    terminal.line("test -t 1 || echo no terminal")
    terminal.expect("in@ ")
    leave(terminal)
    assert world.read("out").splitlines()[0] == "no terminal"


def test_another_terminal_is_refused(world):
    other = Terminal(world, ["sleep", "1000"])
    terminal = Terminal(world, [world.cordon, "shell"], files={1: other.device})
    terminal.expect("cordon: standard output is another terminal than standard input")
    assert terminal.wait() == 125
    terminal.restored()
    terminal.close()
    other.close()


def test_commands_from_a_pipe(world):
    done = world.run(world.cordon, "shell", input="echo one; test -t 0 || echo none; exit 4\n")
    assert (done.stdout, done.returncode) == ("one\nnone\n", 4), done
    # The terminal that is there besides is not asked.
    terminal = Terminal(world, ["sh", "-c", "echo 'echo pi''ped; exit 5' | cordon shell; echo status $?"])
    terminal.expect("piped\r\nstatus 5")
    assert terminal.wait() == 0
    terminal.restored()
    terminal.close()


def open_descriptors(pid):
    try:
        return [os.readlink("/proc/%d/fd/%s" % (pid, fd)) for fd in os.listdir("/proc/%d/fd" % pid)]
    except OSError:
        return []


def test_no_way_to_the_users_terminal(world):
    """Neither a descriptor nor a controlling terminal: TIOCSTI and tcsetpgrp have nothing to act on."""
    terminal = start(world)
    terminal.line("sleep 1000 & sleep 1000")
    wait_until("the jobs", lambda: len(descendants(terminal.pid)) >= 4)
    number = os.stat(terminal.device).st_rdev
    inside = descendants(terminal.pid)
    assert terminal.device in open_descriptors(terminal.pid), "the look at descriptors sees nothing"
    for pid in inside:
        with open("/proc/%d/stat" % pid, encoding="utf-8", errors="replace") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        # The inner terminal has the same number, in another instance: pgrp and session tell them apart.
        assert int(fields[3]) != terminal.pid, "process %d is in the user's session" % pid
    for pid in inside[1:]:  # the first is init, which nothing inside can look into
        with open("/proc/%d/mountinfo" % pid, encoding="utf-8") as file:
            assert "/dev/pts" in file.read()
        for fd in (0, 1, 2):
            try:
                st = os.stat("/proc/%d/fd/%d" % (pid, fd))
            except OSError:
                continue
            assert (st.st_dev, st.st_rdev) != (os.stat(terminal.device).st_dev, number), "the user's terminal is open"
    assert os.tcgetpgrp(terminal.fd) == os.getpgid(terminal.pid), "the foreground is not cordon's"
    terminal.send("\x03")
    terminal.line("kill %1")
    leave(terminal)


def test_planted_keys_stay_inside(world):
    """Typed in by the command for after its end (TIOCSTI): it is refused, and would reach the inner terminal only."""
    terminal = Terminal(world, ["bash", "--norc", "-i"])
    terminal.line("PS1='out@ '; bind 'set enable-bracketed-paste off'")
    terminal.expect(r"\nout@ ")
    terminal.line("cordon shell")
    terminal.expect("in@ ")
    world.write("ws/plant.py", (
        "import fcntl, os, termios\n"
        "for name in ['/dev/tty', '/dev/pts/0', '/proc/self/fd/0', '/proc/self/fd/1', '/proc/1/fd/0']:\n"
        "    try:\n"
        "        fd = os.open(name, os.O_RDWR | os.O_NOCTTY)\n"
        "        for key in b'touch planted\\n': fcntl.ioctl(fd, termios.TIOCSTI, bytes([key]))\n"
        "        print(name, 'PLANTED')\n"
        "    except OSError as error:\n"
        "        print(name, error.strerror)\n"
        "print('tri' + 'ed')\n"))
    terminal.line("/usr/bin/python3 plant.py; exit")
    terminal.expect("tried")
    assert b"PLANTED" not in terminal.everything
    terminal.expect("out@ ")
    terminal.line("echo qu'iet'", "quiet")
    assert not os.path.exists(world.path("ws/planted"))
    leave(terminal)


def test_closed_and_opened_again(world):
    """Nobody has the inner terminal open for a while: the relay goes on all the same."""
    terminal = start(world)
    terminal.line("exec bash -c 'exec 3<&0 0<&- 1>&- 2>&- 3<&-; sleep 0.3; exec </dev/tty >/dev/tty; echo ba''ck; read x; echo got-$x'",
                  "back")
    terminal.line("keys", "got-keys")
    assert terminal.wait() == 0
    terminal.restored()
    terminal.close()


def test_status_and_report(world):
    terminal = Terminal(world, [world.cordon, "shell", "--report", "report.json", "--changes"])
    terminal.expect("in@ ")
    terminal.line("echo x >made; exit 7")
    terminal.expect("made")
    assert terminal.wait() == 7
    terminal.expect("cordon: |created|made")
    assert '"made"' in world.read("ws/report.json") or "/made" in world.read("ws/report.json")
    terminal.restored()
    terminal.close()


def test_signals_to_the_group_inside(world):
    terminal = start(world)
    terminal.line("trap 'echo us''r1' USR1; echo re'ady'", "ready")
    os.kill(terminal.pid, signal.SIGUSR1)

    def trapped():
        terminal.send("\r")
        terminal.pump(0.1)
        return b"usr1" in terminal.got

    wait_until("the trap", trapped)
    leave(terminal)


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main(globals())
