"""Runs a program on a terminal of its own and types what is asked for.

python3 terminal.py '[["expected", "typed"], …]' PROGRAM ARGUMENT…

Prints what came to the terminal, then a line with how the program ended and whether the terminal echoes again.
"""

import fcntl
import json
import os
import pty
import select
import sys
import termios
import time

steps, argv = json.loads(sys.argv[1]), sys.argv[2:]
master, slave = pty.openpty()
child = os.fork()
if child == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for stream in (0, 1, 2):
        os.dup2(slave, stream)
    os.closerange(3, 64)
    os.execv(argv[0], argv)

seen, all_seen, until = b"", b"", time.time() + 60


def come(timeout):
    global seen, all_seen
    if select.select([master], [], [], timeout)[0]:
        some = os.read(master, 4096)
        seen, all_seen = seen + some, all_seen + some
        return True
    return False


for expected, typed in steps:
    while expected.encode() not in seen and time.time() < until:
        come(0.1)
    seen = b""
    os.write(master, typed.encode())
status = None
while status is None and time.time() < until:
    come(0.05)
    pid, ended = os.waitpid(child, os.WNOHANG)
    status = ended if pid else None
if status is None:
    os.kill(child, 9)
    _, status = os.waitpid(child, 0)
while come(0.05):
    pass
echoes = bool(termios.tcgetattr(slave)[3] & termios.ECHO) and bool(termios.tcgetattr(slave)[3] & termios.ICANON)
how = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}"
sys.stdout.write(all_seen.decode(errors="replace").replace("\r\n", "\n"))
print(f"{how}, {'echoes' if echoes else 'is left dumb'}")
