"""The calls of bench/ours/calls-raw.ts, made through Python's socket module. Usage: calls.py PORT"""

import fcntl
import socket
import sys

from stopwatch import stopwatch

left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=4096)


def get_flags(count, _):
    fd, call, command = left.fileno(), fcntl.fcntl, fcntl.F_GETFD
    for _ in range(count):
        call(fd, command)


def send_recv(count, size):
    out, into = b"x" * size, bytearray(size)
    send, recv_into = left.send, right.recv_into
    for _ in range(count):
        send(out)
        recv_into(into)


def accept_close(count, _):
    accept = listener.accept
    for _ in range(count):
        accept()[0].close()


stopwatch({"fcntl": get_flags, "sendRecv": send_recv, "acceptClose": accept_close})
